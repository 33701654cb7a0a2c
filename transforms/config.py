"""What the stages need to know of a run; frozen, small and picklable."""

import dataclasses
from typing import Literal

Canonical = Literal["earliest", "longest", "preferred"]
Keep = Literal["canonical", "all"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DedupConfig:
    """How copies are found and folded."""

    threshold: float = 0.7
    """Jaccard of the shingle sets (0–1) from which two articles are near copies."""
    containment: float = 0.8
    """Share of an article's shingles (0–1) that stand in a longer one, from which it is an excerpt of that."""
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
