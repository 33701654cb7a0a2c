import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline import readers
from pipeline.formats import FilePart, Format, ReadOptions, kind_of
from pipeline.readers import PartReader
from transforms.records import Record, Reject

LONG_LIMIT = 2000


def read(path, **options):
    kind, _ = kind_of(str(path))
    batches = list(PartReader(FilePart(str(path), kind), ReadOptions(**options)))
    assert all(batches)
    return [record for batch in batches for record in batch]


def read_bytes(tmp_path, name, content, **options):
    path = tmp_path / name
    path.write_bytes(content)
    return read(path, **options)


def outcomes(records):
    """``(place, text)`` of records and ``(place, reason)`` of rejects."""
    return [(r.place, r.text if isinstance(r, Record) else str(r.reason)) for r in records]


def line(**fields):
    return json.dumps(fields).encode() + b"\n"


# JSONL


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (b'{"text": "cut', "malformed", "not JSON: Unterminated string starting at at character [10]"),
        (b"[1, 2]", "malformed", "a JSON object is expected, not a list"),
        (b'"text"', "malformed", "a JSON object is expected, not a string"),
        (b"null", "malformed", "a JSON object is expected, not null"),
        (b'{"text": "a"} {"text": "b"}', "malformed", "not JSON: Extra data at character [15]"),
        (b'{"text": ' + b"[" * 100_000 + b"}", "malformed", "not usable JSON: nested too deeply"),
        (
            b'{"text": "a", "n": ' + b"9" * 5000 + b"}",
            "malformed",
            "not usable JSON: a number has thousands of digits",
        ),
        (b"\0\0\0", "malformed", "not JSON: Expecting value at character [1]"),
        (
            b'{"headline": "a"}',
            "missing_text",
            "no known text column among [headline]; name it with --columns text=NAME",
        ),
        (b"{}", "missing_text", "no known text column among []; name it with --columns text=NAME"),
        (
            b'{"a\\n\\ud800": 1}',
            "missing_text",
            "no known text column among [a \ufffd]; name it with --columns text=NAME",
        ),
        (b'{"body": null}', "missing_text", "the text [body] is null"),
        (
            b'{"text": 12}',
            "wrong_type",
            "the text is a number, not a string; name another with --columns text=NAME",
        ),
        (
            b'{"text": ["a"]}',
            "wrong_type",
            "the text is a list, not a string; name another with --columns text=NAME",
        ),
        (
            b'{"text": {"a": 1}}',
            "wrong_type",
            "the text is an object, not a string; name another with --columns text=NAME",
        ),
        (
            b'{"text": true}',
            "wrong_type",
            "the text is true or false, not a string; name another with --columns text=NAME",
        ),
        (b'{"text": ""}', "empty", "the text is blank"),
        (b'{"text": " \\n\\u00a0"}', "empty", "the text is blank"),
        (
            bytes(range(1, 9)) + b"\xff\xfe\xfd",
            "undecodable",
            "binary, not text: [8] of [11] bytes are control characters",
        ),
    ],
)
def test_a_bad_line_is_one_reject_and_costs_no_other(tmp_path, bad, reason, detail):
    records = read_bytes(tmp_path, "x.jsonl", line(text="one") + bad + b"\n" + line(text="three"))
    assert outcomes(records) == [(1, "one"), (2, reason), (3, "three")]
    assert records[1] == (2, reason, detail, bad[:65536])


def test_lines_that_are_unusual_but_fine(tmp_path):
    records = read_bytes(
        tmp_path,
        "x.jsonl",
        b'\xef\xbb\xbf{"text": "mark"}\r\n\n  \n'
        + b'{"text": "raw\ttab and \0 nul"}\n'
        + b'{"text": "\\ud83d\\ude00 \\ud83d", "title": "\\udc00x\\r"}\n'
        + '{"text": "Café à la crème, déjà vu"}\n'.encode("cp1252")
        + '{"text": "“Übung”, '.encode()
        + b'caf\xe9"}\n'
        + b'{"text": "no newline"}',
    )
    assert [(r.place, r.text, r.encoding) for r in records] == [
        (1, "mark", "utf-8"),
        (4, "raw\ttab and \0 nul", "utf-8"),
        (5, "😀 \ufffd", "utf-8+replaced"),
        (6, "Café à la crème, déjà vu", "windows-1252"),
        (7, "“Übung”, café", "utf-8+windows-1252"),
        (8, "no newline", "utf-8"),
    ]
    assert records[2].title == "\ufffdx"


