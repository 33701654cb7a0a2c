"""A run that was killed goes on with the same command and gives the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import pipeline.build
from benchmarks.kill_run import _session, contents
from pipeline.sources import plan
from pipeline.standing import State, standing_of
from tests.pipeline.test_run import SENTENCES, STORY, write_jsonl
from tests.reading import assert_books_balance, run_quietly
from transforms import files
from transforms.errors import RunFailedError, UsageError
from transforms.staging import Staging, shards_done

ROOT = Path(__file__).parents[2]
SHARDS = 5


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Five files of articles, each of them a shard, with copies across them."""
    monkeypatch.setattr("pipeline.run.plan", partial(plan, target_bytes=4_000))
    (tmp_path / "in").mkdir()
    for number in range(SHARDS):
        story = "\n\n".join(SENTENCES[10 * number : 10 * number + 12])
        records = [{"id": f"s{number}", "text": f"{story}\n\nSource link"}, {"id": f"c{number}", "text": STORY}, {}]
        write_jsonl(tmp_path / "in" / f"day-{number}.jsonl", records)
    return tmp_path / "in"


@pytest.fixture
def undisturbed(source, tmp_path):
    run(source, tmp_path / "undisturbed")
    return contents(tmp_path / "undisturbed")


def run(source, output, **options):
    return run_quietly(source, output, max_reject_rate=1.0, **options)


def fail_in(monkeypatch, shard):
    """Cleaning fails in that shard, as if it was killed there."""
    read_split = pipeline.build.read_split

    def read(split, options):
        if split.shard == shard:
            raise RunFailedError("killed")
        return read_split(split, options)

    monkeypatch.setattr("pipeline.build.read_split", read)


def killed(*_):
    raise RunFailedError("killed")


def kill_at(name, source, output):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(name, killed)
        with pytest.raises(RunFailedError, match="killed"):
            run(source, output)


def kill_in_cleaning(source, output, shard=3):
    with pytest.MonkeyPatch.context() as patch:
        fail_in(patch, shard)
        with pytest.raises(RunFailedError, match="killed"):
            run(source, output)


def staging_in(output):
    (folder,) = (output / "_staging").iterdir()
    return Staging(str(folder))


def test_only_the_shard_in_work_is_done_again(source, undisturbed, tmp_path, monkeypatch):
    kill_in_cleaning(source, tmp_path / "out")
    done = shards_done(files.list_names(staging_in(tmp_path / "out").uri))
    assert 3 not in done.cleaned
    assert done.begun - done.cleaned == {3}
    fail_in(monkeypatch, min(done.cleaned))  # a complete shard is not even read
    manifest = run(source, tmp_path / "out")
    assert (manifest["history"]["attempts"], manifest["history"]["shards_again"]) == (2, 1)
    assert_books_balance(tmp_path / "out")
    assert contents(tmp_path / "out") == undisturbed


def test_killed_while_writing_and_again_in_the_commit(source, undisturbed, tmp_path):
    for name in ("transforms.finalise._rejects", "pipeline.commit._check_files", "pipeline.commit.build_report"):
        kill_at(name, source, tmp_path / "out")
        assert not (tmp_path / "out" / "_SUCCESS").exists()
    manifest = run(source, tmp_path / "out")
    assert (manifest["history"]["attempts"], manifest["history"]["shards_again"]) == (4, 0)
    assert contents(tmp_path / "out") == undisturbed


def test_killed_between_the_last_two_steps(source, undisturbed, tmp_path):
    kill_at("pipeline.run._remove_staging", source, tmp_path / "out")
    assert standing_of(str(tmp_path / "out")).state is State.FINISHED
    manifest = run(source, tmp_path / "out")
    assert manifest["history"]["attempts"] == 1
    assert contents(tmp_path / "out") == undisturbed


def test_files_that_a_power_cut_left_half_written_are_done_again(source, undisturbed, tmp_path):
    kill_at("pipeline.commit._check_files", source, tmp_path / "out")
    staging = staging_in(tmp_path / "out")
    for uri in (staging.articles(0), staging.counts(1), staging.exchange("bands", 2), staging.finished(3)):
        os.truncate(uri, 0)
    os.truncate(tmp_path / "out" / "articles" / "part-00004.parquet", 100)
    manifest = run(source, tmp_path / "out")
    assert manifest["history"]["shards_again"] == 2
    assert contents(tmp_path / "out") == undisturbed


def test_what_killed_writers_left_is_removed(source, undisturbed, tmp_path):
    kill_in_cleaning(source, tmp_path / "out")
    left = (".manifest.json.5f.tmp", "articles/.part-00001.parquet.5f.tmp", "articles/part-00099.parquet")
    for name in left:
        path = tmp_path / "out" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    run(source, tmp_path / "out")
    assert contents(tmp_path / "out") == undisturbed


