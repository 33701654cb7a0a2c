import bz2
import csv
import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.build import read_split
from pipeline.formats import FilePart, Format, ReadOptions
from pipeline.readers import PartReader
from pipeline.sources import SourceError, plan
from transforms.records import Record
from transforms.text.reasons import RejectReason

STORIES = [
    {
        "id": f"story-{i}",
        "url": f"https://www.harbour-post.example/{i}",
        "source": "Harbour Post",
        "title": f"Ferry {i} sails again",
        "date": f"2024-03-{i % 28 + 1:02d}",
        "text": f"The ferry left the port at {i} o’clock.\n\n“We waited long enough”, said passenger {i}."
        + " More." * (i % 7),
    }
    for i in range(40)
]


def write_jsonl(path, rows=STORIES):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def read(inputs, **options):
    """All records of a plan, in order, without their places."""
    columns = options.pop("columns", {})
    given = inputs if isinstance(inputs, list) else [inputs]
    planned = plan([str(each) for each in given], columns, **options)
    assert [split.shard for split in planned.splits] == list(range(len(planned.splits)))
    return [
        record._replace(place=0)
        for split in planned.splits
        for part in split.parts
        for batch in PartReader(part, ReadOptions(columns=columns))
        for record in batch
    ]


def uris(planned):
    return [part.uri for split in planned.splits for part in split.parts]


@pytest.fixture
def folder(tmp_path):
    names = [
        "b.jsonl",
        "a.txt",
        "deep/er/c.csv",
        "deep/d.parquet",
        "deep/e.NDJSON.GZ",
        "deep/f.tsv.zst",
        "g.txt.bz2",
    ]
    hidden = [".hidden.txt", "_SUCCESS", "_staging/x.jsonl", ".git/y.txt"]
    for name in [*names, *hidden, "notes.docx", "deep/page.html", "README"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


# Which files


def test_a_folder_is_read_with_its_folders_sorted_without_hidden_and_unknown_files(folder):
    planned = plan([str(folder)])
    found = [uri.removeprefix(f"{folder}/") for uri in uris(planned)]
    expected = [
        "a.txt",
        "b.jsonl",
        "deep/d.parquet",
        "deep/e.NDJSON.GZ",
        "deep/er/c.csv",
        "deep/f.tsv.zst",
        "g.txt.bz2",
    ]
    assert found == expected
    assert planned.files == 7
    assert planned.ignored == {"": 1, ".docx": 1, ".html": 1}


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*.txt", ["a.txt"]),
        ("?.jsonl", ["b.jsonl"]),
        ("[ab].*", ["a.txt", "b.jsonl"]),
        ("[!a].*", ["b.jsonl", "g.txt.bz2"]),
        ("**/*.csv", ["deep/er/c.csv"]),
        ("**/e*", ["deep/e.NDJSON.GZ", "deep/er/c.csv"]),
        ("deep/*/*.csv", ["deep/er/c.csv"]),
        ("deep/**", ["deep/d.parquet", "deep/e.NDJSON.GZ", "deep/er/c.csv", "deep/f.tsv.zst"]),
        ("_staging/*", ["_staging/x.jsonl"]),
        (".*.txt", [".hidden.txt"]),
    ],
)
def test_globs(folder, monkeypatch, glob, expected):
    assert [uri.removeprefix(f"{folder}/") for uri in uris(plan([f"{folder}/{glob}"]))] == expected
    if "?" not in glob:  # which begins the query of a URI
        assert uris(plan([f"{folder.as_uri()}/{glob}"])) == [f"{folder.as_uri()}/{name}" for name in expected]
    monkeypatch.chdir(folder)
    assert uris(plan([f"./{glob}"])) == expected


def test_a_file_found_twice_is_read_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "deep" / "loop").symlink_to("..")
    (folder / "again.txt").symlink_to("a.txt")
    assert uris(plan(["a.txt", ".", "./a.txt", str(folder / "a.txt"), "*.txt"])).count("a.txt") == 1
    assert len(uris(plan(["."]))) == 7


def test_the_runs_own_folders_are_not_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "link").symlink_to("deep")
    for given in (".", "**", "deep/*"):
        found = uris(plan(["a.txt", given], own=("./deep/", str(folder / "nothing"), "")))
        assert found
        assert not any("deep/" in uri for uri in found)
    with pytest.raises(SourceError, match="no input files"):
        plan(["deep/d.parquet"], own=("deep",))
    (folder / "deeper.txt").write_text("x")
    assert "./deeper.txt" in uris(plan(["."], own=("deep",)))


