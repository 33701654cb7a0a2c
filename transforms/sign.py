"""SignShard: bands, containment fingerprints and ids of a staging shard, as columns by partition."""

import dataclasses
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final, Literal

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput

from transforms.batches import cut_by, make_batch
from transforms.config import DedupConfig
from transforms.files import read_parquet
from transforms.schemas import BANDS, FINGERPRINTS, IDS
from transforms.staging import Staging
from transforms.text.minhash import band_keys, choose_banding, sign_articles

Keyed = tuple[int, pa.RecordBatch]

PARTITIONS: Final = 32


@dataclasses.dataclass(eq=False, kw_only=True)
class SignShards(beam.PTransform):
    """Shard numbers in; three PCollections of ``(partition, batch)`` out, each batch one shard's share of a partition.

    In: ``12`` · out, tagged ``bands``: ``(3, BANDS batch)``, ``fingerprints``: ``(1, FINGERPRINTS batch)``,
    ``ids``: ``(30, IDS batch)``. Articles without a single word have no bands and no fingerprint.
    """

    staging: Staging
    config: DedupConfig

    def expand(self, shards: beam.PCollection[int]) -> Any:
        """Sign each shard."""
        return shards | "SignEachShard" >> beam.ParDo(_SignShard(self.staging, self.config)).with_outputs(
            "bands", "fingerprints", "ids"
        )


class _SignShard(beam.DoFn):
    def __init__(self, staging: Staging, config: DedupConfig) -> None:
        self._staging = staging
        self._config = config
        self._banding = choose_banding(config.threshold, config.num_perm)

    def process(
        self, shard: int
    ) -> Iterator[
        TaggedOutput[Literal["bands"], Keyed]
        | TaggedOutput[Literal["fingerprints"], Keyed]
        | TaggedOutput[Literal["ids"], Keyed]
    ]:
        row = 0
        bands: list[np.ndarray[Any, Any]] = []
        band_refs: list[np.ndarray[Any, Any]] = []
        hashes: list[np.ndarray[Any, Any]] = []
        ranks: list[np.ndarray[Any, Any]] = []
        hash_refs: list[np.ndarray[Any, Any]] = []
        ids: list[int] = []
        contents: list[int] = []
        for batch in read_parquet(self._staging.articles(shard), ["id", "url", "text"]):
            refs = (np.uint64(shard) << np.uint64(32)) | np.arange(row, row + batch.num_rows, dtype=np.uint64)
            row += batch.num_rows
            content = [hash64(text, url) for text, url in _pairs(batch, "text", "url")]
            signed = sign_articles(
                batch.column("text"), self._config.shingle, self._config.num_perm, self._config.scale
            )
            some = signed.shingles > 0
            keys = band_keys(signed.signatures[some], self._banding)
            bands.append(keys.ravel())
            band_refs.append(np.repeat(refs[some], keys.shape[1]))
            # Who is too short for an excerpt is too short to contain one.
            long = signed.shingles >= self._config.min_excerpt_shingles
            sizes = np.where(long, np.diff(signed.fingerprint_offsets), 0)
            # Of equally long articles the content decides, never the place in the input.
            rank = np.minimum(sizes, 0xFFFF).astype(np.uint32) << np.uint32(16)
            rank |= np.array(content, np.uint64).astype(np.uint32) & np.uint32(0xFFFF)
            hashes.append(signed.fingerprints[np.repeat(long, np.diff(signed.fingerprint_offsets))])
            ranks.append(np.repeat(rank, sizes))
            hash_refs.append(np.repeat(refs, sizes))
            ids += [hash64(article_id) for article_id in batch.column("id").to_pylist()]
            contents += content
        if not row:
            return
        refs = (np.uint64(shard) << np.uint64(32)) | np.arange(row, dtype=np.uint64)
        yield from _tagged("bands", PARTITIONS, _joined(bands), BANDS, _joined(bands), _joined(band_refs))
        fingerprint = _joined(hashes)
        spread = fingerprint.astype(np.uint64) << np.uint64(32)
        yield from _tagged(
            "fingerprints", PARTITIONS, spread, FINGERPRINTS, fingerprint, _joined(ranks), _joined(hash_refs)
        )
        keys = np.array(ids, np.uint64)
        yield from _tagged("ids", PARTITIONS, keys, IDS, keys, np.array(contents, np.uint64), refs)


def hash64(*values: str | None) -> int:
    """64 bits of BLAKE2b over the values; ``None`` is empty."""
    joined = "\0".join(value or "" for value in values)
    return int.from_bytes(blake2b(joined.encode(), digest_size=8).digest(), "little")


def _pairs(batch: pa.RecordBatch, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def _joined(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.concatenate(arrays)


def _tagged(
    tag: str, partitions: int, key: np.ndarray[Any, Any], schema: pa.Schema, *columns: np.ndarray[Any, Any]
) -> Iterator[TaggedOutput[Any, Keyed]]:
    """Cut the columns by the top bits of their 64-bit key."""
    partition = (key >> np.uint64(64 - partitions.bit_length() + 1)).astype(np.int64)
    for number, rows in cut_by(partition, make_batch(schema, *columns)):
        yield TaggedOutput(tag, (number, rows))
