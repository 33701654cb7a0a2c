"""The runs in an index, as their manifests tell them; looks without loading Beam, so that ``cleancopy index`` is quick.

    INDEX/runs/NAME.json            the run's manifest: written last, replaced as a whole, removed first
    INDEX/parts/NAME/DIGEST/…       its part; a run that is done again with another outcome writes a new one

What no manifest names does not exist for readers. Nothing is renamed, so it is the same on an object store.
"""

import dataclasses
import hashlib
import json
import os
import re
from datetime import date, timedelta
from typing import Final

from pipeline.options import Config, is_local
from transforms import files
from transforms.config import MAX_PARTS, MAX_SHARDS, DedupConfig
from transforms.errors import UsageError
from transforms.text.minhash import SEED, choose_banding

SCHEME: Final = 2
"""Raised when the same text would get other tokens, shingles, bands or fingerprints, or a part another layout."""

_RUNS, PARTS = "runs", "parts"
_ENDING: Final = ".json"


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
        fields["partitions"] = {what: tuple(numbers) for what, numbers in fields["partitions"].items()}
        return cls(**fields)


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


def read_runs(uri: str, *, may_be_new: bool = False) -> list[IndexedRun]:
    """The runs of an index, in their order.

    Raises:
        UsageError: there is no index, or a manifest cannot be read.
    """
    there = files.list_names(uri)
    if _RUNS not in there:
        if may_be_new and not set(there) - {PARTS}:
            return []
        raise UsageError(f"[{uri}] is no index: it has no folder [{_RUNS}]")
    return sorted((_read_run(uri, name) for name in _names(uri)), key=lambda run: (run.order, run.run))


def _names(uri: str) -> list[str]:
    names = files.list_names(files.join(uri, _RUNS))
    return [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING) and not name.startswith(".")]


def _read_run(uri: str, name: str) -> IndexedRun:
    manifest = manifest_of(uri, name)
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
    files.remove_tree(manifest_of(uri, name))
    files.remove_tree(files.join(uri, PARTS, name))


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


def default_name(config: Config) -> str:
    """Name of a run that was not given one: it follows from where it reads and writes.

    So the same command is the same run, and a run of another day another one even if both write to one folder.
    """
    places = [_absolute(uri) for uri in (config.output, *sorted(config.inputs))]
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", places[0].rstrip("/").rpartition("/")[2]).strip("-._")[:60]
    return f"{last or 'run'}-{hashlib.blake2b(json.dumps(places).encode(), digest_size=4).hexdigest()}"


def _absolute(uri: str) -> str:
    return os.path.abspath(uri) if is_local(uri) and not files.is_uri(uri) else uri  # noqa: PTH100 (a glob, maybe)


def manifest_of(uri: str, name: str) -> str:
    """Where the manifest of a run in an index stands."""
    return files.join(uri, _RUNS, name + _ENDING)


def below(uri: str, path: str) -> str:
    """A path below an index."""
    return files.join(uri, *path.split("/"))
