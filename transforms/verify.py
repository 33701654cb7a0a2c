"""Verify: every copy is confirmed against the article it is folded into, from their shingles themselves."""

import dataclasses
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.config import DedupConfig
from transforms.exchange import PARTITIONS
from transforms.schemas import DECISIONS, MEMBER_ARTICLES, MEMBERS, RENAMES
from transforms.sign import Keyed
from transforms.staged import read_articles
from transforms.staging import Staging
from transforms.text.leaders import CANONICAL, EXACT, EXCERPT, NEAR, Thresholds, cluster_by_leader
from transforms.text.shingles import shingle_hashes

RELATIONS: Final = {EXACT: "exact", NEAR: "near", EXCERPT: "excerpt"}

_COLUMNS = ["id", "url", "source", "published", "words", "text"]
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclasses.dataclass(eq=False, kw_only=True)
class FetchMembers(beam.PTransform):
    """Rows with candidates, by shard, in; what verification needs of them, by partition of components, out.

    In: ``{"members": (12, MEMBERS batch), "renames": (12, RENAMES batch)}`` · out: ``(7, MEMBER_ARTICLES batch)``.
    """

    staging: Staging
    config: DedupConfig

    def expand(self, by_shard: Any) -> beam.PCollection[Keyed]:
        """Join by shard, then read the shard's rows."""
        return (
            by_shard
            | "JoinByShard" >> beam.CoGroupByKey()
            | "ReadMembers"
            >> beam.FlatMap(_member_articles, self.staging, self.config.shingle).with_output_types(Keyed)
        )


@dataclasses.dataclass(eq=False, kw_only=True)
class VerifyComponents(beam.PTransform):
    """Articles by component in; out, by shard, what was decided of each that has a copy or is one.

    In: ``(7, MEMBER_ARTICLES batch)`` · out: ``(12, DECISIONS batch)``. ``relation`` is null for the article that is
    kept; its ``copies`` name those folded into it.
    """

    config: DedupConfig

    def expand(self, members: beam.PCollection[Keyed]) -> beam.PCollection[Keyed]:
        """Group by partition of components, then cluster each component."""
        return (
            members
            | "GroupComponents" >> beam.GroupByKey()
            | "ClusterEach" >> beam.FlatMap(_decisions, self.config).with_output_types(Keyed)
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


def _member_articles(
    joined: tuple[int, dict[str, Iterable[pa.RecordBatch]]], staging: Staging, shingle: int
) -> Iterator[Keyed]:
    shard, by_tag = joined
    members = join_batches(MEMBERS, by_tag["members"])
    if not members.num_rows:
        return
    renames = renames_by_row(by_tag["renames"])
    rows, components = column(members, "row"), column(members, "component")
    order = np.argsort(rows)
    rows, components = rows[order], components[order]
    first = 0
    for batch in read_articles(staging, shard, _COLUMNS):
        begin, end = np.searchsorted(rows, [first, first + batch.num_rows])
        if begin < end:
            inside = pa.array(rows[begin:end] - first)
            ids = rename(batch.column("id"), first, renames).take(inside)
            wanted = batch.take(inside)
            texts = wanted.column("text")
            hashes, offsets = shingle_hashes(texts, shingle)
            yield from cut_by(
                (components[begin:end] % PARTITIONS).astype(np.int64),
                make_batch(
                    MEMBER_ARTICLES,
                    components[begin:end],
                    (np.uint64(shard) << np.uint64(32)) | rows[begin:end].astype(np.uint64),
                    ids,
                    *(wanted.column(name) for name in ("url", "source", "published", "words")),
                    [blake2b(text.encode(), digest_size=16).digest() for text in texts.to_pylist()],
                    pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(hashes)),
                ),
            )
        first += batch.num_rows


def _decisions(partition: tuple[int, Iterable[pa.RecordBatch]], config: DedupConfig) -> Iterator[Keyed]:
    members = join_batches(MEMBER_ARTICLES, partition[1])
    # Rows sorted by component, inside a component canonical first; by content alone, never by place in the input.
    articles = members.drop_columns(["shingles"]).to_pylist()
    order = canonical_order(articles, config)
    articles = [articles[row] for row in order]
    members = members.take(pa.array(order, pa.int64()))
    components = column(members, "component")
    shingles = members.column("shingles")
    hashes, offsets = shingles.flatten().to_numpy(), shingles.offsets.to_numpy()
    edges = np.flatnonzero(np.diff(components)) + 1
    rows: list[tuple[Any, ...]] = []
    refs: list[int] = []
    for begin, end in zip([0, *edges], [*edges, len(components)], strict=True):
        for position, decision in _cluster_component(articles[begin:end], hashes, offsets[begin : end + 1], config):
            refs.append(articles[begin + position]["ref"])
            rows.append(decision)
    if rows:
        shards = np.array(refs, np.uint64) >> np.uint64(32)
        batch = make_batch(
            DECISIONS,
            np.array(refs, np.uint64).astype(np.uint32),
            *(list(values) for values in zip(*rows, strict=True)),
        )
        yield from cut_by(shards.astype(np.int64), batch)


def canonical_order(articles: list[dict[str, Any]], config: DedupConfig) -> list[int]:
    """Rows by component and, within one, in the order in which ``--canonical`` prefers them: the first is kept.

    Undated articles come after dated ones; ties fall to the longer, then to the id, at last to the text. Versions of an
    article (one URL of one source) stand together where the first of them belongs, the latest in front.
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
        return article["component"], article["source"], article["url"] or article["ref"]

    best: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for article in articles:
        own = key(article)
        best[page(article)] = min(own, best.get(page(article), own))

    def place(row: int) -> tuple[Any, ...]:
        article = articles[row]
        published = article["published"]
        latest_first = (published is None, -published.timestamp() if published else 0.0)
        tie = (article["url"] or "", latest_first, -article["words"], article["id"], article["text_hash"])
        return article["component"], *best[page(article)], *tie

    return sorted(range(len(articles)), key=place)


def _cluster_component(
    articles: list[dict[str, Any]],
    hashes: np.ndarray[Any, Any],
    offsets: np.ndarray[Any, Any],
    config: DedupConfig,
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """``(position, decision)`` of each article of a component that is a copy or has copies."""
    numbers: dict[bytes, int] = {}
    same_text = np.array([numbers.setdefault(article["text_hash"], len(numbers)) for article in articles], np.int64)
    thresholds = Thresholds(config.threshold, config.containment, config.min_excerpt_shingles)
    found = cluster_by_leader(hashes, offsets.astype(np.int64), same_text, thresholds)
    copies: dict[int, list[dict[str, Any]]] = {}
    for position, article in enumerate(articles):
        if found.relation[position] == CANONICAL:
            continue
        leader = int(found.leader[position])
        relation = RELATIONS[int(found.relation[position])]
        if relation == "near" and article["source"] and article["source"] == articles[leader]["source"]:
            relation = "update"
        copies.setdefault(leader, []).append(
            {
                **{name: article[name] for name in ("id", "url", "source", "published")},
                "relation": relation,
                "jaccard": float(found.jaccard[position]),
                "containment": float(found.containment[position]),
                "position": position,
            }
        )
    for leader, folded in copies.items():
        size = len(folded) + 1
        canonical_id = articles[leader]["id"]
        for copy in folded:
            position = copy.pop("position")
            yield position, (canonical_id, copy["relation"], copy["jaccard"], copy["containment"], size, [])
        yield leader, (canonical_id, None, None, None, size, folded)
