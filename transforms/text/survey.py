"""One quick look at a batch of texts: which steps of cleaning can have something to do.

Most texts need none of the steps that repair characters and lay out paragraphs. Each step finds that out by itself,
with searches that cost together some 130 µs a text of 6 kB; one pass over Arrow's buffer does in 8 for all of them.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.credits import CREDIT_LINE_CHARS, DATELINE_CHARS, HEAD_BLOCKS, SIGNATURE_CHARS, TAIL_BLOCKS
from transforms.text.need import Need
from transforms.text.repair import CLUES, LEADS, PROSE
from transforms.text.repetition_kernel import find_shared
from transforms.text.rules import BULLETS, PROMO_START_CHARS, CreditRules, CruftRules
from transforms.text.shingles import code_point, kernel, read_only, utf8_buffers

# What a character's entry in the table says.
_ALONE: Final = np.uint8(1)  # suspect, an odd space or line end, or not composed: needs everything
_ODD: Final = np.uint8(2)
_SMALL: Final = np.uint8(4)
_PLAIN: Final = np.uint8(8)
_OTHER: Final = np.uint8(16)
_LEAD: Final = np.uint8(32)
_PROSE: Final = np.uint8(64)
_SPACE: Final = np.uint8(128)

_ODD_SPACES: Final = "\u00a0\u00ad\u1680\u200b\u202f\u205f\u2060\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
_LINE_ENDS: Final = "\r\x0b\x0c\u2028\u2029"


class Gates(NamedTuple):
    """What tells that promos and credits may be there, as hash sets for the kernels; made once by :func:`gates_of`."""

    promo_starts: npt.NDArray[np.uint64]
    agencies: npt.NDArray[np.uint64]
    """A word of each spelling, the one least likely in a sentence."""


def gates_of(cruft: CruftRules, credits: CreditRules) -> Gates:
    """The gates of these rules."""
    words = (max(_WORD.findall(spelling), key=_rareness, default="") for spelling in credits.agencies)
    return Gates(_hash_set(cruft.promo_starts), _hash_set({word for word in words if word}))


# General and CJK punctuation, «» and full-width brackets end a word, as :func:`_names_agency` reads bytes.
_WORD: Final = re.compile("[0-9A-Za-z]+|[^\\x00-\xbf\u2000-\u2fff\u3000-\u303f\uf000-\uffff]+")


def _rareness(word: str) -> tuple[bool, int]:
    return word.lower() != "the", len(word)


def survey(texts: pa.LargeStringArray, gates: Gates) -> npt.NDArray[np.uint8]:
    r"""What each text needs, as :class:`Need`; null counts as empty.

    >>> from transforms.text.rules import load_credit_rules, load_cruft_rules
    >>> texts = pa.array(["One.\n\nTwo.", "It rains. (AP)", "One.\n\nTwo.\nThree.", "itâ€™s"], pa.large_string())
    >>> needs = survey(texts, gates_of(load_cruft_rules(), load_credit_rules())).tolist()
    >>> needs == [Need.NOTHING, Need.CREDITS, Need.EVERYTHING & ~Need.CHARACTERS, Need.EVERYTHING]
    True
    """
    offsets, utf8 = utf8_buffers(texts)
    needs = _survey(offsets, utf8, _table(), _classes(), gates.promo_starts)
    find_shared(offsets, utf8, needs)
    _find_agencies(offsets, utf8, needs, gates.agencies)
    return needs


@functools.cache
def _classes() -> npt.NDArray[np.uint8]:
    """By byte: 0 nothing to note, 1 a space, 2 to be looked at."""
    classes = np.full(256, 2, np.uint8)
    classes[:0x80][_table()[:0x80] == 0] = 0
    classes[ord(" ")] = 1
    classes[[ord("\n"), ord("&")]] = 2
    return read_only(classes)


@functools.cache
def _table() -> npt.NDArray[np.uint8]:
    """By code point of the Basic Multilingual Plane; made in 0.1 s."""
    table = np.zeros(0x10000, np.uint8)
    seconds = _seconds()
    for code in range(0x10000):
        character = chr(code)
        if 0xD800 <= code < 0xE000:
            continue
        # What composes with, or is moved before, its neighbours (the quick check of UAX #15, section 9).
        composes = unicodedata.combining(character) or character in seconds
        if composes or not unicodedata.is_normalized("NFC", character):
            table[code] |= _ALONE
        if character.isspace() and code != 0x0A:
            table[code] |= _SPACE
    for character in (*CLUES.alone, *_ODD_SPACES, *_LINE_ENDS, "ў"):
        table[ord(character)] |= _ALONE
    flags = ((CLUES.odd - CLUES.small, _ODD), (CLUES.small, _SMALL), (CLUES.plain, _PLAIN), (CLUES.other, _OTHER))
    for characters, flag in (*flags, (LEADS, _LEAD), (PROSE, _PROSE)):
        for character in characters:
            table[ord(character)] |= flag
    return read_only(table)


def _seconds() -> frozenset[str]:
    """Second parts of canonical compositions, and the Hangul vowels and finals, which compose by rule."""
    hangul = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))
    parts = (unicodedata.decomposition(chr(code)).split() for code in range(0x10000))
    pairs = (pair for pair in parts if len(pair) == 2 and pair[0][0] != "<")
    return frozenset({chr(code) for code in hangul} | {chr(int(second, 16)) for _, second in pairs})


def _hash_set(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """A table with open addressing for :func:`_contains`, at most a quarter full."""
    hashes = {_hash_of(text) for text in texts}
    table = np.zeros(1 << (4 * len(hashes) + 1).bit_length(), np.uint64)
    for value in sorted(hashes):
        slot = value % table.size
        while table[slot]:
            slot = (slot + 1) % table.size
        table[slot] = value
    return read_only(table)


def _hash_of(text: str) -> int:
    """The hash that the kernels roll over code points; never 0, which is an empty slot."""
    value = 0
    for character in text:
        value = ((value ^ ord(character)) * int(_MULTIPLIER)) % 2**64
        value ^= value >> 29
    return value


_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


@kernel
def _rolled(h: np.uint64, character: np.int64) -> np.uint64:
    h = (h ^ np.uint64(character)) * _MULTIPLIER
    return h ^ (h >> np.uint64(29))


@kernel
def _contains(table: npt.NDArray[np.uint64], h: np.uint64) -> bool:
    mask = np.uint64(table.size - 1)
    slot = h & mask
    while table[slot]:
        if table[slot] == h:
            return True
        slot = (slot + np.uint64(1)) & mask
    return False


@kernel
def _starts_like_promo(utf8: npt.NDArray[np.uint8], i: int, end: int, starts: npt.NDArray[np.uint64]) -> bool:
    """Whether the line at byte ``i`` begins, behind bullets, with one of ``starts``."""
    h = np.uint64(0)
    chars = 0
    while i < end and utf8[i] != 0x0A and chars < PROMO_START_CHARS:
        character, i = code_point(utf8, i)
        if chars == 0:
            bullet = False
            for j in range(_BULLETS.size):
                bullet |= character == _BULLETS[j]
            if bullet:
                continue
        h = _rolled(h, character)
        chars += 1
    return _contains(starts, h)


_BULLETS: Final = np.array(list(map(ord, BULLETS)), np.int64)
_NOT_LAID_OUT: Final = np.uint8(Need.EVERYTHING & ~Need.CHARACTERS)
_EVERYTHING: Final = np.uint8(Need.EVERYTHING)
_PROMOS: Final = np.uint8(Need.PROMOS)
_CREDITS: Final = np.uint8(Need.CREDITS)
_LAYOUT: Final = np.uint8(Need.LAYOUT)


@kernel
def _survey(
    offsets: npt.NDArray[np.int64],
    utf8: npt.NDArray[np.uint8],
    table: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8],
    promo_starts: npt.NDArray[np.uint64],
) -> npt.NDArray[np.uint8]:
    needs = np.zeros(offsets.size - 1, np.uint8)
    for row in range(offsets.size - 1):
        i, end = offsets[row], offsets[row + 1]
        need = np.uint8(0)
        before = last = np.uint8(0)  # table entries of the two characters before
        newlines = 2  # as if a paragraph had just ended, so that a space at the start is seen
        space = np.uint8(1)
        laid_out = True
        promos = _starts_like_promo(utf8, i, end, promo_starts)
        while i < end:
            kind = classes[utf8[i]]
            if kind < 2:
                # Letters and single spaces: most of a text, passed without a branch for each.
                laid_out &= newlines != 1
                space = space if newlines == 0 else np.uint8(1)
                doubled = np.uint8(0)
                start = i
                while kind < 2:
                    doubled |= kind & space
                    space = kind
                    i += 1
                    if i == end:
                        break
                    kind = classes[utf8[i]]
                laid_out &= doubled == 0
                newlines = 0
                before = last if i - start == 1 else np.uint8(0)
                last = np.uint8(0)
                continue
            byte = utf8[i]
            if byte == 0x0A:
                laid_out &= not (space and newlines == 0)
                newlines += 1
                laid_out &= newlines <= 2
                space = np.uint8(0)
                before, last = last, np.uint8(0)
                i += 1
                if not promos and i < end and utf8[i] != 0x0A:
                    promos = _starts_like_promo(utf8, i, end, promo_starts)
                continue
            laid_out &= newlines != 1
            if byte < 0x80:
                flag = table[byte]
                i += 1
                if byte == 0x26:  # & begins an entity only with letters or digits and a semicolon behind
                    j = i
                    while j < end and j < i + 26 and utf8[j] != 0x3B and utf8[j] > 0x22 and utf8[j] < 0x7B:
                        j += 1
                    if j < end and utf8[j] == 0x3B:
                        need = _EVERYTHING
            else:
                code, i = code_point(utf8, i)
                # Outside the plane only emoji and the like are common; the rest is looked at closely.
                flag = table[code] if code < 0x10000 else np.uint8(not 0x1F000 <= code < 0x1FB00)
            if flag:
                if flag & 1:
                    need = _EVERYTHING
                elif flag & 128:
                    laid_out = False
                if (
                    (last & 2 and flag & 30)
                    or (last & 4 and flag & 18)
                    or (last & 8 and flag & 2)
                    or (last & 16 and flag & 6)
                    or (before & 32 and last & 64 and flag & 32)
                ):
                    need = _EVERYTHING
            if need:
                break
            space = np.uint8(0)
            newlines = 0
            before, last = last, flag
        if not need and not (laid_out and newlines == 0 and not space):
            need = _NOT_LAID_OUT
        needs[row] = need | (_PROMOS if promos else np.uint8(0))
    return needs


@kernel
def _find_agencies(
    offsets: npt.NDArray[np.int64],
    utf8: npt.NDArray[np.uint8],
    needs: npt.NDArray[np.uint8],
    agencies: npt.NDArray[np.uint64],
) -> None:
    """Flag the texts that are laid out and name an agency where a dateline or a credit line may stand."""
    for row in range(offsets.size - 1):
        if needs[row] & _LAYOUT:
            continue
        start, end = offsets[row], offsets[row + 1]
        found = False
        i = start
        for _ in range(HEAD_BLOCKS):  # every block is a line, and a blank line stands between two
            j = i
            chars = 0
            framed = False  # in a dateline an agency stands in brackets or between slashes
            while j < end and utf8[j] != 0x0A and chars <= DATELINE_CHARS:
                framed |= utf8[j] == 0x28 or utf8[j] == 0x2F
                chars += (utf8[j] & 0xC0) != 0x80
                j += 1
            found |= framed and _names_agency(utf8, i, j, agencies)
            while j < end and utf8[j] != 0x0A:
                j += 1
            i = min(j + 2, end)
        i = end
        for _ in range(TAIL_BLOCKS):
            j = short = i
            chars = 0
            while j > start and utf8[j - 1] != 0x0A:
                j -= 1
                chars += (utf8[j] & 0xC0) != 0x80
                short = j if chars <= SIGNATURE_CHARS else short
            # Of a block too long for a credit line only a signature at its end counts.
            found |= _names_agency(utf8, j if chars <= CREDIT_LINE_CHARS else short, i, agencies)
            i = max(j - 2, start)
        if found:
            needs[row] |= _CREDITS


@kernel
def _names_agency(utf8: npt.NDArray[np.uint8], i: int, end: int, agencies: npt.NDArray[np.uint64]) -> bool:
    h = np.uint64(0)
    while i < end and utf8[i] & 0xC0 == 0x80:  # the rest of a character that was cut
        i += 1
    in_other = False  # a word is of ASCII or of other letters, as "AP通信" is two
    while i < end:
        byte = utf8[i]
        is_ascii = bool(0x30 <= byte < 0x3A or 0x41 <= byte < 0x5B or 0x61 <= byte < 0x7B)
        code, after = (np.int64(byte), i + 1) if byte < 0x80 else code_point(utf8, i)
        is_other = bool(code >= 0xC0 and not (0x2000 <= code < 0x3040 or 0xF000 <= code < 0x10000))
        if h and (not (is_ascii or is_other) or is_other != in_other):
            if _contains(agencies, h):
                return True
            h = np.uint64(0)
        if is_ascii or is_other:
            h = _rolled(h, np.int64(code))
            in_other = is_other
        i = after
    return h != 0 and _contains(agencies, h)
