"""Scores cleaning against labelled paragraphs: what of the cruft goes, and above all what of the articles is lost."""

import dataclasses
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from transforms.errors import UsageError
from transforms.text.clean import Cleaner
from transforms.text.cruft import strip_cruft
from transforms.text.edits import Edit
from transforms.text.rules import CruftRules, Rule

WHOLE_PAGE: None = None
DEFAULT_TAILS: tuple[int | None, ...] = (1, 4, 8, WHOLE_PAGE)
"""How many blocks are left behind the article: one to eight are what extractors leave."""

_REMOVING = frozenset({"cruft", "promo", "repeat", "boilerplate"})
# A repeat's text still stands elsewhere in the article, so it is counted apart from what is lost.
_REPEATING = "repeat"
# A Chinese or Japanese character counts as a word.
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0eff\u1780-\u17ff\u3040-\u9fff]+"
)

# What kind of cruft a block is, said without the rules, so that a rule that is missing does not change the sum it is
# held against. First match wins; what no line knows has the kind of the rule that knows it, or is "other".
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile("|".join(patterns), re.IGNORECASE))
    for kind, *patterns in (
        ("copyright", r"^\W*(?:©|copyright\b|\(c\) ?\d{4})", r"all rights reserved|alle rechte vorbehalten"),
        (
            "comment form",
            r"^\W*(?:leave|write|post|add|submit|cancel|make) (?:a |your )?(?:reply|comment|response)s?\b|cancel reply",
            r"^\W*(?:comments?|name|e-?mail|e-?mail address|website|reply|your (?:name|email|comment)|kommentare?)\W*$",
            r"\(required\)|will not be published|in this browser for the next time|^\W*notify me of|akismet",
            r"^\W*(?:no|one|\d+|view|show|all|recent|read|see|view all|hide) comments?\b",
            r"^comments? ?[(:\d]|comments (?:are|rss|feed)|^\W*\d+ (?:thoughts?|responses?|replies) (?:on|to)\b",
            r"(?:log|sign|logged) ?in (?:or \w+ )?to (?:reply|post|comment|leave|add)|^kommentar",
        ),
        (
            "share",
            r"^\W*(?:share|tweet|pin it|like this|e-?mail this|print|send to a friend|teilen|partager)\b.{0,40}$",
            r"^\W*(?:facebook|twitter|pinterest|linkedin|reddit|whatsapp|tumblr|digg|stumbleupon|instagram)\b.{0,40}$",
            r"click to (?:share|print|email)|\bshare (?:on|to|via)\b",
        ),
        (
            "subscribe",
            r"^.{0,60}\b(?:subscri(?:be|ption)|newsletters?|sign[- ]?up|your inbox|e-?mail alerts?|abonnieren)\b",
        ),
        (
            "related",
            r"^\W*(?:related|similar|recommended|trending|recent|popular|latest|more|most|top|other|featured) ?"
            r"(?:posts?|stories|articles|news|reads?|viewed|popular|content|headlines|videos|coverage|links|topics|"
            r"from\b.{0,40}|on\b.{0,40}|in\b.{0,40}|stuff|entries|items|emailed|shared|commented|recent)?\W*$",
            r"^\W*(?:you|people|readers|others) (?:may|might|also)\b.{0,60}$",
            r"around the web|don.t miss|editors?.? (?:picks|choice)",
        ),
        (
            "source link",
            r"^\W*(?:source|via|original (?:article|post|source|story)|view source)\b.{0,60}$",
            r"^\W*(?:read|view|see|click here).{0,20}\b(?:more|full|original|rest|whole|entire)\b.{0,40}$",
            r"^\W*continue reading",
        ),
        ("tags", r"^\W*(?:tags?|tagged|topics?|filed (?:under|in)|posted in|categor(?:y|ies)|labels?)\b.{0,160}$"),
        (
            "navigation",
            r"^\W*(?:previous|next|prev|older|newer|back to|return to|skip to|top|home|search|menu)\b.{0,80}$",
            r"^[«←‹].{1,90}$",
        ),
        ("advertisement", r"^\W*(?:ad(?:vert(?:isements?|ising))?|sponsored|anzeige|publicité|werbung)\b.{0,40}$"),
        (
            "site links",
            r"^\W*(?:privacy|terms|contact|about|careers|jobs|help|site ?map|faq|accessibility|cookies?|legal|imprint|"
            r"impressum|datenschutz|advertise|feedback|rss|support|archives?|log ?in|register|sign in)\b.{0,30}$",
        ),
    )
)
_MAX_KIND_CHARS = 200  # a longer block is somebody's prose: a comment, a biography
_KIND_OF_FORM = {
    "comment-form": "comment form", "comment-form-field": "comment form",
    "comment-list": "comment form",
    "share-bar": "share", "share-label": "share", "share-link": "share", "count": "share",
    "page-button": "share",
    "subscribe": "subscribe", "subscribe-call": "subscribe", "subscribe-label": "subscribe",
    "subscribe-offer": "subscribe", "subscribe-pitch": "subscribe", "newsletter": "subscribe",
    "app-promo": "subscribe", "follow": "subscribe", "follow-label": "subscribe",
    "related-posts": "related", "related-label": "related", "more-from": "related",
    "read-more": "source link", "read-on": "source link", "read-more-link": "related", "source-link": "source link",
    "source-label": "source link",
    "tags": "tags", "tag-label": "tags", "tag-list": "tags", "entry-footer": "tags",
    "post-navigation": "navigation", "to-the-top": "navigation", "to-the-top-label": "navigation",
    "site-section": "navigation",
    "advertisement": "advertisement", "advertisement-label": "advertisement",
    "copyright": "copyright", "site-link": "site links", "cookie-notice": "site links", "blog-platform": "site links",
}  # fmt: skip
# A number alone in the body is a table's cell or a heading more often than a share bar's counter.
_LETTER = re.compile(r"[^\W\d_]")
_PROMO_KINDS = frozenset({"subscribe", "related", "source link", "advertisement", "share"})


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A labelled page: ``labels[i]`` is 1 where ``paragraphs[i]`` belongs to the article."""

    id: str
    language: str
    paragraphs: tuple[str, ...]
    labels: tuple[int, ...]

    def cut(self, tail: int | None) -> "Page":
        """What an extractor may leave: from the first paragraph of the article to ``tail`` blocks behind the last.

        >>> Page("a", "en", ("Menu", "It rains.", "Tweet", "Home"), (0, 1, 0, 0)).cut(1).paragraphs
        ('It rains.', 'Tweet')
        """
        if tail is None:
            return self
        inside = [index for index, label in enumerate(self.labels) if label]
        part = slice(inside[0], inside[-1] + 1 + tail)
        return dataclasses.replace(self, paragraphs=self.paragraphs[part], labels=self.labels[part])


@dataclasses.dataclass(slots=True)
class Score:
    """Counts of blocks and words; shares are ``removed / blocks`` and ``lost_words / words``."""

    pages: int = 0
    trailing: int = 0
    """Blocks after the article's last paragraph."""
    trailing_removed: int = 0
    promos: int = 0
    """Blocks between the article's paragraphs that advertise, link or share; captions, bylines and numbers are none."""
    promos_removed: int = 0
    paragraphs: int = 0
    """Of the article."""
    lost_paragraphs: int = 0
    """Article paragraphs of which more than half was removed."""
    words: int = 0
    lost_words: int = 0
    repeated_words: int = 0
    """Of the article's words, those in paragraphs dropped because they stand twice; not among the lost."""

    def add(self, other: "Score") -> None:
        """Add the counts of ``other``."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def to_dict(self) -> dict[str, float]:
        """The counts and the three shares."""
        return {
            **dataclasses.asdict(self),
            "trailing_recall": _share(self.trailing_removed, self.trailing),
            "promo_recall": _share(self.promos_removed, self.promos),
            "loss": _share(self.lost_words, self.words),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Loss:
    """A paragraph of an article that a rule removed."""

    page: str
    language: str
    rule: str
    words: int
    paragraph: str


@dataclasses.dataclass(slots=True)
class Evaluation:
    """The scores of one tail length."""

    tail: int | None
    score: Score = dataclasses.field(default_factory=Score)
    by_language: dict[str, Score] = dataclasses.field(default_factory=lambda: defaultdict(Score))
    trailing_by_kind: Counter[str] = dataclasses.field(default_factory=Counter)
    removed_by_kind: Counter[str] = dataclasses.field(default_factory=Counter)
    removed_by_rule: Counter[str] = dataclasses.field(default_factory=Counter)
    """Blocks that are no article's, trailing or in the body."""
    lost_words_by_rule: Counter[str] = dataclasses.field(default_factory=Counter)
    losses: list[Loss] = dataclasses.field(default_factory=list)

    def to_dict(self, worst: int = 0) -> dict[str, Any]:
        """Everything as plain values, with the ``worst`` dearest losses."""
        languages = sorted(self.by_language.items(), key=lambda item: (-item[1].pages, item[0]))
        rules = self.removed_by_rule | self.lost_words_by_rule
        return {
            "tail": "whole" if self.tail is None else self.tail,
            **self.score.to_dict(),
            "by_language": {language: score.to_dict() for language, score in languages},
            "by_kind": {
                kind: {
                    "trailing": count,
                    "trailing_removed": self.removed_by_kind[kind],
                    "trailing_recall": _share(self.removed_by_kind[kind], count),
                }
                for kind, count in self.trailing_by_kind.most_common()
            },
            "by_rule": {
                rule: {"removed": self.removed_by_rule[rule], "lost_words": self.lost_words_by_rule[rule]}
                for rule, _ in rules.most_common()
            },
            "worst": [dataclasses.asdict(loss) for loss in self.worst(worst)],
        }

    def worst(self, count: int) -> list[Loss]:
        """The losses with the most words."""
        return sorted(self.losses, key=lambda loss: -loss.words)[:count]


