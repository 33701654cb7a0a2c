"""Credits: the wire agencies that a text names in its dateline or in a credit line at its end."""

import re
import unicodedata
from collections.abc import Iterator

from transforms.text.rules import CREDIT_START_CHARS, CreditRules

# A dateline opens the story, at most behind a headline, a standfirst and a byline.
HEAD_BLOCKS = 5
# Credit lines stand under the story, at most above an editor's note, a correction and a bio.
TAIL_BLOCKS = 5
# "AP writers … in … and … contributed to this report" may name a dozen people.
CREDIT_LINE_CHARS = 600
DATELINE_CHARS = 100
SIGNATURE_CHARS = 60

# "WASHINGTON (AP) —", "PARIS, May 3 (Reuters) -", "(AP) --", "Rio de Janeiro (EFE).-", "MOSCOW. /TASS/."
_DATELINE = re.compile(
    r"(?P<place>[^()/\n]{0,60}?) ?(?:\((?P<round>[^()]{2,50})\)|/(?P<slashed>[^/()]{2,40})/)"
    r"(?P<dash> ?\.?:? ?[-–—―]|[:.])?"
)
_PLACE_PARTICLES = frozenset(
    ["de", "del", "da", "do", "di", "la", "el", "le", "am", "an", "der", "of", "and", "the", "on", "upon", "in", "al"]
)
# As wires print them in a dateline, where the month has no capital: "Madrid, 3 may (EFE)", "ВЕСТМЕР, 3 мая. /ТАСС/".
_MONTH = re.compile(
    "ene|feb|mar|abr|may|jun|jul|ago|sept?|oct|nov|dic|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|"
    "octubre|noviembre|diciembre|janv|févr|mars|avr|avril|mai|juin|juil|juillet|août|octobre|novembre|déc|décembre|"
    "jan|fev|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|gen|mag|giu|lug|set|ott|"
    "gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|"
    "января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|"
    "січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня"
)
_MAX_CASELESS = 3  # words of a place in a script without capitals, where nothing tells a name from a sentence
# Behind the last sentence: "… he said. — AFP", "… of the city. (Xinhua)", "… the police said.==Kyodo"
_SIGNATURE = re.compile(
    r"""[.!?…"'”’。！？」؟]\s*(?:(?:[-–—=]{1,2}|＝)\s?(?P<dashed>[^()–—]{2,40})|"""
    r"""[(/\[（【](?P<framed>[^()\[\]（）【】]{2,40})[)/\]）】])\.?\Z"""
)
_COPYRIGHT = re.compile(
    r"(?:copyright\b|©|\(c\))[\s©(]*(?:\(?c\)|copyright\b)?[\s©(]*"
    r"(?:(?:19|20)\d\d)?(?:\s?[-–,]\s?(?:19|20)\d\d)?[)\s,]*(?:by\s)?",
    re.IGNORECASE,
)
_HOLDER_END = re.compile(r"[,(]|\.(?:\s|\Z)|\s[-–—|]|\ball rights", re.IGNORECASE)
_SENTENCE_ENDS = frozenset(".!?…\"'”’。！？」؟")
_FRAME_ENDS = frozenset(")/]）】")
FRAME = " \t()[]*_.—–-/=（）【】＝"


def find_credits(text: str, rules: CreditRules) -> list[str]:
    r"""Return the names of the wire agencies credited in ``text``, in order of appearance, each once.

    Only a dateline among the first blocks and credit lines among the last ones count; an agency in a sentence
    is no credit.

    >>> from transforms.text.rules import load_credit_rules
    >>> find_credits("OSLO (AP) — It is open.\n\nWith reporting by AP and Reuters", load_credit_rules())
    ['AP', 'Reuters']
    """
    found: list[str] = []
    for block in _first_blocks(text):
        found += _dateline_agencies(block, rules)
    # A text of one block is dateline and credit line in one; there the order is still the text's.
    tail = list(_last_blocks(text))
    for position in range(len(tail) - 1, -1, -1):
        found += _credit_line_agencies(tail[position], position, rules)
    return list(dict.fromkeys(found))


def _first_blocks(text: str) -> Iterator[str]:
    start, seen = 0, 0
    while seen < HEAD_BLOCKS and start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if end > start:
            seen += 1
            yield text[start : min(end, start + DATELINE_CHARS)]
        start = end + 1


def _last_blocks(text: str) -> Iterator[str]:
    """The last blocks from the bottom up; of one too long for a credit line, only its end."""
    end, seen = len(text), 0
    while seen < TAIL_BLOCKS and end > 0:
        start = text.rfind("\n", 0, end) + 1
        if end > start:
            seen += 1
            yield text[max(start, end - CREDIT_LINE_CHARS - 1) : end]
        end = start - 1


