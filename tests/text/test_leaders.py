import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from transforms.text.leaders import CANONICAL, EXACT, EXCERPT, NEAR, Leaders, Thresholds, cluster_by_leader
from transforms.text.similarity import Similarity

LOW = Thresholds(min_jaccard=0.7, min_containment=0.8, min_excerpt_shingles=3)


def cluster(sets: list[set[int]], thresholds: Thresholds = LOW, groups: list[int] | None = None) -> Leaders:
    hashes = np.array([h for one in sets for h in sorted(one)], np.uint64)
    offsets = np.cumsum([0, *map(len, sets)])
    return cluster_by_leader(hashes, offsets, np.array(text_groups(sets) if groups is None else groups), thresholds)


def text_groups(sets: list[set[int]]) -> list[int]:
    """Equal sets count as equal texts here, except that every empty set is a text of its own."""
    return [sets.index(one) if one else i for i, one in enumerate(sets)]


def rows(found: Leaders) -> list[tuple[int, int, float, float]]:
    return list(zip(*(column.tolist() for column in found), strict=True))


def compare(left: set[int], right: set[int]) -> Similarity:
    return Similarity(len(left & right), len(left), len(right))


def is_near(left: set[int], right: set[int], thresholds: Thresholds) -> bool:
    return bool(left | right) and len(left & right) / len(left | right) >= thresholds.min_jaccard


def is_excerpt(small: set[int], large: set[int], thresholds: Thresholds) -> bool:
    if not max(thresholds.min_excerpt_shingles, 1) <= len(small) < len(large):
        return False
    return len(small & large) / len(small) >= thresholds.min_containment


def slow_cluster(sets: list[set[int]], thresholds: Thresholds, groups: list[int]) -> list[tuple[int, int]]:
    """Leader and relation of each article, by the rule in the module's docstring and nothing else."""
    home: dict[int, int] = {}
    relation: dict[int, int] = {}
    while any(i not in home or home[home[i]] != home[i] for i in range(len(sets))):
        for i in range(len(sets)):
            if i in home and home[home[i]] == home[i]:
                continue
            leaders = sorted(j for j in home if home[j] == j)
            copies = [j for j in leaders if groups[j] == groups[i] or is_near(sets[i], sets[j], thresholds)]
            larger = [j for j in leaders if is_excerpt(sets[i], sets[j], thresholds)]
            home[i] = (copies + larger + [i])[0]
            relation[i] = CANONICAL
            if copies:
                relation[i] = EXACT if groups[copies[0]] == groups[i] else NEAR
            elif larger:
                relation[i] = EXCERPT
            else:
                for j in leaders:
                    if is_excerpt(sets[j], sets[i], thresholds):
                        home[j], relation[j] = i, EXCERPT
    return [(home[i], relation[i]) for i in range(len(sets))]


@st.composite
def related_sets(draw: st.DrawFn) -> list[set[int]]:
    """Stretches of one long text, with a few shingles exchanged: chains, nests and overlaps."""
    sets = []
    for number in range(draw(st.integers(0, 12))):
        start, length = draw(st.integers(0, 12)), draw(st.integers(0, 30))
        exchanged = draw(st.integers(0, 4))
        stretch = list(range(start, start + length))
        sets.append({*stretch[exchanged:], *(1000 + 10 * number + i for i in range(min(exchanged, length)))})
    return sets


thresholds_ = st.builds(
    Thresholds, st.sampled_from([0.3, 0.5, 0.7, 1.0]), st.sampled_from([0.5, 0.8, 1.0]), st.integers(0, 8)
)


@settings(deadline=None, max_examples=400)  # the first call compiles
@given(related_sets(), thresholds_)
@example(
    [{1, 2}, {*range(2, 9)}, set(), {0, 1, 2}, {*range(2, 9), 1080, 1081}, {*range(8)}], Thresholds(0.7, 0.5, 0)
)  # a follower is taken again in its turn: the next time round
def test_kernel_equals_its_slow_twin(sets, thresholds):
    found = cluster(sets, thresholds)
    assert list(zip(found.leader.tolist(), found.relation.tolist(), strict=True)) == slow_cluster(
        sets, thresholds, text_groups(sets)
    )


@settings(deadline=None, max_examples=400)
@given(related_sets(), thresholds_)
def test_every_copy_is_verified_against_its_leader_and_no_two_leaders_are_copies(sets, thresholds):
    groups = text_groups(sets)
    found = rows(cluster(sets, thresholds))
    for i, (leader, relation, jaccard, containment) in enumerate(found):
        assert found[leader][0] == leader
        assert (relation == CANONICAL) == (leader == i)
        if sets[i]:
            similarity = compare(sets[i], sets[leader])
            assert (jaccard, containment) == (similarity.jaccard, similarity.containment)
        else:
            assert (jaccard, containment) == (1.0, 1.0)
        event(f"relation {relation}")
        if relation == EXACT:
            assert groups[i] == groups[leader]
        if relation == NEAR:
            assert is_near(sets[i], sets[leader], thresholds)
        if relation == EXCERPT:
            assert is_excerpt(sets[i], sets[leader], thresholds)
    leaders = [i for i, row in enumerate(found) if row[0] == i]
    for i in leaders:
        for j in leaders:
            assert i == j or not is_near(sets[i], sets[j], thresholds)
            assert i == j or not is_excerpt(sets[i], sets[j], thresholds)


