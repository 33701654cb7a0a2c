"""Who published an article and on which page, told by its source and URL; and whether a text names a source."""

import functools
import re
from typing import Final

from transforms.text.rules import load_credit_rules

_PARAMETER: Final = re.compile(r"(?:^|(?<=&))(?!utm_)[^=&]+=[^&]*\d[^&]*")


def page_of(url: str | None) -> str:
    """What of a URL says which page it is: host and path, and parameters that hold a number.

    >>> page_of("https://www.example.org/story?id=7&utm_source=feed2#top")
    'example.org/story?id=7'
    """
    if not url:
        return ""
    page, _, query = url.partition("#")[0].partition("?")
    page = page.partition("://")[2] or page
    kept = "&".join(match[0] for match in _PARAMETER.finditer(query))
    return page.removeprefix("www.").rstrip("/") + ("?" + kept if kept else "")


_MEDIUM: Final = re.compile(r"\s*[(\[](?:online|web|print|digital|app)?\s*(?:news|edition|site)?[)\]]\Z", re.IGNORECASE)


def publisher_of(source: str | None) -> str:
    """What of a source's name says who it is: without case, "www.", "the", and a medium in brackets.

    >>> publisher_of("The Harbor Gazette (Web News)"), publisher_of("www.harborgazette.example")
    ('harbor gazette', 'harborgazette.example')
    """
    name = _MEDIUM.sub("", (source or "").strip()).casefold()
    return name.removeprefix("www.").removeprefix("the ")


def is_one_publisher(source: str | None, other: str | None) -> bool:
    """Whether two sources' names say that they are one; unknown ones are not.

    >>> is_one_publisher("The Harbor Gazette", "Harbor Gazette (Online)"), is_one_publisher(None, None)
    (True, False)
    """
    publisher = publisher_of(source)
    return publisher != "" and publisher == publisher_of(other)


_OPENING_CHARACTERS = 720  # 120 words or so


@functools.lru_cache(10_000)
def _name_in_text(source: str) -> re.Pattern[str] | None:
    """How a text names a source: as that is spelt, or in the letters of a host ("CBS News"). Agencies are credited."""
    name = _MEDIUM.sub("", source.strip())
    is_host = "." in name and " " not in name
    if is_host:
        name = max(name.split(".")[:-1], key=len)
    if not name or _letters(name).removesuffix("news") in _agencies():
        return None
    if is_host:
        letters = r"\W?".join(map(re.escape, name))
        return re.compile(rf"(?<!\w){letters}(?!\w)", re.IGNORECASE)
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


@functools.cache
def _agencies() -> frozenset[str]:
    return frozenset(map(_letters, load_credit_rules().agencies))


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def opens_with_name(text: str, source: str | None) -> bool:
    """Whether the first 120 words or so name a source that is no wire agency.

    >>> opens_with_name("The Harbor Gazette reports that the ferry is back.", "Harbor Gazette (Online)")
    True
    """
    name = _name_in_text(source) if source else None
    return bool(name and name.search(text[:_OPENING_CHARACTERS]))
