"""Compares two texts."""

import difflib
from typing import NamedTuple

import pyarrow as pa

from transforms.text.decide import DEFAULT_THRESHOLDS, Article, Decision, decide
from transforms.text.minhash import sign_articles
from transforms.text.shingles import tokens
from transforms.text.similarity import Similarity, estimated_jaccard
from transforms.text.similarity import compare_texts as similarity_of

_MIN_PASSAGE_WORDS = 8


class Comparison(NamedTuple):
    """How similar two texts are, and what they have in common."""

    similarity: Similarity
    estimated_jaccard: float
    num_perm: int
    shingle: int
    passages: list[str]
    """Runs of at least eight words that both hold, longest first, as the shingles see them."""
    differences: list[tuple[str, str]]
    """What stands between shared words in the one and in the other, in the order of the texts."""
    decision: Decision
    """What a run would make of the two, if it knew no more of them than their texts."""


def compare_texts(left: str, right: str, *, shingle: int, num_perm: int) -> Comparison:
    """Compare two cleaned texts by their shingles, by their signatures, and word by word."""
    passages, differences = _aligned(tokens(left), tokens(right))
    signed = sign_articles(pa.array([left, right], pa.large_string()), shingle, num_perm, 1)
    return Comparison(
        similarity=similarity_of(left, right, shingle),
        estimated_jaccard=estimated_jaccard(*signed.signatures),
        num_perm=num_perm,
        shingle=shingle,
        passages=passages,
        differences=differences,
        decision=decide(Article(left), Article(right), DEFAULT_THRESHOLDS._replace(shingle=shingle)),
    )


def _aligned(left: list[str], right: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Shared passages, longest first, and what differs, in order."""
    codes = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    shared = [
        left[begin:end] for kind, begin, end, _, _ in codes if kind == "equal" and end - begin >= _MIN_PASSAGE_WORDS
    ]
    differences = [(" ".join(left[a:b]), " ".join(right[c:d])) for kind, a, b, c, d in codes if kind != "equal"]
    return [" ".join(run) for run in sorted(shared, key=len, reverse=True)], differences
