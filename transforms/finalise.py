"""FinaliseShard: a staging shard and what was decided of its articles become a part of the output."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import files
from transforms.batches import column, join_batches, make_batch
from transforms.clean import ShardCounts
from transforms.coder import Keyed
from transforms.config import Keep
from transforms.schemas import (
    BOILERPLATE,
    DECISIONS,
    EDITS,
    LINES_BEFORE,
    REJECTS,
    WORDS,
    articles_schema,
    duplicates_schema,
)
from transforms.staged import read_articles, read_edits, read_overlay, with_rows
from transforms.staging import Staging
from transforms.text.minhash import string_hashes
from transforms.verify import rename, renames_by_row

NOTHING: Final = make_batch(LINES_BEFORE, [], [])
"""A batch without rows, for shards of which nothing more is known."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartFile:
    """A file of the output: its path below the output folder, rows and bytes."""

    path: str
    rows: int
    bytes: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartTotals:
    """What one shard contributed to the output: rows that were written, beside what was counted on reading."""

    counts: ShardCounts
    kept: int
    folded: int
    rejected: int
    relations: dict[str, int]
    """Of the folded: what was decided, by relation."""
    renamed: int
    sources: dict[str, tuple[int, int]]
    """Articles of each source, and those of them that were folded, but for what an earlier run has word for word."""
    held: list[dict[str, str]]
    """Clusters that were held back: ``id`` of the article that would have been kept, and ``why``."""
    claims: tuple[int, int]
    """Hashes of canonical ids, added up modulo 2**64: of each copy that an article lists, and of each folded one."""
    files: list[PartFile]

    def to_json(self) -> bytes:
        """All of it as one JSON object."""
        return json.dumps(vars(self), default=vars).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "PartTotals":
        """The inverse of ``to_json``."""
        fields = json.loads(data)
        fields["counts"] = ShardCounts.from_json(json.dumps(fields["counts"]).encode())
        fields["files"] = [PartFile(**entry) for entry in fields["files"]]
        return cls(**fields)


@dataclasses.dataclass(eq=False, kw_only=True)
class NumberLines(beam.PTransform):
    """``(12, ShardCounts)`` in; ``(12, LINES_BEFORE batch)`` out for shards that start inside a file.

    The batch says how many lines of that file stand before the shard's part.
    """

    def expand(self, counts: beam.PCollection[tuple[int, ShardCounts]]) -> beam.PCollection[Keyed]:
        """Group the parts of each file, then add up."""
        return (
            counts
            | "PartsOfFiles" >> beam.FlatMap(_parts_of_files)
            | "GroupFiles" >> beam.GroupByKey()
            | "AddUpLines" >> beam.FlatMap(_lines_before)
        )


def _parts_of_files(counts: tuple[int, ShardCounts]) -> Iterator[tuple[str, tuple[int, int, int]]]:
    shard, of_shard = counts
    for uri, start, lines in of_shard.lines:
        yield uri, (start, shard, lines)


def _lines_before(file: tuple[str, Iterable[tuple[int, int, int]]]) -> Iterator[Keyed]:
    uri, parts = file
    before = 0
    for start, shard, lines in sorted(parts):
        if start:
            yield shard, make_batch(LINES_BEFORE, [uri], [before])
        before += lines


@dataclasses.dataclass(eq=False, kw_only=True)
class FinaliseShards(beam.PTransform):
    """All that was found out of each shard in, ``PartTotals`` out; the parts of the output are written.

    In: ``{"shards": (12, any batch without rows), "decisions": (12, DECISIONS batch), "renames": (12, RENAMES batch),
    "lines": (12, LINES_BEFORE batch)}``. All values are batches, because a join of other kinds would be pickled.
    """

    staging: Staging
    output: str
    keep: Keep
    learned: Any
    """A PCollection of one BOILERPLATE batch, for ``boilerplate/``."""
    indexed: bool = False
    """Whether there is an index, so that the output has columns of it."""

    def expand(self, by_shard: Any) -> beam.PCollection[PartTotals]:
        """Join by shard, then write."""
        schemas = articles_schema(self.keep, self.indexed), duplicates_schema(self.indexed)
        return (
            by_shard
            | "JoinByShard" >> beam.CoGroupByKey()
            | "WriteParts"
            >> beam.Map(
                _finalise, beam.pvalue.AsSingleton(self.learned), self.staging, self.output, self.keep, schemas
            ).with_output_types(PartTotals)
        )


