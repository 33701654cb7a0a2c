"""Which articles of a component are one story, decided by signs: leader clustering over the decisions of ``decide``.

Articles are taken in the canonical order. Each is compared with the leaders in reach, the most alike first, and joins
the first of them that it is a copy or a version of, or an excerpt of; failing that it leads, and shorter leaders that
it contains fold into it. The followers of a leader that folded are taken again in the same way. So every copy was
decided against the very leader that it ends with. (Leader clustering: Hartigan 1975, "Clustering Algorithms", ch. 3.)

Articles may be read from somewhere when they are asked for: a component may be as large as a corpus, and no more than a
block of it, what is kept of readings, and the leaders' shingles are held here.

A decision takes some 50 µs, so few pairs come to one: those whose exact Jaccard or containment is in reach, told by
bitmaps and exact counts in a kernel, and of those the :data:`MAX_DECIDED` most alike leaders of an article. What has
the text and the headline of a leader is a copy of it without further reading.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.text.decide import (
    MAX_CHARACTERS,
    SAME_STORY,
    Article,
    Decision,
    DecisionThresholds,
    Reading,
    decide_readings,
    read,
)
from transforms.text.leaders import bitmap_bits, fill_bitmap, most_shared
from transforms.text.publishers import is_one_publisher, page_of
from transforms.text.shingles import kernel, read_only, shingle_hashes
from transforms.text.similarity import containment, jaccard, shared_if_at_least

Updates = Literal["latest", "first", "all"]

MIN_JACCARD: Final = 0.3
"""House edits and other spellings bring true copies down to 0.32."""
MAX_DECIDED: Final = 32
"""Leaders that one article is decided against, at most; stories from one template have thousands in reach."""
_READINGS: Final = 1_000  # kept at a time; some 30 kB each
_DECISIONS: Final = 32_768  # kept at a time, for when articles are gone through again; some 500 B each
_SHARED_POINTS: Final = 8_192  # tuples of them; some 200 B each
_BLOCK: Final = 256  # articles whose shingles are made at a time
_COPIES: Final = 4_096  # whose shingles are held at once; some 7 kB each
_EXCERPT_LIKENESS = 0.75  # so that an excerpt's whole is among the most alike, behind the copies


class Reach(NamedTuple):
    """Which pairs come to a decision at all."""

    min_jaccard: float = MIN_JACCARD
    min_containment: float = 0.8
    min_excerpt_shingles: int = 50
    within: timedelta | None = None
    """Articles published further apart are not folded; one without a date is within reach of every date."""
    updates: Updates = "latest"
    """Which version of a story its source is represented by; ``all`` folds no version into another."""


class Verdict(NamedTuple):
    """What was decided of a copy and the article it is folded into."""

    relation: str
    jaccard: float
    containment: float
    points: tuple[float, ...]
    """Of each sign of :data:`SAME_STORY`, in its order, in hundredths, where the two are folded."""
    version_points: tuple[float, ...] = ()
    """Of each sign of :data:`VERSION`, the same, where it was asked whether it is another version."""
    is_own_version: bool = False
    """An ``update`` of the same source or page."""
    is_below: bool = False
    """It stands in the article below an opening of that one's own."""


class Stories(NamedTuple):
    """The outcome, by article in the order given."""

    leader: list[int]
    """A leader is its own."""
    verdict: list[Verdict | None]
    """None for a leader."""
    embeds: dict[int, list[int]]
    """Leaders that quote other leaders whole."""


def find_stories(articles: Sequence[Article], thresholds: DecisionThresholds, reach: Reach) -> Stories:
    """Cluster articles that stand in the canonical order, best first.

    >>> wire = "The old bridge over the Wend opened to cyclists on Monday after two years of repairs. " * 3
    >>> found = find_stories([Article(wire), Article("Something else."), Article(wire)], DecisionThresholds(), Reach())
    >>> found.leader, [verdict and verdict.relation for verdict in found.verdict]
    ([0, 1, 0], [None, None, 'exact'])
    """
    clusterer = _Clusterer(articles, thresholds, reach)
    stories = clusterer.cluster(range(len(articles)))
    if reach.updates == "all":
        return stories
    order = _versions_in_front(articles, stories, latest=reach.updates == "latest")
    if order == list(range(len(articles))):
        return stories
    del stories  # of a component as large as the corpus half of all that is held
    return clusterer.cluster(order)


