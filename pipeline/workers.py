"""Worker processes of the local runner, forked when everything is imported and the machine code is loaded.

Beam starts its own worker processes from nothing: each imports Beam and the kernels again, which takes some five
seconds of every run. A fork has them at once. What has to be loaded is loaded by a child, while this process builds the
pipeline; then that child forks the other workers and is the first of them itself. Where a process cannot safely fork,
Beam's own way is used.
"""

import contextlib
import ctypes
import functools
import gc
import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import grpc
import numpy as np
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import sdk_worker_main
from google.protobuf import json_format, text_format

from pipeline.lean import hidden, uncollected
from transforms.clean import clean_batch
from transforms.errors import RunFailedError
from transforms.records import Record, Records
from transforms.text.boilerplate import has_phrase
from transforms.text.clean import CleanConfig, Cleaner
from transforms.text.decide import Article, DecisionThresholds
from transforms.text.leaders import Thresholds, cluster_by_leader
from transforms.text.ledger import hash_paragraphs, keys_of, sketch_words
from transforms.text.minhash import band_keys, choose_banding, sign_articles, string_hashes
from transforms.text.rules import load_cruft_rules
from transforms.text.shingles import shingle_hashes, token_counts
from transforms.text.sorted_keys import recurring_rows
from transforms.text.stories import Reach, find_stories
from transforms.text.unionfind import connected_components

Say: TypeAlias = Callable[[str], None]

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # malloc.h
_LARGE_BYTES: Final = 4 * 1024 * 1024
_KEPT_BYTES: Final = 32 * 1024 * 1024
_MADV_DONTNEED: Final = 4  # mman.h
_DIED: Final = "a worker process died"


def can_fork() -> bool:
    """Whether this process may fork: on Linux, and only while it has no threads, whose locks a fork would copy shut."""
    return sys.platform == "linux" and threading.active_count() == 1


@contextlib.contextmanager
def forked_workers(count: int, config: CleanConfig, say: Say) -> Iterator[None]:
    """Have ``count`` workers for the pipeline that is built and run in the block.

    One child loads tables and machine code, which takes a second, while the pipeline is built here; then it forks the
    other workers, which share all that with it in memory. To be entered only where :func:`can_fork`.

    Raises:
        RuleError: the user's rules cannot be used.
        RunFailedError: a worker died.
    """
    if config.rules is not None:
        load_cruft_rules(config.rules)  # an error in there is the user's to mend, so it must come up here
    _spare_memory()
    pipes = [_FORK.Pipe() for _ in range(count)]
    first = _FORK.Process(target=_first_worker, args=(pipes, config, os.getpid(), say))
    gc.freeze()  # a collection would write to the pages that the workers share
    first.start()
    _drop_pages()
    for _, theirs in pipes:
        theirs.close()
    _Handler.idle = [ours for ours, _ in pipes]
    _Handler.started = []
    worker_handlers.WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(_Handler)
    try:
        with _watching(first):
            yield
    except RunFailedError:
        raise
    except Exception as error:
        # What Beam says when a worker died is that a channel closed; the first worker ends a moment after another.
        first.join(_MOMENT_SECONDS)
        if first.exitcode or _DIED in str(error):
            raise RunFailedError(
                "a worker process died, most likely for want of memory; nothing was committed. Run the same again with "
                "fewer --workers: what is cleaned is kept"
            ) from None
        raise
    finally:
        first.kill()
        first.join()
        gc.unfreeze()


@contextlib.contextmanager
def loaded(config: CleanConfig, say: Say) -> Iterator[None]:
    """Have everything loaded in this process, for the pipeline that is built and run in the block by itself."""
    _load(config, say)
    gc.freeze()  # a collection would go through all of it
    try:
        yield
    finally:
        gc.unfreeze()


def _load(config: CleanConfig, say: Say) -> None:
    # With its first kernel numba looks for linear algebra and C interfaces, which none of ours needs: 0.3 s, 11 MB.
    with hidden("scipy", "cffi"), uncollected(), compiling_told(say):
        load_kernels(config)


@contextlib.contextmanager
def compiling_told(say: Say) -> Iterator[None]:
    """Say so, once, if a kernel is compiled in the block: it takes half a minute, in which nothing else is seen."""
    from numba.core import event

    class Told(event.Listener):
        told = False

        def on_start(self, _: object) -> None:
            if not self.told:
                self.told = True
                say("compiling kernels, once for this version")

        def on_end(self, _: object) -> None:
            pass

    with event.install_listener("numba:compile", Told()):  # what is found compiled is no such event
        yield


_FORK: Final = multiprocessing.get_context("fork")
_MOMENT_SECONDS: Final = 1.0


