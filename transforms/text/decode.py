"""Bytes to text: which encoding, and what to do with bytes that fit none."""

import codecs
import re
from typing import Final, NamedTuple

from transforms.text.charsets import rank, share_of_frequent


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

# Names that we record, where they are not Python's: those of the Encoding Standard
# (https://encoding.spec.whatwg.org/#names-and-labels).
_NAMES: Final = {
    **{f"cp{page}": f"windows-{page}" for page in range(1250, 1259)},
    **{"cp866": "ibm866", "mac_roman": "macintosh", "big5hkscs": "big5-hkscs"},
}
# As there, these are read as their supersets.
_SUPERSETS: Final = {
    **{"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874"},
    **{"gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932", "big5": "big5hkscs"},
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

# Share of the characters that are among the 300 or so most used, by chance below 0.05.
_MIN_FREQUENT: Final = 0.3

# Valid multi-byte sequences per invalid byte: 318 of 319 legacy files in ../shared/data/encoding stay below
# 0.42.
_SEQUENCES_PER_STRAY: Final = 2

# Whole files, up to 750 kB, get the same answer.
_SAMPLE_BYTES: Final = 32 * 1024

_DECLARATION: Final = re.compile(rb"""\b(?:charset|encoding)["']?\s*[=:]\s*["']?([A-Za-z][\w.:-]{1,39})""")

# Bits for each byte beyond ASCII below which the likeliest reading is mojibake all the same: the right readings
# of ../shared/data/encoding have -7.6 at least, random bytes -9.7.
_MIN_MEAN: Final = -8.6
_MIN_JUDGED: Final = 50  # bytes beyond ASCII
_EBCDIC_SPACE: Final = 12  # at least each twelfth byte

# A declared encoding wins against others whose score is not this much better, as a share and in bits.
_HINT_SHARE: Final = 0.02
_HINT_BITS: Final = 12.0

_STRAY: Final = "utf-8+windows-1252"


def decode(raw: bytes, declared: str | None = None) -> Decoded:
    """Return ``raw`` as text, with the encoding found.

    In this order: a byte order mark (not part of the text), UTF-16 and UTF-32 without one, strict UTF-8,
    UTF-8 with some stray bytes (those are read as windows-1252, encoding ``utf-8+windows-1252``),
    then the legacy encoding whose reading is the likeliest (:mod:`transforms.text.charsets`). What a page or a
    field ``declared`` wins between readings that are about equally likely, and is not trusted otherwise.
    ``raw.decode(encoding) == text`` unless the encoding has a ``+``; with ``+replaced`` some bytes fit nothing and
    became U+FFFD.

    Raises:
        UndecodableError: the bytes are binary or fit no encoding.

    >>> decode("Café".encode("windows-1252") + " “déjà vu”".encode())
    Decoded(text='Café “déjà vu”', encoding='utf-8+windows-1252')
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _decode_marked(raw, mark, encoding, declared)
    if b"\0" in raw and (wide := _decode_wide(raw)):
        return wide
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _nearly_utf8(raw) or _decode_wide_without_nul(raw) or _guess(raw, declared)
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


def _decode_marked(raw: bytes, mark: bytes, encoding: str, declared: str | None) -> Decoded:
    try:
        return Decoded(raw.decode(encoding), encoding)
    except UnicodeDecodeError:
        pass
    if mark == codecs.BOM_UTF8:
        rest = raw[len(mark) :]
        found = _nearly_utf8(rest) or _guess(rest, declared)
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


def _decode_wide_without_nul(raw: bytes) -> Decoded | None:
    """UTF-16 without a mark and without ASCII: told by the characters that Chinese, Japanese and Korean use most."""
    if len(raw) % 2:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _decode_without_nul(raw, encoding)
        if text and share_of_frequent(text) > _MIN_FREQUENT:
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


def _guess(raw: bytes, declared: str | None) -> Decoded:
    _refuse_binary(raw, _MAX_JUNK)
    count = _count_non_ascii(raw)
    if b" " not in raw and raw.count(b"@") * _EBCDIC_SPACE > len(raw):
        raise UndecodableError("this seems to be EBCDIC, whose space is the byte 40; save the text as UTF-8")
    ranked = rank(_sample(raw))
    if count >= _MIN_JUDGED and max(charset.mean for charset in ranked[:3]) < _MIN_MEAN:
        raise UndecodableError(f"[{count}] non-ASCII bytes read as no language that we know; save the text as UTF-8")
    best = ranked[0].bits
    hint = _codec_of(declared or _declared_in(raw))
    codecs = [charset.codec for charset in ranked]
    if any(charset.codec == hint and charset.bits >= best - _leeway(best) for charset in ranked):
        codecs.insert(0, hint)
    for codec in codecs:
        if decoded := _decode_damaged(raw, codec):
            return decoded
    raise UndecodableError(f"[{count}] non-ASCII bytes fit no known encoding; save the text as UTF-8")


def _declared_in(raw: bytes) -> str | None:
    """What a page's meta element, an XML declaration or a JSON field says of the encoding."""
    found = _DECLARATION.search(raw)
    return found[1].decode() if found else None


def _leeway(bits: float) -> float:
    return max(_HINT_BITS, _HINT_SHARE * abs(bits))


def _codec_of(declared: str | None) -> str:
    """Python's name of a declared encoding, as the superset that the Web reads it as; empty where there is none."""
    try:
        name = codecs.lookup(declared.strip().strip("\"'")).name if declared else ""
    except (LookupError, ValueError):
        return ""
    return _SUPERSETS.get(name, name.replace("-", "_"))


def _decode_damaged(raw: bytes, codec: str) -> Decoded | None:
    text = raw.decode(codec, "replace")
    lost = text.count("\ufffd")
    if lost > _MAX_DAMAGE * _count_non_ascii(raw) + 1:
        return None
    name = _NAMES.get(codec, codec.replace("iso8859", "iso-8859").replace("_", "-"))
    return Decoded(text, name + ("+replaced" if lost else ""))


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
