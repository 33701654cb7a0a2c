"""Cruft, promo and credit rules: data in ``transforms/rules/*.toml``, loaded, checked and compiled here.

One file a language, and one compiled matcher for all of them: a dict from the normalised block to its rule
for literals, and one anchored alternation for the few patterns. So eighty locales cost what one does.
"""

import dataclasses
import importlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, get_args

from transforms.text.kept import kept_on_disk

Kind = Literal["cruft", "promo"]
Strength = Literal["strong", "weak"]

# The longest comment-form notes, cookie notices and copyright lines hold 300 characters; the bound also keeps
# the time of any pattern bounded, whatever the text.
MAX_BLOCK_CHARS = 400
# Most paragraphs of an article are longer than this and most cruft is shorter. A longer block is looked up
# only when it starts like a rule that is as long, which spares the normalisation of the article's last
# paragraphs.
SHORT_BLOCK_CHARS = 120
LONG_START_CHARS = 4
PROMO_START_CHARS = 8
CREDIT_START_CHARS = 4

# The parser of re, which the standard library keeps under these names since Python 3.11.
re_parser: Any = importlib.import_module("re._parser")
re_constants: Any = importlib.import_module("re._constants")
_REPEATS = (re_constants.MAX_REPEAT, re_constants.MIN_REPEAT)
# A footer in one line is longer than a block that one rule knows.
MAX_ROW_CHARS = 600
MIN_BARS = 4
MAX_LINK_CHARS = 30
MAX_ROW_WORDS = 40
MAX_WORDING_WORDS = 5
MAX_LABEL_CHARS = 30
# A share bar or a form to subscribe may stand in the body too; one of its blocks is a literal of these forms.
PAGE_BUTTON = "page-button"
BAR_ANCHORS = frozenset({"share-bar", "share-label", "subscribe", PAGE_BUTTON})
# So may a box of links to other articles, below a strong literal of this form.
BOX_HEADING = "related-posts"
_BODY_FORMS = BAR_ANCHORS | {BOX_HEADING}

_CREDITS_FILE = "credits.toml"
BOILERPLATE_FILE = "boilerplate.toml"
"""No rules: phrases that tell learned boilerplate, see ``transforms.text.boilerplate``."""
_RULE_NAME = re.compile(r"[a-z][a-zA-Z_]*/[a-z0-9-]+")
_STRAIGHT = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f\ufeff"),
    }
)
# What may stand in front of a promo's first word; few, because each costs time in every line.
BULLETS = " *-–—•[(►»>|"
_EDGE = " \t\"'.,:;!?*|/\\-_~=+<>#&@^$%()[]{}\u00a0‘’“”«»‹›…–—•·→←►▶■●★：。"
OPENING_QUOTES = frozenset("\"'“‘„「『")
_BARS = re.compile(r"[|·•]|(?<=\s)[/:»>–—-](?=\s)")
PLAIN_BARS = frozenset("|·•")
# Labels glued together ("ShareTweet12Pin"); a name may be written so too ("LinkedIn").
_GLUED = "\0"
_GLUE = re.compile(r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ0-9])|(?<=[0-9])(?=[A-ZÀ-ÖØ-Þ])")
_GAP = re.compile(f"([ {_GLUED}])")
# A sentence that reports or gives a reason is prose, even if it begins as a wording does ("Comments are closed on this
# post, the clerk said."): furniture addresses its reader.
_REPORTS = re.compile(
    r"\b(?:said|told|wrote|asked|added|explained|announced|because|sagte|erklärte|hieß es|weil"
    r"|a (?:dit|déclaré|expliqué)|dijo|afirmó|porque|disse|ha detto|perché|zei|omdat"
    r"|сказала?|заявила?|потому что|powiedzia\w{1,3}|sade|dedi)\b"
)
_NESTED_GROUP = re.compile(r"\([^()]*\)")
SENTENCE_ENDS = tuple(".!?…。！？؟۔।")
CLOSING = " \t\r\n\u00a0\"'”’»)]↩\ufe0e"  # a footnote ends in the arrow back to its number
_CUT_SHORT = ("...", "…")


class RuleError(ValueError):
    """A rule file cannot be used; the message names the file, the rule, the field and what to do."""


