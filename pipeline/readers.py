"""One part of a file in, its records and rejects out, streaming."""

import functools
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.columns import describe, find_columns
from pipeline.formats import FilePart, Format, ReadOptions
from pipeline.lines import (
    FREE_EXPANSION_BYTES,
    MAX_EXPANSION,
    RAW_BYTES,
    CsvFile,
    CsvRow,
    Input,
    LongLine,
    read_lines,
)
from transforms import files
from transforms.batches import make_batch
from transforms.records import Found, Record, Records, Reject
from transforms.schemas import READ
from transforms.text.dates import from_epoch, parse_published
from transforms.text.decode import Decoded, UndecodableError, decode, well_formed
from transforms.text.headline import headline
from transforms.text.reasons import RejectReason

BATCH_ROWS: Final = 250  # 1,000 take 60 MB more in a worker, and no less time
BATCH_CHARACTERS: Final = 16 * 1024 * 1024

# A dictionary holds a text once, however many rows have it, so a row may be as large as its columns with dictionaries
# in the whole group. 8 rows at a time take 5 µs a row more than 250 do, and of 64 MiB they hold at most 512 MiB.
_DICTIONARY_BYTES: Final = 64 * 1024 * 1024
_DICTIONARY_ROWS: Final = 8

T = TypeVar("T")

# A raw control character in a string is a publisher's slip that takes nothing from the record.
_JSON: Final = json.JSONDecoder(strict=False)


