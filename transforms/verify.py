"""Verify: every copy is confirmed against the article it is folded into, from the two texts themselves."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.config import DedupConfig
from transforms.errors import RunFailedError
from transforms.exchange import Notice, read_partition, write_partitions
from transforms.index import FIRST_SHARD, Index
from transforms.schemas import DECISIONS, MEMBER_ARTICLES, MEMBERS, RENAMES
from transforms.sign import Keyed
from transforms.staged import read_articles, with_rows
from transforms.staging import Staging
from transforms.text.decide import SAME_STORY, Article, DecisionThresholds
from transforms.text.leaders import CANONICAL, EXACT, EXCERPT, NEAR, Thresholds, cluster_by_leader, match_earlier
from transforms.text.shingles import shingle_hashes, token_counts, tokens
from transforms.text.stories import MIN_JACCARD, Match, Reach, Verdict, find_stories, is_later_version, match_stories

RELATIONS: Final = {EXACT: "exact", NEAR: "near", EXCERPT: "excerpt"}

_COLUMNS = ["id", "url", "source", "title", "published", "words", "text"]
_CLUSTER = ["cluster_id", "cluster_run"]  # of articles of the index
MIN_HELD: Final = 20
"""Articles in a cluster from which its text has to have some variety."""
MIN_VARIETY: Final = 10
"""Different words (characters, where a script has no spaces); fewer are a caption or an empty page, not a story."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclasses.dataclass(eq=False, kw_only=True)
class FetchMembers(beam.PTransform):
    """Rows with candidates, by shard, in; notices of what verification needs of them, by partition of components, out.

    In: ``{"members": (12, MEMBERS batch), "renames": (12, RENAMES batch)}`` · out: ``(7, "…/members-00012.parquet")``,
    MEMBER_ARTICLES with their texts, which therefore never cross a shuffle.
    """

    staging: Staging
    index: Index | None = None

    def expand(self, by_shard: Any) -> beam.PCollection[Notice]:
        """Join by shard, then copy the shard's rows."""
        return (
            by_shard
            | "JoinByShard" >> beam.CoGroupByKey()
            | "WriteMembers" >> beam.FlatMap(_write_members, self.staging, self.index).with_output_types(Notice)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class VerifyComponents(beam.PTransform):
    """Notices of MEMBER_ARTICLES in; out, by shard, what was decided of each that has a copy or is one.

    In: ``(7, "…/members-00012.parquet")`` · out: ``(12, DECISIONS batch)``. ``relation`` is null for the article that
    is kept; its ``copies`` name those folded into it, and its ``embeds`` those that it quotes whole.

    Of articles of the index nothing is decided: they stand. A new article that is a copy of one is folded into it, and
    ``canonical_run`` says whose it is. One that says more, because it is a later version or contains the earlier
    article, is kept, in the cluster of the earlier one.
    """

    config: DedupConfig
    index: Index | None = None

    def expand(self, members: beam.PCollection[Notice]) -> beam.PCollection[Keyed]:
        """Group by partition of components, then cluster each component."""
        return (
            members
            | "GroupComponents" >> beam.GroupByKey()
            | "ClusterEach" >> beam.FlatMap(_decisions, self.config, self.index).with_output_types(Keyed)
        )


def renamed(article_id: str, ordinal: int) -> str:
    """The id of the ``ordinal``-th article that came with one id: ``abc~2``."""
    return f"{article_id}~{ordinal}"


def rename(ids: pa.StringArray, first_row: int, renames: dict[int, int]) -> pa.StringArray:
    """Ids of consecutive rows, the repeated ones renamed; ``renames`` maps a row to its ordinal."""
    rows = range(first_row, first_row + len(ids))
    if not any(row in rows for row in renames):
        return ids
    values = ids.to_pylist()
    named = (renamed(id, renames[row]) if row in renames else id for row, id in zip(rows, values, strict=True))
    return pa.array(named, pa.string())


def renames_by_row(batches: Iterable[pa.RecordBatch]) -> dict[int, int]:
    """``{row: ordinal}`` of the RENAMES batches of one shard."""
    table = join_batches(RENAMES, batches)
    return dict(zip(table.column("row").to_pylist(), table.column("ordinal").to_pylist(), strict=True))


def _write_members(
    joined: tuple[int, dict[str, Iterable[pa.RecordBatch]]], staging: Staging, index: Index | None = None
) -> Iterator[Notice]:
    shard, by_tag = joined
    members = join_batches(MEMBERS, by_tag["members"])
    if not members.num_rows:
        return
    renames = renames_by_row(by_tag["renames"])
    rows, components = column(members, "row"), column(members, "component")
    order = np.argsort(rows)
    rows, components = rows[order], components[order]
    found: list[pa.RecordBatch] = []
    if index is not None and shard >= FIRST_SHARD:
        batches = index.read_rows(shard, rows, [*_COLUMNS, *_CLUSTER])
    else:
        batches = with_rows(read_articles(staging, shard, [name for name in _COLUMNS if name != "words"]))
    for first, batch in batches:
        begin, end = np.searchsorted(rows, [first, first + batch.num_rows])
        if begin < end:
            inside = pa.array(rows[begin:end] - first)
            columns = {name: batch.column(name).take(inside) for name in batch.schema.names}
            for name in _CLUSTER:
                columns.setdefault(name, pa.nulls(len(inside), pa.string()))
            columns.setdefault("words", token_counts(columns["text"]))
            columns["id"] = rename(batch.column("id"), first, renames).take(inside)
            columns["component"] = components[begin:end]
            columns["ref"] = (np.uint64(shard) << np.uint64(32)) | rows[begin:end].astype(np.uint64)
            found.append(make_batch(MEMBER_ARTICLES, *(columns[name] for name in MEMBER_ARTICLES.names)))
    articles = join_batches(MEMBER_ARTICLES, found)
    partitions = (column(articles, "component") % staging.partitions).astype(np.int64)
    yield from write_partitions(staging.exchange("members", shard), MEMBER_ARTICLES, cut_by(partitions, articles))


def _decisions(notice: tuple[int, Iterable[str]], config: DedupConfig, index: Index | None = None) -> Iterator[Keyed]:
    members = read_partition(MEMBER_ARTICLES, notice)
    # Rows sorted by component, inside a component canonical first; by content alone, never by place in the input.
    texts = members.column("text")
    articles = members.drop_columns(["text"]).to_pylist()
    for article, text in zip(articles, texts, strict=True):
        article["text_hash"] = blake2b(text.as_buffer(), digest_size=16).digest()
    order = canonical_order(articles, config)
    components = column(members, "component")[order]
    edges = np.flatnonzero(np.diff(components)) + 1
    rows: list[dict[str, Any]] = []
    for begin, end in zip([0, *edges], [*edges, len(order)], strict=True):
        inside = order[begin:end]
        of_component = [articles[row] for row in inside]
        for article, row in zip(of_component, inside, strict=True):
            article["text"] = texts[row].as_py()
        rows += _cluster_with_index(of_component, config, index)
        for article in of_component:
            del article["text"]
    if rows:
        refs = np.array([row["ref"] for row in rows], np.uint64)
        columns = ([row[name] for row in rows] for name in DECISIONS.names[1:])
        batch = make_batch(DECISIONS, refs.astype(np.uint32), *columns)
        yield from cut_by((refs >> np.uint64(32)).astype(np.int64), batch)


def canonical_order(articles: list[dict[str, Any]], config: DedupConfig) -> list[int]:
    """Rows by component and, within one, in the order in which ``--canonical`` prefers them: the first is kept.

    Articles of the index come first. Undated articles come after dated ones; ties fall to the longer, then to the id,
    at last to the text. Versions of an article (one URL of one source) stand together where the first of them belongs,
    the latest in front.
    """

    def key(article: dict[str, Any]) -> tuple[Any, ...]:
        published, words = article["published"] or _NEVER, -article["words"]
        if config.canonical == "longest":
            return words, published
        if config.canonical == "preferred":
            source = article["source"]
            preferred = config.prefer_sources
            return preferred.index(source) if source in preferred else len(preferred), published, words
        return published, words

    def page(article: dict[str, Any]) -> tuple[Any, ...]:
        return *group(article), article["source"], article["url"] or article["ref"]

    def group(article: dict[str, Any]) -> tuple[int, bool]:
        return article["component"], not _is_earlier(article)

    best: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for article in articles:
        own = key(article)
        best[page(article)] = min(own, best.get(page(article), own))

    def place(row: int) -> tuple[Any, ...]:
        article = articles[row]
        published = article["published"]
        latest_first = (published is None, -published.timestamp() if published else 0.0)
        tie = (article["url"] or "", latest_first, -article["words"], article["id"], article["text_hash"])
        # Two runs may have kept the very same: the earlier run's comes first.
        run = article["ref"] if _is_earlier(article) else 0
        return *group(article), *best[page(article)], *tie, run

    return sorted(range(len(articles)), key=place)


def _is_earlier(article: dict[str, Any]) -> bool:
    """Whether the index has it."""
    return bool(article["ref"] >= FIRST_SHARD << 32)


def _cluster_with_index(
    articles: list[dict[str, Any]], config: DedupConfig, index: Index | None
) -> Iterator[dict[str, Any]]:
    """Decisions on the new articles of a component; those of the index come first, and stand."""
    earlier = sum(map(_is_earlier, articles))
    apart = articles
    clusters: dict[str, tuple[str, str]] = {}
    if earlier and index is not None:
        apart = []
        match = _match_by_signs if config.decide == "signs" else _match_by_threshold
        for article, found in zip(articles[earlier:], match(articles, earlier, config), strict=True):
            if found is None:
                apart.append(article)
                continue
            leader = articles[found.earlier]
            run = index.run_of(leader["ref"] >> 32)
            cluster = (leader["cluster_id"], leader["cluster_run"]) if leader["cluster_id"] else (leader["id"], run)
            if found.says_more:
                clusters[article["id"]] = cluster
                apart.append(article)
            else:
                yield (
                    _NOTHING
                    | _told(found.verdict)
                    | {"ref": article["ref"], "canonical_id": leader["id"], "canonical_run": run}
                    | dict(zip(_CLUSTER, cluster, strict=True))
                )
    decisions = {decision["ref"]: decision for decision in _cluster_component(apart, config)}
    for article in apart:
        if article["id"] in clusters:
            alone = _NOTHING | {"ref": article["ref"], "canonical_id": article["id"]}
            decisions.setdefault(article["ref"], alone)
    for decision in decisions.values():
        # Who is folded into one that says more goes with it into the earlier article's cluster.
        of_leader = clusters.get(decision["canonical_id"], (decision["canonical_id"], None))
        yield decision | dict(zip(_CLUSTER, of_leader, strict=True))


_NOTHING: Final[dict[str, Any]] = dict.fromkeys(DECISIONS.names) | {"cluster_size": 1, "copies": [], "embeds": []}
"""A decision on an article by itself."""


def _told(verdict: Verdict) -> dict[str, Any]:
    measures = {"jaccard": verdict.jaccard, "containment": verdict.containment}
    return {"relation": verdict.relation, **measures, "signs": _signs(verdict)}


class Folded(NamedTuple):
    """Which article of a component each of its articles is folded into, and as what."""

    leader: list[int]
    """A leader is its own."""
    verdict: list[Verdict | None]
    """None for a leader; the points are empty where thresholds decided."""
    embeds: dict[int, list[int]]


def _cluster_component(articles: list[dict[str, Any]], config: DedupConfig) -> Iterator[dict[str, Any]]:
    """A decision for each article of a component that is a copy, has copies, or quotes another one whole."""
    folded = _by_signs(articles, config) if config.decide == "signs" else _by_threshold(articles, config)
    clusters: dict[int, list[tuple[int, Verdict]]] = {}
    for position, (leader, verdict) in enumerate(zip(folded.leader, folded.verdict, strict=True)):
        if verdict is None:
            continue
        if folded.verdict[leader] is not None or leader == position:
            raise RunFailedError(
                f"[{articles[position]['id']}] was folded into [{articles[leader]['id']}], which is no canonical "
                "article; nothing was committed. This is a bug: please report it"
            )
        clusters.setdefault(leader, []).append((position, verdict))
    held = {
        leader: why
        for leader, copies in clusters.items()
        if (why := _why_held(len(copies) + 1, articles[leader]["text"], config))
    }
    for leader in sorted({*clusters, *folded.embeds}):
        canonical_id = articles[leader]["id"]
        copies = clusters.get(leader, []) if leader not in held else []
        listed = []
        for position, verdict in copies:
            article = articles[position]
            decided = _told(verdict)
            listed.append({name: article[name] for name in ("id", "url", "source", "published")} | decided)
            del listed[-1]["signs"]
            own = {"ref": article["ref"], "canonical_id": canonical_id, "cluster_size": len(copies) + 1}
            yield _NOTHING | decided | own
        yield _NOTHING | {
            "ref": articles[leader]["ref"],
            "canonical_id": canonical_id,
            "cluster_size": len(copies) + 1,
            "copies": listed,
            "embeds": [articles[shorter]["id"] for shorter in folded.embeds.get(leader, [])],
            "held": held.get(leader),
        }


def _by_signs(articles: list[dict[str, Any]], config: DedupConfig) -> Folded:
    return Folded(*find_stories(*_terms_of_signs(articles, config)))


def _match_by_signs(articles: list[dict[str, Any]], earlier: int, config: DedupConfig) -> list[Match | None]:
    return match_stories(*_terms_of_signs(articles, config), earlier)


def _terms_of_signs(
    articles: list[dict[str, Any]], config: DedupConfig
) -> tuple[list[Article], DecisionThresholds, Reach]:
    thresholds = DecisionThresholds(
        min_containment=config.containment, min_excerpt_shingles=config.min_excerpt_shingles, shingle=config.shingle
    )
    reach = Reach(
        min(MIN_JACCARD, config.threshold),
        config.containment,
        config.min_excerpt_shingles,
        _within(config),
        config.updates,
    )
    return [_article(row) for row in articles], thresholds, reach


def _article(row: dict[str, Any]) -> Article:
    return Article(*(row[name] for name in Article._fields))


Shingled = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


def _shingled(articles: list[dict[str, Any]], config: DedupConfig) -> Shingled:
    """Shingles, their offsets, and a number of each text, as leader clustering wants them."""
    numbers: dict[bytes, int] = {}
    same_text = np.array([numbers.setdefault(article["text_hash"], len(numbers)) for article in articles], np.int64)
    texts = pa.array([article["text"] for article in articles], pa.large_string())
    hashes, offsets = shingle_hashes(texts, config.shingle)
    return hashes, offsets.astype(np.int64), same_text


def _thresholds(config: DedupConfig) -> Thresholds:
    return Thresholds(config.threshold, config.containment, config.min_excerpt_shingles)


def _match_by_threshold(articles: list[dict[str, Any]], earlier: int, config: DedupConfig) -> list[Match | None]:
    found = match_earlier(*_shingled(articles, config), earlier, _thresholds(config))
    matches: list[Match | None] = []
    for place, leader in enumerate(found.leader.tolist()):
        if leader < 0:
            matches.append(None)
            continue
        contains = bool(found.relation[place] == CANONICAL)
        relation = "excerpt" if contains else RELATIONS[int(found.relation[place])]
        article, other = articles[earlier + place], articles[leader]
        if relation == "near" and article["source"] and article["source"] == other["source"]:
            relation = "update"
        # Versions are told by their URL here, as in `canonical_order`.
        is_later = (
            relation == "update"
            and config.updates == "latest"
            and article["url"]
            and article["url"] == other["url"]
            and is_later_version(_article(article), _article(other))
        )
        verdict = Verdict(relation, float(found.jaccard[place]), float(found.containment[place]), 0.0, ())
        matches.append(Match(leader, verdict, contains or bool(is_later)))
    return matches


def _by_threshold(articles: list[dict[str, Any]], config: DedupConfig) -> Folded:
    found = cluster_by_leader(*_shingled(articles, config), _thresholds(config))
    leaders: list[int] = found.leader.tolist()
    verdicts: list[Verdict | None] = []
    for position, leader in enumerate(leaders):
        if found.relation[position] == CANONICAL:
            verdicts.append(None)
            continue
        relation = RELATIONS[int(found.relation[position])]
        source = articles[position]["source"]
        if relation == "near" and source and source == articles[leader]["source"]:
            relation = "update"
        verdicts.append(Verdict(relation, float(found.jaccard[position]), float(found.containment[position]), 0.0, ()))
    return Folded(leaders, verdicts, {})


def _why_held(size: int, text: str, config: DedupConfig) -> str | None:
    if size > config.max_cluster:
        return f"{size} articles, over --max-cluster"
    if size >= MIN_HELD and (variety := len(set(tokens(text[:10_000])))) < MIN_VARIETY:
        return f"{size} articles that share {variety} different words"
    return None


def _within(config: DedupConfig) -> timedelta | None:
    return None if config.within_days is None else timedelta(days=config.within_days)


def _signs(verdict: Verdict) -> list[dict[str, Any]] | None:
    if not verdict.points:
        return None
    told = zip(SAME_STORY, verdict.points, strict=True)
    return [{"name": name, "points": round(points, 2)} for name, points in told if abs(points) >= 0.005]
