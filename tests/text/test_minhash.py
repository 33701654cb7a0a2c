import itertools
import math

import datasketch
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.text.minhash import (
    NO_BAND,
    SEED,
    Banding,
    band_keys,
    candidate_probability,
    choose_banding,
    permutations,
    sign_articles,
)
from transforms.text.shingles import shingle_hashes, shingle_stream
from transforms.text.similarity import compare_texts, estimated_jaccard

VOCABULARY = [f"word{i}" for i in range(4000)]


def large(texts: list[str | None]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def datasketch_signature(hashes: np.ndarray, num_perm: int) -> list[int]:
    minhash = datasketch.MinHash(num_perm=num_perm, seed=SEED, scheme="affine32", hashfunc=lambda h: h)
    minhash.update_batch([int(h) & 0xFFFFFFFF for h in hashes])
    return minhash.hashvalues.tolist()


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text(max_size=60), max_size=4), st.integers(1, 6), st.sampled_from([1, 5, 128, 200]))
def test_signatures_are_those_of_datasketch(texts, k, num_perm):
    signed = sign_articles(large(texts), k, num_perm, 10)
    hashes, offsets = shingle_hashes(large(texts), k)
    expected = [datasketch_signature(hashes[a:b], num_perm) for a, b in itertools.pairwise(offsets)]
    assert signed.signatures.tolist() == expected
    assert signed.signatures.shape == (len(texts), num_perm)


def test_signature_of_a_long_text_and_loading_it_into_datasketch():
    generator = np.random.default_rng(5)
    for length in (31, 32, 33, 63, 64, 1000):
        text = " ".join(generator.choice(VOCABULARY, length))
        signature = sign_articles(large([text]), 1, 128, 50).signatures[0]
        assert signature.tolist() == datasketch_signature(shingle_hashes(large([text]), 1)[0], 128)
        loaded = datasketch.MinHash(hashvalues=signature, seed=SEED, scheme="affine32")
        assert loaded.jaccard(loaded) == 1.0


@pytest.mark.parametrize("num_perm", [1, 64, 128, 256])
def test_permutations_are_those_of_datasketch(num_perm):
    expected = datasketch.MinHash(num_perm=num_perm, seed=SEED, scheme="affine32").permutations
    assert np.array_equal(np.array(permutations(num_perm)), expected)


def test_counts_and_articles_without_shingles():
    signed = sign_articles(large(["one two three", "one", "?!", None, "", "a a a a"]), 2, 16, 1)
    assert signed.words.tolist() == [3, 1, 0, 0, 0, 4]
    assert signed.shingles.tolist() == [2, 1, 0, 0, 0, 3]
    assert np.diff(signed.fingerprint_offsets).tolist() == [2, 1, 0, 0, 0, 1]
    assert (signed.signatures[2:5] == 2**32 - 1).all()
    keys = band_keys(signed.signatures, Banding(4, 4))
    assert ((keys == NO_BAND).any(axis=1) == (signed.shingles == 0)).all()
    assert sign_articles(large([]), 5, 128, 50).signatures.shape == (0, 128)


def test_estimate_is_near_the_exact_jaccard():
    generator = np.random.default_rng(7)
    base = generator.choice(VOCABULARY, 1000)
    for changes in (10, 40, 100):
        edited = base.copy()
        edited[generator.choice(1000, changes, replace=False)] = "edit"
        left, right = " ".join(base), " ".join(edited)
        exact = compare_texts(left, right, 5).jaccard
        signatures = sign_articles(large([left, right]), 5, 256, 50).signatures
        assert abs(estimated_jaccard(*signatures) - exact) < 4 * math.sqrt(exact * (1 - exact) / 256)


@pytest.mark.parametrize("scale", [1, 7, 16, 50, 1000])
def test_fingerprints_hold_the_lowest_part_of_the_hash_range_and_the_lowest_of_each_window_without_it(scale):
    limit = (2**64 - 1) // scale
    texts = large([" ".join(VOCABULARY[i : i + 900]) for i in range(0, 3000, 500)] + [" ".join(VOCABULARY[:9]), ""])
    hashes, offsets, _ = shingle_stream(texts, 3)
    signed = sign_articles(texts, 3, 8, scale)
    for i in range(len(texts)):
        own = hashes[offsets[i] : offsets[i + 1]].tolist()
        windows = [own[place : place + 40] for place in range(len(own) - 39)]
        expected = {low for low in own if low <= limit} | {min(window) for window in windows if min(window) > limit}
        a, b = signed.fingerprint_offsets[i : i + 2]
        assert signed.fingerprints[a:b].tolist() == sorted({each % 2**32 for each in expected})


