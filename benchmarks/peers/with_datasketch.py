"""Plain datasketch as a user would write it: one process, the first article of each bucket is kept.

Our parameters: word 5-shingles, 128 permutations, threshold 0.7; the rest is datasketch's default.
Runs in datasketch's own environment: ``python with_datasketch.py INPUT OUTPUT WORKERS``.
"""

import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH

SHINGLE, NUM_PERM, THRESHOLD = 5, 128, 0.7
_WORD = re.compile(r"\w+")


def signature(text: str) -> MinHash:
    """MinHash of the text's distinct shingles; a text that is shorter than one is a shingle itself."""
    words = _WORD.findall(text.lower())
    shingles = {" ".join(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))}
    minhash = MinHash(num_perm=NUM_PERM)
    minhash.update_batch([shingle.encode() for shingle in shingles])
    return minhash


def main(source: Path, target: Path) -> None:
    """Copy the articles of the Parquet files in ``source`` that resemble none before them into ``target``."""
    seen = MinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERM)
    target.mkdir(parents=True)
    for path in sorted(source.glob("*.parquet")):
        file = pq.ParquetFile(path)
        with pq.ParquetWriter(target / path.name, file.schema_arrow) as writer:
            for batch in file.iter_batches(1_000):
                keep = []
                for key, text in zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True):
                    minhash = signature(text)
                    is_copy = bool(seen.query(minhash))
                    if not is_copy:
                        seen.insert(key, minhash)
                    keep.append(not is_copy)
                writer.write_batch(batch.filter(pa.array(keep)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
