"""What a whole nightly run costs by the length of the index's window.

    python -m benchmarks.index_runs --articles 5000 --days 1 10 100

Runs one invented day into an index and enters its part there under as many names as the window has days, so it is read
that often; then runs another day with that index, and without any. CPU time and memory of the whole command
(``benchmarks.measure``). The two days share no story: what matches costs verification on top.
"""

import argparse
import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.corpus import make_synthetic
from benchmarks.measure import Measured, measure
from pipeline.indexed import manifest_of, read_runs
from transforms import files


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each window."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=5_000, help="a day")
    parser.add_argument("--days", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="index-runs-") as temporary:
        folder = Path(temporary)
        first, second = (make_synthetic(folder / f"day-{seed}", options.articles, seed).folder for seed in (1, 2))
        index = folder / "index"
        _run(folder, first, options.workers, index, "first")
        (run,) = read_runs(str(index))
        _show("no index", _run(folder, second, options.workers))
        for days in options.days:
            for day in range(1, days):
                entered = dataclasses.replace(run, run=f"first-{day}")  # of the same order, so before the one measured
                files.write_bytes(manifest_of(str(index), entered.run), entered.to_json())
            _show(f"{days} days", _run(folder, second, options.workers, index, "today"))


def _run(folder: Path, source: Path, workers: int, index: Path | None = None, name: str = "") -> Measured:
    output = folder / "out"
    command = [sys.executable, "-m", "pipeline", "run", str(source), "--output", str(output), "--workers", str(workers)]
    if index:
        command += ["--index", str(index), "--index-run", name, "--index-window", "36500d"]
    top, log = Path(__file__).parents[1], folder / "log"
    measured = measure(command, folder=top, log=log, timeout=3_600, environment=os.environ)
    if measured.exit_code:
        raise RuntimeError(log.read_text("utf-8", "replace"))
    shutil.rmtree(output)
    return measured


def _show(name: str, cost: Measured) -> None:
    memory = cost.peak_tree_pss_bytes / 1e6
    print(f"{name:<10} {cost.cpu_seconds:7.1f} s of CPU, {cost.seconds:7.1f} s, {memory:,.0f} MB of memory", flush=True)


if __name__ == "__main__":
    main()
