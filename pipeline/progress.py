"""Shows how far a run is: a live display on a terminal, plain lines or JSON elsewhere."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as LiveProgress

from pipeline.log import JsonLog
from pipeline.options import is_local
from transforms import files
from transforms.errors import RunFailedError
from transforms.staging import Staging, shards_done

_SECONDS = 0.5
_REMOTE_SECONDS = 5.0  # a look costs a request for each 1,000 files of staging
_STAGES = ("cleaning", "writing")


class Progress:
    """Counts the shards that exist, so it is the same on every runner and costs nothing."""

    def __init__(self, console: Console, *, quiet: bool = False, log: JsonLog | None = None) -> None:
        self._console = console
        self._quiet = quiet
        self._log = log

    def say(self, what: str, **fields: Any) -> None:
        """One plain line, unless quiet or on a terminal, where the display says it; ``fields`` are for JSON alone."""
        if self._quiet:
            return
        if self._log:
            self._log.write("info", what, **fields)
        elif not self._console.is_terminal:
            self._console.print(what, highlight=False)

    @contextlib.contextmanager
    def watching(self, staging: Staging, shards: int) -> Iterator[None]:
        """Show the stages of a run until the block ends."""
        if self._quiet:
            yield
            return
        stop = threading.Event()
        watch = self._watch_live if self._console.is_terminal and not self._log else self._watch_plain
        thread = threading.Thread(target=watch, args=(staging, shards, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _watch_live(self, staging: Staging, shards: int, stop: threading.Event) -> None:
        columns = (
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with LiveProgress(*columns, console=self._console, transient=True) as display:
            tasks: list[TaskID] = [display.add_task(stage, total=shards) for stage in _STAGES]
            while True:
                for task, done in zip(tasks, _done(staging), strict=True):
                    display.update(task, completed=done)
                if stop.wait(_seconds(staging)):
                    break

    def _watch_plain(self, staging: Staging, shards: int, stop: threading.Event) -> None:
        said = dict.fromkeys(_STAGES, -1)
        while True:
            for stage, done in zip(_STAGES, _done(staging), strict=True):
                tenth = done * 10 // shards
                if done and tenth > said[stage]:
                    said[stage] = tenth
                    self.say(f"{stage}: {done} of {shards} shards", stage=stage, done=done, shards=shards)
            if stop.wait(_seconds(staging)):
                break


def _seconds(staging: Staging) -> float:
    return _SECONDS if is_local(staging.uri) else _REMOTE_SECONDS


def _done(staging: Staging) -> tuple[int, int]:
    """Shards cleaned and shards written; none, where staging cannot be looked at just now."""
    try:
        done = shards_done(files.list_names(staging.uri))
    except (files.FileError, RunFailedError):
        return 0, 0
    return len(done.cleaned), len(done.written)
