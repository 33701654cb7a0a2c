"""Puts scores and rules before a person's eyes; nothing is decided here."""

import dataclasses
from collections.abc import Iterable, Sequence

from rich.table import Table

from pipeline.evaluate import Evaluation, Score
from pipeline.show import escape, make_console, print_json, print_table
from transforms.errors import UsageError
from transforms.text.rules import Rule

_MAX_SHOWN = 110  # characters of a lost paragraph
_MIN_PAGES = 2  # languages of fewer pages are in --json only


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
