"""Members of components as verification reads them: columns in memory, texts in a file until one is asked for.

A component may be as large as the corpus (two hundred thousand copies of one story), and its texts are nearly all of
it; the clustering that goes through it looks at one block of them at a time.
"""

import posixpath
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Self, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import files
from transforms.batches import column
from transforms.config import DedupConfig
from transforms.exchange import read_in_batches, read_partition
from transforms.index import is_indexed
from transforms.schemas import MEMBER_ARTICLES
from transforms.text.decide import Article
from transforms.text.shingles import utf8_buffers
from transforms.text.sorted_keys import group_starts

_TEXTS: Final = pa.schema([MEMBER_ARTICLES.field("text")])
_TOLD: Final = MEMBER_ARTICLES.remove(MEMBER_ARTICLES.get_field_index("text"))
_BATCH_ROWS: Final = 1_000
_IN_MEMORY_BYTES: Final = 8 * 1024 * 1024  # texts of a partition, beyond which they go to disk
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = np.iinfo(np.int64).max

Array = np.ndarray[Any, Any]


class Member(NamedTuple):
    """What is known of an article besides its text."""

    ref: int
    id: str
    url: str | None
    source: str | None
    title: str | None
    published: datetime | None
    cluster_id: str | None
    """Of an article of the index alone, like the next."""
    cluster_run: str | None


class Members:
    """The articles of a partition, by component and inside each in the canonical order."""

    def __init__(self, notice: tuple[int, Iterable[str]], config: DedupConfig) -> None:
        """Read the partition from the files that its grouped notices name.

        Raises:
            FileError: one of them cannot be read, or there is no room for the texts.
        """
        notice = notice[0], list(notice[1])
        folder = posixpath.dirname(notice[1][0])
        self._texts = _Texts(folder if files.is_local(folder) else tempfile.gettempdir())
        digests: list[bytes] = []
        for batch in read_in_batches(_TEXTS, notice, _BATCH_ROWS):
            digests += self._texts.add(batch.column(0))
        told = read_partition(_TOLD, notice)
        self._rows = canonical_order(told, digests, config)
        told = told.take(pa.array(self._rows))
        self._components = column(told, "component")
        self._columns = {name: told.column(name) for name in Member._fields}
        self._columns["published"] = told.column("published").cast(pa.int64())  # a zone would be looked up each time
        self.is_earlier = is_indexed(column(told, "ref"))
        """Which are articles of the index."""
        self.digests = pa.array(digests, pa.binary(16)).take(pa.array(self._rows))
        """Of the texts."""

    def __enter__(self) -> Self:
        """Itself; at the end of the block its texts are gone."""
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.close()

    def components(self) -> Iterator["Component"]:
        """Each component in turn."""
        edges = np.flatnonzero(np.diff(self._components)) + 1
        for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(self._rows)], strict=True):
            yield Component(self, range(begin, end))

    def member(self, place: int) -> Member:
        """What is known of one."""
        told = {name: values[place].as_py() for name, values in self._columns.items()}
        at = told["published"]
        told["published"] = None if at is None else _EPOCH + timedelta(microseconds=at)
        return Member(**told)

    def columns(self, places: Sequence[int], names: Sequence[str]) -> list[pa.Array]:
        """Some of what is known of some; the time in the type of the output."""
        rows = pa.array(places, pa.int64())
        return [self._columns[name].take(rows).cast(MEMBER_ARTICLES.field(name).type) for name in names]

    def text(self, place: int) -> str:
        """The text of one."""
        return self._texts[int(self._rows[place])]


class Component(Sequence[Article]):
    """Articles of one component, the first in the canonical order first; each is read when it is asked for."""

    def __init__(self, members: Members, places: Sequence[int]) -> None:
        self._members = members
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Article: ...
    @overload
    def __getitem__(self, at: slice) -> "Component": ...
    def __getitem__(self, at: int | slice) -> "Article | Component":
        if isinstance(at, slice):
            return Component(self._members, self._places[at])
        told = self.member(at)
        return Article(self.text(at), told.title, told.source, told.url, told.published)

    @property
    def earlier(self) -> int:
        """How many of them the index has; they come first."""
        return int(np.count_nonzero(self._members.is_earlier[self._places]))

    def subset(self, positions: Sequence[int]) -> "Component":
        """Some of its articles."""
        return Component(self._members, [self._places[position] for position in positions])

    def member(self, position: int) -> Member:
        """What is known of one besides its text."""
        return self._members.member(self._places[position])

    def columns(self, positions: Sequence[int], names: Sequence[str]) -> list[pa.Array]:
        """Some of what is known of some, by the names of :class:`Member`."""
        return self._members.columns([self._places[position] for position in positions], names)

    def text(self, position: int) -> str:
        """The text of one."""
        return self._members.text(self._places[position])

    def digest(self, position: int) -> bytes:
        """Digest of the text of one."""
        digest: bytes = self._members.digests[self._places[position]].as_py()
        return digest


