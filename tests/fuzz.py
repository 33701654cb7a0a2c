"""Feeds hostile files to the readers and to cleaning, by the million, and checks what is promised of every record.

::

    python -m tests.fuzz --records 1000000

Each file holds some hundred records, valid ones and odd ones; of half of the files some bytes are changed. Of each:

- nothing is raised, and nothing takes longer than the limit;
- every record written comes out as a record or a reject (of a changed file: every line of JSONL that is not blank);
- each article's edits, undone, give its text back;
- after cleaning, articles and rejects are as many as records;
- every so often the whole pipeline runs over the last files, and its books balance.

A file that fails is kept, and named with its seed.
"""

import argparse
import bz2
import gzip
import io
import json
import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.formats import FilePart, ReadOptions, kind_of
from pipeline.readers import PartReader
from tests.reading import assert_books_balance, run_quietly
from transforms.clean import clean_batch
from transforms.records import Record
from transforms.text.clean import Cleaner
from transforms.text.edits import Edit, undo_edits

SECONDS_A_FILE = 30
MAX_ARTICLE_BYTES = 20_000

ATOMS = (
    "The harbour counted nine boats.",
    "Source link",
    "Leave a Reply",
    "Your email address will not be published. Required fields are marked *",
    "With reporting by AP and Reuters",
    "OSLO (AP) — It is open.",
    "Photo: Reuters",
    "Read more",
    "Sign up for our newsletter",
    "Advertisement",
    "â€œItâ€™s a pityâ€\x9d",
    "Ã©",
    "\x80\x94",
    "&amp;amp;",
    "&#x1F600;",
    "&lt;script&gt;",
    "e\u0301\u0301",
    "\u00a0",
    "\u200b\ufeff",
    "\u202eevil",
    "\u2028\u2029",
    "\x00",
    "\x1b[31m",
    "\r\n",
    "\n\n",
    "\n",
    " \n \n",
    "\t\t",
    "   ",
    "中文没有空格",
    "ท่าเรือ",
    "👩\u200d👩\u200d👧",
    "ﬁ",
    "½",
    '"“‘«»’”"',
    "((((",
    "....",
    "----",
    "1 of 12",
    "© 2024 The Associated Press",
    "www.example.org",
    "a" * 300,
    "../../etc/passwd",
    "\ud800",
    "\udfff",
    "=cmd|' /C calc'!A0",
    "NaN",
    "null",
    "'; DROP TABLE articles; --",
    "%s%n{0}${jndi:ldap://x}",
)
BYTES = (
    *(b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"),
    *(b"\x1b[", b'"', b"\\", b"\n", b"\r", b",", b"{", b"}", b"[" * 3000, b"]", b'"' * 9, b"\\u", b"\\ud800", b"1e999"),
    *(b"9" * 5000, b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh9", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80"),
)
VALUES = (
    *(None, True, 0, -1, 1e308, 10**400, float("nan"), float("inf")),
    *([], {}, [["x"]], {"name": "x"}, "", " ", "2024-01-02"),
)
FIELDS = ("id", "url", "source", "title", "published", "text", "body", "Text", "\x00", "a" * 200, "ID", "__proto__")


def a_text(chance):
    """A short text of odd pieces."""
    parts = chance.choices(ATOMS, k=min(1 + int(chance.expovariate(0.5)), 60))
    return chance.choice(("", " ", "\n", "\n\n")).join(parts)


def a_record(chance):
    """A record as a dict; mostly with a text, sometimes of the wrong type, or without."""
    record = {}
    if chance.random() < 0.95:
        record["text"] = a_text(chance) if chance.random() < 0.95 else chance.choice(VALUES)
    for field in ("id", "url", "source", "title", "published"):
        if chance.random() < 0.5:
            record[field] = chance.choice((a_text(chance)[:60], chance.choice(VALUES), str(chance.randrange(50))))
    if chance.random() < 0.05:
        record[chance.choice(FIELDS)] = chance.choice((*VALUES, a_text(chance)))
    if chance.random() < 0.002:
        record["text"] = "x " * MAX_ARTICLE_BYTES
    return record


def jsonl(chance, records):
    """Lines of JSON, in one of the ways that programs write it; each record is one line."""
    ascii_only = chance.random() < 0.5
    lines = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    if chance.random() < 0.2:  # keys that stand twice
        lines = [line[:-1] + (', "text": "again"}' if len(line) > 2 else "}") for line in lines]
    ending = chance.choice(("\n", "\r\n", "\n\n", "\n\ufeff"))
    return (ending.join(lines) + chance.choice(("", "\n"))).encode("utf-8", "surrogatepass")


def csv_file(chance, records):
    """A table of the five usual columns, each cell quoted."""
    names = ["id", "url", "title", "published", "text"]
    delimiter = chance.choice(",;\t")

    def cell(value):
        return '"' + str("" if value is None else value).replace('"', '""').replace("\x00", "") + '"'

    rows = [delimiter.join(names)]
    for record in records:
        rows.append(delimiter.join(cell(record.get(name)) for name in names))
    return "\n".join(rows).encode("utf-8", "surrogatepass")


def parquet(chance, records):
    """A file of several row groups, its text a string, bytes, a dictionary or a list."""
    texts = [record.get("text") for record in records]
    texts = [text.encode("utf-8", "replace").decode() if isinstance(text, str) else None for text in texts]
    kind = chance.choice(("string", "binary", "large", "dictionary", "list", "bad utf-8"))
    column = pa.array(texts, pa.string())
    if kind == "binary":
        column = pa.array([text and text.encode("utf-16" if i % 9 == 0 else "utf-8") for i, text in enumerate(texts)])
    elif kind == "large":
        column = column.cast(pa.large_string())
    elif kind == "dictionary":
        column = column.dictionary_encode()
    elif kind == "list":
        column = pa.array([[text] for text in texts])
    elif kind == "bad utf-8":
        raw = pa.array([text and text.encode() + b"\xff\xc0" for text in texts], pa.binary())
        column = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    published = pa.array([chance.choice((None, -(2**62), 2**62, 0, 10**18)) for _ in records], pa.int64())
    times = published.cast(pa.timestamp(chance.choice(("ms", "us", "ns"))))
    sink = io.BytesIO()
    table = pa.table({"id": pa.array([str(n % 7) for n in range(len(records))]), "text": column, "published": times})
    pq.write_table(
        table, sink, row_group_size=chance.randint(1, 100), compression=chance.choice(("none", "snappy", "zstd"))
    )
    return sink.getvalue()


def changed(chance, content):
    """The bytes with a few of them flipped, cut, doubled or put in."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        if not data:
            break
        at = chance.randrange(len(data))
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = chance.choice(BYTES)
            case 2:
                del data[at : at + chance.randrange(1, 40)]
            case 3:
                data[at:at] = data[at : at + chance.randrange(1, 400)]
            case 4:
                data[at : at + 4] = chance.randbytes(4)
            case 5:
                if chance.random() < 0.2:
                    del data[at:]
    return bytes(data)


def a_file(seed, records=200):
    """A file's name, its bytes and how many records must come out (``None``: it cannot be known)."""
    chance = random.Random(seed)
    kind = chance.choices(("jsonl", "csv", "parquet", "txt"), (50, 25, 15, 10))[0]
    if kind == "txt":
        content = a_text(chance).encode(chance.choice(("utf-8", "utf-16", "cp1252", "shift_jis")), "replace")
        expected = 1
    else:
        made = [a_record(chance) for _ in range(records)]
        content = {"jsonl": jsonl, "csv": csv_file, "parquet": parquet}[kind](chance, made)
        expected = len(made)
    if chance.random() < 0.5:
        content = changed(chance, content)
        expected = None if kind in ("csv", "parquet") else expected
        if kind == "jsonl":
            is_wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
            lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            expected = None if is_wide else sum(not (not line or line.isspace()) for line in lines)
    name = f"fuzz.{kind}"
    if kind != "parquet" and chance.random() < 0.2:
        end, compress = chance.choice(((".gz", gzip.compress), (".bz2", bz2.compress), (".zst", _zstd)))
        name, content = name + end, compress(content)
        if chance.random() < 0.5:
            content, expected = changed(chance, content), None
    return name, content, expected


def _zstd(content):
    return pa.compress(content, "zstd", asbytes=True) if content else b""


def check_file(uri, expected, cleaner, tally):
    """Read and clean a file; raises what is wrong. Returns how many records came out."""
    kind, _ = kind_of(uri)
    count = 0
    for records in PartReader(FilePart(uri, kind), ReadOptions(max_article_bytes=MAX_ARTICLE_BYTES)):
        count += len(records)
        cleaned, made, rejected = clean_batch(uri, records, cleaner)
        assert cleaned.num_rows + rejected.num_rows == len(records), "records were lost in cleaning"
        tally["articles"] += cleaned.num_rows
        tally.update(rejected.column("reason").to_pylist())
        _check_edits(records, cleaned, made)
        cleaned.validate(full=True)
        rejected.validate(full=True)
    assert expected is None or count == expected, f"{count} records came out of {expected}"
    return count


def _check_edits(records, cleaned, made):
    texts = [record.text for record in records if isinstance(record, Record)]
    edits = [Edit(*values) for values in zip(*(made.column(name).to_pylist() for name in Edit._fields), strict=True)]
    originals = iter(texts)
    first = 0
    for text, count in zip(cleaned.column("text").to_pylist(), cleaned.column("edit_count").to_pylist(), strict=True):
        original = undo_edits(text, edits[first : first + count])
        first += count
        # Those that cleaning left nothing of are no rows.
        while (candidate := next(originals, None)) is not None and candidate != original:
            pass
        assert candidate is not None, f"undoing the edits does not give the text back: {text!r}"


def fuzz(records, seed, folder, pipeline_every=0):
    """Check files until so many records came out; a tally of what became of them."""
    cleaner = Cleaner()
    tally = Counter()
    count = files = 0
    recent = folder / "recent"
    recent.mkdir()
    signal.signal(signal.SIGALRM, _too_slow)
    while count < records:
        name, content, expected = a_file(f"{seed}-{files}")
        path = folder / name
        path.write_bytes(content)
        signal.alarm(SECONDS_A_FILE)
        try:
            count += check_file(str(path), expected, cleaner, tally)
        except BaseException as error:
            kept = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{files}-{name}"
            kept.write_bytes(content)
            raise AssertionError(f"file {files} of seed {seed}, kept as {kept}: {error!r}") from error
        finally:
            signal.alarm(0)
        path.unlink()
        files += 1
        if pipeline_every:
            (recent / f"{files % 40:02d}-{name}").write_bytes(content)
            if files % pipeline_every == 0:
                output = folder / f"out-{files}"
                manifest = run_quietly(recent, output, max_reject_rate=1.0)
                assert_books_balance(output)
                tally["in whole runs"] += manifest["counts"]["read"]
    tally["files"] = files
    return tally


def _too_slow(*_):
    raise TimeoutError(f"over {SECONDS_A_FILE} seconds")


def main():
    """Fuzz, and print what became of the records."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--pipeline-every", type=int, default=1000, metavar="FILES", help="0: never")
    arguments = parser.parse_args()
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(arguments.records, arguments.seed, Path(folder), arguments.pipeline_every)
    print(f"{time.process_time() - start:.0f} s of CPU time")
    for name, number in tally.most_common():
        print(f"{number:>10,}  {name}")


if __name__ == "__main__":
    main()
