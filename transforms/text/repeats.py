"""Drops paragraphs that repeat an earlier one of the same article: a photo caption printed twice."""

import re
from collections import Counter

from transforms.text.edits import Change, Edit, splice

# Shorter ones are "Yes.", speakers' names, headings, rows, refrains; what stands right below its twin needs less.
_MIN_CHARS, _MIN_CHARS_ADJACENT = 60, 40
_MIN_CHARS_UNSPACED = 18  # a Chinese or Japanese character says about as much as two or three letters
_MIN_WORDS = 7
_QUOTES = str.maketrans(dict.fromkeys("’‘‚‛`´", "'") | dict.fromkeys("“”„‟«»", '"'))
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# List items, attributions, fields, a speaker's line in a transcript: each may rightly stand twice.
_KEPT = re.compile(r"[-–—*•·▪◦>\[(]|\d{1,3}[.)-]|\w+://|[^.!?]{1,40}:\s|[^\s.!?]*[A-Z]{2,}[^.!?a-z]{0,40}:")
_ATTRIBUTION = re.compile(r"\(@\w+\)|:$")


def drop_repeats(text: str) -> tuple[str, list[Edit]]:
    r"""Drop each paragraph that repeats an earlier one, case and the form of quotation marks aside.

    What may rightly stand twice stays: short lines, list items, attributions, transcripts' lines, verse (a paragraph of
    several lines).

    >>> caption = "The mayor of Marl opens the rebuilt Harrow Bridge on Tuesday."
    >>> drop_repeats(f"{caption}\n\nShe cut the ribbon herself.\n\n{caption}")[0].count("mayor")
    1
    """
    paragraphs = text.split("\n\n")
    # Equal paragraphs are equally long: that alone tells nearly all apart, at no cost.
    lengths = Counter(map(len, paragraphs))
    if len(lengths) == len(paragraphs):
        return text, []
    seen: set[str] = set()
    changes: list[Change] = []
    start = 0
    previous = ""
    for paragraph in paragraphs:
        length = len(paragraph)
        key = ""
        if length >= _MIN_CHARS_UNSPACED and lengths[length] > 1:
            key = paragraph.translate(_QUOTES).casefold()
            if key in seen and is_prose(paragraph, _MIN_CHARS_ADJACENT if key == previous else _MIN_CHARS):
                changes.append(Change(start - 2, start + length, "", "repeat", "exact-repeat"))
            seen.add(key)
        previous = key
        start += length + 2
    return splice(text, changes)


def is_prose(paragraph: str, min_chars: int) -> bool:
    """Whether a paragraph says enough in its own words that printing it twice must be a mistake."""
    if len(paragraph) < _MIN_CHARS_UNSPACED or "\n" in paragraph:
        return False
    if _KEPT.match(paragraph) or _ATTRIBUTION.search(paragraph):
        return False
    if len(paragraph) >= min_chars and paragraph.count(" ") + 1 >= _MIN_WORDS:
        return True
    return len(_UNSPACED.findall(paragraph)) >= _MIN_CHARS_UNSPACED
