"""What a text needs of cleaning; apart from survey.py, so that one text can be cleaned without numba."""

import enum


class Need(enum.IntFlag):
    """What a text needs; less is never needed than this says.

    Whoever has not looked says ``EVERYTHING``. What a text has no flag for is a step that would find nothing to do.
    """

    NOTHING = 0
    LAYOUT = 1
    """Paragraphs must be looked at."""
    CHARACTERS = 2
    """Characters and line ends must be looked at, and then everything else."""
    PROMOS = 4
    """A line starts as a promo does."""
    REPEATS = 8
    """Paragraphs repeat, or share a long run of words."""
    SHARED = 16
    """Paragraphs share some words in a row, so that other repeats may show when a line is gone."""
    CREDITS = 32
    """A wire agency is named near the beginning or the end."""
    EVERYTHING = 63