@pytest.mark.parametrize("size", [LONG_LIMIT, 70_000, 3_000_000])
@pytest.mark.parametrize("ending", ["jsonl", "csv", "txt"])
def test_a_text_over_the_limit_is_too_large(tmp_path, ending, size):
    text = b"long\n " * (size // 6 + 1)
    if ending == "txt":
        (reject,) = read_bytes(tmp_path, "x.txt", text, max_article_bytes=LONG_LIMIT)
        assert (reject.place, reject.reason) == (0, "too_large")
    else:
        content = {
            "jsonl": line(text="one") + line(text=text.decode()) + line(text="three"),
            "csv": b'text\none\n"' + text + b'"\nthree\n',
        }
        records = read_bytes(tmp_path, f"x.{ending}", content[ending], max_article_bytes=LONG_LIMIT)
        assert [outcome for _, outcome in outcomes(records)] == ["one", "too_large", "three"]
        reject = records[1]
    assert f"over the limit of [{LONG_LIMIT}]" in reject.detail
    assert 0 < len(reject.raw) <= 65536


def test_a_long_line_is_not_held_in_memory(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "' + b"x" * 200_000_000 + b'"}\n' + line(text="two"), 1))
    before = pa.total_allocated_bytes()
    assert outcomes(read(path, max_article_bytes=100_000)) == [(1, "too_large"), (2, "two")]
    assert pa.total_allocated_bytes() - before < 10_000_000


# Truncated and corrupt streams


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", lambda content: bz2.compress(content, 1)),
        ("zst", lambda content: pa.compress(content, "zstd", asbytes=True)),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_truncated_stream_keeps_the_records_before(tmp_path, ending, compress, kind):
    count = 30_000
    texts = [f"Story {i}: {i * 7919 % 10007} boats left port {i * 104729 % 9973}." for i in range(count)]
    rows = (
        [line(text=text) for text in texts]
        if kind == "jsonl"
        else [b"text\n", *(f"{text}\n".encode() for text in texts)]
    )
    whole = compress(b"".join(rows))
    records = read_bytes(tmp_path, f"x.{kind}.{ending}", whole[: len(whole) * 2 // 3])
    *kept, reject = records
    assert [record.text for record in kept] == texts[: len(kept)]
    assert count // 10 < len(kept) < count
    last = kept[-1].place
    assert (reject.place, reject.reason) == (last + 1, "unreadable_file")
    assert reject.detail.endswith(f"after line [{last}]")
    assert "runcated" in reject.detail


def test_garbage_after_a_gzip_costs_no_record(tmp_path):
    records = read_bytes(tmp_path, "x.jsonl.gz", gzip.compress(line(text="one") + line(text="two")) + b"garbage")
    assert outcomes(records) == [(1, "one"), (2, "two"), (3, "unreadable_file")]


def test_gzips_may_follow_each_other(tmp_path):
    content = gzip.compress(line(text="one")) + gzip.compress(line(text="two"))
    assert outcomes(read_bytes(tmp_path, "x.jsonl.gz", content)) == [(1, "one"), (2, "two")]


# Text


def test_a_text_file_is_one_article_with_its_headline(tmp_path):
    text = "Bridge Reopens After Storm\n\nThe bridge over the Alder opened on Friday, the council said.\n"
    (record,) = read_bytes(tmp_path, "x.txt", text.encode("utf-16"))
    assert (record.title, record.text, record.encoding, record.place) == (
        "Bridge Reopens After Storm",
        text,
        "utf-16",
        0,
    )
    assert (record.url, record.source, record.published) == (None, None, None)
    assert len(record.id) == 16


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\0" * 5000, "undecodable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(999), "undecodable"),
    ],
)
def test_a_text_file_that_is_no_article(tmp_path, content, reason):
    (reject,) = read_bytes(tmp_path, "x.txt", content)
    assert (reject.place, reject.reason) == (0, reason)