def _first_worker(pipes: list[tuple[Connection, Connection]], config: CleanConfig, parent: int, say: Say) -> None:
    """The life of the first worker: load, fork the others, work, and end, with all of them, when one of them does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with(parent)
    for ours, _ in pipes:
        ours.close()
    _load(config, say)
    _drop_pages()
    gc.freeze()
    own = os.getpid()
    others = [_FORK.Process(target=_work, args=(number, pipes, own), daemon=True) for number in range(1, len(pipes))]
    for worker in others:
        worker.start()
    threading.Thread(target=_end_with_first_of, args=(others,), name="workers", daemon=True).start()
    _work(0, pipes, parent)


def _end_with_first_of(workers: Sequence[BaseProcess]) -> None:
    """When a worker ends, end this process: the others end with it."""
    dead = wait([worker.sentinel for worker in workers])
    ended = [worker for worker in workers if worker.sentinel in dead]
    for worker in ended:
        worker.join()  # its sentinel closes a moment before its exit code is to be had
    os._exit(any(worker.exitcode for worker in ended))


def _end_with(parent: int) -> None:
    """However the parent ends, end with it, be it in the middle of a shard: whoever goes on must be alone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


@contextlib.contextmanager
def _watching(first: BaseProcess) -> Iterator[None]:
    """Break the run off when a worker dies: of one that never connected the runner would wait for ever."""
    ended, stop = multiprocessing.Pipe()

    def watch() -> None:
        dead = wait([ended, first.sentinel])
        if ended not in dead:
            logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # one clear line is enough
        while ended not in dead and not ended.poll(_GRACE_SECONDS):
            # Again and again, for the runner may go on to the next request meanwhile.
            for handler in _Handler.started:
                handler.answer_for_the_dead()

    def say(failed: threading.ExceptHookArgs) -> None:
        if not issubclass(failed.exc_type, grpc.RpcError):  # a channel closed: the worker's death tells why
            before(failed)

    thread = threading.Thread(target=watch, name="workers", daemon=True)
    thread.start()
    before, threading.excepthook = threading.excepthook, say
    try:
        yield
    finally:
        threading.excepthook = before
        stop.close()
        thread.join()
        ended.close()


_GRACE_SECONDS = 0.5  # for the runner to notice by itself, and say why


def _spare_memory() -> None:
    """Let freed memory be used again, by whatever thread of this process and those that it forks.

    See also :func:`pipeline.lean.use_one_heap`.

    What is large goes back to the system at once; glibc would after a while take it from the heap and leave gaps there.
    Of the rest some is kept: to get a page back from the system costs more than most of what is done with it.
    """
    with contextlib.suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        ctypes.CDLL(None).mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _drop_pages() -> None:
    """Let go of what was read of libraries' files; what is needed again is read again, from the system's cache.

    Importing and loading machine code go once through much that no run needs: 70 MB of the compiler alone.
    """
    libc = ctypes.CDLL(None)
    begin = end = 0
    is_file = False
    for line in _read_mappings():
        if found := _MAPPING.match(line):
            begin, end = (int(place, 16) for place in found.group(1, 2))
            is_file = found[3] in ("r-xp", "r--p") and "/" in found[4]
        elif is_file and line.split() == ["Anonymous:", "0", "kB"]:  # nothing of it was written to
            libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED)


_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+)(.*)")


def _read_mappings() -> list[str]:
    with contextlib.suppress(OSError):  # where a container hides it
        return Path("/proc/self/smaps").read_text("utf-8", "replace").splitlines()
    return []


def _work(own: int, pipes: list[tuple[Connection, Connection]], parent: int) -> None:
    """The life of a worker: wait to be told where the runner is, then do what it says until it hangs up."""
    _end_with(parent)
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (what Beam prints there, the driver is told as well)
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


@functools.cache
def load_kernels(config: CleanConfig) -> None:
    """Do a little of everything, so that tables are made and machine code is loaded before the fork."""
    record = Record("id", None, None, None, None, "A text of six words here.", "utf-8", 1)
    staged, _, _ = clean_batch("", Records.of([record]), Cleaner(config))
    texts = staged.column("text")
    signed = sign_articles(texts, 5, 128, 16)
    band_keys(signed.signatures, choose_banding(0.7, 128))
    refs = string_hashes(texts)
    recurring_rows(refs)
    token_counts(texts)
    connected_components(refs, refs)
    paragraphs = hash_paragraphs(texts)
    keys_of(paragraphs.near, refs)
    sketch_words(texts, paragraphs, np.zeros(1, bool))
    has_phrase(record.text, "topics")
    hashes, offsets = shingle_hashes(texts, 5)
    cluster_by_leader(hashes, offsets, np.zeros(1, np.int64), Thresholds())
    alike = [Article(record.text * 3, title="One"), Article(record.text * 4, title="Two")]
    find_stories(alike, DecisionThresholds(), Reach())


class _Handler(worker_handlers.GrpcWorkerHandler):
    """Tells an idle worker where the runner is."""

    idle: ClassVar[list[Connection]] = []
    started: ClassVar[list["_Handler"]] = []

    def __init__(self, _: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)

    def start_worker(self) -> None:
        """Give the next idle worker its address and options."""
        self.started.append(self)
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

    def answer_for_the_dead(self) -> None:
        """Answer all that the runner waits for with an error; to abort its futures would not end a wait for data."""
        futures = self.control_conn._futures_by_id
        for instruction in list(futures):
            with contextlib.suppress(KeyError):  # it was answered meanwhile
                futures.pop(instruction).set(beam_fn_api_pb2.InstructionResponse(error=_DIED))

    def stop_worker(self) -> None:
        """The worker ends when its control stream does."""