def normalise_block(block: str) -> str:
    """Reduce a block to the key of its rule: case, spaces, quotes and what surrounds the words do not count.

    A copyright sign at the edge stays, because it is what makes a line a copyright line.

    >>> normalise_block("→ Leave a  Reply…")
    'leave a reply'
    """
    folded = block.casefold() if block.isascii() else normalise_characters(block)
    key = " ".join(folded.split()).strip(_EDGE)
    if key.isascii():
        return key
    start, end = 0, len(key)
    while start < end and is_edge(key[start]):
        start += 1
    while end > start and is_edge(key[end - 1]):
        end -= 1
    return key[start:end]


def normalise_characters(block: str) -> str:
    """Small letters, straight quotes, plain dashes and compatible forms, as wordings are compared."""
    return unicodedata.normalize("NFKC", block.translate(_STRAIGHT)).casefold()


def key_of_literal(literal: str) -> str:
    """``normalise_block`` of a rule's literal; of the shipped ones it is kept, because 17,000 take 60 ms."""
    return _shipped()[1].get(literal) or normalise_block(literal)


def ends_sentence(block: str) -> bool:
    """Whether a block ends like a sentence, also in quotes or brackets.

    >>> ends_sentence("“It rains.” "), ends_sentence("Related posts")
    (True, False)
    """
    return block.rstrip(CLOSING).endswith(SENTENCE_ENDS)


def block_start(block: str, chars: int) -> str:
    """Return the first characters of a block as they are, without the bullet in front: a cheap first look.

    >>> block_start("► ADVERTISEMENT", 4)
    'ADVE'
    """
    return block.lstrip(BULLETS)[:chars]


def _block_starts(keys: Iterable[str], chars: int) -> frozenset[str]:
    starts = {key[:chars] for key in keys}
    cases = (str.lower, str.upper, str.capitalize, str.title)
    return frozenset(case(start) for start in starts for case in cases)


def _has_plain_start(pattern: str, chars: int) -> bool:
    """Whether every text that ``pattern`` matches starts with the pattern's own first characters."""
    outer = re.sub(r"\\.", "", pattern)
    while (stripped := _NESTED_GROUP.sub("", outer)) != outer:
        outer = stripped
    return "|" not in outer and re.match(rf"[\w' :©-]{{{chars}}}(?![?*{{])", pattern) is not None


def _word_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Matches any of ``words``, each of which begins with a letter, as a whole word.

    The look at what stands before comes behind the first letter: so the engine skips to one of the first letters in a
    single loop, instead of looking for a word's boundary at every character.
    """
    rests: dict[str, list[str]] = {}
    for word in words:
        rests.setdefault(word[0], []).append(re.escape(word[1:]))
    branches = (rf"{re.escape(first)}(?<!\w.)(?:{'|'.join(rest)})\b" for first, rest in rests.items())
    return re.compile("|".join(branches) or r"(?!)")


def is_edge(char: str) -> bool:
    """Whether a character is not counted where a block begins and ends."""
    return unicodedata.category(char)[0] in "PSZC" and char != "©"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: the blocks (lines) that it removes, each as a whole.

    Fields as in the TOML files:

    - ``name``: ``language/form``, for example ``en/comment-form``; recorded in the edit.
    - ``kind``: ``cruft`` goes near the end of a text only, ``promo`` anywhere.
    - ``strength``: ``strong`` alone proves cruft; ``weak`` (ordinary words: "Name", "Related") goes only in
      the company of a strong block.
    - ``literals``: wordings; compared by ``normalise_block``.
    - ``patterns``: regular expressions without capturing groups over the whole normalised block.
    - ``together``: so many different weak blocks of one form prove each other ("Name", "Email", "Website");
      0 is never.
    - ``not_sentence``: a block that ends like a sentence matches no pattern: for those that end in a title.
    - ``keeps_credits``: a block that names a wire agency is not matched ("© 2023 The Associated Press").
    - ``before_colon``: a literal is also matched with a colon and a title or a list behind it ("Tags: bridges,
      Eastmere"), unless that ends like a sentence.
    """

    name: str
    kind: Kind
    strength: Strength
    literals: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    together: int = 0
    not_sentence: bool = False
    keeps_credits: bool = False
    before_colon: bool = False

    @property
    def language(self) -> str:
        """The part of the name before the slash: ``en``."""
        return self.name.partition("/")[0]

    @property
    def form(self) -> str:
        """The part of the name that all languages share: ``comment-form``."""
        return self.name.partition("/")[2]

    @property
    def is_in_body(self) -> bool:
        """Whether its literals may go wherever they stand: a promo, a block of a bar, the heading of a box."""
        return self.kind == "promo" or self.form in _BODY_FORMS