def test_a_truncated_text_is_no_article(tmp_path):
    content = gzip.compress(b"The bridge opened on Friday. " * 1000)
    (reject,) = read_bytes(tmp_path, "x.txt.gz", content[:-20])
    assert (reject.reason, reject.raw[:10]) == ("unreadable_file", b"The bridge")


# CSV


def test_csv_rows_and_what_may_be_wrong_with_them(tmp_path):
    records = read_bytes(
        tmp_path,
        "x.csv",
        b"\xef\xbb\xbf"
        + "Title,Body,Link\r\n"
        '"A, b","First paragraph.\n\nHe said ""no"".",https://www.One.example:443/x\r\n'
        "\r\n"
        "too,few\r\n"
        "one,too,many,fields\r\n"
        "T,,u\r\n"
        "T,\0nul,u\r\n"
        "Straße,bare,\r\n".encode(),
    )
    assert outcomes(records) == [
        (2, 'First paragraph.\n\nHe said "no".'),
        (6, "malformed"),
        (7, "malformed"),
        (8, "empty"),
        (9, "\0nul"),
        (10, "bare"),
    ]
    assert (records[0].title, records[0].source) == ("A, b", "one.example")
    assert records[1].detail == "[2] fields, but the header names [3]"
    assert records[1].raw == b"too,few\r"
    assert (records[5].title, records[5].url, records[5].source) == ("Straße", None, None)


def test_a_csv_cell_in_a_legacy_encoding_is_decoded_by_itself(tmp_path):
    french = "Le maire a inauguré la passerelle, après dix années de querelles très animées."
    content = "title,text\nÉté,Déjà vu\n".encode() + f'Été,"{french}"\n'.encode("cp1252") + "Été,Déjà vu\n".encode()
    records = read_bytes(tmp_path, "x.csv", content)
    assert [(r.title, r.text, r.encoding) for r in records] == [
        ("Été", "Déjà vu", "utf-8"),
        ("Été", french, "windows-1252"),
        ("Été", "Déjà vu", "utf-8"),
    ]


def test_a_quote_that_is_never_closed_costs_its_row_alone(tmp_path):
    content = b'id,text\n1,one\n2,"two\n3,three\n4,"four\n5,five\n'
    assert outcomes(read_bytes(tmp_path, "x.csv", content.replace(b',"four', b",four"))) == [
        *((2, "one"), (3, "malformed"), (4, "three"), (5, "four"), (6, "five")),
    ]


def test_a_csv_without_text_rejects_each_row(tmp_path):
    records = read_bytes(tmp_path, "x.csv", b"a,b\n1,2\n3,4\n")
    assert outcomes(records) == [(2, "missing_text"), (3, "missing_text")]
    assert records[0].detail == "no known text column among [a, b]; name it with --columns text=NAME"


@pytest.mark.parametrize("content", [b"text\rone\rtwo", b'"text\none\ntwo\n', b"text" + b"," * 3000 + b"\none\n"])
def test_a_csv_whose_header_cannot_be_read(tmp_path, content):
    (reject,) = read_bytes(tmp_path, "x.csv", content, max_article_bytes=LONG_LIMIT)
    assert (reject.place, reject.reason) == (0, "unreadable_file")
    assert "header" in reject.detail


def test_a_csv_whose_lines_end_in_cr_alone_says_so(tmp_path):
    (reject,) = read_bytes(tmp_path, "a.csv", b"id,text\r1,A boat.\r")
    assert reject.detail == "its header is no CSV: a line ends in CR alone, write LF or CR and LF"


