"""The command line. Only this module exits; what a command needs is imported when it runs, so ``--help`` is quick."""

import atexit
import dataclasses
import io
import logging
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from pipeline.log import JsonLog
    from pipeline.options import Config

EXIT_FAILED, EXIT_USAGE = 1, 2
EXIT_INTERRUPTED, EXIT_TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

_LOG = "cleancopy.log"  # in the context's meta

_EXAMPLES = {
    "run": """
        \b
        cleancopy run articles/ --output out
        cleancopy run 'crawl/*.jsonl.gz' --output out --columns text=body,id=guid
        cleancopy run s3://bucket/crawl/ --output s3://bucket/clean --runner=FlinkRunner --flink_master=...
    """,
    "clean": """
        \b
        cleancopy clean article.txt
        curl -s https://example.org/story.txt | cleancopy clean --diff -
    """,
}

F = TypeVar("F", bound=Callable[..., Any])


class _Command(click.Command):
    """A command with examples under its help, whose wrong usage is told in JSON where that is asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if _json_log():
                _fail(error.format_message(), EXIT_USAGE)
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        name = ctx.command_path.partition(" ")[2]
        if name in _EXAMPLES:
            lines = [line.strip() for line in _EXAMPLES[name].strip().splitlines()]
            with formatter.section("Examples"):
                for line in filter(lambda line: line != "\b", lines):
                    formatter.write_text(line)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="cleancopy")
def cli() -> None:
    """Turn scraped news articles into clean copy and keep one copy of each story.

    Every change is recorded and can be undone; every copy is confirmed against the article it is folded into.
    """
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns of extras that are not installed


def _read_config(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """The values of ``--config`` become the command's defaults, so that flags win."""
    if path is None:
        return
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.UsageError(f"--config [{path}] cannot be read as TOML: {error}") from None
    parameters = {name.lstrip("-").replace("-", "_"): each for each in ctx.command.params for name in each.opts}
    del parameters["config"]
    defaults = {}
    for key, value in values.items():
        parameter = parameters.get(key.replace("-", "_"))
        if parameter is None:
            raise click.UsageError(
                f"--config [{path}] sets [{key}], which is no option of run; see cleancopy run --help"
            )
        try:
            defaults[str(parameter.name)] = _as_given(parameter, value)
        except TypeError:
            raise click.UsageError(
                f"--config [{path}] sets [{key}] to [{value}], which the option does not take; see cleancopy run --help"
            ) from None
    ctx.default_map = defaults


def _as_given(parameter: click.Parameter, value: Any) -> Any:
    """A value of TOML as the command line would give it; ``TypeError`` where that could not be."""
    if parameter.name == "columns" and isinstance(value, dict):
        value = ",".join(f"{field}={column}" for field, column in value.items())
    if parameter.name == "prefer_sources" and isinstance(value, list):
        value = ",".join(map(str, value))
    if parameter.nargs == -1:
        return list(map(str, value)) if isinstance(value, list) else [str(value)]
    if isinstance(value, bool) != getattr(parameter, "is_flag", False) or not isinstance(value, str | int | float):
        raise TypeError
    return value if isinstance(value, bool) else str(value)


def _log_as_json(ctx: click.Context, _: click.Parameter, value: str) -> None:
    """From here on messages are JSON, until the command ends."""
    if value != "json" or _LOG in ctx.meta:
        return
    from pipeline.log import JsonLog

    log = ctx.meta[_LOG] = JsonLog()
    logging.getLogger().addHandler(log)
    ctx.call_on_close(lambda: logging.getLogger().removeHandler(log))


def _json_log() -> "JsonLog | None":
    context = click.get_current_context(silent=True)
    return context.meta.get(_LOG) if context else None


