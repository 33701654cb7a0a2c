"""Writes a run's part of the index: the articles that it kept, signed, and their columns sorted by partition."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final, Literal

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.pvalue import TaggedOutput

from transforms import files
from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.config import DedupConfig
from transforms.exchange import Notice, partition_of, read_partition, write_partitions
from transforms.finalise import PartTotals
from transforms.index import SCHEMAS, Window, articles_file, boilerplate_file, columns_file
from transforms.schemas import INDEXED
from transforms.sign import sign_batch
from transforms.staging import Staging

# A later run reads only the groups in which there is an article that it needs.
_GROUP_ROWS: Final = 128
_COLUMNS: Final = ("id", "url", "source", "title", "published", "words", "text")


@dataclasses.dataclass(frozen=True, kw_only=True)
class IndexFile:
    """A file of a part: ``articles`` of a shard, ``bands`` or ``fingerprints`` of a partition, or ``boilerplate``."""

    what: str
    number: int
    rows: int
    oldest: date | None = None
    newest: date | None = None
    """Dates of the articles."""


@dataclasses.dataclass(eq=False, kw_only=True)
class WriteIndexPart(beam.PTransform):
    """``PartTotals`` in, an ``IndexFile`` for each file of the run's part of the index out.

    Reads the articles from the output, where they stand as they were decided. What is written belongs to nobody before
    the run's manifest in the index names it (``pipeline.index``).
    """

    output: str
    part: str
    """Folder to write to."""
    staging: Staging
    config: DedupConfig
    window: beam.pvalue.AsSingleton

    def expand(self, parts: beam.PCollection[PartTotals]) -> beam.PCollection[IndexFile]:
        """Write the articles of each shard, then bring their columns together by partition."""
        written = parts | "IndexShards" >> beam.ParDo(
            _IndexShard(self.output, self.part, self.staging, self.config), self.window
        ).with_outputs(*SCHEMAS, main="articles")
        columns = [
            written[what]
            | f"Group_{what}" >> beam.GroupByKey()
            | f"Sort_{what}" >> beam.Map(sort_columns, self.part, what).with_output_types(IndexFile)
            for what in SCHEMAS
        ]
        return (written.articles, *columns) | "IndexFiles" >> beam.Flatten()


class _IndexShard(beam.DoFn):
    def __init__(self, output: str, part: str, staging: Staging, config: DedupConfig) -> None:
        self._output = output
        self._part = part
        self._staging = staging
        self._config = config

    def process(
        self, totals: PartTotals, window: Window
    ) -> Iterator[IndexFile | TaggedOutput[Literal["bands"], Notice] | TaggedOutput[Literal["fingerprints"], Notice]]:
        shard = totals.counts.shard
        for entry in totals.files:
            if entry.path.startswith("boilerplate/") and entry.rows:
                files.copy_file(files.join(self._output, entry.path), boilerplate_file(self._part))
                yield IndexFile(what="boilerplate", number=0, rows=entry.rows)
        paths = [entry.path for entry in totals.files if entry.path.startswith("articles/")]
        batches = (batch for path in paths for batch in _kept(files.join(self._output, path), window))
        yield from index_shard(self._part, shard, batches, self._staging, self._config)


def _kept(uri: str, window: Window) -> Iterator[pa.RecordBatch]:
    """The articles of a part of the output as ``INDEXED``, without copies, which are there with ``--keep all``."""
    for batch in files.read_parquet(uri):
        if "canonical_id" in batch.schema.names:
            own = pc.and_(pc.equal(batch["canonical_id"], batch["id"]), pc.is_null(batch["canonical_run"]))
            batch = batch.filter(own)
        dates = [window.date_of(published) for published in batch.column("published").to_pylist()]
        elsewhere = pc.is_valid(batch["cluster_run"])
        clusters = pc.if_else(elsewhere, batch["cluster_id"], None)
        yield make_batch(INDEXED, *(batch.column(name) for name in _COLUMNS), clusters, batch["cluster_run"], dates)


def index_shard(
    part: str, shard: int, batches: Iterable[pa.RecordBatch], staging: Staging, config: DedupConfig
) -> Iterator[Any]:
    """Write ``INDEXED`` batches as a shard of a part, and their columns to ``staging``; nothing if there are no rows.

    Yields the ``IndexFile``, then the notices of the columns, tagged by what they are of.
    """
    columns: dict[str, list[pa.RecordBatch]] = {what: [] for what in SCHEMAS}
    dates: list[pa.Array] = []
    rows = 0
    uri = articles_file(part, shard)
    with files.replacing(uri) as path, files.errors_of(uri), _Groups(path) as groups:
        for batch in batches:
            signed = sign_batch(batch, (shard << 32) + rows, config)
            for what, schema in SCHEMAS.items():
                columns[what].append(make_batch(schema, *signed[what]))
            groups.write(batch)
            dates.append(batch.column("date"))
            rows += batch.num_rows
    if not rows:
        return
    spread = pc.min_max(pa.chunked_array(dates)).as_py()
    yield IndexFile(what="articles", number=shard, rows=rows, oldest=spread["min"], newest=spread["max"])
    for what, schema in SCHEMAS.items():
        table = join_batches(schema, columns[what])
        parts = cut_by(partition_of(column(table, schema.names[0])), table)
        for notice in write_partitions(staging.exchange(f"index-{what}", shard), schema, parts):
            yield TaggedOutput(what, notice)


def sort_columns(notice: tuple[int, Iterable[str]], part: str, what: str) -> IndexFile:
    """Write a partition of a part, sorted by key, from the files that its grouped notices name."""
    rows = read_partition(SCHEMAS[what], notice)
    key = rows.schema.names[0]
    order = np.lexsort((column(rows, "ref"), column(rows, key)))
    uri = columns_file(part, what, notice[0])
    with files.replacing(uri) as path, files.errors_of(uri):
        pq.write_table(
            pa.Table.from_batches([rows.take(pa.array(order))]),
            path,
            row_group_size=len(order),
            compression="lz4",
            use_dictionary=False,
            write_statistics=False,
        )
    return IndexFile(what=what, number=notice[0], rows=len(order))


class _Groups:
    """A Parquet file of ``INDEXED`` in small groups; without a row it is not made."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._pending: pa.Table = INDEXED.empty_table()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._pending = pa.concat_tables([self._pending, pa.Table.from_batches([batch])])
        whole = self._pending.num_rows // _GROUP_ROWS * _GROUP_ROWS
        self._flush(whole)

    def __enter__(self) -> "_Groups":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush(self._pending.num_rows)
        if self._writer is not None:
            self._writer.close()

    def _flush(self, rows: int) -> None:
        if not rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path, INDEXED, compression="zstd", compression_level=files.ZSTD_LEVEL, write_statistics=False
            )
        self._writer.write_table(self._pending.slice(0, rows), row_group_size=_GROUP_ROWS)
        self._pending = self._pending.slice(rows)
