"""Commit: the books must balance, then the manifest, the report and, last, ``_SUCCESS``."""

import dataclasses
import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import apache_beam as beam

from pipeline.index import Indexing, commit_part
from pipeline.layout import FOLDERS, MANIFEST, REPORT, SUCCESS
from pipeline.lease import now
from pipeline.report import build_report
from transforms import files
from transforms.errors import RunFailedError
from transforms.finalise import PartFile, PartTotals
from transforms.index import Window
from transforms.index_part import IndexFile

MIN_SOURCE_ARTICLES: Final = 100
"""Sources with fewer articles may lose them all: three of three are no pattern."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms a run is committed, and what its manifest says of it."""

    output: str
    shards: int
    max_reject_rate: float
    strict: bool
    max_source_loss: float
    claim: str
    """The run's lease: while this file exists, the output folder is the run's."""
    described: dict[str, Any]
    """Inputs, configuration and versions, for the manifest, and the run's history."""
    indexing: Indexing | None = None


@dataclasses.dataclass(eq=False, kw_only=True)
class Commit(beam.PTransform):
    """``PartTotals`` of all shards in; manifest, report and ``_SUCCESS`` are written, or ``RunFailedError`` raised.

    Doing it again changes nothing, so a retried bundle does no harm.
    """

    terms: Terms
    index_files: beam.pvalue.AsList | None = None
    """What was written of the run's part of the index."""
    window: beam.pvalue.AsSingleton | None = None

    def expand(self, parts: beam.PCollection[PartTotals]) -> beam.PCollection[None]:
        """Bring all totals together, then commit."""
        return (
            parts
            | "UnderOneKey" >> beam.Map(lambda totals: (0, totals)).with_output_types(tuple[int, PartTotals])
            | "GroupParts" >> beam.GroupByKey()
            | "CommitRun"
            >> beam.Map(lambda grouped, *told: commit(grouped[1], *told), self.terms, self.index_files, self.window)
        )


def commit(
    parts: Iterable[PartTotals],
    terms: Terms,
    index_files: Iterable[IndexFile] | None = None,
    window: Window | None = None,
) -> None:
    """Check the books and write the manifest, the report, the run's entry in the index, and ``_SUCCESS``.

    Raises:
        RunFailedError: the books do not balance, or more was rejected than the terms allow.
    """
    parts = sorted(parts, key=lambda part: part.counts.shard)
    manifest = make_manifest(parts, terms)
    _check(manifest, terms)
    _check_copies(parts)
    _check_sources(parts, terms)
    _check_holding(terms)
    with ThreadPoolExecutor(1) as pool:  # while the disk writes the files out, which takes as long
        report = pool.submit(build_report, terms.output, manifest)
        _check_files({entry["path"]: entry["bytes"] for entry in manifest["files"]}, terms.output)
    written = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    for name, content in ((MANIFEST, written), (REPORT, report.result()), (SUCCESS, b"")):
        _check_holding(terms)
        if name == SUCCESS and terms.indexing is not None and index_files is not None and window is not None:
            commit_part(terms.indexing, index_files, window)
        files.write_bytes(files.join(terms.output, name), content)
        files.make_durable(files.join(terms.output, name))


def _check_holding(terms: Terms) -> None:
    if not files.exists(terms.claim):
        raise RunFailedError(
            f"another run has taken [{terms.output}] over while this one did not answer; this one was not committed"
        )


def _check_files(named: dict[str, int], output: str) -> None:
    """The parts are there, whole and for good; what a killed run left beside them goes."""
    found: dict[str, files.Entry] = {}
    for folder in FOLDERS:
        uri = files.join(output, folder)
        for entry in files.list_dir(uri) if files.exists(uri) else ():
            path = f"{folder}/{posixpath.basename(entry.uri)}"
            if path not in named:
                files.remove_tree(entry.uri)
                continue
            found[path] = entry
    files.make_durable(*(entry.uri for entry in found.values()))
    sizes = {path: entry.size for path, entry in found.items()}
    for path, size in named.items():
        if sizes.get(path) != size:
            raise RunFailedError(
                f"[{files.join(output, path)}] has [{sizes.get(path)}] bytes and [{size}] were written: something else "
                "writes there. Nothing was committed; run the same again"
            )


