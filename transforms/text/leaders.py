"""Leader clustering inside one component: which article each copy is folded into, and as what.

Articles are taken in the canonical order. Each one joins the first leader that it is near to, or that has
its text; failing that the first larger leader that contains it; failing that it leads, and smaller leaders
that it contains fold into it. The followers of a leader that folded are taken again in the same way. So every
copy was compared directly with the leader that it ends with, and leaders are neither near to nor excerpts of
one another. (Leader clustering: Hartigan 1975, "Clustering Algorithms", chapter 3.)
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.text.shingles import kernel, read_only
from transforms.text.similarity import containment, jaccard, shared_if_at_least

CANONICAL, EXACT, NEAR, EXCERPT = range(4)
"""Relation of an article to its leader, as in the column ``relation`` of ``duplicates``."""


class Thresholds(NamedTuple):
    """When one article is a copy of another."""

    min_jaccard: float = 0.7
    """Near: |A∩B| / |A∪B| of the shingle sets is at least this, above 0 and at most 1."""
    min_containment: float = 0.8
    """Excerpt: at least this part of its shingles is in an article with more, above 0 and at most 1."""
    min_excerpt_shingles: int = 50
    """Articles with fewer distinct shingles are no excerpts: a stock phrase is in many stories."""


class Leaders(NamedTuple):
    """The outcome by article; a leader is its own leader, CANONICAL, with 1.0 in both measures."""

    leader: npt.NDArray[np.int64]
    relation: npt.NDArray[np.uint8]
    jaccard: npt.NDArray[np.float64]
    containment: npt.NDArray[np.float64]
    """|A∩B| / min(|A|, |B|); for an excerpt the part of its shingles that its leader has."""


def cluster_by_leader(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    text_group: npt.NDArray[np.int64],
    thresholds: Thresholds,
) -> Leaders:
    """Cluster m articles that stand in the canonical order, best first.

    Article i has the sorted distinct shingle hashes ``hashes[offsets[i]:offsets[i + 1]]``; articles with
    equal ``text_group`` have the same cleaned text and so the same shingles. An article without shingles is
    a copy only of the same text, with 1.0 in both measures. Raises ``ValueError`` for thresholds out of
    range and for arrays that do not fit together.

    >>> hashes = np.array([1, 2, 3, 4, 1, 2, 3, 1, 2, 3, 4], np.uint64)  # 1 2 3 4; 1 2 3; 1 2 3 4
    >>> found = cluster_by_leader(hashes, np.array([0, 4, 7, 11]), np.array([8, 9, 8]), Thresholds())
    >>> found.leader.tolist(), found.relation.tolist(), found.jaccard.tolist()
    ([0, 0, 0], [0, 2, 1], [1.0, 0.75, 1.0])
    """
    for name in ("min_jaccard", "min_containment"):
        if not 0 < (value := getattr(thresholds, name)) <= 1:
            raise ValueError(f"{name} [{value}] must be above 0 and at most 1")
    if offsets.size != text_group.size + 1:
        raise ValueError(f"[{offsets.size}] offsets do not fit [{text_group.size}] articles; expected one more")
    found = _cluster(
        read_only(np.ascontiguousarray(hashes, np.uint64)),
        read_only(np.ascontiguousarray(offsets, np.int64)),
        read_only(np.ascontiguousarray(text_group, np.int64)),
        *thresholds,
    )
    return Leaders(*found)


class Earlier(NamedTuple):
    """What of articles decided before each new one is a copy of, or holds; -1 in ``leader`` where nothing."""

    leader: npt.NDArray[np.int64]
    relation: npt.NDArray[np.uint8]
    """EXACT, NEAR, EXCERPT, or CANONICAL where the new article holds the earlier one and more."""
    jaccard: npt.NDArray[np.float64]
    containment: npt.NDArray[np.float64]


def match_earlier(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    text_group: npt.NDArray[np.int64],
    earlier: int,
    thresholds: Thresholds,
) -> Earlier:
    """Compare each article behind the first ``earlier`` ones with those; they stand as they are.

    Arguments as of :func:`cluster_by_leader`, outcome by new article. Each has the first earlier article that it is
    near to or has the text of, failing that the first that contains it, failing that the first that it contains.

    >>> hashes = np.array([1, 2, 3, 1, 2, 3, 4, 5], np.uint64)  # 1 2 3; 1 2 3 4 5
    >>> found = match_earlier(hashes, np.array([0, 3, 8]), np.array([0, 1]), 1, Thresholds(0.7, 0.8, 3))
    >>> found.leader.tolist(), found.relation.tolist(), found.containment.tolist()
    ([0], [0], [1.0])
    """
    found = _match_earlier(
        read_only(np.ascontiguousarray(hashes, np.uint64)),
        read_only(np.ascontiguousarray(offsets, np.int64)),
        read_only(np.ascontiguousarray(text_group, np.int64)),
        earlier,
        *thresholds,
    )
    return Earlier(*found)


@kernel
def _match_earlier(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    text_group: npt.NDArray[np.int64],
    earlier: int,
    min_jaccard: float,
    min_containment: float,
    min_excerpt_shingles: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    new = text_group.size - earlier
    leader = np.full(new, -1, np.int64)
    relation = np.full(new, CANONICAL, np.uint8)
    jaccards = np.zeros(new, np.float64)
    containments = np.zeros(new, np.float64)
    for article in range(new):
        own = hashes[offsets[earlier + article] : offsets[earlier + article + 1]]
        for other in range(earlier):
            others = hashes[offsets[other] : offsets[other + 1]]
            if text_group[other] == text_group[earlier + article]:
                leader[article], relation[article], jaccards[article], containments[article] = other, EXACT, 1.0, 1.0
                break
            for_near = _least_shared_near(own.size, others.size, min_jaccard)
            for_excerpt = _NEVER
            if leader[article] < 0 or (relation[article] == CANONICAL and own.size < others.size):
                for_excerpt = _least_shared_excerpt(own.size, others.size, min_containment, min_excerpt_shingles)
            needed = min(for_near, for_excerpt)
            if needed > min(own.size, others.size):
                continue
            shared = shared_if_at_least(needed, own, others)
            if shared < needed:
                continue
            leader[article] = other
            jaccards[article] = jaccard(shared, own.size, others.size)
            containments[article] = containment(shared, own.size, others.size)
            if shared >= for_near:
                relation[article] = NEAR
                break
            relation[article] = EXCERPT if own.size < others.size else CANONICAL
    return leader, relation, jaccards, containments


_MIN_BITS, _MAX_BITS = 256, 8192
_NEVER = 1 << 62  # shared shingles


@kernel
def _cluster(
    hashes: npt.NDArray[np.uint64],
    offsets: npt.NDArray[np.int64],
    text_group: npt.NDArray[np.int64],
    min_jaccard: float,
    min_containment: float,
    min_excerpt_shingles: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    articles = text_group.size
    leader = np.full(articles, -1, np.int64)
    relation = np.full(articles, CANONICAL, np.uint8)
    jaccards = np.ones(articles, np.float64)
    containments = np.ones(articles, np.float64)

    bits = bitmap_bits(articles, hashes.size)
    bitmap = np.empty(bits // 64, np.uint64)
    doubled = np.empty(articles, np.int64)
    # The leaders of the moment in canonical order, and a bitmap of each; the first `count` places are used.
    leaders = np.empty(16, np.int64)
    bitmaps = np.empty((16, bits // 64), np.uint64)
    count = 0
    # Places of the leaders that the article at hand contains, and what they share with it.
    contained = np.empty(16, np.int64)
    contained_shared = np.empty(16, np.int64)

    # This ends: the set of leaders changes only when an article becomes one, which adds its size to theirs
    # and removes only smaller ones, so their sizes, from the largest down, move up in lexicographic order,
    # and that cannot go on for ever. Between two such changes every article is placed at most once.
    changed = True
    while changed:
        changed = False
        for article in range(articles):
            if leader[article] >= 0 and leader[leader[article]] == leader[article]:
                continue
            changed = True
            own = hashes[offsets[article] : offsets[article + 1]]
            doubled[article] = fill_bitmap(bitmap, own)
            home, home_shared, home_relation = article, own.size, CANONICAL
            folds = 0
            for place in range(count):
                other = leaders[place]
                if text_group[other] == text_group[article]:
                    home, home_shared, home_relation = other, own.size, EXACT
                    break
                others = hashes[offsets[other] : offsets[other + 1]]
                for_near = _least_shared_near(own.size, others.size, min_jaccard)
                for_excerpt = _NEVER
                if home == article:
                    for_excerpt = _least_shared_excerpt(own.size, others.size, min_containment, min_excerpt_shingles)
                needed = min(for_near, for_excerpt)
                smaller = min(own.size, others.size)
                if needed > smaller or needed > most_shared(bitmap, bitmaps[place], doubled[article], doubled[other]):
                    continue
                shared = shared_if_at_least(needed, own, others)
                if shared >= for_near:
                    home, home_shared, home_relation = other, shared, NEAR
                    break
                if shared >= for_excerpt:
                    if own.size < others.size:
                        home, home_shared, home_relation = other, shared, EXCERPT
                    else:
                        contained[folds], contained_shared[folds] = place, shared
                        folds += 1
            _record(article, home, home_shared, home_relation, offsets, leader, relation, jaccards, containments)
            if home != article:
                continue
            kept = 0
            fold = 0
            for place in range(count):
                if fold < folds and contained[fold] == place:
                    shared = contained_shared[fold]
                    other = leaders[place]
                    _record(other, article, shared, EXCERPT, offsets, leader, relation, jaccards, containments)
                    fold += 1
                else:
                    leaders[kept] = leaders[place]
                    bitmaps[kept] = bitmaps[place]
                    kept += 1
            count = kept
            if count == leaders.size:
                leaders, contained, contained_shared = (
                    _grown(leaders),
                    _grown(contained),
                    _grown(contained_shared),
                )
                larger_bitmaps = np.empty((2 * count, bits // 64), np.uint64)
                larger_bitmaps[:count] = bitmaps
                bitmaps = larger_bitmaps
            place = count
            while place > 0 and leaders[place - 1] > article:
                leaders[place] = leaders[place - 1]
                bitmaps[place] = bitmaps[place - 1]
                place -= 1
            leaders[place] = article
            bitmaps[place] = bitmap
            count += 1
    return leader, relation, jaccards, containments


@kernel
def _record(
    article: int,
    home: int,
    shared: int,
    kind: int,
    offsets: npt.NDArray[np.int64],
    leader: npt.NDArray[np.int64],
    relation: npt.NDArray[np.uint8],
    jaccards: npt.NDArray[np.float64],
    containments: npt.NDArray[np.float64],
) -> None:
    size, home_size = offsets[article + 1] - offsets[article], offsets[home + 1] - offsets[home]
    leader[article] = home
    relation[article] = kind
    # Without shingles only the same text is a copy, and it is wholly so.
    jaccards[article] = jaccard(shared, size, home_size) if size else 1.0
    containments[article] = containment(shared, size, home_size) if size else 1.0


@kernel
def _grown(array: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    larger = np.empty(2 * array.size, np.int64)
    larger[: array.size] = array
    return larger


@kernel
def _least_shared_near(left: int, right: int, min_jaccard: float) -> int:
    """Fewest shared shingles that make two sets near; more than the smaller has where nothing can."""
    # The bound solved for `shared`, less one for rounding; then the comparison itself decides.
    shared = max(int(min_jaccard * (left + right) / (1 + min_jaccard)) - 1, 1)
    while shared <= min(left, right) and jaccard(shared, left, right) < min_jaccard:
        shared += 1
    return shared


@kernel
def _least_shared_excerpt(left: int, right: int, min_containment: float, min_excerpt_shingles: int) -> int:
    """Fewest shared shingles that make the smaller of two sets an excerpt; more than it has where it can be none."""
    size = min(left, right)
    if size < max(min_excerpt_shingles, 1) or left == right:
        return _NEVER
    shared = max(int(min_containment * size) - 1, 1)
    while shared <= size and containment(shared, size, size) < min_containment:
        shared += 1
    return shared


@kernel
def bitmap_bits(articles: int, shingles: int) -> int:
    """Bits of the bitmap of each article, a power of two: eight for each of the mean article's shingles.

    With fewer, those of long articles are full and tell nothing apart.
    """
    bits = _MIN_BITS
    while bits < _MAX_BITS and bits * articles < 8 * shingles:
        bits *= 2
    return bits


@kernel
def fill_bitmap(bitmap: npt.NDArray[np.uint64], hashes: npt.NDArray[np.uint64]) -> int:
    """Set the bit of each hash, and count those that found it set; the bitmap has a power of two of bits."""
    bitmap[:] = np.uint64(0)
    mask = np.uint64(64 * bitmap.size - 1)
    doubled = 0
    for h in hashes:
        bit = h & mask
        word, one = np.int64(bit >> np.uint64(6)), np.uint64(1) << (bit & np.uint64(63))
        doubled += (bitmap[word] & one) > 0
        bitmap[word] |= one
    return doubled


@kernel
def most_shared(
    left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64], left_doubled: int, right_doubled: int
) -> np.int64:
    """Upper bound of |A∩B|: the bits set in both bitmaps, and the elements of a set that found theirs set.

    Keeps unrelated leaders from being merged: 5,000 leaders make 12.5 million pairs.
    """
    common = np.int64(0)
    for word in range(left.size):
        common += _count_ones(left[word] & right[word])
    return common + min(left_doubled, right_doubled)


@kernel
def _count_ones(x: np.uint64) -> np.int64:
    """Bits set in ``x`` (Warren, "Hacker's Delight", figure 5-2); LLVM knows the pattern."""
    x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))