@dataclasses.dataclass(frozen=True)
class CruftRules:
    """All rules, compiled into one matcher; pickles as its three fields alone and is rebuilt in the worker.

    ``agencies`` are the wire agencies' spellings that ``Rule.keeps_credits`` looks for. ``kept`` are wordings of rules
    that the user switched off: those words do not go as a row of other wordings either.
    """

    rules: tuple[Rule, ...]
    agencies: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    promo_starts: frozenset[str] = dataclasses.field(init=False, repr=False, compare=False)
    """How the lines begin that may go wherever they stand: promos, the blocks of bars, the headings of boxes."""
    long_starts: frozenset[str] = dataclasses.field(init=False, repr=False, compare=False)
    looked_up: dict[str, Rule | None] = dataclasses.field(init=False, repr=False, compare=False, default_factory=dict)
    """What :mod:`transforms.text.tail` found of short lines."""
    _literals: Mapping[str, Rule] = dataclasses.field(init=False, repr=False, compare=False)
    _first_words: frozenset[str] = dataclasses.field(init=False, repr=False, compare=False)
    _pattern: re.Pattern[str] = dataclasses.field(init=False, repr=False, compare=False)
    _pattern_rules: tuple[Rule, ...] = dataclasses.field(init=False, repr=False, compare=False)
    _agency: re.Pattern[str] = dataclasses.field(init=False, repr=False, compare=False)
    _kept: frozenset[str] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        literals: dict[str, Rule] = {}
        for rule in self.rules:
            for literal in rule.literals:
                key = key_of_literal(literal)
                # A word that is ordinary in one language is ordinary: of two rules the weaker has it.
                if key not in literals or rule.strength == "weak":
                    literals[key] = rule
        branches = [(pattern, rule) for rule in self.rules for pattern in rule.patterns]
        promos = {key for key, rule in literals.items() if rule.is_in_body}
        promos |= {pattern for pattern, rule in branches if rule.kind == "promo"}
        long = {key for key in literals if len(key) >= SHORT_BLOCK_CHARS}
        long |= {pattern for pattern, _ in branches if _has_plain_start(pattern, LONG_START_CHARS)}
        object.__setattr__(self, "promo_starts", _block_starts(promos, PROMO_START_CHARS))
        object.__setattr__(self, "long_starts", _block_starts(long, LONG_START_CHARS))
        object.__setattr__(self, "_literals", literals)
        object.__setattr__(self, "_first_words", frozenset(key.partition(" ")[0] for key in literals))
        # An empty group at the end of each branch tells which one matched. In front it would switch off the
        # regex engine's check of a branch's first character, which makes hundreds of branches cheap.
        combined = "|".join(f"(?:{pattern})()" for pattern, _ in branches) or r"(?!)"
        object.__setattr__(self, "_pattern", re.compile(combined))
        object.__setattr__(self, "_pattern_rules", tuple(rule for _, rule in branches))
        object.__setattr__(self, "_kept", frozenset(map(key_of_literal, self.kept)))
        object.__setattr__(self, "_agency", _word_pattern(self.agencies))

    def __reduce__(self) -> tuple[type["CruftRules"], tuple[tuple[Rule, ...], tuple[str, ...], tuple[str, ...]]]:
        return CruftRules, (self.rules, self.agencies, self.kept)

    def find(self, block: str) -> Rule | None:
        """Return the rule whose wording ``block`` is as a whole, or None.

        >>> load_cruft_rules().find("Leave a Reply").name
        'en/comment-form'
        >>> load_cruft_rules().find("Leave a reply to the letter by Friday")
        """
        # “Keep reading.” is what somebody says.
        if block[:1] in OPENING_QUOTES:
            return None
        if len(block) > SHORT_BLOCK_CHARS and (
            len(block) > MAX_BLOCK_CHARS or block_start(block, LONG_START_CHARS) not in self.long_starts
        ):
            return self._find_long_label(block)
        key = normalise_block(block)
        rule = self._literals.get(key)
        if rule is None:
            rule = self._find_by_pattern(key) or self._find_before_colon(key)
            if rule is None:
                return None
            if ends_sentence(block):
                # A link may be cut short with dots.
                is_prose = (rule.not_sentence or rule.before_colon) and not block.endswith(_CUT_SHORT)
                if is_prose or _REPORTS.search(key):
                    return None
        if rule.keeps_credits and self.names_agency(block):
            return None
        return rule

    def find_row(self, block: str) -> Strength | None:
        """Return what ``block`` is as a row of wordings that rules know, or None if it is none.

        With bars between, half of the parts have to be known, in a short row a third; without, every word has to belong
        to one of several wordings, which may be glued together. A row is strong if it holds a strong wording.

        >>> rules = load_cruft_rules()
        >>> rules.find_row("Old Salt | 2 Comments | Share this"), rules.find_row("About us Contact Privacy policy")
        ('strong', 'weak')
        >>> rules.find_row("ShareTweet12LinkedIn"), rules.find_row("Ines Harrow | Permalink")
        ('strong', 'weak')
        >>> rules.find_row("About us and the sea")
        """
        if len(block) > MAX_ROW_CHARS or ends_sentence(block):
            return None
        parts = [part for part in _BARS.split(block) if part.strip()]
        if len(parts) > 1:
            if block.count("|") >= MIN_BARS and len(block) <= MAX_LINK_CHARS * len(parts):
                return "weak"
            found = [rule for part in parts if (rule := self.find(part.strip())) is not None]
            # Numbers between bars are a row of a table.
            if all(rule.form == "count" for rule in found):
                return None
            if 2 * len(found) >= max(len(parts), 4):
                return _strongest(found)
            # "Ines Harrow | 3 May | Permalink"; a dash stands in titles too.
            is_short = len(block) <= SHORT_BLOCK_CHARS and not PLAIN_BARS.isdisjoint(block)
            return "weak" if is_short and 3 * len(found) >= len(parts) else None
        key = normalise_block(_GLUE.sub(_GLUED, block))
        parts = _GAP.split(key)  # words, and what stands between
        words = parts[::2]
        if not 2 <= len(words) <= MAX_ROW_WORDS or words[0] not in self._first_words or key in self._kept:
            return None
        found = []
        start = 0
        while start < len(words):
            if words[start].isdecimal():  # of likes
                start += 1
                continue
            for end in range(min(start + MAX_WORDING_WORDS, len(words)), start, -1):
                wording = "".join(parts[2 * start : 2 * end - 1]).replace(_GLUED, "")
                rule = self._literals.get(wording.strip(_EDGE))
                if rule is not None:
                    found.append(rule)
                    start = end
                    break
            else:
                return None
        return _strongest(found) if len(found) > 1 else None

    def names_agency(self, block: str) -> bool:
        """Whether ``block`` names a wire agency, as a credit line does."""
        return self._agency.search(block) is not None

    def _find_by_pattern(self, key: str) -> Rule | None:
        match = self._pattern.fullmatch(key)
        return self._pattern_rules[match.lastindex - 1] if match and match.lastindex else None

    def _find_long_label(self, block: str) -> Rule | None:
        """A list of tags may be as long as a paragraph."""
        head, colon, _ = block[:MAX_LABEL_CHARS].partition(":")
        if not colon or len(block) > MAX_BLOCK_CHARS or ends_sentence(block):
            return None
        rule = self._literals.get(normalise_block(head))
        return rule if rule is not None and rule.before_colon and rule.form == "tag-label" else None

    def _find_before_colon(self, key: str) -> Rule | None:
        head, colon, _ = key.partition(":")
        if not colon:
            return None
        rule = self._literals.get(head.rstrip(_EDGE))
        return rule if rule is not None and rule.before_colon else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CreditRules:
    """Wire agencies and the words that make a line a credit line, from ``credits.toml``.

    - ``agencies``: spelling to name, ``{"The Associated Press": "AP", …}``.
    - ``before``: matches the phrase that starts a credit line ("With reporting by").
    - ``before_starts``: the first characters of those phrases, casefolded, for a cheap first look.
    - ``after``: phrases that end one ("contributed to this report"), casefolded.
    - ``roles``: words behind an agency's spelling that still mean the agency ("writer").
    - ``joiners``: matches what parts one name of a credit line from the next.
    - ``lower_words``: words without a capital that a list of names may hold.
    - ``openings``: matches how a story opens where the agency is written together with place and day; its groups hold
      agencies ("共同社东京5月3日电"). For text in NFKC form, as the two that follow.
    - ``closings``: the same of what stands in brackets at its end ("据新华社电").
    - ``one_agency``: matches the spellings in such a group.
    - ``signs``: characters of which one is in whatever these match and has no agency as a word of its own.
    """

    agencies: Mapping[str, str]
    before: re.Pattern[str]
    before_starts: frozenset[str]
    after: tuple[str, ...]
    roles: frozenset[str]
    joiners: re.Pattern[str]
    lower_words: frozenset[str]
    openings: re.Pattern[str]
    closings: re.Pattern[str]
    one_agency: re.Pattern[str]
    signs: str


