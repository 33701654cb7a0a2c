"""MinHash signatures equal to datasketch's, containment fingerprints, and bands of signatures.

The signature of an article is that of ``datasketch.MinHash(num_perm, seed=1, scheme="affine32")`` fed the low
32 bits of each shingle hash (Broder 1997; the scheme: datasketch 2.0, ``MinHash``'s docstring), so it can be
loaded there: ``MinHash(hashvalues=row, scheme="affine32")``.

The fingerprint is a FracMinHash sketch (Irber et al. 2022, sourmash): every shingle hash in the lowest
1/``scale`` of the 64-bit range, and the lowest of each window of 40 shingles in a row that has none there (winnowing:
Schleimer et al. 2003), so that two articles with 40 shingles in a row in common share a hash for sure. |A∩B| / |A| of
two fingerprints estimates the containment of A in B, however different their sizes, where bands of minima see nothing.

Signing takes its shingles from an array of the batch, 8 bytes each. Tokenising and signing article by article
in one kernel measured the same.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.shingles import (
    MULTIPLIER,
    byte_at,
    finalise,
    kernel,
    read_only,
    shingle_stream,
    utf8_buffers,
    word_at,
)

SEED = 1  # datasketch's default
NO_BAND = np.uint64(0)
"""Key that :func:`band_keys` gives to articles without shingles and to no others."""

_MAX_UINT32 = np.uint32(0xFFFFFFFF)
_MAX_UINT64 = np.uint64(0xFFFFFFFFFFFFFFFF)
_WINDOW = 40  # shingles; of 1 in 16 alone, 8 in 100 excerpts of so many have nothing in their fingerprint
_LANES = 32  # of uint32 that LLVM takes at once: 4 registers of 256 bits


class Signed(NamedTuple):
    """What is known of a batch of n articles after signing; row i belongs to article i."""

    signatures: npt.NDArray[np.uint32]
    """[n, num_perm]; all 2**32 - 1 where an article has no shingle."""
    words: npt.NDArray[np.int32]
    """Tokens."""
    shingles: npt.NDArray[np.int32]
    """Places where a shingle stands, so repeats count; 0 only without a token."""
    fingerprints: npt.NDArray[np.uint32]
    """Low 32 bits of the selected shingle hashes, sorted and distinct within an article."""
    fingerprint_offsets: npt.NDArray[np.int64]
    """Article i owns fingerprints[fingerprint_offsets[i]:fingerprint_offsets[i + 1]]."""


class Banding(NamedTuple):
    """How a signature is cut: ``bands`` times ``rows`` consecutive minima."""

    bands: int
    rows: int


def sign_articles(texts: pa.LargeStringArray, shingle: int, num_perm: int, scale: int, short: int = 0) -> Signed:
    """Signatures and fingerprints of ``texts``, with shingles of ``shingle`` tokens.

    Of each article's distinct shingles about one in ``scale`` goes into its fingerprint, and at least one of any 40 in
    a row; all of an article that has fewer than ``short``. Raises as
    :func:`transforms.text.shingles.shingle_stream`, and ``ValueError`` for ``num_perm`` or ``scale`` < 1.

    >>> signed = sign_articles(pa.array(["to be or not to be", "?"], pa.large_string()), 2, 128, 1)
    >>> signed.signatures.shape, signed.words.tolist(), signed.shingles.tolist()
    ((2, 128), [6, 0], [5, 0])
    >>> signed.fingerprint_offsets.tolist()
    [0, 4, 4]
    """
    if scale < 1:
        raise ValueError(f"fingerprint scale [{scale}] must be at least 1")
    hashes, offsets, words = shingle_stream(texts, shingle)
    limit = np.uint64((2**64 - 1) // scale)
    a, b = permutations(num_perm)
    signatures, fingerprints, starts = _sign(hashes, offsets, a, b, limit, short)
    return Signed(signatures, words, np.diff(offsets).astype(np.int32), fingerprints, starts)


@functools.cache
def permutations(num_perm: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Parameters a, b of datasketch's ``num_perm`` permutations h -> a·h + b modulo 2**32; a is odd.

    Made again here because importing datasketch takes a second, in every worker; a test holds them equal to
    datasketch's. numpy never changes ``RandomState``'s stream (NEP 19). Raises ``ValueError`` for
    ``num_perm`` < 1.

    >>> a, b = permutations(2)
    >>> a.dtype.name, (a % 2).tolist()
    ('uint32', [1, 1])
    """
    if num_perm < 1:
        raise ValueError(f"number of permutations [{num_perm}] must be at least 1")
    generator = np.random.RandomState(SEED)
    a = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return read_only(a), read_only(b)


