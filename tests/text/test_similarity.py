import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.text.shingles import shingle_set
from transforms.text.similarity import (
    Similarity,
    compare_texts,
    estimated_jaccard,
    intersection_size,
    shared_if_at_least,
)

hash_sets = st.sets(st.integers(0, 40) | st.integers(2**64 - 5, 2**64 - 1), max_size=30)
texts = st.lists(st.sampled_from(["a", "b", "c", "ß", "東京", "مُدن", "."]), max_size=30).map(" ".join)


def sorted_array(values: set[int]) -> np.ndarray:
    return np.array(sorted(values), np.uint64)


@settings(deadline=None)  # the first call compiles
@given(hash_sets, hash_sets, st.integers(0, 35))
def test_intersections(left, right, needed):
    shared = len(left & right)
    assert intersection_size(sorted_array(left), sorted_array(right)) == shared
    bounded = shared_if_at_least(needed, sorted_array(left), sorted_array(right))
    assert bounded == shared if shared >= needed else bounded < needed


@settings(deadline=None)
@given(texts, texts, st.integers(1, 5))
def test_compare_texts_equals_the_slow_twin_exactly(left, right, k):
    one, other = shingle_set(left, k), shingle_set(right, k)
    found = compare_texts(left, right, k)
    assert found == (len(one & other), len(one), len(other))
    assert found.jaccard == (len(one & other) / len(one | other) if one | other else 0.0)
    assert found.containment == (len(one & other) / min(len(one), len(other)) if one and other else 0.0)
    assert compare_texts(right, left, k).jaccard == found.jaccard


def test_measures():
    found = Similarity(shared=30, left=40, right=300)
    assert found.jaccard == 30 / 310
    assert (found.containment, found.left_in_right, found.right_in_left) == (0.75, 0.75, 0.1)
    nothing = Similarity(0, 0, 5)
    assert (nothing.jaccard, nothing.containment, nothing.left_in_right, nothing.right_in_left) == (
        0,
        0,
        0,
        0,
    )
    assert Similarity(0, 0, 0).jaccard == 0


def test_estimated_jaccard_refuses_different_lengths():
    with pytest.raises(ValueError, match=r"signatures of \[2\] and \[3\] minima"):
        estimated_jaccard(np.zeros(2, np.uint32), np.zeros(3, np.uint32))
