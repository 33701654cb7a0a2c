"""Invented articles, as many as a test needs, no two about the same thing."""

import random

_SYLLABLES = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]


def invented_sentence(generator: random.Random, words: int = 14) -> str:
    """A sentence of invented words.

    >>> invented_sentence(random.Random(1), 4) == invented_sentence(random.Random(1), 4)
    True
    """
    names = ["".join(generator.choices(_SYLLABLES, k=generator.randint(2, 5))) for _ in range(words)]
    return " ".join(names).capitalize() + "."


def invented_article(seed: int, paragraphs: int = 6) -> list[str]:
    """Paragraphs of an article; another seed gives another one, which shares next to no word with it."""
    generator = random.Random(seed)
    return [" ".join(invented_sentence(generator) for _ in range(3)) for _ in range(paragraphs)]
