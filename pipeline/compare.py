"""Compares two texts, or two articles of a run."""

import difflib
from itertools import pairwise
from typing import Literal, NamedTuple

import pyarrow as pa

from pipeline.explain import article_rows
from pipeline.standing import finished_manifest
from transforms.errors import UsageError
from transforms.text.decide import DEFAULT_THRESHOLDS, Article, Decision, DecisionThresholds, decide
from transforms.text.minhash import sign_articles
from transforms.text.shingles import BREAK, SOLO, WORD, kind_of, tokens
from transforms.text.similarity import Similarity, estimated_jaccard
from transforms.text.similarity import compare_texts as similarity_of

_MIN_PASSAGE_WORDS = 8
_MIN_RUN = 3  # words; fewer between two differences are alike by chance


class Passage(NamedTuple):
    """What both texts have, or one of them, as it is written there; in A where both have it."""

    side: Literal["both", "a", "b"]
    text: str
    words: int
    """Letters in scripts without spaces."""


class Comparison(NamedTuple):
    """How similar two articles are, and what they have in common."""

    similarity: Similarity
    estimated_jaccard: float
    num_perm: int
    passages: list[Passage]
    """All of both texts, in their order."""
    decision: Decision
    """What a run makes of the two, if it knows no more of them than this."""
    of_run: str | None = None
    """What the run did with them."""

    @property
    def shared(self) -> list[str]:
        """Passages of at least eight words that both have, longest first."""
        found = [each for each in self.passages if each.side == "both" and each.words >= _MIN_PASSAGE_WORDS]
        return [each.text for each in sorted(found, key=lambda passage: -passage.words)]


def compare_articles(
    left: Article,
    right: Article,
    *,
    num_perm: int,
    thresholds: DecisionThresholds = DEFAULT_THRESHOLDS,
    of_run: str | None = None,
) -> Comparison:
    """Compare two cleaned articles by their shingles, by their signatures, and word by word."""
    signed = sign_articles(pa.array([left.text, right.text], pa.large_string()), thresholds.shingle, num_perm, 1)
    return Comparison(
        similarity=similarity_of(left.text, right.text, thresholds.shingle),
        estimated_jaccard=estimated_jaccard(*signed.signatures),
        num_perm=num_perm,
        passages=align(left.text, right.text),
        decision=decide(left, right, thresholds),
        of_run=of_run,
    )


def compare_of_run(output: str, left: str, right: str) -> Comparison:
    """Compare two articles of a finished run, by all that it knew of them.

    Raises:
        UsageError: no finished run there, or no text of one of them in it.
    """
    settings = finished_manifest(output)["configuration"]
    thresholds = DecisionThresholds(
        min_containment=settings["containment"],
        min_excerpt_shingles=settings["min_excerpt_shingles"],
        shingle=settings["shingle"],
    )
    articles = [_article(output, name) for name in (left, right)]
    home = {
        name: (row["canonical_id"], row["relation"])
        for name in (left, right)
        for row in article_rows(output, "duplicates", name)
    }
    return compare_articles(
        *articles, num_perm=settings["num_perm"], thresholds=thresholds, of_run=_fate(left, right, home)
    )


def _article(output: str, name: str) -> Article:
    if rows := article_rows(output, "articles", name):
        return Article(*(rows[0][field] for field in Article._fields))
    if article_rows(output, "duplicates", name):
        raise UsageError(f"[{name}] was folded, so its text is not in [{output}]; run with --keep all")
    raise UsageError(f"no article [{name}] in [{output}]")


def _fate(left: str, right: str, home: dict[str, tuple[str, str]]) -> str:
    for one, other in ((left, right), (right, left)):
        if one in home and home[one][0] == other:
            return f"{one} was folded into {other} as {home[one][1]}"
    if left in home and right in home and home[left][0] == home[right][0]:
        return f"both were folded into {home[left][0]}"
    folded = [f"{name} was folded into {canonical}" for name, (canonical, _) in home.items()]
    return "; ".join(["they were kept apart", *folded])


def align(left: str, right: str) -> list[Passage]:
    """All of two texts in their order: what both have, and what stands in its place in the one and in the other.

    Words are compared as shingles see them.

    >>> for passage in align("The old bridge was opened on Monday.", "The Old Bridge was opened, at last."):
    ...     print(*passage)
    both The old bridge was opened 5
    a on Monday. 2
    b at last. 2
    """
    ours, theirs = _Units(left), _Units(right)
    codes = difflib.SequenceMatcher(None, ours.keys, theirs.keys, autojunk=False).get_opcodes()
    last = len(codes) - 1
    alike = [
        kind == "equal" and (end - begin >= _MIN_RUN or place in (0, last))
        for place, (kind, begin, end, _, _) in enumerate(codes)
    ]
    found: list[Passage] = []
    starts = [place for place in range(len(codes)) if place == 0 or alike[place] or alike[place - 1]]
    for start, end in pairwise([*starts, len(codes)]):
        (_, a, _, c, _), (_, _, b, _, d) = codes[start], codes[end - 1]
        if alike[start]:
            found.append(ours.passage("both", a, b))
        else:
            found += [ours.passage("a", a, b), theirs.passage("b", c, d)]
    return [passage for passage in found if passage.words]


class _Units:
    """A text cut into its tokens, each with the marks behind it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        last = BREAK
        for place, character in enumerate(text):
            kind = kind_of(character)
            if kind == SOLO or (kind == WORD and last != WORD):
                self._starts.append(place)
            if kind in (BREAK, WORD, SOLO):
                last = kind
        self._starts.append(len(text))
        self.keys = [tuple(tokens(text[start:end])) for start, end in pairwise(self._starts)]

    def passage(self, side: Literal["both", "a", "b"], begin: int, end: int) -> Passage:
        start = self._starts[begin] if begin else 0
        return Passage(side, " ".join(self._text[start : self._starts[end]].split()), end - begin)
