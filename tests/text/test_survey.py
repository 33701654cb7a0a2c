"""The survey: what it spares a text must find nothing to do there."""

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from tests.text.test_clean import CLEANER, PIECES
from tests.text.test_repair import CLUES
from transforms.text.need import Need
from transforms.text.survey import survey


@given(
    st.lists(
        st.lists(st.one_of(PIECES, st.text(st.sampled_from([*CLUES, "\n"]), max_size=6), st.text(max_size=6))).map(
            "".join
        ),
        max_size=5,
    )
)
@example(
    [
        "a &amp; b",
        "Q&A; R",
        "a\n\n b",
        " a",
        "a ",
        "a\n",
        "\u3000a",
        "\U0001d15e",
        "a\n\u3000b",
        "Г“Г",
        "Гў",
        "한글\u1161",
    ]
)
def test_cleaning_by_the_survey_is_cleaning(texts):
    needs = survey(pa.array(texts, pa.large_string()), CLEANER.gates)
    for text, need in zip(texts, needs.tolist(), strict=True):
        assert CLEANER.clean(text, Need(need)) == CLEANER.clean(text)


def test_clean_copy_needs_nothing():
    texts = [
        "“It’s open,” she said — in Rhône.\n\nThe mayor left…",
        "市长说：“桥梁明天开放！”",
        "Мост открыт.",
        "AT&T; fine",
    ]
    needs = survey(pa.array(texts, pa.large_string()), CLEANER.gates).tolist()
    # In scripts without spaces what repeats shows only when the text is whole.
    assert needs == [Need.NOTHING, Need.SHARED, Need.NOTHING, Need.EVERYTHING]
    assert survey(pa.array(texts, pa.large_string())[2:], CLEANER.gates).tolist() == needs[2:]
