"""Finds a text's paragraphs and lays them out with one blank line between them.

The decision is made gap by gap, a gap being the white space with a line break between two lines:

- a blank line is a paragraph break;
- in a text without any blank line every line is a paragraph;
- hard-wrapped lines are rejoined, where their lengths show that a program wrapped them;
- tables, verse and lists keep their lines.
"""

import re
from collections.abc import Iterator
from statistics import median
from typing import Final

from transforms.text.edits import Change, Edit, splice

_BREAK = re.compile(r"\n\s*")
_BLANK_LINE = re.compile(r"\n(?<!\s\n)\n(?!\s)")
_COLUMNS = re.compile(r"\S(?:\t+| {3,}| *\t *|  +(?=[-+$€£(]?\d))\S")
_BEFORE_DIGIT = re.compile(r"  [-+$€£(]?\d")
_INNER_TABS = re.compile(r"(?<=\S)(?: *\t[ \t]*| {2,})(?=\S)")
_INNER_SPACES = re.compile(r"  (?<!\s  ) *(?!\s)")  # the same without tabs; fast, for it begins with two spaces
_ITEM = re.compile(r"(?:[-*•·–—▪◦‣>]|\(?\d{1,3}[.)]|[A-Za-z][.)])\s")
_SENTENCE_END = re.compile(r"[.!?…:;。！？؟।][\"'”’»)\]]*$")
_UNSPACED_SCRIPT = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")

MIN_WIDTH, MAX_WIDTH = 34, 110  # characters: narrow newspaper columns to wide terminals
LONG_LINE = 120  # characters: longer than any wrapped line, so a paragraph of its own


def lay_out(text: str) -> tuple[str, list[Edit]]:
    r"""Paragraphs separated by one blank line, nothing before the first and after the last.

    >>> lay_out("  A first paragraph.  \nA second one.\n")[0]
    'A first paragraph.\n\nA second one.'
    """
    edits: list[Edit] = []
    while changes := _changes(text):
        # What was joined or set apart can show the rest in another light; nearly always once is enough.
        text, made = splice(text, changes)
        edits += made
        if _is_settled(text):
            break
    return text, edits


def _is_settled(text: str) -> bool:
    """Whether there is plainly nothing more to do; cheap searches, because most texts end here."""
    return not (
        text.count("\n") != 2 * len(_BLANK_LINE.findall(text))
        or "  " in text
        or "\t" in text
        or "\u3000" in text
        or text[:1].isspace()
        or text[-1:].isspace()
    )


def _changes(text: str) -> list[Change]:
    end = len(text.rstrip())
    if not end:
        return [(0, len(text), "", "whitespace", "edge")] if text else []
    start = len(text) - len(text.lstrip())
    changes: list[Change] = []
    if start:
        changes.append((0, start, "", "whitespace", "edge"))
    if len(text) == end - start or not _is_settled(text[start:end]):
        changes += _inner_changes(text, start, end)
    if end < len(text):
        changes.append((end, len(text), "", "whitespace", "edge"))
    return changes


def _inner_changes(text: str, start: int, end: int) -> list[Change]:
    ends, starts = _gaps(text, start, end)
    gaps = [text[a:b] for a, b in zip(ends, starts, strict=True)]
    lines = [text[a:b] for a, b in zip([start, *starts], [*ends, end], strict=True)]
    is_wide = "  " in text or "\t" in text
    tabular = _tabular(lines) if is_wide else [False] * len(lines)
    changes = [
        (a, b, after, "whitespace", _BREAKS.get(after, "line-break"))
        for a, b, before, after in zip(ends, starts, gaps, _layout(lines, gaps, tabular), strict=True)
        if after != before
    ]
    if is_wide:
        if "\t" in text or any(tabular):
            changes += _space_changes(lines, [start, *starts], tabular)
        else:
            changes += [(*found.span(), *_ONE_SPACE) for found in _INNER_SPACES.finditer(text, start, end)]
        changes.sort()
    return changes


_BREAKS = {"\n\n": "paragraph-break", " ": "hard-wrap", "": "hard-wrap"}


_ONE_SPACE: Final = (" ", "whitespace", "spaces")


def _gaps(text: str, start: int, end: int) -> tuple[list[int], list[int]]:
    """Where runs of white space that hold a line break begin, and where they end; a line begins at ``start``."""
    befores, afters = [], []
    # A pattern that began with the spaces before the break would be tried at every character.
    for found in _BREAK.finditer(text, start, end):
        before, after = found.span()
        while text[before - 1].isspace():
            before -= 1
        befores.append(before)
        afters.append(after)
    return befores, afters


def _space_changes(lines: list[str], starts: list[int], tabular: list[bool]) -> Iterator[Change]:
    """Runs of spaces and tabs inside the lines become one space, but not between the columns of a table."""
    for line, start, is_row in zip(lines, starts, tabular, strict=True):
        if not is_row and ("  " in line or "\t" in line):
            pattern = _INNER_TABS if "\t" in line else _INNER_SPACES
            for begin, end in map(re.Match.span, pattern.finditer(line)):
                yield start + begin, start + end, *_ONE_SPACE


def _tabular(lines: list[str]) -> list[bool]:
    """Which lines are rows of a table: columns set apart by tabs or runs of spaces, two such lines in a row."""
    rows = [_is_row(line) for line in lines]
    neighbours = zip([False, *rows], [*rows[1:], False], strict=False)
    return [row and (above or below) for row, (above, below) in zip(rows, neighbours, strict=False)]


