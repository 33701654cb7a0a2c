"""Making, joining and cutting of record batches."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa


def make_batch(schema: pa.Schema, *columns: Any) -> pa.RecordBatch:
    """A batch of ``schema`` from its columns (arrays, numpy arrays or lists), in order."""
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, type=field.type)
        for field, column in zip(schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def join_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """All rows of ``batches`` as one batch; an empty batch of ``schema`` where there are none."""
    table = pa.Table.from_batches(batches, schema).combine_chunks()
    return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], schema=schema)


def cut_by(key: np.ndarray[Any, Any], batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut a batch by an integer key per row: ``(key, rows)`` in the order of the keys, rows in their order.

    >>> batch = pa.RecordBatch.from_pydict({"x": ["a", "b", "c"]})
    >>> [(key, rows["x"].to_pylist()) for key, rows in cut_by(np.array([1, 0, 1]), batch)]
    [(0, ['b']), (1, ['a', 'c'])]
    """
    if not len(key):
        return
    if key.max() < 2**16:
        key = key.astype(np.uint16)  # which numpy sorts by its digits
    order = np.argsort(key, kind="stable")
    values, starts = np.unique(key[order], return_index=True)
    # Taken one by one: encoded, a slice of lists of strings that are all empty brings the offsets of all the strings.
    for value, rows in zip(values, np.split(order, starts[1:]), strict=True):
        yield int(value), batch.take(pa.array(rows))


def column(batch: pa.RecordBatch, name: str) -> np.ndarray[Any, Any]:
    """A column of numbers without nulls as a numpy array, not copied."""
    values: np.ndarray[Any, Any] = batch.column(name).to_numpy(zero_copy_only=True)
    return values
