"""Scores deduplication against labelled pairs or clusters: what was folded that should not be, and what was missed.

**Labels** are one of three files, told apart by their columns; ``.jsonl`` and ``.parquet`` both do.

* Judged pairs: ``id_a``, ``id_b``, ``merge`` and, if there is one, ``label``. ``yes`` (a copy) and ``version`` (another
  version of one story) are to be folded, ``no`` is to be kept apart. ``containment`` (a story embedded in a longer
  article) is right as an ``excerpt`` and right kept apart, so it is left out of precision and recall unless it is
  folded as something else, which counts as a false merge.
* Truth pairs: ``id_a``, ``id_b``, ``jaccard``, ``containment``. Pairs at or over either threshold are to be folded; of
  the others nothing is known, so they are left out, and a precision from such a file says nothing.
* Clusters: ``id``, ``cluster`` (or ``story``) and, if there is one, ``kind``. Two articles of one cluster are to be
  folded, all others kept apart: a copy whose canonical article is of another cluster is a false merge.

**A pair is folded** when both articles have one canonical article, be it one of the two. Its relation is that of the
copy, where the other is its canonical article, and otherwise ``sibling``. Pairs of which an article is not in the
output (rejected, or never read) are counted as ``unknown`` and left out.

**Clusters are compared** over the labelled articles that are in the output: by the adjusted Rand index (Hubert and
Arabie 1985) and by B-cubed precision and recall (Bagga and Baldwin 1998). From pairs, the true clusters are the
components of the pairs that are to be folded.
"""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.standing import finished_manifest
from transforms import files
from transforms.errors import UsageError
from transforms.text.clean import Cleaner
from transforms.text.dates import parse_published
from transforms.text.decide import Article, Decision, Reading, decide_readings, read
from transforms.text.repetition_kernel import find_repetition
from transforms.text.unionfind import connected_components

FOLD, APART, EMBEDDED = "fold", "apart", "embedded"
DIFFERENT: Final = "different"
_EXPECTED: Final = {"yes": FOLD, "version": FOLD, "no": APART, "containment": EMBEDDED}
BANDS: Final = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0)
"""Lower ends, of Jaccard; the last holds the pairs at 1."""
_MIN_EXCERPT_SHINGLES = 50  # as in the truth files: shorter articles are contained by chance


class LabelledPair(NamedTuple):
    """Two articles and what ought to become of them."""

    id_a: str
    id_b: str
    expected: str
    """FOLD, APART or EMBEDDED."""
    label: str
    jaccard: float | None


class Labels(NamedTuple):
    """What is known: pairs, and the cluster of each article."""

    pairs: list[LabelledPair]
    clusters: dict[str, Hashable]
    kinds: dict[str, str] | None = None
    """What each article is, where the clusters are the labels; None where pairs are, so that others are not known."""


class Found(NamedTuple):
    """What was made of one labelled pair."""

    pair: LabelledPair
    relation: str
    decision: Decision | None
    """None for a pair of a run."""

    @property
    def is_folded(self) -> bool:
        """Whether the two articles are folded."""
        return self.relation != DIFFERENT

    @property
    def is_miss(self) -> bool:
        """Whether they should have been."""
        return self.pair.expected == FOLD and not self.is_folded

    @property
    def is_false_merge(self) -> bool:
        """Whether they should not have been."""
        if self.pair.expected == EMBEDDED:
            return self.relation not in (DIFFERENT, "excerpt")
        return self.pair.expected == APART and self.is_folded


class Predictions(NamedTuple):
    """What is to be scored."""

    relation: Callable[[LabelledPair], tuple[str, Decision | None] | None]
    """None for a pair of which an article is unknown."""
    cluster: Callable[[str], Hashable | None] | None
    """None where there are only pairs."""
    article: Callable[[str], Article | None]


