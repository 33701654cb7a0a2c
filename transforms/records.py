"""What a source yields: articles that can be used, and rejects that say why others cannot."""

import dataclasses
import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, Self, TypeAlias

import pyarrow as pa

from transforms.batches import join_batches, make_batch
from transforms.schemas import READ
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


Found: TypeAlias = Record | Reject | pa.RecordBatch
"""One record, or some articles by column, as READ."""


@dataclasses.dataclass(frozen=True, slots=True)
class Records:
    """Some records of one file: the articles by column, the rejects apart, each in the file's order.

    Iterating gives them one by one as they stood, for who wants few.
    """

    articles: pa.RecordBatch
    """Of READ."""
    rejects: list[Reject]

    @classmethod
    def of(cls, found: Sequence[Found]) -> Self:
        """What was found in a row as one batch.

        >>> len(Records.of([Reject(1, RejectReason.EMPTY, "the text is blank", b"")]).rejects)
        1
        """
        rejects = [each for each in found if isinstance(each, Reject)]
        others = (each for each in found if not isinstance(each, Reject))
        articles: list[pa.RecordBatch] = []
        for is_single, several in groupby(others, key=lambda each: isinstance(each, Record)):
            some = list(several)
            articles += [make_batch(READ, *map(list, zip(*some, strict=True)))] if is_single else some
        return cls(join_batches(READ, articles), rejects)

    def __len__(self) -> int:
        rows: int = self.articles.num_rows
        return rows + len(self.rejects)

    def __iter__(self) -> Iterator[Record | Reject]:
        articles = (Record(**row) for row in self.articles.to_pylist())
        return heapq.merge(articles, self.rejects, key=lambda record: record.place)
