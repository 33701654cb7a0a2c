"""Plans a run, names the runner, waits, and says what came of it."""

import contextlib
import dataclasses
import errno
import json
import logging
import re
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pipeline.commit import Terms
from pipeline.formats import ReadOptions
from pipeline.identity import Start, describe, find_start
from pipeline.index import begin, known_boilerplate
from pipeline.indexed import open_index
from pipeline.layout import MANIFEST, STAGING
from pipeline.lease import Lease, LeaseError, acquire
from pipeline.options import Config, check_beam_args
from pipeline.progress import Progress
from pipeline.resume import prepare
from pipeline.sources import Split, plan
from pipeline.standing import standing_of, tidy
from transforms import files
from transforms.errors import RunFailedError, UsageError
from transforms.exchange import partitions_for
from transforms.staging import Staging

Manifest = Mapping[str, Any]


def run(config: Config, progress: Progress) -> Manifest:
    """Carry out a run and return its manifest.

    Raises:
        UsageError: it cannot be started as given.
        RunFailedError: it failed; staging stays, and the same command goes on from there.
    """
    beam_args = check_beam_args(config.beam_args)
    if not config.is_local:
        check_runner(config.runner)
    progress.say("planning", stage="planning")
    planned = plan(config.inputs, config.columns, own=(config.output, config.index))
    described = describe(config, planned)
    indexed = open_index(config, len(planned.splits))
    with _lease_on(config.output, progress) as lease:
        standing = standing_of(config.output)
        tidy(standing)
        start = find_start(described, standing, overwrite=config.overwrite)
        if start is Start.TIDY:
            return standing.described
        staging, resumed = prepare(described, standing, start)
        if not config.index:  # whose columns come in as many partitions as it has
            staging = dataclasses.replace(staging, partitions=partitions_for(len(planned.splits)))
        if resumed.described["attempts"] > 1:
            progress.say(
                f"going on from an earlier run: {resumed.cleaned} of {len(planned.splits)} shards are cleaned, "
                f"{resumed.written} written; {resumed.again} were in work and are done again",
                cleaned=resumed.cleaned,
                written=resumed.written,
                again=resumed.again,
                shards=len(planned.splits),
            )
        terms = Terms(
            output=config.output,
            shards=len(planned.splits),
            max_reject_rate=config.max_reject_rate,
            max_source_loss=config.max_source_loss,
            strict=config.strict,
            claim=lease.uri,
            described=resumed.described,
            indexing=begin(config, staging, described["run"], indexed),
        )
        _run_graph(config, planned.splits, staging, terms, beam_args, progress, lease)
        manifest: Manifest = json.loads(files.read_bytes(files.join(config.output, MANIFEST)))
        _remove_staging(config.output)
    return manifest


def check_runner(name: str) -> None:
    """Raise ``UsageError`` if Beam has no such runner."""
    from apache_beam.runners.runner import create_runner

    try:
        create_runner(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"--runner [{name}]: {error}") from None


_NOT_AS_GIVEN: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP)
}


@contextlib.contextmanager
def _lease_on(output: str, progress: Progress) -> Iterator[Lease]:
    """The lease on the output folder, which is the first that is written there: whether that can be shows here."""
    with contextlib.ExitStack() as stack:
        try:
            lease = stack.enter_context(acquire(output, progress.say))
        except files.FileError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in _NOT_AS_GIVEN:
                raise UsageError(f"--output [{output}] cannot be written to: {error.reason}") from None
            raise
        yield lease


def _remove_staging(output: str) -> None:
    files.remove_tree(files.join(output, STAGING))


@contextlib.contextmanager
def _holding(lease: Lease) -> Iterator[None]:
    """Keep the lease while the block runs, and break off when another run took it over."""
    lost: list[LeaseError] = []

    def stop(error: LeaseError) -> None:
        lost.append(error)
        if this is threading.main_thread():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    # Elsewhere a signal would hit somebody else; then it is the commit that refuses.
    this = threading.current_thread()
    try:
        with lease.beating(stop):
            yield
    except KeyboardInterrupt:
        if lost:
            raise lost[0] from None
        raise


def _run_graph(
    config: Config,
    splits: Sequence[Split],
    staging: Staging,
    terms: Terms,
    beam_args: tuple[str, ...],
    progress: Progress,
    lease: Lease,
) -> None:
    import apache_beam as beam

    from pipeline.beam_costs import CachedOptions, remember_signatures
    from pipeline.build import build

    remember_signatures()

    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    workers = min(config.worker_count, len(splits))
    local = config.is_local
    if local:  # what a worker fails with ends the run as well, and is told then, once and in one line
        for name in ("common", "worker"):
            logging.getLogger(f"apache_beam.runners.{name}").setLevel(logging.CRITICAL)
    options = CachedOptions([*beam_args, *(_local_options(workers) if local else [f"--runner={config.runner}"])])
    # The workers first, because they get ready while the pipeline is built.
    with _workers(config, workers, local, progress), _errors_told():
        pipeline = beam.Pipeline(runner=_local_runner() if local else None, options=options)
        # Beam makes it for transforms of other languages alone; it would stay when the run is killed.
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
        build(
            pipeline,
            splits,
            staging,
            read=ReadOptions(columns=dict(config.columns)),
            clean=config.clean,
            dedup=config.dedup,
            ledger=known_boilerplate(config, terms.indexing),
            keep=config.keep,
            terms=terms,
        )
        with _holding(lease), progress.watching(staging, len(splits)):
            pipeline.run().wait_until_finish()


_TOLD: Final = re.compile(r"\b(RunFailedError|FileError): (.*?)(?= \[while running|\n|$)")
"""Whatever the runner wraps an error in, those that are for the user are told apart by their class."""
_NO_MEMORY: Final = re.compile(r"\b(Arrow)?MemoryError\b|\bcan't start new thread|\bstd::bad_alloc\b")


@contextlib.contextmanager
def _errors_told() -> Iterator[None]:
    """One line of an error that is not a bug of ours; told first, for workers that end with it look like its cause."""
    try:
        yield
    except LeaseError:
        raise
    except Exception as error:
        if message := _for_the_user(error):
            raise RunFailedError(message) from None
        raise


def _for_the_user(error: Exception) -> str | None:
    """The one line of an error that is not a bug of ours."""
    told = f"{type(error).__name__}: {error}"
    if found := _TOLD.search(told):
        kind, message = found.groups()
        if kind == "RunFailedError":
            return message
        return f"{message}; nothing was committed. Mend that and run the same again: what is cleaned is kept"
    if _NO_MEMORY.search(told):
        return (
            "a worker ran out of memory; nothing was committed. Run the same again with fewer --workers or more "
            "memory: what is cleaned is kept"
        )
    return None


def _workers(config: Config, count: int, local: bool, progress: Progress) -> contextlib.AbstractContextManager[None]:
    if not local:
        return contextlib.nullcontext()
    from pipeline.workers import can_fork, forked_workers, loaded

    if count < 2:
        return loaded(config.clean, progress.say)
    return forked_workers(count, config.clean, progress.say) if can_fork() else contextlib.nullcontext()


def _local_runner() -> Any:
    """Beam's local runner by its own name: ``DirectRunner`` would first try to download another one."""
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return FnApiRunner()


def _local_options(workers: int) -> list[str]:
    if workers < 2:
        return ["--direct_num_workers=1", "--direct_running_mode=in_memory"]
    return [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
