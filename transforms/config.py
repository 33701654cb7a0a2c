"""What the stages need to know of a run; frozen, small and picklable."""

import dataclasses
from hashlib import blake2b
from typing import Any, Final, Literal

import pyarrow as pa

from transforms.text.boilerplate import MIN_DIVERSITY, MIN_SUPPORT

Canonical = Literal["earliest", "longest", "preferred"]
Keep = Literal["canonical", "all"]
Decide = Literal["signs", "threshold"]
Updates = Literal["latest", "first", "all"]

MAX_PARTS: Final = 1 << 15
"""Runs in an index, and shards of a run in it: the numbers of both stand in the reference of an article."""
MAX_SHARDS: Final = 1 << 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class DedupConfig:
    """How copies are found and folded."""

    decide: Decide = "signs"
    """``signs``: what differs decides, of all pairs within reach; ``threshold``: the two thresholds alone."""
    threshold: float = 0.7
    """Jaccard of the shingle sets (0–1) from which a pair is sure to be compared, and by threshold is a near copy."""
    containment: float = 0.8
    """Share of an article's shingles (0–1) that stand in a longer one, from which it can be an excerpt of that."""
    updates: Updates = "latest"
    """Which version of a story that one source published again is kept; ``all``: every one."""
    within_days: float | None = None
    """Days between two articles' dates beyond which they are not folded; a missing date is within reach of all."""
    max_cluster: int = 5_000
    """Articles in a cluster, beyond which it is held back: kept unfolded, and reported."""
    shingle: int = 5
    """Words in a shingle; characters where a script has no spaces."""
    num_perm: int = 128
    """Permutations in a MinHash signature."""
    canonical: Canonical = "earliest"
    """Which article of a cluster is kept."""
    prefer_sources: tuple[str, ...] = ()
    """Sources in order of preference, for ``canonical="preferred"``."""
    scale: int = 16
    """One shingle hash in so many is kept in the fingerprint that finds excerpts (FracMinHash)."""
    min_excerpt_shingles: int = 50
    """Shorter articles are never excerpts: a few shared phrases would make them one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LedgerConfig:
    """Whether and from what boilerplate is learned."""

    learn: bool = True
    min_support: int = MIN_SUPPORT
    """Articles of a source that hold a paragraph."""
    min_diversity: int = MIN_DIVERSITY
    """Different neighbours that it has."""
    known: pa.RecordBatch | None = None
    """BOILERPLATE of earlier runs."""

    def described(self) -> dict[str, Any]:
        """What decides the output, as plain values."""
        known = None if self.known is None else self.known.to_pylist()
        return {
            "boilerplate": self.learn,
            "boilerplate_support": self.min_support,
            "boilerplate_diversity": self.min_diversity,
            "known_boilerplate": known and blake2b(repr(known).encode(), digest_size=8).hexdigest(),
        }
