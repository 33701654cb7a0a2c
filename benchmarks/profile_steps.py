"""``make profile``: where the time goes, in µs per article.

Two tables. *Stages* are those of a whole run in one process, as Beam accounts for them; what the run takes beyond their
sum is Beam itself, its shuffle and our start-up. *Steps* are the functions inside the stages, each timed alone over all
articles, fed what the step before it gives.

    python -m benchmarks.profile_steps --articles news.parquet --limit 5000
"""

import argparse
import contextlib
import functools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics.monitoring_infos import extract_counter_value
from rich.console import Console

from benchmarks.corpus import make_synthetic, read_articles, write_parts
from pipeline.build import read_split
from pipeline.formats import ReadOptions
from pipeline.options import Config
from pipeline.progress import Progress
from pipeline.run import run
from pipeline.sources import plan
from transforms.clean import clean_batch, clean_shard
from transforms.config import DedupConfig
from transforms.files import read_parquet
from transforms.staging import Staging
from transforms.text.clean import Cleaner
from transforms.text.credits import find_credits
from transforms.text.cruft import strip_cruft
from transforms.text.decode import decode
from transforms.text.draft import Draft
from transforms.text.minhash import band_keys, choose_banding, sign_articles
from transforms.text.paragraphs import lay_out
from transforms.text.repair import compose, is_suspect, repair_lines
from transforms.text.repeats import drop_repeats
from transforms.text.repetition_kernel import find_repetition
from transforms.text.rules import load_credit_rules, load_cruft_rules
from transforms.text.shingles import shingle_hashes, shingle_stream, token_counts
from transforms.text.survey import Survey
from transforms.text.whitespace import normalise_line_ends, normalise_spaces

_BATCH: Final = 1_000  # texts handed to a kernel at a time, as in a run


class Cost(NamedTuple):
    """A row of a table."""

    name: str
    microseconds: float
    """For each article."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print µs per article of each stage and step."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_steps", description=main.__doc__)
    add = parser.add_argument
    add("--articles", nargs="+", type=Path, default=[], metavar="PARQUET", help="default: synthetic")
    add("--limit", type=int, default=5_000, help="articles (%(default)s)")
    add("--repeats", type=int, default=3, help="the fastest of so many counts (%(default)s)")
    add("--json", action="store_true", help="print JSON instead of Markdown")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="cleancopy-profile-") as scratch:
        folder = Path(scratch)
        if options.articles:
            source = folder / "articles"
            count, _ = write_parts(read_articles(options.articles, options.limit), source, -(-options.limit // 8))
        else:
            corpus = make_synthetic(folder, options.limit, rows_a_file=-(-options.limit // 8))
            source, count = corpus.folder, corpus.articles
        stages = fastest(options.repeats, lambda: profile_stages(source, folder, count))
        steps = fastest(options.repeats, lambda: list(profile_steps(source, folder, count)))
    if options.json:
        json.dump({"articles": count, "stages": dict(stages), "steps": dict(steps)}, sys.stdout, indent=1)
        return
    for title, costs in (("Stages of a run, one process, wall time", stages), ("Steps, each alone, CPU time", steps)):
        print(f"\n## {title}: µs per article, of {count:,}\n\n| | µs |\n| --- | ---: |")
        print("\n".join(f"| {cost.name} | {cost.microseconds:,.1f} |" for cost in costs))


def fastest(repeats: int, profile: Callable[[], Sequence[Cost]]) -> list[Cost]:
    """The fastest of several profiles, row by row; once before that, not counted, for numba and the page cache."""
    profile()
    rows: dict[str, float] = {}
    for _ in range(repeats):
        for name, cost in profile():
            rows[name] = min(cost, rows.get(name, cost))
    return [Cost(name, cost) for name, cost in rows.items()]


def profile_stages(source: Path, folder: Path, count: int) -> list[Cost]:
    """Run the whole pipeline in this process and read from the runner what each of its transforms took."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        config = Config(inputs=(str(source),), output=str(Path(output) / "out"), workers=1)
        with _results() as results:
            started = time.perf_counter()
            run(config, Progress(Console(stderr=True), quiet=True))
            seconds = time.perf_counter() - started
    stages: Counter[str] = Counter()
    for info in results[-1].monitoring_infos():
        if "pardo_execution_time" in info.urn:
            stages[info.labels["PTRANSFORM"].split("/")[0]] += extract_counter_value(info) / 1e3
    rows = [Cost(name, spent / count * 1e6) for name, spent in stages.items() if spent]
    rest = seconds - sum(stages.values())
    return [
        *rows,
        Cost("Beam, shuffle, start of the run", rest / count * 1e6),
        Cost("whole run", seconds / count * 1e6),
    ]


