"""What two texts have in common and what differs, found without a diff: over hashes of their words.

A word is shared when some run of three words (six letters in scripts without spaces) that holds it stands in the other
text too; what is not shared between two shared passages is a slot. That is linear in the length, and moving a paragraph
changes little. Words are compared without case, accents, vowel points and the spelling variants that Arabic desks
exchange freely, so that a wire copy in another house's spelling still counts as shared; Arabic-Indic digits, and small
numbers that are spelt out, equal European ones. Scripts without case have no capitalised names.
"""

import functools
import unicodedata
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.text.kept import kept_on_disk
from transforms.text.shingles import MULTIPLIER, kernel, read_only, tokens

LEAD_WORDS: Final = 40  # the first one or two paragraphs, where a news story says what it is about
OPENING_WORDS: Final = 120  # that must be its own where it is hardly longer: fewer may be captions above a copy
_RUN, _RUN_SOLO = 3, 6  # tokens in a row that make them shared
_SLOT, _SLOT_SOLO = 12, 36  # tokens; a longer gap is another passage, not another fact in the same sentence
_LIST_SLOTS = 10  # slots as long as the longest list: some hundred words of towns and sums
_LISTED, _LISTED_NUMBERS, _LISTED_IN = 3, 2, 10  # new facts of a list, numbers among them, words to a number at most
_TRIES = 32  # of places of one run: a headline stands twice, a phrase of a form some times more

# What is known of a word.
_NUMBER, _NAME, _SOLO = 1, 2, 4
# What a code point does.
_BREAK, _LETTER, _LONE, _SKIPPED, _STOP = range(5)
_TABLE_SIZE = 0x20000  # planes 0 and 1; above are Han, which stand for themselves
_STOPS: Final = frozenset('.!?…:;|\n"“”«»。．！？：；؟۔।')
_VARIANTS: Final = {"ى": "ي", "ة": "ه"}  # final letters that Arabic desks write either way
_STEM_LETTERS = 4
_NUMERALS: Final = {
    "1": "one",
    "2": "two deux zwei twee dois",
    "3": "three trois drei drie tre",
    "4": "four quatre vier cuatro quatro quattro",
    "5": "five cinq funf vijf cinco cinque",
    "6": "six sechs zes seis",
    "7": "seven sieben zeven siete sete",
    "8": "eight huit acht ocho oito otto",
    "9": "nine neun negen nueve nove",
    "10": "ten dix zehn tien diez dez dieci",
    "11": "eleven undici",
    "12": "twelve douze zwolf twaalf doce doze dodici",
    "13": "thirteen treize dreizehn dertien tredici",
    "14": "fourteen quatorze catorze vierzehn veertien",
    "15": "fifteen quinze funfzehn vijftien quindici",
    "16": "sixteen sechzehn zestien",
    "17": "seventeen",
    "18": "eighteen",
    "19": "nineteen",
    "20": "twenty vingt zwanzig twintig veinte vinte",
}
"""Numbers that news style spells out, without accents; not those that are other words in one of the languages (due)."""


class _Tables(NamedTuple):
    kinds: npt.NDArray[np.uint8]
    folds: npt.NDArray[np.uint32]  # the letter without case, accents and marks
    facts: npt.NDArray[np.uint8]


@kept_on_disk
def _tables() -> _Tables:
    """Tables of this Python's Unicode version, by code point; made in 0.2 s when the first article comes."""
    kinds = np.full(_TABLE_SIZE, _BREAK, np.uint8)
    folds = np.zeros(_TABLE_SIZE, np.uint32)
    facts = np.zeros(_TABLE_SIZE, np.uint8)
    for scalar in range(_TABLE_SIZE):
        character = chr(scalar)
        category = unicodedata.category(character)
        if character in _STOPS:
            kinds[scalar] = _STOP
        elif character in "'’\u0640" or category == "Cf":  # an apostrophe, the tatweel, what is not seen
            kinds[scalar] = _SKIPPED
        elif category[0] == "M":
            kinds[scalar] = _SKIPPED if unicodedata.combining(character) else _LETTER
            folds[scalar] = scalar
        elif category[0] in "LN":
            is_lone = category in ("Lo", "Lm", "Nl") and len(tokens(character * 2)) > 1
            kinds[scalar] = _LONE if is_lone else _LETTER
            base = unicodedata.normalize("NFKD", character).casefold()[:1]
            if character.isdecimal():
                base = str(unicodedata.decimal(character))
            folds[scalar] = ord(_VARIANTS.get(base, base))
            if character.isnumeric() and not is_lone:
                facts[scalar] = _NUMBER
            elif character.isupper() or character.istitle():
                facts[scalar] = _NAME
    return _Tables(kinds, folds, facts)


