"""Kills a run at random moments and checks that the same command goes on to the same bytes.

Each round starts ``cleancopy run`` in a fresh folder, kills it somewhere between the first file of its staging and its
end, lets the same command finish, and compares every file with an undisturbed run: all must be the same to the byte,
but for ``history`` in the manifest. Killed is, by turns, the driver, one worker, or all processes at once. After the
kill no process of the run may live on, and a folder with ``_SUCCESS`` must hold all that its manifest names.

    python -m benchmarks.kill_run --kills 50 --articles 3000
    python -m benchmarks.kill_run --kills 15 --index          # the second night of an index: its bytes are compared too

Prints a line for each kill: what was killed and when, shards cleaned and written by then, how many were in work and so
done again. Ends with 1 if anything was not as it should be.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.corpus import make_synthetic
from pipeline.layout import MANIFEST, STAGING, SUCCESS
from transforms.staging import shards_done

VICTIMS: Final = ("driver", "worker", "all")
_LONGEST: Final = 300.0  # seconds that a run may take
_ENDING: Final = 10.0  # seconds that processes may take to end when their driver is gone

# The command line, with smaller splits than it would choose for a corpus as small as this.
_COMMAND: Final = """
import sys
from functools import partial
import pipeline.run
from pipeline.cli import main
from pipeline.sources import plan

pipeline.run.plan = partial(plan, target_bytes=int(sys.argv.pop(1)))
main()
"""


class Kill(NamedTuple):
    """What came of one kill."""

    victim: str
    seconds: float
    """After the first file of the staging appeared."""
    cleaned: int
    """Shards, when it was killed."""
    written: int
    in_work: int
    """Shards that were begun and not complete."""
    again: int
    """Shards of those that were in work that the same command did again."""
    redone: int
    """Shards that were complete and cleaned again all the same: must be 0."""
    problem: str


class Harness:
    """A corpus, the command, and what an undisturbed run makes of it."""

    def __init__(self, folder: Path, articles: int, shards: int, workers: int, seed: int, *, index: bool) -> None:
        self._folder = folder
        corpus = make_synthetic(folder / "corpus", articles, seed, rows_a_file=max(articles // shards, 1))
        size = max(path.stat().st_size for path in corpus.folder.iterdir())
        self._command = [
            sys.executable,
            *("-c", _COMMAND, str(size)),
            *("run", str(corpus.folder), "--workers", str(workers), "--quiet"),
        ]
        self._first_night: Path | None = None
        if index:
            self._first_night = self._make_first_night(corpus.folder)
        started = time.monotonic()
        self._expected = self._finish(self._prepare("undisturbed"))
        self._seconds = time.monotonic() - started
        self.shards: int = json.loads(self._expected[MANIFEST])["shards"]

    def _make_first_night(self, corpus: Path) -> Path:
        """An index with the articles of one of the corpus's files, which the runs that are killed fold theirs into."""
        folder = self._folder / "first-night"
        one = min(corpus.iterdir())
        given = ["--output", "out", "--index", "index", "--index-run", "first", "--quiet"]
        folder.mkdir()
        command = [sys.executable, "-m", "pipeline", "run", str(one), *given]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        subprocess.run(command, check=True, timeout=_LONGEST, capture_output=True, cwd=folder, env=environment)
        shutil.rmtree(folder / "out")
        return folder

    def _command_in(self, folder: Path) -> dict[str, Any]:
        """The command with its output, and its index, in a folder: by relative names, which the bytes depend on."""
        command = [*self._command, "--output", "out"]
        if self._first_night:
            command += ["--index", "index", "--index-run", "second"]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        return {"args": command, "cwd": folder, "env": environment}

    def _prepare(self, name: str) -> Path:
        folder = self._folder / name
        if self._first_night:
            shutil.copytree(self._first_night, folder)
        else:
            folder.mkdir()
        return folder

    def _finish(self, folder: Path) -> dict[str, bytes]:
        subprocess.run(**self._command_in(folder), check=True, timeout=_LONGEST, capture_output=True)
        return self._contents(folder)

    def _contents(self, folder: Path) -> dict[str, bytes]:
        index = contents(folder / "index") if self._first_night else {}
        return contents(folder / "out") | {f"index/{name}": data for name, data in index.items()}

    def calibrate(self) -> float:
        """Seconds from the first file of the staging to the end."""
        folder = self._prepare("calibration")
        with self._start(folder) as run:
            began = _wait_for_staging(folder / "out", run)
            run.wait(_LONGEST)
            return time.monotonic() - began

    def _start(self, folder: Path) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            **self._command_in(folder), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self, number: int, victim: str, after: float, choose: random.Random) -> Kill:
        """Kill one run and let the same command go on."""
        folder = self._prepare(f"killed-{number:03d}")
        output = folder / "out"
        with self._start(folder) as run:
            began = _wait_for_staging(output, run)
            time.sleep(max(0.0, after - (time.monotonic() - began)))
            workers = _session(run.pid) - {run.pid}
            victims = {"driver": {run.pid}, "all": {run.pid, *workers}}.get(victim) or set(
                choose.sample(sorted(workers), min(1, len(workers)))
            )
            if run.poll() is None:
                for pid in victims:
                    _kill(pid)
            run.wait(_LONGEST)
        problems = []
        if left := _outlive(run.pid):
            problems.append(f"{len(left)} processes live on")
            for pid in left:
                _kill(pid)
        if half := _half(output):
            problems.append(half)
        staging = next(iter((output / STAGING).glob("*")), None)
        done = shards_done(path.name for path in staging.iterdir()) if staging else shards_done(())
        before = {path.name: path.stat().st_mtime_ns for path in staging.glob("shard-*.json")} if staging else {}
        # Behind _SUCCESS the same command tidies up, and is refused where there is nothing left to do.
        told = self._resume(folder, staging, before)
        problems += differences(self._expected, self._contents(folder))
        return Kill(
            victim,
            after,
            len(done.cleaned),
            len(done.written),
            len(done.begun - done.cleaned),
            told["again"],
            told["redone"],
            "; ".join(problems),
        )

    def _resume(self, folder: Path, staging: Path | None, before: dict[str, int]) -> dict[str, int]:
        """Let the same command finish; tell shards done again, and those redone though they were complete."""
        redone: set[str] = set()
        with self._start(folder) as run:
            while run.poll() is None:
                for name, was in before.items() if staging else ():
                    try:
                        if (staging / name).stat().st_mtime_ns != was:  # type: ignore[operator]
                            redone.add(name)
                    except FileNotFoundError:
                        continue
                time.sleep(0.02)
        manifest = folder / "out" / MANIFEST
        again = json.loads(manifest.read_bytes())["history"]["shards_again"] if manifest.exists() else -1
        return {"again": again, "redone": len(redone)}


