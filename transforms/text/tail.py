"""The tail of a text: which of its last blocks no rule knows but known ones, or their own shape, prove cruft.

Every block near the end has a score, and the tail begins where the sum of the scores down to its end is highest. The
scores follow the log odds (natural) of a block of that kind in the tail against one in the article: eight blocks behind
and fifteen above the end of each of 2,206 labelled pages (docs/cleaning.md).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from transforms.text.need import ANY_LINE, Suspects
from transforms.text.rules import MAX_ROW_CHARS, OPENING_QUOTES, SHORT_BLOCK_CHARS, CruftRules, Rule, ends_sentence

# Furniture may stand between lines that no rule knows. The search goes on above those until they weigh this much: a
# short one weighs one; a long one, likely a paragraph of the article or a reader's comment, four. Each known block
# takes one off again. Four more gain 0.3 % of the tail blocks and cost 0.02 % of the articles' words.
MAX_UNKNOWN_WEIGHT: Final = 12
LONG_WEIGHT: Final = 4
# Between the end and the form or its heading readers' comments may stand: up to this weight a form alone is looked for.
MAX_COMMENTS_WEIGHT: Final = 16
# A longer block stays even if it does not end like a sentence: one such error costs as many words as ten others.
MAX_UNKNOWN_CHARS: Final = 240

STRONG_SCORE: Final = 4.0  # 3.3 (related posts) to 6.5 (previous and next post)
WEAK_SCORE: Final = 2.5  # 2.7 (related) to 6.4 (share labels)
LINK_SCORE: Final = 1.5  # arrows, bars between links, separators without a letter: 1.1 to 3.8
# Below a known block: 3.1 to 4.8 for what is no sentence, 2.0 to 2.7 for a short sentence. Neighbours depend on one
# another, so each counts for less, and a sentence against the tail, because it costs more words.
BELOW_SCORE: Final = 1.0
SENTENCE_BELOW_SCORE: Final = -1.5
# A long paragraph below a comment form is a reader's; below anything else it may be the article going on.
COMMENT_SCORE: Final = -2.0
# Above all known blocks: 0.1 for a line like a headline, 1.0 for a label, -1.1 for a sentence. Taken lower, so that a
# tail begins at a known block and never at a guess: an article may end in a list, a signature or "ENDS".
ABOVE_SCORE: Final = -0.5
SENTENCE_ABOVE_SCORE: Final = -3.0
# Numbers of likes and comments stand in front of their buttons, the word of a section or a tag above: they go with what
# is below, and prove nothing.
COUNT_SCORE: Final = 0.1
# What a tail has to reach: one strong block, or three weak ones, or fewer and the links below them. A lone word or two
# fields of a form prove nothing.
MIN_SCORE: Final = 4.0
MIN_WEAK_SCORE: Final = 5.5
# What is guessed of a tail is no more than this share of the characters above it, plus a line: a list that a known
# word opens is the article's when it is a quarter of the text. With readers' comments in it the bound is closer,
# because "3 comments" stands above some articles too.
STRONG_SHARE: Final = 0.25
WEAK_SHARE: Final = 0.12
COMMENT_SHARE: Final = 0.1
FREE_CHARS: Final = 60
MAX_LOOKED_UP: Final = 1 << 14  # short lines whose rule is remembered: some 3 MB


class Sign(NamedTuple):
    """What a short line at the end of a text shows, and what that counts for the tail."""

    name: str
    score: float
    pattern: re.Pattern[str]
    reason: str


def _sign(name: str, score: float, pattern: str, reason: str) -> Sign:
    return Sign(name, score, re.compile(pattern, re.IGNORECASE), reason)


# A run of short lines at the very end, below a sentence: of such runs of four and more lines 94 % of the lines are
# furniture. A run has to reach MIN_RUN_SCORE (five plain lines, two with a sign, one that is a link) and stay small:
# by the characters above it, one or two lines, more of them, and more that weigh SIGNED_LINE on average.
PLAIN_LINE: Final = 0.7
WEAK_LINE: Final = 2.7
LINK_LINE: Final = 3.4  # "Back to the harbour page", "Home | About", a notice of rights: of 22 read all were furniture
SHORT_SENTENCE: Final = -1.0
MIN_RUN_SCORE: Final = 3.4
MAX_PAIR_SHARE: Final = 0.1
MAX_RUN_SHARE: Final = 0.15
SIGNED_LINE: Final = 1.2
SIGNED_RUN_SHARE: Final = 0.3
MAX_RUN_LINES: Final = 24  # a longer one is a list of the article
MAX_RUN_SENTENCES: Final = 2
MAX_LAST_COUNTS: Final = 3  # more are a table
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|janv|févr|avr|mai|juin|juil|août|märz|okt|dez|ene|abr|ago|dic"
    r"|gen|mag|giu|lug|set|ott|out|fev)[a-zäéû]{0,7}"
)
_DATE: Final = (
    r"(?:\b\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d\b|\b(?:19|20)\d\d-\d\d-\d\d\b|\b\d{1,2}:\d\d ?[ap]\.?m\b"
    rf"|\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d\b|\b\d{{1,2}}\.? {_MONTH}\.?,? (?:19|20)\d\d\b)"
)
SIGNS: Final = (
    _sign(
        "call", 1.2,
        r"\b(?:click|subscri|sign ?up|sign ?in|log ?in|register|newsletter|share|follow us|download|privacy|all rights"
        r"|terms|cookies?|e-?mail|donate|shop|browse|search|posted (?:by|on|in)|filed|tagged|permalink|print|home ?page"
        r"|main page|site ?map|menu|archives?|rss|page \d)"
        r"|^(?:view|see|read|show|more|join|get|buy|back|written by|return)\b",
        "the words of links and buttons",
    ),
    _sign(
        "link", 1.2,
        r"[|·•][^|·•]*[|·•]|^[«‹←<▶►→»›]|[»›→▶►>]$|https?://|www\.|©"
        r"|\b\d{1,3} (?:hours?|minutes?|mins?|days?|weeks?|months?) ago\b",
        "arrows and bars, addresses, the age of another article",
    ),
    _sign("date", 1.7, rf"^.{{0,50}}{_DATE}.{{0,20}}$", "when a page or another article was published"),
    _sign("goes-on", -2.0, r"[,;，、—–-]$|^\d{1,3}[.)] |^\[\d", "verse, salutations, numbered lists and notes"),
    # Possessive, or a line of digits could be cut up in millions of ways.
    _sign(
        "results", -1.5,
        r"^(?=\D*\d\D*\d)(?:\D{0,40}+\d{1,9}+){1,8}\D{0,10}$|^(?:\D{0,40}+\d{1,9}+){2,8}\D{0,25}$|\w vs?\.? \w",
        "scores, fixtures, prices, dates, telephone numbers",
    ),
    _sign(
        "credit", -1.5,
        r"\b(?:photo|image|picture|illustration)s? (?:credit|by|courtesy)"
        r"|^(?:photos?|foto|images?|bilder|bild|фото|снимка|φωτο|fotó|kuva|ảnh) ?:"
        r"|^(?:写真|照片|图片|사진|صورة) ?[:：=＝]"
        r"|^\W*(?:all )?courtesy|责任编辑|編輯|编辑|作者|記者|编译|기자$",
        "credits of pictures and authors",
    ),
    _sign(
        "signatory", -1.5,
        r"^(?:sen|rep|gov|dr|prof|hon|senator|representative|chair(?:man|woman)?|member|minister|cc|ranking"
        r"|united states (?:senator|representative))\b|\([dir]-[a-z]{2}\)",
        "those who signed a letter",
    ),
)  # fmt: skip
# A word with a capital: a section or a tag, above known furniture; of 125 such words 113 were.
_LABEL = re.compile(r"[A-Z][\w&-]{1,19}\Z")
# Lines that are a person's name each: those who signed, a cast, the dead.
_NAME = re.compile(
    r"(?:[A-Z][\w'’-]{1,30}|[A-Z]\.)(?: (?:[A-Z][\w'’-]{1,30}|[A-Z]\.?|de|von|van|der|bin|al)){1,3}[,.]?(?: [JS]r\.)?\Z"
)

_ARROWS: Final = "«»‹›←→→▶►"
LIST_MARKS: Final = (":", "：")
# A credit, a correction or a note of the editors is the article's wherever it stands.
_NOTE = re.compile(
    r"\W{0,3}(?:(?:with |additional |further )?(?:reporting|editing|writing|research|assistance) by|edited by"
    r"|contribut(?:ing|ed|ors?)\b|with (?:assistance|help|contributions) (?:by|from)|corrections?\b|clarification"
    r"|editors?['’]?s? note|this (?:story|article) (?:was|has been|is) (?:first |originally )?(?:published|updated)"
    r"|an earlier version|korrektur|berichtigung|anm(?:erkung|\.) der red|rectificatif|erratum|note de la rédaction"
    r"|fe de erratas|corrección|nota del editor|correção|errata|nota da redação|correzione|nota della redazione"
    r"|rectificatie|sprostowanie|rättelse|rettelse|oikaisu|düzeltme|поправка|уточнение|виправлення|訂正|更正|정정"
    r"|تصحيح|تصويب|(?:[\w.'’-]+ ){1,5}(?:is|was) (?:an? |the )?.{0,60}"
    r"\b(?:reporter|writer|editor|columnist|correspondent|author|journalist|professor|fellow|contributor)\b)",
    re.IGNORECASE,
)
# What makes a block of any length a notice of the site: one of these in it, or one of _NOTICE_STARTS at its start.
_NOTICES: Final = (
    "all rights reserved", "alle rechte vorbehalten", "tous droits réservés", "derechos reservados",
    "diritti riservati", "direitos reservados", "права защищены", "版权所有", "無断転載", "무단 전재", "무단전재",
)  # fmt: skip
_NOTICE_STARTS: Final = ("©", "(c) ", "copyright ")
# Each of these holds eight characters of NOTICE_CLUES or one of NOTICE_SIGNS, or begins with a bracket.
NOTICE_CLUES: Final = ("s reserv", "s réserv", "i riserv", "vorbehal", "а защище", "copyrigh")
NOTICE_SIGNS: Final = "©版転재"


def _tail_rule(name: str) -> Rule:
    return Rule(name=f"tail/{name}", kind="cruft", strength="weak")


_ROWS: Final[dict[str | None, Rule]] = {
    "weak": _tail_rule("row-of-labels"),
    "strong": Rule(name="tail/row-of-links", kind="cruft", strength="strong"),
}
_NOTICE: Final = _tail_rule("legal-notice")
_LINK_LIST: Final = _tail_rule("link-list")
_SHORT_RUN: Final = _tail_rule("short-run")
_BELOW_FORM: Final = _tail_rule("below-comment-form")
_BELOW_RELATED: Final = _tail_rule("below-related")
_BELOW_SHARE: Final = _tail_rule("below-share-bar")
_BELOW_STRONG: Final = _tail_rule("below-furniture")
_BELOW_WEAK: Final = _tail_rule("below-label")
_BETWEEN: Final = _tail_rule("between-furniture")
_RULE_BELOW: Final = {
    "comment-form": _BELOW_FORM,
    **dict.fromkeys(
        (
            "related-posts",
            "read-more",
            "read-on",
            "post-navigation",
            "to-the-top",
            "tags",
            "author-box",
            "read-more-link",
        ),
        _BELOW_RELATED,
    ),
    **dict.fromkeys(("share-bar", "subscribe", "subscribe-call", "subscribe-offer", "follow"), _BELOW_SHARE),
}
_LINK_FORMS: Final = frozenset({"link-words", "subscribe-words", "row-of-labels", "legal-notice"})
# Words and numbers that articles end in too prove nothing.
_NO_PROOF: Final = frozenset({"byline", "count", "source-label"})
# An author announces a list so too ("See also:"): of such weak labels with a colon two in five were the article's, of
# those without one in forty.
_ANNOUNCING_FORMS: Final = frozenset({"related-label", "author-label"})
_MAY_CREDIT: Final = _NO_PROOF | {"tag-label"}  # "Autor: ČTK"


class Block(NamedTuple):
    """A line of the text and the rule that knows it."""

    line: int
    text: str
    rule: Rule | None


class Text:
    """A text's lines, what is doomed of them, and the rules of those that were looked up."""

    def __init__(self, lines: list[str], rules: CruftRules, suspects: Suspects = ANY_LINE) -> None:
        self.lines = lines
        self.rules = rules
        self.doomed: dict[int, Rule] = {}
        self._suspects = suspects.tail or {}
        self._top = suspects.top
        self._known: dict[int, Rule | None] = {}

    def find(self, line: int) -> Rule | None:
        """See :func:`find_line`."""
        if line >= self._top:
            return self._suspects.get(line)
        if line not in self._known:
            self._known[line] = find_line(self.lines[line], self.rules)
        return self._known[line]

    def kept_from_below(self) -> Iterator[int]:
        """The numbers of the lines that hold something and are not doomed, from the last to the first."""
        for line in range(len(self.lines) - 1, -1, -1):
            if self.lines[line] and line not in self.doomed and not self.lines[line].isspace():
                yield line

    def is_paragraph(self, line: int) -> bool:
        """Whether a line stands alone between blank ones; tables and verse have several lines in a paragraph."""
        return not any(
            0 <= other < len(self.lines)
            and other not in self.doomed
            and self.lines[other]
            and not self.lines[other].isspace()
            for other in (line - 1, line + 1)
        )

    def chars_above(self, top: int) -> int:
        """How many characters are kept above a line."""
        return sum(map(len, self.lines[:top])) - sum(len(self.lines[line]) for line in self.doomed if line < top)


