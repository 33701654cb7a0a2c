import pytest

from transforms.text.headline import headline

BODY = "The bridge over the Alder opened on Friday after eleven weeks of repairs, the town council said."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Bridge Reopens\n\n{BODY}", "Bridge Reopens"),
        (f"\n  Bridge Reopens \r\n\r\n{BODY}", "Bridge Reopens"),
        (f"Bridge Reopens\n{BODY}", "Bridge Reopens"),
        (f"Will the bridge hold?\n\n{BODY}", "Will the bridge hold?"),
        (f"Mayor: “The bridge will hold!”\n\n{BODY}", "Mayor: “The bridge will hold!”"),
        (f"橋が再開通\n\n{BODY}", "橋が再開通"),
        ("", None),
        ("Bridge Reopens", None),
        ("Bridge Reopens\n", None),
        (f"Bridge Reopens\n\n{BODY[:5]}", None),
        (f"The bridge is open again.\n\n{BODY}", None),
        (f"“The bridge is open again.”\n\n{BODY}", None),
        (f"橋は金曜日に再開通した。\n\n{BODY}", None),
        (f"* * *\n\n{BODY}", None),
        (f"{'word ' * 31}\n\n{BODY * 9}", None),
        (f"{'x' * 201}\n\n{BODY * 9}", None),
    ],
)
def test_headline(text, expected):
    assert headline(text) == expected
