"""Index: what later runs need of the articles that earlier ones kept, as one part a run that never changes.

A part holds the columns that the stages exchange (``transforms.exchange``), sorted, one file for each partition,
and the articles themselves. To a run the parts are shards like its own: an article of the index has a reference as any
other, with a shard number in a range that no run reaches.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms import files
from transforms.batches import column, join_batches
from transforms.config import MAX_SHARDS
from transforms.schemas import BANDS, FINGERPRINTS
from transforms.staging import Staging
from transforms.text.sorted_keys import rows_among

SCHEMAS: Final = {"bands": BANDS, "fingerprints": FINGERPRINTS}

FIRST_SHARD: Final = 1 << 31
"""Shard numbers from here on belong to the index: this, the part's place among all (15 bits), its shard (16 bits)."""
FIRST_REF: Final = np.uint64(FIRST_SHARD << 32)

# One clock gone wrong must not move the window: so many of a run's dated articles are no later than its date.
_DATED_BY: Final = 0.95
_EPOCH: Final = date(1970, 1, 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class IndexPart:
    """What a run left in the index; as in its manifest."""

    run: str
    """Name of the run."""
    uri: str
    """Folder of the part."""
    dated: date
    """Date of the run."""
    partitions: tuple[tuple[str, tuple[int, ...]], ...]
    """Partitions that have rows: ``(("bands", (0, 1, 2)), ("fingerprints", ()))``."""

    def articles(self, shard: int) -> str:
        """The articles of one of its shards (``INDEXED``)."""
        return articles_file(self.uri, shard)


def articles_file(part: str, shard: int) -> str:
    """Name of a shard's articles in a part."""
    return files.join(part, f"articles-{shard:05d}.parquet")


def boilerplate_file(part: str) -> str:
    """Name of the learned boilerplate in a part."""
    return files.join(part, "boilerplate.parquet")


def columns_file(part: str, what: str, partition: int) -> str:
    """Name of a partition of ``bands`` or ``fingerprints`` in a part."""
    return files.join(part, f"{what}-{partition:05d}.parquet")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Index:
    """The index as one run sees it: fixed when the run first starts, so that going on from a kill sees the same."""

    parts: tuple[IndexPart, ...]
    """Of the runs that were there before this one, in the order of the runs."""
    window_days: int
    undated: date
    """Date of this run, should none of its articles have one."""

    def read_rows(
        self, shard: int, rows: npt.NDArray[Any], columns: Sequence[str]
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Batches of a shard of the index in which one of ``rows`` stands, each with the row that it starts at."""
        return files.read_rows(self._part(shard).articles(shard % MAX_SHARDS), rows, columns)

    def run_of(self, shard: int) -> str:
        """Name of the run that a shard of the index belongs to."""
        return self._part(shard).run

    def _part(self, shard: int) -> IndexPart:
        return self.parts[(shard - FIRST_SHARD) // MAX_SHARDS]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """A run's date, and what of the index it may see."""

    index: Index
    dated: date

    @property
    def first(self) -> date:
        """The earliest date of runs that the run may see."""
        return max(self.dated, date.min + self._width) - self._width

    @property
    def _width(self) -> timedelta:
        return timedelta(days=self.index.window_days)

    def date_of(self, published: datetime | None) -> date:
        """An article's date in the index: that of the run for articles that have none, or one far in the future."""
        if published is None or published.date() > min(self.dated, date.max - self._width) + self._width:
            return self.dated
        return published.date()


def is_indexed(refs: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which references are of articles of the index, not of the run."""
    return refs >= FIRST_REF


@dataclasses.dataclass(eq=False, kw_only=True)
class FindWindow(beam.PTransform):
    """Shard numbers in, the one ``Window`` out.

    The run's date is the day by which 19 of 20 of its dated articles were published, so it follows from the input.
    """

    staging: Staging
    index: Index

    def expand(self, shards: beam.PCollection[int]) -> beam.PCollection[Window]:
        """Count the days of each shard, then find the run's."""
        return (
            shards
            | "CountDays" >> beam.Map(_count_days, self.staging).with_output_types(tuple[int, list[tuple[int, int]]])
            | "GroupDays" >> beam.GroupByKey()
            | "FindDate" >> beam.Map(_find_window, self.index).with_output_types(Window)
        )


def _count_days(shard: int, staging: Staging) -> tuple[int, list[tuple[int, int]]]:
    published = [batch.column(0) for batch in files.read_parquet(staging.articles(shard), ["published"])]
    days = pa.chunked_array(published, pa.timestamp("us", tz="UTC")).drop_null().cast(pa.date32()).cast(pa.int32())
    values, counts = np.unique(days.to_numpy(), return_counts=True)
    return 0, list(zip(values.tolist(), counts.tolist(), strict=True))


def _find_window(counted: tuple[int, Iterable[list[tuple[int, int]]]], index: Index) -> Window:
    return Window(index=index, dated=date_of_run([day for days in counted[1] for day in days]) or index.undated)


def date_of_run(days: Sequence[tuple[int, int]]) -> date | None:
    """The day by which 19 of 20 of the articles were published, from ``(days since 1970, articles)`` in any order.

    >>> date_of_run([(19_000, 40), (19_001, 2), (40_000, 1)])
    datetime.date(2022, 1, 9)
    """
    if not days:
        return None
    ordered = sorted(days)
    reached = np.cumsum([count for _, count in ordered])
    needed = int(np.ceil(_DATED_BY * reached[-1]))
    return _EPOCH + timedelta(days=ordered[int(np.searchsorted(reached, needed))][0])


def with_index(rows: pa.RecordBatch, window: Window | None, what: str, partition: int) -> pa.RecordBatch:
    """A partition of ``bands`` or ``fingerprints``, and behind it the rows of the index that match one of its rows.

    Of the index only what matches is kept in memory, and one partition of one part beside it.

    Raises:
        FileError: a part of the index cannot be read.
    """
    if window is None:
        return rows
    schema = SCHEMAS[what]
    wanted = np.unique(column(rows, schema.names[0]))
    return join_batches(schema, [rows, *_matching(window, what, partition, wanted)])


def _matching(window: Window, what: str, partition: int, wanted: npt.NDArray[Any]) -> Iterator[pa.RecordBatch]:
    schema = SCHEMAS[what]
    for place, part in enumerate(window.index.parts):
        if part.dated < window.first or partition not in dict(part.partitions)[what]:
            continue
        with files.open_parquet(columns_file(part.uri, what, partition)) as parquet:
            table = parquet.read(columns=schema.names, use_threads=False).combine_chunks()
        keys = table.column(0).chunk(0).to_numpy()
        found = table.take(pa.array(rows_among(keys, wanted)))
        refs = found.column("ref").to_numpy()
        first = np.uint64((FIRST_SHARD + place * MAX_SHARDS) << 32)
        yield from found.set_column(schema.names.index("ref"), schema.field("ref"), pa.array(refs + first)).to_batches()
