"""A small slice of ``python -m tests.fuzz``."""

from tests.fuzz import fuzz


def test_hostile_files_lose_no_record(tmp_path):
    tally = fuzz(2_000, "suite", tmp_path, pipeline_every=8)
    assert tally["articles"] > 1_000
    assert tally.keys() >= {"empty", "malformed", "missing_text", "wrong_type", "in whole runs"}
