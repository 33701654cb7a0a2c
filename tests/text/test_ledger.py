"""Hashes of paragraphs, their neighbours and sketches, against slow twins."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.writing import invented_article
from transforms.text.boilerplate import EDGE
from transforms.text.ledger import MIN_LETTERS, coherence, hash_paragraphs, keys_of, neighbours, sketch_words

PARAGRAPH = st.text(st.sampled_from("abcXYZ 019.,-’“éß東—\n"), max_size=40).map(lambda text: text.replace("\n\n", "\n"))
TEXTS = st.lists(st.lists(PARAGRAPH, max_size=5).map("\n\n".join), max_size=5)


def large(texts):
    return pa.array(texts, pa.large_string())


def letters(paragraph, digits):
    """What the hashes are of: small letters (ASCII only) and, if wanted, digits in their places."""
    kept = []
    for character in paragraph:
        if character.isdecimal() and not digits:
            continue
        if character.isascii():
            kept.append(character.lower() if character.isalnum() else "")
        elif character.isalpha():
            kept.append(character)
    return "".join(kept)


def is_long(paragraph):
    return sum(len(c.encode()) for c in letters(paragraph, digits=False)) >= MIN_LETTERS


@given(TEXTS)
def test_paragraphs_are_those_of_split_and_hashes_tell_their_letters(texts):
    found = hash_paragraphs(large(texts))
    expected = [(row, part) for row, text in enumerate(texts) for part in text.split("\n\n")]
    spans = zip(found.article.tolist(), found.start.tolist(), found.end.tolist(), strict=True)
    assert [(row, texts[row].encode()[start:end].decode()) for row, start, end in spans] == expected
    for hashes, digits in ((found.near, False), (found.exact, True)):
        seen = {}
        for value, (_, part) in zip(hashes.tolist(), expected, strict=True):
            assert (value != 0) == is_long(part)
            if value:
                assert seen.setdefault(letters(part, digits), value) == value
        assert len(set(seen.values())) == len(seen)


@given(TEXTS, st.integers(0, 3))
def test_a_slice_hashes_as_a_copy(texts, start):
    sliced, copied = hash_paragraphs(large(texts)[start:]), hash_paragraphs(large(texts[start:]))
    for one, other in zip(sliced, copied, strict=True):
        assert one.tolist() == other.tolist()


@given(TEXTS, st.sampled_from([-3, -1, 1, 3]))
def test_neighbours_are_of_the_same_article(texts, distance):
    found = hash_paragraphs(large(texts))
    keys = np.arange(len(found.near), dtype=np.uint64) + np.uint64(EDGE + 1)
    rows = found.article.tolist()
    expected = [
        int(keys[place + distance])
        if 0 <= place + distance < len(rows) and rows[place + distance] == rows[place]
        else EDGE
        for place in range(len(rows))
    ]
    assert neighbours(found, keys, distance).tolist() == expected


def test_a_key_is_of_one_paragraph_of_one_source():
    near, sources = np.array([5, 5, 6, 0], np.uint64), np.array([1, 2, 1, 1], np.uint64)
    keys = keys_of(near, sources).tolist()
    assert len(set(keys)) == 4
    assert keys[3] == 0
    assert EDGE not in keys


def test_coherence_tells_one_subject_from_many():
    story = invented_article(1, 12)
    follow_ups = ["\n\n".join([*story[: 6 + n], *invented_article(50 + n, 3)]) for n in range(6)]
    strangers = ["\n\n".join(invented_article(100 + n, 9)) for n in range(6)]
    found = []
    for texts in (follow_ups, strangers, [story[0]] * 4):
        paragraphs = hash_paragraphs(large(texts))
        sketches, _ = sketch_words(large(texts), paragraphs, np.zeros(len(paragraphs.near), bool))
        found.append(coherence(sketches))
    assert found[0] > 0.3
    assert found[1] < 0.05
    assert found[2] == 1.0


def test_a_sketch_leaves_out_what_is_skipped_unless_it_is_most_of_the_article():
    promo = invented_article(7, 2)
    texts = large(["\n\n".join([*invented_article(n, 4), *promo]) for n in range(2)])
    paragraphs = hash_paragraphs(texts)
    is_promo = np.array([place % 6 >= 4 for place in range(12)])
    assert coherence(sketch_words(texts, paragraphs, ~is_promo & is_promo)[0]) > 0.1
    assert coherence(sketch_words(texts, paragraphs, is_promo)[0]) < 0.05
    alone = large(["\n\n".join([f"Story {n}.", *promo]) for n in range(2)])
    paragraphs = hash_paragraphs(alone)
    assert coherence(sketch_words(alone, paragraphs, np.array([False, True, True] * 2))[0]) > 0.5


def test_elsewhere_is_the_share_of_words_that_other_paragraphs_hold():
    text = "The bridge collapsed yesterday.\n\nWorkers repaired the bridge yesterday.\n\nPlease subscribe."
    paragraphs = hash_paragraphs(large([text]))
    _, elsewhere = sketch_words(large([text]), paragraphs, np.zeros(3, bool))
    assert elsewhere.tolist() == [np.float32(2 / 3), 0.5, 0.0]