def find_line(text: str, rules: CruftRules) -> Rule | None:
    """The rule that knows a line: a wording, a row of them, or a notice."""
    if len(text) > SHORT_BLOCK_CHARS:
        return _look_up(text, rules)
    # A site ends all of its articles with the same lines.
    if text not in rules.looked_up:
        if len(rules.looked_up) == MAX_LOOKED_UP:
            rules.looked_up.clear()
        rules.looked_up[text] = _look_up(text, rules)
    return rules.looked_up[text]


def _look_up(text: str, rules: CruftRules) -> Rule | None:
    if len(text) > MAX_ROW_CHARS:
        return None
    rule = rules.find(text)
    if rule is not None:
        # What credits an agency is the article's: "Source: Reuters" above a row of labels.
        return None if rule.form in _MAY_CREDIT and rules.names_agency(text) else rule
    if not ends_sentence(text):
        rule = _ROWS.get(rules.find_row(text))
    if rule is None and _is_notice(text) and not rules.names_agency(text):
        rule = _NOTICE
    return rule


def _is_notice(text: str) -> bool:
    folded = text.casefold()
    if folded.startswith(_NOTICE_STARTS):
        return True
    if not _holds_any(folded, NOTICE_CLUES) and (text.isascii() or not _holds_any(folded, NOTICE_SIGNS)):
        return False
    places = [place for notice in _NOTICES if (place := folded.find(notice)) >= 0]
    return bool(places) and folded[min(places) - 1 : min(places)] not in OPENING_QUOTES  # an article may quote one


