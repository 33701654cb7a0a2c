"""Boilerplate is learned across shards and stripped from them, whatever the shards and their order."""

import pickle
import random

import apache_beam as beam
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that

from tests.writing import invented_article
from transforms import files
from transforms.batches import make_batch
from transforms.config import LedgerConfig
from transforms.ledger import (
    LearnBoilerplate,
    StripShards,
    paragraphs_of,
    read_boilerplate,
    strip_shard,
    write_paragraphs,
)
from transforms.schemas import BOILERPLATE, EDITS, STAGED
from transforms.staged import read_articles, read_edits
from transforms.staging import Staging
from transforms.text.edits import Edit, undo_edits

HEADING = "Briefing from the quay"
PROMO = "Our briefing gives you all of the latest from the quay. Click here to get it."
GALLERY = "Slideshow ({} images) below, click here"
WIRE = "With reporting by AP and Reuters"


def article(number, paragraphs, source="quay", edit_count=0):
    row = dict.fromkeys(STAGED.names)
    text = "\n\n".join(paragraphs)
    return row | {
        "id": f"{source}-{number}",
        "source": source,
        "text": text,
        "credits": [],
        "edit_count": edit_count,
        "uri": "a",
        "place": number,
    }


def corpus():
    """Six articles with a promo of two paragraphs, a gallery and a credit; a story copied six times; another source."""
    rows = []
    for number in range(6):
        body = invented_article(number)
        place = 1 + number % 4
        rows.append(
            article(
                number,
                [*body[:place], HEADING, PROMO, *body[place:5], GALLERY.format(number), body[5], WIRE],
                edit_count=number % 2,
            )
        )
    story = [*invented_article(50), "Click here to read the verdict of the court in full."]
    rows += [article(number, [f"Version {number} of it.", *story, "The end of it."]) for number in range(10, 16)]
    rows.append(article(20, [*invented_article(60), PROMO], source="other"))
    rows.append(article(21, [PROMO], source="quay"))
    return rows


def stage(folder, shards):
    staging = Staging(str(folder))
    for shard, rows in enumerate(shards):
        batch = make_batch(STAGED, *([row[name] for row in rows] for name in STAGED.names))
        files.write_parquet(staging.articles(shard), STAGED, [batch])
        write_paragraphs(staging, shard, [paragraphs_of(batch, shard << 32)])
        edits = [(row["id"], 0, "cruft", "en/x", 0, "gone", "") for row in rows if row["edit_count"]]
        columns = zip(*edits, strict=True) if edits else [[] for _ in EDITS]
        files.write_parquet(staging.edits(shard), EDITS, [make_batch(EDITS, *map(list, columns))])
    return staging


def learn(make_pipeline, staging, shards, seen, config=None):
    def collect(actual):
        (learned,) = actual
        seen.write_bytes(pickle.dumps(learned.to_pylist()))

    with make_pipeline() as pipeline:
        numbers = pipeline | beam.Create(list(range(shards))).with_output_types(int)
        learned = numbers | LearnBoilerplate(staging=staging, config=config or LedgerConfig())
        stripped = numbers | StripShards(staging=staging, learned=learned)
        assert_that(learned, collect)
        assert_that(
            stripped, lambda done: None if sorted(done) == list(range(shards)) else pytest.fail(str(done)), "Done"
        )
    return pickle.loads(seen.read_bytes())