def _is_row(line: str) -> bool:
    # The pattern is tried at every character, so only in a line with room for columns.
    has_room = "\t" in line or ("  " in line and ("   " in line or _BEFORE_DIGIT.search(line)))
    return bool(has_room and _COLUMNS.search(line))


def _layout(lines: list[str], gaps: list[str], tabular: list[bool]) -> list[str]:
    """For each gap what it becomes: a blank line, a line break, a space or nothing."""
    is_blank = {gap: gap.count("\n") > 1 for gap in set(gaps)}
    blank = [is_blank[gap] for gap in gaps]
    layout = ["\n\n"] * len(gaps)
    has_blank = any(blank)
    first = 0
    for last in [number for number, ends in enumerate(blank) if ends] + [len(gaps)]:
        if last > first:
            block = slice(first, last)
            layout[block] = _block_layout(lines[first : last + 1], gaps[block], tabular[first : last + 1], has_blank)
        first = last + 1
    return layout


def _block_layout(lines: list[str], gaps: list[str], tabular: list[bool], has_blank: bool) -> list[str]:
    """The layout of the gaps inside a block: lines without a blank line between them."""
    if not any(tabular):
        return _prose_layout(lines, gaps, has_blank)
    layout = ["\n\n"] * len(gaps)  # a table and the prose around it stand apart
    first = 0
    for number in range(1, len(lines) + 1):
        if number == len(lines) or tabular[number] != tabular[first]:
            inside = slice(first, number - 1)
            layout[inside] = (
                [_table_gap(gap) for gap in gaps[inside]]
                if tabular[first]
                else _prose_layout(lines[first:number], gaps[inside], has_blank)
            )
            first = number
    return layout


def _prose_layout(lines: list[str], gaps: list[str], has_blank: bool) -> list[str]:
    indented = _indented(gaps)
    if _is_wrapped(lines, indented):
        return [
            "\n\n" if indent or (not has_blank and _ends_paragraph(lines, number)) else _joint(lines, number)
            for number, indent in enumerate(indented)
        ]
    return ["\n\n" if not has_blank or _are_paragraphs(lines) else "\n"] * len(gaps)


def _table_gap(gap: str) -> str:
    """A row keeps its indentation, which may be an empty first column."""
    return gap[gap.rindex("\n") :]


def _indented(gaps: list[str]) -> list[bool]:
    """Which lines after a gap begin a paragraph by their indentation; no line, where most are indented."""
    is_indented = {gap: len(gap) - gap.rindex("\n") > 2 or gap.endswith("\u3000") for gap in set(gaps)}
    indented = [is_indented[gap] for gap in gaps]
    return indented if sum(indented) * 2 < len(indented) else [False] * len(indented)


def _is_wrapped(lines: list[str], starts_paragraph: list[bool]) -> bool:
    """Whether a program wrapped these lines: each is full, which means the next word would not have fitted.

    The width is that of the longest line, less a little. Short may be the first line (its dateline was cut off) and a
    line before a new paragraph. Verse, lists and short notes fail: their lines end where the author wanted, and
    begin with a capital.
    """
    width = max(map(len, lines))
    if not MIN_WIDTH <= width <= MAX_WIDTH or any(map(_ITEM.match, lines)):
        return False
    full = short = mid_sentence = capitals = words = 0
    for number, (line, following, breaks) in enumerate(zip(lines, lines[1:], starts_paragraph, strict=False)):
        if breaks:
            continue
        if _is_full(line, following, width):
            full += 1
            mid_sentence += not _SENTENCE_END.search(line)
            capitals += following[0].isupper()
            words += len(line) // 2 if _UNSPACED_SCRIPT.search(line) else line.count(" ") + 1
        elif number and not _SENTENCE_END.search(line):
            short += 1
    return full >= 2 and short * 4 <= full and mid_sentence * 2 > full and capitals * 4 < full * 3 and words >= 4 * full


def _is_full(line: str, following: str, width: int) -> bool:
    return len(line) + len(_first_word(following)) >= 0.92 * width


def _first_word(line: str) -> str:
    return line[:1] if _UNSPACED_SCRIPT.match(line) else line.split(None, 1)[0]


def _ends_paragraph(lines: list[str], number: int) -> bool:
    """In a wrapped text without blank lines a line that ends a sentence well before the margin ends a paragraph."""
    line = lines[number]
    full = _is_full(line, lines[number + 1], max(map(len, lines)))
    return not full and bool(_SENTENCE_END.search(line))


def _joint(lines: list[str], number: int) -> str:
    line, following = lines[number], lines[number + 1]
    if _UNSPACED_SCRIPT.match(line[-1]) and _UNSPACED_SCRIPT.match(following):
        return ""
    # A hyphen at the line's end stays: whether the word has one of its own cannot be known.
    return "" if re.search(r"\w-$", line) and following[0].islower() else " "


def _are_paragraphs(lines: list[str]) -> bool:
    """Whether the lines of a block are whole paragraphs: long, or all of them sentences."""
    lengths = [len(line) for line in lines]
    sentences = all(map(_SENTENCE_END.search, lines))
    return median(lengths) >= LONG_LINE or (sentences and sum(lengths) >= 80 * len(lines))