def test_short_articles_have_all_their_shingles_in_the_fingerprint():
    texts = large([" ".join(VOCABULARY[:words]) for words in (51, 52, 3, 0)])
    signed = sign_articles(texts, 3, 8, 16, short=50)
    sampled = sign_articles(texts, 3, 8, 16)
    assert np.diff(signed.fingerprint_offsets).tolist() == [49, np.diff(sampled.fingerprint_offsets)[1], 1, 0]
    assert np.isin(sampled.fingerprints, signed.fingerprints).all()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 3000), st.integers(44, 90), st.lists(st.sampled_from("abcde"), max_size=60), st.data())
def test_articles_with_forty_shingles_in_a_row_in_common_share_a_fingerprint_hash(start, words, others, data):
    run = VOCABULARY[start : start + words]
    placed = (data.draw(st.integers(0, len(others))) for _ in range(2))
    whole, other = (" ".join([*others[:place], *run, *others[place:]]) for place in placed)
    signed = sign_articles(large([whole, other]), 5, 8, 16)
    left, right = np.split(signed.fingerprints, signed.fingerprint_offsets[1:-1])
    assert np.isin(left, right).any()


def test_fingerprints_estimate_containment_whatever_the_sizes():
    # 200 words of a 20,000-word text: their Jaccard is 0.01, their containment 1.
    generator = np.random.default_rng(11)
    words = generator.choice(VOCABULARY, 20_000)
    texts = large([" ".join(words), " ".join(words[500:2500]), " ".join(generator.choice(VOCABULARY, 2000))])
    signed = sign_articles(texts, 5, 8, 20)
    whole, excerpt, stranger = np.split(signed.fingerprints, signed.fingerprint_offsets[1:-1])
    assert np.isin(excerpt, whole).all()
    assert not np.isin(stranger, whole).any()
    assert 100 < excerpt.size < 150  # 1,996 / 20, and a quarter of that in windows without one


def test_band_keys_are_equal_where_bands_are_and_nowhere_else():
    generator = np.random.default_rng(3)
    signatures = generator.integers(0, 3, (60, 12), dtype=np.uint32)
    banding = Banding(5, 2)  # two of the twelve minima are left over
    keys = band_keys(signatures, banding)
    assert keys.shape == (60, 5)
    bands = {(j, *row[2 * j : 2 * j + 2].tolist()) for row in signatures for j in range(5)}
    assert len(np.unique(keys)) == len(bands)
    for j in range(5):
        same_band = (signatures[:, None, 2 * j : 2 * j + 2] == signatures[None, :, 2 * j : 2 * j + 2]).all(axis=2)
        assert np.array_equal(keys[:, None, j] == keys[None, :, j], same_band)


def test_band_keys_are_spread_over_any_number_of_partitions():
    texts = large([" ".join(VOCABULARY[i : i + 20]) for i in range(0, 3900, 3)])
    keys = band_keys(sign_articles(texts, 5, 128, 50).signatures, Banding(32, 4))
    for partitions in (16, 31):
        counts = np.bincount((keys.ravel() % np.uint64(partitions)).astype(np.int64), minlength=partitions)
        assert counts.max() < 1.1 * counts.mean()


def test_banding_keeps_more_pairs_at_the_threshold_than_datasketch():
    chosen = choose_banding(0.7, 128)
    lsh = datasketch.MinHashLSH(threshold=0.7, num_perm=128, weights=(0.005, 0.995))
    assert chosen == (32, 4)
    assert candidate_probability(0.7, chosen) > 0.9998
    assert candidate_probability(0.7, Banding(lsh.b, lsh.r)) < 0.995


@given(st.floats(0.06, 1), st.sampled_from([128, 200, 256]))
def test_banding_is_the_longest_that_reaches_the_recall(threshold, num_perm):
    bands, rows = choose_banding(threshold, num_perm)
    assert bands == num_perm // rows
    assert candidate_probability(threshold, Banding(bands, rows)) >= 0.999
    if rows < num_perm:
        assert candidate_probability(threshold, Banding(num_perm // (rows + 1), rows + 1)) < 0.999


def test_errors():
    with pytest.raises(ValueError, match=r"finds \[99.90%\] of the pairs at Jaccard \[0.05\]: .* finds \[99.86%\]"):
        choose_banding(0.05, 128)
    with pytest.raises(ValueError, match=r"threshold \[0\] must be above 0"):
        choose_banding(0, 128)
    with pytest.raises(ValueError, match=r"permutations \[0\]"):
        choose_banding(0.7, 0)
    with pytest.raises(ValueError, match=r"permutations \[0\]"):
        sign_articles(large(["a"]), 5, 0, 50)
    with pytest.raises(ValueError, match=r"scale \[0\]"):
        sign_articles(large(["a"]), 5, 128, 0)
    with pytest.raises(ValueError, match=r"needs \[8\] minima, signatures have \[4\]"):
        band_keys(np.zeros((1, 4), np.uint32), Banding(4, 2))
