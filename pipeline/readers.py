"""One part of a file in, its records and rejects out, streaming."""

import codecs
import csv
import dataclasses
import enum
import functools
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.columns import describe, find_columns
from transforms import files
from transforms.records import Record, Reject
from transforms.text.dates import from_epoch, parse_published
from transforms.text.decode import Decoded, UndecodableError, decode, well_formed
from transforms.text.headline import headline
from transforms.text.reasons import RejectReason

BATCH_ROWS: Final = 1000
BATCH_CHARACTERS: Final = 16 * 1024 * 1024
RAW_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 1024 * 1024

# Each costs reading the file again up to there; a file with more broken quotes than that is no CSV.
_MAX_RESTARTS: Final = 16


class Format(enum.StrEnum):
    """What a file holds."""

    TEXT = "txt"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


_FORMATS: Final = {
    ".txt": Format.TEXT,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".parquet": Format.PARQUET,
}
_COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
KNOWN_ENDINGS: Final = f"{' '.join(_FORMATS)}, all but .parquet also with {' '.join(_COMPRESSIONS)}"


@dataclasses.dataclass(frozen=True)
class FilePart:
    """A file, or the part of it between ``start`` and ``end``, which is -1 for the rest.

    They count bytes in uncompressed JSONL (a part owns the lines that begin in it) and row groups in Parquet.
    """

    uri: str
    format: Format
    start: int = 0
    end: int = -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How records are read."""

    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Field (``text``, ``id`` …) → column, where the usual names do not do."""
    max_article_bytes: int = 16 * 1024 * 1024
    """A larger text, or JSON line, is rejected as too large and never held in memory whole."""


def kind_of(uri: str) -> tuple[Format | None, str | None]:
    """Return a file's format and compression by its name, ``None`` where there is none.

    >>> kind_of("s3://news/Day.JSONL.gz?region=eu-west-1"), kind_of("notes.docx")
    ((<Format.JSONL: 'jsonl'>, 'gzip'), (None, None))
    """
    name = (unquote(urlsplit(uri).path) if files.is_uri(uri) else uri).lower()
    compression = next((name[-len(end) :] for end in _COMPRESSIONS if name.endswith(end)), "")
    name = name.removesuffix(compression)
    found = next((kind for end, kind in _FORMATS.items() if name.endswith(end)), None)
    if found is None or (found is Format.PARQUET and compression):
        return None, None
    return found, _COMPRESSIONS.get(compression)


