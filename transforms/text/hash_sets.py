"""Sets of strings that kernels can look in: hashes that roll over code points, in tables with open addressing."""

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from transforms.text.shingles import MULTIPLIER, kernel, read_only

HashSet = npt.NDArray[np.uint64]


def hash_set(texts: Collection[str]) -> HashSet:
    """The hashes of ``texts``, none of them empty, for :func:`contains`."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    return _table(set(_hashes(read_only(characters), read_only(ends)).tolist()))


def packed_set(texts: Iterable[str]) -> HashSet:
    """The same of texts of eight characters, not hashed but packed, the lower eight bits of each."""
    return _table({int.from_bytes(bytes(ord(character) & 0xFF for character in text)) for text in texts})


def _table(hashes: set[int]) -> HashSet:
    # At most a quarter full.
    table = np.zeros(1 << (4 * len(hashes) + 1).bit_length(), np.uint64)
    for value in sorted(hashes):
        slot = value % table.size
        while table[slot]:
            slot = (slot + 1) % table.size
        table[slot] = value
    return read_only(table)


@kernel
def rolled(h: np.uint64, character: np.int64) -> np.uint64:
    """The hash of a string and one more character behind it."""
    h = (h ^ np.uint64(character)) * MULTIPLIER
    return h ^ (h >> np.uint64(29))


@kernel
def _hashes(characters: npt.NDArray[np.uint32], ends: npt.NDArray[np.int64]) -> HashSet:
    """Of each text its characters, one behind the other, :func:`rolled` from 0; never 0, which is an empty slot."""
    hashes = np.zeros(ends.size, np.uint64)
    start = 0
    for row in range(ends.size):
        for place in range(start, ends[row]):
            hashes[row] = rolled(hashes[row], np.int64(characters[place]))
        start = ends[row]
    return hashes


@kernel
def contains(table: HashSet, h: np.uint64) -> bool:
    """Whether a string of hash ``h`` is in the set; of two strings with one hash either is."""
    mask = np.uint64(table.size - 1)
    slot = h & mask
    while table[slot]:
        if table[slot] == h:
            return True
        slot = (slot + np.uint64(1)) & mask
    return False