class Match(NamedTuple):
    """An earlier article that a new one belongs to."""

    earlier: int
    verdict: Verdict
    says_more: bool
    """The new article is a later version (:func:`is_later_version`), or contains the earlier one."""


def is_later_version(article: Article, other: Article) -> bool:
    """Whether, of two versions of a story, this is the one by which ``latest`` has their source represented.

    They must be known to be of one source, and both be dated: not so a version that came before, or the same again.
    """
    if article.published is None or other.published is None or not is_one_publisher(article.source, other.source):
        return False
    return article.published > other.published


def match_stories(
    articles: Sequence[Article], thresholds: DecisionThresholds, reach: Reach, earlier: int
) -> list[Match | None]:
    """Match each article behind the first ``earlier`` ones with one of those, which stand as they are.

    The most alike that it is a copy of; failing that the most alike that it is a later version of, or contains.

    >>> wire = "The old bridge over the Wend opened to cyclists on Monday after two years of repairs. " * 3
    >>> matches = match_stories([Article(wire), Article("Other."), Article(wire)], DecisionThresholds(), Reach(), 1)
    >>> [match and (match.earlier, match.verdict.relation, match.says_more) for match in matches]
    [None, (0, 'exact', False)]
    """
    return _Clusterer(articles, thresholds, reach).match(earlier)


def _versions_in_front(articles: Sequence[Article], stories: Stories, *, latest: bool) -> list[int]:
    """The order again, with that version in front of each cluster by which the leader's source is to be represented."""
    versions: dict[int, list[int]] = {}
    for article, (leader, verdict) in enumerate(zip(stories.leader, stories.verdict, strict=True)):
        # A second print with a word put right is called near, and yet it is the one to keep.
        if (
            verdict
            and verdict.relation in ("update", "near")
            and is_one_publisher(articles[leader].source, articles[article].source)
        ):
            versions.setdefault(leader, [leader]).append(article)
    ahead: dict[int, int] = {}
    for leader, group in versions.items():
        dated = [(articles[article].published, article) for article in group]
        if articles[leader].published is None:
            continue
        known = [(published, article) for published, article in dated if published is not None]
        best = max(known, key=lambda version: (version[0], -version[1])) if latest else min(known)
        if best[1] != leader:
            ahead[leader] = best[1]
    moved = set(ahead.values())
    order: list[int] = []
    for article in range(len(articles)):
        if article in ahead:
            order.append(ahead[article])
        if article not in moved:
            order.append(article)
    return order


