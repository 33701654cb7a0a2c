"""Drops what an article prints twice: captions, standfirsts, pull quotes, page furniture, a whole second body.

The text is read once, as words, to find which paragraphs are equal and which long runs of words two paragraphs
share; four articles of five share none, and there the work ends. Rules then judge each pair, because much
may rightly stand twice: refrains, speakers' names, headings, rows of a table, a question that is put again. Of two the
longer one is kept, so the one dropped may be the earlier.
"""

import difflib
import re
from collections.abc import Iterable
from itertools import pairwise

from transforms.text.edits import Change, Edit, splice
from transforms.text.repetition import Repetition, Run, find_repetition
from transforms.text.rules import CruftRules, ends_sentence

# Shorter ones are "Yes.", speakers' names, headings, rows, refrains; what stands right below its twin needs less.
_MIN_CHARS, _MIN_CHARS_SENTENCE, _MIN_CHARS_ADJACENT = 60, 45, 36
_MIN_CHARS_UNSPACED = 18  # a Chinese or Japanese character says about as much as two or three letters
_MIN_WORDS, _MIN_WORDS_SENTENCE, _MIN_WORDS_ADJACENT = 7, 8, 6
_MIN_WORDS_CONTAINED = 7
_MIN_CHARS_HEADING = 80  # a shorter line right above the paragraph that says the same may be its heading
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

