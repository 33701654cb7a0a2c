"""Which articles are copies of which: verification, canonical choice, versions."""

import pickle
from datetime import UTC, datetime, timedelta

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from transforms import files, verify
from transforms.batches import make_batch
from transforms.config import DedupConfig
from transforms.schemas import MEMBERS, RENAMES, STAGED
from transforms.staging import Staging
from transforms.verify import FetchMembers, VerifyComponents

NOON = datetime(2023, 5, 20, 12, tzinfo=UTC)
STORY = " ".join(f"word{number}" for number in range(200))
EDITED = STORY.replace("word50 ", "another ")
EXCERPT = " ".join(STORY.split()[:80])


def staged(**values):
    row = dict.fromkeys(STAGED.names) | {
        "credits": [],
        "edit_count": 0,
        "uri": "a.txt",
        "place": 0,
    }
    return row | values


def decisions_of(tmp_path, make_pipeline, rows, renames=(), config=None):
    """``{(shard, row): decision}`` of one component that holds all ``rows``, each in a shard of its own."""
    staging, config = Staging(str(tmp_path)), config or DedupConfig()
    members, renamed = [], []
    for shard, row in enumerate(rows):
        batch = [make_batch(STAGED, *([row[name]] for name in STAGED.names))]
        files.write_parquet(staging.articles(shard), STAGED, batch)
        members.append((shard, make_batch(MEMBERS, [0], [7])))
    for shard, number in renames:
        renamed.append((shard, make_batch(RENAMES, [0], [number])))
    seen = tmp_path / "seen.pickle"

    def collect(actual):
        seen.write_bytes(pickle.dumps({shard: batch.to_pylist() for shard, batch in actual}))

    with make_pipeline() as pipeline:
        joined = {
            "members": pipeline | "M" >> beam.Create(members),
            "renames": pipeline | "R" >> beam.Create([*renamed, (99, make_batch(RENAMES, [0], [2]))]),
        }
        fetched = joined | FetchMembers(staging=staging)
        assert_that(fetched | VerifyComponents(config=config), collect)
    return {shard: decision for shard, (decision,) in pickle.loads(seen.read_bytes()).items()}


@pytest.mark.parametrize("held", [1_000, 1])
def test_near_copy_excerpt_and_stranger(tmp_path, make_pipeline, monkeypatch, held):
    monkeypatch.setattr(verify, "_DECIDED_ROWS", held)
    monkeypatch.setattr(verify, "_DECIDED_BATCHES", held)
    rows = [
        staged(id="a", source="x", published=NOON, text=STORY),
        staged(id="b", source="y", published=NOON + timedelta(hours=1), text=EDITED),
        staged(id="c", source="z", published=NOON - timedelta(hours=1), text=EXCERPT, words=80),
        staged(id="d", source="z", published=NOON, text=" ".join(f"else{number}" for number in range(200))),
        staged(id="e", source="w", published=None, text=STORY),
    ]
    found = decisions_of(tmp_path, make_pipeline, rows)
    assert {shard: (decision["canonical_id"], decision["relation"]) for shard, decision in found.items()} == {
        0: ("a", None),
        1: ("a", "near"),
        2: ("a", "excerpt"),
        4: ("a", "exact"),
    }
    assert found[1]["jaccard"] == pytest.approx(191 / 201)
    assert found[2]["containment"] == 1.0
    told = {copy["id"]: (copy["published"], copy["jaccard"]) for copy in found[0]["copies"]}
    assert told == {
        "b": (NOON + timedelta(hours=1), pytest.approx(191 / 201)),
        "c": (NOON - timedelta(hours=1), pytest.approx(76 / 196)),
        "e": (None, 1.0),
    }
    assert {decision["cluster_size"] for decision in found.values()} == {4}


def test_versions_of_one_page_are_updates_of_the_latest(tmp_path, make_pipeline):
    rows = [
        staged(id="early", source="x", url="u", published=NOON, text=STORY),
        staged(id="late", source="x", url="u", published=NOON + timedelta(hours=6), text=EDITED),
        staged(id="copy", source="y", url="v", published=NOON + timedelta(hours=1), text=STORY),
    ]
    found = decisions_of(tmp_path, make_pipeline, rows)
    assert found[0]["canonical_id"] == "late"
    assert found[0]["relation"] == "update"
    assert found[2]["canonical_id"] == "late"


def test_renamed_articles_are_known_by_their_new_ids(tmp_path, make_pipeline):
    rows = [staged(id="a", text=STORY, published=NOON), staged(id="a", text=EDITED)]
    found = decisions_of(tmp_path, make_pipeline, rows, renames=[(1, 2)])
    assert [copy["id"] for copy in found[0]["copies"]] == ["a~2"]


def test_no_members_nothing_to_decide(tmp_path, make_pipeline):
    staging = Staging(str(tmp_path))
    with make_pipeline() as pipeline:
        renames = pipeline | "R" >> beam.Create([(0, make_batch(RENAMES, [0], [2]))])
        members = pipeline | "M" >> beam.Create([(1, make_batch(MEMBERS, [], []))])
        fetched = {"members": members, "renames": renames} | FetchMembers(staging=staging)
        assert_that(fetched | VerifyComponents(config=DedupConfig()), equal_to([]))
