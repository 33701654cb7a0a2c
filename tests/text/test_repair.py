"""The repair of characters, and the gate in front of ftfy."""

import itertools
import re
from pathlib import Path

import ftfy
import pyarrow.parquet as pq
import pytest
from ftfy.badness import BADNESS_RE, MOJIBAKE_CATEGORIES
from ftfy.chardata import LIGATURES
from hypothesis import example, given
from hypothesis import strategies as st

from tests.golden_cases import golden_cases
from transforms.text import repair
from transforms.text.edits import apply_edits, undo_edits
from transforms.text.mojibake import restore_lead_bytes

BULK = Path(__file__).parents[3] / "shared" / "data" / "bulk"

CLUES = sorted(
    {char for name in MOJIBAKE_CATEGORIES for char in re.findall(f"[{MOJIBAKE_CATEGORIES[name]}]", repair._BMP)}
    | {chr(code) for code in LIGATURES}
    | set("ÂÃÎÐŒœŠšŸžØÙ√≈±∂≠´≤≥µøâóàäêвЂГў&\r\u2028\x1b\x00 .,?!azAZ09;")
)


def ftfy_alone(line: str) -> str:
    return ftfy.fix_and_explain(line, repair._FTFY).text


@pytest.mark.parametrize("case", golden_cases("repair"))
def test_golden(case):
    text, edits = repair.repair_lines(case["text"])
    assert text == case["expected"]
    assert [edit.rule for edit in edits] == case["rules"]
    assert undo_edits(text, edits) == case["text"]


@given(st.text(st.sampled_from(CLUES), max_size=12))
def test_gate_and_ftfy_equal_ftfy_alone_on_clues(line):
    assert repair.is_suspect(line) or ftfy_alone(line) == line


@given(st.one_of(st.text(max_size=40), st.text(st.sampled_from(CLUES), max_size=12)))
@example("\x80\x9c")  # ftfy alone: "€œ"
def test_gate_and_ftfy_equal_ftfy_alone_where_no_lead_byte_was_lost(line):
    line = line.replace("\n", "")
    restored, lost = restore_lead_bytes(line)
    assert bool(lost) == (restored != line)
    assert repair.repair_lines(line)[0] == ftfy_alone(restored)


def test_gate_lets_through_every_match_of_three_representatives():
    """Every triple of one or two members of each class: what the badness expression matches, the gate passes."""
    picks = {members[i] for name in MOJIBAKE_CATEGORIES for i in (0, -1) if (members := _members(name))}
    picks |= set("âóàäœŒÂÃÎÐØÙ√≈вЂГВŠž’”“‘—…é°² aZ.1")
    missed = [
        triple
        for triple in map("".join, itertools.product(sorted(picks), repeat=3))
        if not repair.is_suspect(triple) and BADNESS_RE.search(triple)
    ]
    assert not missed


@pytest.mark.skipif(not BULK.is_dir(), reason="the real corpora of ../shared/data are not here")
@pytest.mark.parametrize("corpus", ["fakebr", "bbc", "wsdl-topnews", "zh-technews"])
def test_gate_and_ftfy_equal_ftfy_alone_on_real_lines(corpus):
    texts = pq.read_table(BULK / f"{corpus}.parquet", columns=["text"])["text"].to_pylist()
    lines = {line for text in texts[::4] for line in text.split("\n")}
    assert not [line for line in lines if not repair.is_suspect(line) and ftfy_alone(line) != line]


@given(st.text(st.sampled_from(CLUES), max_size=30))
def test_edits_replay_both_ways(text):
    for step in (repair.repair_lines, repair.compose, repair.straighten_quotes):
        changed, edits = step(text)
        assert apply_edits(text, edits) == changed
        assert undo_edits(changed, edits) == text


@given(st.text(st.characters(categories=["L", "M", "Z", "P"]), max_size=30))
def test_compose_is_nfc(text):
    changed, edits = repair.compose(text)
    assert changed == repair.unicodedata.normalize("NFC", text)
    assert undo_edits(changed, edits) == text


def test_straight_quotes():
    assert repair.straighten_quotes("„Ja“, said ‘she’")[0] == "\"Ja\", said 'she'"


def _members(name: str) -> list[str]:
    return re.findall(f"[{MOJIBAKE_CATEGORIES[name]}]", repair._BMP)
