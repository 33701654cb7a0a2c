"""Repairs characters: mojibake, stray entities, control characters, ligatures, composition, quotes.

The work is ftfy's, line by line. ``ftfy`` costs milliseconds an article and changes almost none, so a gate
(:func:`is_suspect`, a single regular expression) lets through only text that ftfy might change. The gate follows
from ftfy's own source: with our settings ``fix_and_explain`` changes a line only if it holds an entity, a
control character, a ligature, a line break other than ``\\n``, or a match of ``ftfy.badness.BADNESS_RE``; and every
match of that expression holds one of a few single characters or two neighbours out of its character classes.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import ftfy
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CONTROL_CHARS, LIGATURES

from transforms.text.edits import Change, Edit, splice
from transforms.text.mojibake import restore_lead_bytes

# Full-width forms are the typography of Chinese and Japanese, so they stay; composition has a step of its own.
_FTFY = ftfy.TextFixerConfig(uncurl_quotes=False, fix_character_width=False, normalization=None)

_RULES = {
    "unescape_html": "html-entity",
    "fix_latin_ligatures": "ligature",
    "fix_line_breaks": "line-end",
    "remove_control_chars": "control-character",
    "remove_terminal_escapes": "control-character",
}


_BMP = "".join(chr(code) for code in range(0x80, 0xFFFF) if not 0xD800 <= code < 0xE000)


class Clues(NamedTuple):
    """Characters by what they say of their surroundings; ``tests/text/test_repair.py`` holds them against ftfy."""

    alone: set[str]
    """Suspect wherever they stand."""
    odd: set[str]
    """Suspect beside any clue."""
    small: set[str]
    """Accented small letters: odd, but not beside each other or beside a plain one."""
    plain: set[str]
    """Dashes, no-break spaces and the like: suspect only beside what is odd and not small."""
    other: set[str]
    """Quotation marks, Greek and Cyrillic letters: suspect only beside what is odd."""


# Three-letter matches that no two neighbours give away: a quotation mark between two of these.
LEADS: Final = frozenset("ВГРСΒΓΞΟ")
PROSE: Final = frozenset("‘“”’–—…")


def _find_clues() -> Clues:
    def members(*categories: str) -> set[str]:
        expanded = re.compile("[" + "".join(MOJIBAKE_CATEGORIES[name] for name in categories) + "]")
        return set(expanded.findall(_BMP))

    plain = members("common")
    letters = members("upper_common", "lower_common")  # Greek and Cyrillic
    return Clues(
        alone={chr(code) for code in (*CONTROL_CHARS, *LIGATURES, *range(0x80, 0xA0))} | set("\r\u2028\u2029\x1bÃÂŒœЂ"),
        odd=(members(*MOJIBAKE_CATEGORIES) | set("ÂÃÎÐŒœŠšŸžØÙ√≈†Ґґ")) - letters - PROSE - plain,
        small=members("lower_accented") | set("òóôõöøùúûü"),
        plain=plain,
        other=letters | (PROSE - plain),
    )


def _suspect_pattern(clues: Clues) -> re.Pattern[str]:
    """The gate: a superset of what ftfy can change."""

    def char_class(chars: Iterable[str]) -> str:
        return "[" + "".join(re.escape(char) for char in sorted(chars)) + "]"

    alone, odd, small, plain, other = clues
    every = odd | plain | other
    # The leading class is what makes the search fast: the engine skips everything else in one loop.
    return re.compile(
        f"{char_class(alone | every | {'&'})}(?:"
        f"(?<={char_class(alone)})"
        f"|(?<={char_class(odd - small)}){char_class(every)}"
        f"|(?<={char_class(small)}){char_class(every - small - plain)}"
        f"|(?<={char_class(plain)}){char_class(odd - small)}"
        f"|(?<={char_class(other)}){char_class(odd)}"
        f"|(?<={char_class(LEADS)}){char_class(PROSE)}{char_class(LEADS)}"
        "|(?<=Г)ў"
        "|(?<=&)#?[0-9A-Za-z]{1,24};"
        ")"
    )


CLUES: Final = _find_clues()
_SUSPECT = _suspect_pattern(CLUES)


def is_suspect(text: str) -> bool:
    """Whether ftfy might change ``text``; ``False`` is certain.

    >>> is_suspect("“It’s a pity,” he said — in Rhône."), is_suspect("â€œItâ€™s a pity")
    (False, True)
    """
    return _SUSPECT.search(text) is not None


def repair_lines(text: str) -> tuple[str, list[Edit]]:
    """Repair what ftfy repairs, line by line (lines end with ``\\n``).

    >>> repair_lines("â€œBon appÃ©tit,â€\\x9d she said &amp; left.")[0]
    '“Bon appétit,” she said & left.'
    """
    if not is_suspect(text):
        return text, []
    text, restored = restore_lead_bytes(text)
    text, repaired = splice(text, _line_changes(text))
    return text, restored + repaired


def compose(text: str) -> tuple[str, list[Edit]]:
    """Normalise to NFC, as the Unicode standard and the web's character model recommend.

    >>> text, (edit,) = compose("cafe\\u0301")
    >>> text, edit.rule, edit.start, len(edit.before), len(edit.after)
    ('café', 'nfc', 3, 2, 1)
    """
    if unicodedata.is_normalized("NFC", text):
        return text, []
    return splice(text, _composition_changes(text))


_QUOTES = {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'"}
_QUOTE = re.compile(f"[{''.join(_QUOTES)}]")


def straighten_quotes(text: str) -> tuple[str, list[Edit]]:
    """Replace typographic quotation marks by ASCII ones (``--quotes straight``)."""
    return splice(
        text,
        (
            (found.start(), found.end(), _QUOTES[found.group()], "unicode", "straight-quotes")
            for found in _QUOTE.finditer(text)
        ),
    )


def _line_changes(text: str) -> Iterator[Change]:
    start = 0
    for line in text.split("\n"):
        if is_suspect(line):
            fixed, steps = ftfy.fix_and_explain(line, _FTFY)
            if fixed != line:
                kind, rule = _name_of(steps or [])
                yield from _differences(line, fixed, start, kind, rule)
        start += len(line) + 1


def _name_of(steps: list[ftfy.ExplanationStep]) -> tuple[str, str]:
    names = dict.fromkeys(_RULES.get(step.parameter, "mojibake") for step in steps)
    return "encoding" if "mojibake" in names else "unicode", "+".join(names)


def _composition_changes(text: str) -> Iterator[Change]:
    # A starter and the marks after it compose independently of what stands before (UAX #15), up to a space.
    start = 0
    for line in text.split("\n"):
        for found in () if unicodedata.is_normalized("NFC", line) else re.finditer(r"\S+", line):
            word = found.group()
            composed = unicodedata.normalize("NFC", word)
            if composed != word:
                yield from _trimmed(word, composed, start + found.start(), "unicode", "nfc")
        start += len(line) + 1


_MAX_DIFF_WORDS = 2_000  # difflib is quadratic at its worst; more than that become one edit


def _differences(old: str, new: str, offset: int, kind: str, rule: str) -> Iterator[Change]:
    """What differs between two versions of a line, word by word, as small as it gets."""
    old_words, new_words = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    starts = list(accumulate((len(word) for word in old_words), initial=0))
    for old_from, old_to, new_from, new_to in _differing(old_words, new_words):
        before, after = "".join(old_words[old_from:old_to]), "".join(new_words[new_from:new_to])
        yield from _trimmed(before, after, offset + starts[old_from], kind, rule)


def _differing(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where two lists of words and spaces differ: ``old[a:b]`` became ``new[c:d]``."""
    if len(old) == len(new) and all(one == other or not one.isspace() for one, other in zip(old, new, strict=True)):
        # Nearly always: words were mended and every space is where it was.
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            if one != other:
                yield number, number + 1, number, number + 1
        return
    head, tail = _shared_ends(old, new)
    old_end, new_end = len(old) - tail, len(new) - tail
    if old_end - head > _MAX_DIFF_WORDS:
        yield head, old_end, head, new_end
        return
    matcher = difflib.SequenceMatcher(None, old[head:old_end], new[head:new_end], autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag != "equal":
            yield head + old_from, head + old_to, head + new_from, head + new_to


def _trimmed(old: str, new: str, offset: int, kind: str, rule: str) -> Iterator[Change]:
    """One change without the characters that both versions share at their ends."""
    head, tail = _shared_ends(old, new)
    if head + tail < max(len(old), len(new)):
        yield (offset + head, offset + len(old) - tail, new[head : len(new) - tail], kind, rule)


def _shared_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many characters, or words, two versions share at their beginning, and how many more at their end."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail
