"""Two texts side by side: all of both, in their order, as they are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.compare import align, compare_of_run
from tests.reading import run_quietly
from transforms.text.shingles import tokens

WORDS = st.lists(st.sampled_from(["Ship,", "ship", "a", "the", "12", "橋", "が。", "e\u0301t", "—"]), max_size=30)


@given(WORDS, WORDS)
def test_each_side_is_told_whole(left, right):
    passages = align(" ".join(left), " ".join(right))
    for side, text in (("a", left), ("b", right)):
        told = [word for each in passages if each.side in ("both", side) for word in tokens(each.text)]
        assert told == tokens(" ".join(text))
    assert all(each.words == len(tokens(each.text)) for each in passages)


def test_what_is_alike_by_chance_is_no_passage():
    assert [tuple(each) for each in align("He paid for the ship in May", "It sank in the bay by May")] == [
        ("a", "He paid for the ship in", 6),
        ("b", "It sank in the bay by", 6),
        ("both", "May", 1),
    ]


@pytest.mark.parametrize("letters", ["橋", "สะพาน"])
def test_scripts_without_spaces_are_compared_letter_by_letter(letters):
    told = align(f"石の{letters}が開いた。", f"石の{letters}は開いた。")
    assert [each.side for each in told] == ["both", "a", "b", "both"]


def test_a_run_says_what_became_of_the_two(tmp_path):
    story = (
        "The island ferry returned to service on Monday after a winter in the yard at Port Ellery, it was said. " * 4
    )
    rows = [{"id": name, "text": story, "title": "Ferry", "source": name} for name in ("a", "b", "c")]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    run_quietly(str(source), tmp_path / "out", keep="all")
    assert compare_of_run(str(tmp_path / "out"), "a", "b").of_run == "b was folded into a as exact"
    assert compare_of_run(str(tmp_path / "out"), "c", "b").of_run == "both were folded into a"
    assert compare_of_run(str(tmp_path / "out"), "c", "b").decision.relation == "exact"
