"""What breaks under a run: the disk, a folder, an input, the memory, the clock.

Each ends in the right result or in one clear error; nothing is half committed, and the same command goes on from there
to the bytes of an undisturbed run.
"""

import contextlib
import fnmatch
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

import pipeline.build
from benchmarks.kill_run import contents
from pipeline import lease
from pipeline.sources import plan
from pipeline.standing import State, standing_of
from tests.pipeline.test_cli import invoke
from tests.pipeline.test_run import ROOT, SENTENCES, STORY, write_jsonl
from tests.reading import rows, run_quietly
from tests.writing import invented_article
from transforms import exchange, files
from transforms.errors import RunFailedError, UsageError

SHARDS = 3
# A file of each stage, in the order in which they are written.
STAGES = (
    "*/_staging/*/shard-00001.edits.parquet",
    "*/exchange/bands-*",
    "*/articles/part-00001.parquet",
    "*/index/parts/*/bands-*",
    "*/manifest.json",
    "*/report.html",
    "*/index/runs/*",
)


@pytest.fixture(autouse=True)
def _small_runs(monkeypatch):
    monkeypatch.setattr("pipeline.run.plan", partial(plan, target_bytes=4_000))
    monkeypatch.setattr(exchange, "PARTITIONS", 2)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Three files of articles, each of them a shard, with copies across them."""
    folder = tmp_path_factory.mktemp("faults") / "in"
    folder.mkdir()
    for number in range(SHARDS):
        story = "\n\n".join(SENTENCES[10 * number : 10 * number + 12])
        records = [{"id": f"s{number}", "text": f"{story}\n\nSource link"}, {"id": f"c{number}", "text": STORY}, {}]
        write_jsonl(folder / f"day-{number}.jsonl", records)
    return folder


@pytest.fixture(scope="module")
def expected(source):
    """The bytes of an undisturbed run, its index included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.run.plan", partial(plan, target_bytes=4_000))
        patch.setattr(exchange, "PARTITIONS", 2)
        return run_in(source.parent / "undisturbed", source)


def run_in(folder, source):
    """Runs into ``folder``; returns all bytes of output and index."""
    # Its name and its place are part of what the index and the manifest tell, so they are the same for all.
    with contextlib.chdir(folder if folder.is_dir() else folder.mkdir() or folder):
        run_quietly(source, "out", index="index", index_run="night", max_reject_rate=1.0)
        return contents(Path("out")) | {f"index/{name}": data for name, data in contents(Path("index")).items()}


@contextlib.contextmanager
def before_writing(pattern, break_something):
    """Has something break once, just before a file of that name is written."""
    replacing, broken = files.replacing, []

    def breaking(uri):
        if not broken and fnmatch.fnmatch(f"/{uri}", pattern):
            broken.append(uri)
            break_something()
        return replacing(uri)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "replacing", breaking)
        yield
    assert broken, f"no file [{pattern}] was written"


def assert_failed_cleanly(folder):
    """Whoever honours ``_SUCCESS`` or the index's manifests finds nothing, and nothing half written lies around."""
    assert not (folder / "out" / "_SUCCESS").exists()
    assert not list((folder / "index").glob("runs/*.json"))
    assert not list(folder.rglob("*.tmp"))
    assert standing_of(str(folder / "out")).state is State.UNFINISHED


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # of what failed a file may be open still


def fill(folder):
    """Leave no byte free."""
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_fills_up(small_disk, source, expected, stage):
    with (
        before_writing(stage, lambda: fill(small_disk)),
        pytest.raises(RunFailedError, match=r"\]: .*No space left on device; nothing was committed\. .* run the same"),
    ):
        run_in(small_disk, source)
    assert_failed_cleanly(small_disk)
    (small_disk / "filler").unlink()
    assert run_in(small_disk, source) == expected


def test_what_the_command_says_of_a_full_disk(small_disk, tmp_path):
    """By itself, for pytest takes in what libraries log; with two workers, whose errors come by way of the driver."""
    (tmp_path / "in").mkdir()
    for number in range(2):
        texts = (" ".join(invented_article(1_000 * number + n, 20)) for n in range(700))
        write_jsonl(tmp_path / "in" / f"{number}.jsonl", [{"id": f"{number}", "text": text} for text in texts])
    options = ["--output", str(small_disk / "out"), "--workers", "2", "--quiet"]
    command = [sys.executable, "-m", "pipeline", "run", str(tmp_path / "in"), *options]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1, failed.stderr
    assert "No space left on device; nothing was committed. Mend that and run the same again" in failed.stderr