@functools.cache
def _numerals() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Hashes of the words for numbers, and of the figures that each stands for."""
    words, _, _ = _written(" ".join(_NUMERALS.values()))
    figures, _, _ = _written(" ".join(f"{figure} " * len(spelt.split()) for figure, spelt in _NUMERALS.items()))
    return read_only(words), read_only(figures)


class Words(NamedTuple):
    """A text's words in turn, each as a number."""

    hashes: npt.NDArray[np.uint64]
    facts: npt.NDArray[np.uint8]
    """Bits: a number, a name, a letter of a script without spaces."""
    stems: npt.NDArray[np.uint64]
    """Of the first four letters."""
    runs: npt.NDArray[np.uint64]
    """Of the run of words that begins here."""
    is_solo: bool
    """Mostly in a script without spaces between words."""

    @property
    def size(self) -> int:
        """How many words."""
        return self.hashes.size

    @property
    def are_numbers(self) -> npt.NDArray[np.bool_]:
        """Which of them are numbers."""
        return (self.facts & _NUMBER) > 0

    @property
    def numbers(self) -> npt.NDArray[np.uint64]:
        """Those that are numbers."""
        return self.hashes[self.are_numbers]

    @property
    def names(self) -> npt.NDArray[np.uint64]:
        """Those that are written as names."""
        return self.hashes[(self.facts & _NAME) > 0]


class Differences(NamedTuple):
    """What two texts, the left and the right one, have in common: parts of the words, 0-1, but for the three counts."""

    shared_left: float
    shared_right: float
    lead_left: float
    """Of its first :data:`LEAD_WORDS`, those that are shared."""
    lead_right: float
    opening_left: float
    """Of its first :data:`OPENING_WORDS`."""
    opening_right: float
    slots: int
    """Places between shared passages with other numbers on the two sides, and places with other names."""
    listed: int
    """Numbers and names that the other text lacks, in lists that stand in one place; of the side that has fewer."""
    recurring: int
    """Words that stand twice in one text and not in the other; of the text that has fewer."""
    inside_left: float
    """Not shared, between its first and its last shared word."""
    inside_right: float
    passages_left: float
    """Of those, in runs longer than a slot: passages of its own, not changes of wording."""
    passages_right: float


def read_words(text: str) -> Words:
    """Words of a text, in linear time."""
    hashes, facts, stems = _written(text)
    _spell_numbers(hashes, facts, stems, *_numerals())
    is_solo = bool(2 * np.count_nonzero(facts & _SOLO) > facts.size)
    runs = _runs(read_only(hashes), _RUN_SOLO if is_solo else _RUN)
    return Words(read_only(hashes), read_only(facts), read_only(stems), read_only(runs), is_solo)


