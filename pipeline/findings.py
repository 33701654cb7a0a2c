"""What a report tells of a finished run: small tables, read from the run's files batch by batch.

All follows from the manifest, without its history, and the rows: the same run gives the same findings. Memory does not
grow with the run but for what is counted by source, and for one shard's edits.
"""

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.layout import FOLDERS
from transforms import files
from transforms.text.decide import SAME_STORY_BASE, VERSION
from transforms.text.reasons import RejectReason

Manifest = Mapping[str, Any]
Row = dict[str, Any]
T = TypeVar("T")

FEW: Final = 10
SOME: Final = 15
"""Rows of a table at most."""
CLUSTERS: Final = 6
COPIES: Final = 5  # of a cluster that are listed
_EXAMPLES: Final = 2
_EXAMPLE_CHARACTERS: Final = 400  # read of a passage; fewer are shown
_TRIED: Final = 50  # passages of a batch that are looked at for an example

REMOVALS: Final = ("cruft", "promo", "repeat", "boilerplate")
"""Kinds of edits that take passages away; the others repair them."""
MIN_LOST: Final = 50  # words of an article, articles of a source: of fewer a share tells nothing
MIN_SOURCE: Final = 20
MIN_SHARE: Final = 0.1
"""Of its words or its articles, from which what was lost is worth a look."""
DOUBTFUL: Final = {"signs": 1.0, "threshold": 0.02}
"""Points, or similarity, by which a fold is decided at least if a person need not look at it."""
_WORD: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]|[\pL\pM\pN_]+"
"""What a token is to ``transforms.text.shingles``, as near as makes no difference here, and without its kernel."""
BINS: Final = 11
"""Of similarity: ten tenths, and 1 itself."""


class Cut(NamedTuple, Generic[T]):
    """The first rows of a table, and how many there are in all."""

    rows: Sequence[T]
    total: int

    @classmethod
    def of(cls, rows: Sequence[T], most: int) -> "Cut[T]":
        """The first ``most`` of all rows."""
        return cls(rows[:most], len(rows))

    @property
    def more(self) -> int:
        """Rows that are not here."""
        return self.total - len(self.rows)


class Source(NamedTuple):
    """What became of the articles of a source."""

    name: str | None
    articles: int
    """Kept and folded."""
    folded: int

    @property
    def share(self) -> float:
        """Folded, of all of them (0–1)."""
        return self.folded / self.articles


class Flow(NamedTuple):
    """Copies that one source ran of what was kept of another."""

    kept: str | None
    copied: str | None
    copies: int


class Rule(NamedTuple):
    """A rule of cleaning and what it did."""

    kind: str
    name: str
    edits: int
    examples: list[tuple[str, str]]
    """Before and after."""


class Reason(NamedTuple):
    """A reason of rejects, with one of them."""

    reason: str
    records: int
    input: str
    detail: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Findings:
    """All that the report shows. Rows that are a ``dict`` have the columns of the output that they were read from."""

    manifest: Manifest
    encodings: Cut[tuple[str, int]]
    """Of kept articles."""
    undated: int
    """Kept articles without a date."""
    removed: Cut[Rule]
    repaired: Cut[Rule]
    words_removed: Mapping[str, int]
    """By kind of edit, of kept and folded articles."""
    boilerplate: Cut[Row]
    sources: Cut[Source]
    """Those with most articles first."""
    lossy_sources: Cut[Source]
    """Of ``MIN_SOURCE`` articles or more, ``MIN_SHARE`` of them folded; the largest share first."""
    flows: Cut[Flow]
    """Between two sources."""
    within_source: int
    """Copies whose source is that of the kept article."""
    clusters: Cut[Row]
    """Articles with most copies first; ``copied`` says how many, ``copies`` has up to ``COPIES`` of them."""
    earlier: Cut[tuple[str, int]]
    """Copies of what earlier runs kept, by run; with an index."""
    similarity: Sequence[tuple[int, int]]
    """Folded copies by Jaccard and by containment, for each of ``BINS``."""
    close: Cut[Row]
    """Folds that were decided by the least, with ``margin``; of the kept article ``kept_title`` and ``kept_source``.

    Both are null where an earlier run, ``canonical_run``, kept it.
    """
    doubtful: int
    """Folds that were decided by less than ``DOUBTFUL``."""
    lost: Cut[Row]
    """Kept articles that ``lost`` ``MIN_LOST`` words or more, and that ``share`` of them; ``words`` are left."""
    mostly_lost: int
    """Of them, those that lost more than half."""
    rejects: Sequence[Reason]
    unreadable: Cut[Row]
    """Files that could not be read whole."""


