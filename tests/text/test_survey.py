"""The survey: what it spares a text must find nothing to do there."""

import functools
import gzip
import json
import re
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from tests.text.test_clean import CLEANER, PIECES
from tests.text.test_cruft import ARTICLE
from tests.text.test_repair import CLUES
from tests.text.test_repeats import PIECES as REPEATS
from transforms.text.clean import CleanConfig, Cleaned, Cleaner
from transforms.text.credits import find_credits
from transforms.text.draft import Draft
from transforms.text.edits import Edit
from transforms.text.need import FORM, Need
from transforms.text.pattern_starts import pattern_starts
from transforms.text.rules import (
    PROMO_START_CHARS,
    block_start,
    load_credit_rules,
    load_cruft_rules,
    normalise_block,
)
from transforms.text.survey import Survey
from transforms.text.tail import NOTICE_CLUES, NOTICE_SIGNS, Text

RULES = load_cruft_rules()
CREDIT_RULES = load_credit_rules()
SURVEY = Survey(RULES, CREDIT_RULES)
BELOW = f"{ARTICLE}\n\n".count("\n")  # number of the line below
LITERALS = sorted({literal for rule in RULES.rules for literal in rule.literals})
PATTERNS = sorted({pattern for rule in RULES.rules for pattern in rule.patterns})
PAGES = Path(__file__).parents[3] / "shared" / "data" / "cruft" / "dev.jsonl.gz"


def cleaned_together(texts, cleaner=CLEANER):
    texts, edits, credits = cleaner.clean_all(pa.array(texts, pa.large_string()))
    return list(map(Cleaned, texts.to_pylist(), edits_by_text(edits, len(texts)), credits))


def edits_by_text(edits, texts):
    """EDIT_COLUMNS as a list of edits for each text."""
    owned = [[] for _ in range(texts)]
    for owner, *edit in zip(*edits.to_pydict().values(), strict=True):
        owned[owner].append(Edit(*edit))
    return owned


def cleaned_one_by_one(texts, cleaner=CLEANER):
    return [cleaner.clean(text) for text in texts]


def drafts_of(texts):
    return list(map(Draft, texts))


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
def test_cleaning_many_is_cleaning_each(texts):
    assert cleaned_together(texts) == cleaned_one_by_one(texts)


LINES = st.one_of(
    st.sampled_from(LITERALS),
    st.sampled_from(LITERALS).map(str.upper),
    st.sampled_from(LITERALS).map(lambda literal: f"► {literal}: the bridge, the quay"),
    st.tuples(
        st.sampled_from(LITERALS), st.sampled_from([" ", " | ", " – ", ": ", "… "]), st.sampled_from(LITERALS)
    ).map("".join),
    REPEATS,
    st.sampled_from(
        [
            ARTICLE,
            "* * *",
            "“Keep reading,” she said.",
            "12",
            "© 2023",
            "ſhare",
            "ＳＨＡＲＥ",
            "All rights reserved.",
            "\t",
            "-- AP",
        ]
    ),
    st.text(max_size=12),
)


@given(st.lists(st.lists(LINES, max_size=8).map("\n\n".join), max_size=6))
@settings(max_examples=300)
def test_cleaning_pages_is_cleaning_each(texts):
    assert cleaned_together(texts) == cleaned_one_by_one(texts)


@pytest.mark.parametrize("function", ["clean", "cruft", "repeats", "credits", "paragraphs", "repair"])
def test_golden(function):
    texts = [case.values[0]["text"] for case in golden_cases(function)]
    assert texts
    assert cleaned_together(texts) == cleaned_one_by_one(texts)


@pytest.mark.parametrize(
    "form", ["{}", "► {}…", "{}: the bridge", "{}.", "“{}", "{} | {}", "Share {}", "The {}", "{}Tweet12", "Ines | {}"]
)
def test_no_line_that_a_rule_knows_is_ruled_out(form):
    lines = [case for literal in LITERALS for case in (form.format(literal, literal), form.format(literal, "").upper())]
    needs = SURVEY.cruft(drafts_of([f"{ARTICLE}\n\n{line}" for line in lines]))
    known = [Text(line.split("\n"), RULES).find(0) is not None for line in lines]
    missed = [
        line
        for line, need, is_known in zip(lines, needs, known, strict=True)
        if is_known and (not need or BELOW not in need.tail)
    ]
    assert missed == []


def test_no_promo_is_ruled_out():
    promos = [
        literal
        for rule in RULES.rules
        if rule.is_in_body
        for literal in rule.literals
        if RULES.find(literal) is rule and block_start(literal, PROMO_START_CHARS) in RULES.promo_starts
    ]
    needs = SURVEY.cruft(drafts_of([f"{ARTICLE}\n\n{promo}\n\n{ARTICLE}" for promo in promos]))
    told = [list(need.promos) if need else [] for need in needs]
    assert [promo for promo, lines in zip(promos, told, strict=True) if lines != [BELOW]] == []


