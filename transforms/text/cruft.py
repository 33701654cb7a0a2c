"""Cruft: page furniture that an extractor left behind at the end of a text, and promos in its body.

Blocks are lines. Each is compared as a whole with the rules, so a sentence that merely contains their words
is never touched.
"""

from transforms.text.edits import Edit
from transforms.text.rules import (
    BULLETS,
    PROMO_START_CHARS,
    SHORT_BLOCK_CHARS,
    CruftRules,
    Rule,
    normalise_block,
)

# Furniture may stand between lines that no rule knows (the headlines under "Related posts"). Those stay, and
# the search goes on above them until they weigh this much; a long one is likely a paragraph of the article
# and weighs four.
MAX_UNKNOWN_WEIGHT = 8
LONG_WEIGHT = 4
# An article may end in a list of words that a form has too ("Facebook", "Google", "YouTube"), so above the
# topmost strong block of a run no more weak ones than these go.
MAX_WEAK_ABOVE = 2


def strip_cruft(text: str, rules: CruftRules) -> tuple[str, list[Edit]]:
    r"""Remove cruft near the end of ``text`` and promos anywhere, each block as one edit, from the bottom up.

    ``text`` has its paragraphs separated by one blank line. A block known to a rule goes when it or a block
    of the same run (neighbours that rules know, with nothing between them) is a strong one, or when enough
    different weak blocks of one form stand in the run. Unknown blocks always stay. A text that is nothing but
    furniture becomes the empty string.

    >>> from transforms.text.rules import load_cruft_rules
    >>> text, edits = strip_cruft("The bridge is open.\n\nSource link\n\nLeave a Reply", load_cruft_rules())
    >>> text
    'The bridge is open.'
    >>> edits[1]
    Edit(kind='cruft', rule='en/source-link', start=19, before='\n\nSource link', after='')
    """
    lines = text.split("\n")
    doomed = _find_tail_cruft(lines, rules)
    # With the split, this is most of the time that an article without cruft costs.
    starts = [line.lstrip(BULLETS)[:PROMO_START_CHARS] for line in lines if line]
    if not rules.promo_starts.isdisjoint(starts):
        doomed |= _find_promos(lines, rules)
    return _remove_lines(text, lines, doomed) if doomed else (text, [])


def _find_promos(lines: list[str], rules: CruftRules) -> dict[int, Rule]:
    starts = rules.promo_starts
    likely = [index for index, line in enumerate(lines) if line.lstrip(BULLETS)[:PROMO_START_CHARS] in starts]
    found = ((index, rules.find(lines[index])) for index in likely)
    return {index: rule for index, rule in found if rule is not None and rule.kind == "promo"}


def _find_tail_cruft(lines: list[str], rules: CruftRules) -> dict[int, Rule]:
    doomed: dict[int, Rule] = {}
    run: dict[int, Rule] = {}
    unknown = 0
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if not line or line.isspace():
            continue
        rule = rules.find(line)
        if rule is not None:
            run[index] = rule
            continue
        if run:
            doomed |= _proven_part(run, lines)
            run = {}
        unknown += 1 if len(line) <= SHORT_BLOCK_CHARS else LONG_WEIGHT
        if unknown >= MAX_UNKNOWN_WEIGHT:
            break
    return doomed | _proven_part(run, lines)


def _proven_part(run: dict[int, Rule], lines: list[str]) -> dict[int, Rule]:
    """What goes of a run of known blocks, given from the bottom up."""
    if _is_form(run, lines):
        return run
    # A promo proves nothing: its neighbour may be a heading of the article.
    proofs = [index for index, rule in run.items() if rule.kind == "cruft" and rule.strength == "strong"]
    top = len(lines)
    if proofs:
        weak_above = sum(index < proofs[-1] and rule.strength == "weak" for index, rule in run.items())
        top = 0 if weak_above <= MAX_WEAK_ABOVE else proofs[-1]
    return {index: rule for index, rule in run.items() if index >= top or rule.kind == "promo"}


def _is_form(run: dict[int, Rule], lines: list[str]) -> bool:
    forms: dict[str, set[str]] = {}
    for index, rule in run.items():
        if rule.together:
            wordings = forms.setdefault(rule.form, set())
            wordings.add(normalise_block(lines[index]))
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
