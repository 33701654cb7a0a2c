"""Prints which alike pairs text-dedup puts into one cluster: ``python -m benchmarks.text_dedup_recall DATA``.

``DATA`` and the pairs are those of :mod:`benchmarks.candidate_recall`. text-dedup runs on the whole corpus by the
driver of ``make bench``, in the environment that this makes. Its words are what stands between characters that are
neither letters nor digits, also where that is nothing, so ", " adds an empty one; marks part the words of Arabic, and a
clause of Chinese or Japanese is one word. Texts of fewer than five such words it leaves out.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from benchmarks.candidate_recall import Found, Truth, kinds_of, read_truth
from benchmarks.run import DRIVERS, ENVIRONMENTS

_PYTHON: Final = ENVIRONMENTS / "text-dedup" / "bin" / "python"
# The file holds a class of text-dedup's, so it is read in its environment.
_CLUSTERS: Final = """
import json, pickle, sys
found = pickle.load(open(sys.argv[1], "rb"))
print(json.dumps([[row, found.find(row)] for row in list(found.parent)]))
"""


def find_clusters(truth: Truth, workers: int) -> dict[int, int]:
    """The cluster of each row that text-dedup found to be like another."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "articles"), Path(folder, "kept")
        source.mkdir()
        pq.write_table(truth.texts, source / "part-0.parquet")
        command = [_PYTHON, DRIVERS / "with_text_dedup.py", source, target, str(workers), "--debug"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        command = [_PYTHON, "-c", _CLUSTERS, target / "uf.pkl"]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def measure(name: str, data: Path, workers: int) -> None:
    """Print a row of each kind of pair in one corpus."""
    truth = read_truth(name, data, ["id", "text"])
    cluster = find_clusters(truth, workers)
    together: Found = np.array(
        [left in cluster and cluster[left] == cluster.get(right) for left, right in truth.pairs.tolist()], bool
    )
    for kind, chosen in kinds_of(truth).items():
        if chosen.any():
            print(f"| {name} | {kind} | {np.count_nonzero(chosen):,} | {np.mean(together[chosen]):.4f} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("names", nargs="*", metavar="NAME", help="corpora; by default all that have pairs")
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    if not _PYTHON.exists():
        parser.error(f"[{_PYTHON}] is not there; `make bench` makes it")
    print("| corpus | pairs | | text-dedup |\n| --- | --- | --- | --- |")
    for name in chosen.names or sorted(path.parent.name for path in chosen.data.glob("neardup/*/pairs.parquet")):
        measure(name, chosen.data, chosen.workers)


if __name__ == "__main__":
    main()
