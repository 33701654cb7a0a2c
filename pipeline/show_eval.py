"""Puts scores and rules before a person's eyes; nothing is decided here."""

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from pipeline.evaluate import Evaluation, Score
from pipeline.evaluate_dedup import BANDS, DedupScore, Found, Predictions
from pipeline.show import counted, escape, make_console, print_json, print_table, show_signs
from transforms.errors import UsageError
from transforms.text.decide import Article
from transforms.text.rules import Rule
from transforms.text.shingles import tokens

_MAX_SHOWN = 110  # characters of a lost paragraph
_MIN_PAGES = 2  # languages of fewer pages are in --json only
_SHOWN_WORDS = 24  # that only one article of a pair has


def show_evaluations(evaluations: Sequence[Evaluation], *, worst: int, as_json: bool) -> None:
    """The scores of each tail length: in all, by language, by kind of cruft and by rule; then the worst losses."""
    if as_json:
        print_json([evaluation.to_dict(worst) for evaluation in evaluations])
        return
    console = make_console()
    table = _table("tail", "pages", "trailing", "removed", "promos", "removed", "words", "lost", "loss", "repeated")
    for evaluation in evaluations:
        table.add_row(_name(evaluation), *_cells(evaluation.score))
    print_table(console, table)
    for evaluation in evaluations:
        console.print(f"\n[bold]tail {_name(evaluation)}[/], by kind of cruft", highlight=False)
        kinds = _table("kind", "trailing", "removed", "")
        for kind, count in evaluation.trailing_by_kind.most_common():
            removed = evaluation.removed_by_kind[kind]
            kinds.add_row(kind, f"{count:,}", f"{removed:,}", _percent(removed, count))
        print_table(console, kinds)
        console.print(f"\n[bold]tail {_name(evaluation)}[/], by language", highlight=False)
        languages = _table(
            "language", "pages", "trailing", "removed", "promos", "removed", "words", "lost", "loss", "repeated"
        )
        for language, score in sorted(evaluation.by_language.items(), key=lambda item: (-item[1].pages, item[0])):
            if score.pages >= _MIN_PAGES:
                languages.add_row(escape(language), *_cells(score))
        print_table(console, languages)
        if evaluation.lost_words_by_rule:
            console.print(f"\n[bold]tail {_name(evaluation)}[/], rules that cost article text", highlight=False)
            rules = _table("rule", "blocks removed rightly", "article words lost")
            for rule, lost in evaluation.lost_words_by_rule.most_common():
                rules.add_row(escape(rule), f"{evaluation.removed_by_rule[rule]:,}", f"{lost:,}")
            print_table(console, rules)
        for loss in evaluation.worst(worst):
            shown = " ".join(loss.paragraph.split())
            shown = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"
            console.print(f"{loss.words:>5}  {escape(loss.rule)}  {escape(loss.page)}", highlight=False)
            console.print(f"       [red]{escape(shown)}[/]", highlight=False, soft_wrap=True)


def show_dedup_score(score: DedupScore, predictions: Predictions, *, worst: int, as_json: bool) -> None:
    """The sums by band of Jaccard, what became of each label, how alike clusters are; then the worst, side by side."""
    if as_json:
        print_json(score.to_dict(worst))
        return
    console = make_console()
    summary = score.to_dict()
    console.print(
        f"{counted(summary['pairs'], 'pair')}, {summary['unknown']:,} more with an article that is not there",
        highlight=False,
    )
    sums = _table("Jaccard", "precision", "recall", "F1", "folded", "missed", "false")
    names = {f"{low:.1f}": f"{low:.1f} to {high:.1f}" for low, high in pairwise(BANDS)}
    for name, counts in (*summary["by_band"].items(), ("all", summary)):
        # Where each pair is to be folded, none can be folded falsely.
        shares = ("-" if key != "recall" and not score.knows_false else f"{counts[key]:.3f}" for key in _SHARES)
        sums.add_row(names.get(name, name), *shares, *(f"{counts[key]:,}" for key in ("folded", "missed", "false")))
    print_table(console, sums)
    relations = sorted({relation for counts in summary["relations"].values() for relation in counts})
    labels = _table("label", *relations)
    for label, counts in summary["relations"].items():
        labels.add_row(
            escape(label), *(f"{counts[relation]:,}" if relation in counts else "" for relation in relations)
        )
    console.print()
    print_table(console, labels)
    if score.clusters:
        console.print(
            f"\nclusters of {counted(score.clusters.articles, 'article')}: adjusted Rand "
            f"{score.clusters.adjusted_rand:.4f}, B-cubed precision {score.clusters.bcubed_precision:.4f}, recall "
            f"{score.clusters.bcubed_recall:.4f}",
            highlight=False,
        )
    for found in score.worst(worst):
        _show_pair(console, found, predictions)


