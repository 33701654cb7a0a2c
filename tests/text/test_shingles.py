import itertools
import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import caching

from transforms.text.shingles import (
    MAX_TOKENS_PER_BYTE,
    kernel,
    shingle_hashes,
    shingle_set,
    shingle_stream,
    token_counts,
    tokens,
)

# Characters that meet every branch: compatibility forms, expansions, marks that compose, reorder or neither,
# ignored ones, scripts without spaces, conjoining Hangul, four-byte letters.
TRICKY = (
    "aAbß_1 .-\n\0é\u00aa\u00b4½ﬁﬀ㎏…™Σς\u0301\u0323\u0345\u0327\u20dd\u00ad\u200c\u200d\u200b\ufeff"
    "ابهمﷺﻻ\u0640\u064b\u0651\u064e\u0653\u0670שלום\u05b8\u05c1\ufb1d\ufb2a漢字々〇ひらカタｶﾞー㍿㌖\u3099"
    "กาน้ำ๒ຂໍ່ខ្មែរမြန်မာ한글\u1112\u1161\u11abㅏकि\u093c\u094d\u09c7\u09be𝐀𠮷🙂\U000e0100"
)
characters = st.sampled_from(TRICKY) | st.characters(exclude_categories=["Cs"])
any_text = st.text(characters, max_size=40) | st.lists(
    st.sampled_from(["wire", "copy", "Nai\u0308ve", "naïve", "คำ", "東京", "مُدُن", "مدن"]), max_size=12
).map(" ".join)


