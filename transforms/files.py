"""The one place that opens files: local paths and URIs alike, through ``pyarrow.fs``."""

import contextlib
import functools
import io
import os
import posixpath
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from transforms.errors import RunFailedError

# A group is what a writer holds, and a reader decompresses at once.
ROW_GROUP_ROWS: Final = 10_000
QUICK_GROUP_ROWS: Final = 1_000
ROW_GROUP_BYTES: Final = 16 * 1024 * 1024

# Level 1 makes 97 MB of the 235 MB of AllSides in 0.8 s, level 3 83 MB in 1.3 s, level 6 77 MB in 3.3 s.
ZSTD_LEVEL: Final = 1

# Columns of few values, in all our schemas. Others are nearly unique, where a dictionary costs time and
# saves nothing.
_DICTIONARY_COLUMNS: Final = ("source", "encoding", "uri", "kind", "rule", "reason", "relation")
READ_ROWS: Final = 250

# The wait between attempts doubles from 25 ms to 6 s, and starts anew with each try: a store that is away has 50 s to
# come back. Arrow's own default is three attempts within a second. Tries are for what the AWS SDK does not attempt
# again by itself, such as an answer that breaks off within the first bytes.
STORE_ATTEMPTS: Final = 10
_STORE_TRIES: Final = 4
_CONNECT_SECONDS: Final = 10
_SILENT_SECONDS: Final = 20  # without a byte; S3 can take long to put a large object's parts together
# A request costs some 30 ms however little it brings; decompression alone would ask for 64 KiB at a time.
_READ_AHEAD_BYTES: Final = 1024 * 1024
_COPIED_BYTES: Final = 8 * 1024 * 1024
_SYNCED_AT_ONCE: Final = 8  # a disk writes out several files in hardly more time than one
_S3_OPTIONS: Final = ("region", "scheme", "endpoint_override")
_STORE_FAILURE: Final = re.compile(r"AWS Error|google::cloud::")
_OBJECT_STORES: Final = (fs.S3FileSystem, fs.GcsFileSystem)
_USER_INFO: Final = re.compile(r"//[^/?#]*@")


T = TypeVar("T")

DAMAGED: Final = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What pyarrow raises over a file that cannot be read; the last where a damaged Parquet footer garbles names."""


class FileError(OSError):
    """A file cannot be read or written; one line with its URI and the reason."""

    def __init__(self, uri: str, reason: object) -> None:
        self.uri = _USER_INFO.sub("//", uri)
        self.reason = " ".join(str(reason).split())
        super().__init__(f"[{self.uri}]: {self.reason}")

    def __reduce__(self) -> tuple[type["FileError"], tuple[str, str]]:
        return FileError, (self.uri, self.reason)


class FileStats(NamedTuple):
    """What a Parquet file holds."""

    rows: int
    bytes: int


class Entry(NamedTuple):
    """One name in a folder."""

    uri: str
    size: int
    is_folder: bool
    modified_ns: int = 0
    """Since 1970; 0 where it is not known."""


def is_local(uri: str) -> bool:
    """Whether the file is on this machine's file system."""
    return isinstance(resolve(uri)[0], fs.LocalFileSystem)


def is_uri(path: str) -> bool:
    """Say whether ``path`` has a scheme.

    >>> is_uri("s3://news/day.jsonl"), is_uri("news/day.jsonl")
    (True, False)
    """
    return "://" in path


