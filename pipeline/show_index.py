"""Puts what is in an index before a person's eyes."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from pipeline.indexed import IndexedRun
from pipeline.show import counted, escape, make_console, print_json, print_table


def show_runs(runs: Sequence[IndexedRun], *, as_json: bool) -> None:
    """The runs of an index as a table."""
    if as_json:
        print_json([_told(run) for run in runs])
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("run", "date", "articles", "from", "to", "size", "output"):
        table.add_column(heading, justify="right" if heading in ("articles", "size") else "left", overflow="fold")
    for run in runs:
        size = f"{run.size / 1e6:,.1f} MB"
        days = (day.isoformat() for day in (run.oldest, run.newest))
        table.add_row(escape(run.run), run.dated.isoformat(), f"{run.articles:,}", *days, size, escape(run.output))
    print_table(make_console(), table)


def show_changed(what: str, runs: Sequence[IndexedRun], *, as_json: bool) -> None:
    """The runs that a command dropped or rebuilt, one a line."""
    if as_json:
        print_json([_told(run) for run in runs])
        return
    for run in runs:
        make_console().print(
            f"{what} {escape(run.run)}: {counted(run.articles, 'article')}", highlight=False, soft_wrap=True
        )
    if not runs:
        make_console().print(f"nothing to be {what}", highlight=False)


def _told(run: IndexedRun) -> dict[str, Any]:
    told = dataclasses.asdict(run)
    return {name: value for name, value in told.items() if name not in ("shards", "partitions")}
