"""What a source yields: a record that can be used, or a reject that says why it cannot."""

from datetime import datetime
from typing import NamedTuple

from transforms.text.reasons import RejectReason


class Record(NamedTuple):
    """An article as read; ``text`` is decoded and well formed, not yet cleaned.

    ``place`` is its line or row, from 1, or 0 where it is the whole file. In a part that starts inside a file it is
    relative to the part, because the lines before that are not known when it is read.
    """

    id: str
    url: str | None
    source: str | None
    title: str | None
    published: datetime | None
    text: str
    encoding: str
    place: int


class Reject(NamedTuple):
    """A record that cannot be used; ``raw`` holds up to 64 KiB of it."""

    place: int
    reason: RejectReason
    detail: str
    raw: bytes
