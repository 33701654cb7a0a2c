"""Prints how judged repeats and files of known encoding are handled: ``python -m benchmarks.judged DATA``.

``DATA`` is a folder laid out as the development data is: ``captions/`` (articles whose repeated paragraphs were judged
one by one) and ``encoding/`` (legacy files with their true encoding, and published mojibake with what it should be).
"""

import argparse
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ftfy.badness import is_bad

from pipeline.evaluate import find_removed
from transforms.text.clean import Cleaner
from transforms.text.decode import UndecodableError, decode
from transforms.text.edits import Edit
from transforms.text.repair import repair_lines

# How many of the two paragraphs of a judged pair should be left.
_LEFT: Final = {"remove": 1, "cruft": 0, "legit": 2}


def _records(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def judge_repeats(folder: Path, show: int) -> None:
    """Of each verdict, how many pairs end as judged; ``review`` has no right answer and is only counted."""
    cleaner = Cleaner()
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    wrong: dict[str, list[str]] = defaultdict(list)
    for name in ("repeats", "legit_repeats"):
        for record in _records(folder / f"{name}.jsonl.gz"):
            pairs = [(pair["i"], pair["j"], pair["verdict"]) for pair in record.get("judgements") or []]
            if name == "legit_repeats":
                pairs = [(left, right_, "legit") for left, right_, *_ in record["must_keep"]]
            if not pairs:
                continue
            left = _left(record["paragraphs"], cleaner)
            for first, second, verdict in pairs:
                verdict = f"{verdict} (must keep)" if name == "legit_repeats" else verdict
                count = left[first] + left[second]
                total[verdict] += 1
                right[verdict] += count == _LEFT.get(verdict.partition(" ")[0], count)
                if count != _LEFT.get(verdict.partition(" ")[0], count):
                    wrong[verdict].append(f"{count} left [{first}, {second}] {record['paragraphs'][second][:100]}")
    print(f"{'verdict':22} {'pairs':>6} {'as judged':>10}")
    for verdict, count in total.most_common():
        print(f"{verdict:22} {count:6} {right[verdict]:10}")
    for verdict, lines in wrong.items():
        for line in lines[:show]:
            print(f"  {verdict}: {line}")


def _left(paragraphs: list[str], cleaner: Cleaner) -> list[bool]:
    """Whether most of each paragraph is left in the cleaned text."""
    edits: list[Edit] = cleaner.clean("\n\n".join(paragraphs)).edits
    removed = find_removed("\n\n".join(paragraphs), edits)
    left = []
    start = 0
    for paragraph in paragraphs:
        gone = sum(start + offset in removed for offset in range(len(paragraph)))
        left.append(2 * gone <= len(paragraph))
        start += len(paragraph) + 2
    return left


def judge_encodings(folder: Path, show: int) -> None:
    """By encoding: files, those read to the very text that their encoding gives, and those read to another one."""
    files: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    for record in _records(folder / "files.jsonl"):
        raw = (folder / record["path"]).read_bytes()
        if not record["strict_decodes"] or not record["python_codec"]:
            continue
        truth = raw.decode(record["python_codec"]).removeprefix("\ufeff")
        false = "koi8-r" if record["encoding"] == "iso-8859-5" else "iso-8859-5"
        for column, declared in (("none", None), ("true", record["encoding"]), ("false", false)):
            try:
                found = decode(raw, declared)
                same = found.text == truth
                guess = found.encoding
            except UndecodableError:
                same, guess = False, "refused"
            files[record["encoding"]][column] += same
            if declared is None:
                files[record["encoding"]]["files"] += 1
                files[record["encoding"]]["refused"] += guess == "refused"
                if not same:
                    wrong.append(f"{record['encoding']} ({record['lang']}, {len(raw)} bytes) as {guess}")
    print(f"\n{'encoding':18} {'files':>6} {'same text':>10} {'refused':>8} {'declared':>9} {'declared falsely':>17}")
    totals: Counter[str] = Counter()
    for encoding, counts in sorted(files.items(), key=lambda item: (-item[1]["files"], item[0])):
        totals.update(counts)
        print(_row(encoding, counts))
    print(_row("all", totals))
    for line in wrong[:show]:
        print(f"  {line}")


def _row(name: str, counts: Counter[str]) -> str:
    return (
        f"{name:18} {counts['files']:6} {counts['none']:10} {counts['refused']:8} {counts['true']:9}"
        f" {counts['false']:17}"
    )


def judge_mojibake(folder: Path, show: int) -> None:
    """Of ftfy's published cases, by kind, how many come out as expected of encodings alone."""
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for record in _records(folder / "mojibake_cases.jsonl"):
        total[record["kind"]] += 1
        fixed = repair_lines(record["input"])[0]
        right[record["kind"]] += fixed == record["expected_encoding_only"]
        if fixed != record["expected_encoding_only"] and show:
            print(f"  {record['kind']}: {record['input']!r} as {fixed!r}, not {record['expected_encoding_only']!r}")
    print(f"\n{'mojibake cases':22} {'cases':>6} {'as expected':>12}")
    for kind, count in total.most_common():
        print(f"{kind:22} {count:6} {right[kind]:12}")


def judge_articles(folder: Path, show: int) -> None:
    """Of paragraphs of real articles that hold mojibake, by kind, how many come out as expected, and what is left.

    A paragraph without an expected text cannot be put right: its characters are lost.
    """
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for record in _records(folder / "articles_mojibake.jsonl.gz"):
        for hit in record["hits"]:
            fixed = repair_lines(hit["text"])[0]
            total[hit["kind"]] += 1
            right[hit["kind"]] += fixed == hit["expected"]
            left[hit["kind"]] += is_bad(fixed)
            if fixed != hit["expected"] and show:
                print(f"  {hit['kind']}: {fixed!r}, not {hit['expected']!r}")
    print(f"\n{'paragraphs of articles':22} {'number':>6} {'as expected':>12} {'still bad':>10}")
    for kind, count in total.most_common():
        print(f"{kind:22} {count:6} {right[kind]:12} {left[kind]:10}")


def main(arguments: list[str]) -> None:
    """Read the command line and print the tables of what is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="print the first N of each that are wrong")
    options = parser.parse_args(arguments)
    parts = (
        ("captions", judge_repeats),
        ("encoding", judge_encodings),
        ("encoding", judge_mojibake),
        ("encoding", judge_articles),
    )
    for folder, judge in parts:
        if (options.data / folder).is_dir():
            judge(options.data / folder, options.worst)


if __name__ == "__main__":
    main(sys.argv[1:])
