"""What is boilerplate: paragraphs that many articles of one source share in different surroundings, and that say so.

That a paragraph is shared is not enough. An agency repeats a background paragraph in each follow-up of a running story,
a court reporter the same legal sentence, an interviewer's name stands above each of the questions: those are article.
So besides support and diversity a paragraph needs a sign of its own, and nothing may speak against it::

    speaks for it                                         speaks against it
    its words address the reader ("sign up", "follow")    the articles share their subject (coherence)
    it holds an address, or the name of its source        it names a wire agency, as credits do
    it always ends or opens an article: a bio, a note     it quotes somebody
    it stands in a large part of the source's articles    its words are told elsewhere in the article

A short paragraph (a heading) is boilerplate only beside one that is, which it always accompanies.
"""

import functools
import itertools
import re
import tomllib
import unicodedata
from collections.abc import Collection
from importlib import resources
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.text.credits import find_credits
from transforms.text.edits import Change, Edit, splice
from transforms.text.rules import BOILERPLATE_FILE, CreditRules, load_credit_rules

Keys = npt.NDArray[np.uint64]
Kind = Literal["phrases", "topics"]

EDGE: Final = 1
"""Key that stands for the neighbour of an article's first or last paragraph."""
MIN_SUPPORT: Final = 5
MIN_DIVERSITY: Final = 4

# Two articles of a source share 3 to 6 % of their longer words; follow-ups of a story and pages of one form 15 to 60 %.
_MAX_COHERENCE_PHRASE: Final = 0.35
_MAX_COHERENCE: Final = 0.10
_MAX_ELSEWHERE: Final = 0.5
_MAX_ELSEWHERE_INSIDE: Final = 0.3
_MIN_SUPPORT_EDGE: Final = 8
_MIN_SUPPORT_INSIDE: Final = 20
_MAX_HEADING_CHARS: Final = 120
_MIN_CHARS: Final = 24
_MIN_SENTENCE_CHARS: Final = 40
_AT_EDGE: Final = 0.9

_ADDRESS = re.compile(
    r"https?://|\bwww\.\w|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.\w{2,}"
    r"|\(?\b\d{3}\)?[-/. ]\d{3}-\d{4}\b|[©℗]",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?…。！？۔؟।][\"'”’»)\]*]*\Z")
_QUOTATION = re.compile(r"[\"“”„«»「」『』]|(?:^|\s)'\w")
_QUOTED = re.compile(r"[\"“„«「『]([^\"“”„«»「」『』]{25,})(?:[\"”“»」』]|\Z)")
_RIGHTS = re.compile(r"[©℗]|\bcopyright\b|\(c\)|all rights reserved", re.IGNORECASE)
_NAME_ENDS = re.compile(r"[^\w.-]+|\.(?!\w)")
_UNSPACED = re.compile(r"[\u2e80-\ufaff]")


class Candidate(NamedTuple):
    """A paragraph that articles of one source share."""

    source: str
    text: str
    """Its most frequent form."""
    support: int
    """Articles that hold it."""
    diversity: int
    """Distinct neighbours on the side that has fewer; sides on which the article always ends do not count."""
    forms: int
    """Exact forms: more than one where numbers change."""
    coherence: float
    """0-1: words that the articles share, see ``transforms.text.ledger.coherence``."""
    elsewhere: float
    """0-1: its words that its articles hold elsewhere."""
    edge: float
    """0-1: how often it opens or ends an article, whichever is more."""