def _finalise(
    joined: tuple[int, dict[str, Any]],
    learned: pa.RecordBatch,
    staging: Staging,
    output: str,
    keep: Keep,
    schemas: tuple[pa.Schema, pa.Schema],
) -> PartTotals:
    shard, by_tag = joined
    finished = staging.finished(shard)
    if files.exists(finished):  # by an earlier run that was killed: the same decisions give the same part
        return PartTotals.from_json(files.read_bytes(finished))
    counts = ShardCounts.from_json(files.read_bytes(staging.counts(shard)))
    if stripped := sum(column(read_overlay(staging, shard), "added").tolist()):
        counts = dataclasses.replace(counts, edits=counts.edits | {"boilerplate/learned": stripped})
    lines = join_batches(LINES_BEFORE, by_tag["lines"])
    before = dict(zip(lines.column("uri").to_pylist(), lines.column("before").to_pylist(), strict=True))
    decisions = join_batches(DECISIONS, by_tag["decisions"])
    renames = renames_by_row(by_tag["renames"])
    relations: Counter[str] = Counter(filter(None, decisions.column("relation").to_pylist()))
    parts: list[PartFile] = []

    def write(folder: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        """Write a part and return its rows; without any it is left out, but for the first, which shows the schema."""
        path = f"{folder}/part-{shard:05d}.parquet"
        with files.ParquetSink(files.join(output, path), schema, skip_empty=shard > 0) as sink:
            for batch in batches:
                sink.write(batch)
        if sink.stats is None:
            return 0
        parts.append(PartFile(path=path, rows=sink.stats.rows, bytes=sink.stats.bytes))
        return sink.stats.rows

    duplicates: list[pa.RecordBatch] = []
    read: Counter[str] = Counter()
    articles = write(
        "articles",
        schemas[0],
        _articles(_counted(_with_words(staging, shard), read), decisions, renames, before, keep, schemas, duplicates),
    )
    gone = _by_source(map(_lost, duplicates))
    copies = write("duplicates", schemas[1], duplicates)
    write("edits", EDITS, _edits(staging, shard, renames))
    rejected = write("rejects", REJECTS, _rejects(staging.rejects(shard), before))
    if shard == 0:
        write("boilerplate", BOILERPLATE, [learned])
    totals = PartTotals(
        counts=counts,
        kept=articles - copies if keep == "all" else articles,
        folded=copies,
        rejected=rejected,
        relations=dict(relations),
        renamed=len(renames),
        sources={source: (count, gone[source]) for source, count in read.items()},
        held=_held(decisions),
        claims=_claims(decisions),
        files=parts,
    )
    files.write_bytes(finished, totals.to_json())
    return totals


def _with_words(staging: Staging, shard: int) -> Iterator[pa.RecordBatch]:
    """The shard's articles as STAGED, with WORDS."""
    words = join_batches(WORDS, files.read_parquet(staging.words(shard))).column(0)
    for first, batch in with_rows(read_articles(staging, shard)):
        yield batch.append_column(WORDS.field(0), words.slice(first, batch.num_rows))


def _counted(batches: Iterable[pa.RecordBatch], sources: Counter[str]) -> Iterator[pa.RecordBatch]:
    """The batches, and on the way how many articles each source has."""
    for batch in batches:
        sources.update(_by_source([batch]))
        yield batch


def _lost(copies: pa.RecordBatch) -> pa.RecordBatch:
    """Copies without those that an earlier run kept word for word: seen again is not lost."""
    if "canonical_run" not in copies.schema.names:
        return copies
    is_again = pc.and_(pc.equal(copies.column("relation"), "exact"), pc.is_valid(copies.column("canonical_run")))
    return copies.filter(pc.invert(is_again))


def _by_source(batches: Iterable[pa.RecordBatch]) -> Counter[str]:
    found: Counter[str] = Counter()
    for batch in batches:
        for row in pc.value_counts(batch.column("source")).to_pylist():
            if row["values"] is not None:
                found[row["values"]] += row["counts"]
    return found


def _held(decisions: pa.RecordBatch) -> list[dict[str, str]]:
    held = decisions.filter(pc.is_valid(decisions.column("held")))
    ids, reasons = (held.column(name).to_pylist() for name in ("canonical_id", "held"))
    return [{"id": article_id, "why": why} for article_id, why in zip(ids, reasons, strict=True)]


def _claims(decisions: pa.RecordBatch) -> tuple[int, int]:
    """The sums are equal over all shards if every copy is listed once, by the article that it was folded into."""
    ids = string_hashes(decisions.column("canonical_id").cast(pa.large_string()))
    copies = pc.list_value_length(decisions.column("copies")).to_numpy(zero_copy_only=False).astype(np.uint64)
    # What was folded into an article that an earlier run kept is listed by none of this one.
    is_here = pc.and_(pc.is_valid(decisions.column("relation")), pc.is_null(decisions.column("canonical_run")))
    folded = is_here.to_numpy(zero_copy_only=False)
    return int((ids * copies).sum(dtype=np.uint64)), int(ids[folded].sum(dtype=np.uint64))


def _articles(
    staged: Iterable[pa.RecordBatch],
    decisions: pa.RecordBatch,
    renames: dict[int, int],
    before: dict[str, int],
    keep: Keep,
    schemas: tuple[pa.Schema, pa.Schema],
    duplicates: list[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """The articles part; the rows of the duplicates part are collected on the way."""
    order = np.argsort(column(decisions, "row"))
    decisions = decisions.take(pa.array(order))
    decided = column(decisions, "row")
    schema, copies_schema = schemas
    first = 0
    for batch in staged:
        count = batch.num_rows
        begin, end = np.searchsorted(decided, [first, first + count])
        inside = decisions.slice(begin, end - begin)
        rows = decided[begin:end] - first
        known = {name: batch.column(name) for name in batch.schema.names}
        known["id"] = rename(known["id"], first, renames)
        known["input"] = _input_names(batch, before)
        known["canonical_id"] = _with(known["id"], rows, inside.column("canonical_id"))
        known["cluster_id"] = _with(known["id"], rows, inside.column("cluster_id"))
        for name in ("canonical_run", "cluster_run"):
            known[name] = _with(pa.nulls(count, pa.string()), rows, inside.column(name))
        known["cluster_size"] = _with(pa.repeat(pa.scalar(1, pa.int32()), count), rows, inside.column("cluster_size"))
        known["copies"] = _with_lists(count, rows, inside.column("copies"))
        known["embeds"] = _with_lists(count, rows, inside.column("embeds"))
        first += count
        articles = make_batch(schema, *(known[name] for name in schema.names))
        folded = pc.is_valid(inside.column("relation"))
        copies = pa.array(rows).filter(folded)
        if len(copies):
            known = {name: values.take(copies) for name, values in known.items()} | {
                name: inside.column(name).filter(folded) for name in ("relation", "jaccard", "containment", "signs")
            }
            duplicates.append(make_batch(copies_schema, *(known[name] for name in copies_schema.names)))
            if keep == "canonical":
                kept = np.ones(count, bool)
                kept[copies.to_numpy()] = False
                articles = articles.filter(pa.array(kept))
        yield articles


def _with(column: pa.Array, rows: np.ndarray[Any, Any], values: pa.Array) -> pa.Array:
    """The column with other values in some rows (ascending)."""
    if not len(rows):
        return column
    mask = np.zeros(len(column), bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), values)


def _with_lists(count: int, rows: np.ndarray[Any, Any], lists: pa.ListArray) -> pa.ListArray:
    """A column of empty lists, but for some rows (ascending)."""
    lengths = np.zeros(count, np.int32)
    lengths[rows] = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
    return pa.ListArray.from_arrays(pa.array(offsets), lists.flatten())


def _edits(staging: Staging, shard: int, renames: dict[int, int]) -> Iterator[pa.RecordBatch]:
    if not renames:
        yield from read_edits(staging, shard)
        return
    # Edits stand in the order of their articles; how many each has leads from an edit to its article's row.
    owners: list[str] = []
    first = 0
    for batch in read_articles(staging, shard, ["id", "edit_count"]):
        ids = rename(batch.column("id"), first, renames).to_numpy(zero_copy_only=False)
        owners += np.repeat(ids, batch.column("edit_count").to_numpy()).tolist()
        first += batch.num_rows
    done = 0
    for batch in read_edits(staging, shard):
        yield batch.set_column(0, EDITS.field("id"), pa.array(owners[done : done + batch.num_rows], pa.string()))
        done += batch.num_rows


def _rejects(staged: str, before: dict[str, int]) -> Iterator[pa.RecordBatch]:
    for batch in files.read_parquet(staged):
        yield make_batch(
            REJECTS,
            _input_names(batch, before),
            *(batch.column(name) for name in ("reason", "detail", "raw")),
        )


def _input_names(batch: pa.RecordBatch, before: dict[str, int]) -> pa.Array:
    """``news.jsonl:17`` for the 17th line of a file; the file's name alone for a whole file."""
    uris, places = batch.column("uri"), batch.column("place")
    if before:
        added = [before.get(uri, 0) for uri in uris.to_pylist()]
        places = pc.if_else(pc.equal(places, 0), 0, pc.add(places, pa.array(added, pa.int64())))
    numbered = pc.binary_join_element_wise(uris, pc.cast(places, pa.string()), ":")
    return pc.if_else(pc.equal(places, 0), uris, numbered)
