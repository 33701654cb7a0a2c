"""CleanShard: one split in, one staging shard of cleaned articles, edits and rejects out."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from transforms import files
from transforms.batches import make_batch
from transforms.ledger import paragraphs_of, write_paragraphs
from transforms.records import Record, Reject
from transforms.schemas import EDITS, STAGED, STAGED_REJECTS
from transforms.staging import Staging
from transforms.text.clean import CleanConfig, Cleaner
from transforms.text.edits import Edit
from transforms.text.reasons import RejectReason
from transforms.text.repetition_kernel import find_repetition


class PartBatch(NamedTuple):
    """Records of one part of a split, in its order.

    The last batch of a part carries in ``lines`` how many lines the part had, if later parts of the file need to know.
    """

    uri: str
    records: list[Record | Reject]
    start: int = 0
    lines: int | None = None


Reader = Callable[[Any], Iterator[PartBatch]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShardCounts:
    """What a complete staging shard holds; written beside it as JSON, last."""

    shard: int
    read: int
    articles: int
    rejects: dict[str, int]
    """By reason."""
    edits: dict[str, int]
    """By kind and rule: ``{"cruft/en/source-link": 3}``."""
    lines: list[tuple[str, int, int]]
    """``(uri, start, lines)`` of each part of a file whose later parts need to know."""

    def to_json(self) -> bytes:
        """The counts as one JSON object."""
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "ShardCounts":
        """The inverse of ``to_json``."""
        fields = json.loads(data)
        fields["lines"] = [tuple(part) for part in fields["lines"]]
        return cls(**fields)


@dataclasses.dataclass(eq=False, kw_only=True)
class CleanShards(beam.PTransform):
    """Splits in, ``(12, ShardCounts)`` out; the cleaned articles are left in staging, three files a shard.

    A shard that is complete already, because an earlier run of the same configuration was killed, is not done again.
    ``read`` turns a split into batches of records.
    """

    read: Reader
    staging: Staging
    config: CleanConfig
    ledger: bool = False
    """Whether the paragraphs are hashed on the way, for ``transforms.ledger``."""

    def expand(self, splits: beam.PCollection[Any]) -> beam.PCollection[tuple[int, ShardCounts]]:
        """Clean each split."""
        return splits | "CleanEachSplit" >> beam.ParDo(
            _CleanShard(self.read, self.staging, self.config, self.ledger)
        ).with_output_types(tuple[int, ShardCounts])


class _CleanShard(beam.DoFn):
    def __init__(self, read: Reader, staging: Staging, config: CleanConfig, ledger: bool) -> None:
        self._read = read
        self._staging = staging
        self._config = config
        self._ledger = ledger

    def setup(self) -> None:
        self._cleaner = Cleaner(self._config, find_repetition)

    # Any: the splits' own type belongs to the reader. It has the number of its shard.
    def process(self, split: Any) -> Iterator[tuple[int, ShardCounts]]:
        done = self._staging.counts(split.shard)
        if files.exists(done):
            counts = ShardCounts.from_json(files.read_bytes(done))
        else:
            files.write_bytes(self._staging.begun(split.shard), b"")
            counts = clean_shard(split.shard, self._read(split), self._staging, self._cleaner, ledger=self._ledger)
            files.write_bytes(done, counts.to_json())
        yield split.shard, counts


def clean_shard(
    shard: int, parts: Iterable[PartBatch], staging: Staging, cleaner: Cleaner, *, ledger: bool = False
) -> ShardCounts:
    """Clean the records of one split into its staging shard; hash its paragraphs, if a ``ledger`` is kept."""
    paragraphs: list[pa.RecordBatch] = []
    read = articles = 0
    rejects: Counter[str] = Counter()
    edits: Counter[str] = Counter()
    lines: list[tuple[str, int, int]] = []
    with (
        files.ParquetSink(staging.articles(shard), STAGED, quick=True) as article_sink,
        files.ParquetSink(staging.edits(shard), EDITS, quick=True) as edit_sink,
        files.ParquetSink(staging.rejects(shard), STAGED_REJECTS, quick=True) as reject_sink,
    ):
        for part in parts:
            cleaned, made, rejected = clean_batch(part.uri, part.records, cleaner)
            article_sink.write(cleaned)
            edit_sink.write(made)
            reject_sink.write(rejected)
            if ledger:
                paragraphs.append(paragraphs_of(cleaned, shard << 32 | articles))
            read += len(part.records)
            articles += cleaned.num_rows
            rejects.update(rejected.column("reason").to_pylist())
            names = pc.binary_join_element_wise(made.column("kind"), made.column("rule"), "/")
            edits.update({count["values"]: count["counts"] for count in pc.value_counts(names).to_pylist()})
            if part.lines is not None:
                lines.append((part.uri, part.start, part.lines))
    if ledger:
        write_paragraphs(staging, shard, paragraphs)
    return ShardCounts(shard=shard, read=read, articles=articles, rejects=dict(rejects), edits=dict(edits), lines=lines)


def clean_batch(
    uri: str, records: Iterable[Record | Reject], cleaner: Cleaner
) -> tuple[pa.RecordBatch, pa.RecordBatch, pa.RecordBatch]:
    """Clean records of one file: batches of STAGED, EDITS and STAGED_REJECTS, each in the records' order."""
    records = list(records)
    cleaned = iter(cleaner.clean_all([record.text for record in records if isinstance(record, Record)]))
    kept: list[tuple[Any, ...]] = []
    ids: list[str] = []
    edits: list[Edit] = []
    sequence: list[int] = []
    rejects: list[tuple[Any, ...]] = []
    for record in records:
        if isinstance(record, Reject):
            rejects.append((uri, record.place, record.reason, record.detail, record.raw))
            continue
        text, made, credits = next(cleaned)
        if not text:
            rejects.append((uri, record.place, *_why_empty(record, made)))
            continue
        kept.append((*record[:5], text, record.encoding, credits, len(made), record.place))
        ids += [record.id] * len(made)
        edits += made
        sequence += range(len(made))
    return _staged(uri, kept), _edit_batch(ids, sequence, edits), _batch_of_rows(STAGED_REJECTS, rejects)


def _why_empty(record: Record, edits: list[Edit]) -> tuple[str, str, bytes]:
    raw = record.text.encode()[:65_536]
    if all(edit.kind in ("whitespace", "unicode", "encoding") for edit in edits):
        return RejectReason.EMPTY, "the text holds nothing but white space and control characters", raw
    rules = ", ".join(dict.fromkeys(edit.rule for edit in edits if edit.kind in ("cruft", "promo", "repeat")))
    return RejectReason.EMPTY_AFTER_CLEANING, f"nothing but page furniture; removed by [{rules}]", raw


def _staged(uri: str, rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    if not rows:
        return _batch_of_rows(STAGED, [])
    *columns, places = map(list, zip(*rows, strict=True))
    return make_batch(STAGED, *columns, [uri] * len(rows), places)


def _edit_batch(ids: list[str], sequence: list[int], edits: list[Edit]) -> pa.RecordBatch:
    if not edits:
        return _batch_of_rows(EDITS, [])
    return make_batch(EDITS, ids, sequence, *map(list, zip(*edits, strict=True)))


def _batch_of_rows(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = map(list, zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return make_batch(schema, *columns)
