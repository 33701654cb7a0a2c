"""Puts results before a person's eyes; nothing is decided here."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rich import markup
from rich.console import Console
from rich.table import Table

from pipeline.layout import REPORT
from transforms.errors import printable

if TYPE_CHECKING:
    from pipeline.compare import Comparison
    from pipeline.standing import Standing
    from transforms.text.clean import Cleaned
    from transforms.text.decode import Decoded

_MAX_SHOWN = 160  # characters of a removed passage
_MAX_PASSAGES = 5
_MAX_DIFFERING, _MAX_ALIKE = 24, 16  # passages of two texts
_LEAST_POINTS = 0.05
_UNBOUND = 10_000  # columns


def show_summary(manifest: Mapping[str, Any], output: str, seconds: float, *, as_json: bool) -> None:
    """What a run did: read, kept, folded, rejected, what was removed by kind, how long it took, where the output is."""
    from transforms import files

    if as_json:
        print_json(manifest)
        return
    counts = manifest["counts"]
    console = make_console()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column()
    table.add_row("read", _number(counts["read"]), _noun(counts["read"], "record"))
    table.add_row("kept", _number(counts["kept"]), _noun(counts["kept"], "article"))
    table.add_row("folded", _number(counts["duplicates"]), _listed(counts["duplicates_by_relation"], "copies"))
    table.add_row("rejected", _number(counts["rejected"]), _listed(counts["rejected_by_reason"], ""))
    table.add_row("edits", _number(counts["edits"]), _listed(counts["edits_by_kind"], ""))
    if counts["renamed_ids"]:
        renamed = _noun(counts["renamed_ids"], "article")
        table.add_row("renamed", _number(counts["renamed_ids"]), f"{renamed} whose id another one has too (ID~2 …)")
    if unread := counts["unread_dates"]:
        example = escape(manifest["unread_date"])
        table.add_row("undated", _number(unread), f"{_noun(unread, 'date')} could not be read, e.g. {example}")
    if held := manifest["held_back"]:
        shown = "; ".join(f"{escape(cluster['id'])}: {escape(cluster['why'])}" for cluster in held[:_MAX_PASSAGES])
        more = f" and {len(held) - _MAX_PASSAGES} more" if len(held) > _MAX_PASSAGES else ""
        table.add_row("held back", _number(len(held)), f"{_noun(len(held), 'cluster')}, kept unfolded ({shown}{more})")
    if unread := counts["rejected_by_reason"].get("unreadable_file"):
        table.add_row("unread", _number(unread), f"{_noun(unread, 'file')} not read whole: see rejects/ or the report")
    if ignored := manifest["ignored_files"]:
        table.add_row("ignored", _number(ignored), f"{_noun(ignored, 'file')} of other kinds")
    table.add_row("took", f"{seconds:.1f}", "seconds")
    print_table(console, table)
    for what, uri in (("output", output), ("report", files.join(output, REPORT))):
        console.print(f"{what} in {escape(uri)}", soft_wrap=True, highlight=False)


def show_forecast(told: Mapping[str, Any], *, as_json: bool) -> None:
    """What a run would do, as ``pipeline.dry_run`` tells it."""
    if as_json:
        print_json(told)
        return
    console = make_console()

    def line(name: str, what: str) -> None:
        console.print(f"{name:<10} {escape(what)}", soft_wrap=True, highlight=False)

    line("read", f"{counted(told['files'], 'file')}, {_size(told['bytes'])} ({_listed(told['kinds'], '')})")
    if told["ignored"]:
        by_ending = _listed({ending or "no ending": count for ending, count in told["ignored"].items()}, "")
        line("ignored", f"{counted(sum(told['ignored'].values()), 'file')} of other kinds ({by_ending})")
    line("splits", f"{_number(told['splits'])}, for {counted(told['workers'], 'worker')}")
    line("output", f"{told['output']}: {told['next']}")
    if told["refused"]:
        line("refused", told["refused"])
    if index := told["index"]:
        what = "replaces the run of that name" if index["replaces"] else "is added"
        line(
            "index",
            f"{index['uri']}: {counted(index['runs'], 'run')} of {counted(index['articles'], 'article')}; "
            f"{index['run']} {what}",
        )
    guess = told["estimates"]
    line(
        "estimates",
        f"{counted(guess['articles'], 'article')}, {_size(told['text_bytes'])} of text: {_duration(guess['seconds'])}, "
        f"{_size(guess['memory_mb'] * 1e6)} of memory, {_size(guess['disk_mb'] * 1e6)} of disk. Where these figures "
        "come from, and how far off they may be, is in docs/operations.md",
    )
    console.print("nothing was written", highlight=False)


def _size(count: float) -> str:
    """``1,234,567`` bytes as ``1.2 MB``."""
    for unit, unit_bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= unit_bytes:
            return f"{count / unit_bytes:,.1f} {unit}"
    return f"{count:,.0f} bytes"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def show_status(standing: "Standing", *, as_json: bool) -> None:
    """Where a run stands, who works on it, and what comes next."""
    told = standing.summary()
    if as_json:
        print_json(told)
        return
    console = make_console()
    console.print(f"[bold]{told['state']}[/]  {escape(standing.output)}", soft_wrap=True, highlight=False)
    for name in ("run", "started", "finished", "attempts"):
        if told.get(name) is not None:
            console.print(f"  {name:<10} {told[name]}", highlight=False)
    if shards := told.get("shards"):
        shown = ", ".join(f"{name} {_number(count)}" for name, count in shards.items())
        console.print(f"  {'shards':<10} {shown}", highlight=False)
    if counts := told.get("counts"):
        shown = ", ".join(f"{name} {_number(counts[name])}" for name in ("read", "kept", "duplicates", "rejected"))
        console.print(f"  {'records':<10} {shown}", highlight=False)
    if report := told.get("report"):
        console.print(f"  {'report':<10} {escape(report)}", soft_wrap=True, highlight=False)
    for lease in told["leases"]:
        console.print(
            f"  {'lease':<10} process {lease['pid']} on {escape(lease['host'])}, {lease['life']}, since "
            f"{lease['since']}, last beat {lease['beaten']}",
            soft_wrap=True,
            highlight=False,
        )
    console.print(f"next: {escape(told['next'])}", soft_wrap=True, highlight=False)


def show_cleaned(cleaned: "Cleaned", decoded: "Decoded", *, diff: bool, as_json: bool) -> None:
    """A cleaned text, or its edits."""
    if as_json:
        print_json(
            {
                "text": cleaned.text,
                "encoding": decoded.encoding,
                "credits": cleaned.credits,
                "edits": [{"seq": seq, **edit._asdict()} for seq, edit in enumerate(cleaned.edits)],
            }
        )
    elif diff:
        console = make_console()
        console.print(f"decoded as {decoded.encoding}; {counted(len(cleaned.edits), 'edit')}", highlight=False)
        _show_edits(console, [edit._asdict() for edit in cleaned.edits])
    else:
        sys.stdout.write(cleaned.text + "\n")


def show_explanation(story: Mapping[str, Any], *, as_json: bool) -> None:
    """One article's story."""
    if as_json:
        print_json(story)
        return
    console = make_console()
    article, duplicate = story["article"], story["duplicate"]
    row = article or duplicate
    console.print(f"[bold]{escape(row['title'] or '(no title)')}[/]", soft_wrap=True, highlight=False)
    for name in ("id", "url", "source", "published", "input"):
        if row[name] is not None:
            console.print(f"  {name:<10} {escape(str(row[name]))}", soft_wrap=True, highlight=False)
    if article:
        console.print(f"  {'decoded':<10} {article['encoding']}", highlight=False)
        console.print(f"  {'words':<10} {article['words']}", highlight=False)
        if article["credits"]:
            console.print(f"  {'credits':<10} {escape(', '.join(article['credits']))}", highlight=False)
    if duplicate:
        kept = story["canonical"] or {}
        run = duplicate.get("canonical_run")
        of_run = f" of run {escape(run)}" if run else ""
        console.print(
            f"\nFolded into [bold]{escape(duplicate['canonical_id'])}[/]{of_run} as [bold]{duplicate['relation']}[/]: "
            f"Jaccard {duplicate['jaccard']:.3f}, containment {duplicate['containment']:.3f}",
            soft_wrap=True,
            highlight=False,
        )
        if duplicate["signs"]:
            is_undated = duplicate["published"] is None or (kept and kept["published"] is None)
            show_signs(console, duplicate["signs"], are_dated=not is_undated)
        if kept:
            shown = " · ".join(str(kept[name]) for name in ("title", "source", "published") if kept[name] is not None)
            console.print(f"  {escape(shown)}", soft_wrap=True, highlight=False)
    elif article["copies"]:
        copies = len(article["copies"])
        was = "was" if copies == 1 else "were"
        console.print(f"\nKept; {counted(copies, 'copy', 'copies')} {was} folded into it:", highlight=False)
        for copy in article["copies"]:
            where = copy["source"] or copy["url"] or ""
            console.print(
                f"  {escape(copy['id'])}  {copy['relation']}  Jaccard {copy['jaccard']:.3f}  containment "
                f"{copy['containment']:.3f}  {escape(where)}",
                soft_wrap=True,
                highlight=False,
            )
    elif story["held_back"]:
        console.print(f"\nKept, and its cluster was held back: {escape(story['held_back'])}", highlight=False)
    else:
        console.print("\nKept; no copy was folded into it.", highlight=False)
    if article and article["embeds"]:
        console.print(f"It quotes whole: {escape(', '.join(article['embeds']))}", soft_wrap=True, highlight=False)
    console.print(f"\n{counted(len(story['edits']), 'edit')}, in the order in which they were made:", highlight=False)
    _show_edits(console, story["edits"])


