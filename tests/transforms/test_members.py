"""Members of components: the canonical order, and texts that stay in a file."""

import errno
import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import pytest

from transforms import members
from transforms.batches import make_batch
from transforms.config import DedupConfig
from transforms.exchange import write_partitions
from transforms.files import FileError
from transforms.index import FIRST_SHARD
from transforms.members import Members, canonical_order
from transforms.schemas import MEMBER_ARTICLES
from transforms.text.decide import Article

NOON = datetime(2023, 5, 20, 12, tzinfo=UTC)


def row(id, hours=0, **told):
    """A MEMBER_ARTICLES row, published so many hours after noon, or never."""
    published = None if hours is None else NOON + timedelta(hours=hours)
    plain = {"component": 1, "ref": 0, "words": 100, "source": "x.example", "text": f"The text of {id}."}
    return dict.fromkeys(MEMBER_ARTICLES.names) | plain | {"id": id, "published": published} | told


def batch_of(rows):
    return make_batch(MEMBER_ARTICLES, *([row[name] for row in rows] for name in MEMBER_ARTICLES.names))


def digest(row):
    return blake2b(row["text"].encode(), digest_size=16).digest()


def ids_in_order(rows, **config):
    order = canonical_order(batch_of(rows), [digest(row) for row in rows], DedupConfig(**config))
    return [rows[place]["id"] for place in order]


EARLY = row("early", -24, source="b.example")
LONG = row("long", words=300, source="c.example")
PREFERRED = row("preferred", None, source="a.example")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["early", "long", "preferred"]),
        ({"canonical": "longest"}, ["long", "early", "preferred"]),
        ({"canonical": "preferred", "prefer_sources": ("a.example", "c.example")}, ["preferred", "long", "early"]),
    ],
)
def test_order_is_that_of_the_option_and_not_of_the_input(config, expected):
    for rows in itertools.permutations([EARLY, LONG, PREFERRED]):
        assert ids_in_order(rows, **config) == expected


def test_versions_of_a_page_stand_where_the_first_belongs_the_latest_in_front():
    rows = [
        row("first version", 1, url="https://x.example/a", ref=1),
        row("between", 2, url="https://y.example/b", source="y.example", ref=2),
        row("latest version", 3, url="https://x.example/a", ref=3),
        row("undated version", None, url="https://x.example/a", ref=4),
        row("the same address elsewhere", 3, url="https://x.example/a", source=None, ref=5),
    ]
    expected = ["latest version", "first version", "undated version", "between", "the same address elsewhere"]
    for order in itertools.permutations(rows):
        assert ids_in_order(order) == expected


def test_components_come_in_turn_and_articles_of_the_index_first():
    earlier = row("earlier", 5, ref=FIRST_SHARD << 32)
    rows = [row("other component", component=0), row("today's", 1, ref=1), earlier]
    for order in itertools.permutations(rows):
        assert ids_in_order(order) == ["other component", "earlier", "today's"]


def test_ties_fall_to_the_longer_then_to_the_id_then_to_the_text():
    rows = [row("b"), row("a", text="two"), row("a", text="one"), row("c", words=101)]
    orders = set()
    for order in itertools.permutations(rows):
        digests = [digest(each) for each in order]
        orders.add(tuple(order[place]["text"] for place in canonical_order(batch_of(order), digests, DedupConfig())))
    ((first, *tied, last),) = orders
    assert (first, sorted(tied), last) == ("The text of c.", ["one", "two"], "The text of b.")


@pytest.mark.parametrize("in_memory", [members._IN_MEMORY_BYTES, 1])
def test_articles_are_read_as_they_were_written(tmp_path, monkeypatch, in_memory):
    monkeypatch.setattr(members, "_IN_MEMORY_BYTES", in_memory)
    files = []
    for shard in range(3):
        rows = [
            row(f"{shard}-{at}", shard, ref=shard << 32 | at, text=f"Zürich {shard} {at} …" * at) for at in range(4)
        ]
        uri = str(tmp_path / f"members-{shard:05d}.parquet")
        files += [file for _, file in write_partitions(uri, MEMBER_ARTICLES, [(7, batch_of(rows))])]
    with Members((7, files), DedupConfig()) as found:
        (component,) = found.components()
        assert len(component) == 12
        assert component.earlier == 0
        for shard, at in itertools.product(range(3), range(4)):
            expected = Article(f"Zürich {shard} {at} …" * at, None, "x.example", None, NOON + timedelta(hours=shard))
            assert component[4 * shard + at] == expected
            assert component.member(4 * shard + at).ref == shard << 32 | at
        assert list(component.subset([5, 2])) == [component[5], component[2]]


def test_no_room_for_texts_is_told_with_the_folder(tmp_path, monkeypatch):
    uri = str(tmp_path / "members-00000.parquet")
    files = [file for _, file in write_partitions(uri, MEMBER_ARTICLES, [(7, batch_of([row("a")]))])]

    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(members, "_IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(FileError, match=rf"{tmp_path}.*No space left"):
        Members((7, files), DedupConfig())