def test_another_run_is_refused_with_what_differs(source, tmp_path):
    kill_in_cleaning(source, tmp_path / "out")
    with pytest.raises(UsageError, match=r"unfinished run of another .*: keep was \[canonical\], now is \[all\]\."):
        run(source, tmp_path / "out", keep="all")
    write_jsonl(source / "day-9.jsonl", [{"id": "new", "text": STORY}])
    (source / "day-1.jsonl").unlink()
    with (source / "day-2.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(UsageError) as refused:
        run(source, tmp_path / "out")
    for name, what in (("day-9", "new"), ("day-1", "gone"), ("day-2", "changed")):
        assert f"of the input, [{source / name}.jsonl] is {what}" in str(refused.value)
    run(source, tmp_path / "out", overwrite=True)
    assert_books_balance(tmp_path / "out")


def test_overwrite_goes_on_with_its_own_unfinished_run(source, undisturbed, tmp_path):
    kill_in_cleaning(source, tmp_path / "out")
    assert run(source, tmp_path / "out", overwrite=True)["history"]["attempts"] == 2
    assert contents(tmp_path / "out") == undisturbed
    assert run(source, tmp_path / "out", overwrite=True)["history"]["attempts"] == 1


def test_overwrite_removes_success_first_and_may_be_killed_there(source, undisturbed, tmp_path, monkeypatch):
    output = tmp_path / "out"
    run(source, output)
    removed = []
    remove_tree = files.remove_tree

    def remove(uri):
        if "_lease" not in uri:
            removed.append(Path(uri).name)
            if len(removed) == 4:
                killed()
        remove_tree(uri)

    with monkeypatch.context() as patch:
        patch.setattr(files, "remove_tree", remove)
        with pytest.raises(RunFailedError, match="killed"):
            run(source, output, overwrite=True)
    assert removed[:2] == ["_SUCCESS", "manifest.json"]
    with pytest.raises(UsageError, match="holds no run"):
        run(source, output)
    run(source, output, overwrite=True)
    assert contents(output) == undisturbed


def test_overwrite_spares_what_no_run_wrote(source, tmp_path):
    (tmp_path / "mine" / "articles").mkdir(parents=True)
    (tmp_path / "mine" / "thesis.doc").write_text("dear reader")
    with pytest.raises(UsageError, match="holds what no run wrote"):
        run(source, tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "articles").is_dir()


def test_a_run_whose_lease_another_took_is_not_committed(source, tmp_path, monkeypatch):
    read_split = pipeline.build.read_split

    def read(split, options):
        for path in (tmp_path / "out").glob("_lease-*"):
            path.unlink()
        return read_split(split, options)

    monkeypatch.setattr("pipeline.build.read_split", read)
    with pytest.raises(RunFailedError, match=r"taken .* over"):
        run(source, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_status_tells_where_a_run_stands_and_what_comes_next(source, tmp_path):
    output = tmp_path / "out"
    told = standing_of(str(output)).summary()
    assert (told["state"], told["next"], told["leases"]) == ("none", "a run begins", [])
    kill_in_cleaning(source, output)
    told = standing_of(str(output)).summary()
    assert (told["state"], told["shards"]["all"], told["shards"]["written"]) == ("unfinished", SHARDS, 0)
    assert told["next"].startswith(f"the same command goes on: it takes over {told['shards']['cleaned']} cleaned")
    run(source, output)
    told = standing_of(str(output)).summary()
    assert (told["state"], told["counts"]["read"], told["attempts"]) == ("finished", 3 * SHARDS, 2)
    (output / "_SUCCESS").unlink()
    assert standing_of(str(output)).summary()["state"] == "other"


WORKERS = """
import os, signal, sys, time
from functools import partial
import pipeline.build, pipeline.run, pipeline.workers
from pipeline.sources import plan

def never(split, options):
    open(os.environ["AT_WORK"], "w").close()
    time.sleep(600)

def die(*_):
    os._exit(9)

if __name__ == "__main__":
    pipeline.run.plan = partial(plan, target_bytes=4_000)
    if sys.argv.pop(1) == "never":
        pipeline.build.read_split = never
    else:
        pipeline.workers.sdk_worker_main.create_harness = die
    from pipeline.cli import main
    main()
"""


def command(source, output, tmp_path, what):
    (tmp_path / "patched.py").write_text(WORKERS)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "AT_WORK": str(tmp_path / "at-work")}
    arguments = [what, "run", str(source), "--output", str(output), "--workers", "2", "--quiet"]
    return [sys.executable, str(tmp_path / "patched.py"), *arguments], environment


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
@pytest.mark.parametrize(("name", "code"), [("SIGKILL", -9), ("SIGTERM", 143)])
def test_workers_end_with_their_driver(source, tmp_path, name, code):
    arguments, environment = command(source, tmp_path / "out", tmp_path, "never")
    with subprocess.Popen(
        arguments, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as driver:
        while not (tmp_path / "at-work").exists() and driver.poll() is None:
            time.sleep(0.05)
        children = _session(driver.pid) - {driver.pid}
        assert len(children) == 2  # the workers, of which one forked the other
        driver.send_signal(getattr(signal, name))
        assert driver.wait(60) == code
        said = driver.stderr.read()
    while any(is_running(pid) for pid in children):
        time.sleep(0.05)
    if code > 0:
        assert said.endswith("the same command goes on from here\n")
        assert "Traceback" not in said
        assert not list((tmp_path / "out").glob("_lease-*"))


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_a_worker_that_dies_before_it_connects_does_not_leave_the_run_waiting(source, tmp_path):
    arguments, environment = command(source, tmp_path / "out", tmp_path, "die")
    died = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=60)
    assert died.returncode == 1
    assert died.stderr.endswith("what is cleaned is kept\n")
    assert "cleancopy: error: a worker process died" in died.stderr
    assert "Traceback" not in died.stderr
    assert json.loads(Path(staging_in(tmp_path / "out").run()).read_text())["attempts"] == 1
