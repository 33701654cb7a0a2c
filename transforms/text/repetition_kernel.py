"""``repetition.find_repetition`` as a kernel, many times as fast; a test holds the two against each other."""

from itertools import starmap

import numpy as np
import numpy.typing as npt

from transforms.text.encoded import Encoded
from transforms.text.repeats import MAX_CREDIT_WORDS, MAX_LABEL_WORDS, MIN_SIMILAR_WORDS
from transforms.text.repetition import MAX_RUNS, WINDOW, WINDOW_UNSPACED, Repetition, Run
from transforms.text.shingles import MULTIPLIER, code_point, kernel, read_only

_Numbers = npt.NDArray[np.int64]


def look_for_repeats(texts: Encoded) -> list[Repetition | None]:
    """What the texts that ``repeats.drop_repeats`` may drop something of have in common; None for all others."""
    words, twins, runs, counters, ends = _look_for_repeats(texts, _ASCII)
    found: list[Repetition | None] = [None] * len(counters)
    for row in np.flatnonzero(np.diff(ends[:, 0])).tolist():
        of_words, of_twins, of_runs = map(slice, ends[row], ends[row + 1])
        found[row] = _repetition(words[of_words], twins[of_twins], runs[of_runs], counters[row])
    return found


def find_repetition(text: str) -> Repetition:
    """What the paragraphs of ``text`` (parted by blank lines) have in common."""
    utf8 = read_only(np.frombuffer(text.encode("utf-8", "surrogatepass") or b"\n", np.uint8))
    return _repetition(*_scan(utf8, _ASCII))


def _repetition(words: _Numbers, twins: _Numbers, runs: _Numbers, counters: int) -> Repetition:
    pairs = [(first, second) for first, second in twins.tolist()]
    return Repetition(words.tolist(), pairs, list(starmap(Run, runs.tolist())), int(counters))


_BREAK, _LETTER, _SOLO = 0, 1, 2
_ASCII = read_only(np.array([ord(chr(code).lower()) if chr(code).isalnum() else 0 for code in range(128)], np.uint64))


@kernel
def _kind(character: np.int64) -> int:
    """Whether a code point beyond ASCII separates words, belongs to one or is one (scripts without spaces)."""
    if character < 0xC0 or 0x2000 <= character < 0x2C00 or 0x3000 <= character < 0x3040:
        return _BREAK
    if character < 0x0600:
        return _LETTER
    if character in (0x060C, 0x061B, 0x061F, 0x06D4, 0x0964, 0x0965, 0xFEFF):
        return _BREAK
    if (
        0x0E00 <= character < 0x0F00
        or 0x1000 <= character < 0x10A0
        or 0x1780 <= character < 0x1800
        or 0x3040 <= character < 0x3100
        or 0x3400 <= character < 0xA000
    ):
        return _SOLO
    if 0xFF00 < character < 0xFF10 or 0xFF1A <= character < 0xFF21 or 0xFF3B <= character < 0xFF41:
        return _BREAK
    return _LETTER


@kernel
def _fold(character: np.int64) -> np.int64:
    """Small letters for the capitals of Latin-1, Greek and Cyrillic."""
    if 0xC0 <= character <= 0xDE or 0x391 <= character <= 0x3A9 or 0x410 <= character <= 0x42F:
        return character + 32
    return character + 80 if 0x400 <= character <= 0x40F else character


@kernel
def _is_counter(utf8: npt.NDArray[np.uint8], start: int, end: int) -> bool:
    return 4 < end - start < 11 and 0x30 <= utf8[start] <= 0x39 and 0x30 <= utf8[end - 1] <= 0x39