def contents(output: Path) -> dict[str, bytes]:
    """All files of an output folder by their path; of the manifest all but its history."""
    found = {str(path.relative_to(output)): path.read_bytes() for path in sorted(output.rglob("*")) if path.is_file()}
    if MANIFEST in found:
        manifest = json.loads(found[MANIFEST])
        del manifest["history"]
        found[MANIFEST] = json.dumps(manifest).encode()
    return found


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """What is not the same, in words.

    >>> differences({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b""})
    ['[b] differs', '[c] is left over']
    """
    return [
        f"[{name}] {'is missing' if name not in found else 'is left over' if name not in expected else 'differs'}"
        for name in sorted(expected.keys() | found)
        if expected.get(name) != found.get(name)
    ]


def _half(output: Path) -> str:
    """What a reader would find that honours ``_SUCCESS`` and the manifest, if it is not whole."""
    manifest = output / MANIFEST
    if not manifest.exists():
        return "_SUCCESS without a manifest" if (output / SUCCESS).exists() else ""
    for entry in json.loads(manifest.read_bytes())["files"]:
        path = output / entry["path"]
        if not path.exists() or path.stat().st_size != entry["bytes"]:
            return f"the manifest names [{entry['path']}], which is not whole"
    return ""


def _wait_for_staging(output: Path, run: "subprocess.Popen[bytes]") -> float:
    deadline = time.monotonic() + _LONGEST
    while not any((output / STAGING).glob("*/*")):
        if run.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the run ended with [{run.returncode}] before it began")
        time.sleep(0.005)
    return time.monotonic()


def _session(leader: int) -> set[int]:
    """Processes of the session that a run is the leader of, without those that have ended."""
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.add(int(entry.name))
    return found


def _outlive(leader: int) -> set[int]:
    deadline = time.monotonic() + _ENDING
    while (left := _session(leader)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill runs and print what came of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_run", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--articles", type=int, default=3_000)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--index", action="store_true", help="with an index that has a run already")
    given = parser.parse_args(arguments)
    choose = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="cleancopy-kill-") as folder:
        harness = Harness(Path(folder), given.articles, given.shards, given.workers, given.seed, index=given.index)
        seconds = harness.calibrate()
        print(f"{harness.shards} shards, {seconds:.1f} s from the first file to the end", flush=True)
        print(
            f"{'':>4} {'killed':<8} {'after':>6} {'cleaned':>8} {'written':>8} {'in work':>8} {'again':>6}", flush=True
        )
        kills = []
        for number in range(given.kills):
            kill = harness.kill(number, VICTIMS[number % len(VICTIMS)], choose.uniform(0, seconds), choose)
            kills.append(kill)
            shown = kill.problem or ("" if not kill.redone else f"{kill.redone} complete shards were done again")
            print(
                f"{number + 1:>4} {kill.victim:<8} {kill.seconds:>5.1f}s {kill.cleaned:>8} {kill.written:>8} "
                f"{kill.in_work:>8} {kill.again:>6}  {shown or 'same bytes'}",
                flush=True,
            )
    good = sum(not kill.problem and not kill.redone and kill.again <= given.workers for kill in kills)
    print(f"{good} of {len(kills)} as it should be; at most {max(kill.again for kill in kills)} shards done again")
    return 0 if good == len(kills) else 1


if __name__ == "__main__":
    sys.exit(main())
