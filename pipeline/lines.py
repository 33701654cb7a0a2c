"""A file as lines and CSV rows: streaming, in bounded memory, up to the byte where the file breaks."""

import codecs
import csv
from collections.abc import Iterator
from itertools import chain, islice
from types import TracebackType
from typing import Final, NamedTuple, Self

import pyarrow as pa

from pipeline.formats import kind_of
from transforms.files import FileError, open_input
from transforms.text.decode import UndecodableError, decode

RAW_BYTES: Final = 64 * 1024
"""How much of a record that cannot be used is kept."""

MAX_EXPANSION: Final = 200
"""How many times its size a compressed file may give, beyond the first 256 MiB; JSONL of articles gives 3 to 30."""
FREE_EXPANSION_BYTES: Final = 256 * 1024 * 1024

_CHUNK_BYTES: Final = 1024 * 1024
_WIDE_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def wide_encoding(head: bytes) -> str | None:
    """Return the encoding of a file that begins with UTF-16's or UTF-32's byte order mark."""
    return next((encoding for mark, encoding in _WIDE_MARKS if head.startswith(mark)), None)


class Input:
    """A file's bytes, decompressed; UTF-16 and UTF-32 with a byte order mark come as UTF-8.

    Where the file is truncated or corrupt, the bytes before that are given, and ``error`` says what is wrong.
    """

    error: str = ""
    encoding: str = "utf-8"
    cut_line: bytes = b""
    """The beginning of the line that the error cut."""

    def __init__(self, uri: str, start: int = 0) -> None:
        self._uri = uri
        self._position = start
        self._decoder: codecs.IncrementalDecoder | None = None
        self._open()
        self._at_start = start == 0

    def _open(self) -> None:
        _, compression = kind_of(self._uri)
        self._file = open_input(self._uri)
        self._stored_bytes = self._file.size()
        self._file.seek(0 if compression else self._position)
        self._stream = pa.CompressedInputStream(self._file, compression) if compression else self._file
        self._is_compressed = compression is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_raw(self, size: int) -> bytes:
        """Return up to ``size`` bytes as they are in the file; none at its end, or where it breaks."""
        if self.error:
            return b""
        try:
            piece = bytes(self._stream.read(size))
        except (OSError, pa.ArrowException) as error:
            self.error = FileError(self._uri, error).reason
            piece = self._salvage(size) if self._is_compressed else b""
        self._position += len(piece)
        if self._is_compressed and self._position > max(FREE_EXPANSION_BYTES, MAX_EXPANSION * self._stored_bytes):
            self.error = f"it decompresses to over [{MAX_EXPANSION}] times its size, as a decompression bomb does"
            return b""
        return piece

    def read(self) -> bytes:
        """Return the next chunk, of about 1 MiB; empty at the end."""
        piece = self.read_raw(_CHUNK_BYTES)
        if self._at_start:
            self._at_start = False
            if encoding := wide_encoding(piece):
                self.encoding = encoding
                self._decoder = codecs.getincrementaldecoder(encoding)("replace")
            else:
                piece = piece.removeprefix(codecs.BOM_UTF8) or self.read_raw(_CHUNK_BYTES)
        while self._decoder is not None:
            text = self._decoder.decode(piece, final=not piece)
            if text or not piece:
                return text.encode()
            piece = self.read_raw(_CHUNK_BYTES)
        return piece

    def _salvage(self, size: int) -> bytes:
        """A failed read gives nothing of what it had decompressed, so read that again, byte by byte."""
        self.close()
        self._open()
        piece = bytearray()
        try:
            left = self._position
            while left:
                left -= len(self._stream.read(min(left, _CHUNK_BYTES)))
            while len(piece) < size and (byte := self._stream.read(1)):
                piece += byte
        except (OSError, pa.ArrowException):
            pass
        return bytes(piece)


class LongLine(NamedTuple):
    """A line over the limit; only its head was kept."""

    head: bytes
    length: int
    """Bytes, without the newline."""
    quotes: int
    """Double quotes in the whole line."""


def read_lines(source: Input, limit: int) -> Iterator[bytes | LongLine]:
    r"""Yield the lines without their ``\n``; those over ``limit`` bytes as ``LongLine``.

    A last line that the file's end cuts is a line; one that an error cuts is left in ``source.cut_line``.
    """
    growing = _GrowingLine(limit)
    while chunk := source.read():
        first, *others = chunk.split(b"\n")
        if others and growing.length:
            growing.add(first)
            yield growing.take()
        elif others:
            others.insert(0, first)
        else:
            others.append(first)
        last = others.pop()
        for line in others:
            yield line if len(line) <= limit else LongLine(line[:RAW_BYTES], len(line), line.count(b'"'))
        growing.add(last)
    if source.error:
        source.cut_line = bytes(growing.head[:RAW_BYTES])
    elif growing.length:
        yield growing.take()


