"""Publication dates as publishers write them, as UTC; what is not certain is no date."""

import functools
import re
import warnings
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from dateutil import parser

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Epoch seconds from 1973-03-03 to 2100. Smaller numbers are years, days (20230520) or a 0 that means
# "unknown".
_MIN_EPOCH, _MAX_EPOCH = 100_000_000, 4_102_444_800

# What a clock says that was never set, in any zone. An article of that day is rarer than a database that held 0.
_UNSET: Final = timedelta(hours=14)

_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

# RFC 2822 section 4.3, and the abbreviations of Europe and East Asia that have one meaning in news.
_ZONE_HOURS: Final = {
    **dict.fromkeys(("UT", "UTC", "GMT", "Z"), 0),
    **{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
    **{"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3},
    **{"JST": 9, "KST": 9},
}
_ZONE_SECONDS: Final = {name: 3600 * hours for name, hours in _ZONE_HOURS.items()}

# "Sat, 20 May 2023 10:00:00 +0200" (RFC 2822) and "26-FEB-1987 15:03:27.51"; dateutil needs 50 times as long.
_SECONDS: Final = r"(?::(\d\d)(?:\.(\d{1,9}))?)?"
_ZONE: Final = r"(?: *([+-]\d\d):?(\d\d)| *([a-z]{1,4}))?"
_DAY_MONTH_YEAR: Final = re.compile(
    r"(?:[a-z]{3,9},? +)?(\d{1,2})[ -]([a-z]{3})[a-z]*[ -](\d{4})"
    rf"(?:,?[ T]+(\d{{1,2}}):(\d\d){_SECONDS}{_ZONE})?",
    re.ASCII | re.IGNORECASE,
)
# "Sa., 14.03.2026, 18:04 Uhr": where dots part the numbers, the day comes first.
_DOTTED: Final = re.compile(
    r"(?:[^\d\s]{2,12} +)?(0?[1-9]|[12]\d|3[01])\. ?(0?[1-9]|1[0-2])\. ?(\d{4})"
    rf"(?:(?:[^\d+-]{{1,8}}| - )(\d{{1,2}})[:.](\d\d){_SECONDS}(?: *(?:uhr|uur|h)\b)?(?! *[ap]\.?m\b){_ZONE})?",
    re.ASCII | re.IGNORECASE,
)
# RFC 9557: "2026-03-14T09:12:00+01:00[Europe/Berlin]". The offset says when it was.
_OFFSET_AND_SUFFIX: Final = re.compile(r"(.+(?:Z|[+-]\d\d:?\d\d))\[.*\]", re.ASCII | re.IGNORECASE)
_TWO_NUMBERS_AND_YEAR: Final = re.compile(r"(?<!\d)\d{1,2}[/. -]+\d{1,2}[/. -]+\d{4}(?!\d)", re.ASCII)
_YEAR: Final = re.compile(r"(?<!\d)\d{4}(?!\d)", re.ASCII)

# dateutil fills what is missing from a default. What differs between two of them was not in the string.
_DEFAULTS: Final = (datetime(2000, 1, 1), datetime(2004, 12, 15))
_MAX_CHARACTERS: Final = 64


def parse_published(value: object) -> datetime | None:
    """Return a publication date as an aware UTC ``datetime``; ``None`` where none is certain. Never raises.

    Takes ``datetime``, ``date``, epoch seconds, milli-, micro- or nanoseconds (from March 1973 to 2100), days
    as numbers (20230520, 20230520091200) and strings: ISO 8601, RFC 9557, RFC 2822, days first between dots
    and what ``dateutil`` reads without guessing. No zone means UTC. A string must hold year, month and day;
    "03/04/2017", March in one country and April in another, is not certain. Nor is midnight of 1 January 1970,
    which is a 0 that was written out, whatever the zone.

    >>> parse_published("26-FEB-1987 15:03:27.51").isoformat()
    '1987-02-26T15:03:27.510000+00:00'
    >>> parse_published("25/07/2017").isoformat(), parse_published("May 2017")
    ('2017-07-25T00:00:00+00:00', None)
    """
    found = _parse(value)
    return None if found is None or abs(found - EPOCH) <= _UNSET else found


def _parse(value: object) -> datetime | None:
    try:
        if value is None or isinstance(value, bool):
            return None
        if isinstance(value, str):
            return _parse_string(value)
        if isinstance(value, datetime):
            return _as_utc(value)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, int | float):
            return _parse_number(value)
    except (ValueError, OverflowError):
        pass
    return None


def from_epoch(value: int, per_second: int) -> datetime | None:
    """Return the time ``value`` units after 1970, with ``per_second`` (1 to 10⁹) units a second.

    Less than a microsecond is cut off; outside the years 1–9999 it is ``None``.

    >>> from_epoch(1684577000123, 1000).isoformat()
    '2023-05-20T10:03:20.123000+00:00'
    """
    try:
        return EPOCH + timedelta(microseconds=value * 1_000_000 // per_second)
    except OverflowError:
        return None


def _as_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _parse_number(value: float) -> datetime | None:
    if _MIN_EPOCH <= value <= _MAX_EPOCH:
        return EPOCH + timedelta(seconds=value)
    if 1000 * _MIN_EPOCH <= value <= 1000 * _MAX_EPOCH:
        return EPOCH + timedelta(milliseconds=value)
    if 1_000_000 * _MIN_EPOCH <= value <= 1_000_000 * _MAX_EPOCH:
        return EPOCH + timedelta(microseconds=value)
    if 1_000_000_000 * _MIN_EPOCH <= value <= 1_000_000_000 * _MAX_EPOCH:
        return EPOCH + timedelta(microseconds=value // 1000)
    if 1000_01_01 <= value <= 9999_12_31 and value == int(value):
        return _as_utc(datetime.strptime(str(int(value)), "%Y%m%d"))
    if 1000_01_01_000000 <= value <= 9999_12_31_235959 and value == int(value):
        return _as_utc(datetime.strptime(str(int(value)), "%Y%m%d%H%M%S"))
    return None


@functools.lru_cache(maxsize=1 << 16)
def _parse_string(value: str) -> datetime | None:
    value = value.strip()
    if not 8 <= len(value) <= _MAX_CHARACTERS:
        return None
    if "W" in value[4:6] and value[:4].isdigit():  # "2023-W20" is a week, not a day
        return None
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return _parse_number(float(value) if "." in value else int(value))
    try:
        return _as_utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        pass
    if match := _OFFSET_AND_SUFFIX.fullmatch(value):
        return _as_utc(datetime.fromisoformat(match[1]))
    match = _DAY_MONTH_YEAR.fullmatch(value)
    if match is not None and match[2].lower() in _MONTHS:
        return _from_match(match, _MONTHS.index(match[2].lower()) + 1)
    if match := _DOTTED.fullmatch(value):
        return _from_match(match, int(match[2]))
    return _parse_with_dateutil(value)


def _from_match(match: re.Match[str], month: int) -> datetime | None:
    day, _, year, hour, minute, second, fraction, zone_hour, zone_minute, zone = match.groups()
    offset = timedelta(0)
    if zone_hour:
        offset = timedelta(hours=int(zone_hour), minutes=int(zone_hour[0] + zone_minute))
    elif zone:
        offset = timedelta(seconds=_ZONE_SECONDS.get(zone.upper(), 0))
    return datetime(
        *(int(year), month, int(day)),
        *(int(hour or 0), int(minute or 0), min(int(second or 0), 59)),  # 60 is a leap second
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=timezone(offset),
    ).astimezone(UTC)


def _parse_with_dateutil(value: str) -> datetime | None:
    if not _YEAR.search(value):  # with two digits the century would depend on today's date
        return None
    orders = (False, True) if _TWO_NUMBERS_AND_YEAR.search(value) else (False,)
    found = {_parse_once(value, default, day_first) for default in _DEFAULTS for day_first in orders}
    return found.pop() if len(found) == 1 else None


def _parse_once(value: str, default: datetime, day_first: bool) -> datetime | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", parser.UnknownTimezoneWarning)  # such a zone is read as UTC
        try:
            return _as_utc(parser.parse(value, default=default, dayfirst=day_first, tzinfos=_ZONE_SECONDS))
        except Exception:  # dateutil lets TypeError, IndexError and decimal's errors slip through
            return None