@contextlib.contextmanager
def _results() -> Iterator[list[Any]]:
    """Collect what ``Pipeline.run`` returns inside the block: the command keeps it to itself."""
    run_pipeline = beam.Pipeline.run
    results: list[Any] = []

    def spy(pipeline: beam.Pipeline, *args: Any, **kwargs: Any) -> Any:
        results.append(run_pipeline(pipeline, *args, **kwargs))
        return results[-1]

    beam.Pipeline.run = spy
    try:
        yield results
    finally:
        beam.Pipeline.run = run_pipeline


def profile_steps(source: Path, folder: Path, count: int) -> Iterator[Cost]:
    """Time each step alone over all articles."""

    def timed(name: str, work: Callable[[], Any]) -> Cost:
        started = time.process_time()
        made.append(work())
        return Cost(name, (time.process_time() - started) / count * 1e6)

    made: list[Any] = []  # what the last step gave
    dedup = DedupConfig()
    cleaner, cruft_rules, credit_rules = Cleaner(find=find_repetition), load_cruft_rules(), load_credit_rules()
    splits = plan([str(source)]).splits

    yield timed("read: Parquet to records", lambda: [part for s in splits for part in read_split(s, ReadOptions())])
    parts = made.pop()
    texts = [text for part in parts for text in part.records.articles.column("text").to_pylist()]
    yield timed("decode (of files that are bytes)", lambda: [decode(raw) for raw in [text.encode() for text in texts]])
    survey = Survey(cruft_rules, credit_rules)
    batches = list(_batches(texts))
    yield timed("survey: form, and layouts mended", lambda: [draft for b in batches for draft in survey.drafts(b)[0]])
    drafts = made.pop()
    for look in (survey.cruft, survey.repeats, survey.credits):
        yield timed(f"survey: {look.__name__}", functools.partial(_survey, look, drafts))
    yield timed("gate", lambda: [is_suspect(text) for text in texts])

    steps: tuple[tuple[str, Callable[[str], tuple[str, Any]]], ...] = (
        ("line ends", normalise_line_ends),
        ("gate and ftfy", repair_lines),
        ("NFC", compose),
        ("spaces", normalise_spaces),
        ("paragraphs", lay_out),
        ("cruft", lambda text: strip_cruft(text, cruft_rules)),
        ("repeats", lambda text: drop_repeats(text, cruft_rules, find_repetition(text))),
    )
    running = texts
    for name, step in steps:
        yield timed(name, functools.partial(_apply, step, running))
        running = made.pop()
    yield timed("credits", lambda: [find_credits(text, credit_rules) for text in running])
    yield timed(
        "clean_batch: all of these as in a run", lambda: [clean_batch(p.uri, p.records, cleaner) for p in parts]
    )
    with tempfile.TemporaryDirectory(dir=folder) as staged:
        staging = Staging(staged)
        yield timed("clean_shard: the same and staging written", lambda: clean_shard(0, parts, staging, cleaner))
        yield timed("staging read", lambda: list(read_parquet(staging.articles(0))))
    batches = list(_batches(running))
    yield timed("tokens counted", lambda: [token_counts(batch) for batch in batches])
    yield timed("shingles", lambda: [shingle_stream(batch, dedup.shingle) for batch in batches])
    yield timed("shingles as sets (verification)", lambda: [shingle_hashes(batch, dedup.shingle) for batch in batches])
    yield timed(
        "shingles, signature and fingerprint",
        lambda: [sign_articles(batch, dedup.shingle, dedup.num_perm, dedup.scale) for batch in batches],
    )
    signed = made.pop()
    banding = choose_banding(dedup.threshold, dedup.num_perm)
    yield timed("band keys", lambda: [band_keys(batch.signatures, banding) for batch in signed])


def _apply(step: Callable[[str], tuple[str, Any]], texts: Iterable[str]) -> list[str]:
    return [step(text)[0] for text in texts]


def _survey(look: Callable[[Sequence[Draft]], Any], drafts: Sequence[Draft]) -> list[Any]:
    return [look(drafts[start : start + _BATCH]) for start in range(0, len(drafts), _BATCH)]


def _batches(texts: Sequence[str]) -> Iterable[pa.LargeStringArray]:
    for start in range(0, len(texts), _BATCH):
        yield pa.array(texts[start : start + _BATCH], pa.large_string())


if __name__ == "__main__":
    main()
