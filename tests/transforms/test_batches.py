"""The record batch as Beam's element."""

import warnings

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.batches import cut_by, join_batches, make_batch
from transforms.coder import RecordBatchCoder
from transforms.schemas import EDGES

ROWS = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), max_size=8)


def edges(rows):
    return make_batch(EDGES, [left for left, _ in rows], [right for _, right in rows])


@given(ROWS, st.integers(0, 8), st.integers(0, 8))
def test_coder_round_trips_any_batch_sliced_or_empty(rows, start, length):
    batch = edges(rows).slice(start, length)
    coder = RecordBatchCoder()
    assert coder.decode(coder.encode(batch)) == batch


def test_a_slice_costs_its_rows_not_its_parent():
    rng = np.random.default_rng(1)
    batch = make_batch(EDGES, rng.integers(0, 2**63, 100_000, np.uint64), rng.integers(0, 2**63, 100_000, np.uint64))
    assert len(RecordBatchCoder().encode(batch.slice(0, 10))) < 1_000


def test_coder_refuses_a_stream_of_two():
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, EDGES) as stream:
        stream.write_batch(edges([(1, 2)]))
        stream.write_batch(edges([(3, 4)]))
    with pytest.raises(ValueError, match="too many values"):
        RecordBatchCoder().decode(sink.getvalue().to_pybytes())


def test_beam_uses_the_coder():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(beam.coders.registry.get_coder(pa.RecordBatch), RecordBatchCoder)


@given(ROWS, st.data())
def test_cutting_keeps_every_row_in_its_order(rows, data):
    keys = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    cut = {key: batch.to_pylist() for key, batch in cut_by(np.array(keys, np.int64), edges(rows))}
    assert list(cut) == sorted(set(keys))
    for key, part in cut.items():
        assert part == [row for row, own in zip(edges(rows).to_pylist(), keys, strict=True) if own == key]


def test_a_part_without_copies_costs_nothing_of_the_part_that_lists_them():
    schema = pa.schema([pa.field("copies", pa.list_(pa.struct([pa.field("id", pa.string())])))])
    batch = make_batch(schema, [[], [{"id": str(number)} for number in range(10_000)]])
    (_, without), (_, listing) = cut_by(np.array([0, 1]), batch)
    assert len(RecordBatchCoder().encode(without)) < 1_000 < len(RecordBatchCoder().encode(listing))


def test_joining_nothing_gives_an_empty_batch():
    assert join_batches(EDGES, []).num_rows == 0
    assert join_batches(EDGES, [edges([(1, 2)]), edges([(3, 4)])]) == edges([(1, 2), (3, 4)])
