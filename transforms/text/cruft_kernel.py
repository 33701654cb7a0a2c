"""Rules out cruft and promos for a batch of texts, so that most articles are spared :mod:`transforms.text.cruft`.

For ``strip_cruft`` to find something, a rule has to know one of the last lines, as far up as :func:`tail.find_window`
looks, or the text has to end in several short lines (:func:`tail.find_short_run`), or to hold a promo.

No line is looked up here. A rule can know a line only if the line is a wording, begins with one or begins as a pattern
does; hashes of all wordings and of the patterns' beginnings tell that. Wherever it is not certain the answer is yes: in
a line with letters beyond U+2100, say, or with a character that normalises to several.
"""

import functools
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.text.encoded import Encoded, characters_in, line_of
from transforms.text.form_kernel import second_parts
from transforms.text.hash_sets import HashSet, contains, hash_set, packed_set, rolled
from transforms.text.need import Suspects
from transforms.text.pattern_starts import pattern_starts
from transforms.text.rules import (
    BULLETS,
    CLOSING,
    LONG_START_CHARS,
    MAX_BLOCK_CHARS,
    MAX_ROW_CHARS,
    MAX_WORDING_WORDS,
    PROMO_START_CHARS,
    SENTENCE_ENDS,
    SHORT_BLOCK_CHARS,
    CruftRules,
    Rule,
    is_edge,
    key_of_literal,
    normalise_characters,
)
from transforms.text.shingles import code_point, kernel, read_only
from transforms.text.tail import (
    LONG_WEIGHT,
    MAX_COMMENTS_WEIGHT,
    MAX_UNKNOWN_WEIGHT,
    MIN_RUN_SCORE,
    NOTICE_CLUES,
    NOTICE_SIGNS,
    PLAIN_LINE,
    SIGNS,
    find_line,
)

_PATTERN_CHARS: Final = 8  # of a pattern's start
# A run has to hold so many lines that no rule knows: at best, each shows every sign, and those with a digit a date too.
_MAX_SCORE: Final = PLAIN_LINE + sum(max(sign.score, 0.0) for sign in SIGNS)
_MAX_SCORE_WORDS: Final = _MAX_SCORE - sum(sign.score for sign in SIGNS if sign.name == "date")
_MIN_RUN_LINES: Final = math.ceil(MIN_RUN_SCORE / _MAX_SCORE)
_MIN_RUN_LINES_WORDS: Final = math.ceil(MIN_RUN_SCORE / _MAX_SCORE_WORDS)


class CruftGates(NamedTuple):
    """What the rules know, as hash sets for the kernel; made once by :func:`gates_of`."""

    promo_starts: HashSet
    """Of lines as they are, without bullets."""
    long_starts: HashSet
    """The same of lines that are longer than SHORT_BLOCK_CHARS."""
    wordings: HashSet
    """Whole lines, as ``normalise_block`` leaves them."""
    labels: HashSet
    """Those that may have a colon and anything behind them."""
    patterns: HashSet
    """What normalised lines begin with if a pattern matches them."""
    promo_wordings: HashSet
    promo_labels: HashSet
    promo_patterns: HashSet


@functools.lru_cache(maxsize=4)
def gates_of(rules: CruftRules) -> CruftGates | None:
    """The gates of these rules; None if a pattern, one of the user's, may begin with anything. Made in 0.1 s."""
    promos = [rule for rule in rules.rules if rule.is_in_body]
    patterns, promo_patterns = _pattern_starts(rules.rules), _pattern_starts(promos)
    if "" in patterns:
        return None
    return CruftGates(
        hash_set(rules.promo_starts),
        hash_set(rules.long_starts),
        *(hash_set(_wordings(rules.rules)), hash_set(_labels(rules.rules)), hash_set(patterns)),
        *(hash_set(_wordings(promos)), hash_set(_labels(promos)), hash_set(promo_patterns)),
    )


def _pattern_starts(rules: Iterable[Rule]) -> set[str]:
    patterns = (re.compile(pattern) for rule in rules for pattern in rule.patterns)
    return {start for pattern in patterns for start in pattern_starts(pattern, _PATTERN_CHARS)}


def _wordings(rules: Iterable[Rule]) -> set[str]:
    return {key_of_literal(literal) for rule in rules for literal in rule.literals}


def _labels(rules: Iterable[Rule]) -> set[str]:
    return _wordings(rule for rule in rules if rule.before_colon)


