"""Columns on their way from stage to stage through files."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import files
from transforms.batches import column, cut_by, make_batch
from transforms.exchange import PARTITIONS, notices_of, partition_of, read_partition, write_partitions
from transforms.schemas import IDS

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=50)


def send(uri, hashes):
    batch = make_batch(IDS, np.array(hashes, np.uint64), [1] * len(hashes), range(len(hashes)), range(len(hashes)))
    return write_partitions(uri, IDS, cut_by(partition_of(column(batch, "key")), batch))


@given(st.lists(HASHES, min_size=1, max_size=3))
def test_every_row_arrives_once_in_its_partition(tmp_path_factory, shards):
    folder = tmp_path_factory.mktemp("exchange")
    notices = [notice for number, hashes in enumerate(shards) for notice in send(str(folder / f"{number}"), hashes)]
    arrived = []
    for partition in {partition for partition, _ in notices}:
        # In any order and twice, as after a retried bundle.
        uris = [uri for number, uri in reversed(notices + notices) if number == partition]
        keys = column(read_partition(IDS, (partition, uris)), "key")
        assert set(partition_of(keys).tolist()) == {partition}
        arrived += keys.tolist()
    assert sorted(arrived) == sorted(itertools.chain.from_iterable(shards))


def test_the_partition_is_the_top_bits_of_hashes_of_any_width():
    assert partition_of(np.array([0, 1 << 31, 2**32 - 1], np.uint32)).tolist() == [0, PARTITIONS // 2, PARTITIONS - 1]
    assert partition_of(np.array([0, 1 << 63, 2**64 - 1], np.uint64)).tolist() == [0, PARTITIONS // 2, PARTITIONS - 1]


def test_a_file_tells_its_notices_again_and_has_the_same_bytes_again(tmp_path):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    sent = send(one, [1, 2**63, 2])
    assert notices_of(one) == sent == [(0, one), (16, one)]
    send(two, [1, 2**63, 2])
    assert files.read_bytes(one) == files.read_bytes(two)


def test_a_file_that_is_gone_is_named(tmp_path):
    gone = str(tmp_path / "gone.parquet")
    with pytest.raises(files.FileError, match=r"gone\.parquet"):
        read_partition(IDS, (3, [gone]))
