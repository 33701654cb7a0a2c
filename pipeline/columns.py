"""Which column holds what: found by its usual names, or named with ``--columns``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

# In order of preference, as ``normalise`` gives them. From schema.org (articleBody, datePublished), RSS
# (pubDate, guid, link), news-please (maintext, source_domain, date_publish), newspaper3k, CC-News, RealNews
# and webhose dumps.
USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "guid", "articleid", "docid", "documentid", "storyid", "uid", "uuid"),
    "url": ("url", "link", "canonicalurl", "articleurl", "uri", "permalink", "requestedurl", "href"),
    "source": (
        *("source", "site", "publisher", "domain", "outlet", "sourcedomain", "newspaper"),
        *("sourcename", "sitename", "publication", "hostname", "website"),
    ),
    "title": ("title", "headline", "articletitle", "heading"),
    "published": (
        *(
            "published",
            "date",
            "publishdate",
            "datepublished",
            "publishedat",
            "pubdate",
            "datetime",
            "timestamp",
        ),
        *("datepublish", "publicationdate", "publisheddate", "publishedon", "articledate", "time"),
    ),
    "text": (
        *("text", "content", "body", "maintext", "article", "articletext", "fulltext", "plaintext"),
        *("articlebody", "bodytext", "cleanedtext", "articlecontent", "story", "document"),
    ),
}
FIELDS: Final = tuple(USUAL_NAMES)


def normalise(name: str) -> str:
    """Return a column's name as it is compared.

    >>> normalise("Published_At"), normalise("publishedAt")
    ('publishedat', 'publishedat')
    """
    return "".join(filter(str.isalnum, name.lower()))


def find_columns(names: Iterable[str], chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """Return for each field the columns that may hold it, best first; ``chosen`` (field → column) settles it.

    >>> find_columns(["Headline", "body", "Text", "link"], {"text": "body"})["text"]
    ['body']
    >>> find_columns(["Headline", "body", "Text", "link"], {})["text"]
    ['Text', 'body']
    """
    exact = set(names := list(names))
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(normalise(name), name)
    found: dict[str, list[str]] = {}
    for field, usual in USUAL_NAMES.items():
        wanted = chosen.get(field)
        if wanted is None:
            found[field] = [by_name[name] for name in usual if name in by_name]
        elif wanted in exact:
            found[field] = [wanted]
        else:
            found[field] = [by_name[key]] if (key := normalise(wanted)) in by_name else []
    return found


def describe(names: Sequence[str]) -> str:
    """Return column names for a message, not too many.

    >>> describe(["a", "b"])
    '[a, b]'
    """
    shown = ", ".join(name[:40] for name in names[:20])
    return f"[{shown}, …]" if len(names) > 20 else f"[{shown}]"
