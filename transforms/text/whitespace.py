"""Line ends, odd spaces and invisible characters."""

import re

from transforms.text.edits import Edit, splice

_LINE_END_CHARACTERS = "\r\x0b\x0c\u2028\u2029"
_LINE_END = re.compile(f"\r\n|[{_LINE_END_CHARACTERS}]")
# Thai, Lao, Burmese and Khmer mark word boundaries with the zero-width space: between their letters it stays.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f"
_ODD_CHARACTER = re.compile(f"[{_SPACES}\u00ad\u200b\u2060\ufeff]")
# The leading class is what makes the search fast: the engine skips everything else in one loop.
_ODD = re.compile(
    f"[{_SPACES}\u00ad\u200b\u2060\ufeff](?:(?P<space>(?<=[{_SPACES}])[{_SPACES}]*)|(?<=[\u00ad\u2060\ufeff])"
    f"|(?<=\u200b)(?:(?<![{_UNSPACED}]\u200b)|(?![{_UNSPACED}])))"
)


def normalise_line_ends(text: str) -> tuple[str, list[Edit]]:
    r"""Every line ends with ``\n``; a paragraph separator becomes a blank line.

    >>> normalise_line_ends("One.\r\nTwo.")
    ('One.\nTwo.', [Edit(kind='whitespace', rule='line-end', start=4, before='\r\n', after='\n')])
    """
    if not any(character in text for character in _LINE_END_CHARACTERS):
        return text, []
    return splice(
        text,
        (
            (
                found.start(),
                found.end(),
                "\n\n" if found.group() == "\u2029" else "\n",
                "whitespace",
                "line-end",
            )
            for found in _LINE_END.finditer(text)
        ),
    )


def normalise_spaces(text: str) -> tuple[str, list[Edit]]:
    r"""No-break and typographic spaces become spaces; zero-width spaces and soft hyphens go.

    Joiners and direction marks stay: Persian, Arabic, Indic scripts and emoji are written with them. So does the
    ideographic space.

    >>> normalise_spaces("5\u00a0000 euros, infor\u00admation")[0]
    '5 000 euros, information'
    """
    if text.isascii() or not _ODD_CHARACTER.search(text):
        return text, []
    return splice(
        text,
        (
            (
                found.start(),
                found.end(),
                " " * len(found.group()) if found.lastgroup == "space" else "",
                "whitespace",
                "odd-space" if found.lastgroup == "space" else "invisible",
            )
            for found in _ODD.finditer(text)
        ),
    )
