"""Paragraphs that are printed twice."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from transforms.text.edits import apply_edits, undo_edits
from transforms.text.repair import repair_lines
from transforms.text.repeats import drop_repeats
from transforms.text.repetition import find_repetition
from transforms.text.repetition_kernel import find_repetition as find_by_kernel
from transforms.text.rules import load_cruft_rules

RULES = load_cruft_rules()
PIECES = st.sampled_from(
    [
        "Ferry passengers wait under the clock at Port Ellery on Sunday after the last boat was cancelled.",
        "Ferry passengers wait under the clock at Port Ellery on Sunday. Photo: Piet Jansen",
        "Ferry passengers wait under the clock at Port Ellery on Sunday",
        "wait under the clock at Port Ellery on Sunday after the last boat was cancelled. Nobody told them, they said.",
        "“We have been waiting for a boat since the year of the flood”",
        "Anna Holm said: “We have been waiting for a boat since the year of the flood,” and went home.",
        "日曜日、最終便が欠航となり、港の時計の下で待つ乗客たち。",
        "Advertisement",
        "1 of 3",
        "2 of 3",
        "Yes.",
        "",
        "\n",
        "* * *",
        "Ж 1",
    ]
)
CAPTIONS = Path(__file__).parents[3] / "shared" / "data" / "captions"


@pytest.mark.parametrize("case", golden_cases("repeats"))
def test_golden(case):
    text, edits = drop_repeats(case["text"], RULES)
    assert text == case["expected"]
    assert [edit.rule for edit in edits] == case["rules"]
    assert undo_edits(text, edits) == case["text"]


@pytest.mark.skipif(not CAPTIONS.is_dir(), reason="the judged repeats of ../shared/data are not here")
def test_legitimate_repeats_of_real_articles_stay():
    with gzip.open(CAPTIONS / "legit_repeats.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            paragraphs = [" ".join(paragraph.split()) for paragraph in article["paragraphs"]]
            kept = drop_repeats("\n\n".join(paragraphs), RULES)[0].split("\n\n")
            for first, second, why in article["must_keep"]:
                # Either both say the same, and both stay, or each says something of its own, and one of each stays.
                wanted = [paragraphs[first], paragraphs[second]]
                assert all(kept.count(text) >= wanted.count(text) for text in wanted), (
                    article["id"],
                    why,
                    wanted,
                )


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("\n\n".join))
def test_every_edit_can_be_undone_and_something_stays(text):
    changed, edits = drop_repeats(text, RULES)
    assert apply_edits(text, edits) == changed
    assert undo_edits(changed, edits) == text
    assert bool(changed) == bool(text)


WORDS = st.lists(st.sampled_from(["Ab", "ab", "é", "Ж", "日", "Yes.", "12", "of", "3", "\n"]), max_size=40).map(
    " ".join
)


@given(st.lists(st.one_of(PIECES, WORDS, st.text(max_size=8)), max_size=12).map("\n\n".join))
def test_the_kernel_finds_what_its_slow_twin_finds(text):
    assert find_by_kernel(text) == find_repetition(text)


def test_kernel_and_twin_agree_on_every_character():
    characters = [chr(code) for code in range(0x30000)]
    for start in range(0, len(characters), 1000):
        # Beside a letter and beside itself: as a word's part, as a word, as what parts words.
        text = "\n\n".join(f"a{character}{character}b" for character in characters[start : start + 1000])
        assert find_by_kernel(text) == find_repetition(text)


@given(st.lists(st.text(st.sampled_from("ab é日. "), max_size=30), max_size=6).map("\n\n".join))
def test_a_text_without_repeats_keeps_every_character(text):
    paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph]
    changed, edits = drop_repeats(text, RULES)
    assert edits or changed == text
    assert all(edit.kind == "repeat" and edit.before for edit in edits)
    assert len(paragraphs) > 1 or not edits


@pytest.mark.skipif(not CAPTIONS.is_dir(), reason="the judged repeats of ../shared/data are not here")
def test_judged_repeats_of_real_articles_are_handled_as_judged():
    """The base that a later change must not fall below: of 73 to drop once 73, of 37 furniture to drop wholly 28."""
    wanted = {"remove": 1, "cruft": 0}
    right = dict.fromkeys(wanted, 0)
    total = dict.fromkeys(wanted, 0)
    with gzip.open(CAPTIONS / "repeats.jsonl.gz", "rt", encoding="utf-8") as lines:
        for article in map(json.loads, lines):
            judged = [found for found in article.get("judgements") or () if found["verdict"] in wanted]
            if not judged:
                continue
            paragraphs = [" ".join(repair_lines(paragraph)[0].split()) for paragraph in article["paragraphs"]]
            kept = drop_repeats("\n\n".join(paragraphs), RULES)[0].split("\n\n")
            for found in judged:
                pair = {paragraphs[found["i"]], paragraphs[found["j"]]}
                total[found["verdict"]] += 1
                right[found["verdict"]] += sum(min(kept.count(text), 2) for text in pair) == wanted[found["verdict"]]
    assert right["remove"] >= 0.95 * total["remove"]
    assert right["cruft"] >= 0.7 * total["cruft"]