def find(output: str, manifest: Manifest) -> Findings:
    """Read what the report tells of a run, whose files are all there.

    Raises:
        FileError: one of them cannot be read.
    """
    counts = manifest["counts"]
    folds, kept, rejects = _Folds(manifest["configuration"]), _Kept(), _Rejects()
    edits = _Edits(counts["edits_by_rule"])
    for batch in _read(output, manifest, "duplicates", folds.columns):
        folds.add(batch)
    wanted = pa.array([row["canonical_id"] for row in folds.close.rows()], pa.string())
    edited = {posixpath.basename(path): path for path in _paths(manifest, "edits")}
    for path in _paths(manifest, "articles"):
        lost = edits.add(_read_part(output, edited.pop(posixpath.basename(path), None), edits.columns))
        for batch in _read_part(output, path, kept.columns):
            kept.add(batch, lost, wanted)
    for path in edited.values():  # of shards that kept nothing
        edits.add(_read_part(output, path, edits.columns))
    for batch in _read(output, manifest, "rejects", rejects.columns):
        rejects.add(batch)
    boilerplate = _Top(SOME, support="descending", source="ascending", paragraph="ascending")
    for batch in _read(output, manifest, "boilerplate", ["source", "paragraph", "support", "diversity", "sign"]):
        boilerplate.add(batch)

    sources = [
        Source(name, kept.sources[name] + folds.sources[name], folds.sources[name])
        for name in sorted({*kept.sources, *folds.sources}, key=_by_name)
    ]
    lossy = [source for source in sources if source.articles >= MIN_SOURCE and source.share >= MIN_SHARE]
    flows = [Flow(*pair, copies) for pair, copies in sorted(kept.flows.items(), key=lambda item: _by_flow(*item))]
    return Findings(
        manifest=manifest,
        encodings=Cut.of(_by_count(kept.encodings), FEW),
        undated=kept.undated,
        removed=edits.removed,
        repaired=edits.repaired,
        words_removed=dict(sorted(edits.words.items())),
        boilerplate=boilerplate.cut(),
        sources=Cut.of(sorted(sources, key=lambda source: -source.articles), SOME),
        lossy_sources=Cut.of(sorted(lossy, key=lambda source: (-source.share, -source.articles)), FEW),
        flows=Cut.of([flow for flow in flows if flow.kept != flow.copied], SOME),
        within_source=sum(flow.copies for flow in flows if flow.kept == flow.copied),
        clusters=Cut([row | {"copies": row["copies"][:COPIES]} for row in kept.clusters.rows()], kept.clusters.seen),
        earlier=Cut.of(_by_count(folds.earlier), FEW),
        similarity=list(zip(*(folds.bins[name].tolist() for name in ("jaccard", "containment")), strict=True)),
        close=Cut(
            [_ELSEWHERE | row | kept.wanted.get(row["canonical_id"], {}) for row in folds.close.rows()],
            folds.close.seen,
        ),
        doubtful=folds.doubtful,
        lost=kept.lost.cut(),
        mostly_lost=kept.mostly_lost,
        rejects=rejects.reasons(counts["rejected_by_reason"]),
        unreadable=Cut(rejects.unreadable, counts["rejected_by_reason"].get("unreadable_file", 0)),
    )


def _paths(manifest: Manifest, folder: str) -> list[str]:
    assert folder in FOLDERS
    return [entry["path"] for entry in manifest["files"] if entry["path"].startswith(f"{folder}/")]