def resolve(uri: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of a local path or URI, and the path there.

    Raises:
        FileError: the URI has an unknown scheme, is malformed or holds credentials; a name is not UTF-8.
    """
    if not uri.isascii():
        _check_utf8(uri)
    if not is_uri(uri):
        return _local(), str(Path(uri).absolute())
    parts = urlsplit(uri)
    if parts.fragment or (parts.query and parts.scheme == "file"):
        raise FileError(uri, "in a URI, write [?] and [#] of a name as %3F and %23")
    if "@" in parts.netloc and not parts.netloc.startswith("anonymous@"):
        raise FileError(uri, "a URI is shown and written down, so it must hold no credentials: set AWS_ACCESS_KEY_ID …")
    if parts.scheme == "file":
        return _local(), unquote(parts.path)
    with errors_of(uri):
        file_system, root = _remote(os.getpid(), parts.scheme, parts.netloc, parts.query)
    return file_system, posixpath.join(root, unquote(parts.path).lstrip("/"))


def _check_utf8(uri: str) -> None:
    try:
        uri.encode()
    except UnicodeEncodeError:  # Python gives the bytes of such a name as surrogates
        raise FileError(uri, "its name is not UTF-8; rename it") from None


@functools.cache
def _local() -> fs.FileSystem:
    return fs.LocalFileSystem()


# Making one asks S3 for the bucket's region: once a process, not once a file. By process, because what a fork took
# over shares its connections with the parent's.
@functools.cache
def _remote(_process: int, scheme: str, netloc: str, query: str) -> tuple[fs.FileSystem, str]:
    if scheme == "s3":
        return _s3(netloc, dict(parse_qsl(query))), netloc
    if scheme in ("gs", "gcs") and "retry_limit_seconds" not in query:
        query = "&".join(filter(None, (query, "retry_limit_seconds=60")))
    file_system, root = fs.FileSystem.from_uri(_uri(scheme, netloc, "/", query))
    return file_system, root


def _s3(bucket: str, options: dict[str, str]) -> fs.FileSystem:
    """What ``from_uri`` makes, but patient; credentials come from where the AWS SDK looks for them."""
    if unknown := options.keys() - set(_S3_OPTIONS):
        raise OSError(f"an S3 URI has no option [{min(unknown)}]; there are {', '.join(_S3_OPTIONS)}")
    environment = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    endpoint = options.get("endpoint_override") or environment
    region = options.get("region") or (None if endpoint else fs.resolve_s3_region(bucket))
    return fs.S3FileSystem(
        endpoint_override=endpoint,
        scheme=options.get("scheme"),
        region=region,
        retry_strategy=fs.AwsDefaultS3RetryStrategy(max_attempts=STORE_ATTEMPTS),
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_SILENT_SECONDS,
        allow_delayed_open=True,  # a small object is one request, not three
    )


def _uri(scheme: str, netloc: str, path: str, query: str) -> str:
    return f"{scheme}://{netloc}{path}" + (f"?{query}" if query else "")


@contextlib.contextmanager
def errors_of(uri: str) -> Iterator[None]:
    """What pyarrow and the system raise inside the block becomes a ``FileError`` of ``uri``.

    Raises:
        RunFailedError: an object store refused, or did not answer however often it was asked. That says nothing of the
            file, so nobody may take it for a damaged one.
    """
    try:
        yield
    except FileError:
        raise
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise FileError(uri, os.strerror(error.errno)) from error
        failure = FileError(uri, error)
        if _STORE_FAILURE.search(failure.reason):
            raise RunFailedError(f"{failure}; run the same again: what is cleaned is kept") from error
        raise failure from error


def _try(uri: str, operation: Callable[[], T]) -> T:
    """Do something that does no harm when it is done again, until the store lets it."""
    for _ in range(_STORE_TRIES - 1):
        with contextlib.suppress(RunFailedError), errors_of(uri):
            return operation()
    with errors_of(uri):
        return operation()


def join(uri: str, *names: str) -> str:
    """Append names to a local path or URI.

    >>> join("out", "articles", "part-00000.parquet"), join("s3://news/day?region=eu-west-1", "a b.txt")
    ('out/articles/part-00000.parquet', 's3://news/day/a%20b.txt?region=eu-west-1')
    """
    if not is_uri(uri):
        return posixpath.join(uri, *names)
    parts = urlsplit(uri)
    return _uri(parts.scheme, parts.netloc, posixpath.join(parts.path or "/", *map(quote, names)), parts.query)


def info(uri: str) -> fs.FileInfo:
    """Return type and size of what is at ``uri``; its type is ``NotFound`` where there is nothing."""
    file_system, path = resolve(uri)
    return _try(uri, lambda: file_system.get_file_info(path))


def exists(uri: str) -> bool:
    """Say whether a file or folder is at ``uri``."""
    return bool(info(uri).type != fs.FileType.NotFound)


def list_dir(uri: str) -> list[Entry]:
    """Return what a folder holds, not what its folders hold, sorted by URI."""
    file_system, path = resolve(uri)
    infos = _try(uri, lambda: file_system.get_file_info(fs.FileSelector(path)))
    return sorted(_entry(uri, found) for found in infos)


def _entry(folder: str, found: fs.FileInfo) -> Entry:
    is_folder = found.type == fs.FileType.Directory
    try:
        return Entry(join(folder, found.base_name), found.size or 0, is_folder, found.mtime_ns or 0)
    except UnicodeDecodeError as error:  # Arrow opens nothing of such a name, so one that shows its bytes will do
        return Entry(join(folder, bytes(error.object).decode("utf-8", "backslashreplace")), 0, is_folder)


def list_names(uri: str) -> list[str]:
    """Return the names in a folder, sorted; none where there is no folder."""
    file_system, path = resolve(uri)
    found = _try(uri, lambda: file_system.get_file_info(fs.FileSelector(path, allow_not_found=True)))
    return sorted(entry.base_name for entry in found)


def open_input(uri: str) -> pa.NativeFile:
    """Open a file for reading at any place; the caller closes it."""
    file_system, path = resolve(uri)
    if isinstance(file_system, fs.LocalFileSystem):
        with errors_of(uri):
            return file_system.open_input_file(path)
    return _try(uri, lambda: _open_in_store(uri, file_system, path))


def _open_in_store(uri: str, file_system: fs.FileSystem, path: str) -> pa.NativeFile:
    file = file_system.open_input_file(path)
    if file.size() <= _READ_AHEAD_BYTES:
        with file:
            return pa.BufferReader(file.read())
    return pa.PythonFile(io.BufferedReader(_StoreFile(uri, file), _READ_AHEAD_BYTES), "r")


class _StoreFile(io.RawIOBase):
    """A file of a store; whatever reads it, what the store does wrong is not taken for damage (``errors_of``)."""

    def __init__(self, uri: str, file: pa.NativeFile) -> None:
        self._uri = uri
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        start = self.tell()
        return _try(self._uri, lambda: self._read_at(start, buffer))

    def _read_at(self, start: int, buffer: Any) -> int:
        self.seek(start)
        return int(self._file.readinto(buffer))

    def close(self) -> None:
        self._file.close()
        super().close()


def read_bytes(uri: str) -> bytes:
    """Return a whole file."""
    with open_input(uri) as file, errors_of(uri):
        return bytes(file.read())


def write_bytes(uri: str, data: bytes) -> None:
    """Write a file that appears whole or not at all; folders are made, a file of that name is replaced."""
    with replacing(uri) as path, errors_of(uri):
        Path(path).write_bytes(data)


@contextlib.contextmanager
def replacing(uri: str) -> Iterator[str]:
    """Give a local path to write to; when the block ends without an exception, the file stands at ``uri``.

    On a local file system the path is a hidden sibling that is renamed. For an object store it is a
    temporary file that is copied: an object appears when its stream is closed, even after an exception, so
    it must not be written bit by bit. With an exception, or when nothing was written to the path, nothing
    changes at ``uri``.
    """
    file_system, path = resolve(uri)
    is_local = isinstance(file_system, fs.LocalFileSystem)
    folder = Path(path).parent if is_local else Path(tempfile.gettempdir())
    with errors_of(uri):
        folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{posixpath.basename(path)}.{uuid.uuid4().hex}.tmp"
    try:
        yield str(temporary)
        with errors_of(uri):
            if is_local and temporary.exists():
                temporary.replace(path)
            elif temporary.exists():
                if not isinstance(file_system, _OBJECT_STORES):  # which have names with slashes, and no folders
                    file_system.create_dir(posixpath.dirname(path))
                _try(uri, lambda: _copy(_local(), str(temporary), file_system, path))
    finally:
        temporary.unlink(missing_ok=True)


def make_durable(*uris: str) -> None:
    """Return when files would outlive a power cut; an object store has seen to that itself."""
    with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
        list(pool.map(_sync, uris))


def _sync(uri: str) -> None:
    file_system, path = resolve(uri)
    if isinstance(file_system, fs.LocalFileSystem):
        with errors_of(uri), Path(path).open("rb") as file:
            os.fsync(file.fileno())


def copy_file(source: str, target: str) -> None:
    """Copy a file; the copy appears whole or not at all."""
    file_system, path = resolve(source)
    with replacing(target) as local:
        _try(source, lambda: _copy(file_system, path, _local(), local))


def _copy(source: fs.FileSystem, path: str, target: fs.FileSystem, path_there: str) -> None:
    """What ``fs.copy_files`` does, but that drops the errors of closing, when an object store is written to."""
    with source.open_input_stream(path) as reader, target.open_output_stream(path_there) as writer:
        while piece := reader.read(_COPIED_BYTES):
            writer.write(piece)


def remove_tree(uri: str) -> None:
    """Remove a folder with all it holds, or a file; nothing there is no error."""
    file_system, path = resolve(uri)
    _try(uri, lambda: _remove(file_system, path))


def _remove(file_system: fs.FileSystem, path: str) -> None:
    kind = file_system.get_file_info(path).type
    if kind == fs.FileType.Directory:
        file_system.delete_dir(path)
    elif kind != fs.FileType.NotFound:
        file_system.delete_file(path)


@contextlib.contextmanager
def open_parquet(uri: str, *, mapped: bool = False) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; what goes wrong inside the block is a ``FileError`` of ``uri``.

    ``mapped`` is for what a run wrote, and nobody changes: of a local file of some size, not compressed, it spares
    three quarters of reading. Of small ones it would cost more than it spares.
    """
    file_system, path = resolve(uri)
    if mapped and isinstance(file_system, fs.LocalFileSystem):
        with errors_of(uri), pa.memory_map(path) as file:
            yield pq.ParquetFile(file)
    else:
        with open_input(uri) as file, errors_of(uri):
            yield pq.ParquetFile(file)


def read_parquet(
    uri: str, columns: Sequence[str] | None = None, batch_rows: int = READ_ROWS
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file that a run wrote in batches of up to ``batch_rows``."""
    with open_parquet(uri, mapped=True) as parquet:
        wanted = list(columns) if columns is not None else None
        yield from parquet.iter_batches(batch_rows, columns=wanted, use_threads=False)  # Beam owns the parallelism


def read_rows(
    uri: str, rows: npt.NDArray[np.integer[Any]], columns: Sequence[str]
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the batches in which one of ``rows`` stands (ascending, from 0), each with the row that it starts at.

    Groups without any of the rows are not read.
    """
    first = 0
    with open_parquet(uri, mapped=True) as parquet:
        for group in range(parquet.num_row_groups):
            after = first + parquet.metadata.row_group(group).num_rows
            if np.searchsorted(rows, first) == np.searchsorted(rows, after):
                first = after
                continue
            for batch in parquet.iter_batches(READ_ROWS, [group], list(columns), use_threads=False):
                yield first, batch
                first += batch.num_rows


def write_parquet(uri: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> FileStats:
    """Write a Parquet file, streaming; the same batches give the same bytes."""
    with ParquetSink(uri, schema) as sink:
        for batch in batches:
            sink.write(batch)
    assert sink.stats is not None
    return sink.stats


class ParquetSink:
    """A Parquet file that appears when the ``with`` block ends without an exception.

    Its groups hold whole batches: 10,000 rows or about 16 MiB. The same batches give the same bytes.
    ``stats`` is known after the block; with ``skip_empty`` it stays ``None`` where there were no rows, and
    no file is written. With ``quick``, for what is read again soon and then thrown away, groups have 1,000 rows,
    and nothing is compressed but on its way to an object store.

    Raises:
        FileError: the folder cannot be written to, or a batch has another schema.
    """

    stats: FileStats | None = None

    def __init__(self, uri: str, schema: pa.Schema, *, skip_empty: bool = False, quick: bool = False) -> None:
        self._uri = uri
        self._schema = schema
        self._skip_empty = skip_empty
        self._group_rows = QUICK_GROUP_ROWS if quick else ROW_GROUP_ROWS
        self._compression = "none" if quick and is_local(uri) else "zstd"
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = self._pending_bytes = self._rows = 0
        self._files = contextlib.ExitStack()
        self._path = ""
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        self._path = self._files.enter_context(replacing(self._uri))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._files.__exit__(kind, error, traceback)
            return
        with self._files:
            if self._pending or not self._skip_empty:
                self._write_group()
            if self._writer is not None:
                with errors_of(self._uri):
                    self._writer.close()
                self.stats = FileStats(self._rows, Path(self._path).stat().st_size)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        if not batch.num_rows:
            return
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        if self._pending_rows >= self._group_rows or self._pending_bytes >= ROW_GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        with errors_of(self._uri):
            if self._writer is None:
                dictionary = [name for name in _DICTIONARY_COLUMNS if name in self._schema.names]
                self._writer = self._files.enter_context(
                    pq.ParquetWriter(
                        self._path,
                        self._schema,
                        compression=self._compression,
                        compression_level=ZSTD_LEVEL if self._compression == "zstd" else None,
                        use_dictionary=dictionary or False,
                    )
                )
            if self._pending:
                table = pa.Table.from_batches(self._pending, self._schema)
                self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._rows += self._pending_rows
        self._pending = []
        self._pending_rows = self._pending_bytes = 0
