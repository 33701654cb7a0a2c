"""The index of earlier runs: what a run sees of it, how its own part is committed, and how it is made anew."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

from pipeline.indexed import PARTS, IndexedRun, below, default_name, manifest_of, read_runs, scheme_of
from pipeline.options import Config
from transforms import files
from transforms.batches import join_batches
from transforms.config import DedupConfig, LedgerConfig
from transforms.errors import UsageError
from transforms.index import SCHEMAS, Index, IndexPart, Window, articles_file, boilerplate_file
from transforms.index_part import IndexFile, index_shard, sort_columns
from transforms.ledger import read_boilerplate
from transforms.schemas import BOILERPLATE
from transforms.staging import Staging

_PIECES: Final = "pieces"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Indexing:
    """A run's dealings with the index: what it sees, and what it will leave there."""

    uri: str
    run: str
    order: int
    part: str
    """Below the index."""
    scheme: dict[str, int]
    output: str
    index: Index
    boilerplate: tuple[str, ...]
    """Files of what the earlier runs learned, in their order."""

    @property
    def part_uri(self) -> str:
        """Folder of the part."""
        return below(self.uri, self.part)


def begin(config: Config, staging: Staging, fingerprint: str, runs: Sequence[IndexedRun]) -> Indexing | None:
    """Fix what the run sees of its index, or find what was fixed when it first started; ``None`` without ``--index``.

    Raises:
        UsageError: the index has lost what an unfinished run had begun with.
    """
    if not config.index:
        return None
    name = config.index_run or default_name(config)
    fixed = files.join(staging.uri, "index.json")
    if files.exists(fixed):
        seen = json.loads(files.read_bytes(fixed))
    else:
        places = {run.run: run.order for run in runs}
        order = places.get(name, max(places.values(), default=0) + 1)
        earlier = [run for run in runs if run.order < order]
        undated = next((run.dated for run in runs if run.run == name), datetime.now(UTC).date())
        seen = {
            "order": order,
            "undated": undated.isoformat(),
            "parts": {run.run: run.part for run in earlier},
        }
        files.write_bytes(fixed, json.dumps(seen).encode())
    by_name = {run.run: run for run in runs}
    for run, part in seen["parts"].items():
        if run not in by_name or by_name[run].part != part:
            raise UsageError(
                f"the unfinished run in [{config.output}] began with [{run}] of the index, which was dropped or "
                f"replaced since; remove [{staging.uri}] and run again"
            )
    digest = hashlib.blake2b(
        json.dumps([fingerprint, seen["order"], seen["parts"]], sort_keys=True).encode(), digest_size=8
    ).hexdigest()
    return Indexing(
        uri=config.index,
        run=name,
        order=seen["order"],
        part=f"{PARTS}/{name}/{digest}",
        scheme=scheme_of(config.dedup),
        output=config.output,
        boilerplate=tuple(
            boilerplate_file(below(config.index, by_name[run].part))
            for run in seen["parts"]
            if by_name[run].boilerplate
        ),
        index=Index(
            parts=tuple(_part_of(by_name[run], config.index) for run in seen["parts"]),
            window_days=config.index_window,
            undated=date.fromisoformat(seen["undated"]),
        ),
    )


def _part_of(run: IndexedRun, uri: str) -> IndexPart:
    return IndexPart(
        run=run.run,
        uri=below(uri, run.part),
        dated=run.dated,
        partitions=tuple(run.partitions.items()),
    )


def known_boilerplate(config: Config, indexing: Indexing | None) -> LedgerConfig:
    """The run's way to learn boilerplate, with what earlier runs of its index knew; ``--boilerplate`` comes last.

    Raises:
        FileError: a part of the index cannot be read.
    """
    ledger = config.ledger
    if indexing is None or not ledger.learn or not indexing.boilerplate:
        return ledger
    known = [*map(read_boilerplate, indexing.boilerplate), *([ledger.known] if ledger.known else [])]
    return dataclasses.replace(ledger, known=join_batches(BOILERPLATE, known))