class _Clusterer:
    """Articles of one component and what is known of them; clustering again in another order costs few decisions."""

    def __init__(self, articles: Sequence[Article], thresholds: DecisionThresholds, reach: Reach) -> None:
        self._articles = articles
        self._thresholds = thresholds
        self._reach = reach
        self._decided = lru_cache(_DECISIONS)(self._decide_pair)
        self._reading = lru_cache(_READINGS)(self._read)
        self._block: dict[
            int, tuple[Article, npt.NDArray[np.uint64]]
        ] = {}  # at hand, and all that most components have
        some = [len(articles[number].text) for number in range(min(len(articles), _BLOCK))]
        self._bits = int(bitmap_bits(len(some), sum(some) // 6))  # six letters a word, its space included

    def cluster(self, order: Sequence[int]) -> Stories:
        """Cluster the articles, taken in an order."""
        count = len(self._articles)
        leader = [-1] * count
        verdicts: list[Verdict | None] = [None] * count
        quoted: set[tuple[int, int]] = set()
        leaders = _Leaders(self._bits)
        same: dict[bytes, int] = {}
        rank = array("q", bytes(8 * count))
        for place, article in enumerate(order):
            rank[article] = place
        # This ends: the set of leaders changes only when an article becomes one, which adds its length to theirs and
        # removes only shorter ones, so their lengths, from the longest down, move up in lexicographic order.
        waiting = list(order)
        while waiting:
            for article, known, shingles in self._in_turn(waiting):
                if leader[article] >= 0 and leader[leader[article]] == leader[article]:
                    continue
                key = _text_and_headline(known)
                twin = same.get(key) if known.title else None
                if twin is not None and leader[twin] == twin and self._is_within(article, twin):
                    leader[article], verdicts[article] = twin, _verdict_of_twins(known, self._articles[twin])
                    continue
                bitmap = leaders.bitmap(shingles)
                home, contained = self._home(article, shingles, bitmap, leaders, rank, quoted)
                if home is not None:
                    leader[article], verdicts[article] = home
                    continue
                leader[article], verdicts[article] = article, None
                for other, verdict in contained:
                    leader[other], verdicts[other] = article, verdict
                    leaders.remove(other)
                leaders.add(article, shingles, bitmap)
                if known.title:
                    same.setdefault(key, article)
                    if leader[same[key]] != same[key]:
                        same[key] = article
            waiting = [article for article in order if leader[leader[article]] != leader[article]]
        self._fold_through_copies(order, rank, leader, verdicts)
        embeds: dict[int, list[int]] = {}
        for longer, shorter in sorted(quoted, key=lambda pair: (rank[pair[0]], rank[pair[1]])):
            if leader[longer] == longer and leader[shorter] == shorter:
                embeds.setdefault(longer, []).append(shorter)
        return Stories(leader, verdicts, embeds)

    def _fold_through_copies(
        self, order: Sequence[int], rank: Sequence[int], leader: list[int], verdicts: list[Verdict | None]
    ) -> None:
        """Fold a leader in reach of a copy, and its copies, into that copy's leader, if all are one story with it.

        The copy may be in the words of the wire, its leader in those of a house: so far from them that an excerpt of
        the copy, or what another house made of it, was not in reach of the leader.
        """
        copies = [article for article in order if leader[article] != article]
        clusters: dict[int, list[int]] = {}
        for article in order:
            clusters.setdefault(leader[article], []).append(article)
        if not copies or len(clusters) == 1:
            return
        leaders = [article for article in order if leader[article] == article]
        alike = self._in_reach_of_copies(leaders, copies, rank)
        for article in leaders:
            for copy in alike[article]:
                home = leader[copy]
                if home == article or not self._folds(article, copy):
                    continue
                verdicts_there = [self._folds(member, home) for member in clusters[article]]
                if all(verdicts_there):
                    for member, verdict in zip(clusters[article], verdicts_there, strict=True):
                        leader[member], verdicts[member] = home, verdict
                    clusters[home] += clusters.pop(article)
                    break

    def _in_reach_of_copies(
        self, articles: Sequence[int], copies: Sequence[int], rank: Sequence[int]
    ) -> dict[int, list[int]]:
        """For each article the copies that come to a decision with it, the most alike first."""
        found: dict[int, list[Ranked]] = {article: [] for article in articles}
        for start in range(0, len(copies), _COPIES):
            some = _Leaders(self._bits)
            for copy, _, shingles in self._in_turn(copies[start : start + _COPIES]):
                some.add(copy, shingles, some.bitmap(shingles))
            for article, _, shingles in self._in_turn(articles):
                ranked = found[article] + some.ranked(shingles, some.bitmap(shingles), self._reach, rank)
                found[article] = sorted(ranked)[:MAX_DECIDED]
        return {article: [copy for _, _, copy in ranked] for article, ranked in found.items()}

    def _folds(self, article: int, other: int) -> Verdict | None:
        """The verdict by which the article joins the other one, if it does."""
        verdict, article_is_longer = self._decide(article, other)
        contains = verdict.relation == "excerpt" and article_is_longer
        return None if contains or self._are_kept(verdict) or not self._is_within(article, other) else verdict

    def _are_kept(self, verdict: Verdict) -> bool:
        """Whether both stay: they are two stories, or one quotes the other, or every version of a source is kept."""
        is_kept_version = verdict.is_own_version and self._reach.updates == "all"
        return is_kept_version or verdict.relation in ("different", "embedded")

    def match(self, earlier: int) -> list[Match | None]:
        """See :func:`match_stories`."""
        leaders = _Leaders(self._bits)
        same: dict[bytes, int] = {}
        for article, known, shingles in self._in_turn(range(earlier)):
            leaders.add(article, shingles, leaders.bitmap(shingles))
            same.setdefault(_text_and_headline(known), article)
        rank = range(earlier)
        matches: list[Match | None] = []
        for article, known, shingles in self._in_turn(range(earlier, len(self._articles))):
            found: Match | None = None
            # Itself, maybe, seen again: a short text may have more in reach than are decided.
            twin = same.get(_text_and_headline(known))
            others = leaders.in_reach(shingles, leaders.bitmap(shingles), self._reach, rank)
            for other in others if twin is None else [twin, *others]:
                if not self._is_within(article, other):
                    continue
                verdict, article_is_longer = self._decide(article, other)
                if self._are_kept(verdict):
                    continue
                match = self._matched(article, other, verdict, article_is_longer=article_is_longer)
                if not match.says_more:
                    found = match
                    break
                found = found or match
            matches.append(found)
        self._match_through_copies(earlier, matches)
        return matches

    def _match_through_copies(self, earlier: int, matches: list[Match | None]) -> None:
        """As :meth:`_fold_through_copies`, for new articles without a match, through new ones that have one."""
        homes = {earlier + new: match.earlier for new, match in enumerate(matches) if match and not match.says_more}
        others = [earlier + new for new, match in enumerate(matches) if match is None]
        for article, alike in self._in_reach_of_copies(others, list(homes), range(len(self._articles))).items():
            for copy in alike:
                if self._folds(article, copy) and (verdict := self._folds(article, homes[copy])):
                    matches[article - earlier] = self._matched(article, homes[copy], verdict)
                    break

    def _matched(self, article: int, other: int, verdict: Verdict, *, article_is_longer: bool = False) -> Match:
        if verdict.is_own_version and self._reach.updates == "latest":
            return Match(other, verdict, is_later_version(self._articles[article], self._articles[other]))
        return Match(other, verdict, verdict.relation == "excerpt" and article_is_longer)

    def _home(
        self,
        article: int,
        shingles: npt.NDArray[np.uint64],
        bitmap: "Bitmap",
        leaders: "_Leaders",
        rank: Sequence[int],
        quoted: set[tuple[int, int]],
    ) -> tuple[tuple[int, Verdict] | None, list[tuple[int, Verdict]]]:
        """The leader that the article joins; failing that the leaders that fold into it.

        One that carries the article below an opening of its own is joined only if there is no other.
        """
        below: tuple[int, Verdict] | None = None
        contained: list[tuple[int, Verdict]] = []
        for other in leaders.in_reach(shingles, bitmap, self._reach, rank):
            if not self._is_within(article, other):
                continue
            verdict, article_is_longer = self._decide(article, other)
            if verdict.relation == "embedded":
                quoted.add((article, other) if article_is_longer else (other, article))
            elif verdict.relation == "excerpt" and article_is_longer:
                contained.append((other, verdict))
            elif not self._are_kept(verdict):
                if not verdict.is_below:
                    return (other, verdict), []
                below = below or (other, verdict)
        return below, [] if below else contained

    def _is_within(self, left: int, right: int) -> bool:
        if self._reach.within is None:
            return True
        dates = self._articles[left].published, self._articles[right].published
        return dates[0] is None or dates[1] is None or abs(dates[0] - dates[1]) <= self._reach.within

    def _decide(self, left: int, right: int) -> tuple[Verdict, bool]:
        """What the two are to each other, and whether the left one is the longer."""
        verdict, first_is_longer = self._decided(min(left, right), max(left, right))
        return verdict, first_is_longer == (left < right)

    def _decide_pair(self, first: int, second: int) -> tuple[Verdict, bool]:
        one, two = self._reading(first), self._reading(second)
        return _verdict(decide_readings(one, two, self._thresholds)), one.shingles.size > two.shingles.size

    def _read(self, article: int) -> Reading:
        if article not in self._block:
            return read(self._articles[article], self._thresholds.shingle)
        known, shingles = self._block[article]
        # Copied: a part would keep the shingles of the whole block.
        own = shingles.copy() if len(known.text) <= MAX_CHARACTERS else None
        return read(known, self._thresholds.shingle, own)

    def _in_turn(self, waiting: Sequence[int]) -> Iterator[tuple[int, Article, npt.NDArray[np.uint64]]]:
        """Each article in turn with its shingles; a block is held at a time."""
        for start in range(0, len(waiting), _BLOCK):
            numbers = waiting[start : start + _BLOCK]
            if any(article not in self._block for article in numbers):
                block = [self._articles[article] for article in numbers]
                texts = pa.array([article.text for article in block], pa.large_string())
                hashes, offsets = shingle_hashes(texts, self._thresholds.shingle)
                shingles = (hashes[begin:end] for begin, end in pairwise(offsets))
                self._block = dict(zip(numbers, zip(block, shingles, strict=True), strict=True))
            for article in numbers:
                yield article, *self._block[article]


def _text_and_headline(article: Article) -> bytes:
    """What tells an article from those with another text or headline."""
    return blake2b(f"{article.title or ''}\0{article.text}".encode("utf-8", "replace"), digest_size=16).digest()


def _verdict(decision: Decision) -> Verdict:
    similarity = decision.similarity
    # Without shingles only the same text is a copy, and it is wholly so.
    is_same = decision.relation == "exact"
    return Verdict(
        decision.relation,
        1.0 if is_same else similarity.jaccard,
        1.0 if is_same else similarity.containment,
        _in_hundredths(sign.points or 0.0 for sign in decision.signs) if decision.folds else (),
        _in_hundredths(sign.points or 0.0 for sign in decision.version_signs),
        decision.is_own_version,
        decision.is_below,
    )


def _in_hundredths(points: Iterable[float]) -> tuple[float, ...]:
    return _shared(tuple(round(each, 2) for each in points))


@lru_cache(_SHARED_POINTS)
def _shared(points: tuple[float, ...]) -> tuple[float, ...]:
    """The same tuple each time: copies of one story have few different points, and there may be many copies."""
    return points


def _verdict_of_twins(left: Article, right: Article) -> Verdict:
    """The verdict on one text under one headline, as ``decide`` gives it."""
    told = {
        "copied": 1.0,
        "lead": 1.0,
        "same_url": float(bool(page_of(left.url)) and page_of(left.url) == page_of(right.url)),
    }
    points = [told.get(name, 0.0) * weight for name, weight in SAME_STORY.items()]
    return Verdict("exact", 1.0, 1.0, _in_hundredths(points))


class Bitmap(NamedTuple):
    """What :func:`most_shared` knows of an article's shingles."""

    bits: npt.NDArray[np.uint64]
    doubled: int


class _Leaders:
    """The leaders of the moment, with their shingles and bitmaps, in no order."""

    def __init__(self, bits: int) -> None:
        self._articles = np.empty(16, np.int64)
        self._starts = np.empty(16, np.int64)
        self._ends = np.empty(16, np.int64)
        self._bitmaps = np.empty((16, bits // 64), np.uint64)
        self._doubled = np.empty(16, np.int64)
        self._shingles = np.empty(1024, np.uint64)  # of all of them, one behind the other
        self._count = 0
        self._end = 0
        self._places: dict[int, int] = {}

    def bitmap(self, shingles: npt.NDArray[np.uint64]) -> Bitmap:
        """The bitmap of an article, of the size of the leaders'."""
        bits = np.empty(self._bitmaps.shape[1], np.uint64)
        return Bitmap(bits, fill_bitmap(bits, read_only(shingles)))

    def add(self, article: int, shingles: npt.NDArray[np.uint64], bitmap: Bitmap) -> None:
        """One more leader."""
        place = self._count
        if place == self._articles.size:
            self._articles, self._starts, self._ends, self._bitmaps, self._doubled = (
                np.concatenate([array, np.empty_like(array)])
                for array in (self._articles, self._starts, self._ends, self._bitmaps, self._doubled)
            )
        while self._end + shingles.size > self._shingles.size:
            self._shingles = np.concatenate([self._shingles, np.empty_like(self._shingles)])
        self._shingles[self._end : self._end + shingles.size] = shingles
        self._articles[place], self._bitmaps[place], self._doubled[place] = article, *bitmap
        self._starts[place], self._ends[place] = self._end, self._end + shingles.size
        self._end += shingles.size
        self._places[article] = place
        self._count += 1

    def remove(self, article: int) -> None:
        """One leader less; the last one takes its place. Its shingles stay where they are: few leaders ever fold."""
        place = self._places.pop(article)
        self._count -= 1
        last = self._count
        if place != last:
            for array in (self._articles, self._starts, self._ends, self._bitmaps, self._doubled):
                array[place] = array[last]
            self._places[int(self._articles[place])] = place

    def in_reach(
        self, shingles: npt.NDArray[np.uint64], bitmap: Bitmap, reach: Reach, rank: Sequence[int]
    ) -> list[int]:
        """The leaders that come to a decision, the most alike first; of equally alike ones in canonical order."""
        return [article for _, _, article in self.ranked(shingles, bitmap, reach, rank)]

    def ranked(
        self, shingles: npt.NDArray[np.uint64], bitmap: Bitmap, reach: Reach, rank: Sequence[int]
    ) -> list["Ranked"]:
        """The same, with what they are sorted by."""
        if not shingles.size:  # of marks alone: any other such article may have its text
            empty = self._articles[: self._count][self._ends[: self._count] == self._starts[: self._count]]
            return sorted((0.0, rank[article], article) for article in empty.tolist())[:MAX_DECIDED]
        places, likeness = _in_reach(
            read_only(shingles),
            read_only(bitmap.bits),
            bitmap.doubled,
            read_only(self._shingles),
            read_only(self._starts),
            read_only(self._ends),
            read_only(self._bitmaps),
            read_only(self._doubled),
            self._count,
            reach.min_jaccard,
            reach.min_containment,
            reach.min_excerpt_shingles,
        )
        found: list[int] = self._articles[places].tolist()
        return sorted(zip((-likeness).tolist(), [rank[each] for each in found], found, strict=True))[:MAX_DECIDED]


Ranked = tuple[float, int, int]
"""Likeness, below 0; place in the canonical order; the article."""


@kernel
def _in_reach(
    own: npt.NDArray[np.uint64],
    bits: npt.NDArray[np.uint64],
    own_doubled: int,
    shingles: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    bitmaps: npt.NDArray[np.uint64],
    doubled: npt.NDArray[np.int64],
    count: int,
    min_jaccard: float,
    min_containment: float,
    min_excerpt_shingles: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Places of the leaders in reach, and how alike they are: Jaccard, or a part of the containment."""
    places = np.empty(16, np.int64)
    likeness = np.empty(16, np.float64)
    found = 0
    for place in range(count):
        size = int(ends[place] - starts[place])
        smaller = min(own.size, size)
        # One less for rounding; the quotients themselves decide.
        needed = int(min_jaccard * (own.size + size) / (1 + min_jaccard)) - 1
        if smaller >= min_excerpt_shingles:
            needed = min(needed, int(min_containment * smaller) - 1)
        needed = max(needed, 1)
        if needed > smaller or needed > most_shared(bits, bitmaps[place], own_doubled, doubled[place]):
            continue
        shared = shared_if_at_least(needed, own, shingles[starts[place] : ends[place]])
        if shared < needed:
            continue
        alike = jaccard(shared, own.size, size)
        contained = containment(shared, own.size, size)
        if smaller >= min_excerpt_shingles and contained >= min_containment:
            alike = max(alike, _EXCERPT_LIKENESS * contained)
        elif alike < min_jaccard:
            continue
        if found == places.size:
            places, more = np.empty(2 * found, np.int64), places
            places[:found] = more
            likeness, ratios = np.empty(2 * found, np.float64), likeness
            likeness[:found] = ratios
        places[found], likeness[found] = place, alike
        found += 1
    return places[:found], likeness[:found]
