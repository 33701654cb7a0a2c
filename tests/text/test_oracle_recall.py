"""Every pair at or over the threshold is a candidate, and is folded: against all pairs of small corpora."""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.oracle import all_pairs, pairs_at
from transforms.candidates import least_shared_near
from transforms.text.leaders import CANONICAL, EXACT, EXCERPT, NEAR, Thresholds, cluster_by_leader
from transforms.text.minhash import NO_BAND, band_keys, candidate_probability, choose_banding, sign_articles
from transforms.text.shingles import shingle_hashes
from transforms.text.similarity import compare_texts

SENTENCES = {
    "Latin": "the bridge over river opened again after long repairs said Ärzte naïve Straße",
    "Arabic": "افتتح الجسر فوق النهر بعد أعمال صيانة طويلة قال الوزير",
    "Hebrew": "הגשר מעל הנהר נפתח שוב אחרי תיקונים",
    "Russian": "мост через реку открыли снова после долгого ремонта",
    "Korean": "강 위의 다리가 오랜 수리 끝에 다시 열렸다",
    "Chinese": "河上的桥经过两年维修重新开放记者报道",
    "Japanese": "川の橋が修理のあと再び開通したと発表",
    "Thai": "สะพานเปิดอีกครั้งหลังซ่อมแซม",
    "Lao": "ຂົວເປີດອີກຄັ້ງຫຼັງສ້ອມແປງ",
    "Khmer": "ស្ពានបានបើកឡើងវិញក្រោយជួសជុល",
    "Vietnamese": "cây cầu đá bắc qua sông đã mở lại sau hai năm sửa chữa",
}
WITHOUT_SPACES = {"Chinese", "Japanese", "Thai", "Lao", "Khmer"}
THRESHOLDS = st.one_of(st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]), st.floats(0.25, 1.0))
NUM_PERM = 128


@st.composite
def corpora(draw: st.DrawFn) -> list[str]:
    """A few stories of one script and edited copies of them: cut, exchanged words, added ones, repeats."""
    script = draw(st.sampled_from(sorted(SENTENCES)))
    joint = "" if script in WITHOUT_SPACES else " "
    words = SENTENCES[script].split() if joint else list(SENTENCES[script])
    texts: list[list[str]] = []
    for _ in range(draw(st.integers(2, 9))):
        if texts and draw(st.booleans()):
            copy = list(draw(st.sampled_from(texts)))
            for _ in range(draw(st.integers(0, 3))):
                place, word = draw(st.integers(0, max(len(copy) - 1, 0))), draw(st.sampled_from(words))
                if copy:
                    copy[place : place + draw(st.integers(0, 2))] = [word] * draw(st.integers(0, 2))
            texts.append(copy[draw(st.integers(0, 2)) :])
        else:
            texts.append(draw(st.lists(st.sampled_from(words), max_size=25)))
    return [joint.join(text) for text in texts]


def candidates(texts: list[str], shingle: int, threshold: float) -> set[tuple[int, int]]:
    """Pairs that share a band of the signature."""
    array = pa.array(texts, pa.large_string())
    keys = band_keys(sign_articles(array, shingle, NUM_PERM, 1).signatures, choose_banding(threshold, NUM_PERM))
    return {
        (left, right)
        for left, right in combinations(range(len(texts)), 2)
        if bool(((keys[left] == keys[right]) & (keys[left] != NO_BAND)).any())
    }


# Signatures are pseudo-random functions of the texts, so a pair right at the threshold is missed once in a thousand;
# the examples are the same in every run, and these hold.
@settings(deadline=None, max_examples=150, derandomize=True)
@given(corpora(), st.integers(1, 6), THRESHOLDS)
@example(["one two three", "one two three"], 5, 1.0)
@example(["?", "!", ""], 3, 0.3)
def test_every_pair_at_the_threshold_is_a_candidate(texts, shingle, threshold):
    assert pairs_at(texts, shingle, threshold) <= candidates(texts, shingle, threshold)


@settings(deadline=None, max_examples=150)
@given(corpora(), st.integers(1, 6), st.sampled_from([0.3, 0.4, 0.7]))
def test_short_articles_are_candidates_by_their_fingerprints_for_certain(texts, shingle, jaccard):
    signed = sign_articles(pa.array(texts, pa.large_string()), shingle, 16, 16, short=50)
    sketches = np.split(signed.fingerprints, signed.fingerprint_offsets[1:-1])
    for left, right in pairs_at(texts, shingle, jaccard):
        smaller, larger = sorted((sketches[left].size, sketches[right].size))
        shared = np.intersect1d(sketches[left], sketches[right]).size
        assert shared >= least_shared_near(np.array([smaller]), np.array([larger]), jaccard)[0]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9])
def test_recall_right_at_the_threshold_is_what_the_banding_promises(threshold):
    # 4,000 pairs of 50 made-up shingles each, every pair just at the threshold; the text is its own vocabulary.
    shared = int(np.ceil(2 * 50 * threshold / (1 + threshold)))
    texts = []
    for number in range(4000):
        both = [f"s{number}x{i}" for i in range(shared)]
        texts += [" ".join(both + [f"{side}{number}x{i}" for i in range(50 - shared)]) for side in "ab"]
    banding = choose_banding(threshold, NUM_PERM)
    keys = band_keys(sign_articles(pa.array(texts, pa.large_string()), 1, NUM_PERM, 1).signatures, banding)
    missed = int((~(keys[::2] == keys[1::2]).any(axis=1)).sum())
    jaccard = shared / (100 - shared)
    assert jaccard >= threshold
    expected = 4000 * (1 - candidate_probability(jaccard, banding))
    assert missed <= expected + 4 * np.sqrt(expected) + 1


@settings(deadline=None, max_examples=150)
@given(corpora(), st.integers(1, 6))
def test_exact_similarity_equals_the_oracle(texts, shingle):
    found = {(pair.left, pair.right): pair for pair in all_pairs(texts, shingle)}
    for left, right in combinations(range(len(texts)), 2):
        similarity = compare_texts(texts[left], texts[right], shingle)
        pair = found.get((left, right))
        assert similarity.jaccard == (float(pair.jaccard) if pair else 0.0)
        assert similarity.containment == (float(pair.containment) if pair else 0.0)


@settings(deadline=None, max_examples=150)
@given(corpora(), st.integers(1, 6), THRESHOLDS)
def test_what_is_folded_is_at_the_threshold_and_what_is_at_the_threshold_is_not_kept_twice(texts, shingle, threshold):
    thresholds = Thresholds(threshold, 0.8, 4)
    hashes, offsets = shingle_hashes(pa.array(texts, pa.large_string()), shingle)
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)
    found = cluster_by_leader(hashes, offsets, groups, thresholds)
    exact = {(pair.left, pair.right): pair for pair in all_pairs(texts, shingle)}
    for copy, leader in enumerate(found.leader.tolist()):
        if found.relation[copy] == CANONICAL:
            assert leader == copy
            continue
        assert found.relation[leader] == CANONICAL  # no chains
        pair = exact.get((min(copy, leader), max(copy, leader)))
        if found.relation[copy] == EXACT:
            assert texts[copy] == texts[leader]
        elif found.relation[copy] == NEAR:
            assert float(pair.jaccard) >= threshold
        else:
            assert found.relation[copy] == EXCERPT
            assert float(pair.containment) >= thresholds.min_containment
    kept = {i for i in range(len(texts)) if found.relation[i] == CANONICAL}
    assert not {pair for pair in pairs_at(texts, shingle, threshold) if set(pair) <= kept}
