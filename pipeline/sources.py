"""Inputs (files, folders, globs, URIs) in, splits out: which parts of which files become which shard."""

import dataclasses
import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import unquote

import pyarrow.parquet as pq
from pyarrow.fs import FileType, LocalFileSystem

from pipeline.columns import FIELDS, describe, find_columns
from pipeline.formats import KNOWN_ENDINGS, FilePart, Format, file_name, kind_of
from pipeline.lines import CsvFile, wide_encoding
from transforms import files
from transforms.errors import UsageError

# Small enough that workers finish together, large enough that a shard's own cost does not count. It follows
# from the input alone, never from the workers, or the shards of a resumed run could be others.
MAX_SPLIT_BYTES: Final = 32 * 1024 * 1024
MIN_SPLIT_BYTES: Final = 4 * 1024 * 1024
SPLITS: Final = 32
MAX_FILES: Final = 1000

# Many writers make one row group of a million rows. A part that begins inside of a group has to read past what is
# before, and so many parts of one take a tenth of a run.
_MIN_GROUP_PART_BYTES: Final = 16 * 1024 * 1024
_MAX_GROUP_PARTS: Final = 8

# Text in gzip, zstd or bzip2 is about a quarter of its size; Parquet's footer says so itself, where it is
# read.
_EXPANSION: Final = 4
_HEADER_BYTES: Final = 1024 * 1024


class SourceError(UsageError):
    """The inputs or ``--columns`` do not fit what is there; one line that says what to do."""


class Stamp(NamedTuple):
    """What tells a file from what it was: if one of these is another, the file has changed."""

    bytes: int
    modified_ns: int

    def __str__(self) -> str:
        """``1,024 bytes of 2026-03-01T04:05:06.789000+00:00``."""
        return f"{self.bytes:,} bytes of {datetime.fromtimestamp(self.modified_ns / 1e9, UTC).isoformat()}"


@dataclasses.dataclass(frozen=True)
class Split:
    """What becomes one shard: several small files, or a part of a large one."""

    shard: int
    parts: tuple[FilePart, ...]
    stamps: tuple[Stamp | None, ...] = dataclasses.field(default=(), compare=False)
    """Of the file of each part when it was found; ``None`` where that could not be told."""
    text_bytes: int = dataclasses.field(default=0, compare=False)
    """About as many; by them the work is dealt out."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What will be read."""

    splits: tuple[Split, ...]
    files: int
    bytes: int
    """As stored."""
    text_bytes: int
    """About as many when decompressed."""
    ignored: Mapping[str, int]
    """Files in folders and globs that are of no known kind, by their ending; ``""`` where there is none."""

    @property
    def stamps(self) -> dict[str, Stamp | None]:
        """Every file that will be read, by URI."""
        return {part.uri: stamp for split in self.splits for part, stamp in zip(split.parts, split.stamps, strict=True)}


