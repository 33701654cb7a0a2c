import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.object_store import QUICK_KINDS, object_store
from transforms import files
from transforms.errors import RunFailedError

SCHEMA = pa.schema([("id", pa.string()), ("source", pa.string()), ("text", pa.large_string())])


def batch(first, count):
    ids = [f"a{i}" for i in range(first, first + count)]
    return pa.record_batch([ids, ["example.org"] * count, [f"Text of {i}. " * 20 for i in ids]], schema=SCHEMA)


@pytest.fixture(scope="module")
def shared_store():
    pytest.importorskip("moto", reason="moto, the S3 server of the tests, is not installed")
    with object_store() as store:
        yield store


@pytest.fixture
def store(shared_store, monkeypatch):
    """An S3 server, and the environment that leads to it; some requests fail if the test sets ``faults``."""
    for name, value in shared_store.environment.items():
        monkeypatch.setenv(name, value)
    files._remote.cache_clear()
    yield shared_store
    shared_store.forget()
    files._remote.cache_clear()
    files.remove_tree("s3://news/folder")


@pytest.fixture(params=["local", "file", "mock", "s3"])
def folder(request, tmp_path):
    if request.param == "s3":
        store = request.getfixturevalue("store")
        store.faults, store.kinds = 0.2, QUICK_KINDS
    files._remote.cache_clear()  # what Arrow's in-memory file system holds is gone
    local = {"local": str(tmp_path), "file": tmp_path.as_uri(), "mock": "mock:///bucket"}
    return local.get(request.param, "s3://news/folder")


def test_what_is_written_is_there(folder):
    uri = files.join(folder, "a b", "ü.txt")
    assert not files.exists(uri)
    files.write_bytes(uri, b"one")
    files.write_bytes(uri, b"two")
    assert files.read_bytes(uri) == b"two"
    assert files.info(uri).size == 3
    assert [entry.is_folder for entry in files.list_dir(folder)] == [True]
    (entry,) = files.list_dir(files.join(folder, "a b"))
    assert entry == files.Entry(uri, 3, False, files.info(uri).mtime_ns)


def test_copy_and_remove(folder):
    first, second = files.join(folder, "x", "1"), files.join(folder, "y", "2")
    files.write_bytes(first, b"one")
    files.copy_file(first, second)
    assert files.read_bytes(second) == b"one"
    files.remove_tree(files.join(folder, "x"))
    files.remove_tree(files.join(folder, "x"))
    assert not files.exists(first)
    files.remove_tree(second)
    assert not files.exists(second)