def test_learned_and_stripped(tmp_path, make_pipeline):
    rows = corpus()
    staging = stage(tmp_path, [rows[:5], rows[5:7], rows[7:]])
    learned = learn(make_pipeline, staging, 3, tmp_path / "seen")
    # Of the articles with the promo one holds nothing else; it is an article of its own all the same.
    assert learned == [
        {"source": "quay", "paragraph": HEADING, "support": 6, "diversity": 6, "sign": "heading"},
        {"source": "quay", "paragraph": PROMO, "support": 7, "diversity": 4, "sign": "phrase"},
        {"source": "quay", "paragraph": GALLERY.format(2), "support": 6, "diversity": 6, "sign": "phrase"},
    ]
    found, edits = {}, {}
    for shard in range(3):
        for batch in read_articles(staging, shard):
            found |= {row["id"]: row for row in batch.to_pylist()}
        for batch in read_edits(staging, shard):
            for row in batch.to_pylist():
                edits.setdefault(row.pop("id"), []).append(row)
    for row in rows:
        id, number = row["id"], row["place"]
        made = edits.get(id, [])
        assert [edit["seq"] for edit in made] == list(range(len(made)))
        assert found[id]["edit_count"] == len(made) == row["edit_count"] + (3 if number < 6 else 0)
        own = [Edit(*list(edit.values())[1:]) for edit in made if edit["kind"] == "boilerplate"]
        assert undo_edits(found[id]["text"], own) == row["text"]
        if number < 6:
            assert found[id]["text"] == "\n\n".join([*invented_article(number), WIRE])
        else:
            assert found[id] == row


def test_the_same_whatever_the_shards(tmp_path):
    from tests.conftest import RUNNERS

    def plain():
        return beam.Pipeline(runner=RUNNERS["plain"]())

    rows, results = corpus(), []
    for size in (1, 4, 14):
        random.Random(size).shuffle(rows)
        shards = [rows[start : start + size] for start in range(0, len(rows), size)]
        folder = tmp_path / f"{size}"
        results.append(learn(plain, stage(folder, shards), len(shards), tmp_path / f"seen-{size}"))
    assert len(results[0]) == 3
    assert results[0] == results[1] == results[2]


def test_options(tmp_path):
    from tests.conftest import RUNNERS

    staging = stage(tmp_path, [corpus()])

    def plain():
        return beam.Pipeline(runner=RUNNERS["plain"]())

    assert learn(plain, staging, 1, tmp_path / "seen", LedgerConfig(min_support=8)) == []


def test_one_article_profits_from_what_was_known(tmp_path):
    staging = stage(tmp_path, [[article(1, ["One.", PROMO, GALLERY.format(77), "Write to a@b.example, no. 7."])]])
    known = make_batch(
        BOILERPLATE,
        ["quay", "quay", "quay", "other"],
        [PROMO, GALLERY.format(1), "Write to a@b.example, no. 8.", "One."],
        [9] * 4,
        [8] * 4,
        ["phrase", "phrase", "address", "edge"],
    )
    strip_shard(0, known, staging)
    (batch,) = read_articles(staging, 0, ["text"])
    # What has no phrase is known to the letter.
    assert batch["text"].to_pylist() == ["One.\n\nWrite to a@b.example, no. 7."]


def test_null_is_a_source_and_rows_without_boilerplate_stay(tmp_path):
    rows = [article(n, [*invented_article(n), PROMO], source=None) for n in range(3)]
    rows[1]["text"] = "\n\n".join(invented_article(1))
    staging = stage(tmp_path, [rows])
    strip_shard(0, make_batch(BOILERPLATE, [None], [PROMO], [9], [9], ["phrase"]), staging)
    (batch,) = read_articles(staging, 0, ["id", "text"])
    assert batch["text"].to_pylist() == ["\n\n".join(invented_article(n)) for n in range(3)]


def test_reading_what_was_learned(tmp_path):
    known = make_batch(BOILERPLATE, ["quay"], [PROMO], [9], [8], ["phrase"])
    part = tmp_path / "run" / "boilerplate" / "part-00000.parquet"
    files.write_parquet(str(part), BOILERPLATE, [known])
    for uri in (part, part.parent, part.parent.parent):
        assert read_boilerplate(str(uri)).to_pylist() == known.to_pylist()
    (tmp_path / "none").mkdir()
    with pytest.raises(files.FileError, match="holds no boilerplate"):
        read_boilerplate(str(tmp_path / "none"))
    with pytest.raises(files.FileError, match="gone"):
        read_boilerplate(str(tmp_path / "gone"))
    pq.write_table(pq.read_table(part).drop_columns(["sign"]), tmp_path / "older.parquet")
    with pytest.raises(files.FileError, match=r"older\.parquet"):
        read_boilerplate(str(tmp_path / "older.parquet"))