@kernel
def _tokenise(
    utf8: npt.NDArray[np.uint8], ascii_letters: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64], int, int, int]:
    """Hashes of words; each paragraph's first word and byte, and at the end one more; window, counters, wide spaces."""
    size = utf8.size
    tokens = np.empty(size + 1, np.uint64)
    starts = np.empty(size // 2 + 3, np.int64)
    bounds = np.empty(size // 2 + 3, np.int64)
    starts[0] = bounds[0] = 0
    paragraphs = 1
    count = solos = wide_spaces = counters = 0
    h = np.uint64(0)
    i = 0
    while i < size:
        byte = utf8[np.uint64(i)]  # without a sign there is no counting from the end to be thought of: a sixth less
        if byte < 0x80:
            # Without a branch, as in the shingles' kernel: where words end cannot be predicted.
            letter = ascii_letters[byte]
            is_word = np.uint64(letter != 0)
            tokens[np.uint64(count)] = h
            count += 1 if (h != 0) & (letter == 0) else 0
            h = ((h ^ letter) * MULTIPLIER) & (np.uint64(0) - is_word)
            i += 1
            if byte == 10 and i < size and utf8[i] == 10:
                counters += _is_counter(utf8, bounds[paragraphs - 1], i - 1)
                i += 1
                starts[paragraphs] = count
                bounds[paragraphs] = i
                paragraphs += 1
            continue
        character, i = code_point(utf8, i)
        kind = _kind(character)
        if kind == _LETTER:
            h = (h ^ np.uint64(_fold(character))) * MULTIPLIER
            continue
        if h:
            tokens[count] = h
            count += 1
            h = np.uint64(0)
        if kind == _SOLO:
            tokens[count] = np.uint64(character) * MULTIPLIER
            count += 1
            solos += 1
        wide_spaces += character == 0x3000
    if h:
        tokens[count] = h
        count += 1
    counters += _is_counter(utf8, bounds[paragraphs - 1], size)
    starts[paragraphs] = count
    bounds[paragraphs] = size + 2
    window = WINDOW_UNSPACED if 2 * solos > count else WINDOW
    return tokens[:count], starts[: paragraphs + 1], bounds[: paragraphs + 1], window, counters, wide_spaces


@kernel
def _scan(
    utf8: npt.NDArray[np.uint8], ascii_letters: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """What ``Repetition`` holds."""
    tokens, starts, _, window, counters, _ = _tokenise(utf8, ascii_letters)
    twins, runs = _compare(tokens, starts, window)
    return starts[1:] - starts[:-1], twins, runs, counters


@kernel
def _compare(
    tokens: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], window: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Twins and runs.

    A run is told when it is two fifths of the shorter paragraph, or when the lower paragraph begins with it.
    """
    count, paragraphs = tokens.size, starts.size - 1
    lengths = starts[1:] - starts[:-1]

    # Equal paragraphs, and windows of words, each by an open-addressing table of the first of its kind.
    bits = 4
    while 1 << bits < 2 * (count + paragraphs):
        bits += 1
    mask = np.uint64((1 << bits) - 1)
    shift = np.uint64(64 - bits)
    table = np.full(1 << bits, -1, np.int32)
    twins = np.empty((paragraphs, 2), np.int64)
    is_twin = np.zeros(paragraphs, np.bool_)
    pairs = 0
    for p in range(paragraphs):
        if not lengths[p]:
            continue
        h = np.uint64(lengths[p])
        for j in range(starts[p], starts[p + 1]):
            h = (h ^ tokens[j]) * MULTIPLIER
            h ^= h >> np.uint64(29)
        slot = (h * MULTIPLIER) >> shift
        while table[slot] >= 0:
            other = table[slot]
            if lengths[other] == lengths[p]:
                equal = 0
                while equal < lengths[p] and tokens[starts[other] + equal] == tokens[starts[p] + equal]:
                    equal += 1
                if equal == lengths[p]:
                    twins[pairs, 0], twins[pairs, 1] = other, p
                    pairs += 1
                    is_twin[p] = True
                    break
            slot = (slot + np.uint64(1)) & mask
        if not is_twin[p]:
            table[slot] = p

    runs = np.empty((MAX_RUNS, 5), np.int64)
    found = 0
    table[:] = -1
    power = np.uint64(1)
    for _ in range(window):
        power *= MULTIPLIER
    owners = np.empty(count, np.int32)
    for q in range(paragraphs):
        first, end = starts[q], starts[q + 1]
        owners[first:end] = q
        if is_twin[q] or lengths[q] < window:
            continue
        h = np.uint64(0)
        for j in range(first, first + window - 1):
            h = h * MULTIPLIER + tokens[j]
        done = first  # words before this one are in a run
        for j in range(first, end - window + 1):
            h = h * MULTIPLIER + tokens[j + window - 1]
            if j > first:
                h -= tokens[j - 1] * power
            slot = ((h ^ (h >> np.uint64(31))) * MULTIPLIER) >> shift
            held = -1
            while table[slot] >= 0:
                held = table[slot]
                same = 0
                while same < window and tokens[held + same] == tokens[j + same]:
                    same += 1
                if same == window:
                    break
                held = -1
                slot = (slot + np.uint64(1)) & mask
            if held < 0:
                table[slot] = j
                continue
            p = owners[held]
            if p == q or j < done:
                continue
            back = 0
            while held - back > starts[p] and j - back > first and tokens[held - back - 1] == tokens[j - back - 1]:
                back += 1
            length = window
            while held + length < starts[p + 1] and j + length < end and tokens[held + length] == tokens[j + length]:
                length += 1
            done = j + length - window + 1
            length += back
            joins = q - p == 1 and j - back == first and held - back + length == starts[p + 1]
            if (joins or 5 * length >= 2 * min(lengths[p], lengths[q])) and found < MAX_RUNS:
                runs[found, 0], runs[found, 1] = p, q
                runs[found, 2], runs[found, 3] = held - back - starts[p], j - back - first
                runs[found, 4] = length
                found += 1
    return twins[:pairs], runs[:found]


@kernel
def _look_for_repeats(
    texts: Encoded, ascii_letters: npt.NDArray[np.uint64]
) -> tuple[_Numbers, _Numbers, _Numbers, _Numbers, _Numbers]:
    """What ``Repetition`` holds, of one text behind the other, and int64[n + 1, 3]: where words, twins, runs end."""
    rows = texts.starts.size
    most = (texts.feed_ends - texts.feed_starts).sum() + rows  # paragraphs
    words, twins = np.empty(most, np.int64), np.empty((most, 2), np.int64)
    runs = np.empty((rows * MAX_RUNS, 5), np.int64)
    counters, ends = np.zeros(rows, np.int64), np.zeros((rows + 1, 3), np.int64)
    for row in range(rows):
        text = texts.utf8[texts.starts[row] : texts.ends[row]]
        tokens, starts, bounds, window, counters[row], wide_spaces = _tokenise(text, ascii_letters)
        ends[row + 1] = ends[row]
        # Wide spaces part words too, which are counted without.
        is_needed = counters[row] > 1 or wide_spaces or _are_respelled(text, bounds)
        if is_needed or _share_beginnings(tokens, starts, window):
            twins_here, runs_here = _compare(tokens, starts, window)
            if is_needed or _may_be_repeats(twins_here, runs_here, starts):
                ends[row + 1] += np.array([starts.size - 1, len(twins_here), len(runs_here)])
                words[ends[row, 0] : ends[row + 1, 0]] = starts[1:] - starts[:-1]
                twins[ends[row, 1] : ends[row + 1, 1]] = twins_here
                runs[ends[row, 2] : ends[row + 1, 2]] = runs_here
    return words, twins, runs, counters, ends


@kernel
def _may_be_repeats(twins: _Numbers, runs: _Numbers, starts: _Numbers) -> bool:
    """Whether there are twins, or runs that ``repeats._Repeats.judge_run`` acts on; respelled paragraphs apart."""
    for k in range(len(runs)):
        first, second, first_from, second_from, length = runs[k]
        words, other_words = starts[first + 1] - starts[first], starts[second + 1] - starts[second]
        if second - first == 1 and not second_from and first_from + length == words:
            return True  # the lower one begins with what the upper one ends with
        if words <= other_words and _may_be_repeat(words, first_from, second_from, length):
            return True
        if words >= other_words and _may_be_repeat(other_words, second_from, first_from, length):
            return True
    return len(twins) > 0


@kernel
def _may_be_repeat(words: np.int64, begins: np.int64, other_begins: np.int64, length: np.int64) -> bool:
    """Whether a paragraph of so many words may only repeat a longer one; the run begins at these words of both."""
    after = words - begins - length
    return bool(
        (not begins and after <= max(1, MAX_CREDIT_WORDS if not other_begins else 0))
        or (not other_begins and not after and begins <= MAX_LABEL_WORDS)
    )


@kernel
def _share_beginnings(tokens: npt.NDArray[np.uint64], starts: npt.NDArray[np.int64], window: int) -> bool:
    """A look that is cheaper than ``_compare``: whatever repeats begins where one of its two paragraphs does.

    Whether a paragraph's first ``window`` tokens stand in another one, or all of a shorter one are another one."""
    paragraphs = starts.size - 1
    bits = 4
    while 1 << bits < 16 * paragraphs:
        bits += 1
    mask = np.uint64((1 << bits) - 1)
    shift = np.uint64(64 - bits)
    table = np.zeros(1 << bits, np.uint64)  # hashes of beginnings, with open addressing
    owners = np.empty(1 << bits, np.int32)
    for p in range(paragraphs):
        first, end = starts[p], min(starts[p] + window, starts[p + 1])
        if first == end:
            continue
        h = np.uint64(end - first < window)
        for j in range(first, end):
            h = h * MULTIPLIER + tokens[j]
        slot = (h ^ h >> np.uint64(31)) * MULTIPLIER >> shift
        while table[slot]:
            if table[slot] == h:
                return True
            slot = (slot + np.uint64(1)) & mask
        table[slot] = h
        owners[slot] = p
    power = np.uint64(1)
    for _ in range(window):
        power *= MULTIPLIER
    for p in range(paragraphs):
        h = np.uint64(0)
        for j in range(starts[p], starts[p + 1]):
            h = h * MULTIPLIER + tokens[j]
            if j >= starts[p] + window:
                h -= tokens[j - window] * power
            slot = (h ^ h >> np.uint64(31)) * MULTIPLIER >> shift
            while table[slot]:
                if table[slot] == h and owners[slot] != p:
                    return True
                slot = (slot + np.uint64(1)) & mask
    return False


_MAX_PAIRS = 1000  # of paragraphs with as many words; where there are more, it is not told


@kernel
def _are_respelled(utf8: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64]) -> bool:
    """Whether two paragraphs have as many words, as ``str.split`` counts them, and nine tenths of them the same."""
    paragraphs = bounds.size - 1
    words = np.zeros(paragraphs, np.int64)
    for p in range(paragraphs):
        paragraph = utf8[bounds[p] : bounds[p + 1] - 2]
        begun = 0
        for i in range(1, paragraph.size):  # without a branch, for many bytes at once
            begun += (paragraph[i] > 0x20) & (paragraph[i - 1] <= 0x20)
        words[p] = begun + (paragraph.size > 0 and paragraph[0] > 0x20)
    pairs = 0
    for q in range(paragraphs):
        if words[q] < MIN_SIMILAR_WORDS:
            continue
        for p in range(q):
            if words[p] == words[q]:
                pairs += 1
                if pairs > _MAX_PAIRS or _is_respelled(
                    utf8, bounds[p], bounds[p + 1] - 2, bounds[q], bounds[q + 1] - 2, words[q] // 10
                ):
                    return True
    return False


@kernel
def _is_respelled(utf8: npt.NDArray[np.uint8], i: int, i_end: int, j: int, j_end: int, most: int) -> bool:
    """Whether the words of two paragraphs, which have as many, differ in at most ``most`` places."""
    differing = 0
    while True:
        while i < i_end and utf8[i] <= 0x20:
            i += 1
        while j < j_end and utf8[j] <= 0x20:
            j += 1
        if i >= i_end or j >= j_end:
            return True
        same = True
        while i < i_end and utf8[i] > 0x20 and j < j_end and utf8[j] > 0x20:
            same &= utf8[i] == utf8[j]
            i += 1
            j += 1
        while i < i_end and utf8[i] > 0x20:
            i += 1
            same = False
        while j < j_end and utf8[j] > 0x20:
            j += 1
            same = False
        differing += not same
        if differing > most:
            return False