def test_an_exception_leaves_the_old_file_and_no_other(folder):
    uri = files.join(folder, "x.parquet")
    files.write_bytes(uri, b"old")

    def batches():
        yield batch(0, files.ROW_GROUP_ROWS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        files.write_parquet(uri, SCHEMA, batches())
    with pytest.raises(files.FileError, match=r"x\.parquet"):
        files.write_parquet(uri, SCHEMA, [pa.record_batch({"other": [1]})])
    assert files.read_bytes(uri) == b"old"
    assert [entry.uri for entry in files.list_dir(folder)] == [uri]


def test_parquet(folder):
    uri = files.join(folder, "x.parquet")
    stats = files.write_parquet(uri, SCHEMA, [batch(0, 600), batch(600, 0), batch(600, 400)])
    assert stats == (1000, files.info(uri).size)
    read = pa.Table.from_batches(files.read_parquet(uri))
    assert read == pa.Table.from_batches([batch(0, 1000)])
    (ids,) = {tuple(found.schema.names) for found in files.read_parquet(uri, ["id"])}
    assert ids == ("id",)


def test_parquet_is_deterministic_and_in_groups(tmp_path):
    batches = [batch(first, 1000) for first in range(0, 25_000, 1000)]
    first, second = str(tmp_path / "1.parquet"), str(tmp_path / "2.parquet")
    files.write_parquet(first, SCHEMA, batches)
    files.write_parquet(second, SCHEMA, batches)
    assert files.read_bytes(first) == files.read_bytes(second)
    metadata = pq.read_metadata(first)
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [10_000, 10_000, 5_000]
    assert metadata.row_group(0).column(2).compression == "ZSTD"
    assert "RLE_DICTIONARY" in metadata.row_group(0).column(1).encodings
    assert "RLE_DICTIONARY" not in metadata.row_group(0).column(2).encodings


def test_no_rows(tmp_path):
    uri = str(tmp_path / "x.parquet")
    with files.ParquetSink(uri, SCHEMA, skip_empty=True) as sink:
        sink.write(batch(0, 0))
    assert sink.stats is None
    assert not files.exists(uri)
    assert files.write_parquet(uri, SCHEMA, []).rows == 0
    assert pq.read_schema(uri) == SCHEMA


@pytest.mark.parametrize(
    "failing",
    [
        lambda folder: files.read_bytes(f"{folder}/nothing.txt"),
        lambda folder: files.read_bytes(folder),
        lambda folder: files.list_dir(f"{folder}/nothing"),
        lambda folder: files.write_bytes(f"{folder}/file/below.txt", b""),
        lambda folder: list(files.read_parquet(f"{folder}/file")),
        lambda folder: files.resolve("gopher://example.org/x"),
    ],
)
def test_errors_are_one_line_with_the_file(tmp_path, failing):
    (tmp_path / "file").write_bytes(b"no parquet")
    with pytest.raises(files.FileError, match=r"^\[[^\n]+\]: [^\n]+$") as raised:
        failing(str(tmp_path))
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_join_keeps_the_query_of_a_uri():
    assert files.join("s3://news/day?region=eu-west-1", "a.txt") == "s3://news/day/a.txt?region=eu-west-1"
    assert files.join("s3://news", "a.txt") == "s3://news/a.txt"


@pytest.mark.parametrize("kind", ["time-out", "truncated"])
def test_a_store_that_stalls_or_cuts_what_it_sends_is_asked_again(store, monkeypatch, kind):
    monkeypatch.setattr(files, "_SILENT_SECONDS", 1)
    files._remote.cache_clear()
    content = b"0123456789abcdef" * 150_000
    files.write_bytes("s3://news/folder/x", content)
    store.faults, store.kinds = 0.5, (kind,)
    with files.open_input("s3://news/folder/x") as file:
        pieces = list(iter(lambda: file.read(400_000), b""))
    assert b"".join(pieces) == content
    assert store.made[kind]


def test_a_store_that_does_not_answer_fails_the_run_and_is_no_damaged_file(store, monkeypatch):
    monkeypatch.setattr(files, "STORE_ATTEMPTS", 2)
    files._remote.cache_clear()
    large = "s3://news/folder/large"
    files.write_bytes(large, bytes(2_000_000))
    with files.open_input(large) as file:
        file.read(1)
        store.kinds = ("503",)
        store.faults = 1.0
        for doing in (
            file.read,
            lambda: files.exists("s3://news/folder/x"),
            lambda: files.list_dir("s3://news/folder"),
            lambda: files.open_input(large),
            lambda: files.write_bytes("s3://news/folder/x", b"x"),
        ):
            with pytest.raises(RunFailedError, match=r"^\[s3://news/folder[^\n]+the same again"):
                doing()


def test_an_object_that_is_not_there_is_a_file_error(store):
    with pytest.raises(files.FileError, match=r"nothing\.txt\]: No such file"):
        files.open_input("s3://news/folder/nothing.txt")
    assert files.list_names("s3://news/folder/nothing") == []


def test_credentials_are_neither_taken_from_a_uri_nor_shown():
    with pytest.raises(files.FileError, match="AWS_ACCESS_KEY_ID") as raised:
        files.read_bytes("s3://an-access-key:a-secret-key@news/x.txt")
    assert raised.value.uri == "s3://news/x.txt"
    assert "a-secret-key" not in str(raised.value)
    with pytest.raises(files.FileError, match=r"no option \[secret_key\]"):
        files.read_bytes("s3://news/x.txt?secret_key=1")
