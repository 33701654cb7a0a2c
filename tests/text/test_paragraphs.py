"""Paragraphs, hard wraps, tables; and the white space around them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from tests.text.test_survey import edits_by_text
from transforms.text.edits import apply_edits, undo_edits
from transforms.text.encoded import encode
from transforms.text.layout_kernel import lay_out_batch, replace_no_break_spaces
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


def laid_out_together(texts):
    """What the kernel makes of those texts that it lays out, by their numbers."""
    return mended_together(texts, lambda texts, rows: lay_out_batch(texts, rows, rows))


def mended_together(texts, mend):
    mended = mend(encode(pa.array(texts, pa.large_string())), np.arange(len(texts)))
    edits = edits_by_text(mended.edits, len(texts))
    return {owner: (mended.texts.text(row), edits[owner]) for row, owner in enumerate(mended.owners.tolist())}


WORDS = st.sampled_from(
    [
        *"a1.é\t\u3000\u0663$€„",
        " ",
        "  ",
        "   ",
        " \n",
        "\n",
        "\n\n",
        "\n \n\n",
        "a long line " * 12 + ".",
        "日本語、",
        "40 " * 13,
    ]
)


@given(st.lists(st.one_of(LINES.map("\n".join), st.lists(WORDS, max_size=12).map("".join)), max_size=5))
def test_what_the_kernel_lays_out_is_laid_out_so(texts):
    for row, laid_out in laid_out_together(texts).items():
        assert laid_out == lay_out(texts[row])


@pytest.mark.parametrize(
    "text",
    [
        "One.\nTwo.\n",
        " One.\n \n\nTwo.",
        "It rains.  It is late.",
        "«Один»  два\nтри",
        f"A short line.\n\n{'A long line. ' * 12}\n{'A long line. ' * 12}",
    ],
)
def test_the_kernel_lays_out_what_takes_no_judgement(text):
    assert list(laid_out_together([text])) == [0]


@pytest.mark.parametrize(
    "text",
    [
        "Ada  1\nBen  2",
        "a\tb",
        "「東京」\u3000大阪",
        "One.\nTwo.\n\nThree.",
        f"{'a full line ' * 5}\n{'and another ' * 5}",
        " ",
    ],
)
def test_the_kernel_leaves_what_takes_judgement(text):
    assert laid_out_together([text]) == {}


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


@given(st.lists(st.text(st.sampled_from("aé„ \u00a0\n"), max_size=9), max_size=4))
def test_the_kernel_replaces_no_break_spaces(texts):
    assert list(mended_together(texts, replace_no_break_spaces).values()) == list(map(normalise_spaces, texts))