def look_for_cruft(texts: Encoded, gates: CruftGates, rules: CruftRules) -> list[Suspects | None]:
    """Which lines of each text the rules know as cruft or promos; None where nothing can go.

    The kernel names lines that they may know, one in two articles, and only these are looked up.
    """
    promos, promo_ends, tails, tail_ends, tops, has_run = _look_for_cruft(texts, _characters(), _notices(), *gates)
    found: list[Suspects | None] = [None] * len(tops)
    promo_lines, tail_lines = promos[: promo_ends[-1]].tolist(), tails[: tail_ends[-1]].tolist()
    is_suspect = has_run | (np.diff(promo_ends) > 0) | (np.diff(tail_ends) > 0)
    utf8 = texts.utf8.data
    for row in np.flatnonzero(is_suspect).tolist():
        known = _known(utf8, promo_lines[promo_ends[row] : promo_ends[row + 1]], rules)
        tail = _known(utf8, tail_lines[tail_ends[row] : tail_ends[row + 1]], rules)
        if known or tail or has_run[row]:
            found[row] = Suspects(known, tail if tail or has_run[row] else None, int(tops[row]))
    return found


def _known(utf8: memoryview, lines: Sequence[tuple[int, int, int]], rules: CruftRules) -> dict[int, Rule]:
    return {line: rule for line, start, end in lines if (rule := find_line(str(utf8[start:end], "utf-8"), rules))}


# An entry of the table of characters: the one it is normalised to, below flags.
_CHARACTER: Final = np.uint32(0xFFFF)
_EDGE: Final = np.uint32(1 << 16)  # not counted at the ends of a line
_SPACE: Final = np.uint32(1 << 17)
_BAR: Final = np.uint32(1 << 18)  # parts the labels of a row
_DASH: Final = np.uint32(1 << 19)  # the same behind a space
_UNSURE: Final = np.uint32(1 << 20)  # becomes none or several, or depends on its neighbours
_TABLE_SIZE: Final = 0x2100  # up to general punctuation; lines with letters beyond are looked up


@functools.cache
def _characters() -> npt.NDArray[np.uint32]:
    """By code point: what ``normalise_block`` does to it, where that can be said of the character alone."""
    table = np.full(_TABLE_SIZE, _UNSURE, np.uint32)
    seconds = second_parts()
    for code in range(_TABLE_SIZE):
        normal = normalise_characters(chr(code))
        interacts = {normal, chr(code)} & seconds or any(map(unicodedata.combining, normal))
        if len(normal) != 1 or ord(normal) > _CHARACTER or interacts:
            continue
        if normal.isspace():
            table[code] = ord(" ") | _SPACE
        elif normal.isprintable():
            table[code] = ord(normal) | (_EDGE if is_edge(normal) else 0)
    table[ord("`")] = _UNSURE  # an apostrophe, but not in a line that is ASCII
    for characters, flag in (("|·•", _BAR), ("/:»>–—-", _DASH)):
        table[list(map(ord, characters))] |= flag
    return read_only(table)


@functools.cache
def _notices() -> HashSet:
    return packed_set(NOTICE_CLUES)


def _rare_bytes(text: str) -> bytes:
    """Two bytes in a row that few sentences hold: the first two consonants, or of other scripts the first letter's."""
    pairs = map("".join, pairwise(text))
    return next(
        (pair for pair in pairs if pair.isascii() and pair.isalpha() and _VOWELS.isdisjoint(pair)), text
    ).encode()[:2]


_VOWELS: Final = frozenset("aeiou")
_RARE_BYTES: Final = np.array(sorted({*map(_rare_bytes, (*NOTICE_CLUES, *NOTICE_SIGNS))}), "S2").view("(2,)u1") | 0x20
_NOTICE_SIGNS: Final = np.array(list(map(ord, NOTICE_SIGNS)), np.int64)
_BULLETS: Final = np.array(list(map(ord, BULLETS)), np.int64)
_CLOSING: Final = np.array(list(map(ord, CLOSING)), np.int64)
_SENTENCE_ENDS: Final = np.array(list(map(ord, SENTENCE_ENDS)), np.int64)
_Lines = npt.NDArray[np.int64]


