"""Exchange: columns go from stage to stage by partition through files; only who wrote what goes through Beam.

Beam's local runner keeps all that crosses a shuffle in the driver's memory: with 32 band keys and some fifty
fingerprint hashes an article, a million articles would take gigabytes there. So a stage writes its columns to one file
for each shard it reads, a row group for each partition, and sends on notices such as ``(3, "…/bands-00012.parquet")``.
Whoever gets a partition reads its row groups from all the files that the notices name. Grouping the notices is also the
barrier: no partition is read before all files are written.

A file appears whole or not at all, and writing it again gives the same bytes, so a retried bundle does no harm.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms import files
from transforms.batches import join_batches
from transforms.staging import PARTITIONS

Notice = tuple[int, str]
"""A partition, and a file that holds rows of it."""

_FEWEST: Final = 8
_BATCH_ROWS: Final = 65_536
_PARTITIONS_KEY: Final = b"partitions"


def partitions_for(shards: int) -> int:
    """How many partitions a run of so many shards has: each costs half a millisecond a shard and kind of column.

    >>> [partitions_for(shards) for shards in (1, 24, 40, 1000)]
    [8, 8, 16, 32]
    """
    return min(PARTITIONS, max(_FEWEST, 1 << (shards // 4).bit_length()))


def partition_of(hashes: np.ndarray[Any, Any], partitions: int = PARTITIONS) -> np.ndarray[Any, Any]:
    """Partition of each hash, by the top bits of the unsigned type it is of.

    >>> partition_of(np.array([0, 2**64 - 1], np.uint64)).tolist(), partition_of(np.array([2**31], np.uint32)).tolist()
    ([0, 31], [16])
    """
    bits = 8 * hashes.dtype.itemsize - partitions.bit_length() + 1
    found: np.ndarray[Any, Any] = (hashes >> hashes.dtype.type(bits)).astype(np.int64)
    return found


def write_partitions(uri: str, schema: pa.Schema, parts: Iterable[tuple[int, pa.RecordBatch]]) -> list[Notice]:
    """Write one batch for each partition, as of :func:`transforms.batches.cut_by`; return the notices of the file.

    Raises:
        FileError: the file cannot be written.
    """
    numbers: list[int] = []
    # The hashes are random and do not compress; the rows beside them do, and lz4 costs next to nothing. Groups are read
    # whole, so nobody asks for statistics.
    with (
        files.replacing(uri) as path,
        files.errors_of(uri),
        pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=False, write_statistics=False) as writer,
    ):
        for number, batch in parts:
            writer.write_table(pa.Table.from_batches([batch]), row_group_size=max(batch.num_rows, 1))
            numbers.append(number)
        writer.add_key_value_metadata({_PARTITIONS_KEY: ",".join(map(str, numbers)).encode()})
    return [(number, uri) for number in numbers]


def notices_of(uri: str) -> list[Notice]:
    """The notices of a file that was written before."""
    with files.open_parquet(uri) as parquet:
        return [(number, uri) for number in _partitions(parquet)]


def read_partition(schema: pa.Schema, notice: tuple[int, Iterable[str]]) -> pa.RecordBatch:
    """All rows of a partition as one batch, from the files that its grouped notices name, in the files' order.

    ``schema`` may have some of the files' columns only.

    Raises:
        FileError: a file cannot be read.
    """
    return join_batches(schema, read_in_batches(schema, notice))


def read_in_batches(
    schema: pa.Schema, notice: tuple[int, Iterable[str]], rows: int = _BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, up to ``rows`` of one file at a time."""
    partition, uris = notice
    # Sorted and distinct: bundles come in any order, and a bundle that ran twice told twice.
    for uri in sorted(set(uris)):
        with files.open_parquet(uri) as parquet:
            group = _partitions(parquet).index(partition)
            yield from parquet.iter_batches(rows, [group], schema.names, use_threads=False)


def _partitions(parquet: pq.ParquetFile) -> list[int]:
    numbers = parquet.metadata.metadata[_PARTITIONS_KEY].decode()
    return [int(number) for number in numbers.split(",") if number]