def _strongest(found: Iterable[Rule]) -> Strength:
    # A promo says nothing of its neighbours.
    return "strong" if any(rule.strength == "strong" and rule.kind == "cruft" for rule in found) else "weak"


def load_cruft_rules(extra: Path | None = None) -> CruftRules:
    """Load the shipped rules and, if given, the user's file, which may add rules and ``disable`` shipped
    ones.

    Raises:
        RuleError: a file is not TOML, a rule is malformed, or ``disable`` names no rule.
        OSError: ``extra`` cannot be read.
    """
    rules = dict(_shipped()[0])
    kept: tuple[str, ...] = ()
    if extra is not None:
        table = _parse_toml(str(extra), extra.read_text("utf-8"))
        for name in _strings(str(extra), "", table, "disable"):
            if name not in rules:
                raise _error(str(extra), "", "disable", f"names no rule: [{name}]", "`cleancopy rules` lists them")
            kept += rules.pop(name).literals
        for rule in _parse_rules(str(extra), table):
            if rule.name in rules:
                raise _error(str(extra), rule.name, "name", "is taken", "disable that rule or take another")
            rules[rule.name] = rule
    return CruftRules(tuple(rules.values()), tuple(load_credit_rules().agencies), kept)


@kept_on_disk
def _shipped() -> tuple[Mapping[str, Rule], Mapping[str, str]]:
    """The shipped rules by name, and each literal's key; to read some 90 files takes 0.3 s."""
    rules: dict[str, Rule] = {}
    for file in sorted(resources.files("transforms.rules").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml") and file.name not in (_CREDITS_FILE, BOILERPLATE_FILE):
            for rule in _parse_rules(file.name, _parse_toml(file.name, file.read_text("utf-8"))):
                if rule.name in rules:
                    raise _error(file.name, rule.name, "name", "is taken", "give each rule its own name")
                rules[rule.name] = rule
    return rules, {literal: normalise_block(literal) for rule in rules.values() for literal in rule.literals}


def load_credit_rules() -> CreditRules:
    """Load the shipped agencies and credit phrases.

    Raises:
        RuleError: the file is malformed.
    """
    file = resources.files("transforms.rules") / _CREDITS_FILE
    table = _parse_toml(_CREDITS_FILE, file.read_text("utf-8"))
    agencies: dict[str, str] = {}
    for agency in table.get("agency", []):
        name = agency.get("name", "")
        for spelling in (name, *_strings(_CREDITS_FILE, name, agency, "spellings")):
            if not spelling or spelling in agencies:
                raise _error(_CREDITS_FILE, name, "spellings", f"[{spelling}] is empty or taken", "list it once")
            agencies[spelling] = name
    fields = ("before", "after", "roles", "joiners", "fillers")
    before, after, roles, joiners, fillers = (_strings(_CREDITS_FILE, "", table, field) for field in fields)
    longest_first = sorted(before, key=len, reverse=True)
    holes = _credit_holes(table, agencies)
    openings, closings = (
        "|".join(_HOLE.sub(lambda hole: holes[hole[1]], form) for form in _strings(_CREDITS_FILE, "", table, field))
        for field in ("openings", "closings")
    )
    return CreditRules(
        agencies=agencies,
        before=re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?::|\s|(?<=[:：]))\s*", re.IGNORECASE),
        before_starts=frozenset(f"{phrase} "[:CREDIT_START_CHARS].casefold() for phrase in before),
        after=tuple(phrase.casefold() for phrase in after),
        roles=frozenset(roles),
        joiners=re.compile(rf"\s*[,;&+|/:()=，；：、＝]\s*|\b(?:{'|'.join(joiners)})\b", re.IGNORECASE),
        lower_words=frozenset((*roles, *joiners, *fillers)),
        openings=re.compile(openings),
        closings=re.compile(closings),
        one_agency=re.compile(holes["agency"]),
        signs=str(table.get("signs", "")),
    )