class _Texts:
    """Texts one behind the other in a file without a name, which is in memory while it is small."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=folder)  # noqa: SIM115 (closed by `close`)
        self._ends = [np.zeros(1, np.int64)]
        self._starts: Array | None = None

    def add(self, texts: pa.LargeStringArray) -> list[bytes]:
        """Add texts behind the others, and return the digest of each."""
        offsets, utf8 = utf8_buffers(texts)
        with files.errors_of(self._folder):
            self._file.write(utf8[offsets[0] : offsets[-1]].data)
            self._file.flush()
        self._ends.append(offsets[1:] - offsets[0] + self._ends[-1][-1])
        self._starts = None
        return [
            blake2b(utf8[start:end].data, digest_size=16).digest()
            for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        ]

    def __getitem__(self, row: int) -> str:
        if self._starts is None:
            self._starts = np.concatenate(self._ends)
        start, end = int(self._starts[row]), int(self._starts[row + 1])
        self._file.seek(start)
        return self._file.read(end - start).decode()

    def close(self) -> None:
        self._file.close()


def canonical_order(members: pa.RecordBatch, digests: Sequence[bytes], config: DedupConfig) -> Array:
    """Rows by component and, within one, in the order in which ``--canonical`` prefers them: the first is kept.

    ``members`` are MEMBER_ARTICLES, whose text is not looked at, but ``digests`` of it. Articles of the index come
    first. Undated articles come after dated ones; ties fall to the longer, then to the id, at last to the text.
    Versions of an article (one URL of one source) stand together where the first of them belongs, the latest in front.
    """
    refs, components = column(members, "ref"), column(members, "component")
    is_new = ~is_indexed(refs)
    published = _microseconds(members.column("published"))
    words = -column(members, "words").astype(np.int64)
    sources, urls = members.column("source"), members.column("url").fill_null("")
    url_ranks = _ranks(urls)
    preference: tuple[Array, ...] = (published, words)
    if config.canonical == "longest":
        preference = (words, published)
    elif config.canonical == "preferred":
        places = pc.index_in(sources, pa.array(config.prefer_sources, pa.string()))
        preference = (places.fill_null(len(config.prefer_sources)).to_numpy(), published, words)
    # A page by numbers: its component, whether it is of the index, its source, its URL; an article
    # without a URL is a page by itself.
    lone = pc.equal(urls, "").to_numpy(zero_copy_only=False)
    own = np.where(lone, np.arange(len(refs)) + 1, 0)
    page = components, is_new, _ranks(sources), url_ranks, own
    order = np.lexsort((*reversed(preference), *reversed(page)))
    starts = group_starts(*(key[order] for key in page))
    # Of each row, the row of the version of its page that is preferred; then what that is preferred by.
    best = np.empty(len(order), np.int64)
    best[order] = order[starts]
    latest_first = np.where(published == _NEVER, _NEVER, -published)
    # Two runs may have kept the very same: the earlier run's comes first.
    run = np.where(is_new, 0, refs)
    ties = url_ranks, latest_first, words, _ranks(members.column("id")), _ranks(pa.array(digests, pa.binary())), run
    keys = components, is_new, *(key[best] for key in preference), *ties
    return np.lexsort(tuple(reversed(keys)))


def _ranks(values: pa.Array) -> Array:
    """Of each value its place in the order of the distinct ones (of strings: by code point)."""
    ranks: Array = pc.rank(values, tiebreaker="dense").to_numpy().astype(np.int64)
    return ranks


def _microseconds(times: pa.TimestampArray) -> Array:
    """Since 1970; ``_NEVER`` where there is none."""
    found: Array = times.cast(pa.int64()).fill_null(_NEVER).to_numpy()
    return found
