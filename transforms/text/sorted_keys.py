"""Keys: which of many recur, where groups of equal ones start, and which of many are among many others."""

from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.text.shingles import MULTIPLIER, kernel, read_only

_SLOTS_PER_KEY = 8


def rows_among(keys: npt.NDArray[np.unsignedinteger], wanted: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.int64]:
    """Rows of the sorted ``keys`` whose key is one of the sorted, distinct ``wanted``, which has the same type.

    >>> rows_among(np.array([2, 5, 5, 9], np.uint64), np.array([1, 5, 9], np.uint64)).tolist()
    [1, 2, 3]
    """
    rows: npt.NDArray[np.int64] = _rows_among(read_only(keys), read_only(wanted))
    return rows


def recurring_rows(keys: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.int64]:
    """Rows, in their order, of all ``keys`` that another row has as well, and of some others, an eighth at most or so.

    Of many keys most are alone: so only the rest has to be sorted, which takes twenty times as long for each.

    >>> recurring_rows(np.array([7, 3, 9, 3], np.uint64)).tolist()
    [1, 3]
    """
    rows: npt.NDArray[np.int64] = _recurring_rows(read_only(keys.astype(np.uint64, copy=False)))
    return rows


def group_starts(*keys: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """For each row of a table that is sorted by ``keys`` the row at which its group of equal ones starts.

    >>> group_starts(np.array([2, 5, 5, 9]), np.array([1, 1, 1, 1])).tolist()
    [0, 1, 1, 3]
    """
    starts = np.arange(len(keys[0]))
    starts[1:][np.logical_and.reduce([key[1:] == key[:-1] for key in keys])] = 0
    return np.maximum.accumulate(starts)


@kernel
def _recurring_rows(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    bits = 4
    while 1 << bits < _SLOTS_PER_KEY * keys.size:
        bits += 1
    shift = np.uint64(64 - bits)
    seen = np.zeros(1 << bits, np.uint8)  # how often a slot was, at most twice
    for row in range(keys.size):
        slot = (keys[row] * MULTIPLIER) >> shift
        seen[slot] = min(seen[slot] + 1, 2)
    found = np.empty(keys.size + 1, np.int64)  # with room to write one that is none
    count = 0
    for row in range(keys.size):
        found[count] = row
        count += seen[(keys[row] * MULTIPLIER) >> shift] > 1
    return found[:count].copy()


@kernel
def _rows_among(
    keys: npt.NDArray[np.unsignedinteger], wanted: npt.NDArray[np.unsignedinteger]
) -> npt.NDArray[np.int64]:
    found = np.empty(keys.size, np.int64)
    count = place = 0
    for row in range(keys.size):
        while place < wanted.size and wanted[place] < keys[row]:
            place += 1
        if place == wanted.size:
            break
        found[count] = row
        count += wanted[place] == keys[row]
    return found[:count].copy()
