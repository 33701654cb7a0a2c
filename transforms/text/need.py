"""What a text needs of cleaning; apart from survey.py, so that one text can be cleaned without numba."""

import enum


class Need(enum.IntEnum):
    """What a text needs; less is never needed than this says."""

    NOTHING = 0
    """Characters and paragraphs are as they should be."""
    LAYOUT = 1
    """Paragraphs must be looked at, and nothing else."""
    EVERYTHING = 2
