"""The audit trail: every change of a text as an edit that can be undone."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """One change of one article's text.

    ``before`` stood at character ``start`` (Unicode code points) of the text as it was when the edit was
    made, and was replaced by ``after``::

        Edit(kind="cruft", rule="en/source-link", start=5017, before="\\n\\nSource link", after="")
    """

    kind: str
    rule: str
    start: int
    before: str
    after: str


Change = tuple[int, int, str, str, str]
"""One replacement in the coordinates of the text it was found in: ``(start, end, after, kind, rule)`` says that
``text[start:end]`` becomes ``after``. A plain tuple: texts have dozens, and named ones take five times as long."""


class EditMismatchError(ValueError):
    """An edit does not fit the text it is applied to or undone from."""


def splice(text: str, changes: Iterable[Change]) -> tuple[str, list[Edit]]:
    """Make ``changes`` (ordered, not overlapping) and return the new text with its edits.

    >>> splice("a  b\\nc", [(1, 3, " ", "whitespace", "spaces"), (4, 5, " ", "whitespace", "wrap")])[0]
    'a b c'
    """
    pieces: list[str] = []
    edits: list[Edit] = []
    done = shift = 0
    for start, end, after, kind, rule in changes:
        pieces += (text[done:start], after)
        edits.append(Edit(kind, rule, start + shift, text[start:end], after))
        shift += len(after) - (end - start)
        done = end
    if not edits:
        return text, edits
    pieces.append(text[done:])
    return "".join(pieces), edits


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply ``edits`` in order: the decoded original becomes the cleaned text.

    >>> apply_edits("Yes. Source link", [Edit("cruft", "en/source-link", 4, " Source link", "")])
    'Yes.'
    """
    for edit in edits:
        text = _replace(text, edit, edit.before, edit.after)
    return text


def undo_edits(text: str, edits: Sequence[Edit]) -> str:
    """Undo ``edits`` from the last to the first: the cleaned text becomes the decoded original.

    >>> undo_edits("Yes.", [Edit("cruft", "en/source-link", 4, " Source link", "")])
    'Yes. Source link'
    """
    for edit in reversed(edits):
        text = _replace(text, edit, edit.after, edit.before)
    return text


def _replace(text: str, edit: Edit, old: str, new: str) -> str:
    end = edit.start + len(old)
    if text[edit.start : end] != old:
        found = text[edit.start : end]
        raise EditMismatchError(f"rule [{edit.rule}] expects [{old!r}] at {edit.start}, found [{found!r}]")
    return f"{text[: edit.start]}{new}{text[end:]}"
