"""CleanShard: one split in, one staging shard of cleaned articles, edits and rejects out."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms import files
from transforms.batches import column, make_batch
from transforms.ledger import paragraphs_of, write_paragraphs
from transforms.records import Records, Reject
from transforms.schemas import EDITS, STAGED, STAGED_REJECTS
from transforms.staging import Staging
from transforms.text.clean import CleanConfig, CleanedTexts, Cleaner
from transforms.text.reasons import RejectReason


class PartBatch(NamedTuple):
    """Records of one part of a split, in its order.

    The last batch of a part carries in ``lines`` how many lines the part had, if later parts of the file need to know,
    and how many dates could not be read in it, with the first of them.
    """

    uri: str
    records: Records
    start: int = 0
    lines: int | None = None
    unread_dates: int = 0
    unread_date: str | None = None


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
    unread_dates: int = 0
    """Given, but not to be read for sure."""
    unread_date: str | None = None
    """The first of them and its file: ``[03/04/2026] in [a.jsonl]``."""

    def to_json(self) -> bytes:
        """The counts as one JSON object."""
        return json.dumps(vars(self)).encode()

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
        self._cleaner = Cleaner(self._config)

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
    read = articles = unread_dates = 0
    unread_date: str | None = None
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
            if part.unread_dates:
                unread_dates += part.unread_dates
                unread_date = unread_date or f"[{part.unread_date}] in [{part.uri}]"
    if ledger:
        write_paragraphs(staging, shard, paragraphs)
    return ShardCounts(
        shard=shard,
        read=read,
        articles=articles,
        rejects=dict(rejects),
        edits=dict(edits),
        lines=lines,
        unread_dates=unread_dates,
        unread_date=unread_date,
    )


def clean_batch(uri: str, records: Records, cleaner: Cleaner) -> tuple[pa.RecordBatch, pa.RecordBatch, pa.RecordBatch]:
    """Clean records of one file: batches of STAGED, EDITS and STAGED_REJECTS, each in the records' order.

    What no step changes stays in Arrow from the reader to staging.
    """
    articles, rejects = records.articles, records.rejects
    cleaned = cleaner.clean_all(articles.column("text"))
    owners = column(cleaned.edits, "owner")
    counts = np.bincount(owners, minlength=articles.num_rows)
    staged, edits = _staged(uri, articles, cleaned, counts), _edits_of(articles, cleaned.edits, counts)
    is_emptied = (pc.binary_length(cleaned.texts).to_numpy() == 0) & (counts > 0)
    if is_emptied.any():
        more = (
            _reject_emptied(articles, row, edits.filter(owners == row)) for row in np.flatnonzero(is_emptied).tolist()
        )
        rejects = sorted([*rejects, *more], key=lambda reject: reject.place)
        staged, edits = staged.filter(~is_emptied), edits.filter(~is_emptied[owners])
    return staged, edits, _staged_rejects(uri, rejects)


def _reject_emptied(articles: pa.RecordBatch, row: int, edits: pa.RecordBatch) -> Reject:
    """A reject of an article that cleaning left nothing of."""
    place, raw = articles.column("place")[row].as_py(), articles.column("text")[row].as_buffer()[:65_536].to_pybytes()
    removed = edits.filter(pc.is_in(edits.column("kind"), pa.array(["cruft", "promo", "repeat"])))
    if not removed.num_rows:
        return Reject(place, RejectReason.EMPTY, "the text holds nothing but white space and control characters", raw)
    rules = ", ".join(removed.column("rule").unique().to_pylist())
    return Reject(place, RejectReason.EMPTY_AFTER_CLEANING, f"nothing but page furniture; removed by [{rules}]", raw)


def _staged(
    uri: str, articles: pa.RecordBatch, cleaned: CleanedTexts, edit_counts: npt.NDArray[np.int64]
) -> pa.RecordBatch:
    columns = dict(zip(articles.schema.names, articles.columns, strict=True))
    columns |= {
        "text": cleaned.texts,
        "credits": cleaned.credits,
        "edit_count": edit_counts,
        "uri": pa.repeat(uri, articles.num_rows),
    }
    return make_batch(STAGED, *(columns[name] for name in STAGED.names))


def _edits_of(articles: pa.RecordBatch, edits: pa.RecordBatch, counts: npt.NDArray[np.int64]) -> pa.RecordBatch:
    owner, *columns = edits.columns
    sequence = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return make_batch(EDITS, articles.column("id").take(owner), sequence.astype(np.int32), *columns)


def _staged_rejects(uri: str, rejects: Sequence[Reject]) -> pa.RecordBatch:
    columns = map(list, zip(*rejects, strict=True)) if rejects else [[]] * len(Reject._fields)
    return make_batch(STAGED_REJECTS, pa.repeat(uri, len(rejects)), *columns)