# List items, attributions, fields, a speaker's line in a transcript: each may rightly stand twice.
_ITEM = re.compile(r"[-–—*•·▪◦>\[(]|\d{1,3}[.)-]|\w+://")
_BULLET = re.compile(r"[-–—*•·▪◦>]\s*")
_LABELLED = re.compile(r"[^.!?]{1,40}:\s|[^\s.!?]{0,60}[A-Z]{2}[^.!?a-z]{0,60}:")
_NOTE = re.compile(
    r"(?:correction|clarification|update|editor[’']s note|berichtigung|korrektur|correcti(?:f|e)|rectificati(?:f|on|e)"
    r"|correcci[oó]n|fe de errores|corre[cç]ão|errata|sprostowanie|oprava|rättelse|rettelse)\b",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(r"^.{0,40}\(@\w+\)|:$")
_EMBEDDED_POST = re.compile(r"\(@\w+\)[^.!?]{0,30}$")
_SPEAKER = re.compile(r"\b[A-Z]{2,}(?: [A-Z.]{2,}){0,8}:")
_SENTENCE_END = re.compile(r"[.!?…。！？؟।][\"'”’»」』)\]\s]*$")
_QUOTED = re.compile(r"[\"'“”‘’„«»‹›「『].*[\"'“”‘’«»‹›」』]\W{0,20}$")
_CITED_TITLE = re.compile(f'["“『「][^"”』」]{{0,300}}{_UNSPACED.pattern}.{{0,300}}["”』」]。?$')  # of a reference
_CAPTION_LABEL = re.compile(
    r"(?:image (?:source|copyright)\b.{0,40}?)?\b(?:image|media) caption|enlarge this image|(?:hide|toggle) caption",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"\b(?:photos?|photograph|fotos?|image|bild|crédits?|credit|courtesy|getty|reuters|afp|epa|dpa|ansa|efe"
    r"|shutterstock|istock|associated press|(?:via|/) ?ap|ap photo)\b|©|фото",
    re.IGNORECASE,
)
MAX_CREDIT_WORDS = 10
MAX_LABEL_WORDS = 3
_IN_CREDITS = frozenset(("and", "by", "courtesy", "de", "for", "from", "of", "par", "photo", "the", "via", "von"))

# Page furniture, told by its wording and by standing there twice: then every copy goes.
_ADVERTISEMENTS = (
    "advertisement|advert|sponsored(?: content)?|promoted|anzeige|werbung|publicité|publicidad|publicidade|pubblicità"
    "|advertentie|annons|annonse|annonce|mainos|reklama?|reklám|hirdetés|reklāma|oglas|publicitate|реклама|διαφήμιση"
    "|إعلان|اعلان|تبلیغات|פרסומת|広告|广告|廣告|광고|quảng cáo|โฆษณา|iklan|विज्ञापन"
)
_READ_ALSO = (
    "watch(?: now| live| more)?|listen(?: now)?|see (?:also|more)|read (?:more|also|next)|also read|recommended|latest"
    "|related(?: (?:stories|articles|news|content|coverage|video|topics?))?|more(?: on this(?: story)?| coverage)?"
    "|special (?:coverage|report)|don[’']t miss|you (?:might|may) (?:also )?(?:like|be interested in)"
    "|(?:à )?lire aussi|voir aussi|lesen sie auch|mehr zum thema|lea también|leer más|te puede interesar"
    "|(?:leia|veja) (?:também|mais)|saiba mais|leggi anche|lees (?:ook|meer)|läs (?:också|mer|även)|les også|læs også"
    "|lue myös|(?:czytaj|zobacz) (?:też|także|również)|čtěte také|читайте (?:также|ещё|також)|смотрите также"
    "|διαβάστε (?:επίσης|ακόμη|ακόμα)|اقرأ (?:أيضا|أيضاً|ايضا|المزيد)|関連記事|相关阅读|延伸閱讀|관련기사"
    "|baca juga|xem thêm"
)
_PICTURES = "photo(?:graph)?s?|image|illustration|graphic|picture|video|chart|fotos?|bild|crédits?|kuva|фото|写真|사진"
_AGENCIES = "getty(?: images)?|reuters|associated press|ap photo|afp|epa|shutterstock|istock|alamy"
_PROMOTIONS = (
    "sign(?:ing)? up|subscribe|vote now|donate (?:now|today|here)|read more here|click here|follow us"
    "|download (?:our|the) app|abonniere|abonnez|suscríb|assine (?:a|o|já)|iscriviti|zapisz się|подписывайтесь"
    "|подпишитесь"
)
_FURNITURE = re.compile(
    "|".join(
        (
            rf"(?:{_ADVERTISEMENTS})\W*$",
            rf"(?:{_READ_ALSO})\s*(?:[:：].*|\.{{3}}|…)?$",
            rf"(?:{_PICTURES})\s?(?:[:：/©]|\b(?:source|credit|courtesy|copyright|by|von|par|por)\b).{{1,60}}$",
            r"(?:photo )?credit:.{1,60}$",
            rf"(?:{_AGENCIES})\W*$",
            rf"[\w .’'-]{{3,40}} ?/ ?(?:{_AGENCIES}|staff|ap|npr|bloomberg|pool|dpa|ansa|efe|xinhua)\W*$",
            r"\(?(?-i:(?:[A-Z][\w.’'-]+ ){2,4}for (?:The [A-Z]|[A-Z]{3,}\b)).{0,40}$",
            r"(?:play|pause|mute|loading|now playing|share)(?: (?:video|audio|facebook|twitter|e-?mail|now|live))?\W*$",
            r"(?:click|tap)(?: here)? to (?:enlarge|expand|view|play|read|see|listen|share)\b.{0,40}$",
            r"(?:enlarge this image|toggle caption|hide caption|image caption)\W*$",
            r"view (?:the |this )?[\w ]{2,40} (?:in|on) .{2,40}$",
            r"this (?:article|story|post) is more than .{1,20} old\W*$",
            r"\d+ pages?, \d+ ?[kmg]b$",
            r"\d{1,3} of \d{1,3}$",
            # As a sentence's beginning: "1,500 people were asked to sign up" is the article's.
            rf"(?:.{{0,140}}[.!?:…–—-]\s+)?(?:please |thank you for )?(?:{_PROMOTIONS})\b.{{0,120}}$",
            r".{0,40}\bnewsletters?\b[^.!?]{0,20}$",
        )
    ),
    re.IGNORECASE,
)
_MAX_FURNITURE_CHARS = 200
# The same, told by the cruft rules: a wording of these forms that stands so often. Of weak ones that do, 4 words in 100
# were the article's; fields, sections ("Pricing") and whatever a speaker may be called ("Guest") are its headings.
_COPIED_FORMS = frozenset(
    {
        "advertisement-label", "comment-form", "follow", "more-from", "page-button", "read-on", "related-label",
        "related-posts", "share-bar", "share-label", "subscribe", "to-the-top-label",
    }
)  # fmt: skip
_MIN_COPIES, _MIN_COPIES_WEAK = 2, 3
_COUNTER = re.compile(r"\d{1,3} (?:of|/) (\d{1,3})")

# Of sentences that stand so often in labelled articles nearly all came back on purpose; captions are longer or no
# sentences, and promos are known by their words.
_MIN_REFRAINS, _MAX_REFRAIN_CHARS = 3, 60

_MIN_BODY_PARAGRAPHS, _MIN_BODY_CHARS = 3, 300
_MIN_OVERLAP_WORDS = 8
MIN_SIMILAR_WORDS = 20
_MIN_SIMILARITY, _MIN_WORD_SIMILARITY = 0.9, 0.6


def drop_repeats(text: str, rules: CruftRules, found: Repetition | None = None) -> tuple[str, list[Edit]]:
    r"""Drop what repeats of a text whose paragraphs are separated by one blank line.

    The rules: ``exact-repeat`` (the same words, whatever the case and the quotation marks), ``contained-repeat`` (a
    paragraph that another one holds), ``near-repeat`` (a changed credit, agency or spelling), ``overlap-repeat`` (the
    beginning of a paragraph that the one above ends with), ``repeated-furniture`` (all copies go, also those of a
    link's or a button's label that ``rules`` know), ``repeated-body``. ``found`` is what repeats, if that is known.

    >>> from transforms.text.rules import load_cruft_rules
    >>> caption = "The mayor of Marl opens the rebuilt Harrow Bridge on Tuesday."
    >>> twice = f"{caption}\n\nShe cut the ribbon herself.\n\n{caption} Photo: Piet Jansen"
    >>> text, edits = drop_repeats(twice, load_cruft_rules())
    >>> text.count("mayor"), edits[0].rule, edits[0].start
    (1, 'contained-repeat', 0)
    """
    words, twins, runs, counters = found or find_repetition(text)
    if not twins and not runs and counters < 2:
        return text, []
    repeats = _Repeats(text.split("\n\n"), words, rules)
    repeats.judge_twins(twins)
    if counters > 1:
        repeats.judge_counters()
    for run in runs:
        repeats.judge_run(run)
    return splice(text, repeats.changes())


class _Repeats:
    """What is to go of one article, by paragraph."""

    def __init__(self, paragraphs: list[str], words: list[int], rules: CruftRules) -> None:
        self._paragraphs = paragraphs
        self._words = words
        self._rules = rules
        self._dropped: dict[int, str] = {}
        self._cut: dict[int, int] = {}  # characters to cut from a paragraph's beginning

    def changes(self) -> Iterable[Change]:
        """The changes in the text's order; none, where nothing would remain."""
        if not self._dropped and not self._cut:
            return
        if not any(paragraph and number not in self._dropped for number, paragraph in enumerate(self._paragraphs)):
            return
        start = 0
        has_kept = False
        for number, paragraph in enumerate(self._paragraphs):
            end = start + len(paragraph)
            if rule := self._dropped.get(number):
                # A separator goes with the paragraph: the one above it, or at the text's beginning the one below.
                yield ((start - 2, end, "", "repeat", rule) if has_kept else (start, end + 2, "", "repeat", rule))
            else:
                has_kept = True
                if cut := self._cut.get(number):
                    yield (start, start + cut, "", "repeat", "overlap-repeat")
            start = end + 2

    def judge_twins(self, twins: list[tuple[int, int]]) -> None:
        """Paragraphs of the same words, each with the first that has them."""
        places: dict[int, list[int]] = {}
        for first, second in twins:
            places.setdefault(first, [first]).append(second)
        is_page: dict[str, bool] = {}  # of an interview's names dozens are the same
        for first, second in twins:
            one, other = self._paragraphs[first], self._paragraphs[second]
            if other not in is_page:
                is_page[other] = is_furniture(other) or self._is_label(other, len(places[first]))
            if is_page[other]:
                self._dropped[first] = self._dropped[second] = "repeated-furniture"
            elif self._is_refrain(places[first]):
                continue
            elif self._is_exact_repeat(first, second):
                self._dropped[second] = "exact-repeat"
            elif _is_pull_quote(one, other):
                self._dropped[first] = "exact-repeat"
            elif _is_pull_quote(other, one):
                self._dropped[second] = "exact-repeat"
        if len(twins) >= _MIN_BODY_PARAGRAPHS:
            self._judge_bodies({second: first for first, second in twins})

    def _judge_bodies(self, origin: dict[int, int]) -> None:
        """Of a body printed twice the short paragraphs go too, which alone would stay."""
        second, last = min(origin), max(origin)
        while second <= last:
            length = 0
            while second + length in origin and origin[second + length] == origin.get(second, 0) + length:
                length += 1
            if length >= _MIN_BODY_PARAGRAPHS:
                block = range(second, second + length)
                prose = sum(self._dropped.get(number) == "exact-repeat" for number in block)
                chars = sum(len(self._paragraphs[number]) for number in block)
                if chars >= _MIN_BODY_CHARS and 3 * prose >= length and prose > 1:
                    self._dropped.update((number, "repeated-body") for number in block)
            second += max(length, 1)

    def _is_label(self, paragraph: str, copies: int) -> bool:
        """Whether what stands so often is a link, a button or a heading of such."""
        if len(paragraph) < 2 or ends_sentence(paragraph):  # an "X" may be a table's mark
            return False
        rule = self._rules.find(paragraph)
        if rule is None or rule.form not in _COPIED_FORMS:
            return False
        return copies >= (_MIN_COPIES if rule.strength == "strong" else _MIN_COPIES_WEAK)

    def judge_counters(self) -> None:
        """A gallery's counters, "1 of 12", "2 of 12": at least two of one total."""
        totals: dict[str, list[int]] = {}
        for number, paragraph in enumerate(self._paragraphs):
            if counter := _COUNTER.fullmatch(paragraph):
                totals.setdefault(counter[1], []).append(number)
        for numbers in totals.values():
            if len(numbers) > 1 and "/" not in self._paragraphs[numbers[0]]:
                self._dropped.update((number, "repeated-furniture") for number in numbers)

    def _is_refrain(self, places: list[int]) -> bool:
        """Whether a sentence comes back between other paragraphs: a speaker's refrain, the same answer to many."""
        sentence = self._paragraphs[places[0]]
        return (
            len(places) >= _MIN_REFRAINS
            and len(sentence) <= _MAX_REFRAIN_CHARS
            and _SENTENCE_END.search(sentence) is not None
            and all(second - first > 1 for first, second in pairwise(sorted(places)))
        )

    def _is_exact_repeat(self, first: int, second: int) -> bool:
        one, other = self._paragraphs[first], self._paragraphs[second]
        is_below = second - first == 1
        if is_below and len(other) >= _MIN_CHARS and self._words[second] >= _MIN_WORDS:
            return "\n" not in other and not _ITEM.match(other)
        is_sentence = bool(_SENTENCE_END.search(other))
        if is_sentence and not _BULLET.match(one) and (bullet := _BULLET.match(other)):
            other = other[bullet.end() :]  # a dash before only one of the two is no list
        if is_below and (is_sentence or len(other) >= 40):
            return is_prose(other, _MIN_CHARS_ADJACENT, _MIN_WORDS_ADJACENT)
        if is_sentence and is_prose(other, _MIN_CHARS_SENTENCE, _MIN_WORDS_SENTENCE):
            return True
        return is_prose(other, _MIN_CHARS, _MIN_WORDS)

    def judge_run(self, run: Run) -> None:
        """A run of words that two paragraphs share."""
        if run.first in self._dropped or run.second in self._dropped:
            return
        words, paragraphs = self._words, self._paragraphs
        if "\n" in paragraphs[run.first] or "\n" in paragraphs[run.second]:
            return
        # The shorter one of the two, the longer one, and where in each the run begins.
        if words[run.first] < words[run.second]:
            short, long, short_from, long_from = run.first, run.second, run.first_from, run.second_from
        else:
            short, long, short_from, long_from = run.second, run.first, run.second_from, run.first_from
        before, after = short_from, words[short] - short_from - run.length
        if not before and (not after or (after == 1 and _is_cut_short(paragraphs[short], paragraphs[long]))):
            if _CAPTION_LABEL.match(paragraphs[long]) and words[long] - words[short] <= MAX_CREDIT_WORDS:
                self._dropped[long] = "contained-repeat"
            elif self._is_contained(short, long, long_from):
                self._dropped[short] = "contained-repeat"
        elif run.second - run.first == 1 and self._overlaps(run):
            self._cut[run.second] = _end_of_word(paragraphs[run.second], run.length)
        elif self._is_near(short, long, before, after, long_from, run.length):
            self._dropped[short] = "near-repeat"
        elif words[short] == words[long]:
            other_after = words[long] - long_from - run.length
            if self._is_near(long, short, long_from, other_after, before, run.length):
                self._dropped[long] = "near-repeat"

    def _is_contained(self, short: int, long: int, long_from: int) -> bool:
        """Whether a paragraph whose words another one holds only repeats it."""
        paragraph, other = self._paragraphs[short], self._paragraphs[long]
        if not is_prose(paragraph, 40, _MIN_WORDS_CONTAINED) or len(_SPEAKER.findall(other)) > 1:
            return False
        if _CITED_TITLE.match(paragraph):
            return False
        ends = bool(_SENTENCE_END.search(paragraph))
        if not ends and len(paragraph) < _MIN_CHARS and not _QUOTED.match(paragraph):
            return False
        if long - short == 1 and long_from and len(paragraph) < _MIN_CHARS_HEADING:
            return False  # a heading or an epigraph
        # What a post or a caption says may be told in the article's own words as well: the article's stay.
        return not long_from or not (_EMBEDDED_POST.search(other) or _ends_with_credit(other))

    def _overlaps(self, run: Run) -> bool:
        """Whether a paragraph begins with what the one above ends with: printed twice, the second time run on."""
        return (
            not run.second_from
            and run.first_from + run.length == self._words[run.first]
            and 0 < run.first_from <= 4
            and run.length >= _MIN_OVERLAP_WORDS
            and run.length < self._words[run.second]
        )

    def _is_near(self, short: int, long: int, before: int, after: int, long_from: int, length: int) -> bool:
        """Whether all that a paragraph has beyond the shared run is a label, a credit, a name or a spelling."""
        paragraph, other = self._paragraphs[short], self._paragraphs[long]
        if _ITEM.match(paragraph) or _CITED_TITLE.match(paragraph):
            return False
        if not long_from and not after and before <= MAX_LABEL_WORDS and length >= 2 * _MIN_WORDS and long - short != 1:
            return True  # "In short: …"
        if not is_prose(paragraph, _MIN_CHARS, _MIN_WORDS):
            return False
        if not before and not long_from and 0 < after <= MAX_CREDIT_WORDS and length >= _MIN_OVERLAP_WORDS:
            end, other_end = paragraph.split()[-after:], other.split()[length - self._words[long] :]
            if len(other_end) <= MAX_CREDIT_WORDS and _ends_with_credit(paragraph) and _ends_with_credit(other):
                return not any(word.islower() and word not in _IN_CREDITS for word in end + other_end)
            # A pull quote with its speaker's name, whom the paragraph names too.
            if after <= 4 and all(word[0].isupper() for word in end) and end[-1] in other:
                return True
        return self._is_respelled(paragraph, other)

    def _is_respelled(self, paragraph: str, other: str) -> bool:
        """Whether two paragraphs differ in the spelling of words only: no name or number is another."""
        words, others = paragraph.split(), other.split()
        if len(words) != len(others) or len(words) < MIN_SIMILAR_WORDS:
            return False
        differing = [(one, two) for one, two in zip(words, others, strict=True) if one != two]
        return len(differing) <= (1 - _MIN_SIMILARITY) * len(words) and all(map(_is_spelling, differing))


def _is_pull_quote(pulled: str, said: str) -> bool:
    """Whether words in quotation marks stop without the full stop that the article's same words have."""
    return bool(
        len(pulled) >= 24
        and pulled.count(" ") + 1 >= _MIN_WORDS_ADJACENT
        and _QUOTED.match(pulled)
        and not _SENTENCE_END.search(pulled)
        and _SENTENCE_END.search(said)
    )


def is_prose(paragraph: str, min_chars: int, min_words: int = _MIN_WORDS) -> bool:
    """Whether a paragraph says enough in its own words that printing it twice must be a mistake."""
    if len(paragraph) < _MIN_CHARS_UNSPACED or "\n" in paragraph or _ATTRIBUTION.search(paragraph):
        return False
    if _ITEM.match(paragraph) or (_LABELLED.match(paragraph) and not _NOTE.match(paragraph)):
        return False
    if len(paragraph) >= min_chars and paragraph.count(" ") + 1 >= min_words:
        return True
    return len(_UNSPACED.findall(paragraph)) >= _MIN_CHARS_UNSPACED


def is_furniture(paragraph: str) -> bool:
    """Whether a paragraph that repeats is the page's, not the article's.

    >>> is_furniture("Advertisement"), is_furniture("Photo: Reuters"), is_furniture("Anna Holm")
    (True, True, False)
    """
    return len(paragraph) <= _MAX_FURNITURE_CHARS and _FURNITURE.match(paragraph) is not None


def _is_cut_short(paragraph: str, other: str) -> bool:
    """Whether a paragraph stops inside a word that the other one has whole."""
    stem = re.sub(r"[\s.…]+$", "", paragraph).casefold()
    return len(stem) >= _MIN_CHARS and other.casefold().startswith(stem)


def _ends_with_credit(paragraph: str) -> bool:
    return _CREDIT.search(paragraph[-60:]) is not None


def _is_spelling(words: tuple[str, str]) -> bool:
    one, two = words
    if any(character.isdigit() for character in one + two):
        return False
    return difflib.SequenceMatcher(None, one, two, autojunk=False).ratio() >= _MIN_WORD_SIMILARITY


_WORD = re.compile(r"[^\W_]+")


def _end_of_word(paragraph: str, count: int) -> int:
    """Where what follows the first ``count`` words begins."""
    for number, word in enumerate(_WORD.finditer(paragraph), 1):
        if number == count:
            rest = re.compile(r"[^\w\s(\[“‘«]*\s*").match(paragraph, word.end())
            return rest.end() if rest else word.end()
    return 0
