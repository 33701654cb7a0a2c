"""Plans a run, names the runner, waits, and says what came of it."""

import contextlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.commit import Terms
from pipeline.formats import ReadOptions
from pipeline.layout import FOLDERS, MANIFEST, STAGING, SUCCESS
from pipeline.options import Config, check_beam_args, fingerprint, versions
from pipeline.progress import Progress
from pipeline.sources import Split, plan
from transforms import files
from transforms.errors import RunFailedError, UsageError
from transforms.staging import Staging

Manifest = Mapping[str, Any]


def run(config: Config, progress: Progress) -> Manifest:
    """Carry out a run and return its manifest.

    Raises:
        UsageError: it cannot be started as given.
        RunFailedError: it failed; staging stays, and the same command goes on from there.
    """
    beam_args = check_beam_args(config.beam_args)
    read = ReadOptions(columns=dict(config.columns))
    progress.say("planning")
    planned = plan(config.inputs, config.columns)
    run_id = fingerprint(config, planned.splits)
    staging = _prepare_output(config, run_id)
    terms = Terms(
        output=config.output,
        shards=len(planned.splits),
        max_reject_rate=config.max_reject_rate,
        strict=config.strict,
        described={
            "run": run_id,
            "inputs": list(config.inputs),
            "ignored_files": sum(planned.ignored.values()),
            "configuration": config.described(),
            "versions": versions(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    _run_graph(config, planned.splits, staging, read, terms, beam_args, progress)
    manifest: Manifest = json.loads(files.read_bytes(files.join(config.output, MANIFEST)))
    files.remove_tree(files.join(config.output, STAGING))
    return manifest


def _prepare_output(config: Config, run_id: str) -> Staging:
    """Make sure that the output folder is free or holds this very run, unfinished; else refuse or replace."""
    output = config.output
    staging = Staging(files.join(output, STAGING, run_id))
    there = set(files.list_names(output))
    if config.overwrite:
        # `_SUCCESS` goes first: what is half removed must not look whole.
        for name in (SUCCESS, MANIFEST, "report.html"):
            if name in there:
                files.remove_tree(files.join(output, name))
        for name in (*FOLDERS, STAGING):
            if name in there:
                files.remove_tree(files.join(output, name))
    elif SUCCESS in there:
        raise UsageError(
            f"[{output}] already holds a finished run; choose another --output, or replace it with --overwrite"
        )
    elif STAGING in there:
        if run_id not in files.list_names(files.join(output, STAGING)):
            raise UsageError(
                f"[{output}] holds an unfinished run of another input or configuration; finish that one with its own "
                "command, choose another --output, or replace it with --overwrite"
            )
    elif there:
        raise UsageError(f"[{output}] is not empty and holds no run; choose another --output")
    return staging


def _run_graph(
    config: Config,
    splits: Sequence[Split],
    staging: Staging,
    read: ReadOptions,
    terms: Terms,
    beam_args: tuple[str, ...],
    progress: Progress,
) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from pipeline.build import build

    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    workers = min(config.worker_count, len(splits))
    local = config.runner in ("DirectRunner", "FnApiRunner")
    options = PipelineOptions([*beam_args, *(_local_options(workers) if local else [f"--runner={config.runner}"])])
    try:
        # First, because they get ready while the pipeline is built.
        with _workers(config, workers, local):
            pipeline = beam.Pipeline(runner=_local_runner() if local else None, options=options)
            build(
                pipeline,
                splits,
                staging,
                read=read,
                clean=config.clean,
                dedup=config.dedup,
                ledger=config.ledger,
                keep=config.keep,
                terms=terms,
            )
            with progress.watching(staging, len(splits)):
                pipeline.run().wait_until_finish()
    except RunFailedError:
        raise
    except Exception as error:
        # Whatever the runner wraps it in, the one line that is for the user is told apart by its class.
        if found := re.search(r"RunFailedError: (.+?)(?= \[while running|\n|$)", f"{type(error).__name__}: {error}"):
            raise RunFailedError(found.group(1)) from None
        raise


def _workers(config: Config, count: int, local: bool) -> contextlib.AbstractContextManager[None]:
    if not local or count < 2:
        return contextlib.nullcontext()
    from pipeline.workers import can_fork, forked_workers

    return forked_workers(count, config.clean) if can_fork() else contextlib.nullcontext()


def _local_runner() -> Any:
    """Beam's local runner by its own name: ``DirectRunner`` would first try to download another one."""
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return FnApiRunner()


def _local_options(workers: int) -> list[str]:
    if workers < 2:
        return ["--direct_num_workers=1", "--direct_running_mode=in_memory"]
    return [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