def parse_tail(value: str) -> int | None:
    """``"8"`` → 8, ``"whole"`` → None.

    Raises:
        UsageError: it is neither a number nor ``whole``.
    """
    if value == "whole":
        return WHOLE_PAGE
    if not value.isdecimal():
        raise UsageError(f"--tail [{value}] is no number of blocks; write 8, say, or whole")
    return int(value)


def read_pages(file: Path) -> Iterator[Page]:
    """Read labelled pages from ``.jsonl`` or ``.jsonl.gz``; pages without any article paragraph are left out.

    Each line holds ``labels`` (1 = article) and ``paragraphs``, or ``naive_text`` with a blank line between paragraphs;
    ``id`` and ``lang`` if known.

    Raises:
        UsageError: a line is not of this form; the message names it.
        OSError: the file cannot be read.
    """
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        try:
            for number, line in enumerate(lines, 1):
                page = _parse_page(line, f"{file}:{number}")
                if any(page.labels):
                    yield page
        except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
            raise UsageError(f"[{file}] cannot be read as JSON Lines: {error}") from None


def _parse_page(line: str, place: str) -> Page:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{place}: not JSON: {error}") from None
    if not isinstance(record, dict):
        raise UsageError(f"{place}: [{line[:40].strip()}] is no JSON object")
    labels = record.get("labels")
    paragraphs = record.get("paragraphs")
    if paragraphs is None and isinstance(record.get("naive_text"), str):
        paragraphs = record["naive_text"].split("\n\n")
    if not isinstance(labels, list) or not isinstance(paragraphs, list) or len(labels) != len(paragraphs):
        raise UsageError(
            f"{place}: needs `labels`, and as many `paragraphs` (or `naive_text` with blank lines between)"
        )
    if not all(isinstance(paragraph, str) for paragraph in paragraphs) or not set(labels) <= {0, 1}:
        raise UsageError(f"{place}: `paragraphs` must be strings and `labels` 0 or 1")
    return Page(str(record.get("id", place)), str(record.get("lang", "?")), tuple(paragraphs), tuple(labels))


