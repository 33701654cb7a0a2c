"""Kinds of input files, and the parts that they are read in."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from transforms.files import is_uri


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
KNOWN_ENDINGS: Final = f"{' '.join(_FORMATS)}, and all but .parquet with {' '.join(_COMPRESSIONS)}"


@dataclasses.dataclass(frozen=True)
class FilePart:
    """A file, or the part of it between ``start`` and ``end``, which is -1 for the rest.

    They count bytes in uncompressed JSONL (a part owns the lines that begin in it) and rows in Parquet.
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
    """A larger text, line or row is rejected as too large and never held in memory whole."""


def file_name(uri: str) -> str:
    """Return the last name in a local path or URI.

    >>> file_name("s3://news/The%20Day.jsonl?region=eu-west-1")
    'The Day.jsonl'
    """
    return (unquote(urlsplit(uri).path) if is_uri(uri) else uri).rpartition("/")[2]


def kind_of(uri: str) -> tuple[Format | None, str | None]:
    """Return a file's format and compression by its name, ``None`` where there is none.

    >>> kind_of("s3://news/Day.JSONL.gz?region=eu-west-1"), kind_of("notes.docx")
    ((<Format.JSONL: 'jsonl'>, 'gzip'), (None, None))
    """
    name = file_name(uri).lower()
    compression = next((end for end in _COMPRESSIONS if name.endswith(end)), "")
    name = name.removesuffix(compression)
    found = next((kind for end, kind in _FORMATS.items() if name.endswith(end)), None)
    if found is None or (found is Format.PARQUET and compression):
        return None, None
    return found, _COMPRESSIONS.get(compression)
