"""A lease on an output folder: one run at a time, and a run that crashed does not hold it for long.

Each run writes a claim of its own into the folder, ``_lease-3f9c….json``, and looks at those of others. Nothing is
renamed or created exclusively, so it is the same on a disk and in an object store; all that is assumed is that who
writes and then lists sees what others wrote before.

- Who finds the claim of a run that holds the folder and lives is refused. Who finds that of another contender takes
  its own back and tries again a little later, so of two that start at once at most one gets through.
- The holder writes its claim anew every ``BEAT_SECONDS``. On one host a claim is dead when its process is. Elsewhere it
  is dead when it did not change for ``SILENCE_SECONDS`` **while the other looked on**: the times in a claim are for
  people, no decision rests on them, and a clock that jumps changes nothing.
- A holder that finds its claim gone (its machine slept, say, and another run took over) stops, and the commit looks
  once more: without its claim a run is never committed.
"""

import contextlib
import dataclasses
import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from transforms import files
from transforms.errors import RunFailedError

PREFIX: Final = "_lease-"
BEAT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 60.0
_TRIES: Final = 8


class LeaseError(RunFailedError):
    """Another run holds the folder, or took it over."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """What a run says of itself in the folder that it works in."""

    name: str
    """Of the claim's file."""
    host: str
    pid: int
    place: str
    """Boot, process namespace and start of the process: who is at the same place can tell whether the process lives."""
    since: str
    beat: int
    beaten: str
    """When ``beat`` was last counted up, by the clock of ``host``; for people."""
    held: bool
    """Whether the run holds the folder, or is still contending for it."""

    def __str__(self) -> str:
        """Who it is, for a message."""
        return f"process {self.pid} on {self.host}, since {self.since}, last beat {self.beaten}"


def claims_in(output: str) -> list[Claim]:
    """The claims that lie in a folder, dead ones too; one that cannot be read is left out."""
    found = []
    for name in files.list_names(output):
        if name.startswith(PREFIX) and name.endswith(".json"):
            with contextlib.suppress(files.FileError, ValueError, TypeError):  # it has gone meanwhile, or is not ours
                found.append(Claim(**json.loads(files.read_bytes(files.join(output, name)))))
    return found


def is_known_alive(claim: Claim) -> bool | None:
    """Whether the process of a claim lives; ``None`` where that cannot be told from here."""
    here = _place(os.getpid())
    if not here or _namespace(claim.place) != _namespace(here):
        return None
    return _place(claim.pid) == claim.place


class Lease:
    """A lease on an output folder; made by :func:`acquire`.

    After ``release`` or a crash another run may have the folder.
    """

    def __init__(self, output: str) -> None:
        self._output = output
        since = now()
        self._claim = Claim(
            name=f"{PREFIX}{uuid.uuid4().hex}.json",
            host=socket.gethostname(),
            pid=os.getpid(),
            place=_place(os.getpid()),
            since=since,
            beat=0,
            beaten=since,
            held=False,
        )

    @property
    def uri(self) -> str:
        """Of the claim: as long as it exists, the folder is ours."""
        return files.join(self._output, self._claim.name)

    def _write(self, *, held: bool) -> None:
        self._claim = dataclasses.replace(self._claim, beat=self._claim.beat + 1, beaten=now(), held=held)
        files.write_bytes(self.uri, json.dumps(dataclasses.asdict(self._claim)).encode())

    def _others(self) -> list[Claim]:
        return [claim for claim in claims_in(self._output) if claim.name != self._claim.name]

    def beat(self) -> None:
        """Show that the run lives.

        Raises:
            LeaseError: another run has taken the folder over.
        """
        # Its own claim first: writing it again would hide that it was taken away.
        if not files.exists(self.uri) or any(claim.held for claim in self._others()):
            raise LeaseError(
                f"another run has taken [{self._output}] over while this one did not answer; it stops here"
            )
        self._write(held=True)

    def release(self) -> None:
        """Give the folder free; what cannot be removed falls silent by itself."""
        with contextlib.suppress(files.FileError, RunFailedError):
            files.remove_tree(self.uri)

    @contextlib.contextmanager
    def beating(self, lost: Callable[[LeaseError], None]) -> Iterator[None]:
        """Beat from a thread while the block runs; ``lost`` is called, there, when another run took over."""
        stop = threading.Event()

        def keep() -> None:
            while not stop.wait(BEAT_SECONDS):
                try:
                    self.beat()
                except LeaseError as error:
                    lost(error)
                    return
                except (files.FileError, RunFailedError):
                    continue  # a full disk or a store that is away for a while: the next beat may do

        thread = threading.Thread(target=keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def acquire(
    output: str, say: Callable[[str], None] = lambda _: None, wait: Callable[[float], None] = time.sleep
) -> Iterator[Lease]:
    """Hold the lease on a folder while the block runs.

    ``say`` is told when a claim of another host has to be watched, for up to ``SILENCE_SECONDS``; ``wait`` sleeps.

    Raises:
        LeaseError: another run holds the folder; the message tells who.
    """
    lease = Lease(output)
    try:
        for number in range(_TRIES):
            # Who is refused leaves no trace: look before writing.
            _refuse_or_clear(output, lease._others(), say, wait)
            lease._write(held=False)
            others = lease._others()
            if not others:
                lease._write(held=True)
                break
            lease.release()
            _refuse_or_clear(output, [claim for claim in others if claim.held], say, wait)
            wait(random.uniform(0.1, 0.5) * (number + 1))
        else:
            raise LeaseError(f"other runs start in [{output}] at the same moment; run the same again")
        yield lease
    finally:
        lease.release()


def _refuse_or_clear(
    output: str, others: list[Claim], say: Callable[[str], None], wait: Callable[[float], None]
) -> None:
    """Remove the claims of others if they are dead; refuse if one that holds the folder lives."""
    for claim in others:
        alive = is_known_alive(claim)
        if alive is None:
            say(f"[{output}] was held by {claim}; waiting up to {SILENCE_SECONDS:.0f} s for a sign of life")
            alive = _is_seen_alive(output, claim, wait)
        if not alive:
            files.remove_tree(files.join(output, claim.name))
        elif claim.held:
            raise LeaseError(
                f"another run works in [{output}]: {claim}; wait until it has ended, or choose another --output"
            )


def _is_seen_alive(output: str, claim: Claim, wait: Callable[[float], None]) -> bool:
    """Whether the claim changes, or is taken back, before it was silent for too long."""
    watched = 0.0
    while watched < SILENCE_SECONDS:
        wait(BEAT_SECONDS / 2)
        watched += BEAT_SECONDS / 2
        beats = [other.beat for other in claims_in(output) if other.name == claim.name]
        if not beats:
            return False  # its run has ended
        if beats != [claim.beat]:
            return True
    return False


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _place(pid: int) -> str:
    """``"<boot> <process namespace> <start>"`` of a process here; empty where it does not live, or nothing is told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        # The name in parentheses may hold anything, so count from the last one: state is the 3rd field, start the 22nd.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else f"{boot} {Path('/proc/self/ns/pid').readlink()} {fields[19]}"
    except (OSError, IndexError):
        return ""


def _namespace(place: str) -> str:
    return place.rpartition(" ")[0]
