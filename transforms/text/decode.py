"""Bytes to text: which encoding, and what to do with bytes that fit none."""

import codecs
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from charset_normalizer import from_bytes


class Decoded(NamedTuple):
    """A text and the name of the encoding it was read by (a codec Python knows, or two joined by ``+``)."""

    text: str
    encoding: str


class UndecodableError(ValueError):
    """The bytes are no text in any encoding that we know."""


# UTF-32's little-endian mark begins with UTF-16's, so it comes first.
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# The encodings that charset-normalizer may choose, by its names, and the names that we record. They are the
# legacy encodings of the Encoding Standard (https://encoding.spec.whatwg.org/#names-and-labels), the only
# ones on the web; as there, ISO-8859-1, GB2312 and Shift_JIS are read as their supersets. Left out are
# those that hardly anyone used but that fit any Western text (ISO-8859-3, -4, -10, -13, -14 and
# windows-1258).
_CANDIDATES: Final = {
    **{f"cp{page}": f"windows-{page}" for page in range(1250, 1258)},
    **{f"iso8859_{part}": f"iso-8859-{part}" for part in (2, 5, 6, 7, 8, 15, 16)},
    **{"cp866": "ibm866", "cp874": "cp874", "koi8_r": "koi8-r", "koi8_u": "koi8-u"},
    **{"mac_roman": "macintosh", "mac_cyrillic": "mac-cyrillic"},
    **{"cp932": "cp932", "euc_jp": "euc-jp", "cp949": "cp949"},
    **{"gb18030": "gb18030", "big5hkscs": "big5-hkscs"},
}

# In short texts these score as windows-1252 does. They must be in a language that they were made for to win.
_EAST_EUROPEAN: Final = frozenset(("Croatian", "Czech", "Hungarian", "Polish", "Romanian", "Slovak", "Slovene"))
_LANGUAGES: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("cp1250", "iso8859_2", "iso8859_16"), _EAST_EUROPEAN),
    "cp1254": frozenset(("Turkish",)),
    "cp1257": frozenset(("Estonian", "Latvian", "Lithuanian")),
    **dict.fromkeys(("iso8859_15", "mac_roman"), frozenset()),
}

# Control characters that no text holds; ESC, SO and SI belong to ISO-2022.
_JUNK: Final = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\x0e\x0f\x1b"))
_NON_ASCII: Final = bytes(range(0x80, 0x100))
_HIGH_BYTE: Final = re.compile(rb"[\x80-\xff]")

# Random bytes hold 10 % of those controls, text at most a stray one. Valid UTF-8 has proved itself and is
# forgiven more.
_MAX_JUNK: Final = 0.02
_MAX_JUNK_UTF8: Final = 0.3

# Share of the non-ASCII bytes that may be lost where no encoding fits all of them.
_MAX_DAMAGE: Final = 0.01

# Valid multi-byte sequences per invalid byte: 318 of 319 legacy files in ../shared/data/encoding stay below
# 0.42.
_SEQUENCES_PER_STRAY: Final = 2

# Up to 10 ms in charset-normalizer; whole files, up to 750 kB, got the same answer but for one Latin-1 (a
# worse one).
_SAMPLE_BYTES: Final = 64 * 1024

_STRAY: Final = "utf-8+windows-1252"