class PartReader:
    """Reads one part; iterate once: lists of up to 1,000 records or 16 Mi characters of text, in the file's order.

    Every record of the input is one ``Record`` or one ``Reject``; what cannot be read at all is one ``Reject`` of the
    reason ``unreadable_file``. A part of a JSONL file numbers its lines from 1; after the iteration ``lines`` holds how
    many it owns, which is what the places in later parts lack.
    """

    def __init__(self, part: FilePart, options: ReadOptions) -> None:
        self.part = part
        self.lines = 0
        self._options = options

    def __iter__(self) -> Iterator[list[Record | Reject]]:
        batch: list[Record | Reject] = []
        characters = 0
        for record in self._records():
            size = len(record.text) if isinstance(record, Record) else len(record.raw)
            if batch and (len(batch) >= BATCH_ROWS or characters + size > BATCH_CHARACTERS):
                yield batch
                batch, characters = [], 0
            batch.append(record)
            characters += size
        if batch:
            yield batch

    def _records(self) -> Iterator[Record | Reject]:
        readers = {
            Format.TEXT: self._read_text,
            Format.JSONL: self._read_jsonl,
            Format.CSV: self._read_csv,
            Format.PARQUET: self._read_parquet,
        }
        try:
            yield from readers[self.part.format]()
        except files.FileError as error:
            yield _unreadable(0, error.reason)

    # Text: the file is the record.

    def _read_text(self) -> Iterator[Record | Reject]:
        limit = self._options.max_article_bytes
        with _Input(self.part.uri) as source:
            pieces = []
            size = 0
            while size <= limit and (piece := source.read_raw(limit + 1 - size)):
                pieces.append(piece)
                size += len(piece)
            raw = b"".join(pieces)
        if source.error:
            yield _unreadable(0, source.error, raw)
        elif len(raw) > limit:
            yield _too_large(0, f"over [{limit}] bytes", limit, raw)
        else:
            text = _usable_text(0, raw, self._options, raw)
            yield text if isinstance(text, Reject) else _record(0, text, {"title": headline(text.text)})

    # JSONL: a line is a record.

    def _read_jsonl(self) -> Iterator[Record | Reject]:
        start, end = self.part.start, self.part.end
        # From the byte before, so that a line that begins exactly at ``start`` is told from the rest of one.
        position = max(start - 1, 0)
        with _Input(self.part.uri, position) as source:
            for line in _lines(source, self._options.max_article_bytes):
                begin = position
                position += len(line) + 1 if isinstance(line, bytes) else line.length + 1
                if begin < start:
                    continue
                if 0 <= end <= begin:
                    return
                self.lines += 1
                record = self._parse_json(line, self.lines, source.encoding)
                if record is not None:
                    yield record
        if source.error:
            yield _unreadable(self.lines + 1, f"{source.error} after line [{self.lines}]", source.cut_line)

    def _parse_json(self, line: "bytes | _LongLine", place: int, encoding: str) -> Record | Reject | None:
        if not isinstance(line, bytes):
            limit = self._options.max_article_bytes
            return _too_large(place, f"the line has [{line.length}] bytes, over [{limit}]", limit, line.head)
        if not line or line.isspace():
            return None
        try:
            text = line.decode()
        except UnicodeDecodeError:
            try:
                text, encoding = decode(line)
            except UndecodableError as error:
                return Reject(place, RejectReason.UNDECODABLE, str(error), line[:RAW_BYTES])
        try:
            fields = _JSON.decode(text.removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            return _malformed(place, f"not JSON: {error.msg} at character [{error.pos + 1}]", line)
        except ValueError:  # Python refuses integers of over 4,300 digits
            return _malformed(place, "not usable JSON: a number has thousands of digits", line)
        except RecursionError:
            return _malformed(place, "not usable JSON: nested too deeply", line)
        if not isinstance(fields, dict):
            return _malformed(place, f"a JSON object is expected, not {_type_name(fields)}", line)
        columns = self._columns_of(tuple(fields))
        values = {
            field: next((fields[name] for name in names if fields[name] is not None), None)
            for field, names in columns.items()
        }
        value = values["text"]
        if value is None:
            return _missing(place, columns["text"], list(fields), self._options, line)
        usable = _usable_text(place, value, self._options, line, encoding)
        return usable if isinstance(usable, Reject) else _record(place, usable, values)

    @functools.cached_property
    def _columns_of(self) -> Callable[[tuple[str, ...]], dict[str, list[str]]]:
        # Rows of one file share a few sets of keys; finding the columns costs as much as parsing the row.
        return functools.lru_cache(maxsize=256)(lambda names: find_columns(names, self._options.columns))

    # CSV: a row is a record; its place is the line that it begins on.

    def _read_csv(self) -> Iterator[Record | Reject]:
        csv.field_size_limit(max(csv.field_size_limit(), self._options.max_article_bytes))
        rows = _CsvRows(self.part.uri, self._options)
        header = rows.header()
        if header is None:
            yield from rows.failure()
            return
        columns = {field: names[0] for field, names in find_columns(header, self._options.columns).items() if names}
        places = {field: header.index(name) for field, name in columns.items()}
        for row in rows:
            if isinstance(row, Reject):
                yield row
                continue
            values: dict[str, Any] = {field: row.cells[i] for field, i in places.items()}
            if "text" not in values:
                yield _missing(row.place, [], header, self._options, row.raw)
                continue
            encoding = row.encoding
            value = values["text"]
            if row.is_legacy:
                value = value.encode("utf-8", "surrogateescape")
            text = _usable_text(row.place, value, self._options, row.raw, encoding)
            if isinstance(text, Reject):
                yield text
                continue
            if row.is_legacy:
                values = {field: _like(cell, text.encoding) for field, cell in values.items() if field != "text"}
            yield _record(row.place, text, values)

    # Parquet: a row is a record; its place is its number in the file.

    def _read_parquet(self) -> Iterator[Record | Reject]:
        with files.open_input(self.part.uri) as file:
            try:
                parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_CHUNK_BYTES)
                names = parquet.schema_arrow.names
            except (OSError, pa.ArrowException) as error:
                yield _unreadable(0, f"no Parquet file, or cut off: {_one_line(error)}")
                return
            found = find_columns(names, self._options.columns)
            columns = {field: candidates[0] for field, candidates in found.items() if candidates}
            groups = range(parquet.metadata.num_row_groups)
            first = 1
            for group in groups:
                rows = parquet.metadata.row_group(group).num_rows
                if self.part.start <= group and not 0 <= self.part.end <= group:
                    yield from self._read_group(parquet, group, first, columns, names)
                first += rows

    def _read_group(
        self, parquet: pq.ParquetFile, group: int, place: int, columns: Mapping[str, str], names: list[str]
    ) -> Iterator[Record | Reject]:
        described = parquet.metadata.row_group(group)
        last = place + described.num_rows - 1
        if "text" not in columns:
            for row in range(place, last + 1):
                yield _missing(row, [], names, self._options, b"")
            return
        row_bytes = described.total_byte_size // max(described.num_rows, 1) + 1
        batch_rows = min(max(BATCH_CHARACTERS // row_bytes, 1), BATCH_ROWS)
        wanted = list(dict.fromkeys(columns.values()))
        try:
            for batch in parquet.iter_batches(batch_rows, row_groups=[group], columns=wanted):
                values = {field: _values(batch.column(name)) for field, name in columns.items()}
                texts = values.pop("text")
                fields = list(values)
                for text, *others in zip(texts, *values.values(), strict=True):
                    yield self._parquet_record(place, text, dict(zip(fields, others, strict=True)), columns["text"])
                    place += 1
        except (OSError, pa.ArrowException) as error:
            yield _unreadable(place, f"row group [{group}], rows [{place}] to [{last}]: {_one_line(error)}")

    def _parquet_record(self, place: int, value: Any, values: dict[str, Any], column: str) -> Record | Reject:
        if value is None:
            return _missing(place, [column], [], self._options, b"")
        raw = value if isinstance(value, bytes) else repr(value)[:RAW_BYTES].encode("utf-8", "replace")
        text = _usable_text(place, value, self._options, raw)
        return text if isinstance(text, Reject) else _record(place, text, values)


# A raw control character in a string is a publisher's slip that takes nothing from the record.
_JSON: Final = json.JSONDecoder(strict=False)


def column_names(uri: str) -> list[str] | None:
    """Return the columns that a CSV or Parquet file names; ``None`` where it has none or cannot be read."""
    kind, _ = kind_of(uri)
    try:
        if kind is Format.CSV:
            return _CsvRows(uri, ReadOptions()).header()
        if kind is Format.PARQUET:
            with files.open_input(uri) as file:
                return list(pq.read_schema(file).names)
    except (OSError, pa.ArrowException):
        pass
    return None


# From values to a record.


def _record(place: int, text: Decoded, values: Mapping[str, Any]) -> Record:
    url = _plain(values.get("url"))
    title = _plain(values.get("title"))
    return Record(
        id=_plain(values.get("id")) or _stable_id(url, title, text.text),
        url=url,
        source=_plain(values.get("source")) or (_host(url) if url else None),
        title=title,
        published=parse_published(values.get("published")),
        text=text.text,
        encoding=text.encoding,
        place=place,
    )


def _stable_id(url: str | None, title: str | None, text: str) -> str:
    """16 hexadecimal digits: the same for the same article, whatever file it is in."""
    content = f"{url or ''}\0{title or ''}\0{text}".encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _host(url: str) -> str | None:
    """``https://www.example.org:443/a`` → ``example.org``."""
    authority = _AUTHORITY.match(url)
    return authority[1].lower().removeprefix("www.") if authority else None


_AUTHORITY: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#@:]+)", re.IGNORECASE)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def _plain(value: Any) -> str | None:
    """A short field as one line of text; ``None`` for what says nothing."""
    if isinstance(value, str):
        if value.isprintable():
            return value.strip() or None
        return " ".join(_CONTROLS.sub(" ", well_formed(value).text).split()) or None
    if isinstance(value, bytes):
        return _plain(_like(value.decode("utf-8", "surrogateescape"), "+"))
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return f"{value}" if value.bit_length() < 256 else f"{value:x}"  # more digits than Python prints
    if isinstance(value, float):
        return None if math.isnan(value) else _plain(int(value) if value.is_integer() else repr(value))
    if isinstance(value, dict):  # NewsAPI's {"source": {"id": null, "name": "Example News"}}
        return next((_plain(value[key]) for key in ("name", "title", "url") if isinstance(value.get(key), str)), None)
    if isinstance(value, list):
        return next((_plain(item) for item in value if isinstance(item, str)), None)
    return _plain(str(value))


def _like(cell: str, encoding: str) -> str:
    """A surrogate-escaped cell read by the encoding of the text beside it, which tells more than a few words do."""
    raw = cell.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        return decode(raw).text if "+" in encoding else raw.decode(encoding)
    except ValueError:
        return raw.decode(errors="replace")


def _usable_text(
    place: int, value: object, options: ReadOptions, raw: bytes, encoding: str = "utf-8"
) -> Decoded | Reject:
    limit = options.max_article_bytes
    if isinstance(value, bytes):
        if len(value) > limit:
            return _too_large(place, f"the text has [{len(value)}] bytes, over [{limit}]", limit, raw)
        try:
            text = decode(value)
        except UndecodableError as error:
            return Reject(place, RejectReason.UNDECODABLE, str(error), raw[:RAW_BYTES])
    elif isinstance(value, str):
        text, found = well_formed(value)
        text = Decoded(text, found.replace("utf-8", encoding.removesuffix("+replaced")) if found != "utf-8" else encoding)
    else:
        detail = f"the text is {_type_name(value)}, not a string; name another column with --columns text=NAME"
        return Reject(place, RejectReason.WRONG_TYPE, detail, raw[:RAW_BYTES])
    if not text.text or text.text.isspace():
        return Reject(place, RejectReason.EMPTY, "the text is blank", raw[:RAW_BYTES])
    return text


def _type_name(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    names |= {str: "a string", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")


def _unreadable(place: int, detail: str, raw: bytes = b"") -> Reject:
    return Reject(place, RejectReason.UNREADABLE_FILE, detail, raw[:RAW_BYTES])


def _malformed(place: int, detail: str, raw: bytes) -> Reject:
    return Reject(place, RejectReason.MALFORMED, detail, raw[:RAW_BYTES])


def _too_large(place: int, detail: str, raw: bytes) -> Reject:
    return Reject(place, RejectReason.TOO_LARGE, f"{detail}; raise --max-article-bytes to keep it", raw[:RAW_BYTES])


def _missing(place: int, columns: Sequence[str], names: Sequence[str], options: ReadOptions, raw: bytes) -> Reject:
    if columns:
        detail = f"the text [{columns[0]}] is null"
    else:
        wanted = f"column [{options.columns['text']}]" if "text" in options.columns else "known text column"
        detail = f"no {wanted} among {describe(names)}; name it with --columns text=NAME"
    return Reject(place, RejectReason.MISSING_TEXT, detail, raw[:RAW_BYTES])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
