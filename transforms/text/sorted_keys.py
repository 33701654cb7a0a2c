"""Looking up many sorted keys in many others: one pass over both."""

import numpy as np
import numpy.typing as npt

from transforms.text.shingles import kernel, read_only


def rows_among(keys: npt.NDArray[np.unsignedinteger], wanted: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.int64]:
    """Rows of the sorted ``keys`` whose key is one of the sorted, distinct ``wanted``, which has the same type.

    >>> rows_among(np.array([2, 5, 5, 9], np.uint64), np.array([1, 5, 9], np.uint64)).tolist()
    [1, 2, 3]
    """
    rows: npt.NDArray[np.int64] = _rows_among(read_only(keys), read_only(wanted))
    return rows


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
