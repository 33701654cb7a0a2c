"""text-dedup's minhash module, as its README runs it; deduplication only.

Our parameters: word 5-grams, 128 permutations, threshold 0.7; the rest (SHA-1, 64 bits, its own bands) is its default.
Runs in text-dedup's own environment: ``python with_text_dedup.py INPUT OUTPUT WORKERS``; its caches go to the current
folder, so that no run profits from the one before. More flags go to text-dedup: ``--debug`` saves its clusters too.
"""

import os
import sys

for variable, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": "home"}.items():
    os.environ[variable] = value


def main(source: str, target: str, workers: str, *more: str) -> None:
    """Save the articles of the Parquet files in ``source`` but for near copies in ``target``, as Arrow files."""
    options = {
        "path": "parquet",
        "data_files": f"{source}/*.parquet",
        "split": "train",
        "cache_dir": "cache",
        "output": target,
        "column": "text",
        "num_proc": workers,
        "ngram": "5",
        "num_perm": "128",
        "threshold": "0.7",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    # Its own command: called from here, its functions could not be pickled for its workers.
    os.execv(sys.executable, [sys.executable, "-m", "text_dedup.minhash", *flags, *more])


if __name__ == "__main__":
    main(*sys.argv[1:])