class _GrowingLine:
    """A line that comes in pieces; past the limit only its head is kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._clear()

    def _clear(self) -> None:
        self.head = bytearray()
        self.length = 0
        self._quotes = 0

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        self._quotes += piece.count(b'"')
        if self.length <= self._limit:
            self.head += piece
        else:
            self.head = (self.head + piece[:RAW_BYTES])[:RAW_BYTES]

    def take(self) -> bytes | LongLine:
        line = bytes(self.head)
        taken = line if self.length <= self._limit else LongLine(line[:RAW_BYTES], self.length, self._quotes)
        self._clear()
        return taken


class CsvRow(NamedTuple):
    """One record of a CSV file."""

    place: int
    """The line it begins on, from 1."""
    cells: list[str]
    raw: bytes
    """At most 64 KiB of it where ``error`` says why the cells are not to be trusted."""
    is_legacy: bool = False
    """Some bytes are not UTF-8; the cells hold them as surrogates (``surrogateescape``)."""
    error: str = ""
    is_too_large: bool = False


# Each costs reading the file again up to there; a file with more broken quotes than that is no CSV.
_MAX_RESTARTS: Final = 16


class CsvFile:
    """The header of a CSV file and, iterated once, its rows.

    The delimiter is a comma, semicolon or tab, by the header. A row whose quote is never closed would
    swallow the rest of the file: it is given up, and reading goes on with the line after it.
    """

    def __init__(self, uri: str, limit: int) -> None:
        self._uri = uri
        self._limit = limit
        self._delimiter = ""
        self._open()
        self.header: list[str] = []
        """The names of the columns; none for an empty file."""
        self.header_error = ""
        """Why the header, and with it the file, cannot be read."""
        self._read_header()

    def _open(self, skip: int = 0) -> None:
        self.source = Input(self._uri)
        lines = read_lines(self.source, self._limit)
        if not self._delimiter:
            seen: list[bytes | LongLine] = []
            for line in lines:
                seen.append(line)
                head = line.head if isinstance(line, LongLine) else line
                counts = {delimiter: head.count(delimiter.encode()) for delimiter in ",;\t"}
                self._delimiter = max(counts, key=counts.__getitem__)
                if head.strip():
                    break
            lines = chain(seen, lines)
        # No field can pass the limit, because the feed ends the row before that.
        csv.field_size_limit(max(csv.field_size_limit(), 2 * self._limit))
        self._feed = _CsvFeed(islice(lines, skip, None), self._limit, skip)
        self._reader = csv.reader(self._feed, delimiter=self._delimiter or ",")

    def _read_header(self) -> None:
        try:
            while not self.header:
                self._feed.begin_row()
                cells = next(self._reader, None)
                if self._feed.is_too_large or self._feed.is_unclosed:
                    self.header_error = "its header is too long, or a quote in it is never closed"
                if cells is None or self.header_error:
                    return
                self.header = [_unescape(cell).strip() for cell in cells]
        except csv.Error as error:
            self.header_error = f"its header is no CSV: {_reason(error)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.source.__exit__(kind, error, traceback)

    @property
    def lines(self) -> int:
        """How many lines have been read."""
        return self._feed.number

    def __iter__(self) -> Iterator[CsvRow]:
        restarts = 0
        while True:
            feed = self._feed
            feed.begin_row()
            error = ""
            cells: list[str] | None = []
            try:
                cells = next(self._reader, None)
            except csv.Error as problem:
                error = f"not CSV: {_reason(problem)}"
            if cells is None:
                return
            place, raw = feed.first, feed.raw()
            if feed.is_unclosed:
                if self.source.error:
                    self.source.cut_line = raw
                    return
                raw = raw.partition(b"\n")[0]
                error = "a quote that opens in this row is never closed"
                if restarts < _MAX_RESTARTS:
                    restarts += 1
                    self.source.close()
                    self._open(skip=place)
            elif feed.is_too_large:
                error = f"the row is over the limit of [{self._limit}] bytes"
            elif not cells and not error:
                continue
            elif len(cells) != len(self.header) and not error:
                error = f"[{len(cells)}] fields, but the header names [{len(self.header)}]"
            yield CsvRow(place, cells, raw, feed.is_legacy, error, feed.is_too_large and not feed.is_unclosed)


def _reason(error: csv.Error) -> str:
    told = str(error)
    return "a line ends in CR alone, write LF or CR and LF" if told.startswith("new-line character") else told


def _unescape(cell: str) -> str:
    try:
        return decode(cell.encode("utf-8", "surrogateescape")).text
    except UndecodableError:
        return cell.encode("utf-8", "replace").decode()


class _CsvFeed:
    """Lines for ``csv.reader``, which asks for another within a row only when a quoted field goes on.

    A row over the limit is ended for it, and the rest of that row skipped by counting quotes.
    """

    def __init__(self, lines: Iterator[bytes | LongLine], limit: int, number: int) -> None:
        self._lines = lines
        self._limit = limit
        self.number = number
        self.begin_row()

    def begin_row(self) -> None:
        self.first = self.number + 1
        self.is_too_large = self.is_unclosed = self.is_legacy = False
        self._row: list[bytes] = []
        self._length = 0

    def raw(self) -> bytes:
        size = 0
        for count, line in enumerate(self._row, 1):
            size += len(line) + 1
            if size > RAW_BYTES:
                return b"\n".join(self._row[:count])[:RAW_BYTES]
        return b"\n".join(self._row)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        is_inside = self._length > 0
        line = self._next_line(is_inside)
        self._length += 1 + (line.length if isinstance(line, LongLine) else len(line))
        if not isinstance(line, LongLine):
            self._row.append(line)
            if self._length <= self._limit + 1:
                try:
                    return line.decode() + "\n"
                except UnicodeDecodeError:
                    self.is_legacy = True
                    return line.decode("utf-8", "surrogateescape") + "\n"
        elif not self._row:
            self._row.append(line.head)
        self.is_too_large = True
        is_open = is_inside ^ _has_odd_quotes(line)
        while is_open:
            try:
                is_open ^= _has_odd_quotes(self._next_line(True))
            except StopIteration:
                break
        return '"\n' if is_inside else "\n"

    def _next_line(self, is_inside: bool) -> bytes | LongLine:
        line = next(self._lines, None)
        if line is None:
            self.is_unclosed = is_inside
            raise StopIteration
        self.number += 1
        return line


def _has_odd_quotes(line: bytes | LongLine) -> bool:
    return (line.quotes if isinstance(line, LongLine) else line.count(b'"')) % 2 == 1
