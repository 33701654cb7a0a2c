"""What is boilerplate of a source, and how it is removed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.boilerplate import Candidate, heads_boilerplate, is_credit, names_source, sign_of, strip_paragraphs
from transforms.text.edits import undo_edits


def candidate(text, **values):
    found = Candidate(
        source="Harbour Gazette",
        text=text,
        support=40,
        diversity=38,
        forms=1,
        coherence=0.05,
        elsewhere=0.1,
        edge=0.0,
    )
    return found._replace(**values)


@pytest.mark.parametrize(
    ("sign", "text", "values"),
    [
        ("phrase", "Click here for more of our coverage of the harbour.", {"support": 5, "coherence": 0.3}),
        ("phrase", "SLIDES (4): continue reading below", {"forms": 17}),
        ("phrase", "Abonnez-vous pour ne rien manquer de la vie du port.", {}),
        ("phrase", "Подпишитесь на нас, чтобы не пропустить главное.", {}),
        ("phrase", "للتواصل مع الكاتب أرسل رسالة", {}),
        ("phrase", "無断転載を禁じます。", {}),
        ("phrase", "Die Redaktion freut sich: Lesen Sie auch unsere Hafenseiten.", {}),
        ("topic", "Subscribe to the Tide Letter.", {}),
        ("address", "Write to Mira Voss at mira.voss@gazette.example", {"support": 5}),
        ("source", "Jon Abel is the Harbour Gazette's night editor.", {"support": 9}),
        ("edge", "The writer teaches navigation at the college of Eastmere.", {"edge": 1.0}),
        ("inside", "Columns, tide tables, letters and the crossword of the week.", {}),
    ],
)
def test_signs(sign, text, values):
    assert sign_of(candidate(text, **values)) == sign


@pytest.mark.parametrize(
    ("text", "values"),
    [
        # Background of a running story: its articles share the subject, or its words are told in them.
        ("The ferry sank in March with 41 people on board; an inquiry is due to report in May.", {"coherence": 0.2}),
        ("The ferry sank in March with 41 people on board; an inquiry is due to report.", {"elsewhere": 0.7}),
        ("Nearly 9 million people have signed up for cover since the portal was opened.", {"coherence": 0.2}),
        ("The app has been banned in four countries over the privacy policy of its owner.", {"elsewhere": 0.6}),
        # A copy, or a version of one story.
        ("Click here for more of our coverage of the harbour.", {"diversity": 1}),
        ("Click here for more of our coverage of the harbour.", {"support": 4}),
        # Credits, quotations, speakers, headings, places, formulas.
        ("With reporting by AP and Reuters", {"edge": 1.0}),
        ("The Associated Press contributed to this report.", {"edge": 1.0}),
        ("(Copyright 2016 The Associated Press. All rights reserved. Click here for more.)", {"edge": 1.0}),
        ("© 2019 Thomson/Reuters. All rights reserved.", {"edge": 1.0}),
        ("Jon Abel contributed to this report from Eastmere.", {"edge": 1.0}),
        ("“Nobody should have to click here to see a doctor,” the mayor said.", {}),
        ("Ada Wren, Harbour Gazette", {"edge": 1.0}),
        ("Why there is a debate", {}),
        ("United States Senator", {"edge": 1.0}),
        ("EASTMERE, May 3", {"forms": 9, "edge": 1.0}),
        ("Net 801,000 vs 703,000", {"forms": 30}),
        ("We offer our condolences to the family of the deceased", {}),
        ("The defendant is presumed innocent until proven guilty.", {"support": 12}),
        ("東京新聞、2005年12月13日。", {"forms": 30}),
    ],
)
def test_what_stays(text, values):
    assert sign_of(candidate(text, **values)) == ""


def test_support_and_diversity_are_options():
    promo = candidate("Click here for more.", support=3, diversity=3)
    assert sign_of(promo, 3, 3)
    assert not sign_of(promo, 4, 3)
    assert not sign_of(promo, 3, 4)


def test_headings():
    assert heads_boilerplate(candidate("Live: the harbour"))
    assert not heads_boilerplate(candidate("With reporting by AP and Reuters"))
    assert not heads_boilerplate(candidate("A paragraph that says more than a heading would. " * 4))


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("RFE/RL's briefing gives you the latest.", "www.rferl.org", True),
        ("The Harbour Gazette is read in two towns.", "Harbour Gazette", True),
        ("The harbour was closed.", "Harbour Gazette", False),
        ("Read on.", "", False),
    ],
)
def test_naming_the_source(text, source, expected):
    assert names_source(text, source) == expected


def test_credits_are_told():
    assert is_credit("Contributing: Ada Wren")
    assert not is_credit("Ada Wren is the harbour correspondent.")


PARAGRAPHS = st.lists(st.sampled_from(["One.", "Two.\nLines.", "Þrír 三.", "Promo"]), min_size=1, max_size=8)


@given(PARAGRAPHS, st.sets(st.integers(0, 7)))
def test_stripping_leaves_the_rest_and_can_be_undone(paragraphs, numbers):
    text = "\n\n".join(paragraphs)
    stripped, edits = strip_paragraphs(text, numbers)
    kept = [paragraph for number, paragraph in enumerate(paragraphs) if number not in numbers]
    assert stripped == ("\n\n".join(kept) if kept else text)
    assert len(edits) == (len(paragraphs) - len(kept) if kept else 0)
    assert undo_edits(stripped, edits) == text
    assert all(edit.kind == "boilerplate" and not edit.after for edit in edits)