def make_manifest(parts: list[PartTotals], terms: Terms) -> dict[str, Any]:
    """The manifest: what was run, what came of it, and the files that belong to the output.

    All but ``history`` follows from input, configuration and versions.
    """
    rejects: Counter[str] = Counter()
    edits: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    for part in parts:
        rejects.update(part.counts.rejects)
        edits.update(part.counts.edits)
        relations.update(part.relations)
    kinds: Counter[str] = Counter()
    for rule, count in edits.items():
        kinds[rule.partition("/")[0]] += count
    told = terms.described
    return {
        **{name: told[name] for name in ("run", "inputs", "ignored_files", "configuration", "versions")},
        "history": {
            "started": told["started"],
            "finished": now(),
            "attempts": told["attempts"],
            "shards_again": told["shards_again"],
        },
        "shards": len(parts),
        "counts": {
            "read": sum(part.counts.read for part in parts),
            "kept": sum(part.kept for part in parts),
            "duplicates": sum(part.folded for part in parts),
            "rejected": sum(part.rejected for part in parts),
            "renamed_ids": sum(part.renamed for part in parts),
            "unread_dates": sum(part.counts.unread_dates for part in parts),
            "duplicates_by_relation": dict(sorted(relations.items())),
            "rejected_by_reason": dict(sorted(rejects.items())),
            "learned_boilerplate": sum(entry.rows for part in parts for entry in part.files if _is_boilerplate(entry)),
            "edits": edits.total(),
            "edits_by_kind": dict(sorted(kinds.items())),
            "edits_by_rule": dict(sorted(edits.items())),
        },
        "unread_date": next((part.counts.unread_date for part in parts if part.counts.unread_date), None),
        "held_back": [held for part in parts for held in part.held],
        "files": [dataclasses.asdict(entry) for part in parts for entry in part.files],
    }


def _is_boilerplate(entry: PartFile) -> bool:
    return entry.path.startswith("boilerplate/")


def _check_copies(parts: Sequence[PartTotals]) -> None:
    listed, folded = (sum(part.claims[side] for part in parts) % 2**64 for side in (0, 1))
    if listed != folded:
        raise RunFailedError(
            "copies were folded into articles that do not list them or are not kept; nothing was committed. This is a "
            "bug: please report it"
        )


def _check_sources(parts: Sequence[PartTotals], terms: Terms) -> None:
    """A source that loses nearly all that it published was hardly a copyist throughout: more likely we are wrong."""
    read: Counter[str] = Counter()
    folded: Counter[str] = Counter()
    for part in parts:
        for source, (articles, copies) in part.sources.items():
            read[source] += articles
            folded[source] += copies
    for source, copies in folded.most_common():
        if read[source] >= MIN_SOURCE_ARTICLES and copies / read[source] > terms.max_source_loss:
            raise RunFailedError(
                f"[{source}] would lose [{copies}] of its [{read[source]}] articles ({copies / read[source]:.1%}), "
                f"over --max-source-loss [{terms.max_source_loss}]; nothing was committed. Look at some of them in "
                f"{files.join(terms.output, 'duplicates')}; allow more, or prefer this source, and "
                "run the same again: what is cleaned is kept"
            )


def _check(manifest: dict[str, Any], terms: Terms) -> None:
    counts = manifest["counts"]
    read, rejected = counts["read"], counts["rejected"]
    accounted = counts["kept"] + counts["duplicates"] + rejected
    if accounted != read:
        raise RunFailedError(
            f"the books do not balance: kept [{counts['kept']}] + duplicates [{counts['duplicates']}] + rejected "
            f"[{rejected}] = {accounted}, read [{read}]; nothing was committed. This is a bug: please report it"
        )
    by_reason = counts["rejected_by_reason"]
    if terms.strict and by_reason.get("unreadable_file"):
        raise RunFailedError(
            f"[{by_reason['unreadable_file']}] files could not be read whole, and --strict allows none; nothing was "
            f"committed. See {files.join(terms.output, 'rejects')}"
        )
    if read and rejected / read > terms.max_reject_rate:
        reason, most = max(by_reason.items(), key=lambda item: (item[1], item[0]))
        raise RunFailedError(
            f"[{rejected}] of [{read}] records ({rejected / read:.1%}) were rejected, over --max-reject-rate "
            f"[{terms.max_reject_rate}]; most often [{reason}], "
            f"{_times(most)}{_example(manifest, reason, terms.output)}. Nothing was committed. See "
            f"{files.join(terms.output, 'rejects')}; mend the input, or allow more and run the same again: what is "
            "cleaned is kept"
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _example(manifest: dict[str, Any], reason: str, output: str) -> str:
    """Where the first reject of a reason stands, and what is wrong with it."""
    for entry in manifest["files"]:
        if entry["path"].startswith("rejects/"):
            for batch in files.read_parquet(files.join(output, entry["path"]), ["input", "reason", "detail"]):
                for row in batch.to_pylist():
                    if row["reason"] == reason:
                        return f", as in [{row['input']}]: {row['detail']}"
    return ""
