"""``make bench``: cleancopy and its peers, in turn, on the same articles and the same number of workers.

python -m benchmarks.run
python -m benchmarks.run --articles news.parquet --sizes 5000,full,4x --workers 2 --repeats 3
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.corpus import Corpus, Score, enlarged, enlarged_truth, make_synthetic, read_articles, score, write_parts
from benchmarks.measure import Measured, measure

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "benchmarks" / "out"
ENVIRONMENTS: Final = ROOT / ".venv-bench"
DRIVERS: Final = ROOT / "benchmarks" / "peers"

SYNTHETIC_ARTICLES: Final = 40_000  # where no articles are given: about as many as in the corpus we develop on
_PARTS: Final = 8  # files a corpus is written as, because some peers share out files, not rows
_WARM_UP: Final = 1_000  # articles
_PATIENCE: Final = 3  # a peer that takes so many times its budget is ended
_OUR_PATIENCE: Final = 3_600.0  # seconds

OURS: Final = "cleancopy"
_STEPS: Final = {
    "finds the text's encoding": {OURS},
    "repairs mojibake and entities": {OURS, "datatrove"},
    "NFC, white space, hard-wrapped lines": {OURS},
    "strips cruft and promos, drops repeated paragraphs": {OURS},
    "notes the agencies that are credited": {OURS},
    "records every edit so that it can be undone": {OURS},
    "finds near copies": {OURS, "datatrove", "text-dedup", "datasketch"},
    "confirms each copy by exact Jaccard": {OURS},
    "finds excerpts of longer articles": {OURS},
    "says which article a copy was folded into": {OURS},
    "keeps what cannot be used, with the reason": {OURS},
    "writes Parquet": {OURS, "datatrove", "datasketch"},
}
"""What there is to do, and who does it as run here."""


class Tool(NamedTuple):
    """One of those that are compared."""

    name: str
    release: str
    parameters: str


TOOLS: Final = (
    Tool(OURS, version("cleancopy"), "5-shingles, 128 permutations, Jaccard 0.7, containment 0.8: its defaults"),
    Tool("datatrove", "0.10.1", "ftfy; 5-grams, 14 × 8 hashes (threshold about 0.72): its defaults"),
    Tool("text-dedup", "0.4.0", "minhash; 5-grams, 128 permutations, threshold 0.7; SHA-1: its default"),
    Tool("datasketch", "2.0.0", "MinHashLSH as a user writes it, in one process; 5-shingles, 128 permutations, 0.7"),
)


class Run(NamedTuple):
    """One tool, one time."""

    tool: str
    articles: int
    text_bytes: int
    cost: Measured
    output_bytes: int
    kept: int
    score: Score | None
    repeat: int

    @property
    def rate(self) -> float:
        """Articles a second."""
        return self.articles / self.cost.seconds


class BenchmarkError(RuntimeError):
    """A tool failed, or took far too long; the message says where its log is."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables and leave them in benchmarks/out/."""
    options = _parse(arguments)
    tools = [tool for tool in TOOLS if tool.name in (OURS, *options.peers)]
    notes: dict[str, str] = {}
    for tool in tools[1:]:
        _say(f"setting up {tool.name} {tool.release}")
        if (problem := install_peer(tool.name)) is not None:
            notes[tool.name] = problem
    tools = [tool for tool in tools if tool.name not in notes]
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cleancopy-bench-", dir=options.scratch) as scratch:
        bench = Bench(options, tools, notes, Path(scratch))
        sections = [bench.measure_size(size) for size in options.sizes]
    result = {"machine": _machine(), "options": bench.described(), "notes": notes, "sizes": sections}
    markdown = render(result)
    (OUT / "bench.md").write_text(markdown, "utf-8")
    (OUT / "bench.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps(result, ensure_ascii=False) if options.json else markdown)


class Bench:
    """Corpora and runs of one benchmark; everything it writes is below ``scratch`` but for the logs."""

    def __init__(
        self, options: argparse.Namespace, tools: Sequence[Tool], notes: dict[str, str], scratch: Path
    ) -> None:
        self._options = options
        self._tools = list(tools)
        self._notes = notes
        self._scratch = scratch
        self._rates: dict[str, float] = {}
        self._source: list[Path] = list(options.articles)
        self._truth: pa.Table | None = None
        if not self._source:
            _say(f"making {options.synthetic:,} synthetic articles, seed {options.seed}")
            made = make_synthetic(scratch / "source", options.synthetic, options.seed)
            self._source = [made.folder]
            self._truth = enlarged_truth(pq.read_table(made.truth), max(map(_times, options.sizes)))
        self._source = [file for path in self._source for file in _parquet_files(path)]
        self._full = sum(pq.ParquetFile(file).metadata.num_rows for file in self._source)
        self._warm_up()

    def described(self) -> dict[str, Any]:
        """What was asked for; no paths."""
        return {
            "articles": "synthetic" if self._truth is not None else [path.name for path in self._source],
            "seed": self._options.seed if self._truth is not None else None,
            "workers": self._options.workers,
            "repeats": self._options.repeats,
            "budget_seconds": self._options.budget,
        }

    def measure_size(self, size: str) -> dict[str, Any]:
        """Run all tools in turn, as often as asked, and sum up."""
        times = _times(size)
        rows = self._full if size == "full" or times > 1 else min(int(size), self._full)
        whole = self._corpus(f"size-{size}", rows, times)
        corpora = {tool.name: self._part_for(tool.name, whole) for tool in self._tools}
        runs = [run for repeat in range(self._options.repeats) for run in self._in_turn(corpora, repeat)]
        for corpus in {whole.folder, *(corpus.folder for corpus in corpora.values())}:
            shutil.rmtree(corpus.parent)
        for name in {run.tool for run in runs}:
            self._rates[name] = statistics.median(run.rate for run in runs if run.tool == name)
        return {"size": size, "articles": whole.articles, "text_bytes": whole.text_bytes, "tools": summarise(runs)}

    def _warm_up(self) -> None:
        """One run of each tool on few articles, not counted: byte code, numba's cache; and how fast it is about."""
        corpus = self._corpus("warm-up", min(_WARM_UP, self._full), 1)
        self._rates = {run.tool: run.rate for run in self._in_turn({tool.name: corpus for tool in self._tools}, 0)}
        shutil.rmtree(corpus.folder.parent)

    def _in_turn(self, corpora: Mapping[str, Corpus], repeat: int) -> Iterator[Run]:
        """One run of each tool; a peer that fails is noted and left out from then on."""
        for tool in list(self._tools):
            try:
                yield self._run(tool.name, corpora[tool.name], repeat)
            except BenchmarkError as error:
                if tool.name == OURS:
                    raise
                _say(str(error))
                self._notes[tool.name] = str(error)
                self._tools.remove(tool)

    def _part_for(self, tool: str, whole: Corpus) -> Corpus:
        """The whole corpus, or for a tool that would take longer than the budget its first articles."""
        budget = self._options.budget
        if tool == OURS or whole.articles / self._rates[tool] <= budget:
            return whole
        rows = max(_WARM_UP, int(self._rates[tool] * budget / 2) // 1_000 * 1_000)
        folder = self._scratch / f"part-{tool}"
        batches = read_articles(_parquet_files(whole.folder), rows)
        return Corpus(folder / "articles", *write_parts(batches, folder / "articles", -(-rows // _PARTS)), None)

    def _corpus(self, name: str, rows: int, times: int) -> Corpus:
        _say(f"writing {rows * times:,} articles")
        folder = self._scratch / name / "articles"
        batches = enlarged(self._source, rows, times) if times > 1 else read_articles(self._source, rows)
        return Corpus(folder, *write_parts(batches, folder, -(-rows * times // _PARTS)), None)

    def _run(self, tool: str, corpus: Corpus, repeat: int) -> Run:
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._scratch) as folder:
            run = self._run_in(Path(folder), tool, corpus, repeat)
        _say(
            f"{tool}: {run.articles:,} articles in {run.cost.seconds:.1f} s, {run.rate:,.0f}/s, "
            f"{run.cost.peak_tree_bytes / 1e6:,.0f} MB, {run.kept:,} kept"
        )
        return run

    def _run_in(self, folder: Path, tool: str, corpus: Corpus, repeat: int) -> Run:
        target = folder / "output"
        log = OUT / f"{tool}.log"
        cost = measure(
            _command(tool, corpus.folder, target, self._options.workers),
            folder=folder,
            log=log,
            timeout=_OUR_PATIENCE if tool == OURS else self._options.budget * _PATIENCE,
            environment={**os.environ, "TMPDIR": str(folder)},
        )
        if cost.exit_code != 0:
            what = "took too long" if cost.exit_code is None else f"failed with exit code {cost.exit_code}"
            raise BenchmarkError(f"{tool} {what} on {corpus.articles:,} articles; see benchmarks/out/{log.name}")
        kept = list(_kept_ids(tool, target))
        output_bytes = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
        scored = self._score(corpus, kept)
        return Run(tool, corpus.articles, corpus.text_bytes, cost, output_bytes, len(kept), scored, repeat)

    def _score(self, corpus: Corpus, kept: Sequence[str]) -> Score | None:
        """Against the truth about the articles of this corpus."""
        if self._truth is None:
            return None
        ids = pa.array(pq.read_table(corpus.folder, columns=["id"])["id"].to_pylist(), pa.string())
        return score(self._truth.filter(pc.is_in(self._truth["id"], ids)), kept)


def _command(tool: str, source: Path, target: Path, workers: int) -> list[str]:
    if tool == OURS:
        given = ["run", str(source), "--output", str(target), "--workers", str(workers), "--quiet"]
        return [sys.executable, "-m", "pipeline", *given]
    driver = DRIVERS / f"with_{tool.replace('-', '_')}.py"
    return [str(python_of(tool)), str(driver), str(source), str(target), str(workers)]


def _kept_ids(tool: str, target: Path) -> Iterator[str]:
    """Ids of the articles that are left."""
    for path in sorted((target / "articles" if tool == OURS else target).rglob("*")):
        if path.suffix == ".parquet":
            yield from pq.read_table(path, columns=["id"])["id"].to_pylist()
        elif path.suffix == ".arrow":
            with pa.memory_map(str(path)) as file:
                yield from pa.ipc.open_stream(file).read_all()["id"].to_pylist()


def _parquet_files(path: Path) -> list[Path]:
    return sorted(path.glob("**/*.parquet")) if path.is_dir() else [path]


# Peers' environments


def python_of(tool: str) -> Path:
    """The Python of a peer's own environment."""
    return ENVIRONMENTS / tool / "bin" / "python"


def install_peer(name: str) -> str | None:
    """Make the peer's own environment, once for each list of requirements; what is wrong, if anything is."""
    wanted = DRIVERS / f"{name}.txt"
    ready = ENVIRONMENTS / name / ".ready"
    if ready.exists() and ready.read_text("utf-8") == wanted.read_text("utf-8"):
        return None
    OUT.mkdir(parents=True, exist_ok=True)
    log = OUT / f"install-{name}.log"
    shutil.rmtree(ENVIRONMENTS / name, ignore_errors=True)
    pip = [str(python_of(name)), "-m", "pip", "install", "--disable-pip-version-check", "--requirement", str(wanted)]
    with log.open("wb") as output:
        for command in ([sys.executable, "-m", "venv", str(ENVIRONMENTS / name)], pip):
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode:
                return f"could not be installed; see benchmarks/out/{log.name}"
    ready.write_text(wanted.read_text("utf-8"), "utf-8")
    return None


# Results


def summarise(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One row for each tool: medians, and as ratio the median of our rate by its rate in the same repeat."""
    ours = {run.repeat: run.rate for run in runs if run.tool == OURS}
    rows = []
    for tool in dict.fromkeys(run.tool for run in runs):
        own = [run for run in runs if run.tool == tool]
        scored = own[-1].score
        rows.append(
            {
                "tool": tool,
                "articles": own[-1].articles,
                "runs": len(own),
                "seconds": statistics.median(run.cost.seconds for run in own),
                "seconds_each": [round(run.cost.seconds, 3) for run in own],
                "cpu_seconds": statistics.median(run.cost.cpu_seconds for run in own),
                "articles_per_second": statistics.median(run.rate for run in own),
                "text_mb_per_second": statistics.median(run.text_bytes / 1e6 / run.cost.seconds for run in own),
                "ours_is_faster_by": statistics.median(ours[run.repeat] / run.rate for run in own),
                "peak_tree_mb": max(run.cost.peak_tree_bytes for run in own) / 1e6,
                "peak_tree_pss_mb": max(run.cost.peak_tree_pss_bytes for run in own) / 1e6,
                "peak_process_mb": max(run.cost.peak_process_bytes for run in own) / 1e6,
                "output_mb": own[-1].output_bytes / 1e6,
                "kept": own[-1].kept,
                "truth": scored._asdict() if scored else None,
            }
        )
    return rows


def render(result: Mapping[str, Any]) -> str:
    """The result as Markdown."""
    options, machine = result["options"], result["machine"]
    articles = options["articles"]
    source = f"synthetic articles, seed {options['seed']}" if articles == "synthetic" else ", ".join(articles)
    lines = [
        "# Benchmark",
        "",
        f"{source}; {options['workers']} workers; median of {options['repeats']} runs, tools in turn. Wall time with "
        "start-up; one run on 1,000 articles before, not counted, for each tool.",
        f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}.",
    ]
    for section in result["sizes"]:
        lines += ["", f"## {section['articles']:,} articles, {section['text_bytes'] / 1e6:,.0f} MB of text", ""]
        lines += _table(
            [
                *("tool", "articles", "s", "articles/s", "MB/s", "cleancopy is faster by", "CPU s"),
                *("peak RSS, tree", "peak PSS, tree", "largest process", "output", "kept", "recall", "precision"),
            ],
            [_row(row, section["articles"]) for row in section["tools"]],
        )
        kinds = dict.fromkeys(kind for row in section["tools"] if row["truth"] for kind in row["truth"]["by_kind"])
        if kinds:
            lines += ["", "Recall by how the copies were made:", ""]
            lines += _table(
                ["tool", *kinds],
                [
                    [row["tool"], *(_share(row["truth"]["by_kind"].get(kind)) for kind in kinds)]
                    for row in section["tools"]
                ],
            )
    lines += ["", "## What they do", ""]
    lines += _table(
        ["step", *(tool.name for tool in TOOLS)],
        [[step, *("yes" if tool.name in doers else "no" for tool in TOOLS)] for step, doers in _STEPS.items()],
    )
    lines += [""] + [f"- {tool.name} {tool.release}: {tool.parameters}." for tool in TOOLS]
    lines += [f"- Not measured, or not to the end: {problem}" for problem in result["notes"].values()]
    lines += [
        "- A tool that would take over "
        f"{options['budget_seconds']:,.0f} s runs on the first articles only; the table says on how many of them.",
        "- RSS is summed over the process tree every 0.1 s and counts pages that processes share in each of them; PSS, "
        "every 0.5 s, divides them.",
    ]
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, Any], articles: int) -> list[str]:
    part = row["articles"] < articles
    truth = row["truth"] or {}
    return [
        row["tool"],
        f"{row['articles']:,}" + (f" of {articles:,}" if part else ""),
        f"{row['seconds']:.1f}",
        f"{row['articles_per_second']:,.0f}",
        f"{row['text_mb_per_second']:.1f}",
        "" if row["tool"] == OURS else f"{row['ours_is_faster_by']:.1f} ×",
        f"{row['cpu_seconds']:.1f}",
        f"{row['peak_tree_mb']:,.0f} MB",
        f"{row['peak_tree_pss_mb']:,.0f} MB",
        f"{row['peak_process_mb']:,.0f} MB",
        f"{row['output_mb']:,.1f} MB",
        f"{row['kept']:,}",
        _share(truth.get("recall")),
        _share(truth.get("precision")),
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _machine() -> dict[str, Any]:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    peers = [tool.name for tool in TOOLS[1:]]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Time cleancopy beside its peers; see benchmarks/README.md."
    )
    add = parser.add_argument
    add("--articles", nargs="+", type=Path, default=[], metavar="PARQUET", help="files or folders; default: synthetic")
    add(
        "--sizes",
        default="5000,full,4x",
        type=_sizes,
        help="articles, full, or 4x: as many times, perturbed (%(default)s)",
    )
    add("--workers", type=int, default=2, help="for each tool that knows workers (%(default)s)")
    add("--repeats", type=int, default=3, help="runs of each tool at each size (%(default)s)")
    add("--peers", nargs="*", choices=peers, default=peers, help="default: all; none with no names")
    add("--budget", type=float, default=100, help="seconds a peer's run may take before it gets a part (%(default)s)")
    add("--synthetic", type=int, default=SYNTHETIC_ARTICLES, help="articles, where none are given (%(default)s)")
    add("--seed", type=int, default=7, help="of the synthetic articles (%(default)s)")
    add("--scratch", type=Path, help="folder for corpora and outputs while it runs; default: the system's")
    add("--json", action="store_true", help="print JSON instead of Markdown")
    options = parser.parse_args(arguments)
    options.articles = [path.resolve() for path in options.articles]
    if missing := [path.name for path in options.articles if not path.exists()]:
        parser.error(f"--articles [{missing[0]}] does not exist")
    return options


def _sizes(value: str) -> list[str]:
    sizes = value.split(",")
    for size in sizes:
        if not (size == "full" or size.removesuffix("x").isdigit()):
            raise argparse.ArgumentTypeError(f"[{size}] is no size: a number of articles, full, or 4x")
    return sizes


def _times(size: str) -> int:
    return int(size[:-1]) if size.endswith("x") else 1


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
