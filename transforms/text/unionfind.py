"""Connected components of the candidate graph."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.text.shingles import kernel


class Components(NamedTuple):
    """Every node of an edge list, sorted and distinct, and the smallest node of its component."""

    nodes: npt.NDArray[np.uint64]
    component: npt.NDArray[np.uint64]


def connected_components(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> Components:
    """Components of the undirected graph whose edge i joins ``left[i]`` and ``right[i]``.

    The order of the edges and of their ends does not matter; loops and repeats do no harm. Time is that of
    sorting the nodes. Raises ``ValueError`` when the arrays differ in length.

    >>> found = connected_components(np.array([7, 9, 2], np.uint64), np.array([9, 5, 4], np.uint64))
    >>> found.nodes.tolist(), found.component.tolist()
    ([2, 4, 5, 7, 9], [2, 2, 5, 5, 5])
    """
    if left.size != right.size:
        raise ValueError(f"edges have [{left.size}] left and [{right.size}] right ends")
    nodes, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    parent = _union(places[: left.size], places[left.size :], nodes.size)
    return Components(nodes, nodes[parent])


@kernel
def _union(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Root of each of ``count`` nodes. A root is the smallest of its tree, so the result is unique."""
    parent = np.arange(count)
    for edge in range(left.size):
        a, b = _find(parent, left[edge]), _find(parent, right[edge])
        parent[max(a, b)] = min(a, b)
    for node in range(count):
        parent[node] = parent[parent[node]]  # a parent is smaller, so it has its root by now
    return parent


@kernel
def _find(parent: npt.NDArray[np.int64], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]  # path halving (van Leeuwen and van der Weide 1977)
        node = parent[node]
    return node
