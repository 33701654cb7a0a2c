"""Paragraphs of a batch as hashes: the same paragraph in many articles is found without moving a text.

Two hashes tell two kinds of equality. The **exact** one ignores case, spaces and punctuation. The **near** one ignores
digits as well, so that "Slideshow (4 images)" and "Slideshow (12 images)" are one paragraph. A sketch of an article's
longer words tells whether articles that share a paragraph share their subject.
"""

import functools
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.boilerplate import EDGE
from transforms.text.shingles import MULTIPLIER, byte_at, finalise, kernel, read_only, utf8_buffers

MIN_LETTERS: Final = 12
"""Bytes of letters (4 Han characters) from which a paragraph is hashed: shorter ones are names, labels and rules."""
SKETCH_BINS: Final = 64

_MIN_LONG = 6  # bytes of a word that says something of an article's subject


class Paragraphs(NamedTuple):
    """Paragraphs of a batch in reading order; one row each."""

    article: npt.NDArray[np.int64]
    """Row of the batch."""
    near: npt.NDArray[np.uint64]
    """Hash without digits; 0 = too short to be hashed."""
    exact: npt.NDArray[np.uint64]
    start: npt.NDArray[np.int64]
    """First byte in the article's text."""
    end: npt.NDArray[np.int64]


def hash_paragraphs(texts: pa.LargeStringArray) -> Paragraphs:
    r"""Hash the paragraphs, which one blank line separates, of cleaned texts.

    >>> texts = pa.array(["Slideshow (4 images)\n\nYes.", "SLIDESHOW  (12 images)."], pa.large_string())
    >>> found = hash_paragraphs(texts)
    >>> found.article.tolist(), bool(found.near[0] == found.near[2]), bool(found.exact[0] == found.exact[2])
    ([0, 0, 1], True, False)
    >>> int(found.near[1]), found.start.tolist(), found.end.tolist()
    (0, [0, 22, 0], [20, 26, 23])
    """
    offsets, utf8 = utf8_buffers(texts)
    return Paragraphs(*_hash_paragraphs(offsets, utf8, _letters()))