def _holds_any(text: str, clues: Iterable[str]) -> bool:
    for clue in clues:  # noqa: SIM110 - a generator would cost more than all the searches
        if clue in text:
            return True
    return False


def find_window(text: Text) -> list[Block] | None:
    """The last lines, from the top down, that may be cruft or stand between cruft; None if no rule knows any."""
    window: list[Block] = []
    weight = 0
    end: int | None = None
    anything = False
    for line in text.kept_from_below():
        block = Block(line, text.lines[line], text.find(line))
        window.append(block)
        if block.rule is None:
            weight += 1 if len(block.text) <= SHORT_BLOCK_CHARS else LONG_WEIGHT
            if weight >= MAX_UNKNOWN_WEIGHT and end is None:
                end = len(window)
            if weight >= MAX_COMMENTS_WEIGHT:
                break
        elif end is None or block.rule.form == "comment-form":
            end, anything = None, True
            weight = max(0, min(weight, MAX_UNKNOWN_WEIGHT) - 1)
    return window[:end][::-1] if anything else None


def find_tails(text: Text, window: list[Block]) -> dict[int, Rule]:
    """The tails that end at the end of the text or right above a block that stays, each block with its rule."""
    with_comments = _find_tails(text, window, COMMENT_SHARE, comments=True)
    return with_comments or _find_tails(text, window, STRONG_SHARE, comments=False)


