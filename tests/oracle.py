"""Every similar pair of a small corpus, by comparing all with all: what the real candidates are held against.

Nothing here hashes or samples; it uses the slow twin of the shingler and Python's own sets and fractions.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from transforms.text.shingles import shingle_set


class Pair(NamedTuple):
    """Two articles by their places in the corpus, ``left < right``, and how alike they exactly are."""

    left: int
    right: int
    jaccard: Fraction
    containment: Fraction


def all_pairs(texts: Sequence[str], shingle: int) -> list[Pair]:
    """Every pair of articles that share a shingle; an article without a token has none.

    >>> [(pair.left, pair.right, str(pair.jaccard)) for pair in all_pairs(["a b c", "x y", "a b d"], 2)]
    [(0, 2, '1/3')]
    """
    sets = [shingle_set(text, shingle) for text in texts]
    found = []
    for left, right in combinations(range(len(sets)), 2):
        if shared := len(sets[left] & sets[right]):
            union, smaller = len(sets[left] | sets[right]), min(len(sets[left]), len(sets[right]))
            found.append(Pair(left, right, Fraction(shared, union), Fraction(shared, smaller)))
    return found


def pairs_at(texts: Sequence[str], shingle: int, min_jaccard: float) -> set[tuple[int, int]]:
    """The pairs at or over a Jaccard, compared as the project compares: one float64 quotient."""
    return {(pair.left, pair.right) for pair in all_pairs(texts, shingle) if float(pair.jaccard) >= min_jaccard}
