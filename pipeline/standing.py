"""Where a run stands in its output folder; looks without loading Beam, so that ``cleancopy status`` is quick."""

import dataclasses
import enum
import json
from collections.abc import Mapping
from typing import Any, Final

from pipeline.layout import FOLDERS, MANIFEST, REPORT, STAGING, SUCCESS
from pipeline.lease import PREFIX, Claim, claims_in, is_known_alive
from transforms import files
from transforms.errors import UsageError
from transforms.staging import Staging, shards_done

Described = Mapping[str, Any]
"""Of a run: ``run``, ``inputs``, ``configuration``, ``versions``, ``started`` … as in the manifest."""

_NAMES: Final = {*FOLDERS, STAGING, MANIFEST, REPORT, SUCCESS}


class State(enum.StrEnum):
    """What an output folder holds."""

    NONE = "none"
    """Nothing, or nothing that is worth keeping."""
    UNFINISHED = "unfinished"
    FINISHED = "finished"
    OTHER = "other"
    """Something that is not a run's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the run in an output folder stands."""

    output: str
    state: State
    described: Described = dataclasses.field(default_factory=dict)
    """The manifest of a finished run; of an unfinished one what is known of it."""
    begun: int = 0
    """Shards that were begun and are not complete: they are done again."""
    cleaned: int = 0
    written: int = 0
    claims: tuple[Claim, ...] = ()
    leftovers: tuple[str, ...] = ()
    """Names that a killed run left behind and nothing needs."""
    report: str | None = None
    """Where the report of a finished run is, if it is there."""
    is_ours: bool = True
    """Whether there is nothing that a run would not write."""

    def summary(self) -> dict[str, Any]:
        """For ``cleancopy status``: the state, shards or counts, who holds the lease, what comes next."""
        told: dict[str, Any] = {"state": str(self.state), "output": self.output, "run": self.described.get("run")}
        if self.state is State.FINISHED:
            told |= self.described["history"] | {"counts": self.described["counts"], "report": self.report}
        elif self.state is State.UNFINISHED:
            shards = {"all": self.described["shards"], "cleaned": self.cleaned, "written": self.written}
            told |= {"started": self.described["started"], "attempts": self.described["attempts"], "shards": shards}
        leases = [
            {
                **{name: getattr(claim, name) for name in ("host", "pid", "since", "beaten", "held")},
                "life": {True: "alive", False: "dead", None: "cannot tell from here"}[is_known_alive(claim)],
            }
            for claim in self.claims
        ]
        return told | {"leases": leases, "next": self._next()}

    def _next(self) -> str:
        if any(claim.held and is_known_alive(claim) for claim in self.claims):
            return "the same command is refused while this run works"
        watched = (
            "first waits for a sign of life of the lease's holder, then "
            if any(claim.held and is_known_alive(claim) is None for claim in self.claims)
            else ""
        )
        return (
            watched
            + {
                State.NONE: "a run begins",
                State.UNFINISHED: (
                    f"the same command goes on: it takes over {self.cleaned} cleaned and {self.written} written "
                    "shards; another one is refused without --overwrite"
                ),
                State.FINISHED: "a run is refused without --overwrite, which replaces this one",
                State.OTHER: "a run is refused: the folder holds what is not a run's",
            }[self.state]
        )


def finished_manifest(output: str) -> dict[str, Any]:
    """The manifest of a finished run. Raises ``UsageError`` where there is none."""
    names = files.list_names(output)
    if SUCCESS not in names or MANIFEST not in names:
        raise UsageError(f"[{output}] holds no finished run: there is no {SUCCESS}")
    uri = files.join(output, MANIFEST)
    try:
        manifest: dict[str, Any] = json.loads(files.read_bytes(uri))
    except ValueError as error:
        raise UsageError(f"[{uri}] is damaged: {error}") from None
    return manifest


def standing_of(output: str) -> Standing:
    """Look at an output folder; nothing is changed.

    Raises:
        FileError: it cannot be read.
    """
    names = files.list_names(output)
    claims = tuple(claims_in(output))
    left = tuple(name for name in names if name.startswith(".") and name.endswith(".tmp"))
    there = {name for name in names if not name.startswith(PREFIX)} - set(left)
    common: dict[str, Any] = {"output": output, "claims": claims}
    if SUCCESS in there:
        described = json.loads(files.read_bytes(files.join(output, MANIFEST)))
        left += (STAGING,) if STAGING in there else ()
        report = files.join(output, REPORT) if REPORT in there else None
        return Standing(state=State.FINISHED, described=described, report=report, leftovers=left, **common)
    unfinished, garbage = None, []
    for run in files.list_names(files.join(output, STAGING)) if STAGING in there else ():
        staging = Staging(files.join(output, STAGING, run))
        if files.exists(staging.run()):
            unfinished = staging
        else:
            garbage.append(f"{STAGING}/{run}")
    left += tuple(garbage)
    if unfinished:
        done = shards_done(files.list_names(unfinished.uri))
        return Standing(
            state=State.UNFINISHED,
            described=json.loads(files.read_bytes(unfinished.run())),
            begun=len(done.begun - done.cleaned),
            cleaned=len(done.cleaned),
            written=len(done.written),
            leftovers=left,
            **common,
        )
    state = State.NONE if there <= {STAGING} else State.OTHER
    return Standing(state=state, leftovers=left, is_ours=there <= _NAMES, **common)


def tidy(standing: Standing) -> None:
    """Remove what a killed run left behind and nothing needs. To be called by who holds the lease."""
    for name in standing.leftovers:
        files.remove_tree(files.join(standing.output, *name.split("/")))
