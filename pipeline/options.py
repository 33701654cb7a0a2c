"""Flags, TOML and defaults become one frozen, validated ``Config``."""

import dataclasses
import difflib
import functools
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from transforms.config import DedupConfig, Keep, LedgerConfig
from transforms.errors import UsageError
from transforms.text.clean import CleanConfig

DEFAULT_MAX_REJECT_RATE = 0.05
DEFAULT_MAX_SOURCE_LOSS = 0.95


_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "threshold": (0.05, 1.0),
    "containment": (0.3, 1.0),
    "max_reject_rate": (0.0, 1.0),
    "max_source_loss": (0.0, 1.0),
    "shingle": (1, 64),
    "max_cluster": (2, 10**9),
    "num_perm": (16, 1024),
    "boilerplate_support": (2, 1_000_000),
    "boilerplate_diversity": (2, 1_000_000),
    "workers": (0, 1024),
    "index_window": (0, 36_500),
}


def check_limits(**values: float) -> None:
    """Raise ``UsageError`` where the number of a flag is out of its range."""
    for name, value in values.items():
        low, high = _LIMITS[name]
        if not low <= value <= high:
            raise UsageError(f"--{name.replace('_', '-')} [{value}] must lie between {low} and {high}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Everything a run needs to know; see ``cleancopy run --help`` for the meaning of each."""

    inputs: tuple[str, ...]
    output: str
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    clean: CleanConfig = dataclasses.field(default_factory=CleanConfig)
    dedup: DedupConfig = dataclasses.field(default_factory=DedupConfig)
    ledger: LedgerConfig = dataclasses.field(default_factory=LedgerConfig)
    keep: Keep = "canonical"
    index: str = ""
    """Folder of the index across runs; empty = none."""
    index_window: int = 30
    """Days."""
    index_run: str = ""
    """Name of this run in the index; empty = by input and output."""
    workers: int = 0
    """Worker processes; 0 = one per core."""
    max_reject_rate: float = DEFAULT_MAX_REJECT_RATE
    max_source_loss: float = DEFAULT_MAX_SOURCE_LOSS
    """Share of a source's articles (0–1) that may be folded, of sources with a hundred or more."""
    strict: bool = False
    overwrite: bool = False
    runner: str = "DirectRunner"
    beam_args: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.output or not all(self.inputs):  # as of a shell's variable that is not set
            raise UsageError("--output and each INPUT must name something; one of them is empty")
        check_limits(
            threshold=self.dedup.threshold,
            containment=self.dedup.containment,
            max_reject_rate=self.max_reject_rate,
            max_source_loss=self.max_source_loss,
            shingle=self.dedup.shingle,
            max_cluster=self.dedup.max_cluster,
            num_perm=self.dedup.num_perm,
            boilerplate_support=self.ledger.min_support,
            boilerplate_diversity=self.ledger.min_diversity,
            workers=self.workers,
            index_window=self.index_window,
        )
        if self.dedup.canonical == "preferred" and not self.dedup.prefer_sources:
            raise UsageError("--canonical preferred needs the sources in order: --prefer-sources a.example,b.example")
        if self.dedup.prefer_sources and self.dedup.canonical != "preferred":
            raise UsageError("--prefer-sources counts for nothing without --canonical preferred; give both or neither")
        if self.index_run and not self.index:
            raise UsageError(f"--index-run [{self.index_run}] names a run in an index; give --index DIR as well")

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine alone, under Beam's local runner."""
        return self.runner in ("DirectRunner", "FnApiRunner")

    @property
    def worker_count(self) -> int:
        """Worker processes to start."""
        return self.workers or len(os.sched_getaffinity(0))

    def described(self) -> dict[str, Any]:
        """What decides the output, as plain values: for the manifest and the fingerprint."""
        rules = self.clean.rules
        return {
            "columns": dict(self.columns),
            "quotes": self.clean.quotes,
            "rules": hashlib.blake2b(rules.read_bytes(), digest_size=8).hexdigest() if rules else None,
            "keep": self.keep,
            **dataclasses.asdict(self.dedup),
            **self.ledger.described(),
            **(
                {"index": self.index, "index_window": self.index_window, "index_run": self.index_run}
                if self.index
                else {}
            ),
        }


def versions() -> dict[str, str]:
    """Versions of what decides the output."""
    names = ("cleancopy", "ftfy", "charset-normalizer", "pyarrow", "apache-beam")
    return {name: version(name) for name in names} | {"code": _code()}


@functools.cache
def _code() -> str:
    """Digest of our own code and rules: a version that is worked on changes without a number."""
    digest = hashlib.blake2b(digest_size=8)
    top = Path(__file__).parents[1]
    for path in sorted(path for folder in ("pipeline", "transforms") for path in (top / folder).rglob("*.[pt][yo]*")):
        if path.suffix in (".py", ".toml"):
            digest.update(str(path.relative_to(top)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fingerprint(config: Config, splits: Sequence[Any]) -> str:
    """16 hex digits that tell this run from one of another configuration, version or input."""
    described = json.dumps([config.described(), versions(), [repr(split) for split in splits]], sort_keys=True)
    return hashlib.blake2b(described.encode(), digest_size=8).hexdigest()


def parse_columns(value: str) -> dict[str, str]:
    """``"text=body,id=guid"`` → ``{"text": "body", "id": "guid"}``.

    Raises:
        UsageError: not of that form, or the field is none of ours or given twice.
    """
    fields = ("id", "url", "source", "title", "published", "text")
    columns: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in value.split(","))):
        field, separator, name = pair.partition("=")
        if not separator or not name:
            raise UsageError(f"--columns [{pair}] is not of the form FIELD=COLUMN, for example text=body")
        if field not in fields:
            raise UsageError(f"--columns [{field}] is no field; the fields are {', '.join(fields)}")
        if field in columns:
            raise UsageError(
                f"--columns [{field}] is named twice, as [{columns[field]}] and [{name}]; name one of them"
            )
        columns[field] = name
    return columns


_SPAN: Final = re.compile(r"(\d{1,6}(?:\.\d+)?)([hdw]?)")
_DAYS: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "": 1.0}


