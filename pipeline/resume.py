"""Makes an output folder ready for a run, or takes over what an earlier one of the same command left there."""

import json
import re
from typing import Any, Final, NamedTuple

import pyarrow.parquet as pq

from pipeline.identity import Start
from pipeline.layout import FOLDERS, MANIFEST, REPORT, STAGING, SUCCESS
from pipeline.options import is_local
from pipeline.standing import Described, Standing
from transforms import files
from transforms.clean import ShardCounts
from transforms.finalise import PartTotals
from transforms.staging import Staging, shards_done

_PARAGRAPHS: Final = re.compile(r"paragraphs-(\d+)")


class Resumed(NamedTuple):
    """What a run takes over from earlier ones of the same command that were killed."""

    described: dict[str, Any]
    """What the run says of itself, with the start of the first of them."""
    cleaned: int = 0
    written: int = 0
    again: int = 0
    """Shards that were in work when it was killed, and are done again."""


def prepare(described: Described, standing: Standing, start: Start) -> tuple[Staging, Resumed]:
    """Take over what the output folder holds of this very run, or clear the folder for it, as ``start`` says.

    To be called by who holds the lease.
    """
    staging = Staging(files.join(standing.output, STAGING, described["run"]))
    if start is Start.GO_ON:
        resumed = _take_over(staging, standing, described)
    else:
        _clear(standing)
        resumed = Resumed({**described, "attempts": 1, "shards_again": 0})
    files.write_bytes(staging.run(), json.dumps(resumed.described).encode())
    return staging, resumed


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
