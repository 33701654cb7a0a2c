"""Rules out credits for a batch of texts: only those that name an agency where one may stand are looked at closely."""

import re
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.text.credits import (
    CREDIT_LINE_CHARS,
    DATELINE_CHARS,
    FRAME,
    HEAD_BLOCKS,
    SIGNATURE_CHARS,
    TAIL_BLOCKS,
)
from transforms.text.encoded import Encoded, characters_in, line_of
from transforms.text.hash_sets import HashSet, contains, hash_set, rolled
from transforms.text.need import Need
from transforms.text.rules import CREDIT_START_CHARS, CreditRules
from transforms.text.shingles import code_point, kernel

_CREDITS: Final = np.uint8(Need.CREDITS)


class CreditGates(NamedTuple):
    """What credits are made of, as hash sets for the kernel; made once by :func:`gates_of`."""

    agencies: HashSet
    """A word of each spelling, the one least likely in a sentence."""
    starts: HashSet
    """The first characters of what begins a credit line, in small letters."""
    ends: HashSet
    """The last words of what ends one, in small letters."""
    signs: npt.NDArray[np.int64]
    """Characters of forms in which an agency is no word of its own."""


def gates_of(rules: CreditRules) -> CreditGates:
    """The gates of these rules."""
    words = (max(_WORD.findall(spelling), key=_rareness, default="") for spelling in rules.agencies)
    ends = {_WORD.findall(phrase)[-1] for phrase in rules.after}
    signs = np.array(list(map(ord, rules.signs)), np.int64)
    return CreditGates(hash_set({word for word in words if word}), hash_set(rules.before_starts), hash_set(ends), signs)


# General and CJK punctuation, «» and full-width brackets end a word, as :func:`_names_agency` reads bytes.
_WORD: Final = re.compile("[0-9A-Za-z]+|[^\\x00-\xbf\u2000-\u2fff\u3000-\u303f\uf000-\uffff]+")


def _rareness(word: str) -> tuple[bool, int]:
    return word.lower() not in ("a", "press", "the"), len(word)  # of "A.P", "Jiji Press", "The AP"


def look_for_credits(texts: Encoded, gates: CreditGates) -> npt.NDArray[np.uint8]:
    """Which texts name an agency where a dateline or a credit line may stand (``Need.CREDITS``)."""
    return _look_for_credits(texts, *gates)


_FRAME: Final = np.array(list(map(ord, FRAME)), np.int64)


