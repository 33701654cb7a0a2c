"""SignShard: bands, containment fingerprints and ids of a staging shard, as columns by partition."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Final, Literal

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.pvalue import TaggedOutput

from transforms import files
from transforms.batches import column, cut_by, join_batches, make_batch
from transforms.config import DedupConfig
from transforms.exchange import Notice, notices_of, partition_of, write_partitions
from transforms.schemas import BANDS, FINGERPRINTS, IDS, WORDS
from transforms.staged import read_articles
from transforms.staging import Staging
from transforms.text.ids import split_number
from transforms.text.minhash import band_keys, choose_banding, sign_articles, string_hashes

Columns = tuple[np.ndarray[Any, Any], ...]

_SCHEMAS: Final = {"bands": BANDS, "fingerprints": FINGERPRINTS, "ids": IDS}


@dataclasses.dataclass(eq=False, kw_only=True)
class SignShards(beam.PTransform):
    """Shard numbers in; out, the notices of three exchange files a shard. A fourth keeps the words of its articles.

    In: ``12`` · out, tagged ``bands``, ``fingerprints`` and ``ids`` like the schemas of the rows that the files hold:
    ``(3, "…/bands-00012.parquet")``. Articles without a single word have no bands and no fingerprint. A shard that was
    signed by an earlier run, which was killed, is not signed again.
    """

    staging: Staging
    config: DedupConfig

    def expand(self, shards: beam.PCollection[int]) -> Any:
        """Sign each shard."""
        return shards | "SignEachShard" >> beam.ParDo(_SignShard(self.staging, self.config)).with_outputs(*_SCHEMAS)


class _SignShard(beam.DoFn):
    def __init__(self, staging: Staging, config: DedupConfig) -> None:
        self._staging = staging
        self._config = config

    def process(
        self, shard: int
    ) -> Iterator[
        TaggedOutput[Literal["bands"], Notice]
        | TaggedOutput[Literal["fingerprints"], Notice]
        | TaggedOutput[Literal["ids"], Notice]
    ]:
        uris = {tag: self._staging.exchange(tag, shard) for tag in _SCHEMAS}
        words = self._staging.words(shard)
        if not all(map(files.exists, (words, *uris.values()))):
            self._write(shard, uris, words)
        for tag, uri in uris.items():
            for notice in notices_of(uri):
                yield TaggedOutput(tag, notice)

    def _write(self, shard: int, uris: dict[str, str], words: str) -> None:
        counts: list[pa.RecordBatch] = []
        tables: dict[str, list[pa.RecordBatch]] = {tag: [] for tag in uris}
        first = shard << 32
        for batch in read_articles(self._staging, shard, ["id", "url", "text"]):
            signed = sign_batch(batch, first, self._config)
            for tag, schema in _SCHEMAS.items():
                tables[tag].append(make_batch(schema, *signed[tag]))
            counts.append(make_batch(WORDS, *signed["words"]))
            first += batch.num_rows
        files.write_parquet(words, WORDS, counts)
        for tag, uri in uris.items():
            rows = join_batches(_SCHEMAS[tag], tables[tag])
            keys = column(rows, rows.schema.names[0])
            write_partitions(uri, rows.schema, cut_by(partition_of(keys, self._staging.partitions), rows))


def sign_batch(batch: pa.RecordBatch, first: int, config: DedupConfig) -> dict[str, Columns]:
    """Columns of BANDS, FINGERPRINTS, IDS and WORDS for consecutive articles.

    ``first`` is the reference of the first one.
    """
    refs = np.arange(first, first + batch.num_rows, dtype=np.uint64)
    texts = batch.column("text")
    contents = string_hashes(texts) ^ string_hashes(batch.column("url").cast(pa.large_string()))
    # Who is too short for an excerpt contains none either, and so needs to be found by other short articles alone.
    signed = sign_articles(texts, config.shingle, config.num_perm, config.scale, config.min_excerpt_shingles)
    some = signed.shingles > 0
    keys = band_keys(signed.signatures[some], choose_banding(config.threshold, config.num_perm))
    sizes = np.diff(signed.fingerprint_offsets)
    # Of equally long articles the content decides, never the place in the input.
    ranks = np.minimum(sizes, 0xFFFF).astype(np.uint32) << 16 | (contents & 0xFFFF).astype(np.uint32)
    return {
        "bands": (keys.ravel(), np.repeat(refs[some], keys.shape[1])),
        "fingerprints": (signed.fingerprints, np.repeat(ranks, sizes), np.repeat(refs, sizes)),
        "words": (signed.words,),
        "ids": (*_numbered_ids(batch.column("id")), contents, refs),
    }


def _numbered_ids(ids: pa.StringArray) -> Columns:
    """Hashes of ids without their numbers, and the numbers."""
    numbers = np.ones(len(ids), np.uint32)
    if pc.any(pc.match_substring(ids, "~")).as_py():
        stems, found = zip(*map(split_number, ids.to_pylist()), strict=True)
        ids, numbers = pa.array(stems, pa.string()), np.array(found, np.uint32)
    return string_hashes(ids.cast(pa.large_string())), numbers