def parse_span(flag: str, value: str) -> float:
    """Days of ``12h``, ``30d``, ``6w`` or a plain number of days; ``UsageError`` for anything else.

    >>> [parse_span("--within", value) for value in ("12h", "30d", "6w", "1.5")]
    [0.5, 30.0, 42.0, 1.5]
    """
    found = _SPAN.fullmatch(value.strip())
    if not found:
        raise UsageError(f"{flag} [{value}] is no span of time; write hours, days or weeks as 12h, 30d or 6w")
    return float(found[1]) * _DAYS[found[2]]


def parse_window(flag: str, value: str) -> int:
    """A span in whole days, which is what runs in an index are dated by; a part of a day counts as one.

    >>> parse_window("--index-window", "6w"), parse_window("--index-window", "12h")
    (42, 1)
    """
    return math.ceil(parse_span(flag, value))


_RUN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_run_name(name: str) -> str:
    """The name, if it can be that of a run in an index; ``UsageError`` if not."""
    if not _RUN_NAME.fullmatch(name):
        raise UsageError(
            f"--index-run [{name}] must be letters, digits, [.], [_] and [-], at most 100, the first a letter or digit"
        )
    return name


def check_beam_args(args: Sequence[str]) -> tuple[str, ...]:
    """Flags that are not ours, if Beam knows every one of them.

    Raises:
        UsageError: Beam does not know one; the message offers the nearest flag of ours or Beam's.
    """
    if not args:
        return ()
    from apache_beam.options.pipeline_options import PipelineOptions

    parser = _beam_parser(PipelineOptions)
    normal = [_snake(argument) for argument in args]
    _, unknown = parser.parse_known_args(normal)
    if unknown:
        known = [flag for action in parser._actions for flag in action.option_strings]
        flag = unknown[0].split("=")[0]
        near = difflib.get_close_matches(flag, [*known, *OWN_FLAGS], n=1)
        hint = f"; did you mean {near[0]}?" if near else "; see cleancopy run --help"
        raise UsageError(f"no such option: {flag}{hint}")
    return tuple(normal)


OWN_FLAGS: list[str] = []
"""Filled by the command line with the flags of ``run``."""


def _snake(argument: str) -> str:
    """Beam's flags are written with underscores; ``--temp-location`` works as well."""
    if not argument.startswith("--"):
        return argument
    flag, separator, value = argument.partition("=")
    return "--" + flag[2:].replace("-", "_") + separator + value


def _beam_parser(options: Any) -> Any:
    """An argument parser with the options of all of Beam's runners."""
    from apache_beam.options.pipeline_options import _BeamArgumentParser

    parser = _BeamArgumentParser(allow_abbrev=False, add_help=False)
    for subclass in sorted(set(options.__subclasses__()), key=lambda kind: kind.__name__):
        subclass._add_argparse_args(parser)
    return parser


def is_local(uri: str) -> bool:
    """Whether a path or URI is on a local file system."""
    return "://" not in uri or uri.startswith("file://")


def expand_user(uri: str) -> str:
    """``~`` in a local path."""
    return str(Path(uri).expanduser()) if is_local(uri) and uri.startswith("~") else uri