def keys_of(near: npt.NDArray[np.uint64], sources: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Key of each paragraph of each source: the near hash and the source's hash in one; 0 stays 0."""
    return _mix(read_only(near), read_only(sources))


def neighbours(paragraphs: Paragraphs, keys: npt.NDArray[np.uint64], distance: int) -> npt.NDArray[np.uint64]:
    r"""Key of the paragraph so many below each one (above, if negative); ``EDGE`` beyond the article.

    >>> found = hash_paragraphs(pa.array(["One paragraph.\n\nAnother one.", "A third paragraph."], pa.large_string()))
    >>> neighbours(found, np.array([7, 8, 9], np.uint64), 1).tolist()
    [8, 1, 1]
    """
    beside = np.full(len(keys), EDGE, np.uint64)
    size = abs(distance)
    if size < len(keys):
        upper, lower = (slice(None, -size), slice(size, None))
        here, there = (upper, lower) if distance > 0 else (lower, upper)
        is_same = paragraphs.article[upper] == paragraphs.article[lower]
        beside[here] = np.where(is_same, keys[there], beside[here])
    return beside


def sketch_words(
    texts: pa.LargeStringArray, paragraphs: Paragraphs, skipped: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
    """Sketches uint16[n, 64] of the articles' longer words, and float32[p]: how much of a paragraph is told elsewhere.

    A sketch is a MinHash of one permutation (Li, Owen, Zhang 2012): equal entries of two sketches, as a share of those
    that one of them has, estimate the Jaccard of the articles' words. Paragraphs that are ``skipped`` do not count,
    unless they are most of the article. The second array is the share of a paragraph's longer words that other
    paragraphs hold too.
    """
    offsets, utf8 = utf8_buffers(texts)
    first = np.searchsorted(paragraphs.article, np.arange(len(texts) + 1)).astype(np.int64)
    return _sketch_words(offsets, utf8, _letters(), first, paragraphs.start, paragraphs.end, read_only(skipped))


def coherence(sketches: npt.NDArray[np.uint16]) -> float:
    """Mean estimated Jaccard (0-1) of the words of all pairs of articles; 0 for fewer than two.

    >>> coherence(np.array([[1, 2, 3], [1, 2, 4]], np.uint16))
    0.6666666666666666
    """
    is_full = sketches > 0
    either = np.count_nonzero(is_full[:, None] | is_full) - np.count_nonzero(is_full)
    equal = np.count_nonzero((sketches[:, None] == sketches) & is_full) - np.count_nonzero(is_full)
    return float(equal / either) if either else 0.0


@functools.cache
def _letters() -> npt.NDArray[np.uint64]:
    """By byte: 0 = neither letter nor digit, else the small letter, the digit or the byte of a longer character."""
    ascii_letters = [ord(chr(code).lower()) if chr(code).isalnum() else 0 for code in range(128)]
    return read_only(np.array([*ascii_letters, *range(128, 256)], np.uint64))


@kernel
def _mix(near: npt.NDArray[np.uint64], sources: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    keys = np.zeros(near.size, np.uint64)
    for i in range(near.size):
        if near[i]:
            keys[i] = max(finalise(near[i] ^ (sources[i] * MULTIPLIER)), np.uint64(EDGE + 1))
    return keys


@kernel
def _after_sign(utf8: npt.NDArray[np.uint8], i: int) -> int:
    """Byte after a sign beyond ASCII that is no letter, else ``i``: no-break space, quotes, dashes, arrows, emoji."""
    byte = byte_at(utf8, i)
    if byte == 0xC2:
        return i + 2
    if byte == 0xE2 and byte_at(utf8, i + 1) < 0xB0:  # U+2000 to U+2BFF
        return i + 3
    if byte == 0xF0 and byte_at(utf8, i + 1) == 0x9F:  # U+1F000 to U+1FFFF
        return i + 4
    if byte == 0xEF and byte_at(utf8, i + 1) in (0xB8, 0xBB):  # variation selectors, U+FEFF
        return i + 3
    if byte == 0xE3 and byte_at(utf8, i + 1) == 0x80:  # ideographic punctuation
        return i + 3
    return i


@kernel
def _hash_paragraphs(
    offsets: npt.NDArray[np.int64], utf8: npt.NDArray[np.uint8], letters: npt.NDArray[np.uint64]
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.uint64],
    npt.NDArray[np.uint64],
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
]:
    articles = offsets.size - 1
    count = articles
    for i in range(offsets[0], offsets[articles] - 1):
        count += byte_at(utf8, i) == 10 and byte_at(utf8, i + 1) == 10
    article = np.empty(count, np.int64)
    near_hashes = np.zeros(count, np.uint64)
    exact_hashes = np.zeros(count, np.uint64)
    starts = np.empty(count, np.int64)
    ends = np.empty(count, np.int64)
    found = 0
    for row in range(articles):
        first, end = offsets[row], offsets[row + 1]
        i = first
        while True:
            start = i
            near = numbers = np.uint64(0)
            size = np.uint64(0)
            while i < end:
                byte = byte_at(utf8, i)
                if byte == 10 and i + 1 < end and byte_at(utf8, i + 1) == 10:
                    break
                if byte >= 0xC2:
                    after = _after_sign(utf8, i)
                    if after > i:
                        i = after
                        continue
                letter = letters[byte]
                i += 1
                if 0x30 <= letter <= 0x39:
                    # A number is told by its digits and by where it stands among the letters.
                    numbers = (numbers ^ (letter + (size << np.uint64(8)))) * MULTIPLIER
                    continue
                # Without a branch: where words end cannot be predicted.
                is_letter = np.uint64(letter != 0)
                mask = np.uint64(0) - is_letter
                near = (((near ^ letter) * MULTIPLIER) & mask) | (near & ~mask)
                size += is_letter
            article[found] = row
            starts[found] = start - first
            ends[found] = i - first
            if size >= MIN_LETTERS:
                near_hashes[found] = max(finalise(near), np.uint64(1))
                exact_hashes[found] = finalise(near ^ finalise(numbers))
            found += 1
            if i >= end:
                break
            i += 2
    return article[:found], near_hashes[:found], exact_hashes[:found], starts[:found], ends[:found]


@kernel
def _sketch_words(
    offsets: npt.NDArray[np.int64],
    utf8: npt.NDArray[np.uint8],
    letters: npt.NDArray[np.uint64],
    first: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    skipped: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]:
    articles = offsets.size - 1
    sketches = np.zeros((articles, SKETCH_BINS), np.uint16)
    elsewhere = np.zeros(starts.size, np.float32)
    longest = 0
    for row in range(articles):
        longest = max(longest, offsets[row + 1] - offsets[row])
    words = np.empty(longest // 2 + 2, np.uint64)
    owners = np.empty(longest // 2 + 2, np.int64)
    minima = np.empty(SKETCH_BINS, np.uint64)
    for row in range(articles):
        count = told = 0
        for p in range(first[row], first[row + 1]):
            i, end = offsets[row] + starts[p], offsets[row] + ends[p]
            h = np.uint64(0)
            opened = i
            while i <= end:
                letter = np.uint64(0)
                stop = i
                if i < end:
                    after = _after_sign(utf8, i) if byte_at(utf8, i) >= 0xC2 else i
                    letter = letters[byte_at(utf8, i)] if after == i else np.uint64(0)
                    i = max(i + 1, after)
                else:
                    i += 1
                if letter:
                    if h == 0:
                        opened = stop
                    h = (h ^ letter) * MULTIPLIER
                elif h:
                    if stop - opened >= _MIN_LONG:
                        words[count] = finalise(h)
                        owners[count] = p
                        count += 1
                        told += not skipped[p]
                    h = np.uint64(0)
        use_all = 2 * told < count
        minima[:] = np.uint64(0xFFFFFFFFFFFFFFFF)
        bits = 4
        while 1 << bits < 2 * count:
            bits += 1
        mask = np.uint64((1 << bits) - 1)
        table = np.full(1 << bits, -1, np.int64)
        is_shared = np.zeros(max(count, 1), np.bool_)
        slots = np.empty(max(count, 1), np.int64)
        for w in range(count):
            slot = words[w] & mask
            while table[slot] >= 0 and words[table[slot]] != words[w]:
                slot = (slot + np.uint64(1)) & mask
            if table[slot] < 0:
                table[slot] = w
            elif owners[table[slot]] != owners[w]:
                is_shared[table[slot]] = True
            slots[w] = table[slot]
            if use_all or not skipped[owners[w]]:
                bin_ = words[w] >> np.uint64(58)
                minima[bin_] = min(minima[bin_], words[w])
        for bin_ in range(SKETCH_BINS):
            if minima[bin_] != np.uint64(0xFFFFFFFFFFFFFFFF):
                sketches[row, bin_] = max(np.uint16(minima[bin_] & np.uint64(0xFFFF)), np.uint16(1))
        w = 0
        while w < count:
            p = owners[w]
            total = shared = 0
            while w < count and owners[w] == p:
                total += 1
                shared += is_shared[slots[w]]
                w += 1
            elsewhere[p] = np.float32(shared / total)
    return sketches, elsewhere