def test_no_chain_makes_the_ends_copies_of_each_other():
    # Neighbours are at J = 9/11 and 8/10, the ends at 7/11... so the last is not a copy of the first.
    first, middle, last = set(range(10)), set(range(1, 11)), set(range(3, 12))
    found = cluster([first, middle, last])
    assert is_near(middle, last, LOW)
    assert found.leader.tolist() == [0, 0, 2]


def test_an_article_joins_the_first_leader_it_is_near_to():
    left, right, between = set(range(20)), set(range(5, 25)), set(range(2, 22))
    assert cluster([left, right, between]).leader.tolist() == [0, 1, 0]
    assert cluster([right, left, between]).leader.tolist() == [0, 1, 0]


def test_excerpts_fold_into_a_larger_article_that_comes_later():
    wire, longer = set(range(10)), set(range(2, 40))
    assert rows(cluster([wire, longer])) == [(1, EXCERPT, 8 / 40, 0.8), (1, CANONICAL, 1.0, 1.0)]
    assert cluster([wire, longer], LOW._replace(min_excerpt_shingles=11)).leader.tolist() == [0, 1]


def test_followers_of_a_folded_leader_are_verified_again():
    wire = set(range(20))
    contained = set(range(1, 20))  # near to the wire story, and all of it in the longer one
    house_edit = {*range(17), 101, 102, 103}  # near to the wire story, 15 of 20 in the longer one
    second_edit = {*range(16), 101, 102, 103}  # near to the house edit, not to the longer one
    longer = {*range(2, 20), *range(200, 260)}
    found = cluster([wire, contained, house_edit, second_edit, longer])
    assert rows(found) == [
        (4, EXCERPT, 18 / 80, 0.9),
        (4, EXCERPT, 18 / 79, 18 / 19),
        (2, CANONICAL, 1.0, 1.0),
        (2, NEAR, 19 / 20, 1.0),
        (4, CANONICAL, 1.0, 1.0),
    ]


def test_an_excerpt_of_an_excerpt_is_compared_with_the_whole():
    small, medium, large_ = set(range(8)), {*range(7), *range(20, 60)}, {*range(1, 7), *range(20, 120)}
    found = cluster([small, medium, large_], LOW._replace(min_containment=0.85))
    assert found.leader.tolist() == [0, 2, 2]  # 7 of 8 are in the medium one, but only 6 in the whole


def test_articles_of_one_size_are_not_excerpts_of_each_other():
    assert cluster([set(range(10)), set(range(2, 12))]).leader.tolist() == [0, 1]  # containment 0.8, J 0.67


def test_thresholds_are_reached_by_the_exact_quotient():
    assert cluster([set(range(10)), set(range(7))]).relation.tolist() == [CANONICAL, NEAR]  # 7/10 >= 0.7
    assert cluster([set(range(1000)), set(range(699))], LOW._replace(min_containment=1.0)).relation[1] == EXCERPT
    for size in range(1, 200):
        for shared in range(1, size):
            near = cluster([set(range(size)), set(range(shared))], LOW._replace(min_excerpt_shingles=999)).relation[1]
            assert (near == NEAR) == (shared / size >= 0.7)


def test_articles_without_shingles_join_only_the_same_text():
    found = cluster([set(), {1, 2, 3}, set(), set()], groups=[5, 6, 5, 7])
    assert rows(found) == [
        (0, CANONICAL, 1.0, 1.0),
        (1, CANONICAL, 1.0, 1.0),
        (0, EXACT, 1.0, 1.0),
        (3, CANONICAL, 1.0, 1.0),
    ]
    assert cluster([]).leader.tolist() == []


def test_many_leaders_and_many_followers():
    generator = np.random.default_rng(1)
    bases = [set(generator.integers(0, 2**64, 60, dtype=np.uint64).tolist()) for _ in range(100)]
    sets = bases + [set(sorted(base)[cut:]) for cut in (1, 9) for base in bases]
    assert cluster(sets).leader.tolist() == list(range(100)) * 3


def test_errors():
    with pytest.raises(ValueError, match=r"min_jaccard \[0.0\] must be above 0"):
        cluster([{1}], LOW._replace(min_jaccard=0.0))
    with pytest.raises(ValueError, match=r"min_containment \[1.5\]"):
        cluster([{1}], LOW._replace(min_containment=1.5))
    with pytest.raises(ValueError, match=r"\[2\] offsets do not fit \[2\] articles"):
        cluster([{1}], groups=[1, 2])