def decode(raw: bytes) -> Decoded:
    """Return ``raw`` as text, with the encoding found.

    In this order: a byte order mark (not part of the text), UTF-16 and UTF-32 without one, strict UTF-8,
    UTF-8 with some stray bytes (those are read as windows-1252, encoding ``utf-8+windows-1252``),
    charset-normalizer among the encodings of the web. ``raw.decode(encoding) == text`` unless the encoding
    has a ``+``; with ``+replaced`` some bytes fit nothing and became U+FFFD.

    Raises:
        UndecodableError: the bytes are binary or fit no encoding.

    >>> decode("Café".encode("windows-1252") + " “déjà vu”".encode())
    Decoded(text='Café “déjà vu”', encoding='utf-8+windows-1252')
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _decode_marked(raw, mark, encoding)
    if b"\0" in raw and (wide := _decode_wide(raw)):
        return wide
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _nearly_utf8(raw) or _guess(raw)
    if b"\0" in raw:
        _refuse_binary(raw, _MAX_JUNK_UTF8)
    if b"\x1b" in raw and raw.isascii():
        return _decode_iso2022(raw) or Decoded(text, "utf-8")
    return Decoded(text, "utf-8")


def well_formed(text: str) -> Decoded:
    r"""Return a string that JSON escapes may have given lone surrogates as one that UTF-8 can hold.

    Surrogates that pair are the character they mean; the others become U+FFFD (encoding ``utf-8+replaced``).

    >>> well_formed("\ud83d\ude00 and \ud83d")
    Decoded(text='😀 and �', encoding='utf-8+replaced')
    """
    if text.isascii():
        return Decoded(text, "utf-8")
    try:
        text.encode()
    except UnicodeEncodeError:
        paired = text.encode("utf-16-le", "surrogatepass")
        try:
            return Decoded(paired.decode("utf-16-le"), "utf-8")
        except UnicodeDecodeError:
            return Decoded(paired.decode("utf-16-le", "replace"), "utf-8+replaced")
    return Decoded(text, "utf-8")


def _decode_marked(raw: bytes, mark: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(raw.decode(encoding), encoding)
    except UnicodeDecodeError:
        pass
    if mark == codecs.BOM_UTF8:
        rest = raw[len(mark) :]
        found = _nearly_utf8(rest) or _guess(rest)
        return found._replace(encoding=f"{encoding}+{found.encoding}")
    text = raw.decode(encoding, "replace")
    if text.count("\ufffd") > _MAX_JUNK * len(text) + 1:  # + 1: a file cut inside its last character
        raise UndecodableError(f"begins with the byte order mark of {encoding}, but is not; save it as UTF-8")
    return Decoded(text, f"{encoding}+replaced")


def _decode_iso2022(raw: bytes) -> Decoded | None:
    """ISO-2022 switches alphabets by escape sequences, so that all its bytes are ASCII."""
    for encoding in ("iso-2022-jp-2", "iso-2022-kr"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.isascii():
            return Decoded(text, encoding)
    return None


def _decode_wide(raw: bytes) -> Decoded | None:
    """UTF-32 or UTF-16 without a mark, told by its NULs."""
    for encoding in ("utf-32-le", "utf-32-be"):  # hardly any other bytes are valid UTF-32
        if (text := _decode_without_nul(raw, encoding)) is not None:
            return Decoded(text, encoding)
    # Spaces and digits have a NUL in one byte of two: all at odd or all at even places.
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    if max(even, odd) * 20 > len(raw) and min(even, odd) * 20 <= max(even, odd):
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        if (text := _decode_without_nul(raw, encoding)) is not None:
            return Decoded(text, encoding)
    return None


def _decode_without_nul(raw: bytes, encoding: str) -> str | None:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _refuse_binary(raw: bytes, max_share: float) -> None:
    junk = len(raw) - len(raw.translate(None, _JUNK))
    if junk > max_share * len(raw):
        raise UndecodableError(f"binary, not text: [{junk}] of [{len(raw)}] bytes are control characters")


def _nearly_utf8(raw: bytes) -> Decoded | None:
    """UTF-8 with stray bytes, told by its valid sequences: in a legacy encoding few arise by chance."""
    valid = raw.decode(errors="ignore")
    sequences = len(valid) - len(raw) + _count_non_ascii(raw)
    invalid = len(raw) - len(valid.encode())
    if sequences <= _SEQUENCES_PER_STRAY * invalid:
        return None
    _refuse_binary(raw, _MAX_JUNK)
    return Decoded(raw.decode(errors=_STRAY), _STRAY)


def _read_stray_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_STRAY, _read_stray_bytes)


def _guess(raw: bytes) -> Decoded:
    _refuse_binary(raw, _MAX_JUNK)
    for codec in _likely(_sample(raw)):
        try:
            return Decoded(raw.decode(codec), _CANDIDATES[codec])
        except UnicodeDecodeError:
            continue
    # A byte that fits nothing rules out the right encoding as well, so ask about pieces that are without it.
    size = max(len(raw) // 8, 512)
    for start in range(0, min(len(raw), 8 * size), size):
        for codec in _likely(raw[start : start + min(size, _SAMPLE_BYTES)].partition(b"\n")[2]):
            if decoded := _decode_damaged(raw, codec):
                return decoded
    # Too short or too mixed for statistics: windows-1252 is what browsers fall back to.
    if decoded := _decode_damaged(raw, "cp1252"):
        return decoded
    count = _count_non_ascii(raw)
    raise UndecodableError(f"[{count}] non-ASCII bytes fit no known encoding; save the text as UTF-8")


def _likely(sample: bytes) -> list[str]:
    """The codecs that charset-normalizer thinks possible, best first; none for ASCII, which says nothing."""
    if sample.isascii():
        return []
    matches = list(from_bytes(sample, cp_isolation=list(_CANDIDATES)))
    names = [match.encoding for match in matches]
    best = matches[0] if matches else None
    if best is not None and best.encoding in _LANGUAGES and best.language not in _LANGUAGES[best.encoding]:
        for match in matches:
            as_good = match.chaos <= best.chaos + 0.005 and match.coherence >= best.coherence - 0.05
            if as_good and "cp1252" in match.could_be_from_charset:
                return ["cp1252", *names]
    return names


def _decode_damaged(raw: bytes, codec: str) -> Decoded | None:
    text = raw.decode(codec, "replace")
    lost = text.count("\ufffd")
    if lost > _MAX_DAMAGE * _count_non_ascii(raw) + 1:
        return None
    return Decoded(text, _CANDIDATES[codec] + ("+replaced" if lost else ""))


def _count_non_ascii(raw: bytes) -> int:
    return len(raw) - len(raw.translate(None, _NON_ASCII))


def _sample(raw: bytes) -> bytes:
    """The first bytes that tell something, from the line of the first non-ASCII byte; whole characters."""
    if len(raw) <= _SAMPLE_BYTES:
        return raw
    first = _HIGH_BYTE.search(raw)
    start = raw.rfind(b"\n", 0, first.start()) + 1 if first else 0
    if first and first.start() - start > _SAMPLE_BYTES // 2:
        start = first.start()
    sample = raw[start : start + _SAMPLE_BYTES]
    # Bytes below 0x30 are never the second byte of a character, so a cut there leaves whole characters.
    end = max(sample.rfind(b"\n"), sample.rfind(b" "))
    return sample[:end] if end > _SAMPLE_BYTES // 2 else sample
