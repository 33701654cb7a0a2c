"""Verify: every copy is confirmed against the article it is folded into, from the two texts themselves."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.coder import Keyed
from transforms.config import DedupConfig
from transforms.errors import RunFailedError
from transforms.exchange import Notice, write_partitions
from transforms.index import FIRST_SHARD, Index
from transforms.members import Component, Members
from transforms.schemas import COPY, DECISIONS, MEMBER_ARTICLES, MEMBERS, RENAMES
from transforms.staged import read_articles, with_rows
from transforms.staging import Staging
from transforms.text.decide import SAME_STORY, VERSION, DecisionThresholds
from transforms.text.ids import with_number
from transforms.text.leaders import CANONICAL, EXACT, EXCERPT, NEAR, Thresholds, cluster_by_leader, match_earlier
from transforms.text.publishers import is_one_publisher
from transforms.text.shingles import shingle_hashes, token_counts, tokens
from transforms.text.stories import MIN_JACCARD, Match, Reach, Verdict, find_stories, is_later_version, match_stories

RELATIONS: Final = {EXACT: "exact", NEAR: "near", EXCERPT: "excerpt"}

_COLUMNS = ["id", "url", "source", "title", "published", "words", "text"]
_CLUSTER = ["cluster_id", "cluster_run"]  # of articles of the index
MIN_HELD: Final = 20
"""Articles in a cluster from which its text has to have some variety."""
MIN_VARIETY: Final = 10
"""Different words (characters, where a script has no spaces); fewer are a caption or an empty page, not a story."""
_DECIDED_ROWS: Final = 1_000  # decisions at a time that are Python objects
_DECIDED_BATCHES: Final = 16  # of them that are held, before they go their ways
_NO_COPIES: Final = pa.array([], COPY)


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


def rename(ids: pa.StringArray, first_row: int, renames: dict[int, int]) -> pa.StringArray:
    """Ids of consecutive rows, the repeated ones renamed; ``renames`` maps a row to its number."""
    rows = range(first_row, first_row + len(ids))
    if not any(row in rows for row in renames):
        return ids
    values = ids.to_pylist()
    named = (with_number(id, renames[row]) if row in renames else id for row, id in zip(rows, values, strict=True))
    return pa.array(named, pa.string())


def renames_by_row(batches: Iterable[pa.RecordBatch]) -> dict[int, int]:
    """``{row: number}`` of the RENAMES batches of one shard."""
    table = join_batches(RENAMES, batches)
    return dict(zip(table.column("row").to_pylist(), table.column("number").to_pylist(), strict=True))


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
    parts: dict[int, list[pa.RecordBatch]] = {}
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
            articles = make_batch(MEMBER_ARTICLES, *(columns[name] for name in MEMBER_ARTICLES.names))
            for partition, part in cut_by((components[begin:end] % staging.partitions).astype(np.int64), articles):
                parts.setdefault(partition, []).append(part)
    joined_parts = ((partition, join_batches(MEMBER_ARTICLES, parts.pop(partition))) for partition in sorted(parts))
    yield from write_partitions(staging.exchange("members", shard), MEMBER_ARTICLES, joined_parts)


def _decisions(notice: tuple[int, Iterable[str]], config: DedupConfig, index: Index | None = None) -> Iterator[Keyed]:
    with Members(notice, config) as members:
        rows = itertools.chain.from_iterable(
            _cluster_with_index(component, config, index) for component in members.components()
        )
        batches = map(_decision_batch, iter(lambda: list(itertools.islice(rows, _DECIDED_ROWS)), []))
        while some := list(itertools.islice(batches, _DECIDED_BATCHES)):
            refs = np.concatenate([refs for refs, _ in some])
            batch = join_batches(DECISIONS, [batch for _, batch in some])
            yield from cut_by((refs >> np.uint64(32)).astype(np.int64), batch)


def _decision_batch(rows: list[dict[str, Any]]) -> tuple[np.ndarray[Any, Any], pa.RecordBatch]:
    """Of decisions the references of their articles, and DECISIONS."""
    refs = np.array([row["ref"] for row in rows], np.uint64)
    columns = {name: [row[name] for row in rows] for name in DECISIONS.names[1:]}
    ends = np.cumsum([0, *map(len, columns["copies"])])
    copies = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.concat_arrays(columns["copies"]))
    return refs, make_batch(DECISIONS, refs.astype(np.uint32), *(columns | {"copies": copies}).values())


def _cluster_with_index(articles: Component, config: DedupConfig, index: Index | None) -> Iterator[dict[str, Any]]:
    """Decisions on the new articles of a component; those of the index come first, and stand."""
    earlier = articles.earlier
    if not earlier or index is None:
        for decision in _cluster_component(articles, config):
            yield decision | {"cluster_id": decision["canonical_id"]}
        return
    apart: list[int] = []
    clusters: dict[str, tuple[str, str | None]] = {}
    match = _match_by_signs if config.decide == "signs" else _match_by_threshold
    for position, found in enumerate(match(articles, earlier, config), earlier):
        if found is None:
            apart.append(position)
            continue
        article, leader = articles.member(position), articles.member(found.earlier)
        run = index.run_of(leader.ref >> 32)
        cluster = (leader.cluster_id, leader.cluster_run) if leader.cluster_id else (leader.id, run)
        if found.says_more:
            clusters[article.id] = cluster
            apart.append(position)
        else:
            yield (
                _NOTHING
                | _told(found.verdict)
                | {"ref": article.ref, "canonical_id": leader.id, "canonical_run": run}
                | dict(zip(_CLUSTER, cluster, strict=True))
            )
    decisions = {decision["ref"]: decision for decision in _cluster_component(articles.subset(apart), config)}
    for position in apart:
        article = articles.member(position)
        if article.id in clusters:
            alone = _NOTHING | {"ref": article.ref, "canonical_id": article.id}
            decisions.setdefault(article.ref, alone)
    for decision in decisions.values():
        # Who is folded into one that says more goes with it into the earlier article's cluster.
        of_leader = clusters.get(decision["canonical_id"], (decision["canonical_id"], None))
        yield decision | dict(zip(_CLUSTER, of_leader, strict=True))


_NOTHING: Final[dict[str, Any]] = dict.fromkeys(DECISIONS.names) | {
    "cluster_size": 1,
    "copies": _NO_COPIES,
    "embeds": [],
}
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


def _cluster_component(articles: Component, config: DedupConfig) -> Iterator[dict[str, Any]]:
    """A decision for each article of a component that is a copy, has copies, or quotes another one whole."""
    folded = _by_signs(articles, config) if config.decide == "signs" else _by_threshold(articles, config)
    clusters: dict[int, list[int]] = {}
    for position, (leader, verdict) in enumerate(zip(folded.leader, folded.verdict, strict=True)):
        if verdict is None:
            continue
        if folded.verdict[leader] is not None or leader == position:
            raise RunFailedError(
                f"[{articles.member(position).id}] was folded into [{articles.member(leader).id}], which is no "
                "canonical article; nothing was committed. This is a bug: please report it"
            )
        clusters.setdefault(leader, []).append(position)
    held = {
        leader: why
        for leader, copies in clusters.items()
        if (why := _why_held(len(copies) + 1, articles.text(leader), config))
    }
    for leader in sorted({*clusters, *folded.embeds}):
        canonical = articles.member(leader)
        copies = clusters.get(leader, []) if leader not in held else []
        verdicts = [verdict for position in copies if (verdict := folded.verdict[position])]
        for position, verdict in zip(copies, verdicts, strict=True):
            own = {"ref": articles.member(position).ref, "canonical_id": canonical.id, "cluster_size": len(copies) + 1}
            yield _NOTHING | _told(verdict) | own
        yield _NOTHING | {
            "ref": canonical.ref,
            "canonical_id": canonical.id,
            "cluster_size": len(copies) + 1,
            "copies": _listed(articles, copies, verdicts),
            "embeds": [articles.member(shorter).id for shorter in folded.embeds.get(leader, [])],
            "held": held.get(leader),
        }


def _listed(articles: Component, copies: Sequence[int], verdicts: Sequence[Verdict]) -> pa.StructArray:
    """COPY of each copy of an article, made column by column: there may be as many as the corpus has articles."""
    measures = ([getattr(verdict, name) for verdict in verdicts] for name in ("relation", "jaccard", "containment"))
    known = articles.columns(copies, ("id", "url", "source", "published"))
    columns = zip(COPY, [*known, *measures], strict=True)
    return pa.StructArray.from_arrays([pa.array(values, field.type) for field, values in columns], fields=list(COPY))


def _by_signs(articles: Component, config: DedupConfig) -> Folded:
    return Folded(*find_stories(articles, *_terms_of_signs(config)))


def _match_by_signs(articles: Component, earlier: int, config: DedupConfig) -> list[Match | None]:
    return match_stories(articles, *_terms_of_signs(config), earlier)


def _terms_of_signs(config: DedupConfig) -> tuple[DecisionThresholds, Reach]:
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
    return thresholds, reach


Shingled = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


def _shingled(articles: Component, config: DedupConfig) -> Shingled:
    """Shingles, their offsets, and a number of each text, as leader clustering wants them."""
    numbers: dict[bytes, int] = {}
    digests = map(articles.digest, range(len(articles)))
    same_text = np.array([numbers.setdefault(digest, len(numbers)) for digest in digests], np.int64)
    texts = pa.array(map(articles.text, range(len(articles))), pa.large_string())
    hashes, offsets = shingle_hashes(texts, config.shingle)
    return hashes, offsets.astype(np.int64), same_text


def _thresholds(config: DedupConfig) -> Thresholds:
    return Thresholds(config.threshold, config.containment, config.min_excerpt_shingles)


def _match_by_threshold(articles: Component, earlier: int, config: DedupConfig) -> list[Match | None]:
    found = match_earlier(*_shingled(articles, config), earlier, _thresholds(config))
    matches: list[Match | None] = []
    for place, leader in enumerate(found.leader.tolist()):
        if leader < 0:
            matches.append(None)
            continue
        contains = bool(found.relation[place] == CANONICAL)
        relation = "excerpt" if contains else RELATIONS[int(found.relation[place])]
        article, other = articles[earlier + place], articles[leader]
        if relation == "near" and is_one_publisher(article.source, other.source):
            relation = "update"
        # Versions are told by their URL here, as in `canonical_order`.
        is_later = (
            relation == "update"
            and config.updates == "latest"
            and article.url
            and article.url == other.url
            and is_later_version(article, other)
        )
        verdict = Verdict(relation, float(found.jaccard[place]), float(found.containment[place]), ())
        matches.append(Match(leader, verdict, contains or bool(is_later)))
    return matches


def _by_threshold(articles: Component, config: DedupConfig) -> Folded:
    found = cluster_by_leader(*_shingled(articles, config), _thresholds(config))
    leaders: list[int] = found.leader.tolist()
    verdicts: list[Verdict | None] = []
    for position, leader in enumerate(leaders):
        if found.relation[position] == CANONICAL:
            verdicts.append(None)
            continue
        relation = RELATIONS[int(found.relation[position])]
        if relation == "near" and is_one_publisher(articles.member(position).source, articles.member(leader).source):
            relation = "update"
        verdicts.append(Verdict(relation, float(found.jaccard[position]), float(found.containment[position]), ()))
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
    told = [*zip(SAME_STORY, verdict.points, strict=True), *zip(VERSION, verdict.version_points, strict=False)]
    return [{"name": name, "points": points} for name, points in told if points]