def _read(output: str, manifest: Manifest, folder: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for path in _paths(manifest, folder):
        yield from _read_part(output, path, columns)


def _read_part(output: str, path: str | None, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns of a part, or those of them that it has; nothing where there is no part."""
    if path is not None:
        yield from files.read_parquet(files.join(output, *path.split("/")), columns, files.ROW_GROUP_ROWS)


class _Top:
    """The rows that come first in an order, of all batches that are added."""

    def __init__(self, most: int, **order: str) -> None:
        self._most = most
        self._order = list(order.items())
        self._rows: pa.Table | None = None
        self.seen = 0

    def add(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        self.seen += batch.num_rows
        rows = (
            pa.Table.from_batches([batch])
            if self._rows is None
            else pa.concat_tables([self._rows, pa.Table.from_batches([batch])])
        )
        self._rows = rows.take(pc.select_k_unstable(rows, self._most, self._order))

    def rows(self) -> list[Row]:
        found: list[Row] = [] if self._rows is None else self._rows.to_pylist()
        return found

    def cut(self) -> Cut[Row]:
        return Cut(self.rows(), self.seen)


_ELSEWHERE: Final[Row] = dict.fromkeys(("canonical_run", "kept_title", "kept_source"))
"""Of a fold, unless its run has an index, or its kept article is here."""


class _Folds:
    """What ``duplicates`` tell."""

    columns = (
        "id",
        "title",
        "source",
        "url",
        "relation",
        "jaccard",
        "containment",
        "canonical_id",
        "signs",
        "canonical_run",
    )

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._configuration = configuration
        self.sources: Counter[str | None] = Counter()
        self.earlier: Counter[str] = Counter()
        self.bins = {name: np.zeros(BINS, np.int64) for name in ("jaccard", "containment")}
        self.close = _Top(FEW, margin="ascending", id="ascending")
        self.doubtful = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.sources.update(_counts(batch.column("source")))
        if "canonical_run" in batch.schema.names:
            self.earlier.update(_counts(batch.column("canonical_run").drop_null()))
        for name, bins in self.bins.items():
            tenths = np.floor(batch.column(name).drop_null().to_numpy() * (BINS - 1)).astype(np.int64)
            bins += np.bincount(tenths, minlength=BINS)
        decide = self._configuration["decide"]
        margin = self._by_signs(batch) if decide == "signs" else self._by_threshold(batch)
        batch = batch.append_column("margin", margin).drop_columns("signs")
        batch = batch.filter(pc.and_(pc.not_equal(batch.column("relation"), "exact"), pc.is_valid(margin)))
        self.close.add(batch)
        self.doubtful += pc.sum(pc.less(batch.column("margin"), DOUBTFUL[decide])).as_py() or 0

    def _by_signs(self, batch: pa.RecordBatch) -> pa.Array:
        """Points for one story, beyond those that it takes; null where no sign was needed."""
        signs = batch.column("signs")
        points = pc.if_else(
            pc.is_in(pc.struct_field(signs.flatten(), "name"), pa.array(VERSION)),
            0.0,
            pc.struct_field(signs.flatten(), "points").cast(pa.float64()),
        )
        sums = np.bincount(pc.list_parent_indices(signs), points.to_numpy(), minlength=batch.num_rows)
        return pa.array(SAME_STORY_BASE + sums, mask=signs.is_null().to_numpy(zero_copy_only=False))

    def _by_threshold(self, batch: pa.RecordBatch) -> pa.Array:
        """How far the nearer of the two thresholds is surpassed."""
        return pc.max_element_wise(
            pc.subtract(batch.column("jaccard"), self._configuration["threshold"]),
            pc.subtract(batch.column("containment"), self._configuration["containment"]),
        )


class _Kept:
    """What ``articles`` tell of those that were kept."""

    _always = ("id", "url", "source", "title", "published", "encoding", "words", "copies")
    columns = (*_always, "canonical_id", "canonical_run")  # these two with --keep all and --index

    def __init__(self) -> None:
        self.sources: Counter[str | None] = Counter()
        self.encodings: Counter[str] = Counter()
        self.flows: Counter[tuple[str | None, str | None]] = Counter()
        self.undated = self.mostly_lost = 0
        self.clusters = _Top(CLUSTERS, copied="descending", id="ascending")
        self.lost = _Top(FEW, share="descending", lost="descending", id="ascending")
        self.wanted: dict[str, Row] = {}

    def add(self, batch: pa.RecordBatch, lost: pa.Table, wanted: pa.Array) -> None:
        """``lost`` has the words that articles of the batch lost, by id; of ``wanted`` ids the title is remembered."""
        if "canonical_id" in batch.schema.names:
            is_kept = pc.equal(batch.column("id"), batch.column("canonical_id"))
            if "canonical_run" in batch.schema.names:
                is_kept = pc.and_(is_kept, pc.is_null(batch.column("canonical_run")))
            batch = batch.filter(is_kept).select(self._always)
        self.sources.update(_counts(batch.column("source")))
        self.encodings.update(_counts(batch.column("encoding")))
        self.undated += batch.column("published").null_count
        self._add_clusters(batch)
        self._add_lost(batch, lost)
        for row in batch.filter(pc.is_in(batch.column("id"), wanted)).select(["id", "title", "source"]).to_pylist():
            self.wanted[row["id"]] = {"kept_title": row["title"], "kept_source": row["source"]}

    def _add_clusters(self, batch: pa.RecordBatch) -> None:
        copied = pc.list_value_length(batch.column("copies"))
        led = batch.append_column("copied", copied).filter(pc.greater(copied, 0))
        self.clusters.add(led)
        copies = led.column("copies")
        kept = led.column("source").take(pc.list_parent_indices(copies))
        pairs = pa.table({"kept": kept, "copied": pc.struct_field(copies.flatten(), "source")})
        for row in pairs.group_by(["kept", "copied"], use_threads=False).aggregate([([], "count_all")]).to_pylist():
            self.flows[row["kept"], row["copied"]] += row["count_all"]

    def _add_lost(self, batch: pa.RecordBatch, lost: pa.Table) -> None:
        words = lost.column("words").take(pc.index_in(batch.column("id"), lost.column("id")))
        share = pc.divide(words.cast(pa.float64()), pc.add(words, batch.column("words")))
        batch = batch.drop_columns("copies").append_column("lost", words.combine_chunks())
        batch = batch.append_column("share", share.combine_chunks())
        is_much = pc.and_(pc.greater_equal(words, MIN_LOST), pc.greater_equal(share, MIN_SHARE))
        batch = batch.filter(is_much)
        self.lost.add(batch)
        self.mostly_lost += pc.sum(pc.greater(batch.column("share"), 0.5)).as_py() or 0


class _Edits:
    """What ``edits`` tell: how many words were taken away, from which article, and how that looks."""

    columns = ("id", "kind", "rule", "before", "after")

    def __init__(self, by_rule: Mapping[str, int]) -> None:
        """``by_rule`` is of the manifest: ``{"cruft/en/share-bar": 3}``."""
        split = [(rule.partition("/"), edits) for rule, edits in _by_count(by_rule)]
        rules = [Rule(kind, name, edits, []) for (kind, _, name), edits in split]
        self.removed = Cut.of([rule for rule in rules if rule.kind in REMOVALS], SOME)
        self.repaired = Cut.of([rule for rule in rules if rule.kind not in REMOVALS], SOME)
        self.words: Counter[str] = Counter()

    def add(self, part: Iterable[pa.RecordBatch]) -> pa.Table:
        """The edits of a part; returned is how many ``words`` each article lost there, by its ``id``."""
        losses = pa.concat_tables([_NO_LOSS, *map(self._add, part)]).group_by("id", use_threads=False)
        return losses.aggregate([("words", "sum")]).select(["id", "words_sum"]).rename_columns(["id", "words"])

    def _add(self, batch: pa.RecordBatch) -> pa.Table:
        for rule in (*self.removed.rows, *self.repaired.rows):
            if len(rule.examples) < _EXAMPLES:
                _add_examples(rule, batch)
        taken = batch.filter(pc.is_in(batch.column("kind"), pa.array(REMOVALS)))
        words = pc.count_substring_regex(taken.column("before"), _WORD).cast(pa.int64())
        losses = pa.table({"id": taken.column("id"), "kind": taken.column("kind"), "words": words})
        for row in losses.group_by("kind", use_threads=False).aggregate([("words", "sum")]).to_pylist():
            self.words[row["kind"]] += row["words_sum"]
        return losses.select(_NO_LOSS.schema.names)


def _add_examples(rule: Rule, batch: pa.RecordBatch) -> None:
    is_of_rule = pc.and_(pc.equal(batch.column("kind"), rule.kind), pc.equal(batch.column("rule"), rule.name))
    found = batch.filter(is_of_rule).slice(0, _TRIED)
    sides = (pc.utf8_slice_codeunits(found.column(side), 0, _EXAMPLE_CHARACTERS) for side in ("before", "after"))
    for example in zip(*(side.to_pylist() for side in sides), strict=True):
        if example not in rule.examples and len(rule.examples) < _EXAMPLES:
            rule.examples.append(example)


_NO_LOSS: Final = pa.table({"id": pa.array([], pa.string()), "words": pa.array([], pa.int64())})


class _Rejects:
    """What ``rejects`` tell."""

    columns = ("input", "reason", "detail")

    def __init__(self) -> None:
        self.unreadable: list[Row] = []
        self._first: dict[str, Row] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        for reason in pc.unique(batch.column("reason")).to_pylist():
            of_reason = batch.filter(pc.equal(batch.column("reason"), reason)).slice(0, FEW).to_pylist()
            self._first.setdefault(reason, of_reason[0])
            if reason == RejectReason.UNREADABLE_FILE:
                self.unreadable += of_reason[: FEW - len(self.unreadable)]

    def reasons(self, counts: Mapping[str, int]) -> list[Reason]:
        """The most frequent first, each with its first record."""
        return [
            Reason(reason, records, self._first[reason]["input"], self._first[reason]["detail"])
            for reason, records in _by_count(counts)
        ]


def _counts(values: pa.Array) -> dict[Any, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(values).to_pylist()}


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, of equally frequent ones in the order of their names."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _by_name(name: str | None) -> tuple[bool, str]:
    """An order in which no name comes last."""
    return name is None, name or ""


def _by_flow(pair: tuple[str | None, str | None], copies: int) -> tuple[Any, ...]:
    return -copies, *map(_by_name, pair)
