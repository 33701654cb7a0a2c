"""What a text needs of cleaning; apart from survey.py, so that one text can be cleaned without numba."""

import enum
from collections.abc import Sequence
from typing import Final, Protocol


class Need(enum.IntFlag):
    """Steps that may have something to do; for what a text has no flag, nothing would be found."""

    NOTHING = 0
    LAYOUT = 1
    """Paragraphs must be laid out."""
    REPAIR = 2
    """Characters may be damaged."""
    PROMOS = 4
    """A line may be a promo."""
    TAIL = 8
    """The end may be cruft."""
    REPEATS = 16
    """Paragraphs may repeat."""
    CREDITS = 32
    """A wire agency may be credited."""
    LINE_ENDS = 64
    """Lines end otherwise than with a line feed."""
    COMPOSITION = 128
    """Characters may have to be composed."""
    SPACES = 256
    """There are odd spaces or invisible characters."""


FORM: Final = Need.LINE_ENDS | Need.REPAIR | Need.COMPOSITION | Need.SPACES | Need.LAYOUT


class Survey(Protocol):
    """A look at texts as they stand before a step: what each needs of it, as :class:`Need`."""

    def form(self, texts: Sequence[str]) -> Sequence[int]:
        """``LINE_ENDS``, ``REPAIR``, ``COMPOSITION``, ``SPACES`` and ``LAYOUT``."""

    def cruft(self, texts: Sequence[str]) -> Sequence[int]:
        """``PROMOS`` and ``TAIL``."""

    def repeats(self, texts: Sequence[str]) -> Sequence[int]:
        """``REPEATS``."""

    def credits(self, texts: Sequence[str]) -> Sequence[int]:
        """``CREDITS``."""


class NoSurvey:
    """Says of every text that it needs everything: each step finds out by itself, only later."""

    def form(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [FORM] * len(texts)

    def cruft(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.PROMOS | Need.TAIL] * len(texts)

    def repeats(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.REPEATS] * len(texts)

    def credits(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.CREDITS] * len(texts)
