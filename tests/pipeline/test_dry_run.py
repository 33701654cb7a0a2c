"""``run --dry-run``: tells what the same command would do, and leaves no trace."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.lease import acquire
from tests.pipeline.test_cli import invoke
from tests.pipeline.test_run import STORY, write_jsonl
from tests.reading import run_quietly
from transforms.errors import RunFailedError


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", [{"id": "a", "text": STORY}])
    (folder / "b.txt").write_text(STORY)
    (folder / "c.csv").write_text("id,text\nc,A boat.\n")
    (folder / "notes.md").write_text("not an article")
    return folder


def look(source, output, *options, exit_code=0):
    """What ``--dry-run --json`` tells; the folder around the input and the output must stay as it is."""
    before = snapshot(source.parent)
    result = invoke("run", source, "--output", output, "--dry-run", "--json", *options)
    assert result.exit_code == exit_code, result.output
    assert snapshot(source.parent) == before
    return json.loads(result.stdout)


def snapshot(folder):
    found = sorted(folder.rglob("*"))
    return {str(path): path.read_bytes() if path.is_file() else None for path in found if "_lease" not in path.name}


def test_it_tells_what_would_be_read(source, tmp_path):
    told = look(source, tmp_path / "out", "--workers", "3")
    assert (told["files"], told["kinds"], told["ignored"]) == (3, {"csv": 1, "jsonl": 1, "txt": 1}, {".md": 1})
    assert told["bytes"] == told["text_bytes"] == sum(path.stat().st_size for path in source.glob("*.[!m]*"))
    assert (told["splits"], told["workers"], told["state"], told["next"]) == (1, 1, "none", "a run begins")
    assert told["refused"] is None
    assert not (tmp_path / "out").exists()


def test_it_is_told_in_words(source, tmp_path):
    said = invoke("run", source, "--output", tmp_path / "out", "--dry-run").stdout
    for what in ("3 files", "csv 1, jsonl 1, txt 1", "1 file of other kinds (.md 1)", "a run begins", "of memory"):
        assert what in said
    assert said.endswith("nothing was written\n")


def test_estimates_grow_with_the_articles_and_workers_share_the_time(source, tmp_path):
    assert look(source, tmp_path / "out")["estimates"]["articles"] in (2, 3, 4)
    for number in range(2):
        write_jsonl(source / f"large-{number}.jsonl", [{"id": str(n), "text": f"{n} {STORY}"} for n in range(4_000)])
    one, two = (look(source, tmp_path / "out", "--workers", workers)["estimates"] for workers in (1, 2))
    assert 8_000 < one["articles"] < 9_600  # with JSON's own characters
    assert one["cpu_seconds"] == two["cpu_seconds"] >= 4 + 4
    assert two["seconds"] < one["seconds"]
    assert 180 + 2 * 60 < one["memory_mb"] + 60 < two["memory_mb"] < 400
    assert one["disk_mb"] > 8_000 * len(STORY) / 1e6


def test_it_tells_what_would_become_of_the_folder(source, tmp_path):
    output = tmp_path / "out"
    (source / "bad.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(RunFailedError, match="rejected"):
        run_quietly(source, output, max_reject_rate=0.0)
    assert look(source, output)["next"] == (
        "it goes on: of 1 shards 1 are cleaned and 1 written; 0 were in work and are done again"
    )
    told = look(source, output, "--keep", "all")
    assert "unfinished run of another input or configuration: keep was [canonical], now is [all]" in told["refused"]
    assert look(source, output, "--keep", "all", "--overwrite")["next"] == (
        "a run begins, and replaces what the folder holds"
    )
    run_quietly(source, output, max_reject_rate=1.0)
    assert "already holds a finished run" in look(source, output)["refused"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("dear reader")
    assert "holds no run" in look(source, tmp_path / "mine")["refused"]
    assert "what no run wrote" in look(source, tmp_path / "mine", "--overwrite")["refused"]


def test_a_run_that_works_there_is_named(source, tmp_path):
    with acquire(str(tmp_path / "out")):
        assert "another run works there: process" in look(source, tmp_path / "out")["refused"]


def test_with_an_index(source, tmp_path):
    index = str(tmp_path / "index")
    assert look(source, tmp_path / "out", "--index", index, "--index-run", "monday")["index"] == {
        "uri": index,
        "runs": 0,
        "articles": 0,
        "run": "monday",
        "replaces": False,
    }
    run_quietly(source, tmp_path / "out", index=index, index_run="monday")
    told = look(source, tmp_path / "other", "--index", index, "--index-run", "monday")["index"]
    assert (told["runs"], told["replaces"]) == (1, True)
    refused = look(source, tmp_path / "other", "--index", index, "--shingle", "6")["refused"]
    assert "run [monday] of another scheme" in refused


def test_wrong_usage_is_wrong_usage(source, tmp_path):
    result = invoke("run", source / "missing", "--output", tmp_path / "out", "--dry-run")
    assert (result.exit_code, "does not exist" in result.stderr) == (2, True)
    result = invoke("run", source, "--output", tmp_path / "out", "--dry-run", "--treshold=3")
    assert (result.exit_code, "did you mean --threshold?" in result.stderr) == (2, True)


def test_no_file_of_metrics_is_written(source, tmp_path):
    look(source, tmp_path / "out", "--metrics-file", tmp_path / "nightly.prom")
    assert not (tmp_path / "nightly.prom").exists()


def test_beam_is_not_loaded(source, tmp_path):
    code = "import sys; from pipeline.cli import cli; cli(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    options = ["--index", str(tmp_path / "index"), "--within", "12h", "--dry-run"]
    arguments = ["run", str(source), "--output", str(tmp_path / "out"), *options]
    shown = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert "nothing was written" in shown.stdout
    assert "apache_beam" not in shown.stdout.split()


@pytest.mark.parametrize("option", [("--within", "3 days"), ("--index-window", "30m"), ("--within", "-1d")])
def test_a_span_that_is_none_is_wrong_usage(source, tmp_path, option):
    result = invoke("run", source, "--output", tmp_path / "out", *option)
    assert result.exit_code == 2
    assert f"{option[0]} [{option[1]}] is no span of time; write hours, days or weeks" in result.stderr
    assert not Path(tmp_path / "out").exists()
