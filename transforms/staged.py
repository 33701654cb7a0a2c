"""Reads a staging shard as it stands: what was cleaned, under the overlay of what was stripped of boilerplate later."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import files
from transforms.batches import column, join_batches
from transforms.schemas import EDITS, OVERLAY
from transforms.staging import Staging


def read_articles(staging: Staging, shard: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Articles of a shard (``STAGED``, or some columns of it), in batches of up to 250, the overlay applied.

    Raises:
        FileError: the shard cannot be read.
    """
    overlay = read_overlay(staging, shard)
    rows = column(overlay, "row")
    replaced = [name for name in ("text", "edit_count") if columns is None or name in columns]
    first = 0
    for batch in files.read_parquet(staging.articles(shard), columns):
        begin, end = np.searchsorted(rows, [first, first + batch.num_rows])
        if begin < end:
            mask = np.zeros(batch.num_rows, bool)
            mask[rows[begin:end] - first] = True
            for name in replaced:
                values = overlay.column(name).slice(begin, end - begin)
                place = batch.schema.names.index(name)
                values = pc.replace_with_mask(batch.column(name), pa.array(mask), values)
                batch = batch.set_column(place, batch.schema.field(name), values)
        first += batch.num_rows
        yield batch


def with_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each batch with the row that it starts at."""
    first = 0
    for batch in batches:
        yield first, batch
        first += batch.num_rows


def read_overlay(staging: Staging, shard: int) -> pa.RecordBatch:
    """The shard's overlay, sorted by row; without rows where nothing was stripped."""
    uri = staging.overlay(shard)
    return join_batches(OVERLAY, files.read_parquet(uri) if files.exists(uri) else [])


def read_edits(staging: Staging, shard: int) -> Iterator[pa.RecordBatch]:
    """Edits of a shard in the order of its articles, each article's in their sequence."""
    overlay = read_overlay(staging, shard)
    if not overlay.num_rows:
        yield from files.read_parquet(staging.edits(shard))
        return
    counts = [batch.column("edit_count") for batch in files.read_parquet(staging.articles(shard), ["edit_count"])]
    sizes = pa.concat_arrays(counts).to_numpy()
    owners = [np.repeat(np.arange(len(sizes)), sizes), np.repeat(column(overlay, "row"), column(overlay, "added"))]
    uris = staging.edits(shard), staging.overlay_edits(shard)
    edits = join_batches(EDITS, [batch for uri in uris for batch in files.read_parquet(uri)])
    # Stable: the edits of cleaning come before those of the overlay.
    order = np.argsort(np.concatenate(owners), kind="stable")
    for start in range(0, len(order), files.READ_ROWS):
        yield edits.take(pa.array(order[start : start + files.READ_ROWS]))
