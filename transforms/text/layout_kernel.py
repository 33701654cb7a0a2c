"""White space and paragraphs by kernels, for the texts of a batch where that takes no judgement.

Those are nearly all: no odd spaces but no-break ones, no hard wraps, tables, tabs or wide spaces, and each line break
ends a paragraph. The rest is left to ``whitespace.py`` and ``paragraphs.py``, and tests hold both against each other.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.edit_columns import EDIT_COLUMNS
from transforms.text.encoded import Encoded, as_texts, characters_in, copy_bytes, encode, ends_of, line_of
from transforms.text.paragraphs import LONG_LINE, MAX_WIDTH, MIN_WIDTH
from transforms.text.shingles import code_point, kernel

_Numbers = npt.NDArray[np.int64]
_Bytes = npt.NDArray[np.uint8]

# A change is told by the characters that it leaves: none at the text's ends, a space, or two line feeds.
_AFTERS: Final = pa.array(["", " ", "\n\n"], pa.large_string())
_RULES: Final = pa.array(["edge", "spaces", "paragraph-break"])


class Mended(NamedTuple):
    """Texts that a kernel has mended."""

    owners: _Numbers
    """Their numbers in the batch."""
    texts: Encoded
    """As they are now."""
    edits: pa.RecordBatch
    """What made them so, as EDIT_COLUMNS."""


def lay_out_batch(texts: Encoded, rows: _Numbers, owners: _Numbers) -> Mended:
    """Lay out those of ``rows`` whose layout takes no judgement; ``owners`` are their numbers in the batch."""
    sizes, changes, removed = _measure(texts, rows)
    is_plain = sizes >= 0
    rows, owners, sizes, changes = rows[is_plain], owners[is_plain], sizes[is_plain], changes[is_plain]
    offsets = ends_of(sizes)
    utf8, starts, befores, before_ends, afters = _lay_out(
        texts, rows, offsets, int(changes.sum()), int(removed[is_plain].sum())
    )
    codes = pa.array(afters)
    told = _RULES.take(codes), pa.array(starts), as_texts(before_ends, befores), _AFTERS.take(codes)
    return Mended(owners, encode(as_texts(offsets, utf8)), _edits(np.repeat(owners, changes), *told))


def replace_no_break_spaces(texts: Encoded, rows: _Numbers) -> Mended:
    """``whitespace.normalise_spaces`` of those of a batch that hold no other odd spaces."""
    utf8, offsets, changes, starts, runs = _replace_no_break_spaces(texts, rows)
    ends = ends_of(runs)
    befores = as_texts(2 * ends, np.tile(np.frombuffer("\u00a0".encode(), np.uint8), ends[-1]))
    afters = as_texts(ends, np.full(ends[-1], 0x20, np.uint8))
    told = pa.repeat("odd-space", len(starts)), pa.array(starts), befores, afters
    return Mended(rows, encode(as_texts(offsets, utf8)), _edits(np.repeat(rows, changes), *told))


def _edits(owners: _Numbers, *told: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(owners), pa.repeat("whitespace", len(owners)), *told], schema=EDIT_COLUMNS
    )


@kernel
def _replace_no_break_spaces(
    texts: Encoded, rows: _Numbers
) -> tuple[_Bytes, _Numbers, _Numbers, npt.NDArray[np.int32], _Numbers]:
    """The rows with spaces instead; where each ends and its runs of such spaces; of each run its start and length, in
    characters."""
    size = 0
    for row in rows:
        size += texts.ends[row] - texts.starts[row]
    utf8, offsets, changes = np.empty(size, np.uint8), np.zeros(rows.size + 1, np.int64), np.zeros(rows.size, np.int64)
    starts, runs = np.empty(size // 2, np.int32), np.zeros(size // 2, np.int64)
    run = place = 0
    for number in range(rows.size):
        text = texts.utf8[texts.starts[rows[number]] : texts.ends[rows[number]]]
        first, chars = run, 0
        is_first = True
        i = 0
        while i < text.size:
            if text[i] == 0xC2 and text[i + 1] == 0xA0:
                if is_first:
                    starts[run] = chars
                    run += 1
                runs[run - 1] += 1
                is_first = False
                utf8[place] = 0x20
                chars += 1
                i += 2
            else:
                is_first = True
                utf8[place] = text[i]
                chars += (text[i] & 0xC0) != 0x80
                i += 1
            place += 1
        offsets[number + 1], changes[number] = place, run - first
    return utf8[:place], offsets, changes, starts[:run], runs[:run]


@kernel
def _measure(texts: Encoded, rows: _Numbers) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Of each row its bytes when it is laid out (-1: that takes judgement), the changes, and the bytes they replace."""
    utf8 = texts.utf8
    sizes, changes, removed = np.full(rows.size, -1), np.zeros(rows.size, np.int64), np.zeros(rows.size, np.int64)
    for number in range(rows.size):
        row = rows[number]
        feeds = texts.feed_ends[row] - texts.feed_starts[row]
        lengths = np.empty(feeds + 1, np.int64)  # of the lines of a block, in characters
        lines = size = made = gone = 0
        has_blank = keeps_lines = takes_judgement = is_row_above = False
        above, gap = -1, texts.starts[row]  # the number of the line above, and where what parts them begins
        for line in range(feeds + 1):
            start, end = _trimmed(utf8, *line_of(texts, row, line))
            if start == end:
                continue
            if above < 0:
                made += start > gap
                gone += start - gap
            else:
                if line - above > 1:
                    has_blank = True
                    takes_judgement |= _may_be_wrapped(lengths[:lines])
                    keeps_lines |= _may_be_verse(lengths[:lines])
                    lines = 0
                size += 2
                if line - above != 2 or start - gap != 2:
                    made += 1
                    gone += start - gap
            runs, spaces, is_row = _runs_in(utf8, start, end)
            takes_judgement |= runs < 0 or (is_row and is_row_above)  # a table
            size += end - start - spaces + runs
            made += runs
            gone += spaces
            lengths[lines] = characters_in(utf8, start, end)
            lines += 1
            above, gap, is_row_above = line, end, is_row
        made += texts.ends[row] > gap
        gone += texts.ends[row] - gap
        takes_judgement |= _may_be_wrapped(lengths[:lines])
        keeps_lines |= has_blank and _may_be_verse(lengths[:lines])
        if above >= 0 and not takes_judgement and not keeps_lines:
            sizes[number], changes[number], removed[number] = size, made, gone
    return sizes, changes, removed


