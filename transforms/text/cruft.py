"""Cruft: page furniture that an extractor left behind at the end of a text, and promos in its body.

Blocks are lines. Each is compared as a whole with the rules, so a sentence that merely contains their words
is never touched. What no rule knows goes only as part of a tail (:mod:`transforms.text.tail`).
"""

from collections.abc import Mapping
from itertools import accumulate, compress, count

from transforms.text.edits import Edit
from transforms.text.need import ANY_LINE, Suspects
from transforms.text.rules import (
    BAR_ANCHORS,
    BOX_HEADING,
    PAGE_BUTTON,
    PROMO_START_CHARS,
    SHORT_BLOCK_CHARS,
    CruftRules,
    Rule,
    block_start,
    normalise_block,
)
from transforms.text.tail import (
    LIST_MARKS,
    Block,
    Text,
    find_label,
    find_short_run,
    find_tails,
    find_window,
    is_note,
    may_be_prose,
)

# An article may end in a list of words that a form has too ("Facebook", "Google", "YouTube"), so above the
# topmost strong block of a run no more weak ones than these go.
MAX_WEAK_ABOVE = 2
# What stands in a bar of links and buttons, and how many different wordings prove one in the body: with a strong one,
# and without. Right below the headline a bar needs one less.
BAR_FORMS = BAR_ANCHORS | {
    "share-link", "count", "comment-list", "comment-form", "comment-form-field", "follow", "follow-label",
    "subscribe-label", "subscribe-call", "subscribe-offer", "subscribe-pitch", "subscribe-words", "newsletter",
}  # fmt: skip
MIN_BAR, MIN_LABELS = 2, 3
# The label of a button to share, print or subscribe needs no company (of 190 such lines all were furniture) beside what
# is no cell of a table with a column of that name. It takes so many numbers of likes beside it along.
MAX_BUTTON_COUNTS = 3
MAX_CELL_CHARS = 50
HEAD_LINES = 8  # with the blank ones
# A box of links to other articles: a heading and so many titles below it. A shorter line is a heading of the article.
# Of such boxes between paragraphs 9 in 10 were furniture; a longer list may be what the article is about.
MAX_BOX_TITLES = 3
MIN_TITLE_CHARS, MIN_TITLE_CHARS_UNSPACED = 25, 10
_TITLE_IN_BOX = Rule(name="body/below-related", kind="promo", strength="weak")


def strip_cruft(text: str, rules: CruftRules, suspects: Suspects = ANY_LINE) -> tuple[str, list[Edit]]:
    r"""Remove cruft near the end of ``text`` and promos anywhere, each block as one edit, from the bottom up.

    ``text`` has its paragraphs separated by one blank line. A block known to a rule goes when it or a block
    of the same run (neighbours that rules know, with nothing between them) is a strong one, or when enough
    different weak blocks of one form stand in the run. An unknown block goes when it is part of a proven tail: short
    and below or between known ones. Long sentences stay, and so does what stands above them, unless a rule knows it.
    A text that is nothing but furniture becomes the empty string. ``suspects`` spares looking up lines that no rule
    knows (:mod:`transforms.text.cruft_kernel`).

    >>> from transforms.text.rules import load_cruft_rules
    >>> text, edits = strip_cruft("The bridge is open.\n\nSource link\n\nLeave a Reply", load_cruft_rules())
    >>> text
    'The bridge is open.'
    >>> edits[1]
    Edit(kind='cruft', rule='en/source-link', start=19, before='\n\nSource link', after='')
    """
    lines = text.split("\n")
    promos = suspects.promos
    if promos is None:
        likely = (block_start(line, PROMO_START_CHARS) in rules.promo_starts for line in lines)
        promos = {index: rule for index in compress(count(), likely) if (rule := rules.find(lines[index]))}
    doomed = _find_tail_cruft(Text(lines, rules, suspects)) if suspects.tail is not None else {}
    doomed = _find_promos(lines, promos, rules) | doomed
    return _remove_lines(text, lines, doomed) if doomed else (text, [])


def _find_promos(lines: list[str], known: Mapping[int, Rule], rules: CruftRules) -> dict[int, Rule]:
    doomed: dict[int, Rule] = {}
    walked = -1  # the last line of the bar before, so that each is walked once
    for index, rule in known.items():
        if rule.kind == "promo":
            doomed[index] = rule
        elif rule.form in BAR_ANCHORS and index > walked:
            bar, walked = _walk_bar(lines, index, rules)
            if _is_bar(lines, bar):
                doomed |= bar
        elif rule.form == BOX_HEADING and rule.strength == "strong":
            doomed |= _find_box(lines, index, rule, rules)
    return doomed


def _find_box(lines: list[str], heading: int, rule: Rule, rules: CruftRules) -> dict[int, Rule]:
    """The heading of a box of links in the body and the titles below it; nothing, where it is none."""
    above = _next_block(lines, range(heading - 1, -1, -1))
    if above is None or lines[above].endswith(LIST_MARKS):
        return {}
    box = {heading: rule}
    below = _next_block(lines, range(heading + 1, len(lines)))
    while below is not None and _is_title(lines[below]) and not is_note(lines[below], rules):
        if len(box) > MAX_BOX_TITLES:
            return {}
        box[below] = _TITLE_IN_BOX
        below = _next_block(lines, range(below + 1, len(lines)))
    # Between other furniture, or at the end of the text, it is the tail's.
    return box if below is not None and may_be_prose(lines[below]) and rules.find(lines[below]) is None else {}


