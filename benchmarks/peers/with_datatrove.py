"""datatrove: ftfy, then its four MinHash steps, as in its examples/minhash_deduplication.py, but on this machine.

datatrove's own parameters: word 5-grams, 14 buckets of 8 hashes (112 permutations, threshold about 0.72), 64 bits.
What ftfy has repaired is written on the way to the signatures, so that it is done once.
Runs in datatrove's own environment: ``python with_datatrove.py INPUT OUTPUT WORKERS``; scratch files go to the current
folder.
"""

import sys

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.formatters import FTFYFormatter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.typeshelper import Languages

CONFIG = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(precision=64))


def run(name: str, steps: list[PipelineStep], tasks: int, workers: int) -> None:
    """Run one stage: as many tasks as it can be cut into, as many at a time as there are workers."""
    LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=min(tasks, workers), logging_dir=f"logs/{name}").run()


def main(source: str, target: str, workers: int) -> None:
    """Copy the articles of the Parquet files in ``source`` but for near copies into ``target``, repaired."""
    run(
        "signatures",
        [
            ParquetReader(source),
            FTFYFormatter(),
            ParquetWriter("repaired"),
            MinhashDedupSignature(output_folder="signatures", config=CONFIG, language=Languages.english),
        ],
        workers,
        workers,
    )
    run(
        "buckets",
        [MinhashDedupBuckets(input_folder="signatures", output_folder="buckets", config=CONFIG)],
        CONFIG.num_buckets,
        workers,
    )
    run("clusters", [MinhashDedupCluster(input_folder="buckets", output_folder="remove", config=CONFIG)], 1, 1)
    run(
        "filter",
        [ParquetReader("repaired"), MinhashDedupFilter(input_folder="remove"), ParquetWriter(target)],
        workers,
        workers,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
