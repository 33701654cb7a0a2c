"""``repetition.find_repetition`` as a kernel, many times as fast; a test holds the two against each other."""

import numpy as np
import numpy.typing as npt

from transforms.text.need import Need
from transforms.text.repetition import MAX_RUNS, WINDOW, WINDOW_UNSPACED, Repetition, Run
from transforms.text.shingles import code_point, kernel, read_only


def find_shared(offsets: npt.NDArray[np.int64], utf8: npt.NDArray[np.uint8], needs: npt.NDArray[np.uint8]) -> None:
    """Flag in ``needs`` what repeats in the texts that are laid out."""
    _flag_shared(offsets, utf8, needs, _ASCII)


def find_repetition(text: str) -> Repetition:
    """What the paragraphs of ``text`` (parted by blank lines) have in common."""
    utf8 = read_only(np.frombuffer(text.encode("utf-8", "surrogatepass") or b"\n", np.uint8))
    words, twins, runs, counters, _ = _scan(utf8, _ASCII)
    return Repetition(
        words.tolist(),
        [(first, second) for first, second in twins.tolist()],
        [Run(*run) for run in runs.tolist()],
        counters,
    )


_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BREAK, _LETTER, _SOLO = 0, 1, 2
_LAYOUT, _REPEATS, _SHARED = np.uint8(Need.LAYOUT), np.uint8(Need.REPEATS), np.uint8(Need.SHARED)
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
def _scan(
    utf8: npt.NDArray[np.uint8], ascii_letters: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], int, bool]:
    """What ``Repetition`` holds, and whether two paragraphs share any words in a row.

    A run is told when it is two fifths of the shorter paragraph, or when the lower paragraph begins with it.
    """
    size = utf8.size
    tokens = np.empty(size + 1, np.uint64)
    starts = np.empty(size // 2 + 3, np.int64)  # the first token of each paragraph
    starts[0] = 0
    paragraphs = 1
    count = solos = counters = 0
    h = np.uint64(0)
    opened = i = 0  # the byte that the paragraph begins at
    while i < size:
        byte = utf8[i]
        if byte < 0x80:
            # Without a branch, as in the shingles' kernel: where words end cannot be predicted.
            letter = ascii_letters[byte]
            is_word = np.uint64(letter != 0)
            tokens[count] = h
            count += 1 if (h != 0) & (letter == 0) else 0
            h = ((h ^ letter) * _MULTIPLIER) & (np.uint64(0) - is_word)
            i += 1
            if byte == 10 and i < size and utf8[i] == 10:
                counters += _is_counter(utf8, opened, i - 1)
                i += 1
                opened = i
                starts[paragraphs] = count
                paragraphs += 1
            continue
        character, i = code_point(utf8, i)
        kind = _kind(character)
        if kind == _LETTER:
            h = (h ^ np.uint64(_fold(character))) * _MULTIPLIER
            continue
        if h:
            tokens[count] = h
            count += 1
            h = np.uint64(0)
        if kind == _SOLO:
            tokens[count] = np.uint64(character) * _MULTIPLIER
            count += 1
            solos += 1
    if h:
        tokens[count] = h
        count += 1
    counters += _is_counter(utf8, opened, size)
    starts[paragraphs] = count
    window = WINDOW_UNSPACED if 2 * solos > count else WINDOW
    lengths = starts[1 : paragraphs + 1] - starts[:paragraphs]

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
            h = (h ^ tokens[j]) * _MULTIPLIER
            h ^= h >> np.uint64(29)
        slot = (h * _MULTIPLIER) >> shift
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
    # In scripts without spaces the window depends on the whole text, so a part of it may share where it did not.
    is_shared = pairs > 0 or solos > 0
    table[:] = -1
    power = np.uint64(1)
    for _ in range(window):
        power *= _MULTIPLIER
    owners = np.empty(count, np.int32)
    for q in range(paragraphs):
        first, end = starts[q], starts[q + 1]
        owners[first:end] = q
        if is_twin[q] or lengths[q] < window:
            continue
        h = np.uint64(0)
        for j in range(first, first + window - 1):
            h = h * _MULTIPLIER + tokens[j]
        done = first  # words before this one are in a run
        for j in range(first, end - window + 1):
            h = h * _MULTIPLIER + tokens[j + window - 1]
            if j > first:
                h -= tokens[j - 1] * power
            slot = ((h ^ (h >> np.uint64(31))) * _MULTIPLIER) >> shift
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
            is_shared = True
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
    return lengths, twins[:pairs], runs[:found], counters, is_shared


@kernel
def _flag_shared(
    offsets: npt.NDArray[np.int64],
    utf8: npt.NDArray[np.uint8],
    needs: npt.NDArray[np.uint8],
    ascii_letters: npt.NDArray[np.uint64],
) -> None:
    for row in range(offsets.size - 1):
        if not needs[row] & _LAYOUT:
            _, twins, runs, counters, is_shared = _scan(utf8[offsets[row] : offsets[row + 1]], ascii_letters)
            if len(twins) or len(runs) or counters > 1:
                needs[row] |= _REPEATS
            if is_shared:
                needs[row] |= _SHARED