def sign_of(found: Candidate, min_support: int = MIN_SUPPORT, min_diversity: int = MIN_DIVERSITY) -> str:
    """The sign by which a shared paragraph is the site's and not the articles'; empty where it is the articles'.

    >>> promo = Candidate("rferl", "Sign up for our newsletter.", 9, 9, 1, 0.05, 0.0, 0.0)
    >>> article = promo._replace(text="The talks broke down in 2019.")
    >>> sign_of(promo), sign_of(article), sign_of(promo._replace(diversity=1))
    ('phrase', '', '')
    """
    text = found.text
    if found.support < min_support or found.diversity < max(min_diversity, found.support // 4):
        return ""
    if _QUOTED.search(text) or is_credit(text):
        return ""
    if found.coherence <= _MAX_COHERENCE_PHRASE and has_phrase(text, "phrases"):
        return "phrase"
    is_apart = found.coherence <= _MAX_COHERENCE and found.elsewhere <= _MAX_ELSEWHERE
    if is_apart and has_phrase(text, "topics"):
        return "topic"
    # What does not say so itself is boilerplate to the letter only, and a sentence or an address.
    if found.forms > 1 or found.coherence > _MAX_COHERENCE or len(text) < _MIN_CHARS:
        return ""
    if _ADDRESS.search(text):
        return "address"
    if not _SENTENCE_END.search(text):
        return ""
    if names_source(text, found.source) and found.support >= _MIN_SUPPORT_EDGE:
        return "source"
    if len(text) < _MIN_SENTENCE_CHARS or _QUOTATION.search(text):
        return ""
    if is_apart and found.edge >= _AT_EDGE and found.support >= _MIN_SUPPORT_EDGE:
        return "edge"
    if found.support >= _MIN_SUPPORT_INSIDE and found.elsewhere <= _MAX_ELSEWHERE_INSIDE:
        return "inside"
    return ""


def heads_boilerplate(found: Candidate) -> bool:
    """Whether a paragraph may be the heading of boilerplate that it always stands beside."""
    return (
        len(found.text) <= _MAX_HEADING_CHARS
        and found.coherence <= _MAX_COHERENCE_PHRASE
        and not _QUOTED.search(found.text)
        and not is_credit(found.text)
    )


def holds_numbers(sign: str) -> bool:
    """Whether boilerplate of this sign is meant with whatever numbers it holds, not to the letter."""
    return sign in ("phrase", "topic")


def diversity_of(left: Keys, far_left: Keys, right: Keys, far_right: Keys) -> int:
    """Different surroundings of a paragraph: distinct neighbours on the side that has fewer.

    In copies and versions of one story it has the same neighbours. A promo of several paragraphs has the same ones as
    well, so those three paragraphs away count too, and a side on which the article ends, if not at once, does not.

    >>> ones, many = np.array([5, 5, 5], np.uint64), np.array([6, 7, 8], np.uint64)
    >>> diversity_of(ones, many, many, many), diversity_of(ones, ones, many, many), diversity_of(many, many, ones, ones)
    (3, 1, 1)
    >>> edge = np.array([EDGE] * 3, np.uint64)
    >>> diversity_of(edge, edge, many, many), diversity_of(edge, edge, edge, edge)
    (3, 0)
    """
    sides = [_distinct(near, far) for near, far in ((left, far_left), (right, far_right))]
    return min((side for side in sides if side is not None), default=0)


def _distinct(near: Keys, far: Keys) -> int | None:
    if edge_share(near) >= _AT_EDGE:
        return None
    close = np.unique(near[near != EDGE])
    if len(close) <= 2 and edge_share(far) >= _AT_EDGE:
        return None
    return max(len(close), len(np.unique(far[far != EDGE])))


def edge_share(neighbours: Keys) -> float:
    """How often (0-1) a paragraph opens or ends an article, by the keys of its neighbours on that side."""
    return np.count_nonzero(neighbours == EDGE) / len(neighbours)


def strip_paragraphs(text: str, dropped: Collection[int]) -> tuple[str, list[Edit]]:
    r"""Remove the paragraphs of these numbers, from 0, with one blank line each; a text is never left empty.

    >>> text, edits = strip_paragraphs("Promo\n\nOne.\n\nTwo.\n\nPromo", [0, 3])
    >>> text, [(edit.start, edit.before) for edit in edits]
    ('One.\n\nTwo.', [(0, 'Promo\n\n'), (10, '\n\nPromo')])
    """
    paragraphs = text.split("\n\n")
    kept = [number for number in range(len(paragraphs)) if number not in dropped]
    if not any(paragraphs[number].strip() for number in kept):
        return text, []
    ends = list(itertools.accumulate(len(paragraph) + 2 for paragraph in paragraphs))  # each with its blank line
    changes: list[Change] = []
    for number in filter(dropped.__contains__, range(len(paragraphs))):
        start, end = ends[number] - len(paragraphs[number]) - 2, ends[number]
        # The blank line behind it, but of what stands behind the first that is kept the one before it.
        shift = 0 if number < kept[0] else 2
        changes.append((start - shift, end - shift, "", "boilerplate", "learned"))
    return splice(text, changes)


@functools.cache
def _table() -> dict[str, Any]:
    return tomllib.loads((resources.files("transforms.rules") / BOILERPLATE_FILE).read_text("utf-8"))


@functools.cache
def _phrases(kind: Kind) -> re.Pattern[str]:
    """One alternation of the phrases of all languages; those of scripts without spaces stand anywhere."""
    languages = _table()[kind].values()
    parts = [re.escape(_folded(phrase)).replace(r"\*", r"\w*") for phrases in languages for phrase in phrases]
    unspaced = [part for part in parts if _UNSPACED.match(part)]
    spaced = [part for part in parts if not _UNSPACED.match(part)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(spaced)})(?!\w)|{'|'.join(unspaced)}")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").casefold().split())


def has_phrase(text: str, kind: Kind) -> bool:
    """Whether a paragraph holds one of the ``phrases`` or ``topics`` of ``rules/boilerplate.toml``.

    >>> has_phrase("Sign up here", "phrases"), has_phrase("The app was banned.", "phrases")
    (True, False)
    """
    return _phrases(kind).search(_folded(text)) is not None


@functools.cache
def _credit_rules() -> tuple[CreditRules, tuple[str, ...]]:
    return load_credit_rules(), tuple(_table()["credits"])


def is_credit(text: str) -> bool:
    """Whether a paragraph credits an agency or a person, which is the article's.

    >>> is_credit("With reporting by AP and Reuters"), is_credit("Ada Wren contributed to this report.")
    (True, True)
    """
    rules, phrases = _credit_rules()
    folded = _folded(text)
    if any(phrase in folded for phrase in phrases) or find_credits(text, rules):
        return True
    # An agency's own notice of its rights says whose story it is.
    words = _NAME_ENDS.sub(" ", text)
    return bool(_RIGHTS.search(text)) and any(f" {spelling} " in f" {words} " for spelling in rules.agencies)


def names_source(text: str, source: str) -> bool:
    """Whether a paragraph names its source.

    >>> names_source("RFE/RL's briefing gives you the latest.", "www.rferl.org")
    True
    """
    name = _letters_of(re.sub(r"^www\.|\.\w{2,4}(?:\.\w\w)?$", "", source.casefold()))
    if len(name) < 3:
        return False
    words = [_letters_of(word) for word in text.casefold().split()]
    return any("".join(words[i : i + n]).startswith(name) for n in (1, 2, 3, 4, 5) for i in range(len(words)))


def _letters_of(text: str) -> str:
    return "".join(filter(str.isalnum, text))
