"""One look at a batch of texts before each step of cleaning: which of them the step can change."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text import credits_kernel, cruft_kernel
from transforms.text.credits_kernel import look_for_credits
from transforms.text.cruft_kernel import look_for_cruft
from transforms.text.draft import Draft
from transforms.text.encoded import Encoded, as_texts, copy_texts, encode, ends_of
from transforms.text.form_kernel import look_at_form
from transforms.text.layout_kernel import lay_out_batch, replace_no_break_spaces
from transforms.text.need import Need, NoSurvey, Suspects
from transforms.text.repetition import Repetition
from transforms.text.repetition_kernel import look_for_repeats
from transforms.text.rules import CreditRules, CruftRules

_Found = TypeVar("_Found")


class Survey:
    r"""See :class:`transforms.text.need.Survey`; by kernels over Arrow's UTF-8 buffers.

    >>> from transforms.text.need import Need
    >>> from transforms.text.rules import load_credit_rules, load_cruft_rules
    >>> survey = Survey(load_cruft_rules(), load_credit_rules())
    >>> survey.form([Draft("One.\n\nTwo."), Draft("One.\nTwo.")]) == [Need.NOTHING, Need.LAYOUT]
    True
    >>> nothing, suspects = survey.cruft([Draft("It rains."), Draft("It rains.\n\nLeave a Reply")])
    >>> nothing, {line: rule.name for line, rule in suspects.tail.items()}
    (None, {2: 'en/comment-form'})
    >>> survey.credits([Draft("It rains."), Draft("It rains. (AP)")]) == [Need.NOTHING, Need.CREDITS]
    True
    """

    def __init__(self, cruft: CruftRules, credits: CreditRules) -> None:
        self._cruft_rules = cruft
        self._cruft = cruft_kernel.gates_of(cruft)
        self._credits = credits_kernel.gates_of(credits)

    def drafts(self, texts: pa.LargeStringArray) -> tuple[list[Draft], list[pa.RecordBatch]]:
        """The texts as drafts, none of them a string; where nothing but white space is to be mended, kernels have done
        what takes no judgement, by these edits (EDIT_COLUMNS)."""
        encoded = encode(texts)
        needs = look_at_form(encoded)
        drafts = [Draft(encoded=encoded, row=row, is_plain=not need) for row, need in enumerate(_listed(needs))]
        spaced = replace_no_break_spaces(encoded, np.flatnonzero(needs == Need.SPACES | Need.LAYOUT))
        plain = np.flatnonzero(needs == Need.LAYOUT)
        laid_out = (
            lay_out_batch(encoded, plain, plain),
            lay_out_batch(spaced.texts, np.arange(spaced.owners.size), spaced.owners),
        )
        for mended in (spaced, *laid_out):
            for row, owner in enumerate(mended.owners.tolist()):
                drafts[owner] = Draft(encoded=mended.texts, row=row, is_plain=mended is not spaced)
        return drafts, [mended.edits for mended in (spaced, *laid_out)]

    def form(self, drafts: Sequence[Draft]) -> list[int]:
        """``LINE_ENDS``, ``REPAIR``, ``COMPOSITION``, ``SPACES`` and ``LAYOUT``."""
        return _look(drafts, lambda encoded: _listed(look_at_form(encoded)))

    def cruft(self, drafts: Sequence[Draft]) -> Sequence[Suspects | None]:
        """Lines that rules of cruft know; None where there is nothing to go."""
        gates = self._cruft
        if gates is None:
            return NoSurvey().cruft(drafts)
        return _look(drafts, lambda encoded: look_for_cruft(encoded, gates, self._cruft_rules))

    def repeats(self, drafts: Sequence[Draft]) -> list[Repetition | None]:
        """What repeats; None where nothing of it may go."""
        return _look(drafts, look_for_repeats)

    def credits(self, drafts: Sequence[Draft]) -> list[int]:
        """``CREDITS``."""
        return _look(drafts, lambda encoded: _listed(look_for_credits(encoded, self._credits)))


def texts_of(drafts: Sequence[Draft]) -> pa.LargeStringArray:
    """The texts as they stand."""
    encoded = list(_encoded(drafts))
    sizes = np.empty(len(drafts), np.int64)
    for texts, numbers in encoded:
        sizes[numbers] = texts.ends - texts.starts
    offsets = ends_of(sizes)
    utf8 = np.empty(offsets[-1], np.uint8)
    for texts, numbers in encoded:
        copy_texts(texts, utf8, offsets[numbers])
    return as_texts(offsets, utf8)


def _look(drafts: Sequence[Draft], look: Callable[[Encoded], list[_Found]]) -> list[_Found]:
    """What a kernel finds. Most steps leave most texts as they are, so each is looked at where it stands."""
    found: dict[int, _Found] = {}
    for texts, numbers in _encoded(drafts):
        found.update(zip(numbers, look(texts), strict=True))
    return [found[number] for number in range(len(drafts))]


def _encoded(drafts: Sequence[Draft]) -> Iterator[tuple[Encoded, list[int]]]:
    """The drafts that stand together, and their numbers; those that stand nowhere are encoded."""
    if new := [draft for draft in drafts if draft.encoded is None]:
        encoded = encode(pa.array([draft.text for draft in new], pa.large_string()))
        for row, draft in enumerate(new):
            draft.encoded, draft.row = encoded, row
    together: defaultdict[int, list[int]] = defaultdict(list)
    for number, draft in enumerate(drafts):
        together[id(draft.encoded)].append(number)
    for numbers in together.values():
        some = [drafts[number] for number in numbers]
        yield cast(Encoded, some[0].encoded).take([draft.row for draft in some]), numbers


def _listed(needs: npt.NDArray[np.unsignedinteger]) -> list[int]:
    listed: list[int] = needs.tolist()  # numpy types it Any
    return listed