@functools.cache
def choose_banding(threshold: float, num_perm: int, min_recall: float = 0.999) -> Banding:
    """The most rows a band can have for a pair right at ``threshold`` to stay a candidate.

    That is, with probability ``min_recall`` or more. More rows give fewer false candidates, and Verify drops
    those; a pair that is not a candidate is lost. ``datasketch.MinHashLSH`` instead minimises the areas of
    both errors over all similarities, and gives away recall at the threshold itself even when weighted
    (0.005, 0.995): its 25 bands of 5 rows for 0.7 miss 1 pair of 100 there. Raises ``ValueError`` for a
    threshold outside (0, 1] and where not even bands of one row reach ``min_recall``.

    >>> choose_banding(0.7, 128)
    Banding(bands=32, rows=4)
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"Jaccard threshold [{threshold}] must be above 0 and at most 1")
    if num_perm < 1:
        raise ValueError(f"number of permutations [{num_perm}] must be at least 1")
    for rows in range(num_perm, 0, -1):
        banding = Banding(num_perm // rows, rows)
        if candidate_probability(threshold, banding) >= min_recall:
            return banding
    best = candidate_probability(threshold, Banding(num_perm, 1))
    raise ValueError(
        f"no banding of [{num_perm}] permutations finds [{min_recall:.2%}] of the pairs at Jaccard "
        f"[{threshold}]: one row a band, the most sensitive, finds [{best:.2%}]; raise the threshold or the "
        "number of permutations"
    )


def candidate_probability(jaccard: float, banding: Banding) -> float:
    """Probability that a pair of that Jaccard shares at least one band: 1 - (1 - jaccard^rows)^bands.

    Source: Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4.2.

    >>> [round(candidate_probability(0.7, banding), 4) for banding in (Banding(32, 4), Banding(25, 5))]
    [0.9998, 0.9899]
    """
    return float(1 - (1 - jaccard**banding.rows) ** banding.bands)


def string_hashes(strings: pa.LargeStringArray) -> npt.NDArray[np.uint64]:
    """64-bit hashes of whole strings, uint64[n]: equal strings have equal ones, in every process; null is empty.

    >>> hashes = string_hashes(pa.array(["a", "b", "a", None, ""], pa.large_string()))
    >>> bool(hashes[0] == hashes[2]), len(set(hashes.tolist()))
    (True, 3)
    """
    return _string_hashes(*utf8_buffers(strings))


@kernel
def _string_hashes(offsets: npt.NDArray[np.int64], utf8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    hashes = np.empty(offsets.size - 1, np.uint64)
    for row in range(hashes.size):
        i, end = offsets[row], offsets[row + 1]
        # Eight bytes a round, each round through a multiplication and a shift; the length tells "a" from "a\0".
        found = np.uint64(end - i)
        while i < end:
            if i + 8 <= end:
                word = word_at(utf8, i)
            else:
                word = np.uint64(0)
                for place in range(end - i):
                    word |= np.uint64(byte_at(utf8, i + place)) << np.uint64(8 * place)
            found = (found ^ word) * MULTIPLIER
            found ^= found >> np.uint64(32)
            i += 8
        hashes[row] = finalise(found)
    return hashes


def band_keys(signatures: npt.NDArray[np.uint32], banding: Banding) -> npt.NDArray[np.uint64]:
    """Keys uint64[n, bands]: two articles share band j when their keys in column j are equal.

    The number of the band is mixed in, so keys of different columns do not meet. Articles without shingles
    (a signature of maxima only) get :data:`NO_BAND` in every column; leave those out. Raises ``ValueError``
    when the banding needs more minima than there are.

    >>> signatures = np.array([[1, 2, 3, 4], [1, 2, 9, 4], [2**32 - 1] * 4], np.uint32)
    >>> keys = band_keys(signatures, Banding(2, 2))
    >>> (keys[0] == keys[1]).tolist(), keys[2].tolist()
    ([True, False], [0, 0])
    """
    if banding.bands * banding.rows > signatures.shape[1]:
        needed = banding.bands * banding.rows
        raise ValueError(f"{banding} needs [{needed}] minima, signatures have [{signatures.shape[1]}]")
    return _band_keys(read_only(np.ascontiguousarray(signatures)), banding.bands, banding.rows)


@kernel
def _sign(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    a: npt.NDArray[np.uint32],
    b: npt.NDArray[np.uint32],
    limit: np.uint64,
    short: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    articles = offsets.size - 1
    signatures = np.empty((articles, a.size), np.uint32)
    fingerprints = np.empty(hashes.size, np.uint32)  # most of it is never touched, and so costs no memory
    starts = np.zeros(articles + 1, np.int64)
    most = 0
    for row in range(articles):
        most = max(most, offsets[row + 1] - offsets[row])
    mixed = np.empty(most + _LANES, np.uint32)
    total = 0
    for row in range(articles):
        first, count = offsets[row], offsets[row + 1] - offsets[row]
        own = hashes[first : first + count]
        end = _choose(own, limit if count >= short else _MAX_UINT64, fingerprints, total)
        for s in range(count):
            # MurmurHash3's 32-bit finaliser, once a shingle, as datasketch does before it permutes.
            h = np.uint32(hashes[first + s])
            h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
            h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
            mixed[s] = h ^ (h >> np.uint32(16))
        # Repeating a shingle changes no minimum, and the SIMD loops below are left without a slow remainder.
        padded = (count + _LANES - 1) // _LANES * _LANES
        for s in range(count, padded):
            mixed[s] = mixed[0]
        for p in range(a.size):
            # LLVM makes SIMD of this: 6 µs for 850 shingles and 128 permutations with 256-bit registers.
            # Keeping blocks of permutations in registers instead measured the same.
            minimum = _MAX_UINT32
            for s in range(padded):
                minimum = min(minimum, np.uint32(a[p] * mixed[s] + b[p]))
            signatures[row, p] = minimum
        fingerprints[total:end].sort()
        kept = total
        for s in range(total, end):
            if kept == starts[row] or fingerprints[s] != fingerprints[kept - 1]:
                fingerprints[kept] = fingerprints[s]
                kept += 1
        total = kept
        starts[row + 1] = total
    return signatures, fingerprints[:total].copy(), starts


@kernel
def _choose(hashes: npt.NDArray[np.uint64], limit: np.uint64, fingerprint: npt.NDArray[np.uint32], end: int) -> int:
    """Append the hashes of an article that go into its fingerprint, in the order of the text; return the new end."""
    chosen = lowest = -1  # the last place below the limit; that of the lowest hash in the last window that has none
    for place in range(hashes.size):
        kept = place
        if hashes[place] <= limit:
            chosen = place
        elif place - chosen < _WINDOW:
            continue
        elif lowest <= place - _WINDOW:
            lowest = place - _WINDOW + 1
            for other in range(lowest + 1, place + 1):
                if hashes[other] < hashes[lowest]:
                    lowest = other
            kept = lowest
        elif hashes[place] < hashes[lowest]:
            lowest = place
        else:
            continue
        fingerprint[end] = np.uint32(hashes[kept])
        end += 1
    return end


@kernel
def _band_keys(signatures: npt.NDArray[np.uint32], bands: int, rows: int) -> npt.NDArray[np.uint64]:
    keys = np.empty((signatures.shape[0], bands), np.uint64)
    for i in range(signatures.shape[0]):
        empty = True
        for p in range(signatures.shape[1]):
            if signatures[i, p] != _MAX_UINT32:
                empty = False
                break
        for band in range(bands):
            key = np.uint64(band + 1) * MULTIPLIER  # moves the high half, minima do not
            for row in range(rows):
                # Multiplier of MurmurHash3's finaliser; the shift brings what it moved up down again.
                key = (key ^ np.uint64(signatures[i, band * rows + row])) * np.uint64(0xFF51AFD7ED558CCD)
                key ^= key >> np.uint64(32)
            keys[i, band] = NO_BAND if empty else max(key, np.uint64(1))
    return keys
