"""What a text needs of cleaning; apart from survey.py, so that one text can be cleaned without numba."""

import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from transforms.text.draft import Draft
from transforms.text.repetition import FindRepetition, Repetition, find_repetition
from transforms.text.rules import Rule


class Need:
    """Steps that may have something to do; for what a text has no flag, nothing would be found.

    Integers and no ``enum.IntFlag``, of which a test of one flag takes a microsecond.
    """

    NOTHING: Final = 0
    LAYOUT: Final = 1
    """Paragraphs must be laid out."""
    REPAIR: Final = 2
    """Characters may be damaged."""
    LINE_ENDS: Final = 4
    """Lines end otherwise than with a line feed."""
    COMPOSITION: Final = 8
    """Characters may have to be composed."""
    SPACES: Final = 16
    """There are odd spaces or invisible characters."""
    RARE_SPACES: Final = 64
    """Some of these are no no-break spaces."""
    CREDITS: Final = 32
    """A wire agency may be credited."""


class Suspects(NamedTuple):
    """Lines of a text, by their numbers from 0, that rules of cruft know, and the rules; they know no others."""

    promos: Mapping[int, Rule] | None
    """Those that may be promos or parts of a bar, in order; None if that was not looked for."""
    tail: Mapping[int, Rule] | None
    """Those from line ``top`` on that may be cruft; None if the text's end is none."""
    top: int
    """The lines above were not looked up."""


ANY_LINE: Final = Suspects(promos=None, tail={}, top=sys.maxsize)


FORM: Final = Need.LINE_ENDS | Need.REPAIR | Need.COMPOSITION | Need.SPACES | Need.LAYOUT


class Survey(Protocol):
    """A look at texts as they stand before a step: what each needs of it, as :class:`Need` or lines."""

    def form(self, drafts: Sequence[Draft]) -> Sequence[int]:
        """``LINE_ENDS``, ``REPAIR``, ``COMPOSITION``, ``SPACES`` and ``LAYOUT``."""

    def cruft(self, drafts: Sequence[Draft]) -> Sequence[Suspects | None]:
        """Lines that rules of cruft know; None where there is nothing to go."""

    def repeats(self, drafts: Sequence[Draft]) -> Sequence[Repetition | None]:
        """What repeats; None where nothing of it may go."""

    def credits(self, drafts: Sequence[Draft]) -> Sequence[int]:
        """``CREDITS``."""


class NoSurvey:
    """Says of every text that it needs everything: each step finds out by itself, only later."""

    def __init__(self, find: FindRepetition = find_repetition) -> None:
        self._find = find

    def form(self, drafts: Sequence[Draft]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [FORM] * len(drafts)

    def cruft(self, drafts: Sequence[Draft]) -> Sequence[Suspects | None]:
        """See :class:`Survey`."""
        return [ANY_LINE] * len(drafts)

    def repeats(self, drafts: Sequence[Draft]) -> Sequence[Repetition | None]:
        """See :class:`Survey`."""
        return [self._find(draft.text) for draft in drafts]

    def credits(self, drafts: Sequence[Draft]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.CREDITS] * len(drafts)
