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
from transforms.schemas import BANDS, EDGES, FINGERPRINTS, IDS, RENAMES
from transforms.sign import Keyed

# Up to so many articles that share a fingerprint hash are paired each with each; of more, each with the longest.
MAX_PAIRED: Final = 16


@dataclasses.dataclass(eq=False, kw_only=True)
class FindBandEdges(beam.PTransform):  # type: ignore[misc]
    """Band tables by partition in, edges out: a bucket of n articles gives n - 1 edges, a star to its smallest.

    In: ``(3, BANDS batch)`` · out: ``(0, EDGES batch)``, all under one key.
    """

    def expand(self, bands: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        """Group, then sort each partition."""
        return bands | "GroupPartitions" >> beam.GroupByKey() | "FindBuckets" >> beam.FlatMap(_edges_of_buckets)


@dataclasses.dataclass(eq=False, kw_only=True)
class FindContainmentEdges(beam.PTransform):  # type: ignore[misc]
    """Fingerprint tables by partition in, edges between an article and one that may contain it out.

    In: ``(1, FINGERPRINTS batch)`` · out: ``(0, EDGES batch)``. A partition holds a random share of every article's
    fingerprint and estimates containment from that share alone, with three standard errors to spare, so no pair
    crosses a second shuffle.
    """

    containment: float

    def expand(self, fingerprints: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        """Group, then count what pairs share in each partition."""
        return (
            fingerprints
            | "GroupPartitions" >> beam.GroupByKey()
            | "CountShared" >> beam.FlatMap(_edges_of_fingerprints, self.containment)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class FindRepeatedIds(beam.PTransform):  # type: ignore[misc]
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


def _edges_of_fingerprints(
    partition: tuple[int, Iterable[pa.RecordBatch]], containment: float
) -> Iterator[Keyed]:
    table = join_batches(FINGERPRINTS, partition[1])
    hashes, ranks, refs = (column(table, name) for name in ("hash", "rank", "ref"))
    if not len(hashes):
        return
    sizes = _sizes(refs)
    # Longest first, so that the hub of a common hash is the article most likely to contain the others.
    order = np.lexsort((refs, ~ranks, hashes))
    hashes, refs = hashes[order], refs[order]
    follows = hashes[1:] == hashes[:-1]
    starts = _group_starts(follows)
    position = np.arange(len(hashes)) - starts
    group_size = np.bincount(starts, minlength=len(hashes))[starts]
    hub = refs[starts]
    pairs = [np.stack([hub, refs], axis=1)[(position > 0) & (group_size > MAX_PAIRED)]]
    small = group_size <= MAX_PAIRED
    for distance in range(1, MAX_PAIRED):
        later = np.flatnonzero(small & (position >= distance))
        if not len(later):
            break
        pairs.append(np.stack([refs[later - distance], refs[later]], axis=1))
    both = np.sort(np.concatenate(pairs), axis=1)
    both = both[both[:, 0] != both[:, 1]]
    if not len(both):
        return
    pair, shared = np.unique(both, axis=0, return_counts=True)
    size = np.minimum(sizes(pair[:, 0]), sizes(pair[:, 1]))
    likely = shared >= np.array([least_shared(n, containment) for n in range(int(size.max()) + 1)])[size]
    yield from _edges(pair[likely, 0], pair[likely, 1])


def least_shared(size: int, containment: float) -> float:
    """How many of ``size`` hashes must be shared for a containment of at least ``containment`` to be plausible.

    Three standard errors of the binomial below the expectation; at least one.
    """
    error = math.sqrt(size * containment * (1 - containment))
    return max(1.0, size * containment - 3 * error)


def _sizes(refs: np.ndarray[Any, Any]) -> Any:
    """How many hashes of this partition each article has, as a function of its refs."""
    known, counts = np.unique(refs, return_counts=True)
    return lambda wanted: counts[np.searchsorted(known, wanted)]


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
