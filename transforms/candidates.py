"""Candidates: which articles may be copies of each other, found partition by partition.

Nothing is decided here: a false candidate costs a check, a missed one a copy.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import numpy as np

from transforms.batches import column, cut_by, make_batch
from transforms.coder import Keyed
from transforms.exchange import Notice, partition_of, read_partition, write_partitions
from transforms.index import Window, is_indexed, with_index
from transforms.schemas import BANDS, EDGES, FINGERPRINTS, IDS, PAIR_COUNTS, RENAMES
from transforms.staging import Staging
from transforms.text.shingles import MULTIPLIER
from transforms.text.sorted_keys import group_starts, recurring_rows

# Up to so many articles that share a fingerprint hash are paired each with each; of more, each with the longest and the
# next longer one: pages that have all their hashes in common stand in one order under each, and so share enough.
MAX_PAIRED: Final = 16

# Pairs are few, and each partition of theirs is read from the files of all partitions of hashes.
PAIR_PARTITIONS: Final = 4


@dataclasses.dataclass(eq=False, kw_only=True)
class FindBandEdges(beam.PTransform):
    """Notices of BANDS in, notices of EDGES out: a bucket of n articles gives n - 1 edges, a star to its smallest.

    In: ``(3, "…/bands-00012.parquet")`` · out: ``(0, "…/band-edges-00003.parquet")``, all under one key.
    """

    staging: Staging
    window: beam.pvalue.AsSingleton | None = None
    """What of the index takes part."""

    def expand(self, bands: beam.PCollection[Notice]) -> beam.PCollection[Notice]:
        """Group, then sort each partition."""
        return (
            bands
            | "GroupPartitions" >> beam.GroupByKey()
            | "FindBuckets" >> beam.FlatMap(_find_buckets, self.staging, self.window)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class FindContainmentEdges(beam.PTransform):
    """Notices of FINGERPRINTS in, notices of EDGES between articles of which one may contain the other out.

    In: ``(3, "…/fingerprints-00012.parquet")`` · between: ``(9, "…/pairs-00003.parquet")``, PAIR_COUNTS that a pair has
    in one partition, by partition of pairs · out: ``(0, "…/pair-edges-00009.parquet")``, pairs that share enough in
    all for ``containment``, with three standard errors to spare, or for the Jaccard ``min_jaccard``, with two.
    """

    staging: Staging
    containment: float
    min_jaccard: float = 1.0
    window: beam.pvalue.AsSingleton | None = None
    """What of the index takes part; two articles of the index are no pair."""

    def expand(self, fingerprints: beam.PCollection[Notice]) -> beam.PCollection[Notice]:
        """Count what pairs share in each partition, then add up."""
        return (
            fingerprints
            | "GroupPartitions" >> beam.GroupByKey()
            | "CountShared" >> beam.FlatMap(_count_shared, self.staging, self.window)
            | "GroupPairs" >> beam.GroupByKey()
            | "AddUpShared" >> beam.FlatMap(_add_up_pairs, self.staging, self.containment, self.min_jaccard)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class FindRepeatedIds(beam.PTransform):
    """Notices of IDS in; out, by shard, the rows whose id another article has as well.

    In: ``(30, "…/ids-00012.parquet")`` · out: ``(12, RENAMES batch)``. Of the articles of one id the first by content
    keeps it, the second becomes ``id~2`` and so on, in whatever order they were read, but for numbers that an article
    came with.
    """

    def expand(self, ids: beam.PCollection[Notice]) -> beam.PCollection[Keyed]:
        """Group, then sort each partition."""
        return ids | "GroupPartitions" >> beam.GroupByKey() | "NumberRepeats" >> beam.FlatMap(_renames)


Grouped = tuple[int, Iterable[str]]
"""A partition, and the files that hold rows of it."""


def _find_buckets(notice: Grouped, staging: Staging, window: Window | None = None) -> Iterator[Notice]:
    bands = with_index(read_partition(BANDS, notice), window, "bands", notice[0])
    keys, refs = _recurring(column(bands, "key"), column(bands, "ref"))
    order = np.lexsort((refs, keys))
    keys, refs = keys[order], refs[order]
    starts = group_starts(keys)
    follows = starts < np.arange(len(keys))
    yield from _write_edges(staging.exchange("band-edges", notice[0]), refs[starts[follows]], refs[follows])


def _count_shared(notice: Grouped, staging: Staging, window: Window | None = None) -> Iterator[Notice]:
    table = with_index(read_partition(FINGERPRINTS, notice), window, "fingerprints", notice[0])
    hashes, ranks, refs = _recurring(*(column(table, name) for name in ("hash", "rank", "ref")))
    # Longest first, so that the hub of a common hash is the article most likely to contain the others.
    order = np.lexsort((refs, ~ranks, hashes))
    hashes, ranks, refs = hashes[order], ranks[order], refs[order]
    first, second = _pairs(group_starts(hashes))
    new = ~(is_indexed(refs[first]) & is_indexed(refs[second]))
    first, second = first[new], second[new]
    if not len(first):
        return
    left, right = np.minimum(refs[first], refs[second]), np.maximum(refs[first], refs[second])
    sizes = (ranks >> np.uint32(16)).astype(np.uint16)
    rows, shared = _count_pairs(left, right, np.ones(len(left), np.uint8))
    batch = make_batch(
        PAIR_COUNTS, left[rows], right[rows], shared.astype(np.uint16), sizes[second[rows]], sizes[first[rows]]
    )
    partitions = partition_of((left[rows] * MULTIPLIER ^ right[rows]) * MULTIPLIER) % PAIR_PARTITIONS
    yield from write_partitions(staging.exchange("pairs", notice[0]), PAIR_COUNTS, cut_by(partitions, batch))


def _pairs(starts: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rows that are paired, the earlier and the later one of each pair; ``starts`` are those of the rows' groups."""
    position = np.arange(len(starts)) - starts
    paired = np.bincount(starts, minlength=len(starts))[starts] <= MAX_PAIRED
    with_longest, with_next = (np.flatnonzero(~paired & (position > least)) for least in (0, 1))
    later, earlier = [with_longest, with_next], [starts[with_longest], with_next - 1]
    for distance in range(1, MAX_PAIRED):
        rows = np.flatnonzero(paired & (position >= distance))
        later.append(rows)
        earlier.append(rows - distance)
    return np.concatenate(earlier), np.concatenate(later)


