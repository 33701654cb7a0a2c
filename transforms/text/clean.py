"""Cleans one text: every step in its order, every change an edit.

The order matters: characters are repaired before white space is normalised, because a no-break space can be half of a
mojibake sequence; paragraphs are laid out before cruft is looked for, because cruft is whole paragraphs. Quotes are
straightened after the layout, which does not look at them.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from transforms.text.credits import find_credits
from transforms.text.cruft import strip_cruft
from transforms.text.draft import Draft
from transforms.text.edits import Edit
from transforms.text.need import Need, NoSurvey, Survey, Suspects
from transforms.text.paragraphs import lay_out
from transforms.text.repair import compose, is_suspect, repair_lines, straighten_quotes
from transforms.text.repeats import drop_repeats
from transforms.text.repetition import FindRepetition, Repetition, find_repetition
from transforms.text.rules import CreditRules, CruftRules, load_credit_rules, load_cruft_rules
from transforms.text.whitespace import normalise_line_ends, normalise_spaces

if TYPE_CHECKING:  # one text is cleaned without pyarrow and numba
    import pyarrow as pa

    from transforms.text import survey

Quotes = Literal["keep", "straight"]
Step = Callable[[str], tuple[str, list[Edit]]]
_Found = TypeVar("_Found")

_MAX_PASSES = 20  # the second pass finds nothing to do in all but a few texts of ten thousand


class Cleaned(NamedTuple):
    """A cleaned text: paragraphs separated by one blank line, the edits that made it, the agencies it credits."""

    text: str
    edits: list[Edit]
    credits: list[str]


class CleanedTexts(NamedTuple):
    """The same of many texts."""

    texts: "pa.LargeStringArray"
    edits: "pa.RecordBatch"
    """``transforms.text.edit_columns.EDIT_COLUMNS``, text by text."""
    credits: list[list[str]]


@dataclasses.dataclass(frozen=True)
class CleanConfig:
    """How texts are cleaned; picklable and small, so that it travels to the workers."""

    quotes: Quotes = "keep"
    rules: Path | None = None
    """A file of the user's own cruft rules (``--rules``)."""


class Cleaner:
    """Cleans texts by one configuration. Rules are loaded once, here.

    For many single texts give ``repetition_kernel.find_repetition``: it finds the same, faster, but its import takes a
    second.

    >>> Cleaner().clean("The bridge is open.\\n\\nWith reporting by AP\\n\\nSource link").text
    'The bridge is open.\\n\\nWith reporting by AP'
    """

    def __init__(self, config: CleanConfig = CleanConfig(), find: FindRepetition = find_repetition) -> None:
        self._cruft_rules: CruftRules = load_cruft_rules(config.rules)
        self._credit_rules: CreditRules = load_credit_rules()
        self._straightens = config.quotes == "straight"
        self._find_repetition = find

    def clean(self, text: str) -> Cleaned:
        """Clean ``text`` until nothing is left to clean, so that cleaning twice changes nothing."""
        draft = Draft(text)
        self._clean([draft], NoSurvey(self._find_repetition))
        return Cleaned(draft.text, draft.edits, draft.credits)

    def clean_all(self, texts: "pa.LargeStringArray") -> CleanedTexts:
        """Clean each of ``texts``: kernels tell which of them a step can change, and only those become strings."""
        from transforms.text.edit_columns import by_owner, edit_columns
        from transforms.text.survey import texts_of

        drafts, mended = self._survey.drafts(texts)
        self._clean(drafts, self._survey)
        edits = by_owner([*mended, edit_columns([draft.edits for draft in drafts])])
        cleaned = texts_of(drafts) if edits.num_rows else texts
        return CleanedTexts(cleaned, edits, [draft.credits for draft in drafts])

    @cached_property
    def _survey(self) -> "survey.Survey":
        from transforms.text import survey

        return survey.Survey(self._cruft_rules, self._credit_rules)

    def _clean(self, drafts: Sequence[Draft], survey: Survey) -> None:
        form = NoSurvey().form if self._straightens else survey.form  # quotes to be straightened stand everywhere
        steps = (
            partial(_take_step, form, self._mend, lasting=not self._straightens),
            partial(_take_step, survey.cruft, self._strip),
            partial(_take_step, survey.repeats, self._drop),
        )
        pending = drafts
        for _ in range(_MAX_PASSES):
            for take_step in steps:
                take_step(pending)
                pending = [draft for draft in pending if draft.settled < len(steps)]
            if not pending:
                break
        for draft, need in zip(drafts, survey.credits(drafts), strict=True):
            if need:
                draft.credits = find_credits(draft.text, self._credit_rules)

    def _mend(self, draft: Draft, need: int) -> None:
        """Characters and paragraphs."""
        steps: list[Step] = []
        if need & Need.LINE_ENDS:
            steps.append(normalise_line_ends)
        if need & Need.REPAIR:
            steps.append(repair_lines)
        if need & Need.COMPOSITION:
            steps.append(compose)
        if need & Need.SPACES:
            steps.append(normalise_spaces)
        if need & Need.LAYOUT:
            steps.append(lay_out)
        if self._straightens:
            steps.append(straighten_quotes)
        text, edits = draft.text, []
        for step in steps:
            text, made = step(text)
            edits += made
        # What ftfy looked at may show it something new.
        settles = _SETTLING.issuperset([edit.rule for edit in edits]) and not (
            need & Need.REPAIR and is_suspect(draft.text)
        )
        draft.become(text, edits, settles=settles)

    def _strip(self, draft: Draft, suspects: Suspects) -> None:
        """Cruft and promos."""
        draft.become(*strip_cruft(draft.text, self._cruft_rules, suspects))

    def _drop(self, draft: Draft, repetition: Repetition) -> None:
        """Repeats."""
        draft.become(*drop_repeats(draft.text, self._cruft_rules, repetition))


# Edits of characters or layout from which nothing new can follow.
_SETTLING = frozenset({"edge", "hard-wrap", "line-break", "line-end", "odd-space", "paragraph-break", "spaces"})


def _take_step(
    look: Callable[[Sequence[Draft]], Sequence[_Found | None]],
    step: Callable[[Draft, _Found], None],
    drafts: Sequence[Draft],
    *,
    lasting: bool = False,
) -> None:
    """Take the step with those that need it; where that is ``lasting``, none needs what it once did not."""
    asked = [draft for draft in drafts if not (lasting and draft.is_plain)]
    for draft in drafts if lasting else ():
        draft.settled += draft.is_plain
    for draft, need in zip(asked, look(asked), strict=True):
        if need:
            step(draft, need)
        else:
            draft.settled += 1
            draft.is_plain |= lasting
