"""Cleans one text: every step in its order, every change an edit.

The order matters: characters are repaired before white space is normalised, because a no-break space can be half of a
mojibake sequence; paragraphs are laid out before cruft is looked for, because cruft is whole paragraphs. Quotes are
straightened after the layout, which does not look at them.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

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
        self._find_repetition = find
        quotes: tuple[Step, ...] = (straighten_quotes,) if config.quotes == "straight" else ()
        blocks: tuple[Step, ...] = (*quotes, self._strip_cruft, self._drop_repeats)
        self._steps: dict[Need, tuple[Step, ...]] = {
            Need.NOTHING: blocks,
            Need.LAYOUT: (lay_out, *blocks),
            Need.EVERYTHING: (normalise_line_ends, repair_lines, compose, normalise_spaces, lay_out, *blocks),
        }

    def clean(self, text: str, need: Need = Need.EVERYTHING) -> Cleaned:
        """Clean ``text`` until nothing is left to clean, so that cleaning twice changes nothing.

        ``need`` is what :func:`transforms.text.survey.survey` says of it: the result is the same without, only later.
        """
        edits: list[Edit] = []
        for _ in range(_MAX_PASSES):
            suspect = need is Need.EVERYTHING and is_suspect(text)
            text, made = self._clean_once(text, need)
            edits += made
            if not made or (not suspect and all(map(_settles, made))):
                break
            # Where characters were in order, only paragraphs can have come to stand differently.
            need = Need.EVERYTHING if need is Need.EVERYTHING else Need.LAYOUT
        return Cleaned(text, edits, find_credits(text, self._credit_rules))

    def _clean_once(self, text: str, need: Need) -> tuple[str, list[Edit]]:
        edits: list[Edit] = []
        for step in self._steps[need]:
            text, made = step(text)
            edits += made
        return text, edits

    def _strip_cruft(self, text: str) -> tuple[str, list[Edit]]:
        return strip_cruft(text, self._cruft_rules)

    def _drop_repeats(self, text: str) -> tuple[str, list[Edit]]:
        return drop_repeats(text, self._find_repetition)


_SETTLING = frozenset({"edge", "hard-wrap", "line-break", "line-end", "odd-space", "paragraph-break", "spaces"})


def _settles(edit: Edit) -> bool:
    """Whether nothing new can follow from an edit; a removed paragraph may bare another one's cruft."""
    return edit.rule in _SETTLING