def show_comparison(comparison: "Comparison", names: tuple[str, str], *, as_json: bool) -> None:
    """Similarity of two articles, their texts side by side, and how it is decided."""
    similarity, decision = comparison.similarity, comparison.decision
    if as_json:
        print_json(
            {
                "jaccard": similarity.jaccard,
                "estimated_jaccard": comparison.estimated_jaccard,
                "a_in_b": similarity.left_in_right,
                "b_in_a": similarity.right_in_left,
                "shared": similarity.shared,
                "shingles_a": similarity.left,
                "shingles_b": similarity.right,
                "passages": comparison.shared,
                "aligned": [passage._asdict() for passage in comparison.passages],
                "relation": decision.relation,
                "score": decision.score,
                "signs": {sign.name: sign.points for sign in decision.signs if sign.points},
                "version_signs": {sign.name: sign.points for sign in decision.version_signs if sign.points},
                "run": comparison.of_run,
            }
        )
        return
    console = make_console()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("Jaccard", f"{similarity.jaccard:.4f}", f"{counted(similarity.shared, 'shingle')} in both")
    table.add_row("estimated", f"{comparison.estimated_jaccard:.4f}", f"from {comparison.num_perm} permutations")
    table.add_row(
        "A in B", f"{similarity.left_in_right:.4f}", escape(f"{counted(similarity.left, 'shingle')} in {names[0]}")
    )
    table.add_row(
        "B in A", f"{similarity.right_in_left:.4f}", escape(f"{counted(similarity.right, 'shingle')} in {names[1]}")
    )
    print_table(console, table)
    console.print("\nIn the order of the texts: = in both, - in A alone, + in B alone", soft_wrap=True, highlight=False)
    places = sorted(range(len(comparison.passages)), key=lambda place: -comparison.passages[place].words)
    differing = [place for place in places if comparison.passages[place].side != "both"][:_MAX_DIFFERING]
    alike = [place for place in places if comparison.passages[place].side == "both"][:_MAX_ALIKE]
    for place in (shown := sorted(differing + alike)):
        side, text, words = comparison.passages[place]
        mark, style = _SIDES[side]
        size = f" {counted(words, 'word')}:" if side == "both" else ""
        console.print(f"[{style}]  {mark}{size} {escape(_shortened(text))}[/]", soft_wrap=True, highlight=False)
    if more := len(comparison.passages) - len(shown):
        console.print(f"  and {counted(more, 'shorter passage')}, which --json has", highlight=False)
    known = "By their texts alone" if comparison.of_run is None else "By texts, headlines, sources, pages and dates"
    console.print(f"\n{known}: [bold]{decision.relation}[/]", highlight=False)
    weighed = [{"name": sign.name, "points": sign.points} for sign in (*decision.signs, *decision.version_signs)]
    show_signs(console, weighed, are_dated=comparison.of_run is not None)
    if comparison.of_run is not None:
        console.print(f"In the run {escape(comparison.of_run)}", soft_wrap=True, highlight=False)