def evaluate_cleaning(
    pages: Iterable[Page], cleaner: Cleaner, rules: CruftRules, tails: Sequence[int | None]
) -> list[Evaluation]:
    """Clean each page as a run would, once for each tail length, and count what went.

    ``rules`` only name the kinds of blocks; what is removed is read off the cleaner's edits.
    """
    evaluations = [Evaluation(tail) for tail in tails]
    for page in pages:
        for evaluation in evaluations:
            _add_page(evaluation, page.cut(evaluation.tail), cleaner, rules)
    return evaluations


def _add_page(evaluation: Evaluation, page: Page, cleaner: Cleaner, rules: CruftRules) -> None:
    text = "\n\n".join(page.paragraphs)
    edits = cleaner.clean(text).edits
    removed = find_removed(text, edits)
    repeats = {edit.rule for edit in edits if edit.kind == _REPEATING}
    inside = [index for index, label in enumerate(page.labels) if label]
    score = Score(pages=1)
    start = 0
    for index, (paragraph, label) in enumerate(zip(page.paragraphs, page.labels, strict=True)):
        rule, gone, lost_words = _removed_part(paragraph, removed, start)
        start += len(paragraph) + 2
        if not paragraph.strip():
            continue
        if label:
            score.paragraphs += 1
            score.words += len(_WORD.findall(paragraph))
            if rule in repeats:
                score.repeated_words += lost_words
                continue
            score.lost_words += lost_words
            if lost_words:
                evaluation.lost_words_by_rule[rule] += lost_words
                evaluation.losses.append(Loss(page.id, page.language, rule, lost_words, paragraph))
                score.lost_paragraphs += gone
            continue
        evaluation.removed_by_rule.update([rule] if gone else [])
        if index > inside[-1]:
            kind = kind_of(paragraph, rules)
            score.trailing += 1
            score.trailing_removed += gone
            evaluation.trailing_by_kind[kind] += 1
            evaluation.removed_by_kind[kind] += gone
        elif index > inside[0] and _LETTER.search(paragraph) and kind_of(paragraph, rules) in _PROMO_KINDS:
            score.promos += 1
            score.promos_removed += gone
    evaluation.score.add(score)
    evaluation.by_language[page.language].add(score)


