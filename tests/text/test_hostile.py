"""Texts of hostile shape and size.

Nothing here looks at a clock. What is more than linear would show all the same: a quadratic step takes minutes at these
sizes, where a linear one takes milliseconds.
"""

import pytest

from benchmarks.hostile import patterns
from transforms.text.clean import Cleaner
from transforms.text.edits import undo_edits
from transforms.text.headline import headline
from transforms.text.paragraphs import lay_out
from transforms.text.repeats import drop_repeats, is_prose
from transforms.text.rules import has_nested_repeat, load_cruft_rules

MANY = 500_000


def test_no_pattern_repeats_what_repeats():
    assert [name for name, pattern in patterns().items() if has_nested_repeat(pattern)] == []


def test_a_gap_of_a_million_spaces():
    assert lay_out("x" + " " * 2 * MANY + "y\n\nz")[0] == "x y\n\nz"
    assert lay_out("x" + "\n " * MANY + "y")[0] == "x\n\ny"


def test_a_first_line_of_tabs():
    assert headline("\t" * MANY + "x.") is None


def test_a_word_of_capitals_is_no_label():
    assert not is_prose("A" * MANY, 60)


@pytest.mark.parametrize(
    "paragraph",
    ["“" + "中" * MANY, "'" * MANY + "x", "AB " * (MANY // 3), "A" * MANY, "(@a" * (MANY // 3)],
    ids=["cited", "quoted", "speakers", "label", "post"],
)
def test_a_giant_paragraph_that_stands_twice(paragraph):
    text = f"{paragraph}\n\nBetween.\n\n{paragraph} and more"
    dropped, edits = drop_repeats(text, load_cruft_rules())
    assert undo_edits(dropped, edits) == text


@pytest.mark.parametrize("line", ["No comment.\n\n", "Leave a Reply\n\n", "Photo: Reuters\n\n"])
def test_the_same_line_many_thousand_times(line):
    text = line * 20_000
    cleaned = Cleaner().clean(text)
    assert len(cleaned.text) < len(text)
