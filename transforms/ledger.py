"""ParagraphLedger: learns which paragraphs are a source's boilerplate and strips them before anything is signed.

Nothing but hashes is compared until a paragraph is known to repeat. Then each place where it stands is described from
its article (neighbours, subject) and judged. Articles that lose boilerplate go into an overlay beside their shard.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import files
from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.coder import Keyed
from transforms.config import LedgerConfig
from transforms.exchange import Notice, notices_of, partition_of, read_partition, write_partitions
from transforms.schemas import BOILERPLATE, EDITS, JUDGED, OCCURRENCES, OVERLAY, PARAGRAPHS, REPEATED
from transforms.staging import Staging
from transforms.text.boilerplate import (
    EDGE,
    Candidate,
    diversity_of,
    edge_share,
    heads_boilerplate,
    holds_numbers,
    sign_of,
    strip_paragraphs,
)
from transforms.text.ledger import Paragraphs, coherence, hash_paragraphs, keys_of, neighbours, sketch_words
from transforms.text.minhash import string_hashes
from transforms.text.shingles import utf8_buffers
from transforms.text.sorted_keys import recurring_rows

Array = np.ndarray[Any, Any]

MAX_SAMPLED: Final = 32
"""Articles whose words are compared to tell whether a paragraph's articles share their subject."""
_MIN_COMPANY: Final = 0.9
_STRIPPED_COLUMNS: Final = ("id", "source", "text", "edit_count")


NOTHING_LEARNED: Final = make_batch(BOILERPLATE, *([] for _ in BOILERPLATE))


