"""Components: articles that are connected by candidates, so that only they need verification."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Final

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.coder import Keyed
from transforms.exchange import Notice, read_in_batches
from transforms.schemas import EDGES, MEMBERS
from transforms.text.unionfind import Components, connected_components

_EDGES: Final = 250_000


@dataclasses.dataclass(eq=False, kw_only=True)
class FindComponents(beam.PTransform):
    """Notices of EDGES under one key in; out, by shard, its rows that have candidates and the component of each.

    In: ``(0, "…/band-edges-00003.parquet")`` · out: ``(12, MEMBERS batch)``. Union-find in one worker. Each partition
    of bands tells of most pairs again, so edges are taken some at a time, and what they connect is kept as one edge an
    article: some 100 bytes for each that has candidates.
    """

    def expand(self, edges: beam.PCollection[Notice]) -> beam.PCollection[Keyed]:
        """Bring all edges together, then find what they connect."""
        return edges | "GroupEdges" >> beam.GroupByKey() | "Connect" >> beam.FlatMap(_members)


def _members(notice: tuple[int, Iterable[str]]) -> Iterator[Keyed]:
    none = np.empty(0, np.uint64)
    found = Components(none, none)
    edges: list[pa.RecordBatch] = []
    for batch in read_in_batches(EDGES, notice):
        edges.append(batch)
        # As many as there are articles, so that no article is looked at more often than its edges.
        if sum(some.num_rows for some in edges) >= max(_EDGES, found.nodes.size):
            found = _connect(found, edges)
            edges = []
    refs, components = _connect(found, edges)
    yield from cut_by((refs >> np.uint64(32)).astype(np.int64), make_batch(MEMBERS, refs.astype(np.uint32), components))


def _connect(known: Components, batches: list[pa.RecordBatch]) -> Components:
    """Components of what is known and more edges."""
    edges = join_batches(EDGES, batches)
    left = np.concatenate([known.nodes, column(edges, "left")])
    right = np.concatenate([known.component, column(edges, "right")])
    return connected_components(left, right)