_SIDES = {"both": ("=", "dim"), "a": ("-", "red"), "b": ("+", "green")}


def _show_edits(console: Console, edits: Iterable[Mapping[str, Any]]) -> None:
    for edit in edits:
        console.print(f"[dim]{edit['start']:>7}[/]  {edit['kind']}/{escape(edit['rule'])}", highlight=False)
        for sign, style, text in (("-", "red", edit["before"]), ("+", "green", edit["after"])):
            if text:
                shown = escape(_shortened(text))
                console.print(f"[{style}]         {sign} {shown}[/]", soft_wrap=True, highlight=False)


def escape(text: str) -> str:
    """What comes from the data, safe to print: neither markup nor the terminal's control sequences work in it."""
    return markup.escape(printable(text))


def _shortened(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[: _MAX_SHOWN // 2]} … {shown[-_MAX_SHOWN // 2 :]}"


def show_signs(console: Console, signs: Iterable[Mapping[str, Any]], *, are_dated: bool = True) -> None:
    """``+1.0 points for one story: words that both have +4.0, …, -2.9 to begin with``; the same for another version.

    0 or more is one story, and another version. Where not both ``are_dated``, days between them were assumed.
    """
    from transforms.text.decide import SAME_STORY_BASE, SIGN_MEANINGS, VERSION, VERSION_BASE

    signs = [sign for sign in signs if abs(sign["points"]) >= _LEAST_POINTS]
    of_version = [sign for sign in signs if sign["name"] in VERSION]
    of_story = [sign for sign in signs if sign["name"] not in VERSION]
    for what, base, weighed in (
        ("one story", SAME_STORY_BASE, of_story),
        ("another version", VERSION_BASE, of_version),
    ):
        if weighed:
            total = base + sum(sign["points"] for sign in weighed)
            told = sorted(weighed, key=lambda sign: -abs(sign["points"]))
            shown = (f"{_meaning(sign['name'], SIGN_MEANINGS, are_dated)} {sign['points']:+.1f}" for sign in told)
            console.print(
                f"  {total:+.1f} points for {what}: {', '.join(shown)}, {base:+.1f} to begin with",
                soft_wrap=True,
                highlight=False,
            )


def _meaning(name: str, meanings: Mapping[str, str], are_dated: bool) -> str:
    return "no date" if name == "days" and not are_dated else meanings.get(name, name)


def _listed(counts: Mapping[str, int], empty: str) -> str:
    return ", ".join(f"{name} {_number(count)}" for name, count in counts.items()) or empty


def _noun(count: int, one: str, several: str = "") -> str:
    return one if count == 1 else several or f"{one}s"


def counted(count: int, one: str, several: str = "") -> str:
    """``1 edit``, ``1,234 edits``, ``2 copies``."""
    return f"{_number(count)} {_noun(count, one, several)}"


def _number(value: int) -> str:
    return f"{value:,}"


def make_console() -> Console:
    """Off a terminal nothing is wrapped, cut or coloured: a program may read it."""
    is_terminal = sys.stdout.isatty()
    return Console(soft_wrap=not is_terminal, width=None if is_terminal else _UNBOUND)


def print_table(console: Console, table: Table) -> None:
    """A table, off a terminal without the spaces that fill its last column."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    console.file.write("\n".join(line.rstrip() for line in captured.get().split("\n")))


def print_json(value: Any) -> None:
    """To standard output, dates as in ISO 8601."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write("\n")


def _plain(value: Any) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    raise TypeError(f"cannot show {type(value)}")