@dataclasses.dataclass(eq=False, kw_only=True)
class LearnBoilerplate(beam.PTransform):
    """Shard numbers in, one BOILERPLATE batch out: what earlier runs knew, and what this one learned.

    CleanShards has hashed the paragraphs. In: ``12`` · between: by shard REPEATED, by partition OCCURRENCES, of each
    JUDGED · out: the batch, sorted by source and paragraph, the same whatever the shards and their order.
    """

    staging: Staging
    config: LedgerConfig

    def expand(self, shards: beam.PCollection[int]) -> beam.PCollection[pa.RecordBatch]:
        """Find what repeats, describe it where it stands, judge it."""
        judged = (
            shards
            | "Paragraphs" >> beam.FlatMap(_notices, self.staging)
            | "GroupParagraphs" >> beam.GroupByKey()
            | "FindRepeated" >> beam.FlatMap(_find_repeated, self.config.min_support).with_output_types(Keyed)
            | "GroupByShard" >> beam.GroupByKey()
            | "Describe" >> beam.FlatMap(_describe, self.staging)
            | "GroupOccurrences" >> beam.GroupByKey()
            | "Judge" >> beam.FlatMap(_judge, self.config).with_output_types(pa.RecordBatch)
        )
        # Beside one element, because it is to be done also where nothing was judged.
        return (
            shards.pipeline
            | "Once" >> beam.Create([None])
            | "Settle" >> beam.Map(_settle, beam.pvalue.AsIter(judged), self.config).with_output_types(pa.RecordBatch)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class StripShards(beam.PTransform):
    """Shard numbers in, the same out, when the boilerplate of ``learned`` is stripped from the shard's articles.

    What changes goes into an overlay beside the shard, see ``transforms.staged``.
    """

    staging: Staging
    learned: Any

    def expand(self, shards: beam.PCollection[int]) -> beam.PCollection[int]:
        """Strip each shard."""
        return shards | "StripEach" >> beam.Map(
            strip_shard, beam.pvalue.AsSingleton(self.learned), self.staging
        ).with_output_types(int)


def read_boilerplate(uri: str) -> pa.RecordBatch:
    """BOILERPLATE of an earlier run, from its output folder, its ``boilerplate/`` folder or one Parquet file.

    Raises:
        FileError: there is none, or it cannot be read.
    """
    if files.info(uri).is_file:
        uris = [uri]
    else:
        folder = files.join(uri, "boilerplate") if "boilerplate" in files.list_names(uri) else uri
        uris = [files.join(folder, name) for name in files.list_names(folder) if name.endswith(".parquet")]
        if not uris:
            raise files.FileError(uri, "holds no boilerplate: give a run's output folder or its boilerplate/ folder")
    batches: list[pa.RecordBatch] = []
    for each in uris:
        with files.open_parquet(each) as parquet:
            if missing := [name for name in BOILERPLATE.names if name not in parquet.schema_arrow.names]:
                raise files.FileError(each, f"has no column [{missing[0]}]: it is no file of a run's boilerplate/")
            for batch in parquet.iter_batches(columns=BOILERPLATE.names):
                batches.append(batch.select(BOILERPLATE.names).cast(BOILERPLATE))
    return join_batches(BOILERPLATE, batches)


def source_hashes(sources: pa.StringArray) -> Array:
    """Hash of each source; articles without one count as of one source."""
    return string_hashes(sources.cast(pa.large_string()))


def paragraphs_of(articles: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """PARAGRAPHS of articles (``source`` and ``text``); ``first`` is the reference of the first one."""
    found, keys = _keyed_paragraphs(articles)
    some = found.near > 0
    return make_batch(PARAGRAPHS, keys[some], found.article[some].astype(np.uint64) + np.uint64(first))


def write_paragraphs(staging: Staging, shard: int, batches: Iterable[pa.RecordBatch]) -> list[Notice]:
    """Write the PARAGRAPHS of a shard by partition of their keys."""
    rows = join_batches(PARAGRAPHS, batches)
    parts = cut_by(partition_of(column(rows, "key"), staging.partitions), rows)
    return write_partitions(staging.exchange("paragraphs", shard), PARAGRAPHS, parts)


def _notices(shard: int, staging: Staging) -> list[Notice]:
    return notices_of(staging.exchange("paragraphs", shard))


def _find_repeated(notice: tuple[int, Iterable[str]], min_support: int) -> Iterator[Keyed]:
    """Paragraphs that enough articles of a source hold, by shard."""
    paragraphs = read_partition(PARAGRAPHS, notice)
    keys, refs = column(paragraphs, "key"), column(paragraphs, "ref")
    rows = recurring_rows(keys)
    keys, refs = keys[rows], refs[rows]
    # Stable: the files come by shard and hold their rows in order, so the references of a key are in order too.
    order = np.argsort(keys, kind="stable")
    keys, refs = keys[order], refs[order]
    is_new = np.ones(len(keys), bool)
    is_new[1:] = (keys[1:] != keys[:-1]) | (refs[1:] != refs[:-1])
    keys, refs = keys[is_new], refs[is_new]
    starts = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
    sizes = np.diff(starts, append=len(keys))
    often = np.repeat(sizes >= min_support, sizes)
    keys, refs = keys[often], refs[often]
    yield from cut_by((refs >> np.uint64(32)).astype(np.int64), make_batch(REPEATED, refs.astype(np.uint32), keys))


def _describe(joined: tuple[int, Iterable[pa.RecordBatch]], staging: Staging) -> list[Notice]:
    """Describe each place of a shard where a repeated paragraph stands."""
    shard, batches = joined
    uri = staging.exchange("occurrences", shard)
    if files.exists(uri):
        return notices_of(uri)
    repeated = join_batches(REPEATED, batches)
    described = [
        _occurrences(wanted, refs, column(repeated, "key"))
        for wanted, refs in _rows_of(staging.articles(shard), shard, column(repeated, "row"), ["source", "text"])
    ]
    rows = _texts_once(join_batches(OCCURRENCES, described))
    return write_partitions(uri, OCCURRENCES, cut_by(partition_of(column(rows, "key"), staging.partitions), rows))


def _rows_of(uri: str, shard: int, rows: Array, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, Array]]:
    """Some articles of a shard, in batches, with their references."""
    rows = np.unique(rows)
    for first, batch in files.read_rows(uri, rows, columns):
        begin, end = np.searchsorted(rows, [first, first + batch.num_rows])
        if begin < end:
            inside = rows[begin:end]
            yield batch.take(pa.array(inside - first)), inside.astype(np.uint64) + np.uint64(shard << 32)


def _occurrences(articles: pa.RecordBatch, refs: Array, repeated: Array) -> pa.RecordBatch:
    texts = articles.column("text")
    found, keys = _keyed_paragraphs(articles)
    is_repeated = np.isin(keys, repeated)
    sketches, elsewhere = sketch_words(texts, found, is_repeated)
    around = {
        name: neighbours(found, keys, distance)[is_repeated]
        for name, distance in (("left", -1), ("right", 1), ("far_left", -3), ("far_right", 3))
    }
    owners = found.article[is_repeated]
    offsets, utf8 = utf8_buffers(texts)
    starts = offsets[owners] + found.start[is_repeated]
    ends = offsets[owners] + found.end[is_repeated]
    paragraphs = [bytes(utf8[start:end]).decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return make_batch(
        OCCURRENCES,
        keys[is_repeated],
        refs[owners],
        string_hashes(texts)[owners],
        found.exact[is_repeated],
        *around.values(),
        elsewhere[is_repeated],
        [sketches[owner].tobytes() for owner in owners],
        articles.column("source").take(pa.array(owners)),
        paragraphs,
    )


def _keyed_paragraphs(articles: pa.RecordBatch) -> tuple[Paragraphs, Array]:
    found = hash_paragraphs(articles.column("text"))
    return found, keys_of(found.near, source_hashes(articles.column("source"))[found.article])


def _texts_once(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Leave the text of a paragraph in one row of its form, the first by the alphabet."""
    keys, exact = column(rows, "key"), column(rows, "exact")
    texts = rows.column("paragraph").to_pylist()
    best: dict[tuple[int, int], int] = {}
    for row, form in enumerate(zip(keys.tolist(), exact.tolist(), strict=True)):
        if form not in best or texts[row] < texts[best[form]]:
            best[form] = row
    told = set(best.values())
    once = pa.array([text if row in told else None for row, text in enumerate(texts)], pa.large_string())
    return rows.set_column(rows.schema.names.index("paragraph"), OCCURRENCES.field("paragraph"), once)


def _judge(notice: tuple[int, Iterable[str]], config: LedgerConfig) -> Iterator[pa.RecordBatch]:
    """Judge the repeated paragraphs of a partition; what has no sign of its own is kept if it may be a heading."""
    rows = read_partition(OCCURRENCES, notice)
    # By content, so that nothing depends on where an article stood in the input.
    order = np.lexsort((column(rows, "ref"), column(rows, "content"), column(rows, "key")))
    edges = np.flatnonzero(np.diff(column(rows, "key")[order])) + 1
    judged = [
        paragraph
        for of_one in np.split(order, edges)  # one at a time: a paragraph of all articles may be in each of them
        if (paragraph := _judge_one(rows.take(pa.array(of_one)), config)) is not None
    ]
    if judged:
        yield make_batch(JUDGED, *map(list, zip(*judged, strict=True)))


def _judge_one(rows: pa.RecordBatch, config: LedgerConfig) -> tuple[Any, ...] | None:
    contents = column(rows, "content")
    _, firsts = np.unique(contents, return_index=True)
    support = len(firsts)  # copies of one text count once
    if support < config.min_support:
        return None
    left, right = column(rows, "left"), column(rows, "right")
    diversity = diversity_of(left, column(rows, "far_left"), right, column(rows, "far_right"))
    if diversity < config.min_diversity:
        return None
    exact = column(rows, "exact")
    forms, sizes = np.unique(exact, return_counts=True)
    common = pc.equal(rows.column("exact"), pa.scalar(int(forms[sizes.argmax()]), pa.uint64()))
    text = min(rows.column("paragraph").filter(common).drop_null().to_pylist())
    sketches = rows.column("sketch").take(pa.array(firsts[:MAX_SAMPLED])).to_pylist()
    source = rows.column("source")[0].as_py()
    found = Candidate(
        source=source or "",
        text=text,
        support=support,
        diversity=diversity,
        forms=len(forms),
        coherence=coherence(np.frombuffer(b"".join(sketches), np.uint16).reshape(len(sketches), -1)),
        elsewhere=float(column(rows, "elsewhere").mean(dtype=np.float64)),
        edge=max(edge_share(left), edge_share(right)),
    )
    sign = sign_of(found, config.min_support, config.min_diversity) or None
    before, behind = _company(right), _company(left)
    if sign is None and not (heads_boilerplate(found) and (before or behind)):
        return None
    return int(column(rows, "key")[0]), source, text, support, diversity, sign, before, behind


def _company(neighbour: Array) -> int:
    """The key that stands beside a paragraph nearly always, else 0."""
    keys, sizes = np.unique(neighbour, return_counts=True)
    most = int(sizes.argmax())
    return int(keys[most]) if sizes[most] >= _MIN_COMPANY * len(neighbour) and keys[most] > EDGE else 0


def _settle(_: None, batches: Iterable[pa.RecordBatch], config: LedgerConfig) -> pa.RecordBatch:
    """Add headings that always stand beside boilerplate, and what earlier runs knew."""
    judged = join_batches(JUDGED, batches).to_pylist()
    signed = {row["key"] for row in judged if row["sign"]}
    known = [] if config.known is None else config.known.to_pylist()
    learned = {(row["source"] or "", row["paragraph"]): row for row in known}
    for row in judged:
        if not row["sign"]:
            if row["before"] not in signed and row["behind"] not in signed:
                continue
            row["sign"] = "heading"
        same = learned.get((row["source"] or "", row["paragraph"]))
        if same is None or same["support"] <= row["support"]:
            learned[row["source"] or "", row["paragraph"]] = row
    rows = [learned[place] for place in sorted(learned)]
    return make_batch(BOILERPLATE, *([row[name] for row in rows] for name in BOILERPLATE.names))


def strip_shard(shard: int, learned: pa.RecordBatch, staging: Staging) -> int:
    """Strip boilerplate from a shard's articles, into its overlay and the edits beside it."""
    sought = Sought.of(learned)
    with files.open_parquet(staging.exchange("paragraphs", shard)) as parquet:
        paragraphs = join_batches(PARAGRAPHS, parquet.iter_batches())
    refs = column(paragraphs, "ref")[np.isin(column(paragraphs, "key"), sought.keys)]
    rows = refs.astype(np.uint32)
    with (
        files.ParquetSink(staging.overlay(shard), OVERLAY, skip_empty=True, quick=True) as overlay_sink,
        files.ParquetSink(staging.overlay_edits(shard), EDITS, skip_empty=True, quick=True) as edit_sink,
    ):
        for articles, refs in _rows_of(staging.articles(shard), shard, rows, _STRIPPED_COLUMNS):
            overlay, edits = strip_batch(articles, refs.astype(np.uint32), sought)
            overlay_sink.write(overlay)
            edit_sink.write(edits)
    return shard


class Sought(NamedTuple):
    """Boilerplate as hashes."""

    keys: Array
    forms: dict[int, set[int]]
    """By key, the exact forms that are meant, where not every form is."""

    @classmethod
    def of(cls, learned: pa.RecordBatch) -> "Sought":
        """The hashes of a BOILERPLATE batch."""
        found = hash_paragraphs(learned.column("paragraph"))
        keys = keys_of(found.near, source_hashes(learned.column("source"))[found.article])
        signs = learned.column("sign").take(pa.array(found.article)).to_pylist()
        any_form = {key for key, sign in zip(keys.tolist(), signs, strict=True) if holds_numbers(sign)}
        forms: dict[int, set[int]] = {}
        for key, exact in zip(keys.tolist(), found.exact.tolist(), strict=True):
            if key not in any_form:
                forms.setdefault(key, set()).add(exact)
        return cls(np.unique(keys[keys > 0]), forms)


def strip_batch(articles: pa.RecordBatch, rows: Array, sought: Sought) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """OVERLAY and EDITS of the articles that hold boilerplate; one that holds nothing else stays as it is."""
    found, keys = _keyed_paragraphs(articles)
    first = np.searchsorted(found.article, np.arange(articles.num_rows))
    dropped: dict[int, list[int]] = {}
    for place in np.flatnonzero(np.isin(keys, sought.keys)).tolist():
        forms = sought.forms.get(int(keys[place]))
        if forms is None or int(found.exact[place]) in forms:
            owner = int(found.article[place])
            dropped.setdefault(owner, []).append(place - int(first[owner]))
    overlay: list[tuple[int, str, int, int]] = []
    edits: list[tuple[Any, ...]] = []
    for owner, numbers in dropped.items():
        text, made = strip_paragraphs(articles.column("text")[owner].as_py(), numbers)
        if made:
            done = articles.column("edit_count")[owner].as_py()
            id = articles.column("id")[owner].as_py()
            overlay.append((int(rows[owner]), text, done + len(made), len(made)))
            edits += ((id, done + number, *edit) for number, edit in enumerate(made))
    if not overlay:
        return make_batch(OVERLAY, *([] for _ in OVERLAY)), make_batch(EDITS, *([] for _ in EDITS))
    return make_batch(OVERLAY, *map(list, zip(*overlay, strict=True))), make_batch(
        EDITS, *map(list, zip(*edits, strict=True))
    )