class PairScore(NamedTuple):
    """Counts of pairs.

    >>> score = PairScore(folded=45, missed=5, false=0)
    >>> score.precision, score.recall, round(score.f1, 3)
    (1.0, 0.9, 0.947)
    """

    folded: int = 0
    """Rightly."""
    missed: int = 0
    false: int = 0

    @property
    def precision(self) -> float:
        """Of the folded pairs, those that should be; 1 if none is."""
        return _ratio(self.folded, self.folded + self.false)

    @property
    def recall(self) -> float:
        """Of the pairs that should be, those that are folded; 1 if there are none."""
        return _ratio(self.folded, self.folded + self.missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return _ratio(2 * self.folded, 2 * self.folded + self.missed + self.false)

    def to_dict(self) -> dict[str, float]:
        """Counts and shares."""
        return {**self._asdict(), "precision": self.precision, "recall": self.recall, "f1": self.f1}


class ClusterScore(NamedTuple):
    """How alike two clusterings of the same articles are."""

    articles: int
    adjusted_rand: float
    bcubed_precision: float
    bcubed_recall: float


class DedupScore(NamedTuple):
    """All that :func:`evaluate_dedup` finds."""

    found: list[Found]
    unknown: int
    """Pairs of which an article is not in the output."""
    clusters: ClusterScore | None
    knows_false: bool = True
    """Whether the labels say of any article which others it does not belong with."""

    def score(self, keep: Callable[[Found], bool] = lambda _: True) -> PairScore:
        """Counts over the pairs that ``keep`` lets through."""
        kept = list(filter(keep, self.found))
        return PairScore(
            sum(found.pair.expected == FOLD and found.is_folded for found in kept),
            sum(found.is_miss for found in kept),
            sum(found.is_false_merge for found in kept),
        )

    def worst(self, count: int) -> list[Found]:
        """Misses that are the most alike and false merges that are the least alike, in turn."""
        misses = sorted((found for found in self.found if found.is_miss), key=_likeness, reverse=True)
        merges = sorted((found for found in self.found if found.is_false_merge), key=_likeness)
        turns = [found for place in range(count) for found in (*misses[place:][:1], *merges[place:][:1])]
        return turns[:count]

    def to_dict(self, worst: int = 0) -> dict[str, Any]:
        """For ``--json``."""
        relations: dict[str, dict[str, int]] = {}
        for found in self.found:
            counts = relations.setdefault(found.pair.label, {})
            counts[found.relation] = counts.get(found.relation, 0) + 1
        return {
            "pairs": len(self.found),
            "unknown": self.unknown,
            **self.score().to_dict(),
            "by_band": {
                band: self.score(lambda found, band=band: _band(found) == band).to_dict()  # type: ignore[misc]
                for band in sorted({_band(found) for found in self.found})
            },
            "relations": {label: dict(sorted(counts.items())) for label, counts in sorted(relations.items())},
            "clusters": self.clusters._asdict() if self.clusters else None,
            "worst": [
                {
                    **found.pair._asdict(),
                    "relation": found.relation,
                    "score": found.decision.score if found.decision else None,
                    "signs": {sign.name: sign.points for sign in found.decision.signs} if found.decision else None,
                }
                for found in self.worst(worst)
            ],
        }


def evaluate_dedup(labels: Labels, predictions: Predictions) -> DedupScore:
    """Hold what was predicted against the labels."""
    found: list[Found] = []
    unknown = 0
    for pair in labels.pairs:
        predicted = predictions.relation(pair)
        if predicted is None:
            unknown += 1
        else:
            found.append(Found(pair, *predicted))
    clusters = None
    if predictions.cluster is not None:
        clustered = {article_id: predictions.cluster(article_id) for article_id in labels.clusters}
        known = [article_id for article_id, cluster in clustered.items() if cluster is not None]
        if labels.kinds is not None:
            for pair in _false_merges(labels.clusters, labels.kinds, clustered):
                found.append(Found(pair, *(predictions.relation(pair) or (DIFFERENT, None))))
        clusters = compare_clusters([labels.clusters[name] for name in known], [clustered[name] for name in known])
    knows_false = labels.kinds is not None or any(pair.expected != FOLD for pair in labels.pairs)
    return DedupScore(found, unknown, clusters, knows_false)


def compare_clusters(truth: Sequence[Hashable], predicted: Sequence[Hashable]) -> ClusterScore:
    """Adjusted Rand index and B-cubed of two clusterings; item i is in ``truth[i]`` and in ``predicted[i]``.

    >>> score = compare_clusters(["a", "a", "a", "b"], [1, 1, 2, 2])
    >>> round(score.adjusted_rand, 3), score.bcubed_precision, round(score.bcubed_recall, 3)
    (0.0, 0.75, 0.667)
    """
    cells = Counter(zip(truth, predicted, strict=True))
    rows, columns = Counter(truth), Counter(predicted)
    count = len(truth)
    together = sum(_pairs(size) for size in cells.values())
    in_truth, in_predicted = (sum(map(_pairs, sizes.values())) for sizes in (rows, columns))
    by_chance = in_truth * in_predicted / _pairs(count) if count > 1 else 0.0
    most = (in_truth + in_predicted) / 2
    rand = (together - by_chance) / (most - by_chance) if most != by_chance else 1.0
    precision = sum(size * size / columns[column] for (_, column), size in cells.items())
    recall = sum(size * size / rows[row] for (row, _), size in cells.items())
    return ClusterScore(count, rand, *(value / count if count else 1.0 for value in (precision, recall)))


def read_labels(path: str, threshold: float, containment: float) -> Labels:
    """Labels of any of the three kinds; the thresholds say which truth pairs are to be folded.

    Raises ``UsageError`` for a file that is none of them.
    """
    rows = _read_rows(path)
    columns = set(rows[0]) if rows else set()
    if "id" in columns and (named := {"cluster", "story"} & columns):
        name = min(named)
        clusters: dict[str, Hashable] = {str(row["id"]): row[name] for row in rows}
        kinds = {str(row["id"]): str(row.get("kind") or "one cluster") for row in rows}
        return Labels(_pairs_of_clusters(clusters, kinds), clusters, kinds)
    if {"id_a", "id_b", "merge"} <= columns:
        pairs = [_judged_pair(path, row) for row in rows]
    elif {"id_a", "id_b", "jaccard", "containment"} <= columns:
        pairs = [pair for row in rows if (pair := _truth_pair(row, threshold, containment))]
    else:
        raise UsageError(
            f"[{path}] has the columns [{', '.join(sorted(columns))}], expected id_a, id_b and merge, or id_a, id_b, "
            "jaccard and containment, or id and cluster"
        )
    return Labels(pairs, _clusters_of_pairs(pairs))


def predictions_of_run(output: str) -> Predictions:
    """What a finished run decided. Raises ``UsageError`` where there is none."""
    finished_manifest(output)
    canonical: dict[str, tuple[str | None, str]] = {}  # run, null for this one, and id
    relations: dict[tuple[str, str], str] = {}
    articles: dict[str, Article] = {}
    shown = ["id", "title", "source", "url", "published"]
    for row in _rows_of(output, "articles", [*shown, "text"]):
        canonical.setdefault(row["id"], (None, row["id"]))
        articles[row["id"]] = _article(row)
    for row in _rows_of(output, "duplicates", [*shown, "canonical_id", "canonical_run", "relation"]):
        run = row.get("canonical_run")  # with an index only
        canonical[row["id"]] = run, row["canonical_id"]
        if run is None:
            relations[row["id"], row["canonical_id"]] = row["relation"]
        articles.setdefault(row["id"], _article({**row, "text": ""}))

    def relation(pair: LabelledPair) -> tuple[str, None] | None:
        a, b = pair.id_a, pair.id_b
        if a not in canonical or b not in canonical:
            return None
        if canonical[a] != canonical[b]:
            return DIFFERENT, None
        return relations.get((a, b)) or relations.get((b, a)) or "sibling", None

    return Predictions(relation, canonical.get, articles.get)


def predictions_of_articles(path: str, labels: Labels) -> Predictions:
    """Every labelled pair decided from the articles themselves, cleaned as in a run.

    ``path`` is Parquet with ``id`` and ``text``, and ``title``, ``source``, ``url`` and ``date`` or ``published`` if
    there are such; a folder, or a file. Raises ``UsageError`` where it is not.
    """
    wanted = pa.array({name for pair in labels.pairs for name in (pair.id_a, pair.id_b)}, pa.string())
    cleaner = Cleaner(find=find_repetition)
    readings: dict[str, Reading] = {}
    for part in sorted(Path(path).glob("*.parquet")) if Path(path).is_dir() else [Path(path)]:
        table = _read_table(part)
        if not {"id", "text"} <= set(table.column_names):
            raise UsageError(f"[{part}] has no columns id and text; it has [{', '.join(table.column_names)}]")
        ids = table.column("id").cast(pa.string())
        for row in (
            table.set_column(table.column_names.index("id"), "id", ids).filter(pc.is_in(ids, wanted)).to_pylist()
        ):
            readings[row["id"]] = read(_article({**row, "text": cleaner.clean(row["text"] or "").text}))

    def relation(pair: LabelledPair) -> tuple[str, Decision] | None:
        if pair.id_a not in readings or pair.id_b not in readings:
            return None
        decision = decide_readings(readings[pair.id_a], readings[pair.id_b])
        return decision.relation, decision

    def article(article_id: str) -> Article | None:
        return readings[article_id].article if article_id in readings else None

    return Predictions(relation, None, article)


def _judged_pair(path: str, row: Mapping[str, Any]) -> LabelledPair:
    if row["merge"] not in _EXPECTED:
        raise UsageError(f"[{path}] has a pair with merge [{row['merge']}], expected one of {', '.join(_EXPECTED)}")
    label = str(row.get("label") or row["merge"])
    return LabelledPair(str(row["id_a"]), str(row["id_b"]), _EXPECTED[row["merge"]], label, row.get("jaccard"))


def _truth_pair(row: Mapping[str, Any], threshold: float, containment: float) -> LabelledPair | None:
    is_long = min(row.get("n_a") or _MIN_EXCERPT_SHINGLES, row.get("n_b") or _MIN_EXCERPT_SHINGLES)
    if row["jaccard"] >= threshold:
        label = "near"
    elif row["containment"] >= containment and is_long >= _MIN_EXCERPT_SHINGLES:
        label = "excerpt"
    else:
        return None
    return LabelledPair(str(row["id_a"]), str(row["id_b"]), FOLD, label, row["jaccard"])


def _pairs_of_clusters(clusters: Mapping[str, Hashable], kinds: Mapping[str, str]) -> list[LabelledPair]:
    """All pairs inside clusters, each named after the kind of its later article; between clusters are too many."""
    members: dict[Hashable, list[str]] = {}
    for article_id, cluster in clusters.items():
        members.setdefault(cluster, []).append(article_id)
    return [LabelledPair(a, b, FOLD, kinds[b], None) for ids in members.values() for a, b in combinations(ids, 2)]


def _false_merges(
    clusters: Mapping[str, Hashable], kinds: Mapping[str, str], found: Mapping[str, Hashable | None]
) -> Iterator[LabelledPair]:
    """Of each cluster that was found, its first article with each one of another true cluster."""
    first: dict[Hashable, str] = {}
    for article_id, cluster in found.items():
        if cluster is not None and clusters[first.setdefault(cluster, article_id)] != clusters[article_id]:
            yield LabelledPair(first[cluster], article_id, APART, kinds[article_id], None)


def _clusters_of_pairs(pairs: Iterable[LabelledPair]) -> dict[str, Hashable]:
    pairs = list(pairs)
    numbers: dict[str, int] = {}
    for pair in pairs:
        for name in (pair.id_a, pair.id_b):
            numbers.setdefault(name, len(numbers))
    edges = [(numbers[pair.id_a], numbers[pair.id_b]) for pair in pairs if pair.expected == FOLD]
    left, right = (np.array([edge[side] for edge in edges], np.uint64) for side in (0, 1))
    found = connected_components(left, right)
    component = dict(zip(found.nodes.tolist(), found.component.tolist(), strict=True))
    return {name: component.get(number, number) for name, number in numbers.items()}


def _read_rows(path: str) -> list[dict[str, Any]]:
    if path.endswith(".parquet"):
        return _read_table(Path(path)).to_pylist()  # type: ignore[no-any-return]
    try:
        # Not by splitlines, which parts a line at what may stand inside of its strings, as U+2028.
        return [json.loads(line) for line in Path(path).read_text("utf-8").split("\n") if line.strip()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"[{path}] is no JSON Lines file: {error}; expected .jsonl or .parquet") from None


def _read_table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise UsageError(f"[{path}] is no Parquet file: {error}") from None


def _rows_of(output: str, folder: str, columns: Sequence[str]) -> Iterable[dict[str, Any]]:
    for name in files.list_names(files.join(output, folder)):
        for batch in files.read_parquet(files.join(output, folder, name), columns):
            yield from batch.to_pylist()


def _article(row: Mapping[str, Any]) -> Article:
    published = row["published"] if "published" in row else row.get("date")
    return Article(row["text"], row.get("title"), row.get("source"), row.get("url"), parse_published(published))


def _likeness(found: Found) -> float:
    if found.decision:
        return found.decision.score
    return found.pair.jaccard if found.pair.jaccard is not None else 0.5


def _band(found: Found) -> str:
    if found.pair.jaccard is None:
        return "unknown"
    low = max(band for band in BANDS if band <= found.pair.jaccard)
    return f"{low:.1f}"


def _pairs(size: int) -> int:
    return size * (size - 1) // 2


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
