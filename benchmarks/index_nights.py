"""How far nightly runs with an index agree with one run over all: a corpus is cut by date and run both ways.

    python -m benchmarks.index_nights ../shared/data/bulk/saudinewsnet.parquet --nights 8

Prints the adjusted Rand index of the two clusterings, and why pairs of articles are together in one of them alone.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from pipeline.evaluate_dedup import compare_clusters
from pipeline.options import Config, parse_window
from pipeline.progress import Progress
from pipeline.run import run
from transforms.config import DedupConfig
from transforms.text.dates import parse_published

_COLUMNS = ("source", "url", "title", "date", "text")


class _Place(NamedTuple):
    """Where an article ended: the cluster, and the article that it was folded into, itself if it is kept."""

    cluster: tuple[int, str]
    leader: tuple[int, str]
    relation: str | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a corpus both ways."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="Parquet with id, source, url, title, date and text")
    parser.add_argument("--nights", type=int, default=8, help="nights to cut the corpus into, of about equal size")
    parser.add_argument("--window", default="30d", help="as --index-window")
    parser.add_argument("--limit", type=int, default=0, help="the first so many articles by date")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    table, dates = _by_date(options.corpus, options.limit)
    starts = _cut(dates, options.nights)
    folder = Path(tempfile.mkdtemp(prefix="index-nights-"))
    try:
        pq.write_table(table, folder / "all.parquet")
        once = _places([_run(folder, "all", options.workers)])
        outputs = []
        for night, (start, end) in enumerate(zip(starts, [*starts[1:], len(dates)], strict=True)):
            pq.write_table(table.slice(start, end - start), folder / f"{night:03d}.parquet")
            outputs.append(_run(folder, f"{night:03d}", options.workers, options.window))
        nightly = _places(outputs)
    finally:
        shutil.rmtree(folder)
    ids = sorted(set(once) & set(nightly), key=int)
    score = compare_clusters([once[i].cluster for i in ids], [nightly[i].cluster for i in ids])
    print(f"{options.corpus.stem}: {len(ids):,} articles in {len(starts)} nights")
    for name, places in (("one run", once), ("nightly", nightly)):
        print(f"{name}: folded {dict(sorted(Counter(filter(None, (places[i].relation for i in ids))).items()))}")
    for name, one, other in (("one run", once, nightly), ("nightly", nightly, once)):
        kept = sum(one[i].relation is None and other[i].relation is not None for i in ids)
        print(f"{name}: kept {sum(one[i].relation is None for i in ids):,}, of which folded the other way {kept:,}")
    print(f"adjusted Rand {score.adjusted_rand:.4f}; ", end="")
    night_of = {str(row): night for night, start in enumerate(starts) for row in range(start, len(dates))}
    why = _differences(ids, once, nightly, night_of, dates, timedelta(days=parse_window("--window", options.window)))
    print(f"articles apart from their article of the other way: {dict(why.most_common())}")


def _by_date(corpus: Path, limit: int) -> tuple[pa.Table, list[datetime | None]]:
    """The articles in the order of their dates, undated ones first, with their rows as ids."""
    table = pq.read_table(corpus, columns=list(_COLUMNS))
    dates = [parse_published(value) if value else None for value in table["date"].to_pylist()]
    order = sorted(range(len(dates)), key=lambda row: (dates[row] is not None, dates[row], row))[: limit or None]
    ids = pa.array([str(row) for row in range(len(order))])
    return table.take(order).add_column(0, "id", ids), [dates[row] for row in order]


def _cut(dates: Sequence[datetime | None], nights: int) -> list[int]:
    """Rows at which a night starts; a day is in one night alone."""
    days = [moment and moment.date() for moment in dates]
    begins = [row for row in range(1, len(days)) if days[row] != days[row - 1]] or list(range(1, len(days)))
    wanted = [len(days) * night // nights for night in range(1, nights)]
    return sorted({0, *(min(begins, key=lambda row: abs(row - place)) for place in wanted)})


def _run(folder: Path, name: str, workers: int, window: str = "") -> Path:
    config = Config(
        inputs=(str(folder / f"{name}.parquet"),),
        output=str(folder / name),
        workers=workers,
        max_reject_rate=1.0,
        dedup=DedupConfig(),
        **(
            {"index": str(folder / "index"), "index_run": name, "index_window": parse_window("--window", window)}
            if window
            else {}
        ),
    )
    run(config, Progress(Console(quiet=True), quiet=True))
    return folder / name


def _places(outputs: Iterable[Path]) -> dict[str, _Place]:
    """Where each article ended, by id; clusters are named by the number of their run and their id there."""
    places: dict[str, _Place] = {}
    for number, output in enumerate(outputs):
        for folder in ("articles", "duplicates"):
            for row in _rows(output / folder):
                cluster = _number(row.get("cluster_run"), number), row["cluster_id"]
                leader = number, row["id"]
                if folder == "duplicates":
                    leader = _number(row.get("canonical_run"), number), row["canonical_id"]
                places[row["id"]] = _Place(cluster, leader, row.get("relation"))
    return places


def _rows(folder: Path) -> list[dict[str, Any]]:
    wanted = ("id", "cluster_id", "cluster_run", "canonical_id", "canonical_run", "relation")
    rows: list[dict[str, Any]] = []
    for part in sorted(folder.glob("*.parquet")):
        table = pq.read_table(part)
        rows += table.select([name for name in wanted if name in table.schema.names]).to_pylist()
    return rows


def _number(run: str | None, own: int) -> int:
    return own if run is None else int(run)


def _differences(
    ids: Iterable[str],
    once: dict[str, _Place],
    nightly: dict[str, _Place],
    night_of: dict[str, int],
    dates: Sequence[datetime | None],
    window: timedelta,
) -> Counter[str]:
    """Why an article is not in the cluster of the article that it was folded into the other way, by article."""
    why: Counter[str] = Counter()
    for article in ids:
        leader = once[article].leader[1]
        if once[article].relation and nightly[article].cluster != nightly[leader].cluster:
            days = [dates[int(row)] for row in (article, leader)]
            if None not in days and abs(days[0] - days[1]) > window:  # type: ignore[operator]
                why["nightly apart: outside the window"] += 1
            elif night_of[leader] > night_of[article]:
                why["nightly apart: its article of one run came later, and went to another earlier cluster"] += 1
            elif nightly[leader].relation:
                why["nightly apart: its article of one run is a copy of an earlier one, which it is not a copy of"] += 1
            elif nightly[article].leader[1] != article:
                why["nightly apart: folded into another earlier article, by order"] += 1
            else:
                why["nightly apart: other"] += 1
        leader = nightly[article].cluster[1]
        if leader != article and leader in once and once[article].cluster != once[leader].cluster:
            if night_of[leader] < night_of[article] or nightly[article].relation is None:
                why["nightly together: what was kept earlier stands"] += 1
            else:
                why["nightly together: other"] += 1
    return why


if __name__ == "__main__":
    main()
