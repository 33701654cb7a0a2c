"""The whole cleaning of one text."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from transforms.text.clean import CleanConfig, Cleaner
from transforms.text.decode import UndecodableError, decode
from transforms.text.edits import apply_edits, undo_edits

CLEANER = Cleaner()
PIECES = st.sampled_from(
    [
        "The bridge opened on Monday, the council said, after eight years of work and waiting.",
        "Source link",
        "Leave a Reply",
        "Your email address will not be published. Required fields are marked *",
        "Name *",
        "Website",
        "itâ€™s",
        "cafe\u0301",
        "&amp;",
        "&amp;amp;",
        "Ã ",
        "\u00ad",
        "\u200b",
        "\u00a0",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "“",
        "”",
        "Share this:",
        "Related",
        "- item",
        "Advertisement",
        "a  1   2",
        "ﬁ",
        "\x85",
        "Â",
        "\ufffd",
        "»",
    ]
)


@pytest.mark.parametrize("case", golden_cases("clean"))
def test_golden(case):
    cleaned = CLEANER.clean(case["text"])
    assert cleaned.text == case["expected"]
    assert cleaned.credits == case["credits"]
    assert undo_edits(cleaned.text, cleaned.edits) == case["text"]


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=14).map("".join))
@example("Name *\n\nLeave a Reply\n\nx\n\nName *")
@settings(max_examples=400)
def test_every_edit_can_be_undone_and_cleaning_twice_changes_nothing(text):
    cleaned = CLEANER.clean(text)
    assert apply_edits(text, cleaned.edits) == cleaned.text
    assert undo_edits(cleaned.text, cleaned.edits) == text
    assert CLEANER.clean(cleaned.text).edits == []


@given(st.binary(max_size=200))
def test_never_a_crash_on_any_bytes(raw):
    try:
        text = decode(raw).text
    except UndecodableError:
        return
    cleaned = CLEANER.clean(text)
    assert undo_edits(cleaned.text, cleaned.edits) == text


def test_straight_quotes_on_request():
    cleaned = Cleaner(CleanConfig(quotes="straight")).clean("“It’s open,” she said.")
    assert cleaned.text == '"It\'s open," she said.'
    assert {edit.rule for edit in cleaned.edits} == {"straight-quotes"}