def _find_tails(text: Text, window: list[Block], strong_share: float, *, comments: bool) -> dict[int, Rule]:
    doomed: dict[int, Rule] = {}
    scored = _score(window, text.rules, comments=comments)
    end = len(window)
    while end > 0:
        best = total = 0.0
        cut = start = end
        while start > 0 and (score := scored[start - 1][0]) is not None:
            start -= 1
            total += score
            if total > best:
                best, cut = total, start
        tail = window[cut:end]
        proven = any(map(_proves, tail))
        if best >= (MIN_SCORE if proven else MIN_WEAK_SCORE):
            guessed = sum(len(block.text) for block in tail if block.rule is None)
            share = strong_share if proven else WEAK_SHARE
            if guessed <= share * text.chars_above(tail[0].line) + FREE_CHARS:
                doomed |= {block.line: rule for block, (_, rule) in zip(tail, scored[cut:end], strict=True)}
        end = start - 1
    return doomed


def _proves(block: Block) -> bool:
    """Whether one block is enough: a strong one, or the heading of a list of links.

    Other promos are not, as their neighbour may be a heading of the article; nor is a link whole in itself ("Read also:
    Ferry fares to rise"): the article goes on below it.
    """
    if block.rule is None or block.rule.strength != "strong":
        return False
    return block.rule.kind == "cruft" or (block.rule.form in _RULE_BELOW and ":" not in block.text[:-1])


