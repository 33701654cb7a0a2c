"""What a run would read, do and cost, told beforehand: nothing is written, and Beam is not loaded."""

from collections import Counter
from statistics import fmean
from typing import Any, Final

from pipeline.formats import ReadOptions, kind_of
from pipeline.identity import Start, describe, find_start
from pipeline.indexed import default_name, open_index
from pipeline.lease import is_known_alive
from pipeline.options import Config, check_beam_args
from pipeline.readers import PartReader
from pipeline.sources import Plan, plan
from pipeline.standing import Standing, standing_of
from transforms.errors import UsageError
from transforms.records import Record

# Measured on runs of 3,584 to 1,000,000 articles: docs/operations.md, "Sizing", which tells how far off they were.
START_CPU_SECONDS: Final = 4.0
START_SECONDS: Final = 3.0
CPU_SECONDS_PER_ARTICLE: Final = 0.0005
CPU_SECONDS_PER_MB: Final = 0.03
"""Of text; the workers share what comes after the start."""
MEMORY_MB: Final = 180
"""The driver, and what the workers share with it."""
MEMORY_MB_PER_WORKER: Final = 60
MEMORY_PER_SHARD_TEXT: Final = 3.0
"""Bytes that a worker holds for each byte of text in a shard."""
MEMORY_KB_PER_ARTICLE: Final = 0.6
DISK_PER_TEXT: Final = 1.8
"""Bytes of staging and output, at their most, for each byte of text."""
DISK_KB_PER_ARTICLE: Final = 1.1

_SAMPLED_SPLITS: Final = 5
_SAMPLED_PARTS: Final = 20  # of each


def look_ahead(config: Config) -> dict[str, Any]:
    """Tell what the same command would do without ``--dry-run``.

    ``refused`` is why it would not even start for what the output folder or the index holds, else ``None``.

    Raises:
        UsageError: the options or the inputs are not fit for any run.
    """
    check_beam_args(config.beam_args)
    if not config.is_local:
        from pipeline.run import check_runner

        check_runner(config.runner)
    planned = plan(config.inputs, config.columns, own=(config.output, config.index))
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
        "estimates": _estimate(planned, config, workers),
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


def _estimate(planned: Plan, config: Config, workers: int) -> dict[str, float]:
    megabytes = planned.text_bytes / 1e6
    articles = planned.text_bytes / _mean_bytes(planned, config)
    work = CPU_SECONDS_PER_ARTICLE * articles + CPU_SECONDS_PER_MB * megabytes
    worker_mb = MEMORY_MB_PER_WORKER + MEMORY_PER_SHARD_TEXT * megabytes / len(planned.splits)
    return {
        "articles": round(articles),
        "cpu_seconds": round(START_CPU_SECONDS + work),
        "seconds": round(START_SECONDS + work / workers),
        "memory_mb": round(MEMORY_MB + worker_mb * workers + MEMORY_KB_PER_ARTICLE * articles / 1e3),
        "disk_mb": round(DISK_PER_TEXT * megabytes + DISK_KB_PER_ARTICLE * articles / 1e3),
    }


def _mean_bytes(planned: Plan, config: Config) -> float:
    """Bytes of text in an article, by the first records of a few splits."""
    step = -(-len(planned.splits) // _SAMPLED_SPLITS)
    parts = [part for split in planned.splits[::step] for part in split.parts[:_SAMPLED_PARTS]]
    options = ReadOptions(columns=dict(config.columns))
    sizes = [
        len(record.text.encode() if isinstance(record, Record) else record.raw)
        for part in parts
        for record in next(iter(PartReader(part, options)), [])
    ]
    return max(fmean(sizes or [1]), 1.0)