@cli.command(
    cls=_Command,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", type=click.UNPROCESSED)
@click.option("--output", required=True, metavar="DIR", help="Folder or URI for the result; must not hold a run yet.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_read_config,
    help="TOML file with these options by the same names; flags win.",
)
@click.option(
    "--columns",
    default="",
    metavar="FIELD=COLUMN,...",
    help="Columns that have unusual names: text=body,id=guid. Others are found by their usual names.",
)
@click.option(
    "--decide",
    type=click.Choice(["signs", "threshold"]),
    default="signs",
    show_default=True,
    help="signs: what differs, leads, headlines, dates tell what is a copy. threshold: Jaccard and containment alone.",
)
@click.option(
    "--threshold",
    default=0.7,
    show_default=True,
    help="Jaccard of shingles from which every pair is compared; with --decide threshold, from which it is a copy.",
)
@click.option(
    "--containment",
    default=0.8,
    show_default=True,
    help="Share of an article's shingles found in a longer one from which it is an excerpt.",
)
@click.option("--shingle", default=5, show_default=True, help="Words in a shingle (characters in Chinese, Thai ...).")
@click.option("--num-perm", default=128, show_default=True, help="Permutations in a MinHash signature.")
@click.option(
    "--canonical",
    type=click.Choice(["earliest", "longest", "preferred"]),
    default="earliest",
    show_default=True,
    help="Which article of a cluster is kept.",
)
@click.option(
    "--updates",
    type=click.Choice(["latest", "first", "all"]),
    default="latest",
    show_default=True,
    help="Which version of a story is kept that its source published again; all: every version.",
)
@click.option(
    "--within",
    metavar="SPAN",
    help="Fold only articles published that close together: 12h, 30d, 6w. Undated ones are close to all.",
)
@click.option(
    "--max-cluster",
    default=5000,
    show_default=True,
    help="Larger clusters are held back: nothing of them is folded, and the summary names them.",
)
@click.option("--prefer-sources", default="", metavar="A,B,...", help="For --canonical preferred: sources, best first.")
@click.option(
    "--keep",
    type=click.Choice(["canonical", "all"]),
    default="canonical",
    show_default=True,
    help="all: copies stay in articles/ too, with their canonical_id.",
)
@click.option(
    "--index",
    default="",
    metavar="DIR",
    help="Folder or URI of the index across runs: copies of articles that earlier runs kept are folded into those.",
)
@click.option(
    "--index-window",
    default="30d",
    metavar="SPAN",
    show_default=True,
    help="How far back the dates of runs lie that are seen in the index, from the date of this run: 30d, 6w.",
)
@click.option(
    "--index-run",
    default="",
    metavar="NAME",
    show_default="by input and output",
    help="Name of this run in the index; a run of the same name is replaced.",
)
@click.option(
    "--quotes",
    type=click.Choice(["keep", "straight"]),
    default="keep",
    show_default=True,
    help="straight: typographic quotation marks become ASCII ones.",
)
@click.option(
    "--rules",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="TOML file that adds cruft rules or switches off shipped ones.",
)
@click.option(
    "--boilerplate",
    metavar="DIR",
    help="Output folder of an earlier run, or its boilerplate/: what it learned of each source goes as well.",
)
@click.option("--no-boilerplate", is_flag=True, help="Do not learn and strip what a source prints in many articles.")
@click.option(
    "--boilerplate-support",
    default=5,
    show_default=True,
    help="Articles of one source that have to share a paragraph for it to be boilerplate.",
)
@click.option(
    "--boilerplate-diversity",
    default=4,
    show_default=True,
    help="Different neighbours that it has to have in them; in copies of one story it always has the same.",
)
@click.option("--workers", default=0, show_default="all cores", help="Worker processes of the local runner.")
@click.option(
    "--max-reject-rate",
    default=0.05,
    show_default=True,
    help="Fail, and commit nothing, when a larger share of the records cannot be used.",
)
@click.option(
    "--max-source-loss",
    default=0.95,
    show_default=True,
    help="Fail, and commit nothing, when a source of a hundred articles or more would lose a larger share as copies.",
)
@click.option("--strict", is_flag=True, help="Fail when a file cannot be read whole.")
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace the run that the output folder holds; an unfinished one of the same command goes on.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Tell what would be read, what would become of the output folder and about what it would cost; write nothing.",
)
@click.option("--runner", default="DirectRunner", show_default=True, help="Beam runner; the default is local.")
@click.option(
    "--metrics-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what came of the run there, for the text-file collector of Prometheus' node_exporter: NAME.prom.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    is_eager=True,
    expose_value=False,
    callback=_log_as_json,
    help="json: progress, errors and the counts at the end go to stderr as one JSON object a line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest instead of a summary.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def run(**options: Any) -> None:
    """Clean and deduplicate articles: the whole pipeline.

    INPUT is a file, a folder, a glob or a URI: .txt (one article a file), .jsonl, .csv, .tsv and .parquet, the text
    ones also as .gz, .zst or .bz2. DIR/report.html tells what was done. Options that are not listed here go to Beam, as
    --flag=value.
    """
    from pipeline.lean import import_beam, uncollected, use_one_heap

    signal.signal(signal.SIGTERM, _terminate)
    use_one_heap()
    with _told_at_the_end(options) as told, _user_errors():
        config = _config_of(options)
        if options["dry_run"]:
            from pipeline.dry_run import look_ahead
            from pipeline.show import show_forecast

            show_forecast(look_ahead(config), as_json=options["as_json"])
            return
        with uncollected():
            if config.is_local:
                import_beam()
            from rich.console import Console

            from pipeline.progress import Progress
            from pipeline.run import run as run_pipeline
            from pipeline.show import show_summary

        log = _json_log()
        quiet = options["quiet"] or (options["as_json"] and not log)
        told.manifest = manifest = run_pipeline(config, Progress(Console(stderr=True), quiet=quiet, log=log))
        show_summary(manifest, config.output, told.seconds, as_json=options["as_json"])


@cli.command(cls=_Command, short_help="Tell where a run stands, and what comes next.")
@click.argument("output", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def status(output: str, as_json: bool) -> None:
    """Tell where the run in an output folder stands, and what the same command would do next.

    Nothing is changed, so it may be asked while the run works.
    """
    with _user_errors():
        from pipeline.show import show_status
        from pipeline.standing import standing_of

        show_status(standing_of(output), as_json=as_json)


@cli.command(cls=_Command, short_help="Build report.html of a finished run anew.")
@click.argument("output", metavar="DIR")
def report(output: str) -> None:
    """Build report.html of a finished run anew: one page, for a browser, of what the run did and what is worth a look.

    Every run writes it; this is for one that is lost, or made by another version.
    """
    with _user_errors():
        from pipeline.report import rebuild_report
        from transforms.errors import printable

        click.echo(f"report in {printable(rebuild_report(output))}")


@cli.command(cls=_Command, short_help="Clean one article.")
@click.argument("file", default="-", type=click.Path(allow_dash=True))
@click.option("--diff", is_flag=True, help="Show what was changed, where and by which rule, instead of the text.")
@click.option("--json", "as_json", is_flag=True, help="Text, encoding, credits and edits as JSON.")
@click.option("--quotes", type=click.Choice(["keep", "straight"]), default="keep", show_default=True, help="As in run.")
@click.option("--rules", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Extra cruft rules.")
def clean(file: str, diff: bool, as_json: bool, quotes: Any, rules: Path | None) -> None:
    """Clean one article, from a file or standard input, to standard output."""
    with _user_errors():
        from pipeline.show import show_cleaned
        from transforms.text.clean import CleanConfig, Cleaner
        from transforms.text.decode import decode

        decoded = decode(_read(file))
        cleaned = Cleaner(CleanConfig(quotes=quotes, rules=rules)).clean(decoded.text)
        show_cleaned(cleaned, decoded, diff=diff, as_json=as_json)


@cli.command(cls=_Command)
@click.argument("output", metavar="DIR")
@click.argument("article_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def explain(output: str, article_id: str, as_json: bool) -> None:
    """Tell the story of one article of a finished run.

    How it was decoded, each edit and its rule, and its cluster: what was folded into it, or what it was folded into
    and how similar the two are.
    """
    with _user_errors():
        from pipeline.explain import explain_article
        from pipeline.show import show_explanation

        show_explanation(explain_article(output, article_id), as_json=as_json)


@cli.command(cls=_Command, short_help="Tell how similar two articles are.")
@click.argument("left", metavar="A", type=click.Path(allow_dash=True))
@click.argument("right", metavar="B", type=click.Path(allow_dash=True))
@click.option("--run", "output", metavar="DIR", help="A and B are ids of a finished run, compared as it was set.")
@click.option("--shingle", default=5, show_default=True, help="Words in a shingle.")
@click.option("--num-perm", default=128, show_default=True, help="Permutations of the estimate.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def compare(left: str, right: str, output: str | None, shingle: int, num_perm: int, as_json: bool) -> None:
    """Compare two articles: Jaccard, containment both ways, what both have, what differs, and how it is decided.

    A and B are files, decoded and cleaned first, as in a run; nothing is known of them but their texts. With --run they
    are articles of a run, with headlines, sources, pages and dates.
    """
    with _user_errors():
        from pipeline.compare import compare_articles, compare_of_run
        from pipeline.options import check_limits
        from pipeline.show import show_comparison
        from transforms.text.clean import Cleaner
        from transforms.text.decide import DEFAULT_THRESHOLDS, Article
        from transforms.text.decode import decode

        if output is not None:
            show_comparison(compare_of_run(output, left, right), (left, right), as_json=as_json)
            return
        check_limits(shingle=shingle, num_perm=num_perm)
        if left == right == "-":
            raise click.UsageError("only one of A and B can be standard input")
        cleaner = Cleaner()
        articles = [Article(cleaner.clean(decode(_read(file)).text).text) for file in (left, right)]
        thresholds = DEFAULT_THRESHOLDS._replace(shingle=shingle)
        comparison = compare_articles(*articles, num_perm=num_perm, thresholds=thresholds)
        show_comparison(comparison, (left, right), as_json=as_json)


@cli.group(short_help="Look after the index of earlier runs.")
def index() -> None:
    """Look after the index of earlier runs that `run --index` matches articles with."""


_INDEX = click.argument("uri", metavar="INDEX")


@index.command(name="ls", cls=_Command, short_help="List the runs in their order.")
@_INDEX
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def index_ls(uri: str, as_json: bool) -> None:
    """List the runs in an index in their order: a run sees those above it."""
    with _user_errors():
        from pipeline.indexed import read_runs
        from pipeline.show_index import show_runs

        show_runs(read_runs(uri), as_json=as_json)


@index.command(name="prune", cls=_Command)
@_INDEX
@click.option(
    "--older-than", required=True, metavar="SPAN", help="90d, 12w: counts back from the newest run in the index."
)
@click.option("--json", "as_json", is_flag=True, help="The runs that were dropped as JSON.")
def index_prune(uri: str, older_than: str, as_json: bool) -> None:
    """Drop the runs that are older than that, by their dates."""
    with _user_errors():
        from pipeline.indexed import prune
        from pipeline.options import parse_window
        from pipeline.show_index import show_changed

        show_changed("dropped", prune(uri, parse_window("--older-than", older_than)), as_json=as_json)


@index.command(name="drop-run", cls=_Command, short_help="Take one run out of an index.")
@_INDEX
@click.argument("name")
def index_drop_run(uri: str, name: str) -> None:
    """Take the run NAME out of an index, so that later runs no longer see its articles."""
    with _user_errors():
        from pipeline.indexed import drop_run
        from transforms.errors import printable

        drop_run(uri, name)
        click.echo(f"dropped {printable(name)}")


@index.command(name="rebuild", cls=_Command, short_help="Sign the articles anew, for other options.")
@_INDEX
@click.option("--threshold", default=0.7, show_default=True, help="As in run.")
@click.option("--shingle", default=5, show_default=True, help="As in run.")
@click.option("--num-perm", default=128, show_default=True, help="As in run.")
@click.option("--json", "as_json", is_flag=True, help="The runs that were rebuilt as JSON.")
def index_rebuild(uri: str, threshold: float, shingle: int, num_perm: int, as_json: bool) -> None:
    """Sign the articles in an index anew, for runs of another scheme: other options, or another version of cleancopy.

    Give the options that later runs have. Runs that are of that scheme already are left as they are.
    """
    with _user_errors():
        from pipeline.index import rebuild
        from pipeline.options import check_limits
        from pipeline.show_index import show_changed
        from transforms.config import DedupConfig

        check_limits(threshold=threshold, shingle=shingle, num_perm=num_perm)
        config = DedupConfig(threshold=threshold, shingle=shingle, num_perm=num_perm)
        done = rebuild(uri, config, lambda line: click.echo(line, err=True))
        show_changed("rebuilt", done, as_json=as_json)


@cli.group(name="eval")
def evaluate() -> None:
    """Score cleaning and deduplication against labelled data."""


@evaluate.command(name="clean", cls=_Command, short_help="Score cleaning.")
@click.argument("labelled", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--tail",
    "tails",
    multiple=True,
    metavar="K",
    help="Keep only K blocks behind each article, or `whole`; may be given again. Default: 1, 4, 8 and whole.",
)
@click.option("--worst", default=0, metavar="N", help="Print the N article paragraphs whose loss costs most words.")
@click.option("--rules", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Extra cruft rules.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def eval_clean(labelled: Path, tails: tuple[str, ...], worst: int, rules: Path | None, as_json: bool) -> None:
    """Score cleaning: the cruft and promos that go, and above all the share of the articles that is lost.

    LABELLED is .jsonl or .jsonl.gz; each line is a page with `labels` (1 where the paragraph is the article's, 0 where
    not) and as many `paragraphs`, or `naive_text` with a blank line between paragraphs; `id` and `lang` if known.
    """
    with _user_errors():
        from pipeline.evaluate import DEFAULT_TAILS, evaluate_cleaning, parse_tail, read_pages
        from pipeline.show_eval import show_evaluations
        from transforms.text.clean import CleanConfig, Cleaner
        from transforms.text.repetition_kernel import find_repetition
        from transforms.text.rules import load_cruft_rules

        lengths = tuple(map(parse_tail, tails)) or DEFAULT_TAILS
        cleaner = Cleaner(CleanConfig(rules=rules), find_repetition)
        evaluations = evaluate_cleaning(read_pages(labelled), cleaner, load_cruft_rules(rules), lengths)
        show_evaluations(evaluations, worst=worst, as_json=as_json)


@evaluate.command(name="dedup", cls=_Command, short_help="Score deduplication.")
@click.argument("labelled", type=click.Path(dir_okay=False, exists=True))
@click.option("--run", "output", metavar="DIR", help="A finished run whose decisions are scored.")
@click.option(
    "--articles",
    type=click.Path(exists=True),
    metavar="PARQUET",
    help="Articles, a file or a folder, with id, text, and title, source, url, date if known: each pair is decided.",
)
@click.option("--threshold", default=0.7, show_default=True, help="Jaccard from which truth pairs are copies.")
@click.option("--containment", default=0.8, show_default=True, help="Containment from which they are excerpts.")
@click.option("--worst", default=0, metavar="N", help="Print the N worst misses and false merges side by side.")
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def eval_dedup(
    labelled: str,
    output: str | None,
    articles: str | None,
    threshold: float,
    containment: float,
    worst: int,
    as_json: bool,
) -> None:
    """Score deduplication: the copies that are missed, and the articles that are falsely merged.

    LABELLED is .jsonl or .parquet. Judged pairs have id_a, id_b and merge: `yes` and `version` should be folded, `no`
    should not, `containment` may be an excerpt or kept apart and counts only when it is folded as anything else. Truth
    pairs have id_a, id_b, jaccard and containment: those at a threshold should be folded, of the others nothing is
    known, so they tell recall alone. Clusters have id and cluster (or story).

    A pair is folded when both articles have one canonical article. Pairs with an article that is not there are counted
    apart. Clusters (adjusted Rand index, B-cubed) are compared over the labelled articles of a run; from pairs, the
    true clusters are the components of those that should be folded.
    """
    with _user_errors():
        from pipeline.evaluate_dedup import (
            evaluate_dedup,
            predictions_of_articles,
            predictions_of_run,
            read_labels,
        )
        from pipeline.show_eval import show_dedup_score

        if (output is None) == (articles is None):
            raise click.UsageError("give either --run DIR or --articles PARQUET")
        labels = read_labels(labelled, threshold, containment)
        predictions = predictions_of_run(output) if output else predictions_of_articles(str(articles), labels)
        show_dedup_score(evaluate_dedup(labels, predictions), predictions, worst=worst, as_json=as_json)


@cli.group(invoke_without_command=True, short_help="List, explain and test the cruft rules.")
@click.pass_context
def rules(context: click.Context) -> None:
    """List, explain and test the cruft rules; without a subcommand, list them."""
    if context.invoked_subcommand is None:
        context.invoke(rules_list)


@rules.command(name="list", cls=_Command, short_help="List all rules.")
@click.option(
    "--rules", "file", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Extra cruft rules."
)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON, with all wordings.")
def rules_list(file: Path | None = None, as_json: bool = False) -> None:
    """List all rules: name, kind, strength, how many wordings and patterns."""
    with _user_errors():
        from pipeline.show_eval import show_rules
        from transforms.text.rules import load_cruft_rules

        show_rules(load_cruft_rules(file).rules, as_json=as_json)


@rules.command(name="explain", cls=_Command)
@click.argument("name")
@click.option(
    "--rules", "file", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Extra cruft rules."
)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def rules_explain(name: str, file: Path | None, as_json: bool) -> None:
    """Say what the rule NAME (en/share-bar, say) removes and when."""
    with _user_errors():
        from pipeline.show_eval import show_rule
        from transforms.text.rules import load_cruft_rules

        show_rule(name, load_cruft_rules(file).rules, as_json=as_json)


@rules.command(name="test", cls=_Command, short_help="Check a file of rules.")
@click.option("--rules", "file", type=click.Path(dir_okay=False, exists=True, path_type=Path), help="Your rules.")
def rules_test(file: Path | None) -> None:
    """Check a file of rules, or the shipped ones, and that each wording goes where it should.

    A strong wording has to go behind an article, a weak one below a comment form, a promo between two paragraphs.
    """
    with _user_errors():
        from pipeline.evaluate import find_idle_wordings
        from pipeline.show_eval import show_idle_wordings
        from transforms.text.rules import load_cruft_rules

        loaded = load_cruft_rules(file)
        shipped = {rule.name for rule in load_cruft_rules().rules} if file else set()
        checked = [rule for rule in loaded.rules if rule.name not in shipped]
        idle = find_idle_wordings(loaded, checked)
        show_idle_wordings(idle, checked)
        if idle:
            sys.exit(EXIT_FAILED)


def _config_of(options: Mapping[str, Any]) -> "Config":
    """What ``run`` is to do; ``UsageError`` where an option does not fit. Beam is not loaded without need."""
    from pipeline import options as parsing
    from transforms.config import DedupConfig
    from transforms.text.clean import CleanConfig

    parsing.OWN_FLAGS[:] = [flag for parameter in run.params for flag in parameter.opts if flag.startswith("--")]
    inputs = [value for value in options["inputs"] if not value.startswith("--")]
    if not inputs:
        raise click.UsageError("no INPUT given; see cleancopy run --help")
    return parsing.Config(
        inputs=tuple(map(parsing.expand_user, inputs)),
        output=parsing.expand_user(options["output"]),
        columns=parsing.parse_columns(options["columns"]),
        clean=CleanConfig(quotes=options["quotes"], rules=options["rules"]),
        dedup=DedupConfig(
            decide=options["decide"],
            updates=options["updates"],
            within_days=parsing.parse_span("--within", options["within"]) if options["within"] else None,
            max_cluster=options["max_cluster"],
            threshold=options["threshold"],
            containment=options["containment"],
            shingle=options["shingle"],
            num_perm=options["num_perm"],
            canonical=options["canonical"],
            prefer_sources=tuple(filter(None, options["prefer_sources"].split(","))),
        ),
        ledger=_ledger_config(options),
        keep=options["keep"],
        index=parsing.expand_user(options["index"]),
        index_window=parsing.parse_window("--index-window", options["index_window"]),
        index_run=parsing.check_run_name(options["index_run"]) if options["index_run"] else "",
        workers=options["workers"],
        max_reject_rate=options["max_reject_rate"],
        max_source_loss=options["max_source_loss"],
        strict=options["strict"],
        overwrite=options["overwrite"],
        runner=options["runner"],
        beam_args=tuple(value for value in options["inputs"] if value.startswith("--")),
    )


def _ledger_config(options: Mapping[str, Any]) -> Any:
    from pipeline.options import expand_user
    from transforms.config import LedgerConfig
    from transforms.errors import UsageError
    from transforms.files import FileError

    known = options["boilerplate"]
    if known and options["no_boilerplate"]:
        raise UsageError("--no-boilerplate and --boilerplate exclude each other")
    batch = None
    if known:
        from transforms.ledger import read_boilerplate

        try:
            batch = read_boilerplate(expand_user(known))
        except FileError as error:
            raise UsageError(f"--boilerplate {error}") from None
    return LedgerConfig(
        learn=not options["no_boilerplate"],
        min_support=options["boilerplate_support"],
        min_diversity=options["boilerplate_diversity"],
        known=batch,
    )


@dataclasses.dataclass
class _Told:
    """What a run leaves for the one who tells its end."""

    manifest: Mapping[str, Any] | None = None
    started: float = dataclasses.field(default_factory=time.time)
    began: float = dataclasses.field(default_factory=time.monotonic)  # for how long: the clock may be set meanwhile

    @property
    def seconds(self) -> float:
        """Since it began."""
        return round(time.monotonic() - self.began, 3)


@contextmanager
def _told_at_the_end(options: Mapping[str, Any]) -> Iterator[_Told]:
    """Write ``--metrics-file`` and the last line of a JSON log, however the block ends."""
    told, code = _Told(), EXIT_FAILED
    try:
        yield told
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else EXIT_FAILED
        raise
    except click.ClickException as error:
        code = error.exit_code
        if _json_log():
            _fail(error.format_message(), code)
        raise
    except Exception as error:
        if not (log := _json_log()):
            raise
        log.write_bug(error)
        sys.exit(code)
    finally:
        _tell(options, told, code)


def _tell(options: Mapping[str, Any], told: _Told, code: int) -> None:
    if (path := options["metrics_file"]) and not options["dry_run"]:
        _write_metrics(path, told, code)
    if log := _json_log():
        done = told.manifest if code == 0 else None
        log.write(
            "info" if code == 0 else "error",
            "finished" if code == 0 else "failed",
            event="end",
            exit_code=code,
            seconds=told.seconds,
            output=options["output"],
            **({name: done[name] for name in ("run", "shards", "counts", "history")} if done else {}),
        )


def _write_metrics(path: Path, told: _Told, code: int) -> None:
    from pipeline.metrics_file import Outcome, write_metrics
    from transforms.errors import RunFailedError, printable
    from transforms.files import FileError

    try:
        manifest = told.manifest if code == 0 else None
        write_metrics(path, Outcome(told.started, time.time(), told.seconds, code, manifest))
    except (FileError, RunFailedError) as error:  # the run is what it is
        if log := _json_log():
            log.write("warning", f"--metrics-file {error}")
        else:
            click.echo(f"cleancopy: warning: --metrics-file {printable(str(error))}", err=True)


def _read(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


@contextmanager
def _user_errors() -> Iterator[None]:
    """One clear line and an exit code for what a user can mend; a traceback only for a bug of ours."""
    from transforms.errors import RunFailedError, UsageError
    from transforms.text.decode import UndecodableError
    from transforms.text.rules import RuleError

    try:
        yield
    except (UsageError, RuleError) as error:
        _fail(str(error), EXIT_USAGE)
    except (RunFailedError, UndecodableError) as error:
        _fail(str(error), EXIT_FAILED)
    except BrokenPipeError:
        # The reader of our output has enough: `cleancopy clean x | head`.
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        _fail(f"[{error.filename}]: {error.strerror}" if error.filename else str(error), EXIT_USAGE)
    except OSError as error:  # a full disk, a URI that cannot be opened …
        _fail(str(error), EXIT_USAGE if isinstance(error.__cause__, NotADirectoryError) else EXIT_FAILED)
    except _Terminated:
        _fail("terminated; the same command goes on from here", EXIT_TERMINATED)
    except KeyboardInterrupt:
        _fail("interrupted; the same command goes on from here", EXIT_INTERRUPTED)


class _Terminated(KeyboardInterrupt):
    """The system or a scheduler wants us to end: as Ctrl-C, but for the exit code."""


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


def _fail(message: str, code: int) -> NoReturn:
    from transforms.errors import printable

    if log := _json_log():
        log.write("error", message, exit_code=code)
    else:
        click.echo(f"cleancopy: error: {printable(message)}", err=True)
    sys.exit(code)


def main() -> None:
    """Entry point of ``cleancopy``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a text has all characters, whatever those of the locale are
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        cli(prog_name="cleancopy")
    except SystemExit as ended:
        if "apache_beam" in sys.modules and isinstance(ended.code, int):
            _end_at_once(ended.code)
        raise


def _end_at_once(code: int) -> None:
    """End without taking down all of Beam's modules, which takes 0.4 s; return if output cannot be written out."""
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