def _score(window: list[Block], rules: CruftRules, *, comments: bool) -> list[tuple[float | None, Rule]]:
    """Each block's score (None: it stays, whatever stands below) and the rule to name if it goes.

    Only what stands above a block counts, so that what remains when a tail has gone scores as before. ``comments``
    lets long paragraphs below a comment form go too.
    """
    scored: list[tuple[float | None, Rule]] = []
    below: Rule | None = None  # names what stands below a known block
    listed = False  # below a line that announces a list of the article
    for block in window:
        _, text, rule = block
        if _announces(block):
            rule = None
        if rule is not None and rule.strength == "strong":
            proves = _proves(block)
            if proves:
                below, listed = _RULE_BELOW.get(rule.form, _BELOW_STRONG), False
            # A promo in the body goes anyway and says nothing of its neighbours.
            scored.append((STRONG_SCORE if proves else 0.0, rule))
        elif rule is not None and rule.form not in _NO_PROOF:
            if below is None and not listed:
                below = _BELOW_WEAK
            scored.append((0.0 if listed else WEAK_SCORE, rule))
        else:
            announces = text.endswith(LIST_MARKS)
            sentence = announces or ends_sentence(text)
            proven = below is not None and below is not _BELOW_WEAK
            # By its length first: to look for an agency in a long paragraph costs more than all else here.
            if _is_long(text, sentence, proven) or is_note(text, rules):
                if comments and below is _BELOW_FORM and not is_note(text, rules):
                    scored.append((COMMENT_SCORE, below))
                    continue
                below, listed = None, announces
                scored.append((None, _BETWEEN))
                continue
            if below is None:
                listed = listed or announces
                link = not sentence and _is_link(text)
                score = SENTENCE_ABOVE_SCORE if sentence or listed else LINK_SCORE if link else ABOVE_SCORE
                if not listed and (rule.form == "count" if rule is not None else _LABEL.match(text) is not None):
                    score = COUNT_SCORE
                scored.append((score, rule or (_LINK_LIST if link else _BETWEEN)))
            elif sentence and not proven:
                scored.append((SENTENCE_ABOVE_SCORE, rule or below))
            else:
                # Below a proven heading a colon announces the next list of links.
                prose = sentence and not announces
                scored.append((SENTENCE_BELOW_SCORE if prose else BELOW_SCORE, rule or below))
    return scored


