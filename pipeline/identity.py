"""What tells a run from another, and so what a command may do with the folder that it is to write to.

Nothing is changed here, and Beam is not loaded, so that ``--dry-run`` is quick.
"""

import enum
import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from pipeline.layout import STAGING
from pipeline.lease import now
from pipeline.options import Config, fingerprint, versions
from pipeline.sources import Plan
from pipeline.standing import Described, Standing, State
from transforms.errors import UsageError

_MAX_LISTED: Final = 10_000  # input files that are told apart by name; of more, only that they differ
_MAX_SHOWN: Final = 3


class Start(enum.StrEnum):
    """What a run does first with its output folder."""

    BEGIN = "begin"
    GO_ON = "go on"
    """With what an earlier run of the same command left."""
    REPLACE = "replace"
    """What another run left."""
    TIDY = "tidy"
    """Nothing else: the same command finished, and was killed while it removed its staging."""


def describe(config: Config, plan: Plan) -> dict[str, Any]:
    """What a run says of itself, in plain values as they come back from JSON."""
    described = {
        "run": fingerprint(config, plan.splits),
        "inputs": list(config.inputs),
        "ignored_files": sum(plan.ignored.values()),
        "configuration": config.described(),
        "versions": versions(),
        "started": now(),
        "read": _describe_files(plan),
        "shards": len(plan.splits),
    }
    # Where tuples are lists, so that it can be compared with what an earlier run wrote.
    plain: dict[str, Any] = json.loads(json.dumps(described))
    return plain


def find_start(described: Described, standing: Standing, *, overwrite: bool) -> Start:
    """Find what the run may do with its output folder.

    Raises:
        UsageError: nothing, for it holds something else.
    """
    is_same = standing.described.get("run") == described["run"]
    if is_same and standing.state is State.FINISHED and STAGING in standing.leftovers:
        return Start.TIDY
    if is_same and standing.state is State.UNFINISHED:
        return Start.GO_ON
    if not overwrite:
        _refuse(standing, described)
    elif not standing.is_ours:
        raise UsageError(
            f"[{standing.output}] holds what no run wrote, and --overwrite replaces runs alone; choose another --output"
        )
    return Start.BEGIN if standing.state is State.NONE else Start.REPLACE


def _describe_files(plan: Plan) -> dict[str, Any]:
    """What tells the input from another: of up to 10,000 files each, of more all in one."""
    stamps = plan.stamps
    digest = hashlib.blake2b(json.dumps(sorted(stamps.items())).encode(), digest_size=8).hexdigest()
    listed = stamps if len(stamps) <= _MAX_LISTED else None
    return {"files": plan.files, "bytes": plan.bytes, "digest": digest, "stamps": listed}


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
