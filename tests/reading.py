"""Reads a run's output back, and checks what every run promises."""

import json
from collections import Counter
from itertools import groupby
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.options import Config
from pipeline.progress import Progress
from pipeline.run import run
from transforms.text.edits import Edit, undo_edits


def run_quietly(inputs, output, **options):
    """Runs the whole pipeline, one worker unless said otherwise, and returns the manifest."""
    from rich.console import Console

    paths = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    config = Config(inputs=tuple(map(str, paths)), output=str(output), **({"workers": 1} | options))
    return run(config, Progress(Console(quiet=True), quiet=True))


def rows(output, folder):
    """All rows of a folder of the output, part by part."""
    return [
        row for part in sorted(Path(output, folder).glob("part-*.parquet")) for row in pq.read_table(part).to_pylist()
    ]


def decoded_originals(output):
    """``{id: decoded original}`` of the kept articles, by undoing their edits."""
    by_id = {
        article_id: [Edit(row["kind"], row["rule"], row["start"], row["before"], row["after"]) for row in group]
        for article_id, group in groupby(rows(output, "edits"), key=lambda row: row["id"])
    }
    return {row["id"]: undo_edits(row["text"], by_id.get(row["id"], [])) for row in rows(output, "articles")}


def assert_books_balance(output):
    """Rows in the output are what the manifest says, and add up to what was read."""
    manifest = json.loads(Path(output, "manifest.json").read_text("utf-8"))
    counts = manifest["counts"]
    found = Counter({folder: len(rows(output, folder)) for folder in ("articles", "duplicates", "rejects")})
    assert found == Counter(articles=counts["kept"], duplicates=counts["duplicates"], rejects=counts["rejected"])
    assert found.total() == counts["read"]
    written = {f"{path.parent.name}/{path.name}": path.stat().st_size for path in Path(output).glob("*/part-*.parquet")}
    assert written == {entry["path"]: entry["bytes"] for entry in manifest["files"]}
    assert Path(output, "_SUCCESS").exists()
    assert not Path(output, "_staging").exists()
    assert len(rows(output, "edits")) == counts["edits"]
