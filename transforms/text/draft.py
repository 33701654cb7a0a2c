"""A text on its way through the steps of cleaning."""

from typing import TYPE_CHECKING

from transforms.text.edits import Edit

if TYPE_CHECKING:  # one text is cleaned without numpy
    from transforms.text.encoded import Encoded


class Draft:
    """A text as it stands, the edits that made it and, at last, the agencies that it credits.

    It is a string, or a row of texts in UTF-8: of most texts nothing but their bytes is ever looked at.
    """

    __slots__ = ("_text", "credits", "edits", "encoded", "is_plain", "row", "settled")

    def __init__(
        self, text: str | None = None, encoded: "Encoded | None" = None, row: int = 0, *, is_plain: bool = False
    ) -> None:
        self._text = text
        self.encoded = encoded
        """Where the text stands in UTF-8, in ``row``; None where it was not asked for since the text changed."""
        self.row = row
        self.edits: list[Edit] = []
        self.credits: list[str] = []
        self.settled = 0
        """How many steps in a row have left it as it is: when all have, it is clean."""
        self.is_plain = is_plain
        """Whether its form was in order before: that stays so where whole paragraphs go."""

    @property
    def text(self) -> str:
        """The text, decoded when a step first wants it."""
        if self._text is None:
            assert self.encoded is not None
            self._text = self.encoded.text(self.row)
        return self._text

    def become(self, text: str, edits: list[Edit], *, settles: bool = False) -> None:
        """Take what a step made of it; ``settles`` where the step would find nothing more to do."""
        if edits:
            self._text, self.encoded = text, None
            self.edits += edits
        self.settled = self.settled + 1 if not edits else int(settles)
