"""Bytes of a file as lines and CSV rows, streaming, with bounded memory, up to the byte where the file breaks."""

import codecs
import csv
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Final, NamedTuple, Self

import pyarrow as pa

from pipeline.formats import kind_of
from transforms.files import FileError, open_input
from transforms.text.decode import Decoded, UndecodableError, decode

RAW_BYTES: Final = 64 * 1024
"""How much of a record that cannot be used is kept."""

_CHUNK_BYTES: Final = 1024 * 1024
_WIDE_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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
        self._file.seek(0 if compression else self._position)
        self._stream = pa.CompressedInputStream(self._file, compression) if compression else self._file
        self._is_compressed = compression is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
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
        return piece

    def read(self) -> bytes:
        """Return the next chunk, of about 1 MiB; empty at the end."""
        piece = self.read_raw(_CHUNK_BYTES)
        if self._at_start:
            self._at_start = False
            for mark, encoding in _WIDE_MARKS:
                if piece.startswith(mark):
                    self.encoding = encoding
                    self._decoder = codecs.getincrementaldecoder(encoding)("replace")
                    break
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
        self._file.close()
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
    is_legacy: bool
    """Some bytes are not UTF-8; the cells hold them as surrogates (``surrogateescape``)."""
    error: str
    """Why ``cells`` are not to be trusted; empty where they are."""
    is_too_large: bool


# Each costs reading the file again up to there; a file with more broken quotes than that is no CSV.
_MAX_RESTARTS: Final = 16


class CsvRows:
    """The rows of a CSV file after its header.

    A row whose quote is never closed would swallow the rest of the file. It is given up, and reading goes on with the
    line after it.
    """

    def __init__(self, uri: str, limit: int) -> None:
        self._uri = uri
        self._limit = limit
        self._restarts = 0
        self.encoding = "utf-8"
        self.error = ""
        self.cut_line = b""
        self.lines = 0
        """Lines read so far."""

    def header(self) -> list[str] | None:
        """Return the names of the columns; ``None`` for an empty file."""
        with Input(self._uri) as source:
            ...