def test_a_name_that_is_not_utf8_is_a_reject_and_not_the_end_of_the_run(tmp_path):
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")).write_text("x")
    Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9")).mkdir()
    (tmp_path / "good.txt").write_text("A good text.")
    planned = plan([str(tmp_path)])
    assert uris(planned) == [f"{tmp_path}/caf\\xe9", f"{tmp_path}/caf\\xe9.txt", f"{tmp_path}/good.txt"]
    (split,) = planned.splits
    records = [record for batch in read_split(split, ReadOptions()) for record in batch.records]
    assert [getattr(record, "reason", None) for record in records] == [RejectReason.UNREADABLE_FILE] * 2 + [None]
    with pytest.raises(SourceError, match="its name is not UTF-8; rename it"):
        plan([os.fsdecode(bytes(tmp_path) + b"/caf\xe9.txt")])


def test_a_name_that_looks_like_a_glob_is_a_name_first(tmp_path):
    (tmp_path / "[a].txt").write_text("x")
    assert uris(plan([f"{tmp_path}/[a].txt"])) == [f"{tmp_path}/[a].txt"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere.jsonl", r"\[nowhere.jsonl\] does not exist"),
        ("*.nothing", r"no file matches \[\*\.nothing\]"),
        ("notes.docx", r"\[notes.docx\] is of no known kind; known are \.txt"),
        ("empty", r"no input files in \[empty\]; known are"),
        ("only-html", r"no input files in \[only-html\], but \[1\] of other kinds; known are"),
        ("file:///data/?.jsonl", "cannot read the input .* as %3F"),
        ("gopher://example.org/x", "cannot read the input"),
    ],
)
def test_inputs_that_are_none(folder, monkeypatch, given, message):
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    (folder / "only-html").mkdir()
    (folder / "only-html" / "x.html").write_text("x")
    with pytest.raises(SourceError, match=message) as raised:
        plan([given])
    assert "\n" not in str(raised.value)


def test_no_input_at_all():
    with pytest.raises(SourceError, match="no input files"):
        plan([])


# Which splits


def test_small_files_share_a_split(tmp_path):
    for i in range(10):
        (tmp_path / f"{i}.txt").write_text("x" * 100)
    sizes = [len(split.parts) for split in plan([str(tmp_path)], target_bytes=350).splits]
    assert sizes == [3, 3, 3, 1]
    assert [len(split.parts) for split in plan([str(tmp_path)], max_files=4).splits] == [4, 4, 2]


@pytest.mark.parametrize("target_bytes", [*range(1, 60), 100, 333, 1000, 5000, 10**9])
def test_byte_ranges_read_what_the_whole_file_holds(tmp_path, target_bytes):
    lines = [b'{"id": "1", "text": "one"}', b"", b"broken", b'{"id": "4", "text": "f\xc3\xbcnf"}\r', b"  "]
    lines += [b'{"id": "6", "text": "six"}', b'{"id": "7", "text": "no newline at the end"}']
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    found, before = [], 0
    for split in plan([str(tmp_path)], target_bytes=target_bytes).splits:
        for part in split.parts:
            reader = PartReader(part, ReadOptions())
            found += [record._replace(place=record.place + before) for batch in reader for record in batch]
            before += reader.lines
    assert before == 7
    assert [getattr(record, "id", record[1]) for record in found] == ["1", "malformed", "4", "6", "7"]
    assert [record.place if isinstance(record, Record) else record[0] for record in found] == [1, 3, 4, 6, 7]


@pytest.mark.parametrize(
    ("group_rows", "within", "ends"),
    [
        (3, 10**6, {*range(3, 40, 3), 40}),
        (40, 10**6, {40}),
        (40, 1, {5, 10, 15, 20, 25, 30, 35, 40}),
        (39, 1, {4, 9, 14, 19, 24, 29, 34, 39, 40}),
    ],
)
def test_large_parquet_is_cut_between_row_groups_and_within_large_ones(tmp_path, monkeypatch, group_rows, within, ends):
    monkeypatch.setattr("pipeline.sources._MIN_GROUP_PART_BYTES", within)
    monkeypatch.setattr("pipeline.readers.BATCH_ROWS", 7)
    pq.write_table(pa.Table.from_pylist(STORIES), tmp_path / "x.parquet", row_group_size=group_rows)
    planned = plan([str(tmp_path)], target_bytes=900)
    ranges = [(part.start, part.end) for split in planned.splits for part in split.parts]
    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges[:-1])]
    assert {end for _, end in ranges} <= ends if len(ranges) > 1 else ranges == [(0, -1)]
    assert len(ranges) > 3 or ends == {40}
    sizes = [split.text_bytes for split in planned.splits]
    assert all(sizes)
    assert planned.text_bytes - len(sizes) < sum(sizes) <= planned.text_bytes
    places = [
        record.place
        for split in planned.splits
        for batch in PartReader(split.parts[0], ReadOptions())
        for record in batch
    ]
    assert places == list(range(1, 41))


