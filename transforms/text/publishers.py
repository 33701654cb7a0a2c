"""Who published an article and on which page, told by its source and URL; which agency's it is; whom it names."""

import functools
import re
from typing import Final

from transforms.text.credits import find_credits
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
    name, is_host = _name_of(source)
    if not name or _agency_of(name):
        return None
    if is_host:
        letters = r"\W?".join(map(re.escape, name))
        return re.compile(rf"(?<!\w){letters}(?!\w)", re.IGNORECASE)
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _name_of(source: str) -> tuple[str, bool]:
    """A source's name without its medium, and whether it is one of a host, of which the longest label is taken."""
    name = _MEDIUM.sub("", source.strip())
    is_host = "." in name and " " not in name
    return (max(name.split(".")[:-1], key=len) if is_host else name), is_host


def _agency_of(name: str) -> str | None:
    return _agencies().get(_letters(name).removesuffix("news"))


_credit_rules: Final = functools.cache(load_credit_rules)


@functools.cache
def _agencies() -> dict[str, str]:
    return {_letters(spelling): agency for spelling, agency in _credit_rules().agencies.items()}


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def opens_with_name(text: str, source: str | None) -> bool:
    """Whether the first 120 words or so name a source that is no wire agency.

    >>> opens_with_name("The Harbor Gazette reports that the ferry is back.", "Harbor Gazette (Online)")
    True
    """
    name = _name_in_text(source) if source else None
    return bool(name and name.search(text[:_OPENING_CHARACTERS]))


@functools.lru_cache(8)  # a story's leader is asked for with each of its copies
def agencies_of(text: str, source: str | None) -> frozenset[str]:
    """The wire agencies that a text credits, and the one that published it.

    >>> sorted(agencies_of("OSLO (AP) — It is open.", "www.reuters.com"))
    ['AP', 'Reuters']
    """
    publisher = _agency_of(_name_of(source)[0]) if source else None
    return frozenset([*find_credits(text, _credit_rules()), *([publisher] if publisher else [])])