@kernel
def _lay_out(
    texts: Encoded, rows: _Numbers, offsets: _Numbers, changes: int, removed: int
) -> tuple[_Bytes, npt.NDArray[np.int32], _Bytes, _Numbers, npt.NDArray[np.int8]]:
    """The rows laid out, and of each change where it starts (in characters), what was there, where that ends, and how
    many characters are there now."""
    utf8, made = texts.utf8, np.empty(offsets[-1], np.uint8)
    starts, afters = np.empty(changes, np.int32), np.empty(changes, np.int8)
    befores, before_ends = np.empty(removed, np.uint8), np.zeros(changes + 1, np.int64)
    change = 0
    for number in range(rows.size):
        row = rows[number]
        chars = 0  # of the text laid out so far
        place = offsets[number]
        above, gap = -1, texts.starts[row]
        for line in range(texts.feed_ends[row] - texts.feed_starts[row] + 1):
            start, end = _trimmed(utf8, *line_of(texts, row, line))
            if start == end:
                continue
            if above >= 0:
                made[place] = made[place + 1] = 0x0A
                place += 2
            if start > gap if above < 0 else (line - above != 2 or start - gap != 2):
                starts[change], afters[change] = chars, 0 if above < 0 else 2
                change = _told(utf8, gap, start, befores, before_ends, change)
            chars += 0 if above < 0 else 2
            while start < end:
                run = _next_run(utf8, start, end)
                copy_bytes(utf8[start:run], made[place:])
                place += run - start
                chars += characters_in(utf8, start, run)
                start = run
                if run < end:
                    while utf8[start] == 0x20:
                        start += 1
                    starts[change], afters[change] = chars, 1
                    change = _told(utf8, run, start, befores, before_ends, change)
                    made[place] = 0x20
                    place += 1
                    chars += 1
            above, gap = line, end
        if texts.ends[row] > gap:
            starts[change], afters[change] = chars, 0
            change = _told(utf8, gap, texts.ends[row], befores, before_ends, change)
    return made, starts, befores, before_ends, afters


