"""One look at a batch of texts before each step of cleaning: which of them the step can change."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text import credits_kernel, cruft_kernel
from transforms.text.credits_kernel import look_for_credits
from transforms.text.cruft_kernel import look_for_cruft
from transforms.text.form_kernel import look_at_form
from transforms.text.need import NoSurvey
from transforms.text.repetition_kernel import look_for_repeats
from transforms.text.rules import CreditRules, CruftRules
from transforms.text.shingles import utf8_buffers


class Survey:
    r"""See :class:`transforms.text.need.Survey`; by kernels over Arrow's UTF-8 buffers.

    >>> from transforms.text.need import Need
    >>> from transforms.text.rules import load_credit_rules, load_cruft_rules
    >>> survey = Survey(load_cruft_rules(), load_credit_rules())
    >>> survey.form(["One.\n\nTwo.", "One.\nTwo."]) == [Need.NOTHING, Need.LAYOUT]
    True
    >>> survey.cruft(["It rains.", "It rains.\n\nLeave a Reply"]) == [Need.NOTHING, Need.TAIL]
    True
    >>> survey.credits(["It rains.", "It rains. (AP)"]) == [Need.NOTHING, Need.CREDITS]
    True
    """

    def __init__(self, cruft: CruftRules, credits: CreditRules) -> None:
        self._cruft = cruft_kernel.gates_of(cruft)
        self._credits = credits_kernel.gates_of(credits)
        self._texts: list[str] = []
        self._buffers = utf8_buffers(pa.array([], pa.large_string()))

    def form(self, texts: Sequence[str]) -> list[int]:
        """``LINE_ENDS``, ``REPAIR``, ``COMPOSITION``, ``SPACES`` and ``LAYOUT``."""
        return _listed(look_at_form(*self._buffers_of(texts)))

    def cruft(self, texts: Sequence[str]) -> Sequence[int]:
        """``PROMOS`` and ``TAIL``."""
        if self._cruft is None:
            return NoSurvey().cruft(texts)
        return _listed(look_for_cruft(*self._buffers_of(texts), self._cruft))

    def repeats(self, texts: Sequence[str]) -> list[int]:
        """``REPEATS``."""
        return _listed(look_for_repeats(*self._buffers_of(texts)))

    def credits(self, texts: Sequence[str]) -> list[int]:
        """``CREDITS``."""
        return _listed(look_for_credits(*self._buffers_of(texts), self._credits))

    def _buffers_of(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Most steps leave all texts of a batch as they are, so those of the last look are kept."""
        if texts != self._texts:
            self._texts = list(texts)
            self._buffers = utf8_buffers(pa.array(self._texts, pa.large_string()))
        return self._buffers


def _listed(needs: npt.NDArray[np.unsignedinteger]) -> list[int]:
    listed: list[int] = needs.tolist()  # numpy types it Any
    return listed
