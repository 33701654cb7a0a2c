"""Texts as the kernels that look at a batch see them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.shingles import kernel, read_only, utf8_buffers

_ONES = np.uint64(0x0101010101010101)
_LINE_FEEDS = np.uint64(0x0A) * _ONES


class Encoded(NamedTuple):
    """Texts in UTF-8, one behind the other: text i is ``utf8[starts[i]:ends[i]]``."""

    utf8: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    line_feeds: npt.NDArray[np.int64]
    """Where in ``utf8`` they are: what looks at single lines would spend most of its time with looking for them."""
    feed_starts: npt.NDArray[np.int64]
    """Of each text the number of its first line feed, or of the next text's."""
    feed_ends: npt.NDArray[np.int64]

    def text(self, row: int) -> str:
        """One of them as a string."""
        return self.utf8[self.starts[row] : self.ends[row]].tobytes().decode()

    def take(self, rows: Sequence[int]) -> "Encoded":
        """Some of the texts, in this order."""
        fields = (self.starts, self.ends, self.feed_starts, self.feed_ends)
        starts, ends, feed_starts, feed_ends = (read_only(field[np.asarray(rows, np.int64)]) for field in fields)
        return Encoded(self.utf8, starts, ends, self.line_feeds, feed_starts, feed_ends)


def encode(texts: pa.LargeStringArray) -> Encoded:
    r"""``texts`` for the kernels, not copied.

    >>> encoded = encode(pa.array(["One.\nTwo.", "Three."], pa.large_string()))
    >>> encoded.starts.tolist(), encoded.line_feeds.tolist(), encoded.feed_ends.tolist()
    ([0, 9], [4], [1, 1])
    """
    offsets, utf8 = utf8_buffers(texts)
    line_feeds = read_only(_find_line_feeds(utf8, utf8[: utf8.size // 8 * 8].view(np.uint64)))
    feeds = read_only(np.searchsorted(line_feeds, offsets))
    return Encoded(utf8, offsets[:-1], offsets[1:], line_feeds, feeds[:-1], feeds[1:])


def ends_of(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where texts of these sizes end that stand one behind the other; 0 before the first.

    >>> ends_of(np.array([3, 4])).tolist()
    [0, 3, 7]
    """
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))


def as_texts(offsets: npt.NDArray[np.int64], utf8: npt.NDArray[np.uint8]) -> pa.LargeStringArray:
    """Arrow's view of texts in UTF-8: text i is ``utf8[offsets[i]:offsets[i + 1]]``.

    >>> as_texts(np.array([0, 3]), np.frombuffer(b"One", np.uint8)).to_pylist()
    ['One']
    """
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(utf8))


@kernel
def _find_line_feeds(utf8: npt.NDArray[np.uint8], words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Where line feeds are; ``words`` are the same bytes in eights, of which most hold none."""
    count = 0
    for i in range(utf8.size):
        count += utf8[i] == 0x0A
    found = np.empty(count + 1, np.int64)  # with room to write one that is none
    count = 0
    for word in range(words.size + 1):
        if word < words.size:
            other = words[word] ^ _LINE_FEEDS
            # The top bit of a byte that was 0; others may have it only behind such a byte.
            if not (other - _ONES) & ~other & (_ONES << np.uint64(7)):
                continue
        for i in range(8 * word, min(8 * word + 8, utf8.size)):
            found[count] = i
            count += utf8[i] == 0x0A
    return found[:count]


@kernel
def copy_texts(texts: Encoded, utf8: npt.NDArray[np.uint8], places: npt.NDArray[np.int64]) -> None:
    """Copy each text into ``utf8``, to its place there."""
    for row in range(places.size):
        copy_bytes(texts.utf8[texts.starts[row] : texts.ends[row]], utf8[places[row] :])


@kernel
def copy_bytes(source: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8]) -> None:
    """Copy all of ``source`` to the beginning of ``target``; numba's own assignment takes three times as long."""
    for i in range(source.size):
        target[i] = source[i]


@kernel
def line_of(texts: Encoded, row: int, line: int) -> tuple[int, int]:
    """Where in ``utf8`` a line of a text begins and ends; lines count from 0."""
    feed = texts.feed_starts[row] + line
    start = texts.line_feeds[feed - 1] + 1 if line else texts.starts[row]
    end = texts.line_feeds[feed] if feed < texts.feed_ends[row] else texts.ends[row]
    return start, end


@kernel
def characters_in(utf8: npt.NDArray[np.uint8], start: int, end: int) -> int:
    """How many characters (code points) are in ``utf8[start:end]``."""
    count = 0
    for byte in utf8[start:end]:  # of a slice: an index that may count from the end takes three times as long
        count += (byte & 0xC0) != 0x80
    return count