def commit_part(indexing: Indexing, written: Iterable[IndexFile], window: Window) -> None:
    """Name the run's part in its manifest, then remove the part that it replaces. Doing it again changes nothing.

    A run that is killed behind this has its part in the index already; going on, it finds what it saw and replaces the
    part by itself.
    """
    run = _describe(indexing.uri, indexing.run, indexing.order, indexing.part, indexing.scheme, written, window.dated)
    run = dataclasses.replace(run, output=indexing.output)
    files.write_bytes(manifest_of(indexing.uri, indexing.run), run.to_json())
    _remove_other_parts(indexing.uri, run)


def _describe(
    uri: str, name: str, order: int, part: str, scheme: dict[str, int], written: Iterable[IndexFile], day: date
) -> IndexedRun:
    distinct = sorted(set(written), key=lambda file: (file.what, file.number))
    articles = [file for file in distinct if file.what == "articles"]
    folder = below(uri, part)
    names = set(files.list_names(folder))
    there = [entry for entry in files.list_dir(folder) if not entry.is_folder] if names else []
    return IndexedRun(
        run=name,
        order=order,
        part=part,
        scheme=scheme,
        output="",
        dated=day,
        oldest=min((file.oldest for file in articles if file.oldest), default=day),
        newest=max((file.newest for file in articles if file.newest), default=day),
        articles=sum(file.rows for file in articles),
        shards=tuple(file.number for file in articles),
        boilerplate=sum(file.rows for file in distinct if file.what == "boilerplate"),
        partitions={what: tuple(file.number for file in distinct if file.what == what) for what in SCHEMAS},
        size=sum(entry.size for entry in there),
    )


def rebuild(uri: str, config: DedupConfig, say: Callable[[str], None]) -> list[IndexedRun]:
    """Sign the articles of each run anew, by the present scheme; return the runs that were of another.

    One run after the other. What was done stays done when it is broken off: the same again goes on.
    """
    scheme = scheme_of(config)
    done: list[IndexedRun] = []
    for run in read_runs(uri):
        if run.scheme == scheme:
            continue
        say(f"rebuilding {run.run}: {run.articles:,} articles")
        digest = hashlib.blake2b(json.dumps([run.part, scheme]).encode(), digest_size=8).hexdigest()
        part = f"{PARTS}/{run.run}/{digest}"
        written = _sign_again(below(uri, run.part), run, below(uri, part), config)
        anew = _describe(uri, run.run, run.order, part, scheme, written, run.dated)
        anew = dataclasses.replace(anew, output=run.output)
        files.write_bytes(manifest_of(uri, run.run), anew.to_json())
        _remove_other_parts(uri, anew)
        done.append(anew)
    return done


def _sign_again(old: str, run: IndexedRun, part: str, config: DedupConfig) -> list[IndexFile]:
    pieces = Staging(files.join(part, _PIECES))
    written: list[IndexFile] = []
    notices: dict[tuple[str, int], list[str]] = {}
    for shard in run.shards:
        for what in index_shard(part, shard, files.read_parquet(articles_file(old, shard)), pieces, config):
            if isinstance(what, IndexFile):
                written.append(what)
            else:
                partition, piece = what.value
                notices.setdefault((what.tag, partition), []).append(piece)
    if run.boilerplate:
        files.copy_file(boilerplate_file(old), boilerplate_file(part))
        written.append(IndexFile(what="boilerplate", number=0, rows=run.boilerplate))
    written += (sort_columns((partition, uris), part, what) for (what, partition), uris in notices.items())
    files.remove_tree(pieces.uri)
    return written


def _remove_other_parts(uri: str, run: IndexedRun) -> None:
    folder, _, current = run.part.rpartition("/")
    for name in files.list_names(below(uri, folder)):
        if name != current:
            files.remove_tree(files.join(below(uri, folder), name))
