"""The index of earlier runs: what a run sees of it, how its own part is committed, and the commands that look after it.

    INDEX/runs/NAME.json            the run's manifest: written last, replaced as a whole, removed first
    INDEX/parts/NAME/DIGEST/…       its part; a run that is done again with another outcome writes a new one

What no manifest names does not exist for readers. Nothing is renamed, so it is the same on an object store.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pipeline.options import Config, is_local
from transforms import files
from transforms.batches import join_batches
from transforms.config import DedupConfig, LedgerConfig
from transforms.errors import UsageError
from transforms.index import MAX_PARTS, MAX_SHARDS, SCHEMAS, Index, IndexPart, Window, articles_file, boilerplate_file
from transforms.index_part import IndexFile, index_shard, sort_columns
from transforms.ledger import read_boilerplate
from transforms.schemas import BOILERPLATE
from transforms.staging import Staging
from transforms.text.minhash import SEED, choose_banding

SCHEME: Final = 1
"""Raised when the same text would get other tokens, shingles, bands or fingerprints, or a part another layout."""

_RUNS, _PARTS, _PIECES = "runs", "parts", "pieces"
_ENDING: Final = ".json"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class IndexedRun:
    """A run in the index, as its manifest tells it."""

    run: str
    """Its name."""
    order: int
    """A run sees those of a smaller number. It keeps its number when it is done again."""
    part: str
    """Folder of its part, below the index."""
    scheme: dict[str, int]
    output: str
    """Where the run wrote its articles."""
    dated: date
    """Day by which 19 of 20 of its articles were published."""
    oldest: date
    newest: date
    articles: int
    shards: tuple[int, ...]
    """Those that have articles."""
    boilerplate: int
    """Paragraphs that it knew as boilerplate."""
    partitions: dict[str, tuple[int, ...]]
    """Of bands and fingerprints: those that have rows."""
    size: int
    """Bytes."""

    def to_json(self) -> bytes:
        """The manifest."""
        return json.dumps(dataclasses.asdict(self), default=date.isoformat).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "IndexedRun":
        """The inverse of ``to_json``; ``ValueError``, ``TypeError`` or ``KeyError`` for anything else."""
        fields = json.loads(content)
        for name in ("dated", "oldest", "newest"):
            fields[name] = date.fromisoformat(fields[name])
        fields["shards"] = tuple(fields["shards"])
        fields["partitions"] = {what: tuple(fields["partitions"][what]) for what in SCHEMAS}
        return cls(**fields)


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
        return _below(self.uri, self.part)


def scheme_of(config: DedupConfig) -> dict[str, int]:
    """What articles must have in common to be compared: parts of another scheme are refused."""
    banding = choose_banding(config.threshold, config.num_perm)
    return {
        "version": SCHEME,
        "shingle": config.shingle,
        "num_perm": config.num_perm,
        "bands": banding.bands,
        "rows": banding.rows,
        "seed": SEED,
        "scale": config.scale,
        "min_excerpt_shingles": config.min_excerpt_shingles,
    }


def open_index(config: Config, shards: int) -> list[IndexedRun]:
    """The runs in the run's index, if the run can use it; none without ``--index``. Nothing is changed.

    Raises:
        UsageError: the index is none, or of another scheme.
    """
    if not config.index:
        return []
    if shards > MAX_SHARDS:
        raise UsageError(f"[{shards}] shards are too many for an index, which takes {MAX_SHARDS}; split the input")
    runs = read_runs(config.index, may_be_new=True)
    if len(runs) >= MAX_PARTS:
        raise UsageError(
            f"index [{config.index}] holds [{len(runs)}] runs, which is all it can; see cleancopy index prune"
        )
    for run in runs:
        check_scheme(run, scheme_of(config.dedup), config.index)
    return runs


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
        part=f"{_PARTS}/{name}/{digest}",
        scheme=scheme_of(config.dedup),
        output=config.output,
        boilerplate=tuple(
            boilerplate_file(_below(config.index, by_name[run].part))
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
        uri=_below(uri, run.part),
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
    files.write_bytes(_manifest(indexing.uri, indexing.run), run.to_json())
    _remove_other_parts(indexing.uri, run)


def _describe(
    uri: str, name: str, order: int, part: str, scheme: dict[str, int], written: Iterable[IndexFile], day: date
) -> IndexedRun:
    distinct = sorted(set(written), key=lambda file: (file.what, file.number))
    articles = [file for file in distinct if file.what == "articles"]
    folder = _below(uri, part)
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


def default_name(config: Config) -> str:
    """Name of a run that was not given one: it follows from where it reads and writes.

    So the same command is the same run, and a run of another day another one even if both write to one folder.
    """
    places = [_absolute(uri) for uri in (config.output, *sorted(config.inputs))]
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", places[0].rstrip("/").rpartition("/")[2]).strip("-._")[:60]
    return f"{last or 'run'}-{hashlib.blake2b(json.dumps(places).encode(), digest_size=4).hexdigest()}"


def _absolute(uri: str) -> str:
    return os.path.abspath(uri) if is_local(uri) and not files.is_uri(uri) else uri  # noqa: PTH100 (a glob, maybe)


def check_name(name: str) -> str:
    """The name, if it can be that of a run; ``UsageError`` if not."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--index-run [{name}] must be letters, digits, [.], [_] and [-], at most 100, the first a letter or digit"
        )
    return name


