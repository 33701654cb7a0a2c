"""One look at a batch of texts before each step of cleaning: which of them the step can change."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from transforms.text import credits_kernel, cruft_kernel
from transforms.text.credits_kernel import look_for_credits
from transforms.text.cruft_kernel import look_for_cruft
from transforms.text.encoded import Encoded, encode
from transforms.text.form_kernel import look_at_form
from transforms.text.need import NoSurvey, Suspects
from transforms.text.repetition_kernel import look_for_repeats
from transforms.text.rules import CreditRules, CruftRules

_Found = TypeVar("_Found")


class Survey:
    r"""See :class:`transforms.text.need.Survey`; by kernels over Arrow's UTF-8 buffers.

    >>> from transforms.text.need import Need
    >>> from transforms.text.rules import load_credit_rules, load_cruft_rules
    >>> survey = Survey(load_cruft_rules(), load_credit_rules())
    >>> survey.form(["One.\n\nTwo.", "One.\nTwo."]) == [Need.NOTHING, Need.LAYOUT]
    True
    >>> survey.cruft(["It rains.", "It rains.\n\nLeave a Reply"])
    [None, Suspects(promos=[], tail=[2], top=0)]
    >>> survey.credits(["It rains.", "It rains. (AP)"]) == [Need.NOTHING, Need.CREDITS]
    True
    """

    def __init__(self, cruft: CruftRules, credits: CreditRules) -> None:
        self._cruft = cruft_kernel.gates_of(cruft)
        self._credits = credits_kernel.gates_of(credits)
        self.begin()

    def begin(self) -> None:
        """See :class:`transforms.text.need.Survey`; those of before are forgotten."""
        self._seen: list[tuple[list[str], Encoded]] = []
        self._places: dict[int, tuple[int, int]] = {}

    def form(self, texts: Sequence[str]) -> list[int]:
        """``LINE_ENDS``, ``REPAIR``, ``COMPOSITION``, ``SPACES`` and ``LAYOUT``."""
        return self._look(texts, lambda encoded: _listed(look_at_form(encoded)))

    def cruft(self, texts: Sequence[str]) -> Sequence[Suspects | None]:
        """Lines that may be cruft or promos; None where there are none."""
        gates = self._cruft
        if gates is None:
            return NoSurvey().cruft(texts)
        return self._look(texts, lambda encoded: look_for_cruft(encoded, gates))

    def repeats(self, texts: Sequence[str]) -> list[int]:
        """``REPEATS``."""
        return self._look(texts, lambda encoded: _listed(look_for_repeats(encoded)))

    def credits(self, texts: Sequence[str]) -> list[int]:
        """``CREDITS``."""
        return self._look(texts, lambda encoded: _listed(look_for_credits(encoded, self._credits)))

    def _look(self, texts: Sequence[str], look: Callable[[Encoded], list[_Found]]) -> list[_Found]:
        """What a kernel finds. Most steps leave most texts as they are, so each is encoded when it is first seen."""
        places = self._places
        new = [text for text in texts if id(text) not in places]
        if new:
            places.update((id(text), (len(self._seen), row)) for row, text in enumerate(new))
            self._seen.append((new, encode(new)))  # the texts too, so that no other one gets an id of theirs
        found: dict[tuple[int, int], _Found] = {}
        asked = [places[id(text)] for text in texts]
        for number, (_, encoded) in enumerate(self._seen):
            rows = [row for seen, row in asked if seen == number]
            if rows:
                found.update(zip(((number, row) for row in rows), look(encoded.take(rows)), strict=True))
        return [found[place] for place in asked]


def _listed(needs: npt.NDArray[np.unsignedinteger]) -> list[int]:
    listed: list[int] = needs.tolist()  # numpy types it Any
    return listed