def find_removed(text: str, edits: Iterable[Edit]) -> dict[int, str]:
    """Which characters of ``text`` the edits removed for good, and by which rule: ``{position: rule}``.

    Every edit, of whatever kind, is followed, so that the positions are those of the original; a removed word is never
    looked for by its letters.

    >>> find_removed("It  rains.\\n\\nTweet", [
    ...     Edit("whitespace", "spaces", 2, "  ", " "), Edit("cruft", "en/share-bar", 9, "\\n\\nTweet", "")
    ... ])[12]
    'en/share-bar'
    """
    origins = list(range(len(text)))
    removed: dict[int, str] = {}
    for edit in edits:
        end = edit.start + len(edit.before)
        replaced = origins[edit.start : end]
        if edit.kind in _REMOVING:
            removed.update(dict.fromkeys(replaced, edit.rule))
        if len(edit.after) <= len(replaced):
            origins[edit.start : end] = replaced[: len(edit.after)]
        else:
            last = replaced[-1] if replaced else -1
            origins[edit.start : end] = replaced + [last] * (len(edit.after) - len(replaced))
    return removed


def _removed_part(paragraph: str, removed: dict[int, str], start: int) -> tuple[str, bool, int]:
    """The rule that removed most of what is gone of a paragraph, whether more than half is, and how many words are."""
    gone = {offset for offset in range(len(paragraph)) if start + offset in removed} if removed else set()
    if not gone:
        return "", False, 0
    lost = sum(match.start() in gone for match in _WORD.finditer(paragraph))
    rule = Counter(removed[start + offset] for offset in gone).most_common(1)[0][0]
    return rule, 2 * len(gone) > len(paragraph), lost


def kind_of(block: str, rules: CruftRules) -> str:
    """The kind of cruft that a block is, coarsely: "comment form", "share", … or "other".

    >>> kind_of("Leave a Reply", CruftRules(()))
    'comment form'
    """
    if len(block) <= _MAX_KIND_CHARS:
        for kind, pattern in _KINDS:
            if pattern.search(block):
                return kind
    rule = rules.find(block)
    return _KIND_OF_FORM.get(rule.form, "other") if rule else "other"


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


_STORY = (
    "Harbour workers in Eastmere reopened the swing bridge on Tuesday, the council said in a notice to the crews.\n\n"
    "It had been closed since March, when a bearing cracked and the night shift heard it from the far side of the quay."
)
_PLACES = {
    "strong": f"{_STORY}\n\n{{}}",
    "weak": f"{_STORY}\n\nLeave a Reply\n\n{{}}",
    "promo": _STORY.replace("\n\n", "\n\n{}\n\n"),
}


def find_idle_wordings(rules: CruftRules, checked: Iterable[Rule]) -> list[tuple[str, str, str]]:
    """Wordings of ``checked`` rules that do not go where they should: ``(rule, wording, who has it instead)``.

    A strong one has to go behind a short article, a weak one below a comment form, a promo between paragraphs; a strong
    one that a weak rule has too proves nothing.
    """
    idle = []
    for rule in checked:
        for wording in rule.literals:
            found = rules.find(wording)
            place = _PLACES[rule.kind if rule.kind == "promo" else rule.strength]
            stripped, _ = strip_cruft(place.format(wording), rules)
            is_weaker = found is not None and found.strength != rule.strength
            if found is None or is_weaker or stripped != place.replace("\n\n{}", "").replace("\n\nLeave a Reply", ""):
                idle.append((rule.name, wording, found.name if found else "no rule"))
    return idle
