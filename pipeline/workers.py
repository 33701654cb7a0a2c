"""Worker processes of the local runner, forked when everything is imported and the machine code is loaded.

Beam starts its own worker processes from nothing: each imports Beam and the kernels again, which takes some five
seconds of every run. A fork has them at once. What has to be loaded is loaded by a child, the nursery, which forks the
workers, while this process builds the pipeline. Where a process cannot safely fork, Beam's own way is used.
"""

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, ClassVar, Final

import numpy as np
from apache_beam.portability import python_urns
from apache_beam.portability.api import endpoints_pb2
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import sdk_worker_main
from google.protobuf import json_format, text_format

from transforms.clean import clean_batch
from transforms.errors import RunFailedError
from transforms.records import Record
from transforms.text.boilerplate import has_phrase
from transforms.text.clean import CleanConfig, Cleaner
from transforms.text.leaders import Thresholds, cluster_by_leader
from transforms.text.ledger import hash_paragraphs, keys_of, sketch_words
from transforms.text.minhash import band_keys, choose_banding, sign_articles, string_hashes
from transforms.text.repetition_kernel import find_repetition
from transforms.text.rules import load_cruft_rules
from transforms.text.shingles import shingle_hashes
from transforms.text.unionfind import connected_components


def can_fork() -> bool:
    """Whether this process may fork: on Linux, and only while it has no threads, whose locks a fork would copy shut."""
    return sys.platform == "linux" and threading.active_count() == 1


@contextlib.contextmanager
def forked_workers(count: int, config: CleanConfig) -> Iterator[None]:
    """Have ``count`` workers for the pipeline that is built and run in the block.

    One child loads tables and machine code, which takes a second, while the pipeline is built here; then it forks the
    workers, which have all that in memory that they share. To be entered only where :func:`can_fork`.

    Raises:
        RuleError: the user's rules cannot be used.
        RunFailedError: a worker died.
    """
    if config.rules is not None:
        load_cruft_rules(config.rules)  # an error in there is the user's to mend, so it must come up here
    pipes = [_FORK.Pipe() for _ in range(count)]
    nursery = _FORK.Process(target=_raise_workers, args=(pipes, config))
    nursery.start()
    for _, theirs in pipes:
        theirs.close()
    _Handler.idle = [ours for ours, _ in pipes]
    worker_handlers.WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(_Handler)
    try:
        yield
    except Exception:
        # What Beam says when a worker died is that a channel closed; the nursery ends a moment after the worker.
        nursery.join(_MOMENT_SECONDS)
        if nursery.exitcode is not None:
            raise RunFailedError(
                "a worker process died, most likely for want of memory; nothing was committed. Run the same again with "
                "fewer --workers: what is cleaned is kept"
            ) from None
        raise
    finally:
        nursery.terminate()
        nursery.join()


_FORK: Final = multiprocessing.get_context("fork")
_MOMENT_SECONDS: Final = 1.0


def _raise_workers(pipes: list[tuple[Connection, Connection]], config: CleanConfig) -> None:
    """The life of the nursery: load, fork, and end, with all workers, when the first of them does or when told."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    for ours, _ in pipes:
        ours.close()
    _load_kernels(config)
    workers = [_FORK.Process(target=_work, args=(own, pipes), daemon=True) for own in range(len(pipes))]
    for worker in workers:
        worker.start()
    for _, theirs in pipes:
        theirs.close()
    wait([worker.sentinel for worker in workers])  # the others end with us, being daemons


def _work(own: int, pipes: list[tuple[Connection, Connection]]) -> None:
    """The life of a worker: wait to be told where the runner is, then do what it says until it hangs up."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Of the pipes only our own end stays open, so that it closes when the parent is gone.
    for number, (_, theirs) in enumerate(pipes):
        if number != own:
            theirs.close()
    try:
        environment = pipes[own][1].recv()
    except EOFError:
        return
    _, harness, _ = sdk_worker_main.create_harness(environment)
    harness.run()


def _load_kernels(config: CleanConfig) -> None:
    """Do a little of everything, so that tables are made and machine code is loaded before the fork."""
    record = Record("id", None, None, None, None, "A text of six words here.", "utf-8", 1)
    staged, _, _ = clean_batch("", [record], Cleaner(config, find_repetition))
    texts = staged.column("text")
    signed = sign_articles(texts, 5, 128, 16)
    band_keys(signed.signatures, choose_banding(0.7, 128))
    refs = string_hashes(texts)
    connected_components(refs, refs)
    paragraphs = hash_paragraphs(texts)
    keys_of(paragraphs.near, refs)
    sketch_words(texts, paragraphs, np.zeros(1, bool))
    has_phrase(record.text, "topics")
    hashes, offsets = shingle_hashes(texts, 5)
    cluster_by_leader(hashes, offsets, np.zeros(1, np.int64), Thresholds())


class _Handler(worker_handlers.GrpcWorkerHandler):
    """Tells an idle worker where the runner is."""

    idle: ClassVar[list[Connection]] = []

    def __init__(self, _: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)

    def start_worker(self) -> None:
        """Give the next idle worker its address and options."""
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        logs = self.logging_api_service_descriptor()
        self.idle.pop().send(
            {
                "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(control),
                "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(logs),
                "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
                "WORKER_ID": self.worker_id,
            }
        )

    def stop_worker(self) -> None:
        """The worker ends when its control stream does."""
