"""The pipeline with its input and its output on an object store that has a bad day."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.indexed import read_runs
from pipeline.layout import FOLDERS
from pipeline.report import rebuild_report
from tests.object_store import QUICK_KINDS, object_store
from tests.reading import rows, run_quietly
from transforms import exchange, files

ROOT = Path(__file__).parents[2]
# Two splits, so that there are two workers, and they are forked from a process that has talked to the store already.
REMOTE_RUN = """
import sys
from functools import partial
import pipeline.run
from pipeline.sources import plan
from transforms import exchange

if __name__ == "__main__":
    pipeline.run.plan = partial(plan, target_bytes=2_000)
    exchange.PARTITIONS = 2  # or most of the time goes into small files
    from tests.reading import run_quietly
    source, output, index = sys.argv[1:]
    run_quietly(source, output, index=index, index_run="second", workers=2, max_reject_rate=1.0)
"""


SENTENCES = [f"In week {n} of the strike Port {n * 7} counted {n + 3} boats and {n * 11} crates." for n in range(40)]


def write_input(folder):
    sentences = SENTENCES
    story = "\n\n".join(sentences[:20])
    records = [
        {"id": "a", "text": story},
        {"id": "b", "text": story + "\n\nSource link"},
        {"id": "c", "text": "\n\n".join(sentences[25:])},
        {"id": "no text"},
    ]
    folder.mkdir()
    for number in (0, 2):
        lines = (json.dumps(record) + "\n" for record in records[number : number + 2])
        (folder / f"{number}.jsonl").write_text("".join(lines), "utf-8")


def test_input_output_and_index_on_a_store_with_faults_give_the_same_as_on_disk(tmp_path, monkeypatch):
    """The second night of an index, in which a copy is folded into an article of the first."""
    pytest.importorskip("moto", reason="moto, the S3 server of the tests, is not installed")
    monkeypatch.setattr(exchange, "PARTITIONS", 2)  # as in the script: what the index holds is cut up by it
    write_input(tmp_path / "in")
    (tmp_path / "first.jsonl").write_text(json.dumps({"id": "first", "text": "\n\n".join(SENTENCES[25:])}))
    index = tmp_path / "index"
    run_quietly(tmp_path / "first.jsonl", tmp_path / "night", index=str(index), index_run="first")
    first_night = {path.relative_to(index).as_posix(): path.read_bytes() for path in index.rglob("*.*")}
    run_quietly(tmp_path / "in", tmp_path / "disk", index=str(index), index_run="second", max_reject_rate=1.0)
    (tmp_path / "remote.py").write_text(REMOTE_RUN)
    files._remote.cache_clear()
    with object_store(kinds=QUICK_KINDS) as store:
        environment = os.environ | store.environment | {"PYTHONPATH": str(ROOT)}
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        for path in (tmp_path / "in").iterdir():
            files.write_bytes(f"s3://news/in/{path.name}", path.read_bytes())
        for name, data in first_night.items():
            files.write_bytes(f"s3://news/index/{name}", data)
        store.faults = 0.1
        command = [sys.executable, str(tmp_path / "remote.py"), "s3://news/in", "s3://news/out", "s3://news/index"]
        subprocess.run(command, check=True, env=environment, timeout=240)
        assert store.made.total() > 10
        store.faults = 0.0
        assert {Path(entry.uri).name for entry in files.list_dir("s3://news/out")} == {
            *FOLDERS,
            "manifest.json",
            "report.html",
            "_SUCCESS",
        }
        report = files.read_bytes("s3://news/out/report.html")
        assert files.read_bytes(rebuild_report("s3://news/out")) == report
        for folder in FOLDERS:
            for name in files.list_names(f"s3://news/out/{folder}"):
                files.copy_file(f"s3://news/out/{folder}/{name}", str(tmp_path / "store" / folder / name))
        indexed = {where: read_part(where) for where in (str(index), "s3://news/index")}
        assert indexed["s3://news/index"] == indexed[str(index)]
        written = files.read_bytes("s3://news/out/manifest.json").decode()
        assert store.environment["AWS_SECRET_ACCESS_KEY"] not in written
        assert store.environment["AWS_ACCESS_KEY_ID"] not in written

    def comparable(output, folder):
        found = [row | {"input": Path(row.get("input", "")).name} for row in rows(output, folder)]
        return sorted(found, key=lambda row: json.dumps(row, default=str))

    for folder in FOLDERS:
        assert comparable(tmp_path / "store", folder) == comparable(tmp_path / "disk", folder)
    (copy,) = (row for row in rows(tmp_path / "store", "duplicates") if row["canonical_run"])
    assert (copy["id"], copy["canonical_id"], copy["canonical_run"]) == ("c", "first", "first")


def read_part(index):
    """The second night's manifest, without what names places, and all rows of its part by file."""
    run = dataclasses.asdict(read_runs(index)[1])
    part = files.join(index, *run.pop("part").split("/"))
    del run["output"], run["size"]
    return run, {
        name: [batch.to_pylist() for batch in files.read_parquet(files.join(part, name))]
        for name in files.list_names(part)
    }