_SHARES = ("precision", "recall", "f1")


def _show_pair(console: Console, found: Found, predictions: Predictions) -> None:
    what = "missed" if found.is_miss else "falsely merged"
    likeness = "" if found.pair.jaccard is None else f", Jaccard {found.pair.jaccard:.3f}"
    console.print(f"\n[bold]{what}[/]: {escape(found.pair.label)}, found {found.relation}{likeness}", highlight=False)
    if found.decision:
        show_signs(console, [{"name": sign.name, "points": sign.points} for sign in found.decision.signs])
    both = [predictions.article(name) or Article("") for name in (found.pair.id_a, found.pair.id_b)]
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    for cells in (
        (found.pair.id_a, found.pair.id_b),
        *(tuple(str(getattr(article, name) or "") for article in both) for name in ("title", "source", "published")),
        _differing_words(both[0].text, both[1].text),
    ):
        if any(cells):
            table.add_row(*map(escape, cells))
    print_table(console, table)


def _differing_words(left: str, right: str) -> tuple[str, str]:
    """The first words that one text has and the other has not, in each; nothing where a text is not known."""
    if not left or not right:
        return "", ""
    words = [tokens(text) for text in (left, right)]
    known = [set(side) for side in words]
    sides = ([word for word in words[side] if word not in known[1 - side]] for side in (0, 1))
    first, second = (
        " ".join(side[:_SHOWN_WORDS]) + (f" … ({len(side)} words)" if len(side) > _SHOWN_WORDS else "")
        for side in sides
    )
    return first, second


def show_rules(rules: Iterable[Rule], *, as_json: bool) -> None:
    """All rules, one a line."""
    if as_json:
        print_json([dataclasses.asdict(rule) for rule in rules])
        return
    table = _table("rule", "kind", "strength", "wordings", "patterns")
    for rule in rules:
        table.add_row(rule.name, rule.kind, rule.strength, str(len(rule.literals)), str(len(rule.patterns)))
    print_table(make_console(), table)


def show_rule(name: str, rules: Iterable[Rule], *, as_json: bool) -> None:
    """One rule: when it applies and all its wordings.

    Raises:
        UsageError: no rule has this name.
    """
    rule = next((rule for rule in rules if rule.name == name), None)
    if rule is None:
        raise UsageError(f"no rule [{name}]; `cleancopy rules` lists them")
    if as_json:
        print_json(dataclasses.asdict(rule))
        return
    console = make_console()
    console.print(
        f"[bold]{rule.name}[/]: {_WHEN[rule.kind if rule.kind == 'promo' else rule.strength]}", highlight=False
    )
    if rule.together:
        console.print(f"{rule.together} different ones prove each other", highlight=False)
    if rule.before_colon:
        console.print("also with a colon and a title or a list behind it", highlight=False)
    if rule.not_sentence:
        console.print("a pattern takes nothing that ends like a sentence", highlight=False)
    if rule.keeps_credits:
        console.print("takes nothing that names a wire agency", highlight=False)
    for wording in (*rule.literals, *rule.patterns):
        console.print(f"  {escape(wording)}", highlight=False, soft_wrap=True)


def show_idle_wordings(idle: Sequence[tuple[str, str, str]], checked: Sequence[Rule]) -> None:
    """Wordings that do not go where they should, and how many were tried."""
    console = make_console()
    for rule, wording, holder in idle:
        console.print(f"{escape(rule)}: [red]{escape(wording)}[/] stays; {escape(holder)} has it", highlight=False)
    wordings = sum(len(rule.literals) for rule in checked)
    console.print(f"{len(checked):,} rules, {wordings:,} wordings, {len(idle):,} of them idle", highlight=False)


_WHEN = {
    "strong": "cruft; goes near the end of a text and proves that what stands around it is cruft too",
    "weak": "cruft; an ordinary wording, goes near the end of a text in the company of other cruft",
    "promo": "promo; goes wherever it stands",
}


def _name(evaluation: Evaluation) -> str:
    return "whole" if evaluation.tail is None else str(evaluation.tail)


def _cells(score: Score) -> list[str]:
    return [
        f"{score.pages:,}",
        f"{score.trailing:,}",
        _percent(score.trailing_removed, score.trailing),
        f"{score.promos:,}",
        _percent(score.promos_removed, score.promos),
        f"{score.words:,}",
        f"{score.lost_words:,}",
        _percent(score.lost_words, score.words, digits=3),
        f"{score.repeated_words:,}",
    ]


def _percent(part: int, whole: int, digits: int = 1) -> str:
    return f"{100 * part / whole:.{digits}f} %" if whole else "-"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
