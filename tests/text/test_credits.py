"""Finding the wire agencies that a text credits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from transforms.text.credits import find_credits
from transforms.text.cruft import strip_cruft
from transforms.text.rules import load_credit_rules, load_cruft_rules

RULES = load_credit_rules()
ARTICLE = "The swing bridge reopened on Tuesday.\n\nEngineers said the bearing should last for twenty years."


@pytest.mark.parametrize("case", golden_cases("credits"))
def test_golden(case):
    assert find_credits(case["text"], RULES) == case["expected"]


@pytest.mark.parametrize("form", ["(Additional reporting by {})", "With reporting by {}", "Source: {}", "© 2023 {}"])
@pytest.mark.parametrize("spelling", sorted(RULES.agencies))
def test_every_spelling_in_a_credit_line_is_found_and_stays(form, spelling):
    text = f"{ARTICLE}\n\n{form.format(spelling)}"
    assert find_credits(text, RULES) == [RULES.agencies[spelling]]
    assert strip_cruft(text, load_cruft_rules()) == (text, [])


@pytest.mark.parametrize("spelling", sorted(RULES.agencies))
def test_no_spelling_in_a_sentence_is_a_credit(spelling):
    first, last = f"{spelling} reported that the bridge was shut.", f"It will close, according to {spelling}."
    text = f"{first}\n\n{ARTICLE}\n\n{last}"
    assert find_credits(text, RULES) == []


@pytest.mark.parametrize("phrase", RULES.after)
def test_every_closing_phrase_makes_a_credit_line(phrase):
    assert find_credits(f"{ARTICLE}\n\nThe Associated Press and AFP {phrase}.", RULES) == ["AP", "AFP"]


WORDS = st.sampled_from(
    ["AP", "(Reuters)", "—", "©", "With reporting by ", "EASTMERE", "/", " ", ".", "\n", "and", "\ud800"]
)


@given(st.lists(WORDS, max_size=40).map("".join))
def test_any_text_gives_names_without_repeats(text):
    names = find_credits(text, RULES)
    assert len(names) == len(set(names))
    assert set(names) <= set(RULES.agencies.values())