def test_large_utf16_is_not_cut(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in STORIES).encode("utf-16"))
    assert [len(split.parts) for split in plan([str(path)], target_bytes=100).splits] == [1]
    assert [(record.id, record.text, record.encoding) for record in read(path, target_bytes=100)] == [
        (row["id"], row["text"], "utf-16") for row in STORIES
    ]


@pytest.mark.parametrize("target_bytes", [300, 2000, 10**9])
def test_every_format_gives_the_same_records(tmp_path, target_bytes):
    plain = write_jsonl(tmp_path / "x.jsonl")
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "x.ndjson.bz2").write_bytes(bz2.compress(plain.read_bytes()))
    (tmp_path / "x.jsonl.zst").write_bytes(pa.compress(plain.read_bytes(), "zstd", asbytes=True))
    (tmp_path / "escaped.jsonl").write_text("\r\n".join(map(json.dumps, STORIES)), "ascii")
    (tmp_path / "bom.jsonl").write_bytes(b"\xef\xbb\xbf" + plain.read_bytes())
    pq.write_table(pa.Table.from_pylist(STORIES), tmp_path / "x.parquet", row_group_size=7)
    for name, delimiter, encoding in [
        ("x.csv", ",", "utf-8"),
        ("semicolon.csv", ";", "utf-8-sig"),
        ("x.tsv", "\t", "utf-8"),
        ("wide.csv", ",", "utf-16"),
    ]:
        with (tmp_path / name).open("w", newline="", encoding=encoding) as file:
            writer = csv.DictWriter(file, list(STORIES[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(STORIES)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress((tmp_path / "x.csv").read_bytes()))
    expected = [
        Record(
            id=row["id"],
            url=row["url"],
            source=row["source"],
            title=row["title"],
            published=datetime.fromisoformat(row["date"]).replace(tzinfo=UTC),
            text=row["text"],
            encoding="utf-8",
            place=0,
        )
        for row in STORIES
    ]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 12
    for name in names:
        found = [record._replace(encoding="utf-8") for record in read(tmp_path / name, target_bytes=target_bytes)]
        assert found == expected, name


# --columns


def test_columns_may_be_named(tmp_path):
    rows = [{"guid": 7, "teaser": "Not this.", "story_text": "This one.", "text": "Nor this."}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    (record,) = read(tmp_path, columns={"text": "Story_Text"})
    assert (record.id, record.text) == ("7", "This one.")


def test_a_named_column_that_is_not_there(tmp_path):
    (tmp_path / "x.csv").write_text("headline,copy\na,b\n")
    message = r"--columns text=body: \[.*x\.csv\] has the columns \[headline, copy\]"
    with pytest.raises(SourceError, match=message):
        plan([str(tmp_path)], {"text": "body"})
    with pytest.raises(SourceError, match=r"no field \[txt\]; the fields are \[id, url"):
        plan([str(tmp_path)], {"txt": "copy"})


# What cannot be read


def test_unreadable_files_are_planned_and_rejected(tmp_path, monkeypatch):
    write_jsonl(tmp_path / "good.jsonl", STORIES[:2])
    (tmp_path / "broken.parquet").write_bytes(b"PAR1" + b"x" * 1000)
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "broken.jsonl.gz").write_bytes(b"no gzip at all")
    (tmp_path / "gone.txt").symlink_to("nowhere")
    for target_bytes in (10, 10**9):
        found = read(tmp_path, target_bytes=target_bytes)
        rejects = [record for record in found if not isinstance(record, Record)]
        assert [record.id for record in found if isinstance(record, Record)] == ["story-0", "story-1"]
        assert [str(reject.reason) for reject in rejects] == ["unreadable_file"] * len(rejects)
        assert len(rejects) in (3, 4)
        assert all(reject.detail and "\n" not in reject.detail for reject in rejects)


def test_a_file_that_vanished_is_one_reject(tmp_path):
    part = FilePart(str(tmp_path / "gone.jsonl"), Format.JSONL)
    ((reject,),) = PartReader(part, ReadOptions())
    assert reject == (0, "unreadable_file", "No such file or directory", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_one_reject(tmp_path):
    write_jsonl(tmp_path / "good.jsonl", STORIES[:1])
    (tmp_path / "closed").mkdir(mode=0)
    records = read(tmp_path)
    assert [str(record[1]) for record in records] == ["unreadable_file", STORIES[0]["url"]]
