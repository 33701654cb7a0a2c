"""Makes an output folder ready for a run, or takes over what an earlier one of the same command left there."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pyarrow.parquet as pq

from pipeline.layout import FOLDERS, MANIFEST, REPORT, STAGING, SUCCESS
from pipeline.options import is_local
from pipeline.sources import Plan
from pipeline.standing import Described, Standing, State
from transforms import files
from transforms.clean import ShardCounts
from transforms.errors import UsageError
from transforms.finalise import PartTotals
from transforms.staging import Staging, shards_done

_MAX_LISTED: Final = 10_000  # input files that are told apart by name; of more, only that they differ
_MAX_SHOWN: Final = 3
_PARAGRAPHS: Final = re.compile(r"paragraphs-(\d+)")


class Resumed(NamedTuple):
    """What a run takes over from earlier ones of the same command that were killed."""

    described: dict[str, Any]
    """What the run says of itself, with the start of the first of them."""
    cleaned: int = 0
    written: int = 0
    again: int = 0
    """Shards that were in work when it was killed, and are done again."""


def describe_files(plan: Plan) -> dict[str, Any]:
    """What tells the input from another: of up to 10,000 files each, of more all in one."""
    stamps = plan.stamps
    digest = hashlib.blake2b(json.dumps(sorted(stamps.items())).encode(), digest_size=8).hexdigest()
    listed = stamps if len(stamps) <= _MAX_LISTED else None
    return {"files": plan.files, "bytes": plan.bytes, "digest": digest, "stamps": listed}


def prepare(described: Described, plan: Plan, standing: Standing, *, overwrite: bool) -> tuple[Staging, Resumed]:
    """Make sure that the output folder is free or holds this very run, unfinished; else refuse or replace.

    To be called by who holds the lease.

    Raises:
        UsageError: the folder holds something else.
    """
    output = standing.output
    staging = Staging(files.join(output, STAGING, described["run"]))
    # As it comes back from JSON, where tuples are lists, so that it can be compared.
    own = json.loads(json.dumps({**described, "read": describe_files(plan), "shards": len(plan.splits)}))
    if standing.state is State.UNFINISHED and standing.described["run"] == described["run"]:
        resumed = _take_over(staging, standing, own)
        files.write_bytes(staging.run(), json.dumps(resumed.described).encode())
        return staging, resumed
    if not overwrite:
        _refuse(standing, own)
    elif not standing.is_ours:
        raise UsageError(
            f"[{output}] holds what no run wrote, and --overwrite replaces runs alone; choose another --output"
        )
    _clear(standing)
    resumed = Resumed({**own, "attempts": 1, "shards_again": 0})
    files.write_bytes(staging.run(), json.dumps(resumed.described).encode())
    return staging, resumed


def _refuse(standing: Standing, own: Described) -> None:
    output = standing.output
    if standing.state is State.FINISHED:
        raise UsageError(
            f"[{output}] already holds a finished run; choose another --output, or replace it with --overwrite"
        )
    if standing.state is State.UNFINISHED:
        differences = list(_differences(standing.described, own))
        shown = "; ".join(differences[:_MAX_SHOWN])
        more = f"; and {len(differences) - _MAX_SHOWN} more" if len(differences) > _MAX_SHOWN else ""
        raise UsageError(
            f"[{output}] holds an unfinished run of another input or configuration: {shown}{more}. Finish that one "
            "with its own command, choose another --output, or replace it with --overwrite"
        )
    if standing.state is State.OTHER:
        raise UsageError(f"[{output}] is not empty and holds no run; choose another --output")


def _differences(was: Described, now: Described) -> Iterator[str]:
    """What tells two runs apart, in words."""
    for group in ("configuration", "versions"):
        old, new = was.get(group, {}), now[group]
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield f"{name.replace('_', '-')} was [{_plain(old.get(name))}], now is [{_plain(new.get(name))}]"
    old, new = was.get("read", {}), now["read"]
    if old.get("digest") == new["digest"]:
        if was.get("shards") != now["shards"]:
            yield f"the input was cut into [{was.get('shards')}] shards, now into [{now['shards']}]"
        return
    if old.get("stamps") is None or new["stamps"] is None:
        was_read = f"[{old.get('files')}] files of [{old.get('bytes')}] bytes"
        yield f"the input was {was_read}, now is [{new['files']}] of [{new['bytes']}]"
        return
    stamps = new["stamps"]
    for word, uris in (
        ("new", sorted(stamps.keys() - old["stamps"])),
        ("gone", sorted(old["stamps"].keys() - stamps)),
        ("changed", sorted(uri for uri in stamps.keys() & old["stamps"] if stamps[uri] != old["stamps"][uri])),
    ):
        if uris:
            others = f" and {len(uris) - 1} others" if len(uris) > 1 else ""
            yield f"of the input, [{uris[0]}]{others} {'are' if others else 'is'} {word}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _clear(standing: Standing) -> None:
    """Remove a run; what is half removed must not look whole, so what says that it is goes first."""
    output = standing.output
    there = set(files.list_names(output))
    for name in (SUCCESS, MANIFEST, REPORT, *FOLDERS):
        if name in there:
            files.remove_tree(files.join(output, name))
    if STAGING in there:
        for run in files.list_names(files.join(output, STAGING)):
            files.remove_tree(Staging(files.join(output, STAGING, run)).run())
        files.remove_tree(files.join(output, STAGING))


def _take_over(staging: Staging, standing: Standing, own: Described) -> Resumed:
    """Clear away what was in work when the earlier run was killed, and look whether the rest outlived that."""
    for folder in (staging.uri, files.join(staging.uri, "exchange")):
        for name in files.list_names(folder):
            if name.startswith(".") and name.endswith(".tmp"):
                files.remove_tree(files.join(folder, name))
    if is_local(staging.uri):
        _remove_damaged(staging, standing.output)
    done = shards_done(files.list_names(staging.uri))
    again = standing.begun + standing.cleaned - len(done.cleaned)
    earlier = standing.described
    described = {
        **own,
        "started": earlier["started"],
        "attempts": earlier["attempts"] + 1,
        "shards_again": earlier["shards_again"] + again,
    }
    return Resumed(described, len(done.cleaned), len(done.written), again)


def _remove_damaged(staging: Staging, output: str) -> None:
    """After a power cut a file may stand there that was never written out: such a shard is done again."""
    for name in files.list_names(files.join(staging.uri, "exchange")):
        uri = files.join(staging.uri, "exchange", name)
        if _rows(uri) is None:
            files.remove_tree(uri)
            if found := _PARAGRAPHS.match(name):  # they were written with the shard
                files.remove_tree(staging.counts(int(found[1])))
    done = shards_done(files.list_names(staging.uri))
    for shard in done.written:
        if not _is_written(staging.finished(shard), output):
            files.remove_tree(staging.finished(shard))
    for shard in done.cleaned:
        if not _is_cleaned(staging, shard):
            files.remove_tree(staging.finished(shard))
            files.remove_tree(staging.counts(shard))


def _is_cleaned(staging: Staging, shard: int) -> bool:
    try:
        counts = ShardCounts.from_json(files.read_bytes(staging.counts(shard)))
    except ValueError:
        return False
    return (
        _rows(staging.articles(shard)) == counts.articles
        and _rows(staging.edits(shard)) == sum(counts.edits.values())
        and _rows(staging.rejects(shard)) == sum(counts.rejects.values())
    )


def _is_written(finished: str, output: str) -> bool:
    try:
        totals = PartTotals.from_json(files.read_bytes(finished))
    except ValueError:
        return False
    return all(_rows(files.join(output, *entry.path.split("/"))) == entry.rows for entry in totals.files)


def _rows(uri: str) -> int | None:
    """Rows of a Parquet file; ``None`` where it is not whole."""
    try:
        with files.open_input(uri) as file:
            return int(pq.read_metadata(file).num_rows)
    except files.DAMAGED:
        return None