def _dateline_agencies(block: str, rules: CreditRules) -> list[str]:
    if opening := rules.openings.match(unicodedata.normalize("NFKC", block)):
        return _agencies_of_form(opening, rules)
    if "(" not in block and "/" not in block:
        return []
    match = _DATELINE.match(block)
    if match is None:
        return []
    place, dash = match["place"].strip(" \"'“‘"), match["dash"]
    # In front of the dash any place will do; without one only a place in capitals, as wires print it, and nothing that
    # goes on without a space, as in "47 NEWS(共同通信)によると".
    if not dash and (not place.partition(",")[0].isupper() or block[match.end() : match.end() + 1].strip()):
        return []
    if match["slashed"] and not place:
        return []
    if place in rules.agencies or not _is_place(place):
        return []
    return _only_agencies(match["round"] or match["slashed"], rules)


def _is_place(place: str) -> bool:
    """Whether the words can be a place and a date, and no sentence."""
    caseless = 0
    for word in place.split():
        bare = word.strip(".,")
        first = word[0]
        if not (first.isalnum() or first == "_") or (
            first.islower() and bare not in _PLACE_PARTICLES and not _MONTH.fullmatch(bare)
        ):
            return False
        caseless += first.isalpha() and not first.isupper() and not first.islower()
    return caseless <= _MAX_CASELESS


def _credit_line_agencies(block: str, position: int, rules: CreditRules) -> list[str]:
    """Agencies that ``block`` credits; ``position`` counts from the text's last block, which is 0."""
    if position < 2 and (block[-1] not in _SENTENCE_ENDS or block[-2:-1] in _FRAME_ENDS):
        signature = _SIGNATURE.search(block[-SIGNATURE_CHARS:].rstrip())
        if signature is not None:
            return _signed(signature["dashed"] or signature["framed"], rules)
    if len(block) > CREDIT_LINE_CHARS:
        return []
    if block[0] in "©Cc(" and (sign := _COPYRIGHT.match(block)):
        return _only_agencies(_HOLDER_END.split(block[sign.end() :], maxsplit=1)[0], rules)
    line = block.strip(FRAME)
    # Without spaces, a phrase's start may hold the first letter of what follows it.
    is_likely = not line[:1].isascii() or line[:CREDIT_START_CHARS].casefold() in rules.before_starts
    if is_likely and (phrase := rules.before.match(line)):
        return _agencies_among_names(line[phrase.end() :], rules)
    folded = line[-SIGNATURE_CHARS:].casefold()
    if folded.endswith(rules.after):
        phrase_chars = max(len(phrase) for phrase in rules.after if folded.endswith(phrase))
        return _agencies_among_names(line[:-phrase_chars], rules)
    # A name that stands alone is a signature when it is marked as one or is the last thing of all.
    if len(line) <= SIGNATURE_CHARS and (position == 0 or block[0] in "([—–-/=（【＝"):
        return _signed(line, rules)
    return []


def _signed(signature: str, rules: CreditRules) -> list[str]:
    """The agencies of what stands alone at the end: their names, or a form as "据新华社北京5月3日电"."""
    signature = unicodedata.normalize("NFKC", signature).strip()
    if closing := rules.closings.fullmatch(signature):
        return _agencies_of_form(closing, rules)
    return _only_agencies(signature, rules)


def _agencies_of_form(match: re.Match[str], rules: CreditRules) -> list[str]:
    spellings = [spelling for group in match.groups() if group for spelling in rules.one_agency.findall(group)]
    return [rules.agencies[spelling] for spelling in spellings]


def _only_agencies(names: str, rules: CreditRules) -> list[str]:
    """The agencies of a list that holds nothing else, or none at all."""
    found = [_agency(name, rules, rest_all_roles=True) for name in rules.joiners.split(names) if name.strip()]
    return [] if None in found else [name for name in found if name is not None]


def _agencies_among_names(names: str, rules: CreditRules) -> list[str]:
    """The agencies of a list of names; none when it has words as a sentence has and a list has not."""
    if found_alone := _only_agencies(names, rules):  # some are of words without capitals: "وكالة فرانس برس"
        return found_alone
    for word in names.split():
        bare = word.strip("\"'“”‘’.,;:()[]")
        is_name = not bare or bare[0].isupper() or bare[0].isdigit() or bare in rules.agencies
        if not is_name and bare not in rules.lower_words:
            return []
    found = (_agency(name, rules) for name in rules.joiners.split(names))
    return [name for name in found if name is not None]


def _agency(name: str, rules: CreditRules, *, rest_all_roles: bool = False) -> str | None:
    """The agency that ``name`` means: a spelling, with nothing or a role behind it ("AP writer Jane Doe")."""
    words = name.strip(" \t.*_[]\"'“”").split()
    for count in range(min(len(words), 4), 0, -1):
        agency = rules.agencies.get(" ".join(words[:count]))
        if agency is not None:
            rest = words[count:] if rest_all_roles else words[count : count + 1]
            return agency if all(word.casefold().strip("'’") in rules.roles for word in rest) else None
    return None