@kernel
def _look_for_credits(
    texts: Encoded, agencies: HashSet, starts: HashSet, ends: HashSet, signs: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    needs = np.zeros(texts.starts.size, np.uint8)
    for row in range(needs.size):
        if _opens_with_credit(texts, row, agencies, signs) or _ends_with_credit(
            texts, row, agencies, starts, ends, signs
        ):
            needs[row] = _CREDITS
    return needs


@kernel
def _opens_with_credit(texts: Encoded, row: int, agencies: HashSet, signs: npt.NDArray[np.int64]) -> bool:
    utf8 = texts.utf8
    blocks = 0
    for line in range(texts.feed_ends[row] - texts.feed_starts[row] + 1):
        i, line_end = line_of(texts, row, line)
        j = i
        chars = 0
        # In a dateline an agency stands in brackets, between slashes or behind a place in capitals.
        framed = i + 1 < line_end and _is_capital(utf8[i]) and _is_capital(utf8[i + 1])
        while j < line_end and chars <= DATELINE_CHARS:
            framed |= utf8[j] == 0x28 or utf8[j] == 0x2F or utf8[j] == 0x5B or utf8[j] >= 0xE3  # East Asian
            chars += (utf8[j] & 0xC0) != 0x80
            j += 1
        if framed and _names_agency(utf8, i, j, agencies, signs):
            return True
        blocks += line_end > i
        if blocks == HEAD_BLOCKS:
            break
    return False


@kernel
def _ends_with_credit(
    texts: Encoded, row: int, agencies: HashSet, starts: HashSet, ends: HashSet, signs: npt.NDArray[np.int64]
) -> bool:
    utf8 = texts.utf8
    position = 0
    for line in range(texts.feed_ends[row] - texts.feed_starts[row], -1, -1):
        i, line_end = line_of(texts, row, line)
        if line_end > i:
            if characters_in(utf8, i, line_end) <= CREDIT_LINE_CHARS and _may_be_credit_line(
                utf8, i, line_end, starts, ends
            ):
                if _names_agency(utf8, i, line_end, agencies, signs):
                    return True
            elif position < 2:  # a signature at its end
                j = line_end
                chars = 0
                while j > i and chars < SIGNATURE_CHARS:
                    j -= 1
                    chars += (utf8[j] & 0xC0) != 0x80
                if _names_agency(utf8, j, line_end, agencies, signs):
                    return True
            position += 1
            if position == TAIL_BLOCKS:
                break
    return False


@kernel
def _may_be_credit_line(utf8: npt.NDArray[np.uint8], i: int, end: int, starts: HashSet, ends: HashSet) -> bool:
    """Whether a block is as short as a signature, or begins or ends as a credit line does."""
    if i == end or utf8[i] | 0x20 == 0x63 or utf8[i] == 0x28:  # "Copyright", "(c)"
        return True
    # Without the brackets, dashes and stars around it.
    while i < end:
        code, after = code_point(utf8, i)
        if not _is_in_frame(code):
            break
        i = after
    while end > i:
        last = end - 1
        while utf8[last] & 0xC0 == 0x80:
            last -= 1
        code, _ = code_point(utf8, last)
        if not _is_in_frame(code):
            break
        end = last
    chars = 0
    h = np.uint64(0)
    j = i
    while j < end and chars <= SIGNATURE_CHARS:
        if chars < CREDIT_START_CHARS:
            if utf8[j] >= 0x80:
                return True  # which is its small letter is not looked up here
            h = rolled(h, np.int64(_small(utf8[j])))
        chars += (utf8[j] & 0xC0) != 0x80
        j += 1
    if chars <= SIGNATURE_CHARS or contains(starts, h):
        return True
    j = end
    while j > i and _is_letter(utf8[j - 1]):
        j -= 1
    if j > i and utf8[j - 1] >= 0x80:
        # Quotation marks end many paragraphs, letters beyond ASCII few credit lines.
        last = j - 1
        while utf8[last] & 0xC0 == 0x80:
            last -= 1
        code, _ = code_point(utf8, last)
        return bool(not 0x2000 <= code < 0x2100)
    h = np.uint64(0)
    while j < end:
        h = rolled(h, np.int64(_small(utf8[j])))
        j += 1
    return contains(ends, h)


@kernel
def _small(byte: np.uint8) -> np.uint8:
    return byte | 0x20 if _is_capital(byte) else byte


@kernel
def _is_capital(byte: np.uint8) -> bool:
    return bool(0x41 <= byte < 0x5B)


@kernel
def _is_letter(byte: np.uint8) -> bool:
    return bool(0x61 <= byte | 0x20 < 0x7B)


@kernel
def _is_in_frame(code: np.int64) -> bool:
    found = False
    for i in range(_FRAME.size):
        found |= _FRAME[i] == code
    return found


@kernel
def _names_agency(
    utf8: npt.NDArray[np.uint8], i: int, end: int, agencies: HashSet, signs: npt.NDArray[np.int64]
) -> bool:
    h = np.uint64(0)
    while i < end and utf8[i] & 0xC0 == 0x80:  # the rest of a character that was cut
        i += 1
    in_other = False  # a word is of ASCII or of other letters, as "AP通信" is two
    while i < end:
        byte = utf8[i]
        code, after = (np.int64(byte), i + 1) if byte < 0x80 else code_point(utf8, i)
        if 0xFF00 < code < 0xFF5F:  # full-width
            code -= 0xFEE0
        is_ascii = bool(0x30 <= code < 0x3A or 0x41 <= code < 0x5B or 0x61 <= code < 0x7B)
        is_other = bool(code >= 0xC0 and not (0x2000 <= code < 0x3040 or 0xF000 <= code < 0x10000))
        if h and (not (is_ascii or is_other) or is_other != in_other):
            if contains(agencies, h):
                return True
            h = np.uint64(0)
        if 0xFF60 < code < 0xFFE0:  # half-width, which is another letter in NFKC
            return True
        if code >= 0x3000:
            for sign in signs:
                if code == sign:
                    return True
        if is_ascii or is_other:
            h = rolled(h, np.int64(code))
            in_other = is_other
        i = after
    return h != 0 and contains(agencies, h)
