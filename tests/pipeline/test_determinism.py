"""The same articles give the same output, whatever their order, the workers and how they are batched.

Of the output, ``input`` alone follows the order: it names the file and the line that a record was read from.
"""

import functools
import hashlib
import json
import multiprocessing
import random
import subprocess
import sys
from itertools import product
from pathlib import Path

import pipeline.readers
import pipeline.run
from pipeline.sources import plan
from pipeline.workers import can_fork, load_kernels
from tests.pipeline.test_run import ROOT, SAMPLE, write_jsonl
from tests.reading import assert_books_balance, rows, run_quietly
from tests.writing import invented_article, invented_sentence
from transforms import exchange
from transforms.text.clean import CleanConfig

ORDERS = ("forward", "backward", "shuffled")
WORKERS = (1, 2, 4)
# Bytes of a split and rows of a batch in it.
BATCHES = ((4 * 1024 * 1024, 1000), (40_000, 7))
MATRIX = list(product(ORDERS, WORKERS, BATCHES))
_FORK = multiprocessing.get_context("fork")
PROMO = "The Quay Letter gives you all of the latest from the harbour. For all of our coverage, click here."


def seeded_records():
    """Copies, excerpts, stories of one template, learned boilerplate, repeated ids, no ids at all, and rejects."""
    records = [
        {"id": f"p{number}", "source": "quay.example", "text": [*invented_article(number), PROMO]}
        for number in range(8)
    ]
    for number in range(100, 106):
        story = invented_article(number)
        day = f"2024-03-0{number - 98}T06:00:00Z"
        records += [
            {"id": f"s{number}", "source": "coast.example", "published": day, "text": story},
            {"id": f"c{number}", "source": "tide.example", "published": day, "text": [*story, "Source link"]},
            {"id": f"e{number}", "source": "bay.example", "text": story[:4]},
            # The same id and another text, and neither id nor date: nothing but the text tells them apart.
            {"id": f"s{number}", "source": "bay.example", "text": invented_article(number + 100)},
            {"source": "bay.example", "text": story},
            {"source": "bay.example", "text": story},
            {"id": "again", "text": invented_article(number + 200, 3)},
        ]
    template = invented_article(400)
    for number in range(6):
        figures = invented_sentence(random.Random(500 + number), 40)
        records.append({"id": f"t{number}", "source": "market.example", "text": [template[0], figures, *template[1:]]})
    records += [{"id": "no text"}, {"id": "empty", "text": []}, {"id": "number", "text": 7}]
    return [
        record | {"text": "\n\n".join(record["text"])} if isinstance(record.get("text"), list) else record
        for record in records
    ]


def write_in_order(order, folder):
    """The sample and the seeded records as files of ``folder``, whose names and lines follow ``order``."""
    folder.mkdir()
    samples = sorted(path for path in SAMPLE.rglob("*.*") if path.suffix != ".md")
    records = seeded_records()
    if order == "backward":
        samples.reverse()
        records.reverse()
    elif order == "shuffled":
        random.Random(5).shuffle(samples)
        random.Random(6).shuffle(records)
    for number, path in enumerate(samples):
        (folder / f"{number:03d}-{path.name}").write_bytes(path.read_bytes())
    for number, first in enumerate(range(0, len(records), 25)):
        write_jsonl(folder / f"{7 * number:03d}-seeded.jsonl", records[first : first + 25])
    return folder


def digest(output):
    """Of each folder's rows, sorted, without ``input``."""
    digests = {}
    for folder in ("articles", "duplicates", "edits", "rejects", "boilerplate"):
        found = [{name: value for name, value in row.items() if name != "input"} for row in rows(output, folder)]
        lines = sorted(json.dumps(row, default=str, sort_keys=True) for row in found)
        assert lines, folder
        digests[folder] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return digests


def run_one(source, output, workers, batches):
    split_bytes, pipeline.readers.BATCH_ROWS = batches
    exchange.PARTITIONS = 4  # of 32 most would be empty here, and their files take most of the time
    pipeline.run.plan = functools.partial(plan, target_bytes=split_bytes)
    assert can_fork()
    run_quietly(source, output, workers=workers, max_reject_rate=1.0)


def run_all(folder):
    """Every run of the matrix, two at a time, each in a fork: what is imported is shared, what is changed is not."""
    load_kernels(CleanConfig())
    sources = {order: write_in_order(order, folder / order) for order in ORDERS}
    runs = [
        _FORK.Process(target=run_one, args=(sources[order], folder / f"out-{number}", workers, batches))
        for number, (order, workers, batches) in enumerate(MATRIX)
    ]
    for first in range(0, len(runs), 2):
        for process in runs[first : first + 2]:
            process.start()
        for process in runs[first : first + 2]:
            process.join()
    sys.exit(any(process.exitcode for process in runs))


def test_the_output_is_the_same(tmp_path):
    command = [sys.executable, "-m", "tests.pipeline.test_determinism", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=540)
    assert_books_balance(tmp_path / "out-0")
    expected = digest(tmp_path / "out-0")
    differ = [case for number, case in enumerate(MATRIX) if digest(tmp_path / f"out-{number}") != expected]
    assert differ == []


if __name__ == "__main__":
    run_all(Path(sys.argv[1]))