@pytest.mark.parametrize(
    "form",
    [
        "【ロンドン{}】\n\n{story}",
        "【ロンドン{}時事】\n\n{story}",
        "【イーストミア={}】\n\n{story}",
        "【5月3日 {}】\n\n{story}",
        "［イーストミア　３日　{}］\n\n{story}",
        "（イーストミア＝{}）\n\n{story}",
        "(이스트미어 {}=연합뉴스) {story}",
        "据{}东京5月3日电 {story}",
        "EASTMERE, May 3, {} - {story}",
        "EASTMERE ({}) - {story}",
        "{story}（据{}5月3日电）",
        "{story}\n\n（综合{}、新华社报道）",
        "{story}（{}電）",
        "{story}=={}",
        "{story}\n\n来源：{}",
    ],
)
def test_no_credit_is_ruled_out(form):
    story = "\n\n".join([ARTICLE] * 6)
    spellings = [*CREDIT_RULES.agencies, "ＡＦＰ", "ﾛｲﾀｰ", "ＡＦＰ時事"]
    texts = [form.format(spelling, story=story) for spelling in spellings]
    credited = [text for text in texts if find_credits(text, CREDIT_RULES)]
    assert credited
    needs = SURVEY.credits(drafts_of(credited))
    assert [text for text, need in zip(credited, needs, strict=True) if not need & Need.CREDITS] == []


def test_prose_is_ruled_out():
    texts = [
        ARTICLE,
        f"Swing bridge opens\n\n{ARTICLE}\n\nIt was late.",
        f"{ARTICLE}\n\n市长说：“桥梁明天开放！” It is.",
    ]
    assert SURVEY.cruft(drafts_of(texts))[:2] == [None] * 2
    assert SURVEY.repeats(drafts_of(texts)) == [None] * 3
    assert SURVEY.form(drafts_of(texts)) == [Need.NOTHING] * 3


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("a\r\nb", Need.LINE_ENDS | Need.LAYOUT),
        ("5\u00a0km", Need.SPACES | Need.LAYOUT),
        ("cafe\u0301", Need.COMPOSITION),
        ("it\u00e2\u20ac\u2122s", FORM),
        ("a\u064b\u0651", Need.NOTHING),  # marks in their order
        ("a\u0651\u064b", Need.COMPOSITION),
    ],
)
def test_form_needs_only_what_it_lacks(text, needs):
    assert SURVEY.form(drafts_of([text])) == [needs]


@given(
    st.text(
        st.sampled_from("ae \u0301\u0316\u0323\u0340\u064b\u0651\u0653\u1100\u1161\u11a8\uac00\u212b\n"), max_size=8
    )
)
def test_what_must_be_composed_is_told(text):
    assert SURVEY.form(drafts_of([text]))[0] & Need.COMPOSITION or unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_starts_of_a_pattern_begin_what_it_matches(pattern):
    starts = pattern_starts(re.compile(pattern), 8)
    found = [line for line in _golden_lines() if re.fullmatch(pattern, line)]
    assert all(line.startswith(tuple(starts)) for line in found)
    assert "" not in starts


@functools.cache
def _golden_lines():
    texts = [case.values[0]["text"] for case in golden_cases("cruft")]
    return {normalise_block(line) for text in texts for line in text.split("\n")}


def test_a_pattern_that_may_begin_with_anything_is_looked_for_everywhere(tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "en/mine"\nkind = "cruft"\nstrength = "strong"\npatterns = [".{3,40} says hello"]\n', "utf-8"
    )
    cleaner = Cleaner(CleanConfig(rules=rules))
    texts = [ARTICLE, f"{ARTICLE}\n\nThe harbour says hello"]
    assert [cleaned.text for cleaned in cleaned_together(texts, cleaner)] == [ARTICLE] * 2


def test_every_notice_holds_a_clue():
    from transforms.text import tail

    told = [
        any(clue in notice for clue in NOTICE_CLUES) or any(sign in notice for sign in NOTICE_SIGNS)
        for notice in (*tail._NOTICES, *(start for start in tail._NOTICE_STARTS if not start.startswith("(c")))
    ]
    assert all(told)
    assert {len(clue) for clue in NOTICE_CLUES} == {8}


def test_no_notice_is_ruled_out():
    from transforms.text import tail

    lines = [case(f"Eastmere, {notice} ") for notice in tail._NOTICES for case in (str.lower, str.upper)]
    needs = SURVEY.cruft(drafts_of([f"{ARTICLE}\n\n{line}" for line in lines]))
    assert [line for line, need in zip(lines, needs, strict=True) if not need or not need.tail] == []


def test_straight_quotes_on_request():
    cleaner = Cleaner(CleanConfig(quotes="straight"))
    texts = ["“It’s open,” she said.\n\nDon’t miss a story", ARTICLE]
    assert cleaned_together(texts, cleaner) == cleaned_one_by_one(texts, cleaner)


@pytest.mark.skipif(not PAGES.is_file(), reason="the pages of ../shared/data are not here")
def test_real_pages():
    with gzip.open(PAGES, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["naive_text"] for _, line in zip(range(200), lines, strict=False)]
    assert cleaned_together(texts) == cleaned_one_by_one(texts)
