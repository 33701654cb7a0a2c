"""What looking a day's keys up in the index costs, by the length of the window.

    python -m benchmarks.index_window --articles 50000 --days 1 10 100

Makes one part of random band keys and fingerprints, as many as that many articles have, and lets a day of as many
articles look its own up in a window of so many such parts; of the day's keys one in ten is in the last part. CPU time
and memory of this process alone: the stages that look up (``transforms.index.with_index``), not a whole run.
"""

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from transforms.batches import column, cut_by, make_batch
from transforms.exchange import PARTITIONS, partition_of, write_partitions
from transforms.index import SCHEMAS, Index, IndexPart, Window, with_index
from transforms.index_part import sort_columns

_ROWS = {"bands": 32, "fingerprints": 50}  # an article of 800 words
_MATCHED = 0.1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each window."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=50_000, help="a day")
    parser.add_argument("--days", type=int, nargs="+", default=[1, 10, 100])
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="index-window-"))
    try:
        known, unknown = (_random(options.articles, seed) for seed in (1, 2))
        today = _random(options.articles, 3)
        for what, batch in today.items():
            some = int(_MATCHED * batch.num_rows)
            today[what] = make_batch(
                SCHEMAS[what],
                *(
                    np.concatenate([column(known[what], name)[:some], column(batch, name)[some:]])
                    for name in SCHEMAS[what].names
                ),
            )
        last, earlier = _write(folder / "last", known), _write(folder / "earlier", unknown)
        size = sum(path.stat().st_size for path in (folder / "last").glob("*.parquet"))
        print(f"{options.articles:,} articles a day; a part's columns take {size / 1e6:.0f} MB")
        for days in options.days:
            index = Index(parts=(*[earlier] * (days - 1), last), window_days=days, undated=date(2024, 5, 6))
            window = Window(index=index, dated=date(2024, 5, 6))
            started, matched = time.process_time(), 0
            for what, batch in today.items():
                key = column(batch, batch.schema.names[0])
                for partition, rows in cut_by(partition_of(key), batch):
                    matched += with_index(rows, window, what, partition).num_rows - rows.num_rows
            spent = time.process_time() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{days:>5} days: {spent:7.2f} s of CPU, {matched:,} rows matched, peak memory {peak:,.0f} MB")
    finally:
        shutil.rmtree(folder)


def _random(articles: int, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    batches = {}
    for what, each in _ROWS.items():
        refs = np.repeat(np.arange(articles, dtype=np.uint64), each)
        kind = np.uint64 if what == "bands" else np.uint32
        keys = random.integers(0, np.iinfo(kind).max, len(refs), kind, endpoint=True)
        ranks = [np.repeat(random.integers(0, 2**32, articles, np.uint32), each)] if what == "fingerprints" else []
        batches[what] = make_batch(SCHEMAS[what], keys, *ranks, refs)
    return batches


def _write(folder: Path, batches: dict[str, Any]) -> IndexPart:
    for what, batch in batches.items():
        piece = str(folder / "pieces" / what)
        key = column(batch, batch.schema.names[0])
        for partition, uri in write_partitions(piece, batch.schema, cut_by(partition_of(key), batch)):
            sort_columns((partition, [uri]), str(folder), what)
    every = tuple((what, tuple(range(PARTITIONS))) for what in SCHEMAS)
    day = date(2024, 5, 6)
    return IndexPart(run=folder.name, uri=str(folder), dated=day, partitions=every)


if __name__ == "__main__":
    main()
