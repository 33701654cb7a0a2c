"""Cleans one text: every step in its order, every change an edit.

The order matters: characters are repaired before white space is normalised, because a no-break space can be half of a
mojibake sequence; paragraphs are laid out before cruft is looked for, because cruft is whole paragraphs. Quotes are
straightened after the layout, which does not look at them.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from transforms.text.credits import find_credits
from transforms.text.cruft import strip_cruft
from transforms.text.edits import Edit
from transforms.text.need import Need
from transforms.text.paragraphs import lay_out
from transforms.text.repair import compose, is_suspect, repair_lines, straighten_quotes
from transforms.text.repeats import drop_repeats
from transforms.text.repetition import FindRepetition, find_repetition
from transforms.text.rules import CreditRules, CruftRules, load_credit_rules, load_cruft_rules
from transforms.text.whitespace import normalise_line_ends, normalise_spaces

if TYPE_CHECKING:
    from transforms.text.survey import Gates

Quotes = Literal["keep", "straight"]
Step = Callable[[str], tuple[str, list[Edit]]]

_MAX_PASSES = 20  # the second pass finds nothing to do in all but a few texts of ten thousand


class Cleaned(NamedTuple):
    """A cleaned text: paragraphs separated by one blank line, the edits that made it, the agencies it credits."""

    text: str
    edits: list[Edit]
    credits: list[str]


@dataclasses.dataclass(frozen=True)
class CleanConfig:
    """How texts are cleaned; picklable and small, so that it travels to the workers."""

    quotes: Quotes = "keep"
    rules: Path | None = None
    """A file of the user's own cruft rules (``--rules``)."""


class Cleaner:
    """Cleans texts by one configuration. Rules are loaded once, here.

    For many texts give ``repetition_kernel.find_repetition``: it finds the same, faster, but its import takes a second.

    >>> Cleaner().clean("The bridge is open.\\n\\nWith reporting by AP\\n\\nSource link").text
    'The bridge is open.\\n\\nWith reporting by AP'
    """

    def __init__(self, config: CleanConfig = CleanConfig(), find: FindRepetition = find_repetition) -> None:
        self._cruft_rules: CruftRules = load_cruft_rules(config.rules)
        self._credit_rules: CreditRules = load_credit_rules()
        self._straightens = config.quotes == "straight"
        self._find_repetition = find
        self._steps: dict[Need, tuple[Step, ...]] = {}

    @cached_property
    def gates(self) -> "Gates":
        """What :func:`transforms.text.survey.survey` looks for, by these rules."""
        from transforms.text.survey import gates_of

        return gates_of(self._cruft_rules, self._credit_rules)

    def clean(self, text: str, need: Need = Need.EVERYTHING) -> Cleaned:
        """Clean ``text`` until nothing is left to clean, so that cleaning twice changes nothing.

        ``need`` is what :func:`transforms.text.survey.survey` says of it: the result is the same without, only later.
        """
        edits: list[Edit] = []
        for _ in range(_MAX_PASSES):
            suspect = Need.CHARACTERS in need and is_suspect(text)
            text, made = self._clean_once(text, need)
            edits += made
            if not made:
                break
            need = _need_after(need, made)
            if not suspect and all(map(_settles, made)):
                break
        return Cleaned(text, edits, find_credits(text, self._credit_rules) if Need.CREDITS in need else [])

    def _clean_once(self, text: str, need: Need) -> tuple[str, list[Edit]]:
        if need not in self._steps:
            self._steps[need] = tuple(self._choose_steps(need))
        edits: list[Edit] = []
        for step in self._steps[need]:
            text, made = step(text)
            edits += made
        return text, edits

    def _choose_steps(self, need: Need) -> Iterator[Step]:
        if Need.CHARACTERS in need:
            yield from (normalise_line_ends, repair_lines, compose, normalise_spaces)
        if Need.LAYOUT in need:
            yield lay_out
        promos = Need.PROMOS in need
        if self._straightens:
            yield straighten_quotes
            promos = True  # "don’t miss" now starts as a promo does
        yield partial(strip_cruft, rules=self._cruft_rules, promos=promos)
        if Need.REPEATS in need:
            yield partial(drop_repeats, find=self._find_repetition)


def _need_after(need: Need, edits: Sequence[Edit]) -> Need:
    """What a text needs when ``edits`` were made of it."""
    if Need.CHARACTERS in need:
        return Need.EVERYTHING
    if Need.LAYOUT in need or not all(map(_takes_paragraph, edits)):
        # Where characters were in order they still are, but paragraphs can have come to stand differently.
        return Need.EVERYTHING & ~Need.CHARACTERS
    return need | Need.CREDITS | (Need.REPEATS if Need.SHARED in need else Need.NOTHING)


def _takes_paragraph(edit: Edit) -> bool:
    """Whether an edit took whole paragraphs, as all removals do where every line is a paragraph; but for one rule."""
    return edit.kind in ("cruft", "promo", "repeat") and edit.rule != "overlap-repeat"


_SETTLING = frozenset({"edge", "hard-wrap", "line-break", "line-end", "odd-space", "paragraph-break", "spaces"})


def _settles(edit: Edit) -> bool:
    """Whether nothing new can follow from an edit; a removed paragraph may bare another one's cruft."""
    return edit.rule in _SETTLING
