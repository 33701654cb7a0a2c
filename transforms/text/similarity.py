"""How alike two articles are: exactly, from their shingle sets, or estimated, from their signatures."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.shingles import kernel, read_only, shingle_hashes


@kernel
def jaccard(shared: int, left: int, right: int) -> float:
    """|A∩B| / |A∪B| from the three sizes, one float64 division; 0 for two empty sets.

    Every threshold of the project compares this quotient, so whoever computes ``shared / union`` again and
    compares it with the threshold comes to the same decision.

    >>> jaccard(7, 8, 9)
    0.7
    """
    union = left + right - shared
    return shared / union if union else 0.0


@kernel
def containment(shared: int, left: int, right: int) -> float:
    """|A∩B| / min(|A|, |B|): how much of the smaller set the larger one holds; 0 if either is empty.

    >>> containment(8, 10, 100)
    0.8
    """
    smaller = min(left, right)
    return shared / smaller if smaller else 0.0


@kernel
def shared_if_at_least(needed: int, left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> int:
    """|A∩B| of two sorted sets if that is ``needed`` or more; otherwise some smaller number than ``needed``.

    Gives up as soon as too many elements of either set are known to be missing from the other.
    """
    i = j = shared = 0
    spare_left, spare_right = left.size - needed, right.size - needed
    # i - shared elements of the left set, and j - shared of the right, have turned out to be alone.
    while i < left.size and j < right.size and i - shared <= spare_left and j - shared <= spare_right:
        x, y = left[i], right[j]
        i += x <= y
        j += y <= x
        shared += x == y
    return shared


class Similarity(NamedTuple):
    """Exact overlap of two articles: distinct shingles that both have, of the left and of the right one.

    >>> wire_and_longer = Similarity(shared=150, left=160, right=800)
    >>> round(wire_and_longer.jaccard, 3), wire_and_longer.containment, wire_and_longer.right_in_left
    (0.185, 0.9375, 0.1875)
    """

    shared: int
    left: int
    right: int

    @property
    def jaccard(self) -> float:
        """|A∩B| / |A∪B|, 0-1."""
        return jaccard(self.shared, self.left, self.right)

    @property
    def containment(self) -> float:
        """|A∩B| / min(|A|, |B|), 0-1."""
        return containment(self.shared, self.left, self.right)

    @property
    def left_in_right(self) -> float:
        """The part of the left article's shingles that the right one has, 0-1; 0 if the left has none."""
        return self.shared / self.left if self.left else 0.0

    @property
    def right_in_left(self) -> float:
        """The part of the right article's shingles that the left one has, 0-1; 0 if the right has none."""
        return self.shared / self.right if self.right else 0.0


def intersection_size(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> int:
    """Number of hashes in both of two sorted, distinct uint64 arrays, in linear time.

    >>> intersection_size(np.array([1, 3, 5], np.uint64), np.array([3, 4, 5, 9], np.uint64))
    2
    """
    return int(shared_if_at_least(0, read_only(left), read_only(right)))


def compare_texts(left: str, right: str, k: int) -> Similarity:
    """Exact similarity of two texts by their ``k``-token shingles. Raises ``ValueError`` for ``k`` < 1.

    >>> compare_texts("to be or not to be", "To be, or not.", 2)
    Similarity(shared=3, left=4, right=3)
    """
    hashes, (_, middle, _) = shingle_hashes(pa.array([left, right], pa.large_string()), k)
    a, b = hashes[:middle], hashes[middle:]
    return Similarity(intersection_size(a, b), a.size, b.size)


def estimated_jaccard(left: npt.NDArray[np.uint32], right: npt.NDArray[np.uint32]) -> float:
    """Jaccard estimated from two signatures of one length n; the standard error is √(J (1 - J) / n).

    Raises ``ValueError`` for different lengths. Two articles without shingles have equal signatures, but no
    similarity: tell them apart before.

    >>> estimated_jaccard(np.array([1, 2, 3, 4], np.uint32), np.array([1, 2, 3, 9], np.uint32))
    0.75
    """
    if left.shape != right.shape:
        raise ValueError(f"signatures of [{left.size}] and [{right.size}] minima cannot be compared")
    return float(np.mean(left == right))
