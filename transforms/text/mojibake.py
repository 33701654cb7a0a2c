"""Mojibake that ftfy cannot undo, because a byte of it was lost on the way.

"—" is E2 80 94 in UTF-8. Programs that drop what they take for an accented letter leave 80 94 behind, two control
characters (or "€”", once they were read as windows-1252). ftfy sees windows-1252 there and makes "€”" of them.
"""

import re

from transforms.text.edits import Edit, splice

# The third byte of U+2010 to U+203A as the character it is by Latin-1, and by windows-1252 where that differs.
_PUNCTUATION = {0x13: "–", 0x14: "—", 0x18: "‘", 0x19: "’", 0x1C: "“", 0x1D: "”", 0x22: "•", 0x26: "…"}
_THIRD = {chr(0x80 + code): character for code, character in _PUNCTUATION.items()}
_THIRD |= {bytes([0x80 + code]).decode("cp1252"): character for code, character in _PUNCTUATION.items() if code != 0x1D}
# No text holds U+0080, unless it is windows-1252's euro: that follows its amount, and a closing quotation mark ends
# there. "€" itself is a character of its own and counts only inside or before a word.
_LOST = re.compile(
    f"(?<![âÂ¢])(?:Â?\x80Â?([{''.join(map(re.escape, _THIRD))}])|(?<=[^\\W\\d])€(™)(?=[^\\W\\d])|(?<!\\S)€(œ)(?=\\w))"
    "|\x80(?=[–—‘’…])"  # read as windows-1252 but for the first of the two
)
_AMOUNT_BEFORE = re.compile(r"\d\s?$")


def restore_lead_bytes(text: str) -> tuple[str, list[Edit]]:
    r"""Give punctuation its lost first byte back.

    >>> restore_lead_bytes("It\x80\x99s late \x80\x94 too late.")[0]
    'It’s late — too late.'
    """
    if "\x80" not in text and "€" not in text:
        return text, []
    return splice(
        text,
        (
            (found.start(), found.end(), _THIRD.get(found[found.lastindex or 0], ""), "encoding", "lost-lead-byte")
            for found in _LOST.finditer(text)
            if not _is_euro(text, found.start(), found.end())
        ),
    )


def _is_euro(text: str, start: int, end: int) -> bool:
    return bool(_AMOUNT_BEFORE.search(text, max(start - 2, 0), start)) and not text[end : end + 1].isalnum()