def test_blank_lines_before_a_csv_header(tmp_path):
    assert outcomes(read_bytes(tmp_path, "x.csv", b"\n\r\nid;text\n1;one\n")) == [(4, "one")]


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.csv.gz", "x.tsv"])
def test_an_empty_file_has_no_records(tmp_path, name):
    assert read_bytes(tmp_path, name, b"") == []


# Parquet


def test_parquet_types(tmp_path):
    table = pa.table(
        {
            "id": pa.array([1, 2, None], pa.int64()),
            "url": pa.array(["https://a.example/1", None, ""]),
            "source": pa.array(["x", "x", None]).dictionary_encode(),
            "published": pa.array([-86_400, 1_700_000_000, 0], pa.timestamp("s")),
            "content": pa.array(["Größe".encode(), "Größe der Straße".encode("cp1252"), b"\xff\xfe\0\0"], pa.binary()),
            "unused": pa.array([[1], [2], [3]]),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    first, second, third = read(tmp_path / "x.parquet")
    assert (first.id, first.source, first.text, first.published.year) == ("1", "x", "Größe", 1969)
    assert (second.text, second.encoding, second.published.year) == ("Größe der Straße", "windows-1252", 2023)
    assert isinstance(third, Reject)


@pytest.mark.parametrize(
    "text",
    [
        pa.array(["a", None, ""], pa.large_string()),
        pa.array(["a", None, ""], pa.string_view()),
        pa.array(["a", None, ""], pa.binary()),
        pa.array(["a", None, ""]).dictionary_encode(),
    ],
)
def test_parquet_texts_that_are_null_or_blank(tmp_path, text):
    pq.write_table(pa.table({"text": text}), tmp_path / "x.parquet")
    assert outcomes(read(tmp_path / "x.parquet")) == [(1, "a"), (2, "missing_text"), (3, "empty")]


@pytest.mark.parametrize("text", [pa.array([1.5, 2]), pa.array([["a"], []]), pa.array([{"a": 1}, {"a": 2}])])
def test_parquet_texts_of_another_type(tmp_path, text):
    pq.write_table(pa.table({"text": text}), tmp_path / "x.parquet")
    assert outcomes(read(tmp_path / "x.parquet")) == [(1, "wrong_type"), (2, "wrong_type")]


def test_a_parquet_string_need_not_be_utf8(tmp_path):
    strings = pa.array([b"Caf\xe9 au lait", b"plain", "“ü”".encode()]).view(pa.string())
    pq.write_table(pa.table({"text": strings, "title": strings}), tmp_path / "x.parquet")
    records = read(tmp_path / "x.parquet")
    assert [(r.text, r.title) for r in records] == [(t, t) for t in ("Café au lait", "plain", "“ü”")]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("odd", [[], [" ", "\u3000\n", "x" * LONG_LIMIT + "ü"]])
def test_parquet_by_column_is_what_it_is_record_by_record(tmp_path, kind, odd):
    texts = ["One.", "\n Two, after a blank line.", "\u00a0Drei: Größe.", "٤", *odd]
    rows = [{"text": text, "url": f"https://www.one.example/{text[:1]}", "date": "2024-05-01"} for text in texts]
    rows[0] |= {"id": " a ", "source": "One\tNews", "title": ""}
    names = ["id", "url", "source", "title", "date"]
    columns = {name: [row.get(name) for row in rows] for name in names} | {"text": pa.array(texts).cast(kind)}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    records = read(tmp_path / "x.parquet", max_article_bytes=LONG_LIMIT)
    for record, row in zip(records, rows, strict=True):
        (expected,) = read_bytes(tmp_path, "x.jsonl", line(**row), max_article_bytes=10 * LONG_LIMIT)
        if len(row["text"]) < LONG_LIMIT:
            assert record[1:3] == expected[1:3]
            assert record._replace(place=1) == expected or record.raw == row["text"].encode()
        else:
            assert record.reason == "too_large"
    assert [record.place for record in records] == list(range(1, len(texts) + 1))


def test_few_rows_at_a_time_are_one_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "_DICTIONARY_BYTES", 1)
    texts = [f"Story {i}." if i % 10 else "" for i in range(100)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "x.parquet", row_group_size=30, use_dictionary=True)
    (batch,) = PartReader(FilePart(str(tmp_path / "x.parquet"), Format.PARQUET), ReadOptions())
    assert [text for _, text in outcomes(batch)] == [text or "empty" for text in texts]


def test_parquet_with_other_columns_rejects_each_row(tmp_path):
    pq.write_table(pa.table({"a": range(3), "b": range(3)}), tmp_path / "x.parquet")
    records = read(tmp_path / "x.parquet")
    assert outcomes(records) == [(i, "missing_text") for i in (1, 2, 3)]
    assert "[a, b]" in records[0].detail


def test_a_corrupt_row_group_costs_no_other(tmp_path):
    path = tmp_path / "x.parquet"
    texts = [f"Story {i} of the harbour." for i in range(30)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=10, compression="zstd", use_dictionary=False)
    chunk = pq.read_metadata(path).row_group(1).column(0)
    content = bytearray(path.read_bytes())
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    content[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(content)
    records = read(path)
    assert [r.text for r in records if isinstance(r, Record)] == texts[:10] + texts[20:]
    assert outcomes(records)[10] == (11, "unreadable_file")
    assert records[10].detail.startswith("rows [11] to [20], in row group [1]: ")
    assert records[-1].place == 30
    part = FilePart(str(path), Format.PARQUET, start=15, end=25)
    rejected, *records = (record for batch in PartReader(part, ReadOptions()) for record in batch)
    assert rejected.detail.startswith("rows [16] to [20], in row group [1]: ")
    assert [(record.place, record.text) for record in records] == list(enumerate(texts[20:25], 21))


# What a record is made of


def test_fields_of_other_types(tmp_path):
    fields = {
        "id": 12,
        "url": " https://user@www.News.example:8080/a?b=//c ",
        "source": {"id": None, "name": "Example\tNews"},
        "title": ["First\r\n", "Second"],
        "date": 1_700_000_000_000,
    }
    (record,) = read_bytes(tmp_path, "x.jsonl", line(text="x", **fields))
    assert record[:4] == ("12", "https://user@www.News.example:8080/a?b=//c", "Example News", "First")
    assert record.published.isoformat() == "2023-11-14T22:13:20+00:00"
    (record,) = read_bytes(tmp_path, "x.jsonl", line(text="x", id=True, url=7, source=1.0, title={}, date=[1]))
    assert (record.url, record.source, record.title, record.published) == ("7", "1", None, None)


def test_columns_are_found_in_each_row_and_null_ones_passed_over(tmp_path):
    rows = line(text=None, Body="one", guid="g1") + line(articleBody="two", docId="d2") + line(full_text="three")
    records = read_bytes(tmp_path, "x.jsonl", rows)
    assert [(r.id, r.text) for r in records[:2]] == [("g1", "one"), ("d2", "two")]
    assert records[2].text == "three"


def test_source_falls_back_to_the_host(tmp_path):
    urls = [
        "https://www.harbour.example/x",
        "//HARBOUR.example:80",
        "harbour.example/x",
        "mailto:a@b.example",
        None,
    ]
    records = read_bytes(tmp_path, "x.jsonl", b"".join(line(text="x", url=url) for url in urls))
    assert [r.source for r in records] == ["harbour.example", "harbour.example", None, None, None]


def test_ids_are_stable_and_tell_articles_apart(tmp_path):
    rows = [
        {"text": "x"},
        {"text": "y"},
        {"text": "x", "url": "u"},
        {"text": "x", "title": "u"},
        {"text": "x", "id": " "},
    ]
    ids = [r.id for r in read_bytes(tmp_path, "x.jsonl", b"".join(line(**row) for row in rows))]
    assert ids[0] == ids[4]
    assert len(set(ids)) == 4
    assert ids[0] == "7dee234d0bf46478"


def test_batches_are_small(tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    path.write_bytes(line(text="x" * 10) * 600)
    part = FilePart(str(path), "jsonl")
    assert [len(batch) for batch in PartReader(part, ReadOptions())] == [250, 250, 100]
    monkeypatch.setattr(readers, "BATCH_CHARACTERS", 25)
    assert {len(batch) for batch in PartReader(part, ReadOptions())} == {2}


# Any bytes

fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SNIPPETS = [
    b'{"text": "a"}',
    b'{"text":',
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r\n",
    b"\r",
    b"text,id\n",
    b"\xff",
    b"\xe9",
    b"\0",
    b"\x1f\x8b",
]
messy = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.binary(max_size=8)), max_size=30).map(b"".join)


@fuzzed
@given(content=messy, limit=st.sampled_from([5, 20, 10_000]))
@pytest.mark.parametrize("name", ["x.txt", "x.jsonl", "x.csv", "x.jsonl.gz", "x.csv.zst", "x.parquet"])
def test_any_bytes_are_read_without_a_crash(tmp_path, name, content, limit):
    for record in read_bytes(tmp_path, name, content, max_article_bytes=limit):
        if isinstance(record, Record):
            assert "".join(filter(None, [record.id, record.url, record.source, record.title, record.text])).encode()
        else:
            assert record.detail
            assert "\n" not in record.detail
            assert len(record.raw) <= 65536


@fuzzed
@given(content=messy)
def test_each_jsonl_line_is_one_record_or_reject(tmp_path, content):
    lines = [each for each in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if each.strip()]
    if not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        assert len(read_bytes(tmp_path, "x.jsonl", content)) == len(lines)


@fuzzed
@example(position=0.470703125, damage=b"\x80", compression="zstd")  # a name in the footer is no UTF-8
@given(
    position=st.floats(0, 1),
    damage=st.binary(min_size=1, max_size=20),
    compression=st.sampled_from(["none", "zstd", "snappy"]),
)
def test_a_damaged_parquet_file_is_read_without_a_crash(tmp_path, position, damage, compression):
    path = tmp_path / "x.parquet"
    table = pa.table({"text": [f"Story {i}" for i in range(50)], "date": ["2024-01-01"] * 50})
    pq.write_table(table, path, row_group_size=20, compression=compression)
    content = bytearray(path.read_bytes())
    start = int(position * len(content))
    content[start : start + len(damage)] = damage
    path.write_bytes(content)
    assert read(path)


def test_headline_and_columns_do_not_reach_into_the_text(tmp_path):
    (record,) = read_bytes(tmp_path, "x.jsonl", line(text="Head\n\nThe body of the text.", headline="Other"))
    assert (record.title, record.text) == ("Other", "Head\n\nThe body of the text.")


# Bombs.


@pytest.mark.parametrize("line", [b"\n", b'{"text": "again and again"}\n', b"a"], ids=["blank", "records", "one-line"])
@pytest.mark.parametrize(("end", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_a_decompression_bomb_is_given_up(tmp_path, monkeypatch, end, compress, line):
    monkeypatch.setattr("pipeline.lines.FREE_EXPANSION_BYTES", 1_500_000)
    content = compress(line * (4_000_000 // len(line)))
    found = read_bytes(tmp_path, f"bomb.jsonl.{end}", content, max_article_bytes=LONG_LIMIT)
    assert found[-1].reason == "unreadable_file"
    assert "decompresses to over [200] times its size" in found[-1].detail
    assert all(isinstance(record, Record) for record in found[:-1])


def test_what_compresses_well_is_no_bomb(tmp_path):
    content = gzip.compress(line(text="again and again") * 20_000)
    assert len(read_bytes(tmp_path, "same.jsonl.gz", content)) == 20_000


def test_a_text_that_many_rows_of_a_parquet_file_share_is_given_up_as_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.readers.FREE_EXPANSION_BYTES", 1_000_000)
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), pa.array(["x " * 50_000]))
    pq.write_table(pa.table({"text": texts}), tmp_path / "bomb.parquet")
    *records, last = read(tmp_path / "bomb.parquet")
    assert len(records) < 20
    assert last.reason == "unreadable_file"
    assert "over [200] times the file's size" in last.detail