class PartReader:
    """Reads one part, once: batches of up to 250 records or 16 Mi characters of text, in the file's order.

    Every record of the input is one article or one ``Reject``; what cannot be read at all is one
    ``Reject`` of the reason ``unreadable_file``. A part of a JSONL file numbers its lines from 1; after the
    iteration ``lines`` holds how many it owns, which is what the places in later parts lack, ``unread_dates`` how many
    dates were given that could not be read, and ``unread_date`` the first of them.
    """

    def __init__(self, part: FilePart, options: ReadOptions) -> None:
        self.part = part
        self.lines = 0
        self.unread_dates = 0
        self.unread_date: str | None = None
        self._options = options
        self._bytes = self._max_bytes = 0  # of a Parquet file's texts

    def __iter__(self) -> Iterator[Records]:
        yield from map(Records.of, _batched(self._records(), _size))

    def _records(self) -> Iterator[Found]:
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
        raw = b""
        with Input(self.part.uri) as source:
            while len(raw) <= limit and (piece := source.read_raw(limit + 1 - len(raw))):
                raw += piece
        if source.error:
            yield _unreadable(0, source.error, raw)
        elif len(raw) > limit:
            yield _too_large(0, f"the file is over the limit of [{limit}] bytes", raw)
        else:
            text = self._usable_text(0, raw, raw)
            yield text if isinstance(text, Reject) else self._record(0, text, {"title": headline(text.text)})

    # JSONL: a line is a record.

    def _read_jsonl(self) -> Iterator[Record | Reject]:
        start, end = self.part.start, self.part.end
        # From the byte before, so that a line that begins exactly at ``start`` is told from the rest of one.
        position = max(start - 1, 0)
        with Input(self.part.uri, position) as source:
            for line in read_lines(source, self._options.max_article_bytes):
                begin = position
                position += 1 + (line.length if isinstance(line, LongLine) else len(line))
                if begin < start:
                    continue
                if 0 <= end <= begin:
                    return
                self.lines += 1
                record = self._json_record(line, self.lines, source.encoding)
                if record is not None:
                    yield record
        if source.error:
            yield _unreadable(self.lines + 1, f"{source.error} after line [{self.lines}]", source.cut_line)

    def _json_record(self, line: bytes | LongLine, place: int, encoding: str) -> Record | Reject | None:
        if isinstance(line, LongLine):
            limit = self._options.max_article_bytes
            return _too_large(place, f"the line has [{line.length}] bytes, over the limit of [{limit}]", line.head)
        if not line or line.isspace():
            return None
        try:
            text = line.decode()
        except UnicodeDecodeError:
            try:
                text, encoding = decode(line)
            except UndecodableError as error:
                return _reject(place, RejectReason.UNDECODABLE, str(error), line)
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
        if values["text"] is None:
            return self._missing_text(place, columns["text"], list(fields), line)
        usable = self._usable_text(place, values["text"], line, encoding)
        return usable if isinstance(usable, Reject) else self._record(place, usable, values)

    @functools.cached_property
    def _columns_of(self) -> Callable[[tuple[str, ...]], dict[str, list[str]]]:
        # Rows of one file share a few sets of keys; finding the columns costs as much as parsing the row.
        return functools.lru_cache(maxsize=256)(lambda names: find_columns(names, self._options.columns))

    # CSV: a row is a record; its place is the line that it begins on.

    def _read_csv(self) -> Iterator[Record | Reject]:
        with CsvFile(self.part.uri, self._options.max_article_bytes) as table:
            header = table.header
            if table.header_error:
                yield _unreadable(0, table.header_error)
                return
            columns = find_columns(header, self._options.columns)
            places = {field: header.index(names[0]) for field, names in columns.items() if names}
            for row in table:
                if row.is_too_large:
                    yield _too_large(row.place, row.error, row.raw)
                elif row.error:
                    yield _malformed(row.place, row.error, row.raw)
                elif "text" not in places:
                    yield self._missing_text(row.place, [], header, row.raw)
                else:
                    values = {field: row.cells[place] for field, place in places.items()}
                    yield self._csv_record(row, values, table.source.encoding)
            if table.source.error:
                detail = f"{table.source.error} after line [{table.lines}]"
                yield _unreadable(table.lines + 1, detail, table.source.cut_line)

    def _csv_record(self, row: CsvRow, values: dict[str, Any], encoding: str) -> Record | Reject:
        text: str | bytes = values["text"]
        if row.is_legacy:
            text = values["text"].encode("utf-8", "surrogateescape")
        usable = self._usable_text(row.place, text, row.raw, encoding)
        if isinstance(usable, Reject):
            return usable
        if row.is_legacy:
            values = {
                field: _decode_like(cell.encode("utf-8", "surrogateescape"), usable.encoding)
                for field, cell in values.items()
            }
        return self._record(row.place, usable, values)

    # Parquet: a row is a record; its place is its number in the file.

    def _read_parquet(self) -> Iterator[Found]:
        with files.open_input(self.part.uri) as file:
            try:
                parquet = pq.ParquetFile(file, buffer_size=1024 * 1024)
                names = parquet.schema_arrow.names
            except files.DAMAGED as error:
                yield _unreadable(0, f"no Parquet file, or not all of one: {error}")
                return
            columns = {
                field: names.index(found[0])
                for field, found in find_columns(names, self._options.columns).items()
                if found
            }
            self._max_bytes = max(FREE_EXPANSION_BYTES, MAX_EXPANSION * file.size())
            start, end = self.part.start, self.part.end if self.part.end >= 0 else parquet.metadata.num_rows
            first = 0
            for group in range(parquet.num_row_groups):
                after = first + parquet.metadata.row_group(group).num_rows
                if first < end and start < after:
                    rows = range(max(start - first, 0), min(end, after) - first)
                    yield from self._read_group(parquet, group, rows, first + rows.start + 1, columns, names)
                first = after

    def _read_group(
        self, parquet: pq.ParquetFile, group: int, rows: range, place: int, columns: Mapping[str, int], names: list[str]
    ) -> Iterator[Found]:
        """The records of ``rows`` of a group; their places begin with ``place``."""
        described = parquet.metadata.row_group(group)
        last = place + len(rows) - 1
        if "text" not in columns:
            for at in range(place, last + 1):
                yield self._missing_text(at, [], names, b"")
            return
        text_column = names[columns["text"]]
        row_bytes = described.total_byte_size // max(described.num_rows, 1) + 1
        batch_rows = min(max(BATCH_CHARACTERS // row_bytes, 1), BATCH_ROWS)
        chunks = map(described.column, range(described.num_columns))
        if largest_row := sum(chunk.total_uncompressed_size for chunk in chunks if chunk.has_dictionary_page):
            batch_rows = min(batch_rows, max(_DICTIONARY_BYTES // largest_row, _DICTIONARY_ROWS))
        wanted = list(dict.fromkeys(names[i] for i in columns.values()))
        batches = parquet.iter_batches(batch_rows, row_groups=[group], columns=wanted, use_threads=False)
        try:
            plain = map(_unwrapped, _rows_of(batches, rows))
            for batch in map(pa.concat_batches, _batched(plain, _size_as_read)):
                values = {field: batch.column(batch.schema.names.index(names[i])) for field, i in columns.items()}
                self._bytes += values["text"].nbytes
                if self._bytes > self._max_bytes:
                    detail = f"rows [{place}] to [{last}], in row group [{group}]: the texts are over"
                    yield _unreadable(place, f"{detail} [{MAX_EXPANSION}] times the file's size, as in a bomb")
                    return
                yield from self._parquet_records(place, text_column, values)
                place += batch.num_rows
        except files.DAMAGED as error:
            detail = f"rows [{place}] to [{last}], in row group [{group}]: {error}"
            yield _unreadable(place, detail)

    def _parquet_records(self, place: int, text_column: str, values: dict[str, pa.Array]) -> Iterator[Found]:
        """The records of a batch: rejects and what needs more than a look one by one, all others by column."""
        texts = values["text"]
        lists = {field: _values(column) for field, column in values.items() if field != "text"}
        odd = _odd_rows(texts, self._options.max_article_bytes)
        rest = sorted(set(range(len(texts))).difference(odd))
        odd_texts = texts.take(pa.array(odd)) if odd and rest else texts[: len(odd)]  # all or none: whatever its type
        for row, text in zip(odd, _values(odd_texts), strict=True):
            cells = {"text": text} | {field: column[row] for field, column in lists.items()}
            yield self._parquet_record(place + row, text_column, cells)
        if not rest:
            return
        nothing = [None] * len(texts)
        ids, urls, sources, titles = (
            [_plain(lists.get(field, nothing)[row]) for row in rest] for field in ("id", "url", "source", "title")
        )
        usable = texts.take(pa.array(rest)) if odd else texts
        yield make_batch(
            READ,
            [
                id or _stable_id(url, title, text.as_buffer())
                for id, url, title, text in zip(ids, urls, titles, usable, strict=True)
            ],
            urls,
            list(map(_source_of, sources, urls)),
            titles,
            [self._published(lists.get("published", nothing)[row]) for row in rest],
            usable.cast(pa.large_string()),
            pa.repeat("utf-8", len(rest)),
            [place + row for row in rest],
        )

    def _parquet_record(self, place: int, text_column: str, values: dict[str, Any]) -> Record | Reject:
        text = values["text"]
        if text is None:
            return self._missing_text(place, [text_column], [], b"")
        usable = self._usable_text(place, text, b"")
        if isinstance(usable, Reject):
            raw = text if isinstance(text, bytes) else str(text)[:RAW_BYTES].encode("utf-8", "replace")
            return usable._replace(raw=raw[:RAW_BYTES])
        return self._record(place, usable, values)

    # What all formats share.

    def _record(self, place: int, text: Decoded, values: Mapping[str, Any]) -> Record:
        url = _plain(values.get("url"))
        title = _plain(values.get("title"))
        return Record(
            id=_plain(values.get("id")) or _stable_id(url, title, text.text.encode()),
            url=url,
            source=_source_of(_plain(values.get("source")), url),
            title=title,
            published=self._published(values.get("published")),
            text=text.text,
            encoding=text.encoding,
            place=place,
        )

    def _published(self, value: Any) -> datetime | None:
        found = parse_published(_plain(value) if isinstance(value, bytes) else value)
        if found is None and value and (given := _plain(value)) and _SAYS_A_NUMBER.search(given):
            self.unread_dates += 1
            self.unread_date = self.unread_date or given[:64]
        return found

    def _usable_text(self, place: int, text: object, raw: bytes, encoding: str = "utf-8") -> Decoded | Reject:
        limit = self._options.max_article_bytes
        if isinstance(text, bytes):
            if len(text) > limit:
                return _too_large(place, f"the text has [{len(text)}] bytes, over the limit of [{limit}]", raw)
            try:
                usable = decode(text)
            except UndecodableError as error:
                return _reject(place, RejectReason.UNDECODABLE, str(error), raw)
        elif isinstance(text, str):
            if 4 * len(text) > limit and (size := len(text.encode("utf-8", "surrogatepass"))) > limit:
                return _too_large(place, f"the text has [{size}] bytes, over the limit of [{limit}]", raw)
            usable = well_formed(text)
            replaced = "" if usable.encoding == "utf-8" else "+replaced"
            usable = Decoded(usable.text, encoding.removesuffix(replaced) + replaced)
        else:
            detail = f"the text is {_type_name(text)}, not a string; name another with --columns text=NAME"
            return _reject(place, RejectReason.WRONG_TYPE, detail, raw)
        if not usable.text or usable.text.isspace():
            return _reject(place, RejectReason.EMPTY, "the text is blank", raw)
        return usable

    def _missing_text(self, place: int, columns: Sequence[str], names: Sequence[str], raw: bytes) -> Reject:
        chosen = self._options.columns.get("text")
        if columns:
            detail = f"the text [{columns[0]}] is null"
        elif chosen is not None:
            detail = f"no column [{chosen}], which --columns names, among {describe(names)}"
        else:
            detail = f"no known text column among {describe(names)}; name it with --columns text=NAME"
        return _reject(place, RejectReason.MISSING_TEXT, detail, raw)


def _size(found: Found) -> tuple[int, int]:
    """How many records, and about how many characters."""
    if isinstance(found, pa.RecordBatch):
        return found.num_rows, found.column("text").nbytes
    return 1, len(found.text if isinstance(found, Record) else found.raw)


def _size_as_read(batch: pa.RecordBatch) -> tuple[int, int]:
    """Rows, and bytes that the batch keeps from being freed."""
    return batch.num_rows, batch.get_total_buffer_size()


def _rows_of(batches: Iterable[pa.RecordBatch], rows: range) -> Iterator[pa.RecordBatch]:
    """What the batches hold of ``rows``, which count from the first one's beginning; no batch behind them is read."""
    at = 0
    for batch in batches:
        after = at + batch.num_rows
        if rows.start < after:
            yield batch.slice(max(rows.start - at, 0), rows.stop - max(rows.start, at))
        at = after
        if rows.stop <= at:
            break


def _batched(several: Iterable[T], size_of: Callable[[T], tuple[int, int]]) -> Iterator[list[T]]:
    """The same in their order, as many at a time as a batch may hold; those read before an error come before it."""
    held: list[T] = []
    rows = characters = 0
    try:
        for each in several:
            more_rows, more_characters = size_of(each)
            if held and (rows + more_rows > BATCH_ROWS or characters + more_characters > BATCH_CHARACTERS):
                yield held
                held, rows, characters = [], 0, 0
            held.append(each)
            rows += more_rows
            characters += more_characters
    except files.DAMAGED:
        if held:
            yield held
        raise
    if held:
        yield held


# From values to a record.


def _stable_id(url: str | None, title: str | None, text: bytes | pa.Buffer) -> str:
    """16 hexadecimal digits: the same for the same article, whatever file it is in."""
    digest = hashlib.blake2b(f"{url or ''}\0{title or ''}\0".encode(), digest_size=8)
    digest.update(text)
    return digest.hexdigest()


def _source_of(source: str | None, url: str | None) -> str | None:
    """The source as given, failing that the host of the address."""
    return source or (_host(url) if url else None)


def _host(url: str) -> str | None:
    """``https://www.example.org:443/a`` → ``example.org``."""
    authority = _AUTHORITY.match(url)
    return authority[1].lower().removeprefix("www.") if authority else None


_SAYS_A_NUMBER: Final = re.compile("[1-9]")  # "n/a" and "0" are no dates that anybody gave
_AUTHORITY: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#@:]+)", re.IGNORECASE)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def _plain(value: Any) -> str | None:
    """A short field as one line of text; ``None`` for what says nothing."""
    if isinstance(value, str):
        if value.isprintable():
            return value.strip() or None
        return " ".join(_CONTROLS.sub(" ", well_formed(value).text).split()) or None
    if isinstance(value, bytes):
        return _plain(_decode_like(value, "utf-8"))
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


def _decode_like(raw: bytes, encoding: str) -> str:
    """A short field by the encoding of the text beside it, which tells more than a few words do."""
    for codec in ("utf-8", encoding.partition("+")[0]):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp1252", "replace")


def _type_name(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    names |= {str: "a string", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")


def _reject(place: int, reason: RejectReason, detail: str, raw: bytes) -> Reject:
    """``detail`` may quote the input, so it is made one line that UTF-8 can hold."""
    return Reject(place, reason, " ".join(well_formed(detail).text.split())[:1000], raw[:RAW_BYTES])


def _unreadable(place: int, detail: str, raw: bytes = b"") -> Reject:
    return _reject(place, RejectReason.UNREADABLE_FILE, detail, raw)


def _malformed(place: int, detail: str, raw: bytes) -> Reject:
    return _reject(place, RejectReason.MALFORMED, detail, raw)


def _too_large(place: int, detail: str, raw: bytes) -> Reject:
    return _reject(place, RejectReason.TOO_LARGE, detail, raw)


# From Arrow to Python values that cannot fail.

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def _unwrapped(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same without extension types and dictionaries."""
    if not any(isinstance(kind, (pa.BaseExtensionType, pa.DictionaryType)) for kind in batch.schema.types):
        return batch
    columns = [column.storage if isinstance(column, pa.ExtensionArray) else column for column in batch.columns]
    columns = [column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column for column in columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _odd_rows(texts: pa.Array, max_bytes: int) -> list[int]:
    """Rows that are null, blank or too large; all rows, where not each is a string in UTF-8 (Parquet promises none)."""
    every = list(range(len(texts)))
    if not isinstance(texts, (pa.StringArray, pa.LargeStringArray)):
        return every
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return every
    # Of most the first character tells that they are not blank.
    heads = pc.utf8_slice_codeunits(texts, 0, 1).to_pylist()
    sizes = pc.binary_length(texts).to_pylist()
    return [
        row
        for row, head, size in zip(every, heads, sizes, strict=True)
        if not head or size > max_bytes or (head.isspace() and texts[row].as_py().isspace())
    ]


def _values(column: pa.Array) -> list[Any]:
    """A column's values, times as ``datetime``; bytes where a string is not UTF-8, as Parquet allows."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        per_second = _PER_SECOND[kind.unit]
        return [None if n is None else from_epoch(n, per_second) for n in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_date(kind):
        days = column.cast(pa.date32()).cast(pa.int32()).to_pylist()
        return [None if n is None else from_epoch(n * 86_400, 1) for n in days]
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes() if hasattr(scalar, "as_buffer") else None
    except (ValueError, OverflowError):  # a time that Python has no type for
        return None
