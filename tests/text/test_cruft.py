"""Peeling cruft from the end of a text and promos out of its body."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_cases import CASES, golden_cases
from transforms.text.cruft import strip_cruft
from transforms.text.edits import apply_edits, undo_edits
from transforms.text.need import ANY_LINE
from transforms.text.rules import load_cruft_rules

RULES = load_cruft_rules()
ARTICLE = (
    "Harbour workers in Eastmere reopened the swing bridge on Tuesday.\n\n"
    "The council had closed it in March, when a bearing cracked and the night shift heard it from the quay, as the "
    "log of the harbour master has it."
)
LONG = ARTICLE.split("\n\n")[1]
LITERALS = [(rule, literal) for rule in RULES.rules for literal in rule.literals]
STRONG = sorted({literal for rule, literal in LITERALS if rule.strength == "strong"})
WEAK = sorted({literal for rule, literal in LITERALS if rule.strength == "weak"})
PROSE = [
    "The ferry was late.",
    "“Keep reading,” she said.",
    "Old lighthouse gets a keeper",
    ARTICLE,
    "###",
    "é",
]


@pytest.mark.parametrize("case", golden_cases("cruft"))
def test_golden(case):
    text, edits = strip_cruft(case["text"], RULES)
    assert text == case["expected"]
    assert [edit.rule for edit in edits] == case["rules"]
    assert undo_edits(text, edits) == case["text"]


def test_every_strong_literal_is_removed_behind_an_article():
    missed = [
        (rule.name, literal)
        for rule, literal in LITERALS
        if rule.strength == "strong" and strip_cruft(f"{ARTICLE}\n\n{literal}", RULES)[0] != ARTICLE
    ]
    assert missed == []


def test_every_weak_literal_is_removed_below_a_strong_block():
    kept = [literal for literal in WEAK if strip_cruft(f"{ARTICLE}\n\nLeave a Reply\n\n{literal}", RULES)[0] != ARTICLE]
    assert kept == []


@pytest.mark.parametrize("above", ["These were on the sign:", "The sign was old,\nthe letters gone,"])
def test_a_weak_literal_alone_stays_where_a_list_is_announced_and_in_verse(above):
    separator = "\n\n" if above.endswith(":") else "\n"
    texts = [f"{ARTICLE}\n\n{above}{separator}{literal}" for literal in WEAK]
    assert [text for text in texts if strip_cruft(text, RULES)[1]] == []


def test_every_promo_is_removed_from_the_body():
    missed = [
        literal
        for rule, literal in LITERALS
        if rule.kind == "promo"
        and strip_cruft("\n\n".join([ARTICLE, literal, *[ARTICLE] * 5]), RULES)[0] != "\n\n".join([ARTICLE] * 6)
    ]
    assert missed == []


@pytest.mark.parametrize("sentence", ["The sign on the quay read {} and nobody moved.", "{} was all the note said."])
def test_words_of_a_rule_inside_a_sentence_stay(sentence):
    phrases = [literal for _, literal in LITERALS if len(literal.split()) <= 5]  # longer ones are sentences
    texts = [f"{ARTICLE}\n\n{sentence.format(phrase)}" for phrase in phrases]
    assert [text for text in texts if strip_cruft(text, RULES)[1]] == []


@pytest.mark.parametrize(
    "end",
    [
        "was all the note said.",
        "and nobody in the harbour has been told why, the clerk said on Tuesday evening.",
        "because the harbour master had asked for it.",
    ],
)
def test_a_last_sentence_that_begins_as_an_english_wording_does_stays(end):
    texts = [f"{ARTICLE}\n\n{literal.rstrip('.!:…')} {end}" for rule, literal in LITERALS if rule.language == "en"]
    assert [text for text in texts if strip_cruft(text, RULES)[1]] == []


def test_an_article_may_quote_every_wording_of_every_language():
    """At the end of the text, and in its body while cruft below it goes."""
    quoting = [f"The sign on the quay read “{literal}”, and nobody moved." for _, literal in LITERALS]
    at_end = [quote for quote in quoting if strip_cruft(f"{ARTICLE}\n\n{quote}", RULES)[1]]
    kept = [f"{ARTICLE}\n\n{quote}\n\n{ARTICLE}" for quote in quoting]
    in_body = [text for text in kept if strip_cruft(f"{text}\n\nLeave a Reply", RULES)[0] != text]
    assert (at_end, in_body) == ([], [])


def test_every_language_has_a_golden_case_in_which_a_rule_of_its_own_fires():
    cases = json.loads((CASES / "cruft" / "locales.json").read_text("utf-8"))
    fired = {case["label"] for case in cases if any(rule.startswith(f"{case['label']}/") for rule in case["rules"])}
    assert fired == {rule.language for rule in RULES.rules}


def test_cruft_in_the_middle_of_a_long_text_stays():
    text = "\n\n".join([*[ARTICLE] * 3, "Leave a Reply", *[ARTICLE] * 5])
    assert strip_cruft(text, RULES) == (text, [])


def test_weak_blocks_above_a_strong_one_stay_when_a_sentence_announces_them():
    listed = "\n\n".join([ARTICLE, "These answered:", "Facebook", "Instagram", "Twitter"])
    assert strip_cruft(f"{listed}\n\nLeave a Reply", RULES)[0] == listed


@pytest.mark.parametrize(
    "line",
    [
        LONG,
        "Additional reporting by Ines Harrow in Westmere",
        "Reporting by Reuters",
        "Correction: the bridge is forty years old",
        "Ines Harrow is a reporter in Eastmere",
        "Korrektur: Die Brücke ist vierzig Jahre alt",
    ],
)
def test_long_paragraphs_credits_and_corrections_stay_wherever_they_stand(line):
    text = "\n\n".join([ARTICLE, "Share this:", "Related Posts", line, "Old lighthouse gets a keeper", "Leave a Reply"])
    assert line in strip_cruft(text, RULES)[0]


def test_the_text_of_a_brief_below_a_share_bar_stays():
    text = "Swing bridge opens\n\nShare this:\n\nTweet\n\nFacebook\n\nIt opens at noon."
    assert strip_cruft(text, RULES)[0] == "Swing bridge opens\n\nIt opens at noon."


def test_each_removed_block_is_one_edit_with_its_separator():
    text = f"{ARTICLE}\n\nShare this:\nTweet"
    _, edits = strip_cruft(text, RULES)
    assert [(edit.kind, edit.rule, edit.before) for edit in edits] == [
        ("cruft", "en/share-bar", "\nTweet"),
        ("cruft", "en/share-bar", "\n\nShare this:"),
    ]


BLOCKS = st.lists(st.one_of(st.sampled_from(STRONG), st.sampled_from(WEAK), st.sampled_from(PROSE)), max_size=14)
SEPARATORS = st.lists(st.sampled_from(["\n\n", "\n"]), min_size=14, max_size=14)


@given(BLOCKS, SEPARATORS)
def test_undo_gives_the_input_back_and_a_second_pass_changes_nothing(blocks, separators):
    text = "".join(f"{block}{separator}" for block, separator in zip(blocks, separators, strict=False)).rstrip("\n")
    stripped, edits = strip_cruft(text, RULES)
    assert apply_edits(text, edits) == stripped
    assert undo_edits(stripped, edits) == text
    assert strip_cruft(stripped, RULES) == (stripped, [])
    assert stripped.split("\n").count(LONG) == text.split("\n").count(LONG)
    if "The ferry was late." in text:
        assert "." in stripped, "some sentence stays, unless there was none"


@given(st.text(st.sampled_from("Tweet\n \t\r“»Δ©é\u2028\ud800x"), max_size=30))
def test_any_text_can_be_undone(text):
    stripped, edits = strip_cruft(text, RULES)
    assert undo_edits(stripped, edits) == text


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "share ",
        "Tweet\n",
        "Name\n\n",
        "Sign up for our a ",
        "Get the to your inbox\n",
        "click here for more ",
    ],
)
def test_time_is_linear_in_a_hostile_text(unit):
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        strip_cruft(text, RULES)
        return time.process_time() - start

    small, large = min(seconds(100_000) for _ in range(3)), seconds(1_000_000)
    assert large < 40 * small + 0.2  # linear is 10; the rest is the machine's noise


@pytest.mark.parametrize("comments", range(8, 18))
def test_a_long_last_line_hides_no_comment_form_however_many_comments_stand_between(comments: int) -> None:
    story = "Harbour workers reopened the swing bridge on Tuesday, the council said in a notice to the crews. "
    lines = [f"Anna {chr(ord('a') + number)} writes again about the harbour" for number in range(comments)]
    last = "I have lived beside this bridge for forty years and never have I seen it closed for as long as last year."
    text = "\n\n".join([story * 3] * 6 + ["Leave a Reply", *lines, f"{last} I am so glad of this"])
    assert strip_cruft(text, RULES, ANY_LINE._replace(promos={})) == strip_cruft(text, RULES)
