"""Where the stages leave their files: names only, nothing is opened here."""

import dataclasses

from transforms.files import join


@dataclasses.dataclass(frozen=True)
class Staging:
    """The staging folder of a run; one set of files per shard."""

    uri: str

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
        """Written when the shard's part of the output is: for progress alone."""
        return join(self.uri, f"shard-{shard:05d}.finished")
