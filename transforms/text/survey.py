"""One quick look at a batch of texts: which steps of cleaning can have something to do.

Most texts need none of the steps that repair characters and lay out paragraphs. Each step finds that out by itself,
with searches that cost together some 130 µs a text of 6 kB; one pass over Arrow's buffer does in 8 for all of them.
"""

import functools
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.repair import CLUES, LEADS, PROSE
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


def survey(texts: pa.LargeStringArray) -> npt.NDArray[np.uint8]:
    r"""What each text needs, as :class:`Need`.

    >>> survey(pa.array(["One.\n\nTwo.", "One.\nTwo.", "itâ€™s"], pa.large_string())).tolist()
    [0, 1, 2]
    """
    offsets, utf8 = utf8_buffers(texts)
    return _survey(offsets, utf8, _table())


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


@kernel
def _survey(
    offsets: npt.NDArray[np.int64], utf8: npt.NDArray[np.uint8], table: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    needs = np.zeros(offsets.size - 1, np.uint8)
    for row in range(offsets.size - 1):
        i, end = offsets[row], offsets[row + 1]
        need = np.uint8(0)
        before = last = np.uint8(0)  # table entries of the two characters before
        newlines = 2  # as if a paragraph had just ended, so that a space at the start is seen
        space = True
        while i < end:
            byte = utf8[i]
            if byte == 0x0A:
                if space and newlines == 0:
                    need |= np.uint8(1)
                newlines += 1
                if newlines > 2:
                    need |= np.uint8(1)
                space = False
                before, last = last, np.uint8(0)
                i += 1
                continue
            if newlines == 1:
                need |= np.uint8(1)
            if byte < 0x80:
                flag = table[byte]
                i += 1
                if byte == 0x20:
                    if space or newlines > 0:
                        need |= np.uint8(1)
                    space = True
                    newlines = 0
                    before, last = last, np.uint8(0)
                    continue
                if byte == 0x26:  # & begins an entity only with letters or digits and a semicolon behind
                    j = i
                    while j < end and j < i + 26 and utf8[j] != 0x3B and utf8[j] > 0x22 and utf8[j] < 0x7B:
                        j += 1
                    if j < end and utf8[j] == 0x3B:
                        need |= np.uint8(2)
            else:
                code, i = code_point(utf8, i)
                # Outside the plane only emoji and the like are common; the rest is looked at closely.
                flag = table[code] if code < 0x10000 else np.uint8(not 0x1F000 <= code < 0x1FB00)
            if flag:
                if flag & 1:
                    need |= np.uint8(2)
                elif flag & 128:
                    need |= np.uint8(1)
                if (
                    (last & 2 and flag & 30)
                    or (last & 4 and flag & 18)
                    or (last & 8 and flag & 2)
                    or (last & 16 and flag & 6)
                    or (before & 32 and last & 64 and flag & 32)
                ):
                    need |= np.uint8(2)
            if need & 2:
                break
            space = False
            newlines = 0
            before, last = last, flag
        if newlines > 0 or space:
            need |= np.uint8(1)
        needs[row] = 2 if need & 2 else need
    return needs