def _is_title(line: str) -> bool:
    shortest = MIN_TITLE_CHARS if line.count(" ") > 1 else MIN_TITLE_CHARS_UNSPACED
    return len(line) >= shortest and not may_be_prose(line) and not line.endswith(LIST_MARKS)


def _walk_bar(lines: list[str], anchor: int, rules: CruftRules) -> tuple[dict[int, Rule], int]:
    """The neighbouring lines that may stand in one share bar with a line of the body, and the last line looked at."""
    bar: dict[int, Rule] = {}
    last = anchor
    for step in (-1, 1):
        index = anchor if step == 1 else anchor - 1
        while 0 <= index < len(lines):
            line = lines[index]
            if line and not line.isspace():
                rule = rules.find(line) if len(line) <= SHORT_BLOCK_CHARS else None
                if rule is None or rule.form not in BAR_FORMS:
                    break
                bar[index] = rule
                last = max(last, index)
            index += step
    return bar, last


def _is_bar(lines: list[str], bar: dict[int, Rule]) -> bool:
    """Whether the blocks prove one another: enough different wordings, and no line of the article announces a list."""
    if not bar:
        return False
    top, bottom = min(bar), max(bar)
    above, below = _next_block(lines, range(top - 1, -1, -1)), _next_block(lines, range(bottom + 1, len(lines)))
    if above is not None and lines[above].endswith(LIST_MARKS):
        return False
    forms = [rule.form for rule in bar.values()]
    if PAGE_BUTTON in forms and forms.count("count") <= MAX_BUTTON_COUNTS:
        beside = ((above, top), (below, bottom))
        if any(line is not None and abs(line - end) > 1 and _is_no_cell(lines[line]) for line, end in beside):
            return True
    strong = any(rule.form in BAR_ANCHORS and rule.strength == "strong" for rule in bar.values())
    counted = BAR_FORMS - {"count"} if strong else BAR_ANCHORS
    wordings = {normalise_block(lines[index]) for index, rule in bar.items() if rule.form in counted}
    return len(wordings) + (0 < top <= HEAD_LINES) >= (MIN_BAR if strong else MIN_LABELS)


def _is_no_cell(line: str) -> bool:
    return len(line) > MAX_CELL_CHARS or may_be_prose(line)


def _find_tail_cruft(text: Text) -> dict[int, Rule]:
    while True:
        window = find_window(text)
        found = find_tails(text, window) if window else {}
        if not found or not _keeps_prose(text.lines, text.doomed | found):
            found = (_find_runs(window) if window else {}) or find_short_run(text) or find_label(text)
            if not found:
                return text.doomed
        # What was hidden below or above these may now be the end of another tail.
        text.doomed |= found


def _keeps_prose(lines: list[str], doomed: dict[int, Rule]) -> bool:
    """Whether a sentence of the article is left; a share bar may stand between the headline and a short text."""
    return any(may_be_prose(line) for number, line in enumerate(lines) if number not in doomed)


def _find_runs(window: list[Block]) -> dict[int, Rule]:
    """What goes of the runs of known blocks that no tail holds."""
    doomed: dict[int, Rule] = {}
    run: list[Block] = []
    for block in reversed(window):
        if block.rule is not None:
            run.append(block)
        elif run:
            doomed |= _proven_part(run)
            run = []
    return doomed | _proven_part(run)


def _proven_part(run: list[Block]) -> dict[int, Rule]:
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


def _is_form(run: list[Block]) -> bool:
    forms: dict[str, set[str]] = {}
    for _, text, rule in run:
        if rule is not None and rule.together:
            wordings = forms.setdefault(rule.form, set())
            wordings.add(normalise_block(text))
            if len(wordings) >= rule.together:
                return True
    return False


def _remove_lines(text: str, lines: list[str], doomed: dict[int, Rule]) -> tuple[str, list[Edit]]:
    ends = [chars + breaks for breaks, chars in enumerate(accumulate(map(len, lines)))]
    edits: list[Edit] = []
    cuts: list[tuple[int, int]] = []
    has_kept = False  # below the block
    below = (0, 0)  # what separates the block from the one kept below it, or from the text's end
    for index in sorted(doomed, reverse=True):
        rule, start, end = doomed[index], ends[index] - len(lines[index]), ends[index]
        lower = _next_block(lines, range(index + 1, len(lines)))
        upper = _next_block(lines, range(index - 1, -1, -1))
        if lower not in doomed:
            has_kept |= lower is not None
            below = (end, len(text) if lower is None else ends[lower] - len(lines[lower]))
        above = (0 if upper is None else ends[upper], start)
        if upper is None:
            edits.append(Edit(rule.kind, rule.name, 0, text[:end] + text[slice(*below)], ""))
            cuts += (below, (0, end))
        elif has_kept and below[1] - below[0] < above[1] - above[0]:
            # The first line of a paragraph whose other lines stay: the paragraph's break has to stay too.
            edits.append(Edit(rule.kind, rule.name, start, text[start:end] + text[slice(*below)], ""))
            cuts += (below, (start, end))
            below = above
        else:
            edits.append(Edit(rule.kind, rule.name, above[0], text[above[0] : end], ""))
            cuts.append((above[0], end))
    kept: list[str] = []
    done = 0
    for cut_from, cut_to in sorted(cuts):
        kept.append(text[done:cut_from])
        done = cut_to
    kept.append(text[done:])
    return "".join(kept), edits


def _next_block(lines: list[str], numbers: range) -> int | None:
    for number in numbers:
        if lines[number] and not lines[number].isspace():
            return number
    return None
