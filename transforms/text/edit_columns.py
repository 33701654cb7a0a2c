"""Edits of a batch of texts by column: a text that is laid out anew has dozens, which are never objects."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from transforms.text.edits import Edit

EDIT_COLUMNS: Final = pa.schema(
    [
        pa.field("owner", pa.int64()),  # the number of its text in the batch
        pa.field("kind", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("start", pa.int32()),
        pa.field("before", pa.large_string()),
        pa.field("after", pa.large_string()),
    ]
)


def edit_columns(edits: Sequence[Sequence[Edit]]) -> pa.RecordBatch:
    """The edits of each text as EDIT_COLUMNS.

    >>> edit_columns([[], [Edit("cruft", "en/source-link", 4, " Source link", "")]]).column("owner").to_pylist()
    [1]
    """
    owners = np.repeat(np.arange(len(edits)), list(map(len, edits)))
    fields = zip(*(edit for some in edits for edit in some), strict=True) if owners.size else [()] * 5
    columns = zip((owners, *fields), EDIT_COLUMNS.types, strict=True)
    return pa.RecordBatch.from_arrays([pa.array(*column) for column in columns], schema=EDIT_COLUMNS)


def by_owner(edits: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """The edits of all batches text by text; what a text has in several was made in this order."""
    joined = pa.concat_batches(list(edits))
    return joined.take(pa.array(np.argsort(joined.column("owner").to_numpy(), kind="stable")))