def _written(text: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    """Hashes, facts and stems of the words as they are spelt."""
    scalars = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
    tables = _tables()
    return _words(read_only(scalars), read_only(tables.kinds), read_only(tables.folds), read_only(tables.facts))


def find_differences(left: Words, right: Words) -> Differences:
    """Compare two texts, in linear time.

    >>> found = find_differences(read_words("The bridge opened on Monday."), read_words("A bridge opened on Monday."))
    >>> found.shared_left, found.shared_right, found.slots
    (0.8, 0.8, 0)
    """
    solo = left.is_solo or right.is_solo
    if left.is_solo != right.is_solo:  # runs of one length are compared
        left, right = (words._replace(runs=read_only(_runs(words.hashes, _RUN_SOLO))) for words in (left, right))
    run, slot = (_RUN_SOLO, _SLOT_SOLO) if solo else (_RUN, _SLOT)
    return Differences(*_compare(*left[:4], *right[:4], run, slot))


@kernel
def _words(
    scalars: npt.NDArray[np.uint32],
    kinds: npt.NDArray[np.uint8],
    folds: npt.NDArray[np.uint32],
    facts: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
    words = np.zeros(scalars.size + 1, np.uint64)
    known = np.zeros(scalars.size + 1, np.uint8)
    stems = np.zeros(scalars.size + 1, np.uint64)
    count = 0
    letters = 0  # of the open word
    in_number = False
    begins = True  # a sentence: its first word's capital says nothing
    for scalar in scalars:
        kind, fold, fact = _LONE, scalar, 0
        if scalar < kinds.size:
            kind, fold, fact = kinds[scalar], folds[scalar], facts[scalar]
        if kind == _SKIPPED:
            continue
        if kind == _LETTER:
            is_digit = (fact & _NUMBER) > 0
            if letters and is_digit != in_number:  # "G20", and Arabic prefixes: the number stands for itself
                count += 1
                letters = 0
                begins = False
            in_number = is_digit
            mixed = (words[count] ^ np.uint64(fold)) * MULTIPLIER
            words[count] = mixed ^ (mixed >> np.uint64(29))
            known[count] |= fact & _NUMBER
            if letters == 0 and not begins:
                known[count] |= fact & _NAME
            letters += 1
            if letters <= _STEM_LETTERS:
                stems[count] = words[count]
            continue
        if letters:
            count += 1
            letters = 0
            begins = False
        if kind == _LONE:
            words[count] = np.uint64(fold) * MULTIPLIER
            stems[count] = words[count]
            known[count] = _SOLO
            count += 1
            begins = False
        elif kind == _STOP:
            begins = True
    if letters:
        count += 1
    return words[:count].copy(), known[:count].copy(), stems[:count].copy()


@kernel
def _spell_numbers(
    hashes: npt.NDArray[np.uint64],
    facts: npt.NDArray[np.uint8],
    stems: npt.NDArray[np.uint64],
    words: npt.NDArray[np.uint64],
    figures: npt.NDArray[np.uint64],
) -> None:
    """Turn words for numbers into figures."""
    places = _places(words, hashes)
    for i in range(hashes.size):
        if places[i] >= 0:
            hashes[i] = stems[i] = figures[places[i]]
            facts[i] |= _NUMBER


@kernel
def _runs(words: npt.NDArray[np.uint64], length: int) -> npt.NDArray[np.uint64]:
    """Hash of every ``length`` words in a row; of all words where there are fewer."""
    count = max(words.size - length + 1, min(words.size, 1))
    runs = np.zeros(count, np.uint64)
    for i in range(count):
        for j in range(i, min(i + length, words.size)):
            mixed = (runs[i] ^ words[j]) * MULTIPLIER
            runs[i] = mixed ^ (mixed >> np.uint64(31))
    return runs


@kernel
def _places(keys: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Where in ``keys`` each of ``wanted`` stands first, or -1."""
    return _look_up(_indexed(keys)[0], keys, wanted)


@kernel
def _indexed(keys: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """A hash table with open addressing of where each key stands first, and where it stands next after each place."""
    size = 16
    while size < 2 * keys.size:
        size *= 2
    mask = np.uint64(size - 1)
    table = np.full(size, -1, np.int64)
    following = np.empty(keys.size, np.int64)
    for i in range(keys.size - 1, -1, -1):
        slot = np.int64((keys[i] >> np.uint64(7)) & mask)
        while table[slot] >= 0 and keys[table[slot]] != keys[i]:
            slot = (slot + 1) & (size - 1)
        following[i] = table[slot]
        table[slot] = i
    return table, following


@kernel
def _look_up(
    table: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """Where the ``table`` of ``keys`` has each of ``wanted``, or -1."""
    size = table.size
    mask = np.uint64(size - 1)
    places = np.empty(wanted.size, np.int64)
    for i in range(wanted.size):
        slot = np.int64((wanted[i] >> np.uint64(7)) & mask)
        while table[slot] >= 0 and keys[table[slot]] != wanted[i]:
            slot = (slot + 1) & (size - 1)
        places[i] = table[slot]
    return places


@kernel
def _aligned(places: npt.NDArray[np.int64], following: npt.NDArray[np.int64], reach: int) -> npt.NDArray[np.int64]:
    """Which place of each run answers to it: the only one, or of several the next one behind that of the run before.

    -1 where several are and none is within ``reach``: a phrase of a form says little of where it stands.
    """
    aligned = places.copy()
    at = 0
    for i in range(places.size):
        place = places[i]
        if place < 0:
            continue
        if following[place] >= 0:
            tries = _TRIES
            while 0 <= place < at and tries:
                place = following[place]
                tries -= 1
            if not at <= place <= at + reach:
                place = -1
        aligned[i] = place
        if place >= 0:
            at = place
    return aligned


@kernel
def parts_found(
    one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]
) -> tuple[float, float]:
    """Which part of each of two lists is among the keys."""
    found = _places(keys, np.concatenate((one, other))) >= 0
    return (
        np.count_nonzero(found[: one.size]) / max(one.size, 1),
        np.count_nonzero(found[one.size :]) / max(other.size, 1),
    )


@kernel
def _shared_words(size: int, places: npt.NDArray[np.int64], run: int) -> npt.NDArray[np.bool_]:
    shared = np.zeros(size, np.bool_)
    for i in range(places.size):
        if places[i] >= 0:
            shared[i : min(i + run, size)] = True
    return shared


@kernel
def _recurring(words: npt.NDArray[np.uint64], is_new: npt.NDArray[np.bool_]) -> int:
    """Distinct words that the other article lacks and that stand here at least twice."""
    new = np.sort(words[is_new])
    found = 0
    for i in range(1, new.size):
        if new[i] == new[i - 1] and (i == 1 or new[i] != new[i - 2]):
            found += 1
    return found


@kernel
def _inside(shared: npt.NDArray[np.bool_], longest_slot: int) -> tuple[float, float]:
    """Parts of the words that are not shared and stand between shared ones: all of them, and those in long runs."""
    total = 0
    in_passages = 0
    run = 0
    inside = False
    for is_shared in shared:
        if not is_shared:
            run += 1
            continue
        if inside:
            total += run
            if run > longest_slot:
                in_passages += run
        inside = True
        run = 0
    return total / max(shared.size, 1), in_passages / max(shared.size, 1)


@kernel
def _has_other(
    words: npt.NDArray[np.uint64], facts: npt.NDArray[np.uint8], others: npt.NDArray[np.uint64], fact: int
) -> bool:
    """Whether one of the words is a number, or a name, and not among the others."""
    for i in range(words.size):
        if facts[i] & fact:
            for other in others:
                if other == words[i]:
                    break
            else:
                return True
    return False


@kernel
def _has_new_name(is_new: npt.NDArray[np.bool_], facts: npt.NDArray[np.uint8]) -> bool:
    return bool(np.any(is_new & ((facts & _NAME) > 0)))


@kernel
def _listed(is_new: npt.NDArray[np.bool_], facts: npt.NDArray[np.uint8]) -> int:
    """New numbers and names of a list, or 0 where this is none: prose has names, too, but fewer numbers."""
    numbers = np.count_nonzero(is_new & ((facts & _NUMBER) > 0))
    found = np.count_nonzero(is_new & ((facts & (_NUMBER | _NAME)) > 0))
    is_list = found >= _LISTED and numbers >= _LISTED_NUMBERS and numbers * _LISTED_IN >= facts.size
    return int(found) if is_list else 0


@kernel
def _share(shared: npt.NDArray[np.bool_]) -> float:
    return np.count_nonzero(shared) / max(shared.size, 1)


@kernel
def _compare(
    left: npt.NDArray[np.uint64],
    left_facts: npt.NDArray[np.uint8],
    left_stems: npt.NDArray[np.uint64],
    left_runs: npt.NDArray[np.uint64],
    right: npt.NDArray[np.uint64],
    right_facts: npt.NDArray[np.uint8],
    right_stems: npt.NDArray[np.uint64],
    right_runs: npt.NDArray[np.uint64],
    run: int,
    longest_slot: int,
) -> tuple[float, float, float, float, float, float, int, int, int, float, float, float, float]:
    table, following = _indexed(right_runs)
    places = _look_up(table, right_runs, left_runs)
    shared_left = _shared_words(left.size, places, run)
    shared_right = _shared_words(right.size, _places(left_runs, right_runs), run)
    new_left = _places(right_stems, left_stems) < 0
    new_right = _places(left_stems, right_stems) < 0
    places = _aligned(places, following, run + longest_slot)
    slots = listed = 0
    i = 0
    while i < left.size:
        if shared_left[i]:
            i += 1
            continue
        begin = i
        while i < left.size and not shared_left[i]:
            i += 1
        # The slot's other side lies between the places of the runs around it.
        other_begin = other_end = -1
        if begin == 0:
            other_begin = 0
        elif begin >= run and places[begin - run] >= 0:
            other_begin = places[begin - run] + run
        if i == left.size:
            other_end = right.size
        elif i < places.size:
            other_end = places[i]
        longest = max(other_end - other_begin, i - begin)
        if other_begin < 0 or other_end <= other_begin or longest > _LIST_SLOTS * longest_slot:
            continue
        one, other = slice(begin, i), slice(other_begin, other_end)
        if longest > longest_slot:
            if min(begin, other_begin) >= LEAD_WORDS and i < left.size:  # above are headlines, and who wrote it
                listed += min(_listed(new_left[one], left_facts[one]), _listed(new_right[other], right_facts[other]))
            continue
        slots += _has_other(left[one], left_facts[one], right[other], _NUMBER) and _has_other(
            right[other], right_facts[other], left[one], _NUMBER
        )
        slots += (
            (_has_new_name(new_left[one], left_facts[one]) or _has_new_name(new_right[other], right_facts[other]))
            and _has_other(left_stems[one], left_facts[one], right_stems[other], _NAME)
            and _has_other(right_stems[other], right_facts[other], left_stems[one], _NAME)
        )
    inside_left, passages_left = _inside(shared_left, longest_slot)
    inside_right, passages_right = _inside(shared_right, longest_slot)
    return (
        _share(shared_left),
        _share(shared_right),
        _share(shared_left[:LEAD_WORDS]),
        _share(shared_right[:LEAD_WORDS]),
        _share(shared_left[:OPENING_WORDS]),
        _share(shared_right[:OPENING_WORDS]),
        slots,
        listed,
        min(_recurring(left, new_left), _recurring(right, new_right)),
        inside_left,
        inside_right,
        passages_left,
        passages_right,
    )
