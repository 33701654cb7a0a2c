"""Looking up sorted keys."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.sorted_keys import rows_among

KEYS = st.lists(st.integers(0, 40), max_size=60)


@given(KEYS, KEYS)
def test_it_is_isin_of_sorted_keys(keys, wanted):
    for kind in (np.uint32, np.uint64):
        found = rows_among(np.sort(np.array(keys, kind)), np.unique(np.array(wanted, kind)))
        assert found.tolist() == np.flatnonzero(np.isin(np.sort(keys), wanted)).tolist()
