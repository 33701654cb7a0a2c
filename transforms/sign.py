"""SignShard: bands, containment fingerprints and ids of a staging shard, as columns by partition."""

import dataclasses
from collections.abc import Iterator
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
from transforms.text.minhash import band_keys, choose_banding, sign_articles, string_hashes

Keyed = tuple[int, pa.RecordBatch]
Columns = tuple[np.ndarray[Any, Any], ...]

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
        batches = read_parquet(self._staging.articles(shard), ["id", "url", "text"])
        tables = list(zip(*self._sign(shard, batches), strict=True))
        if tables:
            bands, fingerprints, ids = (tuple(map(np.concatenate, zip(*table, strict=True))) for table in tables)
            yield from _tagged("bands", bands[0], BANDS, *bands)
            yield from _tagged("fingerprints", fingerprints[0].astype(np.uint64) << 32, FINGERPRINTS, *fingerprints)
            yield from _tagged("ids", ids[0], IDS, *ids)

    def _sign(self, shard: int, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Columns, Columns, Columns]]:
        """Columns of BANDS, FINGERPRINTS and IDS for each batch of a shard."""
        config = self._config
        first = shard << 32
        for batch in batches:
            refs = np.arange(first, first + batch.num_rows, dtype=np.uint64)
            first += batch.num_rows
            texts = batch.column("text")
            contents = string_hashes(texts) ^ string_hashes(batch.column("url").cast(pa.large_string()))
            signed = sign_articles(texts, config.shingle, config.num_perm, config.scale)
            some = signed.shingles > 0
            keys = band_keys(signed.signatures[some], self._banding)
            # Who is too short for an excerpt is too short to contain one.
            long = signed.shingles >= config.min_excerpt_shingles
            sizes = np.diff(signed.fingerprint_offsets)
            hashes = signed.fingerprints[np.repeat(long, sizes)]
            sizes = np.where(long, sizes, 0)
            # Of equally long articles the content decides, never the place in the input.
            ranks = np.minimum(sizes, 0xFFFF).astype(np.uint32) << 16 | (contents & 0xFFFF).astype(np.uint32)
            yield (
                (keys.ravel(), np.repeat(refs[some], keys.shape[1])),
                (hashes, np.repeat(ranks, sizes), np.repeat(refs, sizes)),
                (string_hashes(batch.column("id").cast(pa.large_string())), contents, refs),
            )


def _tagged(
    tag: str, key: np.ndarray[Any, Any], schema: pa.Schema, *columns: np.ndarray[Any, Any]
) -> Iterator[TaggedOutput[Any, Keyed]]:
    """Cut the columns by the top bits of their 64-bit key."""
    partition = (key >> np.uint64(65 - PARTITIONS.bit_length())).astype(np.int64)
    for number, rows in cut_by(partition, make_batch(schema, *columns)):
        yield TaggedOutput(tag, (number, rows))
