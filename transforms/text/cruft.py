"""Cruft: page furniture that an extractor left behind at the end of a text, and promos in its body.

Blocks are lines. Each is compared as a whole with the rules, so a sentence that merely contains their words
is never touched. What no rule knows goes only as part of a tail that known blocks prove: every block near the end
has a score, and the tail begins where the sum of the scores down to its end is highest.
"""

import re
from typing import NamedTuple

from transforms.text.edits import Edit
from transforms.text.rules import (
    BULLETS,
    PROMO_START_CHARS,
    SHORT_BLOCK_CHARS,
    CruftRules,
    Rule,
    normalise_block,
)

# Furniture may stand between lines that no rule knows. The search goes on above those until they weigh this much: a
# short one weighs one; a long one, likely a paragraph of the article or a reader's comment, four. Each known block
# takes one off again. Four more gain 0.7 % of the tail blocks and cost 0.014 % of the articles' words.
MAX_UNKNOWN_WEIGHT = 12
LONG_WEIGHT = 4
# A longer block stays even if it does not end like a sentence: one such error costs as many words as ten others.
MAX_UNKNOWN_CHARS = 240
# An article may end in a list of words that a form has too ("Facebook", "Google", "YouTube"), so above the
# topmost strong block of a run no more weak ones than these go.
MAX_WEAK_ABOVE = 2

# Scores of the tail model, after the log odds (natural) of a block of that kind in the tail against one in the article:
# eight blocks behind and fifteen above the end of each of 2,206 labelled pages (docs/cleaning.md).
STRONG_SCORE = 4.0  # 3.3 (related posts) to 6.5 (previous and next post)
WEAK_SCORE = 2.5  # 2.7 (related) to 6.4 (share labels)
LINK_SCORE = 1.5  # arrows, bars between links, separators without a letter: 1.1 to 3.8
# Below a known block: 3.1 to 4.8 for what is no sentence, 2.0 to 2.7 for a short sentence. Neighbours depend on one
# another, so each counts for less, and a sentence against the tail, because it costs more words.
BELOW_SCORE = 1.0
SENTENCE_BELOW_SCORE = -1.5
# Above all known blocks: 0.1 for a line like a headline, 1.0 for a label, -1.1 for a sentence. Taken lower, so that a
# tail begins at a known block and never at a guess: an article may end in a list, a signature or "ENDS". Scoring labels
# at 0.3 would gain 2.6 % of the tail blocks.
ABOVE_SCORE = -0.5
SENTENCE_ABOVE_SCORE = -3.0
# What a tail has to reach: one strong block, or three weak ones, or fewer and the links below them. A lone word or two
# fields of a form prove nothing.
MIN_SCORE = 4.0
MIN_WEAK_SCORE = 5.5

_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।][\"'”’»)\]]*\s*\Z")
_ARROWS = "«»‹›←→→▶►"
_LIST_MARKS = (":", "：")
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


def _tail_rule(name: str) -> Rule:
    return Rule(name=f"tail/{name}", kind="cruft", strength="weak")


_LINK_LIST = _tail_rule("link-list")
_BELOW_FORM = _tail_rule("below-comment-form")
_BELOW_RELATED = _tail_rule("below-related")
_BELOW_SHARE = _tail_rule("below-share-bar")
_BELOW_STRONG = _tail_rule("below-furniture")
_BELOW_WEAK = _tail_rule("below-label")
_BETWEEN = _tail_rule("between-furniture")
_RULE_BELOW = {
    "comment-form": _BELOW_FORM,
    **dict.fromkeys(
        ("related-posts", "read-more", "post-navigation", "tags", "author-box", "read-more-link"), _BELOW_RELATED
    ),
    **dict.fromkeys(("share-bar", "subscribe", "subscribe-call", "follow"), _BELOW_SHARE),
}
# Words and numbers that articles end in too prove nothing.
_NO_PROOF = frozenset({"count", "source-label"})


class _Block(NamedTuple):
    line: int
    text: str
    rule: Rule | None