_HOLE = re.compile(r"\{(\w+)\}")


def _credit_holes(table: Mapping[str, Any], agencies: Iterable[str]) -> dict[str, str]:
    """Regular expressions for the holes in ``openings`` and ``closings``."""

    def any_of(words: Iterable[str]) -> str:
        return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))

    pictures, cities = (_strings(_CREDITS_FILE, "", table, field) for field in ("pictures", "cities"))
    # Single words, and East Asian ones; no "APEC", and neither 新华社区 (a quarter) nor 中央社会部 (a department).
    latin = any_of(name for name in agencies if name.isascii() and name.isalpha())
    eastern = any_of(name for name in agencies if max(name) >= "\u3040")
    agency = f"(?:(?<![A-Za-z])(?:{latin})(?![A-Za-z])|(?:{eastern})(?![区區会會]))"
    return {
        "agency": f"({agency})",
        "agencies": f"((?:[=/、 ]?{agency}){{1,2}})",
        "place": rf"(?:(?:(?!{any_of(pictures)})[^\W\d_]|[ ・·、]){{1,16}}?)",
        "city": f"(?:{any_of(cities)})(?:[・、](?:{any_of(cities)}))?・?",
        "day": r"(?:\d{1,2} ?月 ?)?\d{1,2} ?日",
        "capitals": r"[A-Z]{2}[A-Z .,'-]{0,30}",
        "date": r"(?:Jan|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec)(?:\.|[a-z]+)? \d{1,2}",
    }