@kernel
def _look_for_cruft(
    texts: Encoded,
    characters: npt.NDArray[np.uint32],
    notices: HashSet,
    promo_starts: HashSet,
    long_starts: HashSet,
    wordings: HashSet,
    labels: HashSet,
    patterns: HashSet,
    promo_wordings: HashSet,
    promo_labels: HashSet,
    promo_patterns: HashSet,
) -> tuple[_Lines, _Lines, _Lines, _Lines, _Lines, npt.NDArray[np.bool_]]:
    """Numbers and bounds of lines that may be promos, and where those of each text end; the same of tails;
    ``Suspects.top``; whether a text may end in a run of short lines that no rule knows."""
    utf8, rows = texts.utf8, texts.starts.size
    most = (texts.feed_ends - texts.feed_starts).sum() + rows
    promos, tails = np.empty((most, 3), np.int64), np.empty((most, 3), np.int64)
    promo_ends, tail_ends, tops = np.zeros(rows + 1, np.int64), np.zeros(rows + 1, np.int64), np.zeros(rows, np.int64)
    has_run = np.zeros(rows, np.bool_)
    promo_count = tail_count = 0
    for row in range(rows):
        last = texts.feed_ends[row] - texts.feed_starts[row]  # line
        # From the last line up, as tail.find_window and tail.find_short_run go, until neither would look any further.
        weight = 0
        run = 0  # lines at the very end that are short and no sentences
        in_run = True
        has_digits = False
        line = last
        while line >= 0 and weight < MAX_COMMENTS_WEIGHT:
            i, line_end = line_of(texts, row, line)
            chars = characters_in(utf8, i, line_end)
            if chars:
                in_run &= chars <= SHORT_BLOCK_CHARS
                if in_run and not _ends_sentence(utf8, i, line_end):
                    run += 1
                    has_digits |= _may_hold_digit(utf8, i, line_end)
                if _may_be_known(
                    utf8, i, line_end, chars, characters, notices, long_starts, wordings, labels, patterns
                ):
                    tails[tail_count] = (line, i, line_end)
                    tail_count += 1
                    weight = max(0, min(weight, MAX_UNKNOWN_WEIGHT) - 1)
                else:
                    weight += 1 if chars <= SHORT_BLOCK_CHARS else LONG_WEIGHT
            line -= 1
        tops[row] = line + 1
        tail_ends[row + 1] = tail_count
        has_run[row] = run >= (_MIN_RUN_LINES if has_digits else _MIN_RUN_LINES_WORDS)
        for line in range(last + 1):
            i, line_end = line_of(texts, row, line)
            if (
                line_end > i
                and _starts_with_any(utf8, i, line_end, promo_starts, PROMO_START_CHARS)
                and _may_be_promo(utf8, i, line_end, characters, promo_wordings, promo_labels, promo_patterns)
            ):
                promos[promo_count] = (line, i, line_end)
                promo_count += 1
        promo_ends[row + 1] = promo_count
    return promos, promo_ends, tails, tail_ends, tops, has_run


@kernel
def _starts_with_any(utf8: npt.NDArray[np.uint8], i: int, end: int, starts: HashSet, count: int) -> bool:
    """Whether the line at byte ``i`` begins, behind bullets, with one of ``starts``, each ``count`` characters long.

    Starts may be shorter where the whole line is.
    """
    h = np.uint64(0)
    chars = 0
    while i < end and utf8[i] != 0x0A and chars < count:
        character, i = code_point(utf8, i)
        if not chars and _is_among(_BULLETS, character):
            continue
        h = rolled(h, character)
        chars += 1
    return contains(starts, h)


@kernel
def _may_hold_digit(utf8: npt.NDArray[np.uint8], start: int, end: int) -> bool:
    found = False
    for i in range(start, end):
        found |= 0x30 <= utf8[i] < 0x3A or utf8[i] >= 0x80
    return found


@kernel
def _is_among(characters: npt.NDArray[np.int64], character: np.int64) -> bool:
    found = False
    for i in range(characters.size):
        found |= characters[i] == character
    return found


@kernel
def _ends_sentence(utf8: npt.NDArray[np.uint8], start: int, end: int) -> bool:
    """``rules.ends_sentence`` of the line in ``utf8[start:end]``."""
    while end > start:
        last = end - 1
        while utf8[last] & 0xC0 == 0x80:
            last -= 1
        character, _ = code_point(utf8, last)
        if not _is_among(_CLOSING, character):
            return _is_among(_SENTENCE_ENDS, character)
        end = last
    return False


@kernel
def _may_be_known(
    utf8: npt.NDArray[np.uint8],
    start: int,
    end: int,
    chars: int,
    characters: npt.NDArray[np.uint32],
    notices: HashSet,
    long_starts: HashSet,
    wordings: HashSet,
    labels: HashSet,
    patterns: HashSet,
) -> bool:
    """Whether ``tail.Text.find`` may know the line in ``utf8[start:end]`` of so many characters; no is certain."""
    if chars > MAX_ROW_CHARS:
        return False
    sentence = _ends_sentence(utf8, start, end)
    if (
        sentence
        and chars > SHORT_BLOCK_CHARS
        and (chars > MAX_BLOCK_CHARS or not _starts_with_any(utf8, start, end, long_starts, LONG_START_CHARS))
    ):
        return _may_be_notice(utf8, start, end, characters, notices)
    return _may_be_notice(utf8, start, end, characters, notices) or _may_be_wording(
        utf8, start, end, sentence, characters, wordings, labels, patterns
    )


