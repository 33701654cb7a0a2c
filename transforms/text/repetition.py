"""What a text says twice: equal paragraphs, and long runs of words that two paragraphs share.

For one text, without numba, whose import alone takes longer than cleaning an article; its faster twin for batches is
``repetition_kernel.py``.
"""

import re
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import NamedTuple

WINDOW, WINDOW_UNSPACED = 6, 16  # words, or characters, that two paragraphs must share in a row to be looked at
MAX_RUNS = 64
_LONG = 200_000  # characters, about an hour's reading; from here on the kernel is worth its import


class Run(NamedTuple):
    """``length`` words that two paragraphs share, and the word of each that they begin at."""

    first: int
    second: int
    first_from: int
    second_from: int
    length: int


class Repetition(NamedTuple):
    """What the paragraphs of a text have in common."""

    words: list[int]
    """By paragraph."""
    twins: list[tuple[int, int]]
    """Paragraphs of the same words, each with the first that has them."""
    runs: list[Run]
    """Those of two fifths of the shorter paragraph, and those that it begins with and the one above ends with."""
    counters: int
    """Paragraphs that may be the counters of a gallery: short, with a digit at each end."""


FindRepetition = Callable[[str], Repetition]

# Code points beyond ASCII that part words, and those of scripts without spaces, each of which is one.
_BREAKS = "".join(
    (
        "\u0080-\u00bf\u2000-\u2bff\u3000-\u303f",
        "\u060c\u061b\u061f\u06d4\u0964\u0965\ufeff",
        "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40",
    )
)
_SOLOS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_TOKEN = re.compile(f"[{_SOLOS}]|[^\\x00-/:-@\\[-`{{-\x7f{_BREAKS}{_SOLOS}]+")
_SOLO = re.compile(f"[{_SOLOS}]")
_SMALL = {
    **{
        code: code + 32
        for bounds in ((0x41, 0x5B), (0xC0, 0xDF), (0x391, 0x3AA), (0x410, 0x430))
        for code in range(*bounds)
    },
    **{code: code + 80 for code in range(0x400, 0x410)},
}
_DIGITS = frozenset("0123456789")


def find_repetition(text: str) -> Repetition:
    r"""What the paragraphs of ``text`` (parted by blank lines) have in common.

    >>> found = find_repetition("One for all and all for one.\n\nSaid: one for all and all for one!\n\n1 of 2")
    >>> found.words, found.twins, found.runs, found.counters
    ([7, 8, 3], [], [Run(first=0, second=1, first_from=0, second_from=1, length=7)], 1)
    """
    if len(text) > _LONG:
        from transforms.text import repetition_kernel

        return repetition_kernel.find_repetition(text)
    paragraphs = text.translate(_SMALL).split("\n\n")
    words = list(map(_TOKEN.findall, paragraphs))
    twins: list[tuple[int, int]] = []
    first_of: dict[tuple[str, ...], int] = {}
    for number, own in enumerate(words):
        if own and (first := first_of.setdefault(tuple(own), number)) != number:
            twins.append((first, number))
    runs = _find_runs(words, {second for _, second in twins})
    return Repetition(list(map(len, words)), twins, runs, sum(map(_may_be_counter, paragraphs)))


def _find_runs(words: list[list[str]], skipped: set[int]) -> list[Run]:
    tokens = [word for own in words for word in own]
    starts = list(accumulate(map(len, words), initial=0))
    owners = [number for number, own in enumerate(words) for _ in own]
    solos = sum(_SOLO.match(token) is not None for token in tokens)
    window = WINDOW_UNSPACED if 2 * solos > len(tokens) else WINDOW
    places: dict[tuple[str, ...], int] = {}  # of the first of each window of words
    runs: list[Run] = []
    for second, (start, end) in enumerate(pairwise(starts)):
        if second in skipped:
            continue
        done = start  # words before this one are in a run
        for at in range(start, end - window + 1):
            held = places.setdefault(tuple(tokens[at : at + window]), at)
            first = owners[held]
            if first == second or at < done:
                continue
            back, length = 0, window
            while min(held - starts[first], at - start) > back and tokens[held - back - 1] == tokens[at - back - 1]:
                back += 1
            while (
                held + length < starts[first + 1] and at + length < end and tokens[held + length] == tokens[at + length]
            ):
                length += 1
            done = at + length - window + 1
            length += back
            run = Run(first, second, held - back - starts[first], at - back - start, length)
            joins = second - first == 1 and not run.second_from and run.first_from + length == len(words[first])
            if (joins or 5 * length >= 2 * min(len(words[first]), end - start)) and len(runs) < MAX_RUNS:
                runs.append(run)
    return runs


def _may_be_counter(paragraph: str) -> bool:
    return (
        _DIGITS.issuperset(paragraph[:1] + paragraph[-1:]) and 4 < len(paragraph.encode("utf-8", "surrogatepass")) < 11
    )