def _error(file: str, rule: str, field: str, problem: str, remedy: str) -> RuleError:
    where = f"{file}: rule [{rule}]" if rule else file
    return RuleError(f"{where}: field [{field}] {problem}; {remedy}")


def _parse_toml(file: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{file}: not TOML: {error}; correct the line it names") from error


def _strings(file: str, rule: str, table: Mapping[str, Any], field: str) -> tuple[str, ...]:
    values = table.get(field, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _error(file, rule, field, "is no list of strings", f'write {field} = ["…", "…"]')
    return tuple(values)


def _parse_rules(file: str, table: Mapping[str, Any]) -> Iterable[Rule]:
    unknown = sorted(table.keys() - {"rule", "disable"})
    if unknown:
        raise _error(file, "", unknown[0], "is unknown", "write [[rule]] tables and `disable`")
    entries = table.get("rule", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _error(file, "", "rule", "is no list of tables", "write each rule under its own [[rule]]")
    seen: dict[tuple[str, str], str] = {}
    for entry in entries:
        rule = _parse_rule(file, entry)
        for literal in rule.literals:
            other = seen.setdefault((rule.language, normalise_block(literal)), rule.name)
            if other != rule.name:
                raise _error(file, rule.name, "literals", f"[{literal}] is in [{other}] too", "keep one")
        yield rule


def _parse_rule(file: str, entry: Mapping[str, Any]) -> Rule:
    name = entry.get("name")
    if not isinstance(name, str) or not _RULE_NAME.fullmatch(name):
        raise _error(file, str(name), "name", "is no rule name", 'write name = "en/share-bar", say')
    fields = {field.name for field in dataclasses.fields(Rule)}
    for field in sorted(entry.keys() - fields):
        raise _error(file, name, field, "is unknown", f"fields are {', '.join(sorted(fields))}")
    for field, choices in (("kind", get_args(Kind)), ("strength", get_args(Strength))):
        if entry.get(field) not in choices:
            raise _error(file, name, field, f"is [{entry.get(field)}]", f"write one of {', '.join(choices)}")
    together = entry.get("together", 0)
    if type(together) is not int or together < 0 or (together and entry["strength"] == "strong"):
        raise _error(file, name, "together", f"is [{together}]", "write a number, in weak rules only")
    for field in ("not_sentence", "keeps_credits", "before_colon"):
        if type(entry.get(field, False)) is not bool:
            raise _error(file, name, field, f"is [{entry[field]}]", "write true or false")
    if entry["kind"] == "promo" and entry["strength"] == "weak":
        raise _error(file, name, "strength", "is [weak]", "a promo goes wherever it stands: write strong")
    literals = _strings(file, name, entry, "literals")
    patterns = _strings(file, name, entry, "patterns")
    if not literals and not patterns:
        raise _error(file, name, "literals", "is missing, and so is [patterns]", "give at least one wording")
    for literal in literals:
        if not normalise_block(literal) or len(literal) > MAX_BLOCK_CHARS:
            problem = f"[{literal[:60]}] has no letters or is over {MAX_BLOCK_CHARS} characters"
            raise _error(file, name, "literals", problem, "no block can match it; take it out")
    for pattern in patterns:
        _check_pattern(file, name, pattern, entry["kind"])
    return Rule(
        name=name,
        kind=cast("Kind", entry["kind"]),
        strength=cast("Strength", entry["strength"]),
        literals=literals,
        patterns=patterns,
        together=together,
        not_sentence=entry.get("not_sentence", False),
        keeps_credits=entry.get("keeps_credits", False),
        before_colon=entry.get("before_colon", False),
    )


def _check_pattern(file: str, name: str, pattern: str, kind: str) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise _error(file, name, "patterns", f"[{pattern}] is no regex: {error}", "correct it") from error
    if compiled.groups:
        raise _error(file, name, "patterns", f"[{pattern}] has a capturing group", "write (?:…) for (…)")
    if has_nested_repeat(compiled):
        problem = f"[{pattern}] repeats what repeats, (a+)+ say, which may take for ever"
        raise _error(file, name, "patterns", problem, "give the inner or the outer one a bound: {1,9}")
    if compiled.fullmatch(""):
        raise _error(file, name, "patterns", f"[{pattern}] matches an empty block", "require some of it")
    plain = re.sub(r"\\.", "", pattern)
    if plain != plain.casefold():
        raise _error(file, name, "patterns", f"[{pattern}] has capitals", "write it in lower case")
    if kind == "promo" and not _has_plain_start(pattern, PROMO_START_CHARS):
        # Lines of the body are looked up only when they start like a promo, so each pattern shows its start.
        problem = f"[{pattern}] does not start with {PROMO_START_CHARS} plain characters"
        raise _error(file, name, "patterns", problem, "write one pattern for each beginning")


def has_nested_repeat(pattern: re.Pattern[str]) -> bool:
    """Whether something without a bound repeats in something without a bound: the ways to match grow exponentially.

    >>> has_nested_repeat(re.compile("(?:a+ )+")), has_nested_repeat(re.compile("(?:a+ ){1,9}b*"))
    (True, False)
    """
    return _repeats(re_parser.parse(pattern.pattern, pattern.flags), inside=False)


def _repeats(node: Any, *, inside: bool) -> bool:
    """Whether an unbounded repeat stands anywhere in a parsed pattern, inside another one."""
    if isinstance(node, tuple) and len(node) == 2 and node[0] in _REPEATS:
        _, most, repeated = node[1]
        is_unbounded = most is re_constants.MAXREPEAT
        return (inside and is_unbounded) or _repeats(repeated, inside=inside or is_unbounded)
    if isinstance(node, (tuple, list, re_parser.SubPattern)):
        return any(_repeats(inner, inside=inside) for inner in node)
    return False