def parse_window(value: str) -> int:
    """Days of ``30d`` or ``6w``; ``UsageError`` for anything else.

    >>> parse_window("30d"), parse_window("2w")
    (30, 14)
    """
    found = re.fullmatch(r"(\d{1,5})([dw])", value.strip())
    if not found:
        raise UsageError(f"[{value}] is no span of time; write days or weeks as 30d or 6w")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def check_scheme(run: IndexedRun, scheme: dict[str, int], uri: str) -> None:
    """Raise ``UsageError`` where a run's part cannot be compared with articles of ``scheme``."""
    differ = {name: run.scheme.get(name) for name in scheme if run.scheme.get(name) != scheme[name]}
    if differ:
        theirs = ", ".join(f"{name} {value}" for name, value in differ.items())
        ours = ", ".join(f"{name} {scheme[name]}" for name in differ)
        raise UsageError(
            f"index [{uri}] holds run [{run.run}] of another scheme: {theirs}, not {ours}; run with the options it was "
            "made with, or make it anew from the texts it holds: cleancopy index rebuild, with the options of this run"
        )


def read_runs(uri: str, *, may_be_new: bool = False) -> list[IndexedRun]:
    """The runs of an index, in their order.

    Raises:
        UsageError: there is no index, or a manifest cannot be read.
    """
    there = files.list_names(uri)
    if _RUNS not in there:
        if may_be_new and not set(there) - {_PARTS}:
            return []
        raise UsageError(f"[{uri}] is no index: it has no folder [{_RUNS}]")
    return sorted((_read_run(uri, name) for name in _names(uri)), key=lambda run: (run.order, run.run))


def _names(uri: str) -> list[str]:
    names = files.list_names(files.join(uri, _RUNS))
    return [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING) and not name.startswith(".")]


def _read_run(uri: str, name: str) -> IndexedRun:
    manifest = _manifest(uri, name)
    try:
        return IndexedRun.from_json(files.read_bytes(manifest))
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"[{manifest}] is no manifest of an index ({error}); if it is damaged: cleancopy index drop-run"
        ) from None


def drop_run(uri: str, name: str) -> None:
    """Take a run out of the index: later runs no longer see its articles.

    Raises:
        UsageError: there is no such run.
    """
    read_names = _names(uri) if _RUNS in files.list_names(uri) else []
    if name not in read_names:
        shown = ", ".join(read_names[-5:]) or "none"
        raise UsageError(f"index [{uri}] holds no run [{name}]; the last of its runs: {shown}; see cleancopy index ls")
    files.remove_tree(_manifest(uri, name))
    files.remove_tree(files.join(uri, _PARTS, name))


def prune(uri: str, days: int) -> list[IndexedRun]:
    """Drop the runs dated over ``days`` before the newest run; return them.

    Counts from the newest run, not from today, so an index at rest keeps what it has.
    """
    runs = read_runs(uri)
    last = max((run.dated for run in runs), default=date.min)
    old = [run for run in runs if last - run.dated > timedelta(days=days)]
    for run in old:
        drop_run(uri, run.run)
    return old


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
        part = f"{_PARTS}/{run.run}/{digest}"
        written = _sign_again(_below(uri, run.part), run, _below(uri, part), config)
        anew = _describe(uri, run.run, run.order, part, scheme, written, run.dated)
        anew = dataclasses.replace(anew, output=run.output)
        files.write_bytes(_manifest(uri, run.run), anew.to_json())
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


def _manifest(uri: str, name: str) -> str:
    return files.join(uri, _RUNS, name + _ENDING)


def _below(uri: str, path: str) -> str:
    return files.join(uri, *path.split("/"))


def _remove_other_parts(uri: str, run: IndexedRun) -> None:
    folder, _, current = run.part.rpartition("/")
    for name in files.list_names(_below(uri, folder)):
        if name != current:
            files.remove_tree(files.join(_below(uri, folder), name))
