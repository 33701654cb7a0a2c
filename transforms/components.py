"""Components: articles that are connected by candidates, so that only they need verification."""

import dataclasses
from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np

from transforms.batches import column, cut_by, make_batch
from transforms.exchange import Notice, read_partition
from transforms.schemas import EDGES, MEMBERS
from transforms.sign import Keyed
from transforms.text.unionfind import connected_components


@dataclasses.dataclass(eq=False, kw_only=True)
class FindComponents(beam.PTransform):
    """Notices of EDGES under one key in; out, by shard, its rows that have candidates and the component of each.

    In: ``(0, "…/band-edges-00003.parquet")`` · out: ``(12, MEMBERS batch)``. Union-find in one worker: 16 bytes an
    edge, so 100 million edges take 2 GB.
    """

    def expand(self, edges: beam.PCollection[Notice]) -> beam.PCollection[Keyed]:
        """Bring all edges together, then find what they connect."""
        return edges | "GroupEdges" >> beam.GroupByKey() | "Connect" >> beam.FlatMap(_members)


def _members(notice: tuple[int, Iterable[str]]) -> Iterator[Keyed]:
    edges = read_partition(EDGES, notice)
    refs, components = connected_components(column(edges, "left"), column(edges, "right"))
    yield from cut_by((refs >> np.uint64(32)).astype(np.int64), make_batch(MEMBERS, refs.astype(np.uint32), components))