def strip_cruft(text: str, rules: CruftRules, *, promos: bool = True) -> tuple[str, list[Edit]]:
    r"""Remove cruft near the end of ``text`` and promos anywhere, each block as one edit, from the bottom up.

    ``text`` has its paragraphs separated by one blank line. A block known to a rule goes when it or a block
    of the same run (neighbours that rules know, with nothing between them) is a strong one, or when enough
    different weak blocks of one form stand in the run. An unknown block goes when it is part of a proven tail: short
    and below or between known ones. Long sentences stay, and so does what stands above them, unless a rule knows it.
    A text that is nothing but furniture becomes the empty string. Without ``promos`` only the end is looked at, for
    texts of which is known that no line starts as a promo does.

    >>> from transforms.text.rules import load_cruft_rules
    >>> text, edits = strip_cruft("The bridge is open.\n\nSource link\n\nLeave a Reply", load_cruft_rules())
    >>> text
    'The bridge is open.'
    >>> edits[1]
    Edit(kind='cruft', rule='en/source-link', start=19, before='\n\nSource link', after='')
    """
    lines = text.split("\n")
    doomed = _find_tail_cruft(lines, rules)
    if promos:
        # With the split, this is most of the time that an article without cruft costs.
        starts = [line and line.lstrip(BULLETS)[:PROMO_START_CHARS] for line in lines]
        if not rules.promo_starts.isdisjoint(starts):
            doomed |= _find_promos(lines, starts, rules)
    return _remove_lines(text, lines, doomed) if doomed else (text, [])


def _find_promos(lines: list[str], starts: list[str], rules: CruftRules) -> dict[int, Rule]:
    likely = [index for index, start in enumerate(starts) if start in rules.promo_starts]
    found = ((index, rules.find(lines[index])) for index in likely)
    return {index: rule for index, rule in found if rule is not None and rule.kind == "promo"}


def _find_tail_cruft(lines: list[str], rules: CruftRules) -> dict[int, Rule]:
    doomed: dict[int, Rule] = {}
    known: dict[int, Rule | None] = {}
    while True:
        window = _window(lines, doomed, rules, known)
        if window is None:
            return doomed
        found = _find_tails(window, rules)
        if not found or not _keeps_prose(lines, doomed | found):
            found = _find_runs(window)
            if not found:
                return doomed
        # What was hidden below or above these may now be the end of another tail.
        doomed |= found


def _keeps_prose(lines: list[str], doomed: dict[int, Rule]) -> bool:
    """Whether a sentence of the article is left; a share bar may stand between the headline and a short text."""
    return any(
        _SENTENCE_END.search(line) is not None or len(line) > SHORT_BLOCK_CHARS
        for number, line in enumerate(lines)
        if number not in doomed
    )


def _window(
    lines: list[str], doomed: dict[int, Rule], rules: CruftRules, known: dict[int, Rule | None]
) -> list[_Block] | None:
    """The last lines, from the top down, that may be cruft or stand between cruft; None if no rule knows any.

    ``doomed`` ones are gone already; ``known`` keeps what was looked up.
    """
    window: list[tuple[int, str, Rule | None]] = []
    weight = 0
    anything = False
    for line in range(len(lines) - 1, -1, -1):
        text = lines[line]
        if not text or line in doomed or text.isspace():
            continue
        rule = known[line] if line in known else rules.find(text)
        known[line] = rule
        window.append((line, text, rule))
        if rule is not None:
            anything = True
            weight = max(0, weight - 1)
            continue
        weight += 1 if len(text) <= SHORT_BLOCK_CHARS else LONG_WEIGHT
        if weight >= MAX_UNKNOWN_WEIGHT:
            break
    return [_Block(*block) for block in reversed(window)] if anything else None


def _find_tails(window: list[_Block], rules: CruftRules) -> dict[int, Rule]:
    """The tails that end at the end of the text or right above a block that stays, each block with its rule."""
    doomed: dict[int, Rule] = {}
    scored = _score(window, rules)
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
        if best >= (MIN_SCORE if any(block.rule and _proves(block.rule) for block in tail) else MIN_WEAK_SCORE):
            doomed |= {block.line: rule for block, (_, rule) in zip(tail, scored[cut:end], strict=True)}
        end = start - 1
    return doomed


def _proves(rule: Rule) -> bool:
    """Whether one block of this rule is enough; a promo is not, as its neighbour may be a heading of the article."""
    return rule.strength == "strong" and (rule.kind == "cruft" or rule.form in _RULE_BELOW)


