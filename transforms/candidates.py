"""Candidates: which articles may be copies of each other, found partition by partition.

Nothing is decided here: a false candidate costs a check, a missed one a copy.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.schemas import BANDS, EDGES, FINGERPRINTS, IDS, PAIR_COUNTS, RENAMES
from transforms.sign import Keyed

# Up to so many articles that share a fingerprint hash are paired each with each; of more, each with the longest.
MAX_PAIRED: Final = 16


@dataclasses.dataclass(eq=False, kw_only=True)
class FindBandEdges(beam.PTransform):
    """Band tables by partition in, edges out: a bucket of n articles gives n - 1 edges, a star to its smallest.

    In: ``(3, BANDS batch)`` · out: ``(0, EDGES batch)``, all under one key.
    """

    def expand(self, bands: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        """Group, then sort each partition."""
        return bands | "GroupPartitions" >> beam.GroupByKey() | "FindBuckets" >> beam.FlatMap(_edges_of_buckets)


@dataclasses.dataclass(eq=False, kw_only=True)
class FindContainmentEdges(beam.PTransform):
    """Fingerprint tables by partition in, edges between an article and one that may contain it out.

    In: ``(3, FINGERPRINTS batch)`` · between: ``(9, PAIR_COUNTS batch)``, what a pair shares in one partition, by
    partition of pairs · out: ``(0, EDGES batch)``, pairs that share enough in all, with three standard errors to spare.
    """

    containment: float

    def expand(self, fingerprints: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        """Count what pairs share in each partition, then add up."""
        return (
            fingerprints
            | "GroupPartitions" >> beam.GroupByKey()
            | "CountShared" >> beam.FlatMap(_count_shared)
            | "GroupPairs" >> beam.GroupByKey()
            | "AddUpShared" >> beam.FlatMap(_edges_of_pairs, self.containment)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class FindRepeatedIds(beam.PTransform):
    """Ids by partition in; out, by shard, the rows whose id another article has as well.

    In: ``(30, IDS batch)`` · out: ``(12, RENAMES batch)``. Of the articles of one id the first by content keeps it, the
    second becomes ``id~2`` and so on, in whatever order they were read.
    """

    def expand(self, ids: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        """Group, then sort each partition."""
        return ids | "GroupPartitions" >> beam.GroupByKey() | "NumberRepeats" >> beam.FlatMap(_renames)


def _edges_of_buckets(partition: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
    bands = join_batches(BANDS, partition[1])
    keys, refs = column(bands, "key"), column(bands, "ref")
    order = np.lexsort((refs, keys))
    keys, refs = keys[order], refs[order]
    follows = keys[1:] == keys[:-1]
    hubs = refs[_group_starts(follows)][1:][follows]
    yield from _edges(hubs, refs[1:][follows])


def _count_shared(partition: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
    table = join_batches(FINGERPRINTS, partition[1])
    hashes, ranks, refs = (column(table, name) for name in ("hash", "rank", "ref"))
    # Longest first, so that the hub of a common hash is the article most likely to contain the others.
    order = np.lexsort((refs, ~ranks, hashes))
    hashes, ranks, refs = hashes[order], ranks[order], refs[order]
    starts = _group_starts(hashes[1:] == hashes[:-1])
    position = np.arange(len(hashes)) - starts
    paired = np.bincount(starts, minlength=len(hashes))[starts] <= MAX_PAIRED
    later = [np.flatnonzero(~paired & (position > 0))]
    earlier = [starts[later[0]]]
    for distance in range(1, MAX_PAIRED):
        rows = np.flatnonzero(paired & (position >= distance))
        later.append(rows)
        earlier.append(rows - distance)
    first, second = np.concatenate(earlier), np.concatenate(later)
    if not len(first):
        return
    left, right = np.minimum(refs[first], refs[second]), np.maximum(refs[first], refs[second])
    size = (ranks[second] >> np.uint32(16)).astype(np.uint16)  # the smaller one's: longest come first
    rows, shared = _count_pairs(left, right, np.ones(len(left), np.int64))
    batch = make_batch(PAIR_COUNTS, left[rows], right[rows], shared.astype(np.uint16), size[rows])
    yield from cut_by(((left[rows] * _MIX ^ right[rows]) * _MIX >> np.uint64(59)).astype(np.int64), batch)


_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def _edges_of_pairs(partition: tuple[int, Iterable[pa.RecordBatch]], containment: float) -> Iterator[Keyed]:
    table = join_batches(PAIR_COUNTS, partition[1])
    left, right, size = (column(table, name) for name in ("left", "right", "size"))
    rows, shared = _count_pairs(left, right, column(table, "shared").astype(np.int64))
    least = np.array([least_shared(n, containment) for n in range(int(size.max()) + 1)])
    likely = rows[shared >= least[size[rows]]]
    yield from _edges(left[likely], right[likely])


def _count_pairs(
    left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """One row of each distinct pair, and the sum of its counts."""
    order = np.lexsort((right, left))
    same = (left[order][1:] == left[order][:-1]) & (right[order][1:] == right[order][:-1])
    begins = np.flatnonzero(np.concatenate([[True], ~same]))
    return order[begins], np.add.reduceat(counts[order], begins)


def least_shared(size: int, containment: float) -> float:
    """How many of ``size`` hashes must be shared for a containment of at least ``containment`` to be plausible.

    Three standard errors of the binomial below the expectation; at least one.
    """
    error = math.sqrt(size * containment * (1 - containment))
    return max(1.0, size * containment - 3 * error)


def _renames(partition: tuple[int, Iterable[pa.RecordBatch]]) -> Iterator[Keyed]:
    ids = join_batches(IDS, partition[1])
    keys, contents, refs = (column(ids, name) for name in ("key", "content", "ref"))
    order = np.lexsort((refs, contents, keys))
    keys, refs = keys[order], refs[order]
    ordinal = np.arange(len(keys)) - _group_starts(keys[1:] == keys[:-1]) + 1
    again = ordinal > 1
    refs = refs[again]
    batch = make_batch(RENAMES, refs.astype(np.uint32), ordinal[again].astype(np.uint32))
    yield from cut_by((refs >> np.uint64(32)).astype(np.int64), batch)


def _group_starts(follows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """For each row of a sorted table the row at which its group starts; ``follows``: row i + 1 is in row i's group."""
    rows = np.arange(len(follows) + 1)
    return np.maximum.accumulate(np.where(np.concatenate([[False], follows]), 0, rows))


def _edges(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> Iterator[Keyed]:
    different = left != right
    if different.any():
        pairs = np.unique(np.stack([left[different], right[different]], axis=1), axis=0)
        yield 0, make_batch(EDGES, pairs[:, 0], pairs[:, 1])