@kernel
def _may_be_promo(
    utf8: npt.NDArray[np.uint8],
    start: int,
    end: int,
    characters: npt.NDArray[np.uint32],
    wordings: HashSet,
    labels: HashSet,
    patterns: HashSet,
) -> bool:
    """Whether the line in ``utf8[start:end]`` may be a promo; the sets are of promos alone."""
    if characters_in(utf8, start, end) > MAX_BLOCK_CHARS:
        return False
    return _may_be_wording(utf8, start, end, True, characters, wordings, labels, patterns)


@kernel
def _may_be_notice(
    utf8: npt.NDArray[np.uint8], i: int, end: int, characters: npt.NDArray[np.uint32], notices: HashSet
) -> bool:
    """Whether a line may hold a notice of rights."""
    if utf8[i] == 0x28 and i + 1 < end and utf8[i + 1] | 0x20 == 0x63:  # "(c"
        return True
    found = False
    for pair in range(_RARE_BYTES.shape[0]):
        found |= _holds_pair(utf8[i:end], _RARE_BYTES[pair, 0], _RARE_BYTES[pair, 1])
    if not found:
        return False
    clue = np.uint64(0)
    while i < end:
        code, i = code_point(utf8, i)
        if code >= 0x80 and _is_among(_NOTICE_SIGNS, code):
            return True
        if code < _TABLE_SIZE and not characters[code] & _UNSURE:
            code = np.int64(characters[code] & _CHARACTER)
        clue = clue << np.uint64(8) | np.uint64(code & 0xFF)
        if contains(notices, clue):
            return True
    return False


@kernel
def _holds_pair(line: npt.NDArray[np.uint8], first: np.uint8, second: np.uint8) -> bool:
    """Whether two bytes stand in a row, but for the bit that parts capitals from small letters."""
    differing = np.uint8(255)
    for i in range(1, line.size):  # without a branch, for many bytes at once
        differing = min(differing, (line[i - 1] | np.uint8(0x20)) ^ first | (line[i] | np.uint8(0x20)) ^ second)
    return bool(differing == 0)


@kernel
def _may_be_wording(
    utf8: npt.NDArray[np.uint8],
    i: int,
    end: int,
    sentence: bool,
    characters: npt.NDArray[np.uint32],
    wordings: HashSet,
    labels: HashSet,
    patterns: HashSet,
) -> bool:
    """Whether a line may be a wording, a label before a colon, a pattern's match or a row of wordings.

    The line is normalised on the way, as ``rules.normalise_block`` does: ``h`` is the hash of all of it so far,
    ``core`` the same without what would be cut off if the line ended here.
    """
    h = core = np.uint64(0)
    chars = words = bars = 0
    blank = True
    gap = False  # behind a space
    small = False  # behind a small letter
    while i < end:
        code, i = code_point(utf8, i)
        entry = characters[code] if code < _TABLE_SIZE else _UNSURE
        if entry & _UNSURE:
            return True
        if not sentence and (entry & _BAR or (gap and entry & _DASH)):
            # Of the parts of a row two have to be known, of two both, so the first; between plain bars one, wherever.
            bars += 1
            if (entry & _BAR and chars) or bars > 1 or contains(wordings, core):
                return True
        if entry & _SPACE:
            if not gap and chars and not sentence:
                # A row of wordings without bars begins with one of a few words.
                words += 1
                if words <= MAX_WORDING_WORDS and contains(wordings, core):
                    return True
            gap, small = True, False
            continue
        if small and not sentence and (entry & _CHARACTER != code or 0x30 <= code < 0x3A) and contains(wordings, core):
            return True  # "ShareTweet"
        small = entry & _CHARACTER == code and not entry & _EDGE
        blank = False
        if not chars and entry & _EDGE:
            gap = False
            continue
        if gap and chars:
            h = rolled(h, np.int64(0x20))
            chars += 1
            if chars <= _PATTERN_CHARS and contains(patterns, h):
                return True
        gap = False
        character = np.int64(entry & _CHARACTER)
        if character == 0x3A and contains(labels, core):  # a colon
            return True
        h = rolled(h, character)
        chars += 1
        if chars <= _PATTERN_CHARS and contains(patterns, h):
            return True
        if not entry & _EDGE:
            core = h
    return blank or contains(wordings, core)
