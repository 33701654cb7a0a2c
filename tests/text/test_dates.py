from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text.dates import from_epoch, parse_published


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-05-20", utc(2023, 5, 20)),
        ("2023-05-20T10:03:20Z", utc(2023, 5, 20, 10, 3, 20)),
        ("2023-05-20 10:03:20.123456+02:00", utc(2023, 5, 20, 8, 3, 20, 123456)),
        (" 20230520 ", utc(2023, 5, 20)),
        ("2015-07-21 02:51:32", utc(2015, 7, 21, 2, 51, 32)),
        ("26-FEB-1987 15:03:27.51", utc(1987, 2, 26, 15, 3, 27, 510000)),
        ("Sat, 20 May 2023 10:03:20 +0200", utc(2023, 5, 20, 8, 3, 20)),
        ("Sat, 20 May 2023 10:03:20 -0330", utc(2023, 5, 20, 13, 33, 20)),
        ("Sat, 20 May 2023 10:03:20 EST", utc(2023, 5, 20, 15, 3, 20)),
        ("20 May 2023", utc(2023, 5, 20)),
        ("May 20, 2023", utc(2023, 5, 20)),
        ("May 20th, 2023 at 5:30 PM", utc(2023, 5, 20, 17, 30)),
        ("Sat May 20 10:03:20 CEST 2023", utc(2023, 5, 20, 8, 3, 20)),
        ("2023/05/20", utc(2023, 5, 20)),
        ("25/07/2017", utc(2017, 7, 25)),
        ("07/25/2017", utc(2017, 7, 25)),
        ("05.05.2023", utc(2023, 5, 5)),
        ("03.04.2026", utc(2026, 4, 3)),
        ("14. 3. 2026", utc(2026, 3, 14)),
        ("14.03.2026, 18:04 Uhr", utc(2026, 3, 14, 18, 4)),
        ("Sa., 14.03.2026 - 18.04 Uhr MEZ", utc(2026, 3, 14, 17, 4)),
        ("Stand: 04.03.2026 um 18:04:30 Uhr", utc(2026, 3, 4, 18, 4, 30)),
        ("04.03.2026 18:04 +0200", utc(2026, 3, 4, 16, 4)),
        ("14.03.2026 6:04 PM", utc(2026, 3, 14, 18, 4)),
        ("12.31.2026", utc(2026, 12, 31)),
        ("Wed, 20 May 2026 10:03:20 GMT", utc(2026, 5, 20, 10, 3, 20)),
        ("2026-03-14T09:12:00+01:00[Europe/Berlin]", utc(2026, 3, 14, 8, 12)),
        ("2026-03-14T09:12:00.5Z[Europe/Berlin][u-ca=hebrew]", utc(2026, 3, 14, 9, 12, 0, 500000)),
        ("20260314091200", utc(2026, 3, 14, 9, 12)),
        (20260314091200, utc(2026, 3, 14, 9, 12)),
        ("1684577000123456", utc(2023, 5, 20, 10, 3, 20, 123456)),
        (1684577000123456, utc(2023, 5, 20, 10, 3, 20, 123456)),
        ("1684577000123456789", utc(2023, 5, 20, 10, 3, 20, 123456)),
        (1684577000123456789, utc(2023, 5, 20, 10, 3, 20, 123456)),
        ("31 Dec 2016 23:59:60 GMT", utc(2016, 12, 31, 23, 59, 59)),
        ("1684577000", utc(2023, 5, 20, 10, 3, 20)),
        (1684577000, utc(2023, 5, 20, 10, 3, 20)),
        (1684577000.5, utc(2023, 5, 20, 10, 3, 20, 500000)),
        (1684577000123, utc(2023, 5, 20, 10, 3, 20, 123000)),
        (20230520, utc(2023, 5, 20)),
        (date(2023, 5, 20), utc(2023, 5, 20)),
        (datetime(2023, 5, 20, 10), utc(2023, 5, 20, 10)),
        (datetime(2023, 5, 20, 10, tzinfo=timezone(timedelta(hours=2))), utc(2023, 5, 20, 8)),
    ],
)
def test_dates_as_publishers_write_them(value, expected):
    assert parse_published(value) == expected
    assert parse_published(value).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "   ", "yesterday", "n/a", "20 mai 2023", "x" * 10_000),
        *("2023", "May 2023", "10:30", "Friday", "Friday, May 2023", "2023-05", "2023-W20", "12/1/16"),
        *("03/04/2017", "31/31/2017", "31 Feb 2023", "32 May 2023", "20 May 2023 25:00", "0000-00-00"),
        *(0, 1, -1, 2023, 20231340, 10**30, float("nan"), float("inf"), True, [2023], {"year": 2023}),
        *("1970-01-01", "1970-01-01T00:00:00-05:00", "Thu, 01 Jan 1970 00:00:00 GMT", datetime(1969, 12, 31, 22)),
        *("2023W203", "2023-W20-3", "31.02.2026", "12.03.2026 bis 14.03.2026", "4.3.2026 6:04 pm", "20261314091200"),
        *("2026-03-14T09:12:00[Europe/Berlin]", "03/04/2026, 18:04 Uhr"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "99999999999999999999"),
    ],
)
def test_what_is_no_certain_date_is_none(value):
    assert parse_published(value) is None


def test_epoch_of_arrow():
    assert from_epoch(0, 1) == utc(1970, 1, 1)
    assert from_epoch(-1, 1_000_000_000) == utc(1969, 12, 31, 23, 59, 59, 999999)
    assert from_epoch(2**63 - 1, 1) is None
    assert from_epoch(-(2**63), 1_000_000) is None


@given(st.one_of(st.text(), st.from_regex(r"[0-9A-Za-z:/. +,-]{0,40}"), st.integers(), st.floats(), st.binary()))
def test_never_raises(value):
    found = parse_published(value)
    assert found is None or (found.tzinfo is UTC and 1 <= found.year <= 9999)


@given(st.datetimes().filter(lambda moment: abs(moment - datetime(1970, 1, 1)) > timedelta(hours=14)))
def test_iso_round_trip(moment):
    assert parse_published(moment.isoformat()) == moment.replace(tzinfo=UTC)