def _add_up_pairs(notice: Grouped, staging: Staging, containment: float, min_jaccard: float) -> Iterator[Notice]:
    table = read_partition(PAIR_COUNTS, notice)
    left, right = (column(table, name) for name in ("left", "right"))
    rows, shared = _count_pairs(left, right, column(table, "shared"))
    smaller, larger = (column(table, name)[rows].astype(np.int64) for name in ("smaller", "larger"))
    least = np.array([least_shared(n, containment) for n in range(int(smaller.max()) + 1)])
    likely = rows[(shared >= least[smaller]) | (shared >= least_shared_near(smaller, larger, min_jaccard))]
    yield from _write_edges(staging.exchange("pair-edges", notice[0]), left[likely], right[likely])


def _count_pairs(
    left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """One row of each distinct pair, and the sum of its counts."""
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    begins = np.flatnonzero(np.concatenate([[True], (left[1:] != left[:-1]) | (right[1:] != right[:-1])]))
    return order[begins], np.add.reduceat(counts[order], begins, dtype=np.int64)


def least_shared(size: int, containment: float) -> float:
    """How many of ``size`` hashes must be shared for a containment of at least ``containment`` to be plausible.

    Three standard errors of the binomial below the expectation; at least one.
    """
    error = math.sqrt(size * containment * (1 - containment))
    return max(1.0, size * containment - 3 * error)


def least_shared_near(
    smaller: np.ndarray[Any, Any], larger: np.ndarray[Any, Any], min_jaccard: float
) -> np.ndarray[Any, Any]:
    """How many hashes two fingerprints must share for a Jaccard of at least ``min_jaccard`` to be plausible.

    Two standard errors of Poisson's law below the expectation; at least one.

    >>> least_shared_near(np.array([50, 50]), np.array([50, 200]), 0.3).round(1).tolist()
    [13.5, 42.5]
    """
    expected = min_jaccard * (smaller + larger) / (1 + min_jaccard)
    least: np.ndarray[Any, Any] = np.maximum(1.0, expected - 2 * np.sqrt(expected))
    return least


def _renames(notice: Grouped) -> Iterator[Keyed]:
    ids = read_partition(IDS, notice)
    keys, numbers, contents, refs = _recurring(*(column(ids, name) for name in ("key", "number", "content", "ref")))
    order = np.lexsort((refs, contents, numbers, keys))
    keys, numbers, refs = keys[order], numbers[order], refs[order]
    again = group_starts(keys, numbers) < np.arange(len(keys))
    batch = make_batch(RENAMES, refs[again].astype(np.uint32), _free_numbers(keys, numbers, again))
    yield from cut_by((refs[again] >> np.uint64(32)).astype(np.int64), batch)


def _free_numbers(
    keys: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any], again: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """For each row of ``again`` the next number, from 2, that no row of its key has; the rows stand sorted by key."""
    found = np.empty(np.count_nonzero(again), np.uint32)
    wanting = keys[again]
    starts = np.unique(group_starts(wanting))
    for start, end in itertools.pairwise([*starts, len(wanting)]):
        first, last = np.searchsorted(keys, wanting[start]), np.searchsorted(keys, wanting[start], "right")
        taken = set(numbers[first:last].tolist())
        found[start:end] = list(itertools.islice((n for n in itertools.count(2) if n not in taken), int(end - start)))
    return found


def _recurring(keys: np.ndarray[Any, Any], *others: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """The columns without nearly all rows whose key no other row has: most of them, which need not be sorted."""
    rows = recurring_rows(keys)
    return [values[rows] for values in (keys, *others)]


def _write_edges(uri: str, left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> list[Notice]:
    different = left != right
    if not different.any():
        return []
    left, right = left[different], right[different]
    rows, _ = _count_pairs(left, right, np.ones(len(left), np.uint8))
    return write_partitions(uri, EDGES, [(0, make_batch(EDGES, left[rows], right[rows]))])