def large(texts: list[str | None]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def hash_sets(texts: list[str | None], k: int) -> list[set[int]]:
    hashes, offsets = shingle_hashes(large(texts), k)
    return [set(hashes[a:b].tolist()) for a, b in itertools.pairwise(offsets)]


@settings(deadline=None)  # the first call compiles
@given(st.lists(any_text, max_size=5), st.integers(1, 6))
def test_kernel_equals_its_slow_twin(texts, k):
    twins = [shingle_set(text, k) for text in texts]
    found = hash_sets(texts, k)
    assert [len(one) for one in found] == [len(twin) for twin in twins]
    for i, twin in enumerate(twins):  # the same shingle in two texts has the same hash, another has another
        for j, other in enumerate(twins):
            assert len(found[i] & found[j]) == len(twin & other)
    assert token_counts(large(texts)).tolist() == [len(tokens(text)) for text in texts]


@given(st.text(st.characters(exclude_categories=["Cs", "Lo"])))
def test_tokens_of_scripts_with_spaces_are_those_of_re(text):
    # Some symbols turn into Kana or marks only when folded, so leave those out afterwards.
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(c for c in folded if unicodedata.category(c) not in {"Mn", "Mc", "Me", "Cf", "Lo", "Lm", "Nl"})
    assert tokens(plain) == re.findall(r"\w+", unicodedata.normalize("NFKC", plain).casefold())


def test_every_code_point_is_folded_as_unicodedata_does():
    every = [chr(c) for c in (*range(0xD800), *range(0xE000, 0x20000), *range(0x2F800, 0x2FA20))]
    in_context = [f"x{c}y {c} か{c}" for c in every]
    assert token_counts(large(in_context)).tolist() == [len(tokens(text)) for text in in_context]
    folded = [unicodedata.normalize("NFKC", text).casefold() for text in in_context]
    assert np.array_equal(shingle_stream(large(in_context), 1).hashes, shingle_stream(large(folded), 1).hashes)
    assert all(len(tokens(c)) <= MAX_TOKENS_PER_BYTE * len(c.encode()) for c in every)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Straße, STRASSE", ["strasse", "strasse"]),
        ("half ½ of 5㎏", ["half", "1", "2", "of", "5kg"]),
        ("snake_case x2", ["snake_case", "x2"]),
        ("it's co\u00adoperate", ["it", "s", "cooperate"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs and viramas are spelling
        ("\u0301 \u0301a", ["a"]),
        ("مُدُنٌ كـــبيرة", ["مدن", "كبيرة"]),
        ("שָׁלוֹם", ["שלום"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("กรุงเทพ 2024", ["ก", "รุ", "ง", "เ", "ท", "พ", "2024"]),
        ("น้ำ๒๕", ["น้ํ", "า", "๒๕"]),
        ("カﾞタAI東京", ["ガ", "タ", "ai", "東", "京"]),
        ("서울 시장", ["서울", "시장"]),
        ("", []),
        ("…!?", []),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected
    assert token_counts(large([text])).tolist() == [len(expected)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("مُحَمَّدٌ رَسُولٌ", "محمد رسول"),
        ("nai\u0308ve caf\u00e9", "NAÏVE cafe\u0301"),
        ("a\u0301\u0323", "a\u0323\u0301"),
        ("ﬁnal oﬀer", "FINAL OFFER"),
        ("ｶﾞｽ", "ガス"),
        ("\u1112\u1161\u11ab", "한"),
    ],
)
def test_spellings_that_are_the_same_text(left, right):
    one, other = hash_sets([left, right], 5)
    assert one == other != set()


def test_shingles_depend_on_the_order_and_place_of_tokens():
    found = hash_sets(["a b c", "c b a", "a c b", "ab c", "a b c d"], 3)
    assert [len(one) for one in found] == [1, 1, 1, 1, 2]
    assert len(set.union(*found)) == 5


def test_nulls_empty_texts_slices_and_empty_arrays():
    whole = large(["first one", None, "", "second one here", "last"])
    sliced = whole.slice(1, 3)
    assert token_counts(sliced).tolist() == [0, 0, 3]
    assert shingle_hashes(sliced, 5)[0].tolist() == sorted(hash_sets(["second one here"], 5)[0])
    for empty in (whole.slice(2, 0), large([]), large(["", ""]), large([None])):
        hashes, offsets = shingle_hashes(empty, 5)
        assert hashes.size == 0
        assert offsets.tolist() == [0] * (len(empty) + 1)


def test_a_null_hides_what_its_slot_holds():
    valid, offsets, utf8 = map(pa.py_buffer, (b"\x02", np.array([0, 6, 9], np.int64), b"hiddenyes"))
    assert token_counts(pa.LargeStringArray.from_buffers(2, offsets, utf8, valid)).tolist() == [0, 1]


def test_a_text_that_needs_normalising_leaves_its_neighbours_alone():
    texts = ["plain words", "e\u0301tude", None, "カﾞ"]
    assert hash_sets(texts, 2) == [
        *hash_sets(["plain words"], 2),
        *hash_sets(["étude"], 2),
        set(),
        *hash_sets(["ガ"], 2),
    ]


def test_texts_of_many_short_tokens_and_expansions():
    for text in ("x " * 5000, "㌖" * 5000, "ﷺ" * 3000):
        assert token_counts(large([text, text])).tolist() == [len(tokens(text))] * 2
        assert shingle_stream(large([text]), 3).hashes.size == len(tokens(text)) - 2


def test_hashes_never_change():
    # Fingerprints and band keys are kept in the index of earlier runs.
    hashes, _ = shingle_hashes(large(["To be or not to be: 東京"]), 3)
    assert [f"{h:016x}" for h in hashes.tolist()] == [
        "0eb2ec9ac7f2437c",
        "3bc6e58e23654206",
        "84d5eecba473d39a",
        "af539c7f978baff5",
        "b68cd9dc3e40e2ab",
        "fcc80bdcf622ceb1",
    ]


def test_errors():
    with pytest.raises(TypeError, match=r"texts are \[string\], expected a pyarrow large_string"):
        token_counts(pa.array(["a"], pa.string()))
    with pytest.raises(ValueError, match=r"shingle length \[0\] must be at least 1"):
        shingle_hashes(large(["a"]), 0)


def _one_more(number):
    return number + 1


def test_a_kernel_works_where_nothing_can_be_kept(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert kernel(_one_more)(1) == 2
