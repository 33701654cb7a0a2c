"""What a text needs of cleaning; apart from survey.py, so that one text can be cleaned without numba."""

import enum
from collections.abc import Sequence
from typing import Protocol


class Need(enum.IntFlag):
    """Steps that may have something to do; for what a text has no flag, nothing would be found."""

    NOTHING = 0
    LAYOUT = 1
    """Paragraphs must be laid out."""
    CHARACTERS = 2
    """Characters and line ends must be looked at."""
    PROMOS = 4
    """A line may be a promo."""
    TAIL = 8
    """The end may be cruft."""
    REPEATS = 16
    """Paragraphs may repeat."""
    CREDITS = 32
    """A wire agency may be credited."""


class Survey(Protocol):
    """A look at texts as they stand before a step: what each needs of it, as :class:`Need`."""

    def form(self, texts: Sequence[str]) -> Sequence[int]:
        """``CHARACTERS`` and ``LAYOUT``."""

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
        return [Need.CHARACTERS | Need.LAYOUT] * len(texts)

    def cruft(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.PROMOS | Need.TAIL] * len(texts)

    def repeats(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.REPEATS] * len(texts)

    def credits(self, texts: Sequence[str]) -> Sequence[int]:
        """See :class:`Survey`."""
        return [Need.CREDITS] * len(texts)
