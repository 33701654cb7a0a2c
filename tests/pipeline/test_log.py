"""``--log-format json``: every line of stderr is one JSON object."""

import json
from datetime import datetime

import pytest

from tests.pipeline.test_cli import STORY, invoke


def logged(result):
    entries = [json.loads(line) for line in result.stderr.splitlines()]
    assert all(datetime.fromisoformat(entry["time"]).tzinfo and entry["message"] for entry in entries)
    return entries


def test_progress_and_counts(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": STORY}) + "\n")
    result = invoke(
        "run", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--workers", 1, "--log-format", "json", "--json"
    )
    assert result.exit_code == 0
    first, *_, last = logged(result)
    assert (first["level"], first["stage"]) == ("info", "planning")
    assert (last["event"], last["exit_code"], last["shards"]) == ("end", 0, 1)
    assert last["counts"] == json.loads(result.stdout)["counts"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.jsonl"], 2, "[missing.jsonl] does not exist"),
        (["--treshold=0.8"], 2, "no INPUT given"),
        (["in.jsonl", "--treshold=0.8"], 2, "did you mean --threshold?"),
        (["in.jsonl", "--shingle", "x"], 2, "'x' is not a valid integer"),
        (["in.jsonl", "--workers", "1", "--quiet"], 1, "1] of [1] records (100.0%) were rejected"),
    ],
)
def test_errors(arguments, code, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_text('{"text": 3}\n')
    result = invoke("run", "--log-format", "json", "--output", "out", *arguments)
    assert result.exit_code == code
    (error,) = (entry for entry in logged(result) if entry["level"] == "error" and "event" not in entry)
    assert said in error["message"]
    assert error["exit_code"] == code


def test_a_bug_of_ours_is_one_line_too(tmp_path, monkeypatch):
    def broken(*_, **_options):
        raise KeyError("oops")

    monkeypatch.setattr("pipeline.run.plan", broken)
    (tmp_path / "in.jsonl").write_text('{"text": 3}\n')
    result = invoke("run", "--log-format", "json", "--output", tmp_path / "out", tmp_path / "in.jsonl", "--quiet")
    assert result.exit_code == 1
    bug, end = logged(result)
    assert "test_log.py" in bug["traceback"]
    assert (end["event"], end["exit_code"]) == ("end", 1)