def find_short_run(text: Text) -> dict[int, Rule]:
    """The run of short lines at the very end, if its shape proves it furniture."""
    run: list[Block] = []
    best = total = 0.0
    cut = sentences = 0
    for line in text.kept_from_below():
        block = Block(line, text.lines[line], text.find(line))
        sentence = block.rule is None and ends_sentence(block.text)
        if _announces(block) or (
            block.rule is None
            and (
                len(block.text) > SHORT_BLOCK_CHARS
                or block.text.endswith(LIST_MARKS)
                or not text.is_paragraph(line)
                or is_note(block.text, text.rules)
            )
        ):
            break
        sentences += sentence
        if sentences > MAX_RUN_SENTENCES:
            break
        if len(run) == MAX_RUN_LINES:
            return {}
        run.append(block)
        total += SHORT_SENTENCE if sentence else _line_score(block)
        if total > best and not sentence:
            best, cut = total, len(run)
    else:
        return {}  # a text that is nothing but short lines
    run = run[:cut]
    if best < MIN_RUN_SCORE or block.text.endswith(LIST_MARKS):
        return {}
    named = sum(block.rule is None and _NAME.match(block.text) is not None for block in run)
    chars = sum(len(block.text) for block in run)
    share = MAX_PAIR_SHARE
    if len(run) > 2:
        share = SIGNED_RUN_SHARE if best >= SIGNED_LINE * len(run) else MAX_RUN_SHARE
    if 2 * named > len(run) and best - PLAIN_LINE * named < MIN_RUN_SCORE:
        return {}
    if chars > share * text.chars_above(run[-1].line):
        return {}
    return {block.line: block.rule or _SHORT_RUN for block in run}


def find_label(text: Text) -> dict[int, Rule]:
    """The last line, if it is the label of a link, a button or a list, and alone below the article's last sentence; or
    the numbers of likes and comments that stand there.

    Of such labels 4 in 100 were the article's, of 26 such numbers none. A label that ends like a sentence may be the
    article's last ("What do you think?").
    """
    last = list(islice(text.kept_from_below(), MAX_LAST_COUNTS + 1))
    labels: dict[int, Rule] = {}
    for line in last:
        rule = text.find(line)
        if rule is None or rule.strength != "weak" or not text.is_paragraph(line):
            break
        is_count = rule.form == "count" and text.lines[line][0] != "-"  # "-30-" ends a release
        if not is_count and (labels or rule.form in _NO_PROOF):
            break
        if ends_sentence(text.lines[line]) and rule.form != "subscribe-pitch":
            break
        labels[line] = rule
        if not is_count:
            break
    if not 0 < len(labels) < len(last):
        return {}
    above = text.lines[last[len(labels)]]
    return labels if may_be_prose(above) and not above.endswith(LIST_MARKS) else {}


def _announces(block: Block) -> bool:
    """Whether a block that a rule knows may announce a list of the article none the less."""
    rule = block.rule
    is_weak_label = rule is not None and rule.strength == "weak" and rule.form in _ANNOUNCING_FORMS
    return is_weak_label and block.text.endswith(LIST_MARKS)


def _line_score(block: Block) -> float:
    if block.rule is not None:
        if block.rule.form in _LINK_FORMS:
            return LINK_LINE
        weak = block.rule.strength == "weak" and block.rule.form not in _NO_PROOF
        return WEAK_LINE if weak else PLAIN_LINE
    return PLAIN_LINE + sum(sign.score for sign in SIGNS if sign.pattern.search(block.text))


def _is_long(text: str, sentence: bool, proven: bool) -> bool:
    """Whether an unknown block is the article's by its length."""
    return len(text) > SHORT_BLOCK_CHARS and (sentence or not proven or len(text) > MAX_UNKNOWN_CHARS)


def may_be_prose(text: str) -> bool:
    """Whether a block is long or ends like a sentence."""
    return len(text) > SHORT_BLOCK_CHARS or ends_sentence(text)


def is_note(text: str, rules: CruftRules) -> bool:
    """Whether a block is the article's by its words, wherever it stands."""
    return _NOTE.match(text) is not None or rules.names_agency(text)


def _is_link(text: str) -> bool:
    """Whether a short block looks like a link or a row of them: arrows at its edge, bars between."""
    return text[0] in _ARROWS or text[-1] in _ARROWS or text.count("|") > 1
