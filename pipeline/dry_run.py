"""What a run would read, do and cost, told beforehand: nothing is written, and Beam is not loaded."""

from collections import Counter
from typing import Any, Final

from pipeline.formats import kind_of
from pipeline.identity import Start, describe, find_start
from pipeline.indexed import default_name, open_index
from pipeline.lease import is_known_alive
from pipeline.options import Config, check_beam_args
from pipeline.sources import Plan, plan
from pipeline.standing import Standing, standing_of
from transforms.errors import UsageError

# Measured: docs/operations.md, "Sizing".
START_SECONDS: Final = 6.0
"""CPU of the start, whatever the input."""
CPU_SECONDS_PER_MB: Final = 0.2
"""Of text; the workers share it."""
MEMORY_MB: Final = 400
"""The driver, and what the workers share with it."""
MEMORY_MB_PER_WORKER: Final = 250
MEMORY_PER_TEXT: Final = 1.0
"""Bytes that the driver and the workers come to hold together for each byte of text."""
DISK_PER_TEXT: Final = 1.0
"""Bytes of staging and output, at their most, for each byte of text."""


def look_ahead(config: Config) -> dict[str, Any]:
    """Tell what the same command would do without ``--dry-run``.

    ``refused`` is why it would not even start for what the output folder or the index holds, else ``None``.

    Raises:
        UsageError: the options or the inputs are not fit for any run.
    """
    check_beam_args(config.beam_args)
    planned = plan(config.inputs, config.columns)
    workers = min(config.worker_count, len(planned.splits))
    standing = standing_of(config.output)
    told: dict[str, Any] = {
        "files": planned.files,
        "bytes": planned.bytes,
        "text_bytes": planned.text_bytes,
        "kinds": _kinds(planned),
        "ignored": dict(planned.ignored),
        "splits": len(planned.splits),
        "workers": workers,
        "output": config.output,
        "state": str(standing.state),
        "next": "",
        "refused": None,
        "index": None,
        "estimates": _estimate(planned, workers),
    }
    try:
        if config.index:
            told["index"] = _index(config, len(planned.splits))
        told["next"] = _next(find_start(describe(config, planned), standing, overwrite=config.overwrite), standing)
    except UsageError as error:
        told["next"], told["refused"] = "the command is refused", str(error)
    for claim in standing.claims:
        if claim.held and told["refused"] is None and is_known_alive(claim):
            told["next"], told["refused"] = "the command is refused", f"another run works there: {claim}"
    return told


def _kinds(planned: Plan) -> dict[str, int]:
    """Files by what their names say that they hold: ``{"jsonl.gzip": 3, "parquet": 1}``."""
    return dict(sorted(Counter(".".join(filter(None, kind_of(uri))) for uri in planned.stamps).items()))


def _index(config: Config, shards: int) -> dict[str, Any]:
    runs = open_index(config, shards)
    name = config.index_run or default_name(config)
    return {
        "uri": config.index,
        "runs": len(runs),
        "articles": sum(run.articles for run in runs),
        "run": name,
        "replaces": any(run.run == name for run in runs),
    }


def _next(start: Start, standing: Standing) -> str:
    shards = standing.described.get("shards")
    return {
        Start.BEGIN: "a run begins",
        Start.GO_ON: (
            f"it goes on: of {shards} shards {standing.cleaned} are cleaned and {standing.written} written; "
            f"{standing.begun} were in work and are done again"
        ),
        Start.REPLACE: "a run begins, and replaces what the folder holds",
        Start.TIDY: "the run is finished already; what is left of its staging is removed",
    }[start]


def _estimate(planned: Plan, workers: int) -> dict[str, float]:
    megabytes = planned.text_bytes / 1e6
    cpu = START_SECONDS + CPU_SECONDS_PER_MB * megabytes
    return {
        "cpu_seconds": round(cpu),
        "seconds": round(START_SECONDS + CPU_SECONDS_PER_MB * megabytes / workers),
        "memory_mb": round(MEMORY_MB + MEMORY_MB_PER_WORKER * workers + MEMORY_PER_TEXT * megabytes),
        "disk_mb": round(DISK_PER_TEXT * megabytes),
    }
