"""What came of a run as a file for the text-file collector of Prometheus' node_exporter.

Plain text of the exposition format 0.0.4. Every sample has the label ``name``, the file's own name without its ending:
the collector refuses two files that give the same sample.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from transforms import files

Samples = Iterable[tuple[Mapping[str, str], float]]

_PREFIX: Final = "cleancopy_"
_SUCCEEDED: Final = "last_success_timestamp_seconds"
_EARLIER: Final = re.compile(rf"^{_PREFIX}{_SUCCEEDED}\{{.*\}} (\S+)$", re.MULTILINE)
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Outcome(NamedTuple):
    """How a run ended."""

    started: float
    """Seconds since 1970, as ``finished``."""
    finished: float
    seconds: float
    """How long it took, whatever became of the clock."""
    exit_code: int
    manifest: Mapping[str, Any] | None
    """``None`` unless it succeeded."""


def write_metrics(path: Path, outcome: Outcome) -> None:
    """Write the file; it appears whole or stays as it was.

    Raises:
        FileError: it cannot be written.
    """
    succeeded = outcome.finished if outcome.exit_code == 0 else _earlier_success(path)
    files.write_bytes(str(path), render_metrics(outcome, path.stem, succeeded).encode())


def render_metrics(outcome: Outcome, name: str, succeeded: float | None) -> str:
    r"""Return the text of the file; ``succeeded`` is when a run last did.

    >>> print(render_metrics(Outcome(5.0, 7.5, 2.5, 1, None), "nightly", None).splitlines()[2])
    cleancopy_last_run_success{name="nightly"} 0
    """
    return "".join(
        line
        for metric, meaning, samples in _metrics(outcome, succeeded)
        for line in (
            f"# HELP {_PREFIX}{metric} {meaning}\n# TYPE {_PREFIX}{metric} gauge\n",
            *(f"{_PREFIX}{metric}{_labels({'name': name, **labels})} {value!r}\n" for labels, value in samples),
        )
    )


def _metrics(outcome: Outcome, succeeded: float | None) -> Iterator[tuple[str, str, Samples]]:
    def one(value: float) -> Samples:
        return [({}, value)]

    yield "last_run_success", "Whether the last run succeeded.", one(int(outcome.exit_code == 0))
    yield "last_run_exit_code", "Exit code of the last run.", one(outcome.exit_code)
    yield "last_run_start_timestamp_seconds", "When the last run began.", one(outcome.started)
    yield "last_run_end_timestamp_seconds", "When the last run ended.", one(outcome.finished)
    yield "last_run_duration_seconds", "How long the last run took.", one(outcome.seconds)
    if succeeded is not None:
        yield _SUCCEEDED, "When a run last succeeded; kept when one fails.", one(succeeded)
    if outcome.manifest is None:
        return
    counts = outcome.manifest["counts"]
    yield "last_run_read_records", "Records read; kept, duplicates and rejected add up to them.", one(counts["read"])
    yield "last_run_kept_articles", "Articles kept.", one(counts["kept"])
    for metric, meaning, label, group in (
        ("last_run_duplicate_articles", "Articles folded into another one.", "relation", "duplicates_by_relation"),
        ("last_run_rejected_records", "Records that could not be used.", "reason", "rejected_by_reason"),
        ("last_run_edits", "Changes of texts.", "kind", "edits_by_kind"),
    ):
        yield metric, meaning, [({label: value}, count) for value, count in counts[group].items()]
    yield "last_run_held_back_clusters", "Clusters kept unfolded.", one(len(outcome.manifest["held_back"]))
    yield "last_run_ignored_files", "Files of other kinds.", one(outcome.manifest["ignored_files"])
    yield "last_run_shards", "Shards of the run.", one(outcome.manifest["shards"])
    history = outcome.manifest["history"]
    yield "last_run_attempts", "Times the run was started until it succeeded.", one(history["attempts"])
    yield "last_run_shards_again", "Shards done again after a crash.", one(history["shards_again"])


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items()) + "}"


def _earlier_success(path: Path) -> float | None:
    """What the file of an earlier run says of that."""
    try:
        found = _EARLIER.search(files.read_bytes(str(path)).decode())
        return float(found[1]) if found else None
    except (files.FileError, ValueError):
        return None
