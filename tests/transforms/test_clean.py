import pytest

from tests.text.test_cruft import ARTICLE
from transforms.clean import clean_batch
from transforms.records import Record, Records, Reject
from transforms.text.clean import Cleaner
from transforms.text.reasons import RejectReason

CLEANER = Cleaner()


def article(place, text):
    return Record(f"id-{place}", None, "one.example", None, None, text, "utf-8", place)


def test_articles_edits_and_rejects_keep_their_order():
    records = [
        article(1, f"{ARTICLE}\n\nLeave a Reply"),
        article(2, "Leave a Reply\n\nSource link"),
        Reject(3, RejectReason.MALFORMED, "not JSON", b"{"),
        article(4, ARTICLE),
        article(5, "\u200b\n"),
        article(6, f"OSLO (AP) — {ARTICLE}\r\nIt rains."),
    ]
    cleaned, edits, rejects = clean_batch("a.jsonl", Records.of(records), CLEANER)
    assert cleaned.column("id").to_pylist() == ["id-1", "id-4", "id-6"]
    assert cleaned.column("text").to_pylist() == [CLEANER.clean(records[row].text).text for row in (0, 3, 5)]
    assert cleaned.column("credits").to_pylist() == [[], [], ["AP"]]
    assert cleaned.column("place").to_pylist() == [1, 4, 6]
    assert cleaned.column("uri").to_pylist() == ["a.jsonl"] * 3
    owned = [record.id for record in (records[0], records[5]) for _ in CLEANER.clean(record.text).edits]
    assert edits.column("id").to_pylist() == owned
    assert edits.column("seq").to_pylist()[0] == 0
    assert [sum(row == article for row in owned) for article in cleaned.column("id").to_pylist()] == cleaned.column(
        "edit_count"
    ).to_pylist()
    assert list(zip(rejects.column("place").to_pylist(), rejects.column("reason").to_pylist(), strict=True)) == [
        (2, "empty_after_cleaning"),
        (3, "malformed"),
        (5, "empty"),
    ]
    assert rejects.column("raw").to_pylist() == [b"Leave a Reply\n\nSource link", b"{", b"\xe2\x80\x8b\n"]


@pytest.mark.parametrize("records", [[], [Reject(1, RejectReason.EMPTY, "the text is blank", b"")]])
def test_nothing_to_clean(records):
    cleaned, edits, rejects = clean_batch("a.jsonl", Records.of(records), CLEANER)
    assert (cleaned.num_rows, edits.num_rows, rejects.num_rows) == (0, 0, len(records))


def test_what_is_in_order_is_not_copied():
    records = Records.of([article(place, ARTICLE) for place in (1, 2, 3)])
    cleaned, _, _ = clean_batch("a.jsonl", records, CLEANER)
    assert cleaned.column("text").buffers()[2].address == records.articles.column("text").buffers()[2].address


def test_records_are_given_back_one_by_one():
    records = [article(1, "a"), Reject(2, RejectReason.EMPTY, "the text is blank", b""), article(3, "b")]
    assert list(Records.of(records)) == records
    assert len(Records.of([Records.of(records[:1]).articles, *records[1:]])) == 3
    assert Records.of([Records.of(records[:1]).articles, *records[1:]]).articles == Records.of(records).articles
