"""Paragraphs, hard wraps, tables; and the white space around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from transforms.text.edits import apply_edits, undo_edits
from transforms.text.paragraphs import lay_out
from transforms.text.whitespace import normalise_line_ends, normalise_spaces

LINES = st.lists(
    st.sampled_from(
        [
            "",
            " ",
            "A line of the text that is about as long as any other.",
            "Short.",
            "- item",
            "a  b   1",
            "b\t2",
            "    Indented, as the old wires did it, with four spaces.",
            "  x",
            "\u3000日本語の段落です。",
            "and so on",
        ]
    ),
    max_size=12,
)


@pytest.mark.parametrize("case", golden_cases("paragraphs"))
def test_golden(case):
    text, edits = lay_out(case["text"])
    assert text == case["expected"]
    assert [edit.rule for edit in edits] == case["rules"]
    assert undo_edits(text, edits) == case["text"]


@given(LINES.map("\n".join))
def test_laying_out_twice_changes_nothing_more(text):
    once, edits = lay_out(text)
    assert apply_edits(text, edits) == once
    assert undo_edits(once, edits) == text
    assert lay_out(once) == (once, [])


@given(LINES.map("\n".join))
def test_only_white_space_changes(text):
    assert "".join(lay_out(text)[0].split()) == "".join(text.split())


def test_line_ends():
    text, edits = normalise_line_ends("a\r\nb\rc\u2028d\u2029e\n")
    assert text == "a\nb\nc\nd\n\ne\n"
    assert undo_edits(text, edits) == "a\r\nb\rc\u2028d\u2029e\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5\u00a0000\u202f€", "5 000 €"),
        ("in\u00adfor\u200bma\ufefftion", "information"),
        ("ภาษา\u200bไทย", "ภาษา\u200bไทย"),  # marks a word boundary
        ("می\u200cخواهم", "می\u200cخواهم"),  # a joiner is part of the spelling
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("「東京」\u3000大阪", "「東京」\u3000大阪"),
    ],
)
def test_spaces(text, expected):
    changed, edits = normalise_spaces(text)
    assert changed == expected
    assert undo_edits(changed, edits) == text
