import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.text.unionfind import connected_components

HIGH = 2**63  # ids hold a shard's number in the upper half
ids = st.integers(0, 12) | st.integers(HIGH, HIGH + 3)


def components(edges: list[tuple[int, int]]) -> dict[int, int]:
    ends = np.array(edges, np.uint64).reshape(-1, 2)
    found = connected_components(ends[:, 0], ends[:, 1])
    assert found.nodes.dtype == found.component.dtype == np.uint64
    assert (np.diff(found.nodes) > 0).all()
    return dict(zip(found.nodes.tolist(), found.component.tolist(), strict=True))


def slow_components(edges: list[tuple[int, int]]) -> dict[int, int]:
    smallest = {node: node for edge in edges for node in edge}
    for _ in smallest:
        for left, right in edges:
            smallest[left] = smallest[right] = min(smallest[left], smallest[right])
    return smallest


@pytest.mark.parametrize(
    "edges",
    [
        [(1, 2), (2, 3), (3, 4), (4, 5), (5, 6)],
        [(6, 1), (6, 2), (6, 3), (5, 4), (5, 6)],
        [(1, 2), (3, 4), (5, 6), (2, 3), (1, 4)],
        [(9, 9), (1, 2), (2, 1), (1, 2), (HIGH, 9)],
    ],
)
def test_every_order_and_direction_of_the_edges_gives_the_same(edges):
    expected = slow_components(edges)
    for order in itertools.permutations(edges):
        assert components(list(order)) == expected
        assert components([(right, left) for left, right in order]) == expected


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.tuples(ids, ids), max_size=25))
def test_components_equal_the_slow_twin(edges):
    assert components(edges) == slow_components(edges)


def test_a_long_chain_joined_from_its_far_end():
    chain = [(i, i + 1) for i in reversed(range(200_000))]
    assert set(components(chain).values()) == {0}


def test_uneven_edges_are_refused():
    with pytest.raises(ValueError, match=r"\[2\] left and \[1\] right ends"):
        connected_components(np.zeros(2, np.uint64), np.zeros(1, np.uint64))
