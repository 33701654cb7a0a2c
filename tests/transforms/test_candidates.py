"""Candidates and components, each transform on its own."""

import itertools

import apache_beam as beam
import pytest
from apache_beam.testing.util import BeamAssertException, assert_that
from hypothesis import given
from hypothesis import strategies as st

from transforms import components
from transforms.batches import make_batch
from transforms.candidates import (
    MAX_PAIRED,
    FindBandEdges,
    FindContainmentEdges,
    FindRepeatedIds,
    least_shared,
)
from transforms.components import FindComponents
from transforms.exchange import read_partition, write_partitions
from transforms.schemas import BANDS, EDGES, FINGERPRINTS, IDS
from transforms.staging import Staging


def has_rows(expected):
    """Matches keyed batches by their rows, in whatever batches they come."""

    def check(actual):
        rows = sorted((key, *row.values()) for key, batch in actual for row in batch.to_pylist())
        if rows != sorted(expected):
            raise BeamAssertException(f"expected {sorted(expected)}, found {rows}")

    return check


def ref(shard, row):
    return shard << 32 | row


@pytest.fixture
def staging(tmp_path):
    return Staging(str(tmp_path))


def send(staging, what, schema, partition, *batches):
    """Write each batch as if it came from a shard of its own; the notices."""
    sent = (
        write_partitions(staging.exchange(what, number), schema, [(partition, batch)])
        for number, batch in enumerate(batches)
    )
    return list(itertools.chain.from_iterable(sent))


def has_edges(expected):
    """Matches notices by the edges in the files that they name."""

    def check(actual):
        edges = read_partition(EDGES, (0, [uri for _, uri in actual])).to_pylist() if actual else []
        found = sorted(tuple(edge.values()) for edge in edges)
        if found != sorted(expected):
            raise BeamAssertException(f"expected {sorted(expected)}, found {found}")

    return check


def test_a_bucket_is_a_star_to_its_smallest(make_pipeline, staging):
    one = make_batch(BANDS, [7, 9, 8], [ref(1, 0), ref(1, 1), ref(1, 2)])
    two = make_batch(BANDS, [7, 7, 9], [ref(0, 4), ref(2, 0), ref(1, 1)])
    with make_pipeline() as pipeline:
        edges = pipeline | beam.Create(send(staging, "bands", BANDS, 3, one, two)) | FindBandEdges(staging=staging)
        assert edges.element_type == beam.typehints.Tuple[int, str]
        assert_that(edges, has_edges([(ref(0, 4), ref(1, 0)), (ref(0, 4), ref(2, 0))]))


def fingerprints(articles):
    """``{ref: hashes}`` as one FINGERPRINTS batch."""
    rows = [(value, len(hashes) << 16, article) for article, hashes in articles.items() for value in hashes]
    return make_batch(FINGERPRINTS, *map(list, zip(*rows, strict=True)))


def contained(pipeline, staging, articles):
    notices = send(staging, "fingerprints", FINGERPRINTS, 3, fingerprints(articles))
    return pipeline | beam.Create(notices) | FindContainmentEdges(staging=staging, containment=0.8)


def test_an_excerpt_and_its_article_are_candidates_and_a_shared_phrase_is_not(make_pipeline, staging):
    whole, other = set(range(100)), set(range(90, 200))
    articles = {ref(0, 0): whole, ref(0, 1): set(range(20)), ref(1, 0): other}
    with make_pipeline() as pipeline:
        assert_that(contained(pipeline, staging, articles), has_edges([(ref(0, 0), ref(0, 1))]))


def test_many_copies_of_an_excerpt_are_connected_by_the_longest_and_the_next(make_pipeline, staging):
    rows = range(1, 3 * MAX_PAIRED)
    articles = {ref(0, row): set(range(20)) for row in rows} | {ref(9, 9): set(range(100))}
    with make_pipeline() as pipeline:
        expected = [(ref(0, row), ref(9, 9)) for row in rows]
        expected += [(ref(0, row), ref(0, row + 1)) for row in rows[:-1]]
        assert_that(contained(pipeline, staging, articles), has_edges(expected))


def test_pages_of_common_hashes_alone_are_connected_though_each_hash_has_another_longest(make_pipeline, staging):
    rows = range(1, 3 * MAX_PAIRED)
    longest = {ref(9, number): {number, *range(100 * number, 100 * number + 50)} for number in range(1, 6)}
    with make_pipeline() as pipeline:
        expected = [(ref(0, row), ref(0, row + 1)) for row in rows[:-1]]
        pages = {ref(0, row): set(range(1, 6)) for row in rows}
        assert_that(contained(pipeline, staging, pages | longest), has_edges(expected))


@given(st.integers(1, 2_000), st.floats(0.3, 1.0))
def test_the_margin_loosens_with_fewer_hashes(size, containment):
    assert 1 <= least_shared(size, containment) <= max(1, size * containment)


def test_of_one_id_the_first_by_content_keeps_it(make_pipeline, staging):
    forward = make_batch(IDS, [5, 5, 6], [1, 1, 1], [30, 10, 20], [ref(0, 0), ref(0, 1), ref(0, 2)])
    other = make_batch(IDS, [5], [1], [20], [ref(3, 7)])
    for batches in itertools.permutations([forward, other]):
        with make_pipeline() as pipeline:
            renames = pipeline | beam.Create(send(staging, "ids", IDS, 1, *batches)) | FindRepeatedIds()
            assert_that(renames, has_rows([(0, 0, 3), (3, 7, 2)]))


def test_no_article_gets_the_number_that_another_came_with(make_pipeline, staging):
    numbers = [1, 1, 1, 2, 4, 4]
    batch = make_batch(IDS, [5] * 6 + [7], [*numbers, 3], range(7), [ref(0, row) for row in range(7)])
    with make_pipeline() as pipeline:
        renames = pipeline | beam.Create(send(staging, "ids", IDS, 1, batch)) | FindRepeatedIds()
        assert_that(renames, has_rows([(0, 1, 3), (0, 2, 5), (0, 5, 6)]))


@pytest.mark.parametrize("at_a_time", [components._EDGES, 1])
def test_components_go_back_to_their_shards(make_pipeline, staging, monkeypatch, at_a_time):
    monkeypatch.setattr(components, "_EDGES", at_a_time)
    chain = [(ref(0, 1), ref(1, 5)), (ref(1, 5), ref(2, 2)), (ref(4, 0), ref(4, 1))]
    notices = send(staging, "edges", EDGES, 0, *(make_batch(EDGES, [left], [right]) for left, right in chain))
    with make_pipeline() as pipeline:
        members = pipeline | beam.Create(notices) | FindComponents()
        first, second = ref(0, 1), ref(4, 0)
        expected = [(0, 1, first), (1, 5, first), (2, 2, first), (4, 0, second), (4, 1, second)]
        assert_that(members, has_rows(expected))


def test_no_edges_no_components(make_pipeline, staging):
    apart = make_batch(BANDS, [7, 8], [ref(0, 0), ref(0, 1)])
    with make_pipeline() as pipeline:
        edges = pipeline | beam.Create(send(staging, "bands", BANDS, 3, apart)) | FindBandEdges(staging=staging)
        assert_that(edges | FindComponents(), has_rows([]))