@kernel
def _told(utf8: _Bytes, start: int, end: int, befores: _Bytes, before_ends: _Numbers, change: int) -> int:
    """Keep what stood where a change is; the number of the next one."""
    before_ends[change + 1] = before_ends[change] + end - start
    copy_bytes(utf8[start:end], befores[before_ends[change] :])
    return change + 1


@kernel
def _trimmed(utf8: _Bytes, start: int, end: int) -> tuple[int, int]:
    """A line without the spaces at its ends."""
    while start < end and utf8[start] == 0x20:
        start += 1
    while end > start and utf8[end - 1] == 0x20:
        end -= 1
    return start, end


@kernel
def _may_be_wrapped(lengths: _Numbers) -> bool:
    """Whether a program may have wrapped these lines of a block."""
    return lengths.size > 1 and bool(MIN_WIDTH <= lengths.max() <= MAX_WIDTH)


@kernel
def _may_be_verse(lengths: _Numbers) -> bool:
    """Whether these lines of a block may be no paragraphs."""
    return lengths.size > 1 and bool(np.median(lengths) < LONG_LINE)


@kernel
def _runs_in(utf8: _Bytes, start: int, end: int) -> tuple[int, int, bool]:
    """How many runs of spaces are inside a line, and of how many spaces, and whether it is a row of a table.

    -1 runs where that takes judgement.
    """
    line = utf8[start:end]
    lowest = np.uint8(0xFF)
    for byte in line:
        lowest = min(lowest, byte)
    if lowest < 0x20 or _holds_two(line, 0x80):  # tabs and the like; an ideographic space
        return -1, 0, False
    runs = spaces = 0
    is_row = False
    run = _next_run(utf8, start, end)
    while run < end:
        start = run
        while utf8[start] == 0x20:
            start += 1
        runs += 1
        spaces += start - run
        is_row |= start - run > 2 or _may_be_figure(utf8, start, end)
        run = _next_run(utf8, start, end)
    return runs, spaces, is_row


@kernel
def _next_run(utf8: _Bytes, start: int, end: int) -> int:
    """Where the next two spaces stand in a line; its end, where there are none."""
    for block in range(start, end, 64):
        some = utf8[block : min(block + 65, end)]
        if _holds_two(some, 0x20):
            while utf8[block] != 0x20 or utf8[block + 1] != 0x20:
                block += 1
            return block
    return end


@kernel
def _holds_two(line: _Bytes, byte: int) -> bool:
    """Whether a byte stands twice in a row."""
    differing = np.uint8(0xFF)
    for i in range(1, line.size):  # without a branch, for many bytes at once
        differing = min(differing, line[i - 1] ^ np.uint8(byte) | line[i] ^ np.uint8(byte))
    return bool(differing == 0)


@kernel
def _may_be_figure(utf8: _Bytes, i: int, end: int) -> bool:
    """Whether a number may stand here, with a sign or a currency before it, as in a table's column."""
    code, after = code_point(utf8, i)
    if after < end and code in (0x2B, 0x2D, 0x28, 0x24, 0xA3, 0x20AC):  # + - ( $ £ €
        code, _ = code_point(utf8, after)
    # Digits of other scripts are somewhere in there.
    return bool(0x30 <= code < 0x3A or 0x660 <= code < 0x2000 or code >= 0xA000)
