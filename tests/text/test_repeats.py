"""Paragraphs that are printed twice."""

import gzip
import json
from pathlib import Path

import pytest

from tests.golden_cases import golden_cases
from transforms.text.edits import undo_edits
from transforms.text.repeats import drop_repeats

CAPTIONS = Path(__file__).parents[3] / "shared" / "data" / "captions"


@pytest.mark.parametrize("case", golden_cases("repeats"))
def test_golden(case):
    text, edits = drop_repeats(case["text"])
    assert text == case["expected"]
    assert [edit.rule for edit in edits] == case["rules"]
    assert undo_edits(text, edits) == case["text"]


@pytest.mark.skipif(not CAPTIONS.is_dir(), reason="the judged repeats of ../shared/data are not here")
def test_legitimate_repeats_of_real_articles_stay():
    with gzip.open(CAPTIONS / "legit_repeats.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            paragraphs = [" ".join(paragraph.split()) for paragraph in article["paragraphs"]]
            kept = drop_repeats("\n\n".join(paragraphs))[0].split("\n\n")
            for first, second, why in article["must_keep"]:
                # Either both say the same, and both stay, or each says something of its own, and one of each stays.
                wanted = [paragraphs[first], paragraphs[second]]
                assert all(kept.count(text) >= wanted.count(text) for text in wanted), (
                    article["id"],
                    why,
                    wanted,
                )
