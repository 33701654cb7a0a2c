"""The pipeline end to end, on real files."""

import gzip
import json
import os
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.sources import plan
from tests.reading import assert_books_balance, decoded_originals, rows, run_quietly
from transforms.errors import RunFailedError, UsageError

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data"
SHARED = ROOT.parent / "shared" / "data"
NEEDS_SHARED = pytest.mark.skipif(not SHARED.is_dir(), reason="the real articles of ../shared/data are not here")

SENTENCES = [
    f"In the {n}th week of the strike the harbour of Port {n * 7} counted {n + 3} boats at anchor." for n in range(60)
]
STORY = "\n\n".join(SENTENCES[:20])


def write_jsonl(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def test_sample_data(tmp_path):
    manifest = run_quietly(SAMPLE, tmp_path / "out")
    assert_books_balance(tmp_path / "out")
    assert manifest["counts"]["read"] == 64
    assert manifest["counts"]["rejected_by_reason"] == {"malformed": 1, "missing_text": 1}
    found = {row["id"]: (row["canonical_id"], row["relation"]) for row in rows(tmp_path / "out", "duplicates")}
    tiller = next(id for id in found if id not in {"lc-71", "1012", "sp-401", "gl-88", "li-204", "md-9", "hg-2003"})
    assert found == {
        "lc-71": ("hg-2001", "exact"),
        "1012": ("hg-2001", "near"),
        "sp-401": ("hg-2001", "near"),
        tiller: ("hg-2001", "near"),
        "gl-88": ("ca-501", "near"),
        "li-204": ("ca-501", "near"),
        "md-9": ("hg-2002", "excerpt"),
        "hg-2003": ("hg-2004", "update"),
    }
    assert {"1017", "1017~2"} <= {row["id"] for row in rows(tmp_path / "out", "articles")}


def test_two_processes_and_another_order_give_the_same(tmp_path, monkeypatch):
    run_quietly(SAMPLE, tmp_path / "one")
    monkeypatch.setattr("pipeline.run.plan", partial(plan, target_bytes=20_000))
    shuffled = tmp_path / "other-order"
    shuffled.mkdir()
    for number, path in enumerate(sorted(SAMPLE.rglob("*.*"), reverse=True)):
        if path.suffix not in (".md", ""):
            (shuffled / f"{number:03d}-{path.name}").write_bytes(path.read_bytes())
    manifest = run_quietly(shuffled, tmp_path / "two", workers=2)
    assert manifest["shards"] > 4

    def comparable(output, folder):
        found = [{name: value for name, value in row.items() if name != "input"} for row in rows(output, folder)]
        return sorted(found, key=lambda row: json.dumps(row, default=str))

    for folder in ("articles", "duplicates", "edits", "rejects"):
        assert comparable(tmp_path / "one", folder) == comparable(tmp_path / "two", folder)


DYING_RUN = """
import os, sys
from functools import partial
import pipeline.build, pipeline.run
from pipeline.sources import plan

def die(split, options):
    os._exit(9)

if __name__ == "__main__":
    pipeline.run.plan = partial(plan, target_bytes=20_000)
    if sys.argv[3] == "die":
        pipeline.build.read_split = die
    from tests.reading import run_quietly
    run_quietly(sys.argv[1], sys.argv[2], workers=2)
"""


def test_a_worker_that_dies_fails_the_run_and_the_same_command_goes_on(tmp_path):
    (tmp_path / "dying.py").write_text(DYING_RUN)
    command = [sys.executable, str(tmp_path / "dying.py"), str(SAMPLE), str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    died = subprocess.run([*command, "die"], capture_output=True, text=True, env=environment, timeout=120)
    assert died.returncode == 1
    assert "RunFailedError: a worker process died" in died.stderr
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    subprocess.run([*command, "live"], check=True, env=environment, timeout=120)
    assert_books_balance(tmp_path / "out")


@NEEDS_SHARED
def test_the_seed_article(tmp_path):
    run_quietly(SHARED / "seed", tmp_path)
    (article,) = rows(tmp_path, "articles")
    assert article["text"].count("Ukrainian President Volodymyr Zelenskiy (right) walks") == 1
    assert article["text"].endswith("With reporting by AP and Reuters")
    assert article["credits"] == ["AP", "Reuters"]
    assert article["title"] == "Russia Claims Victory In Bakhmut As Zelenskiy Meets Biden In Japan"
    for cruft in ("Source link", "Leave a Reply", "Your email address"):
        assert cruft not in article["text"]
    (path,) = (SHARED / "seed").glob("*.txt")
    assert decoded_originals(tmp_path)[article["id"]] == path.read_bytes().decode()


def test_undoing_the_edits_gives_every_input_back(tmp_path):
    texts = {
        f"n{n}": "\r\n".join([*SENTENCES[n : n + 9], " Source\u00a0link ", "Leave a Reply"]) for n in range(0, 50, 10)
    }
    write_jsonl(tmp_path / "in.jsonl", [{"id": id, "text": text} for id, text in texts.items()])
    run_quietly(tmp_path / "in.jsonl", tmp_path / "out")
    assert decoded_originals(tmp_path / "out") == texts


def test_ids_that_two_records_share_are_told_apart(tmp_path):
    records = [
        {"id": 1, "text": STORY},
        {"id": 1, "text": "\n\n".join(SENTENCES[30:])},
        {"id": "1", "text": STORY + " "},
        {"id": "1~2", "text": "\n\n".join(SENTENCES[20:])},
    ]
    random.Random(7).shuffle(records)
    write_jsonl(tmp_path / "in.jsonl", records)
    manifest = run_quietly(tmp_path / "in.jsonl", tmp_path / "out")
    assert_books_balance(tmp_path / "out")
    assert manifest["counts"]["renamed_ids"] == 2
    ids = [row["id"] for folder in ("articles", "duplicates") for row in rows(tmp_path / "out", folder)]
    assert sorted(ids) == ["1", "1~2", "1~3", "1~4"]
    edits = {row["id"] for row in rows(tmp_path / "out", "edits")}
    assert edits <= set(ids)


def test_line_numbers_in_a_file_that_was_cut_into_splits(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.run.plan", partial(plan, target_bytes=4_000))
    records = [{"id": f"n{n}", "text": "\n\n".join(SENTENCES[n % 50 : n % 50 + 5]) + str(n)} for n in range(40)]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    manifest = run_quietly(path, tmp_path / "out")
    assert manifest["shards"] > 2
    found = {row["id"]: row["input"] for folder in ("articles", "duplicates") for row in rows(tmp_path / "out", folder)}
    assert found == {f"n{n}": f"{path}:{n + 1}" for n in range(40)}


def test_keep_all(tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": STORY}, {"id": "b", "text": STORY + "\n\nSource link"}])
    run_quietly(tmp_path / "in.jsonl", tmp_path / "out", keep="all")
    assert {row["id"]: row["canonical_id"] for row in rows(tmp_path / "out", "articles")} == {
        "a": "a",
        "b": "a",
    }
    assert [row["id"] for row in rows(tmp_path / "out", "duplicates")] == ["b"]


# Bad input.


def test_every_kind_of_bad_record_is_kept_with_its_reason(tmp_path):
    lines = [
        json.dumps({"id": "good", "text": STORY}).encode(),
        b'{"id": "broken", "text": "no end',
        json.dumps({"id": "no-text", "title": "x"}).encode(),
        json.dumps({"id": "number", "text": 17}).encode(),
        json.dumps({"id": "blank", "text": " \n "}).encode(),
        json.dumps({"id": "furniture", "text": "Leave a Reply\n\nSource link"}).encode(),
        json.dumps({"id": "huge", "text": "word " * 10_000_000}).encode(),
        json.dumps({"id": "nul", "text": "Before\u0000 the NUL. " + STORY}).encode(),
        b'{"id": "surrogate", "text": "A lone \\ud800 surrogate. '
        + json.dumps("\n\n".join(SENTENCES[22:40])).encode()[1:-1]
        + b'"}',
        b'{"id": "bytes", "text": "Caf\xe9 ' + json.dumps("\n\n".join(SENTENCES[41:])).encode()[1:-1] + b'"}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(lines))
    run_quietly(tmp_path / "in.jsonl", tmp_path / "out", max_reject_rate=1.0)
    assert_books_balance(tmp_path / "out")
    found = {int(row["input"].rpartition(":")[2]): row["reason"] for row in rows(tmp_path / "out", "rejects")}
    assert found == {
        2: "malformed",
        3: "missing_text",
        4: "wrong_type",
        5: "empty",
        6: "empty_after_cleaning",
        7: "too_large",
    }
    assert all(len(row["raw"]) <= 65_536 for row in rows(tmp_path / "out", "rejects"))
    texts = {row["id"]: row["text"] for row in rows(tmp_path / "out", "articles")}
    assert texts["nul"].startswith("Before the NUL.")
    assert texts["surrogate"].startswith("A lone \ufffd surrogate.")
    assert texts["bytes"].startswith("Café ")


def test_files_that_cannot_be_read_whole(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "empty.txt").write_bytes(b"")
    (folder / "image.txt").write_bytes(bytes(range(256)) * 40)
    whole = gzip.compress(
        "".join(json.dumps({"id": f"z{n}", "text": f"{n} {STORY}"}) + "\n" for n in range(900)).encode()
    )
    (folder / "truncated.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "truncated.parquet").write_bytes(b"PAR1 and not much more")
    pq.write_table(pa.table({"headline": ["no text here"], "n": [1]}), folder / "columns.parquet")
    write_jsonl(folder / "good.jsonl", [{"id": "good", "text": "\n\n".join(SENTENCES[30:])}])
    run_quietly(folder, tmp_path / "out", max_reject_rate=1.0)
    assert_books_balance(tmp_path / "out")
    by_name = {Path(row["input"].split(":")[0]).name: row["reason"] for row in rows(tmp_path / "out", "rejects")}
    assert by_name == {
        "empty.txt": "empty",
        "image.txt": "undecodable",
        "truncated.jsonl.gz": "unreadable_file",
        "truncated.parquet": "unreadable_file",
        "columns.parquet": "missing_text",
    }
    assert "good" in {row["id"] for row in rows(tmp_path / "out", "articles")}
    with pytest.raises(RunFailedError, match="--strict"):
        run_quietly(folder, tmp_path / "strict", max_reject_rate=1.0, strict=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    write_jsonl(tmp_path / "good.jsonl", [{"id": "good", "text": STORY}])
    write_jsonl(tmp_path / "shut.jsonl", [{"id": "shut", "text": STORY}]).chmod(0)
    run_quietly(tmp_path, tmp_path / "out", max_reject_rate=1.0)
    assert [row["reason"] for row in rows(tmp_path / "out", "rejects")] == ["unreadable_file"]


def test_dates_that_cannot_be_read_are_counted_and_one_is_shown(tmp_path):
    dates = ["2026-03-14", "n/a", None, "0", "03/04/2026", "5 Brumaire 14"]
    records = [
        {"id": f"{n}", "text": "\n\n".join(SENTENCES[n * 9 : n * 9 + 9]), "date": dates[n]} for n in range(len(dates))
    ]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    pq.write_table(pa.Table.from_pylist([{**records[4], "id": "p"}]), tmp_path / "z.parquet")
    manifest = run_quietly([path, tmp_path / "z.parquet"], tmp_path / "out")
    assert manifest["counts"]["unread_dates"] == 3
    assert manifest["unread_date"] == f"[03/04/2026] in [{path}]"
    assert_books_balance(tmp_path / "out")


def test_too_many_rejects_fail_before_the_commit_and_the_same_command_can_go_on(tmp_path):
    write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": STORY}, {"id": "b"}])
    told = r"1\] of \[2\] records \(50.0%\) were rejected.* once, as in.*jsonl:2\]: no known text column among \[id\]"
    with pytest.raises(RunFailedError, match=told):
        run_quietly(tmp_path / "in.jsonl", tmp_path / "out")
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert (tmp_path / "out" / "_staging").is_dir()
    run_quietly(tmp_path / "in.jsonl", tmp_path / "out", max_reject_rate=0.5)
    assert_books_balance(tmp_path / "out")


def test_no_input_at_all(tmp_path):
    with pytest.raises(UsageError, match="nothing"):
        run_quietly(tmp_path / "nothing", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty"):
        run_quietly(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_holds_something(tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": STORY}])
    run_quietly(source, tmp_path / "out")
    with pytest.raises(UsageError, match="already holds a finished run"):
        run_quietly(source, tmp_path / "out")
    run_quietly(source, tmp_path / "out", overwrite=True)
    assert_books_balance(tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("dear reader")
    with pytest.raises(UsageError, match="not empty and holds no run"):
        run_quietly(source, tmp_path / "mine")


def test_an_unfinished_run_of_another_configuration_is_refused(tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": STORY}, {"id": "b"}])
    with pytest.raises(RunFailedError):
        run_quietly(source, tmp_path / "out")
    with pytest.raises(UsageError, match="unfinished run of another"):
        run_quietly(source, tmp_path / "out", keep="all")
