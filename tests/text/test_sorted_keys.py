"""Looking up sorted keys."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.sorted_keys import recurring_rows, rows_among

KEYS = st.lists(st.integers(0, 40), max_size=60)


@given(KEYS, KEYS)
def test_it_is_isin_of_sorted_keys(keys, wanted):
    for kind in (np.uint32, np.uint64):
        found = rows_among(np.sort(np.array(keys, kind)), np.unique(np.array(wanted, kind)))
        assert found.tolist() == np.flatnonzero(np.isin(np.sort(keys), wanted)).tolist()


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=200), st.sampled_from((np.uint64, np.uint32)))
def test_all_keys_that_recur_are_found(keys, kind):
    keys = np.array(keys, np.uint64).astype(kind)
    rows = recurring_rows(keys)
    values, counts = np.unique(keys, return_counts=True)
    assert set(np.flatnonzero(np.isin(keys, values[counts > 1]))) <= set(rows)
    assert (np.diff(rows) > 0).all()


def test_few_others_are_found():
    keys = np.random.default_rng(1).integers(0, 2**64, 100_000, np.uint64)
    assert len(recurring_rows(keys)) < 13_000