def _score(window: list[_Block], rules: CruftRules) -> list[tuple[float | None, Rule]]:
    """Each block's score (None: it stays, whatever stands below) and the rule to name if it goes.

    Only what stands above a block counts, so that what remains when a tail has gone scores as before.
    """
    scored: list[tuple[float | None, Rule]] = []
    below: Rule | None = None  # names what stands below a known block
    listed = False  # below a line that announces a list of the article
    for _, text, rule in window:
        if rule is not None and rule.strength == "strong":
            if _proves(rule):
                below, listed = _RULE_BELOW.get(rule.form, _BELOW_STRONG), False
            # A promo in the body goes anyway and says nothing of its neighbours.
            scored.append((STRONG_SCORE if _proves(rule) else 0.0, rule))
        elif rule is not None and rule.form not in _NO_PROOF:
            if below is None and not listed:
                below = _BELOW_WEAK
            scored.append((0.0 if listed else WEAK_SCORE, rule))
        else:
            announces = text.endswith(_LIST_MARKS)
            sentence = announces or _SENTENCE_END.search(text) is not None
            proven = below is not None and below is not _BELOW_WEAK
            if _stays(text, sentence, proven, rules):
                below, listed = None, announces
                scored.append((None, _BETWEEN))
                continue
            if below is None:
                listed = listed or announces
                link = not sentence and _is_link(text)
                score = SENTENCE_ABOVE_SCORE if sentence or listed else LINK_SCORE if link else ABOVE_SCORE
                scored.append((score, rule or (_LINK_LIST if link else _BETWEEN)))
            elif sentence and not proven:
                scored.append((SENTENCE_ABOVE_SCORE, rule or below))
            else:
                # Below a proven heading a colon announces the next list of links.
                prose = sentence and not announces
                scored.append((SENTENCE_BELOW_SCORE if prose else BELOW_SCORE, rule or below))
    return scored


def _stays(text: str, sentence: bool, proven: bool, rules: CruftRules) -> bool:
    """Whether an unknown block is the article's by its length or its words, wherever it stands."""
    if len(text) > SHORT_BLOCK_CHARS and (sentence or not proven or len(text) > MAX_UNKNOWN_CHARS):
        return True
    return _NOTE.match(text) is not None or rules.names_agency(text)


def _is_link(text: str) -> bool:
    """Whether a short block looks like a link or a row of them: arrows at its edge, bars between."""
    return text[0] in _ARROWS or text[-1] in _ARROWS or text.count("|") > 1


def _find_runs(window: list[_Block]) -> dict[int, Rule]:
    """What goes of the runs of known blocks that no tail holds."""
    doomed: dict[int, Rule] = {}
    run: list[_Block] = []
    for block in reversed(window):
        if block.rule is not None:
            run.append(block)
        elif run:
            doomed |= _proven_part(run)
            run = []
    return doomed | _proven_part(run)


def _proven_part(run: list[_Block]) -> dict[int, Rule]:
    """What goes of a run of known blocks, given from the bottom up."""
    rules = {block.line: block.rule for block in run if block.rule is not None}
    if _is_form(run):
        return rules
    # A promo proves nothing: its neighbour may be a heading of the article.
    proofs = [index for index, rule in rules.items() if rule.kind == "cruft" and rule.strength == "strong"]
    if proofs:
        weak_above = sum(index < proofs[-1] and rule.strength == "weak" for index, rule in rules.items())
        top = 0 if weak_above <= MAX_WEAK_ABOVE else proofs[-1]
        return {index: rule for index, rule in rules.items() if index >= top or rule.kind == "promo"}
    return {index: rule for index, rule in rules.items() if rule.kind == "promo"}


def _is_form(run: list[_Block]) -> bool:
    forms: dict[str, set[str]] = {}
    for _, text, rule in run:
        if rule is not None and rule.together:
            wordings = forms.setdefault(rule.form, set())
            wordings.add(normalise_block(text))
            if len(wordings) >= rule.together:
                return True
    return False


def _remove_lines(text: str, lines: list[str], doomed: dict[int, Rule]) -> tuple[str, list[Edit]]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    blocks = [index for index, line in enumerate(lines) if line and not line.isspace()]
    edits: list[Edit] = []
    kept: list[str] = []  # from the bottom up
    # What separates the block from the one kept below it.
    below = text[starts[blocks[-1]] + len(lines[blocks[-1]]) :]
    for position in range(len(blocks) - 1, -1, -1):
        index = blocks[position]
        start, line = starts[index], lines[index]
        above_end = starts[blocks[position - 1]] + len(lines[blocks[position - 1]]) if position else 0
        above = text[above_end:start]
        rule = doomed.get(index)
        if rule is None:
            kept += (below, line)
            below = above
        elif not position:
            edits.append(Edit(rule.kind, rule.name, 0, above + line + below, ""))
            above = below = ""
        elif kept and len(below) < len(above):
            # The first line of a paragraph whose other lines stay: the paragraph's break has to stay too.
            edits.append(Edit(rule.kind, rule.name, start, line + below, ""))
            below = above
        else:
            edits.append(Edit(rule.kind, rule.name, above_end, above + line, ""))
    kept.append(below)
    return "".join(reversed(kept)), edits