def test_a_disk_that_is_full_from_the_start(small_disk, source):
    fill(small_disk)
    with pytest.raises(OSError, match="No space left on device"):
        run_in(small_disk, source)
    (small_disk / "filler").unlink()
    assert standing_of(str(small_disk / "out")).state is State.NONE


@contextlib.contextmanager
def without_permission(folder):
    """Nobody may write to a folder, not even root, whom modes do not stop."""
    as_root = os.geteuid() == 0
    lock, unlock = (["chattr", "+i"], ["chattr", "-i"]) if as_root else (["chmod", "a-w"], ["chmod", "u+w"])
    if as_root and not shutil.which("chattr"):
        pytest.skip("root ignores modes, and there is no chattr")
    locked = subprocess.run([*lock, folder], capture_output=True, text=True, check=False)
    if locked.returncode:
        pytest.skip(f"root ignores modes, and chattr does not work here: {locked.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run([*unlock, folder], check=True)


@pytest.mark.parametrize(
    ("stage", "what"),
    [
        ("*/_staging/*/shard-00001.edits.parquet", "out/_staging/*"),
        ("*/exchange/bands-*", "out/_staging/*/exchange"),
        ("*/manifest.json", "out"),
        ("*/report.html", "out"),
    ],
)
def test_a_folder_that_loses_its_write_permission(tmp_path, source, expected, stage, what):
    with contextlib.ExitStack() as locks:

        def lock():
            (folder,) = tmp_path.glob(what)
            locks.enter_context(without_permission(folder))

        with (
            before_writing(stage, lock),
            pytest.raises(RunFailedError, match=r"\]: .*(not permitted|denied).*; nothing was committed"),
        ):
            run_in(tmp_path, source)
    for claim in (tmp_path / "out").glob("_lease-*"):  # it could not be removed; the end of the process frees it
        claim.unlink()
    assert_failed_cleanly(tmp_path)
    assert run_in(tmp_path, source) == expected


def test_an_output_that_cannot_be_made_is_wrong_usage(tmp_path, source):
    (tmp_path / "file").write_text("not a folder")
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(UsageError, match=rf"--output \[{output}\] cannot be written to: Not a directory"):
            run_quietly(source, output)
    (tmp_path / "shut").mkdir()
    with without_permission(tmp_path / "shut"), pytest.raises(UsageError, match=r"shut/out\] .*(not permitted|denied)"):
        run_quietly(source, tmp_path / "shut" / "out")
    assert not list((tmp_path / "shut").iterdir())


# An input.


@contextlib.contextmanager
def while_reading(shard, change):
    """Has something happen just before a shard is read."""
    read_split = pipeline.build.read_split

    def read(split, options):
        if split.shard == shard:
            change()
        return read_split(split, options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.build.read_split", read)
        yield


@pytest.mark.parametrize("change", ["grows", "vanishes", "changes", "becomes a folder"])
def test_an_input_that_does_not_stay_as_it_was(tmp_path, source, expected, change):
    path = source / "day-1.jsonl"
    content, times = path.read_bytes(), path.stat()

    def happen():
        if change in ("grows", "changes"):
            path.write_bytes(content + b'{"id": "late"}\n' if change == "grows" else content[::-1])
        else:
            path.unlink()
            path.mkdir() if change == "becomes a folder" else None

    try:
        with (
            while_reading(1, happen),
            pytest.raises(RunFailedError, match=rf"{path.name}\] has (changed from|vanished)"),
        ):
            run_in(tmp_path, source)
    finally:  # what it was when the complete shards were made
        path.rmdir() if path.is_dir() else None
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert run_in(tmp_path, source) == expected


# Memory.

SHORT_OF_MEMORY = """
import resource, sys
from functools import partial
import pipeline.build, pipeline.run
from pipeline.sources import plan

SPLIT_BYTES, MORE = int(sys.argv.pop(1)), int(sys.argv.pop(1))

def starved(split, options, read_split=pipeline.build.read_split):
    held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MORE, resource.RLIM_INFINITY))
    return read_split(split, options)

if __name__ == "__main__":
    pipeline.run.plan = partial(plan, target_bytes=SPLIT_BYTES)
    pipeline.build.read_split = starved
    from pipeline.cli import main
    main()
"""


def run_short_of_memory(tmp_path, source, *, split_bytes, more):
    """The command, whose two workers may come to hold ``more`` bytes of address space while they read and clean."""
    (tmp_path / "short.py").write_text(SHORT_OF_MEMORY)
    options = ["--output", str(tmp_path / "out"), "--workers", "2", "--quiet", "--max-reject-rate", "1"]
    return subprocess.run(
        [sys.executable, str(tmp_path / "short.py"), str(split_bytes), str(more), "run", str(source), *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_article_of_200_megabytes_is_a_reject_and_takes_no_memory_to_speak_of(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    write_jsonl(source / "good.jsonl", [{"id": "good", "text": STORY}])
    for name, before, after in (
        ("a.txt", b"A", b""),
        ("b.jsonl", b'{"text": "', b'"}\n'),
        ("c.csv", b'text\n"', b'"\n'),
    ):
        with (source / name).open("wb") as file:
            file.write(before)
            file.seek(200_000_000)  # a hole: it reads as zeros
            file.write(after or b".")
    result = run_short_of_memory(tmp_path, source, split_bytes=100_000_000, more=150_000_000)
    assert result.returncode == 0, result.stderr
    assert [row["id"] for row in rows(tmp_path / "out", "articles")] == ["good"]
    rejects = {Path(row["input"].split(":")[0]).name: row["reason"] for row in rows(tmp_path / "out", "rejects")}
    assert rejects == dict.fromkeys(("a.txt", "b.jsonl", "c.csv"), "too_large")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_runs_out_of_memory(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(2):
        long = "\n\n".join(f"{number}.{n} {STORY}" for n in range(1_500))
        write_jsonl(source / f"{number}.jsonl", [{"id": f"{number}", "text": long}])
    starved = run_short_of_memory(tmp_path, source, split_bytes=2_000_000, more=4_000_000)
    assert starved.returncode == 1
    assert "Traceback" not in starved.stderr, starved.stderr
    said = starved.stderr.splitlines()[-1]  # before it may stand what a C++ library says as it dies
    assert re.match("cleancopy: error: a worker (ran out of memory|process died).* what is cleaned is kept$", said)
    assert standing_of(str(tmp_path / "out")).state is State.UNFINISHED


# The clock.


def test_a_clock_that_jumps(tmp_path, source, expected, monkeypatch):
    """To the past and far into the future between any two looks at it; the lease beats all the while."""
    times = itertools.cycle([0.0, 4e9, 1e9, 2**31 + 5.0])
    monkeypatch.setattr("time.time", lambda: next(times))
    monkeypatch.setattr(lease, "now", lambda: datetime.fromtimestamp(next(times), UTC).isoformat())
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.01)
    assert run_in(tmp_path, source) == expected


def test_a_clock_that_jumps_back_makes_no_run_last_less_than_nothing(tmp_path, monkeypatch):
    write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": STORY}])
    times = itertools.count(2e9, -3600.0)
    monkeypatch.setattr("time.time", lambda: next(times))
    options = ("--workers", "1", "--quiet", "--metrics-file", tmp_path / "run.prom", "--log-format", "json")
    result = invoke("run", tmp_path / "in.jsonl", "--output", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    (seconds,) = re.findall(r"duration_seconds\{.*\} (\S+)", (tmp_path / "run.prom").read_text())
    assert 0 < float(seconds) < 600
    assert 0 < json.loads(result.stderr.splitlines()[-1])["seconds"] < 600


# What is left behind.


@pytest.mark.parametrize("reject_rate", ["1", "0"])
def test_neither_a_run_nor_a_failure_leaves_anything_among_the_temporary_files(tmp_path, source, reject_rate):
    (tmp_path / "tmp").mkdir()
    options = ["--output", str(tmp_path / "out"), "--workers", "1", "--quiet", "--max-reject-rate", reject_rate]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", str(source), *options],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (reject_rate == "0"), done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
