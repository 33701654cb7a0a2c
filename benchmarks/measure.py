"""Runs a command and watches its whole process tree: wall time, CPU time, memory."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

INTERVAL: Final = 0.1  # seconds between two looks at /proc
_PSS_EVERY: Final = 5  # looks; the kernel takes milliseconds to add it up
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICK: Final = os.sysconf("SC_CLK_TCK")


class Measured(NamedTuple):
    """What one run of a command cost."""

    seconds: float
    """Wall time, start-up of the interpreter included."""
    cpu_seconds: float
    """User and system time of all processes that lived for at least one look."""
    peak_tree_bytes: int
    """Highest sum of resident memory over the tree; pages that processes share count once in each."""
    peak_tree_pss_bytes: int
    """The same with shared pages divided among those that share them, looked at less often."""
    peak_process_bytes: int
    """Highest resident memory of a single process."""
    exit_code: int | None
    """``None``: it was ended because it took too long."""


class _Process(NamedTuple):
    pid: int
    parent: int
    session: int
    cpu_seconds: float
    resident_bytes: int


def measure(
    command: Sequence[str], *, folder: Path, log: Path, timeout: float, environment: Mapping[str, str]
) -> Measured:
    """Run ``command`` in ``folder``, its output in ``log``; after ``timeout`` seconds end it with all its children."""
    peak_tree = peak_pss = peak_process = looks = 0
    cpu: dict[int, float] = {}
    with log.open("wb") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                tree = _tree(child.pid)
                peak_tree = max(peak_tree, sum(process.resident_bytes for process in tree))
                if looks % _PSS_EVERY == 0:
                    peak_pss = max(peak_pss, sum(_pss(process.pid) for process in tree))
                looks += 1
                peak_process = max([peak_process, *(process.resident_bytes for process in tree)])
                cpu.update((process.pid, process.cpu_seconds) for process in tree)
                try:
                    exit_code: int | None = child.wait(INTERVAL)
                    break
                except subprocess.TimeoutExpired:
                    if time.perf_counter() - started > timeout:
                        exit_code = None
                        break
        finally:
            seconds = time.perf_counter() - started
            for process in _tree(child.pid):  # what it left behind, or all of it where it took too long
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            child.wait()
    return Measured(seconds, sum(cpu.values()), peak_tree, peak_pss, peak_process, exit_code)


def _tree(root: int) -> list[_Process]:
    """``root``, its descendants, and what else is in its session: a child whose parent has ended is still ours."""
    processes = list(_processes())
    family = {root}
    grown = True
    while grown:
        members = {
            process.pid for process in processes if process.parent in family or root in (process.pid, process.session)
        }
        grown = not members <= family
        family |= members
    return [process for process in processes if process.pid in family]


def _processes() -> list[_Process]:
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                # The name in parentheses may hold anything, so count from the last one: state, ppid, pgrp, session …
                fields = Path(entry.path, "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            cpu = (int(fields[11]) + int(fields[12])) / _TICK
            found.append(_Process(int(entry.name), int(fields[1]), int(fields[3]), cpu, int(fields[21]) * _PAGE))
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    except OSError:  # it has ended meanwhile, or the kernel does not say
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
