"""Where the stages leave their files: names only, nothing is opened here."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from transforms.files import join

PARTITIONS: Final = 32
"""Of columns (``transforms.exchange``), at the most, and in every index. A power of two, like any number of them."""

_SHARD: Final = re.compile(r"\.?shard-(\d+)\.(.+)")


class ShardsDone(NamedTuple):
    """Shards by how far they are."""

    begun: set[int]
    """All of which there is something."""
    cleaned: set[int]
    written: set[int]
    """Their part of the output is there."""


def shards_done(names: Iterable[str]) -> ShardsDone:
    """Tell from the names in a staging folder which shards are how far.

    >>> shards_done(["run.json", "shard-00001.json", ".shard-00002.edits.parquet.5f.tmp"])
    ShardsDone(begun={1, 2}, cleaned={1}, written=set())
    """
    done = ShardsDone(set(), set(), set())
    for name in names:
        if found := _SHARD.fullmatch(name):
            shard, ending = int(found[1]), found[2]
            done.begun.add(shard)
            if ending == "json":
                done.cleaned.add(shard)
            elif ending == "finished":
                done.written.add(shard)
    return done


@dataclasses.dataclass(frozen=True)
class Staging:
    """The staging folder of a run; one set of files per shard."""

    uri: str
    partitions: int = PARTITIONS
    """That columns are exchanged in (``transforms.exchange``)."""

    def run(self) -> str:
        """What the run is: written first and removed first, so that a folder without it can be thrown away."""
        return join(self.uri, "run.json")

    def begun(self, shard: int) -> str:
        """Written first: a shard with this file and without counts was in work when its run was killed."""
        return join(self.uri, f"shard-{shard:05d}.begun")

    def articles(self, shard: int) -> str:
        """The shard's cleaned articles (``STAGED``)."""
        return join(self.uri, f"shard-{shard:05d}.articles.parquet")

    def edits(self, shard: int) -> str:
        """The shard's edits (``EDITS``), in the order of its articles."""
        return join(self.uri, f"shard-{shard:05d}.edits.parquet")

    def rejects(self, shard: int) -> str:
        """The shard's rejects (``STAGED_REJECTS``)."""
        return join(self.uri, f"shard-{shard:05d}.rejects.parquet")

    def counts(self, shard: int) -> str:
        """Written last: a shard with this file is complete."""
        return join(self.uri, f"shard-{shard:05d}.json")

    def words(self, shard: int) -> str:
        """Words of the shard's articles (``WORDS``)."""
        return join(self.uri, f"shard-{shard:05d}.words.parquet")

    def overlay(self, shard: int) -> str:
        """Articles of the shard that lost boilerplate (``OVERLAY``); no file where none did."""
        return join(self.uri, f"shard-{shard:05d}.overlay.parquet")

    def overlay_edits(self, shard: int) -> str:
        """The edits that made the overlay (``EDITS``), in its order."""
        return join(self.uri, f"shard-{shard:05d}.overlay-edits.parquet")

    def exchange(self, what: str, number: int) -> str:
        """Columns on their way to another stage (``transforms.exchange``), by the shard or partition they come from."""
        return join(self.uri, "exchange", f"{what}-{number:05d}.parquet")

    def finished(self, shard: int) -> str:
        """What the shard contributed to the output, written when its part of it is: a shard with this file is done."""
        return join(self.uri, f"shard-{shard:05d}.finished")
