"""Compares two texts."""

import difflib
from typing import NamedTuple

import pyarrow as pa

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


def compare_texts(left: str, right: str, *, shingle: int, num_perm: int) -> Comparison:
    """Compare two cleaned texts by their shingles, by their signatures, and word by word."""
    signed = sign_articles(pa.array([left, right], pa.large_string()), shingle, num_perm, 1)
    return Comparison(
        similarity=similarity_of(left, right, shingle),
        estimated_jaccard=estimated_jaccard(*signed.signatures),
        num_perm=num_perm,
        shingle=shingle,
        passages=_shared_passages(tokens(left), tokens(right)),
    )


def _shared_passages(left: list[str], right: list[str]) -> list[str]:
    blocks = difflib.SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    runs = [left[block.a : block.a + block.size] for block in blocks if block.size >= _MIN_PASSAGE_WORDS]
    return [" ".join(run) for run in sorted(runs, key=len, reverse=True)]