def plan(
    inputs: Sequence[str],
    columns: Mapping[str, str] | None = None,
    target_bytes: int | None = None,
    max_files: int = MAX_FILES,
    own: Sequence[str] = (),
) -> Plan:
    """Find the files of ``inputs`` and cut them into splits of about ``target_bytes`` of text, by URI.

    Folders are read with their folders, without names that begin with ``.`` or ``_``; ``**`` in a glob
    stands for any folders. A file that is found twice is read once. What lies in the run's ``own`` folders, its
    output and its index, is not read. A file or folder that cannot be read gets a split like any other; reading that
    yields the reject.

    Raises:
        SourceError: an input does not exist, is of no known kind or matches nothing; ``columns`` (field →
        column) names
            what a CSV or Parquet file has not.
    """
    columns = columns or {}
    if unknown := [field for field in columns if field not in FIELDS]:
        raise SourceError(f"--columns: no field [{unknown[0]}]; the fields are {describe(FIELDS)}")
    finder = _Finder(own)
    for given in inputs:
        finder.add(given)
    if not finder.sizes:
        ignored = f", but [{finder.ignored.total()}] of other kinds" if finder.ignored else ""
        raise SourceError(f"no input files in [{', '.join(inputs)}]{ignored}; known are {KNOWN_ENDINGS}")
    found = sorted(finder.sizes.items())
    if columns:
        for uri, _ in found:
            _check_columns(uri, columns)
    text_bytes = sum(_expanded(uri, size) for uri, size in found)
    if target_bytes is None:
        target_bytes = min(max(text_bytes // SPLITS, MIN_SPLIT_BYTES), MAX_SPLIT_BYTES)
    splits = tuple(
        Split(shard, parts, tuple(finder.stamps.get(part.uri) for part in parts), split_bytes)
        for shard, (parts, split_bytes) in enumerate(_pack(found, columns, target_bytes, max_files))
    )
    return Plan(
        splits,
        files=len(found),
        bytes=sum(size for _, size in found),
        text_bytes=text_bytes,
        ignored=dict(sorted(finder.ignored.items())),
    )


def stamp_of(uri: str) -> Stamp | None:
    """The file's stamp as it is now; ``None`` where there is no file.

    Raises:
        FileError: it cannot be told.
    """
    found = files.info(uri)
    return _stamp(uri, found.size or 0, found.mtime_ns or 0) if found.type == FileType.File else None


def _stamp(uri: str, size: int, modified_ns: int) -> Stamp:
    # An object store tells milliseconds in a listing and seconds of an object.
    return Stamp(size, modified_ns if files.is_local(uri) else modified_ns // 1_000_000_000 * 1_000_000_000)


class _Finder:
    """Files by URI with their stored size and their stamps."""

    def __init__(self, own: Sequence[str]) -> None:
        self.sizes: dict[str, int] = {}
        self.stamps: dict[str, Stamp] = {}
        self.ignored: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._own = tuple(posixpath.join(_key(uri), "") for uri in own if uri)

    def add(self, given: str) -> None:
        uri = given if files.is_uri(given) else posixpath.normpath(given)
        try:
            kind = files.info(uri)
        except files.FileError as error:
            raise SourceError(f"cannot read the input {error}") from error
        if kind.type == FileType.Directory:
            self._add_folder(uri)
        elif kind.type != FileType.NotFound:
            if kind_of(uri)[0] is None:
                raise SourceError(f"the input [{uri}] is of no known kind; known are {KNOWN_ENDINGS}")
            self._add_file(uri, kind.size or 0, kind.mtime_ns or 0)
        elif _GLOB.search(uri.partition("://")[2] or uri):
            self._add_glob(uri)
        else:
            raise SourceError(f"the input [{given}] does not exist")

    def _add_file(self, uri: str, size: int, modified_ns: int) -> None:
        if self._is_new(uri):
            if kind_of(uri)[0] is None:
                self.ignored[posixpath.splitext(file_name(uri))[1].lower()] += 1
            else:
                self.sizes[uri] = size
                if modified_ns:
                    self.stamps[uri] = _stamp(uri, size, modified_ns)

    def _is_new(self, uri: str) -> bool:
        """Whether no other name or link has led there; a folder that links to itself ends here, as what is our own."""
        key = _key(uri)
        is_new = key not in self._seen and not posixpath.join(key, "").startswith(self._own)
        self._seen.add(key)
        return is_new

    def _add_folder(self, uri: str) -> None:
        if not self._is_new(uri):
            return
        for entry in self._list(uri):
            if not file_name(entry.uri).startswith((".", "_")):
                if entry.is_folder:
                    self._add_folder(entry.uri)
                else:
                    self._add_file(entry.uri, entry.size, entry.modified_ns)

    def _list(self, uri: str) -> list[files.Entry]:
        try:
            return files.list_dir(uri)
        except files.FileError:
            self.sizes[uri] = 0  # opening it will fail as well, and its reject says why
            return []

    def _add_glob(self, uri: str) -> None:
        scheme, separator, rest = uri.rpartition("://")
        names = rest.split("/")
        first = next(i for i, name in enumerate(names) if _GLOB.search(name))
        base = scheme + separator + ("/".join(names[:first]) or ("/" if rest.startswith("/") else "."))
        matched = list(self._match(base, names[first:]))
        if not matched:
            raise SourceError(f"no file matches [{uri}]")
        for entry in matched:
            if entry.is_folder:
                self._add_folder(entry.uri)
            else:
                self._add_file(entry.uri, entry.size, entry.modified_ns)

    def _match(self, folder: str, names: list[str]) -> Iterator[files.Entry]:
        name, *deeper = names
        any_depth = name == "**"
        if any_depth and deeper:
            yield from self._match(folder, deeper)
        pattern = re.compile(".*" if any_depth else _to_regex(name), re.DOTALL)
        for entry in self._list(folder):
            found = unquote(file_name(entry.uri)) if files.is_uri(folder) else file_name(entry.uri)
            if not pattern.fullmatch(found) or (found[0] in "._" and not name.startswith(found[0])):
                continue
            entry = entry._replace(uri=posixpath.normpath(entry.uri)) if folder == "." else entry
            if any_depth and deeper:
                if entry.is_folder:
                    yield from self._match(entry.uri, names)
            elif not deeper:
                yield entry
            elif entry.is_folder:
                yield from self._match(entry.uri, deeper)


def _key(uri: str) -> str:
    """The same for all local names of a file or folder."""
    file_system, path = files.resolve(uri)
    return os.path.realpath(path) if isinstance(file_system, LocalFileSystem) else uri


_GLOB: Final = re.compile(r"[*?\[]")


def _to_regex(glob: str) -> str:
    """``*``, ``?``, ``[abc]`` and ``[!abc]`` of one name, as a regular expression."""
    pieces = re.split(r"(\*+|\?|\[[^\]]+\])", glob)
    wild = {"?": "."}
    return "".join(
        wild.get(piece, ".*" if piece.startswith("*") else piece.replace("[!", "[^", 1).replace("\\", "\\\\"))
        if i % 2
        else re.escape(piece)
        for i, piece in enumerate(pieces)
    )


def _check_columns(uri: str, columns: Mapping[str, str]) -> None:
    names = _column_names(uri)
    if not names:
        return
    found = find_columns(names, columns)
    for field, column in columns.items():
        if not found[field]:
            raise SourceError(f"--columns {field}={column}: [{uri}] has the columns {describe(names)}")


def _column_names(uri: str) -> list[str]:
    """The columns that a CSV or Parquet file names; none where it cannot be read: reading it will say so."""
    kind, _ = kind_of(uri)
    try:
        if kind is Format.CSV:
            with CsvFile(uri, _HEADER_BYTES) as table:
                return table.header
        if kind is Format.PARQUET:
            with files.open_input(uri) as file:
                return list(pq.read_schema(file).names)
    except files.DAMAGED:
        pass
    return []


def _expanded(uri: str, size: int) -> int:
    kind, compression = kind_of(uri)
    return size * (_EXPANSION if compression or kind is Format.PARQUET else 1)


def _pack(
    found: Sequence[tuple[str, int]], columns: Mapping[str, str], target_bytes: int, max_files: int
) -> Iterator[tuple[tuple[FilePart, ...], int]]:
    """Parts of large files alone, runs of small files together, so that the order by URI stays; with bytes of text."""
    small: list[FilePart] = []
    small_bytes = 0
    for uri, size in found:
        kind, compression = kind_of(uri)
        whole = FilePart(uri, kind or Format.TEXT)
        text_bytes = _expanded(uri, size)
        parts = [whole]
        if text_bytes > target_bytes:
            if kind is Format.PARQUET:
                parts = _cut_rows(whole, columns, target_bytes)
            elif kind is Format.JSONL and compression is None:
                parts = _cut_bytes(whole, size, target_bytes)
        if small and (len(parts) > 1 or small_bytes + text_bytes > target_bytes or len(small) >= max_files):
            yield tuple(small), small_bytes
            small, small_bytes = [], 0
        if len(parts) > 1:
            end = parts[-1].end if parts[-1].end > 0 else size  # of rows, or of bytes
            for part in parts:
                yield (part,), text_bytes * ((part.end if part.end > 0 else end) - part.start) // end
        else:
            small += parts
            small_bytes += text_bytes
    if small:
        yield tuple(small), small_bytes


def _cut_bytes(whole: FilePart, size: int, target_bytes: int) -> list[FilePart]:
    try:
        with files.open_input(whole.uri) as file:
            is_wide = wide_encoding(file.read(4)) is not None
    except OSError:
        return [whole]
    if is_wide:  # its newlines are not single bytes
        return [whole]
    count = -(-size // target_bytes)
    cuts = [size * i // count for i in range(count)]
    # The last part is open, so that a file that grows meanwhile is read to its end.
    return [dataclasses.replace(whole, start=start, end=end) for start, end in zip(cuts, [*cuts[1:], -1], strict=True)]


def _cut_rows(whole: FilePart, columns: Mapping[str, str], target_bytes: int) -> list[FilePart]:
    """Parts of a Parquet file: row groups together, or a large one in several."""
    try:
        with files.open_input(whole.uri) as file:
            parquet = pq.ParquetFile(file)
            metadata = parquet.metadata
            found = find_columns(parquet.schema_arrow.names, columns)
    except files.DAMAGED:
        return [whole]
    needed = {names[0] for names in found.values() if names}
    cuts = [0]
    first = waiting_bytes = 0
    for group in range(metadata.num_row_groups):
        described = metadata.row_group(group)
        chunks = (described.column(i) for i in range(described.num_columns))
        group_bytes = sum(
            chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.partition(".")[0] in needed
        )
        waiting_bytes += group_bytes
        parts = min(group_bytes // _MIN_GROUP_PART_BYTES, _MAX_GROUP_PARTS, described.num_rows)
        if parts > 1 and group_bytes > target_bytes:
            cuts += [first + described.num_rows * part // parts for part in range(parts)]
        first += described.num_rows
        if waiting_bytes >= target_bytes:
            cuts.append(first)
            waiting_bytes = 0
    cuts = sorted({*cuts, first})
    if len(cuts) <= 2:
        return [whole]
    return [dataclasses.replace(whole, start=start, end=end) for start, end in pairwise(cuts)]
