"""The file for Prometheus' text-file collector."""

import json

import pytest

from pipeline.metrics_file import Outcome, write_metrics
from tests.pipeline.test_cli import STORY, invoke

MANIFEST = {
    "counts": {
        "read": 10,
        "kept": 6,
        "duplicates_by_relation": {"exact": 1, "near": 2},
        "rejected_by_reason": {"malformed": 1},
        "edits_by_kind": {"cruft": 4, "whitespace": 7},
    },
    "held_back": [],
    "ignored_files": 2,
    "shards": 3,
    "history": {"attempts": 2, "shards_again": 1},
}


def samples(path):
    """``{(metric, other labels than name): value}``, as Prometheus reads the file."""
    parser = pytest.importorskip("prometheus_client.parser")
    families = list(parser.text_string_to_metric_families(path.read_text("utf-8")))
    assert all(family.documentation and family.type == "gauge" for family in families)
    found = [sample for family in families for sample in family.samples]
    assert {sample.labels.pop("name") for sample in found} == {path.stem}
    return {(sample.name.removeprefix("cleancopy_"), *sample.labels.values()): sample.value for sample in found}


def test_a_run_that_succeeded_and_one_that_failed_after_it(tmp_path):
    path = tmp_path / 'a "news"\\.prom'
    write_metrics(path, Outcome(1_700_000_000.25, 1_700_000_060.5, 60.25, 0, MANIFEST))
    times = {
        ("last_run_start_timestamp_seconds",): 1_700_000_000.25,
        ("last_run_end_timestamp_seconds",): 1_700_000_060.5,
        ("last_success_timestamp_seconds",): 1_700_000_060.5,
        ("last_run_duration_seconds",): 60.25,
    }
    assert samples(path) == {
        ("last_run_success",): 1,
        ("last_run_exit_code",): 0,
        **times,
        ("last_run_read_records",): 10,
        ("last_run_kept_articles",): 6,
        ("last_run_duplicate_articles", "exact"): 1,
        ("last_run_duplicate_articles", "near"): 2,
        ("last_run_rejected_records", "malformed"): 1,
        ("last_run_edits", "cruft"): 4,
        ("last_run_edits", "whitespace"): 7,
        ("last_run_held_back_clusters",): 0,
        ("last_run_ignored_files",): 2,
        ("last_run_shards",): 3,
        ("last_run_attempts",): 2,
        ("last_run_shards_again",): 1,
    }
    write_metrics(path, Outcome(1_700_086_400.0, 1_700_086_401.0, 1.0, 1, None))
    assert samples(path) == {
        ("last_run_success",): 0,
        ("last_run_exit_code",): 1,
        ("last_run_start_timestamp_seconds",): 1_700_086_400,
        ("last_run_end_timestamp_seconds",): 1_700_086_401,
        ("last_success_timestamp_seconds",): 1_700_000_060.5,
        ("last_run_duration_seconds",): 1,
    }
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_every_end_of_a_run_is_told(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": STORY}) + "\n")
    path = tmp_path / "nightly.prom"
    arguments = ("run", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--workers", 1, "--metrics-file", path)
    assert invoke(*arguments).exit_code == 0
    found = samples(path)
    assert (found["last_run_success",], found["last_run_kept_articles",]) == (1, 1)
    assert invoke(*arguments).exit_code == 2  # the folder holds a finished run
    failed = samples(path)
    assert (failed["last_run_success",], failed["last_run_exit_code",]) == (0, 2)
    assert failed["last_success_timestamp_seconds",] == found["last_success_timestamp_seconds",]


def test_a_file_that_cannot_be_written_is_said_and_the_run_counts(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": STORY}) + "\n")
    (tmp_path / "file").touch()
    arguments = ("run", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--workers", 1, "--quiet")
    result = invoke(*arguments, "--metrics-file", tmp_path / "file" / "x.prom")
    assert result.exit_code == 0
    assert "cleancopy: warning: --metrics-file" in result.stderr
    assert (tmp_path / "out" / "_SUCCESS").exists()
