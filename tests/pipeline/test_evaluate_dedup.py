import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import cli
from pipeline.evaluate_dedup import (
    Labels,
    compare_clusters,
    evaluate_dedup,
    predictions_of_articles,
    predictions_of_run,
    read_labels,
)
from pipeline.show_eval import show_dedup_score
from tests.reading import run_quietly
from transforms.errors import UsageError

STORY = """The reading room of the harbour library reopened on Friday with forty new desks and longer hours.

Work had begun in autumn, when rain came through the roof over the newspaper shelves. The bound volumes were dried in
a cold store that a fish merchant lent for the purpose, and all but two of them were saved, the librarian Ida Brun said.

The town paid half of the sum; readers gave the rest in a collection that lasted from November until the spring."""

OTHER = """Snow closed the pass between the two valleys on Tuesday for the third time since the turn of the year.

Lorries waited at the customs house until the evening. The road master said that the ploughs would go out again as
soon as the wind fell, and asked drivers to take the long way round by the lake until then."""

ROWS = [
    {"id": "wire", "text": STORY, "title": "Library reopens", "source": "Wire", "date": "2024-03-01"},
    {
        "id": "copy",
        "text": STORY + "\n\nMore at the weekend.",
        "title": "Books",
        "source": "Post",
        "date": "2024-03-01",
    },
    {"id": "snow", "text": OTHER, "title": "Pass closed", "source": "Wire", "date": "2024-03-02"},
]
PAIRS = [
    {"id_a": "wire", "id_b": "copy", "jaccard": 0.95, "label": "same-story-copy", "merge": "yes"},
    {"id_a": "snow", "id_b": "wire", "jaccard": 0.01, "label": "other", "merge": "no"},
    {"id_a": "snow", "id_b": "gone", "jaccard": 0.8, "label": "updated-version", "merge": "version"},
]


def write_jsonl(path: Path, rows: list[dict]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


@pytest.fixture
def judged(tmp_path):
    return write_jsonl(tmp_path / "judged.jsonl", PAIRS)


def write_articles(tmp_path: Path) -> str:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "articles.parquet")
    return str(tmp_path / "articles.parquet")


def test_pairs_are_decided_from_the_articles(tmp_path, judged):
    labels = read_labels(judged, 0.7, 0.8)
    score = evaluate_dedup(labels, predictions_of_articles(write_articles(tmp_path), labels))
    assert (*score.score(), score.unknown) == (1, 0, 0, 1)
    assert [(found.pair.label, found.relation) for found in score.found] == [
        ("same-story-copy", "near"),
        ("other", "different"),
    ]
    assert score.clusters is None


def test_pairs_are_held_against_a_run(tmp_path, judged):
    run_quietly(write_jsonl(tmp_path / "in.jsonl", ROWS), tmp_path / "out")
    labels = read_labels(judged, 0.7, 0.8)
    score = evaluate_dedup(labels, predictions_of_run(str(tmp_path / "out")))
    assert (*score.score(), score.unknown) == (1, 0, 0, 1)
    assert score.clusters.articles == 3
    assert score.clusters.adjusted_rand == 1.0


def predicting(relations: dict[tuple[str, str], str]):
    from pipeline.evaluate_dedup import Predictions

    return Predictions(lambda pair: (relations[pair.id_a, pair.id_b], None), None, lambda _: None)


@pytest.mark.parametrize(
    ("merge", "relation", "counts"),
    [
        ("yes", "near", (1, 0, 0)),
        ("yes", "sibling", (1, 0, 0)),
        ("yes", "different", (0, 1, 0)),
        ("version", "update", (1, 0, 0)),
        ("no", "different", (0, 0, 0)),
        ("no", "exact", (0, 0, 1)),
        ("containment", "different", (0, 0, 0)),
        ("containment", "excerpt", (0, 0, 0)),
        ("containment", "near", (0, 0, 1)),
    ],
)
def test_what_counts(tmp_path, merge, relation, counts):
    path = write_jsonl(tmp_path / "pairs.jsonl", [{"id_a": "a", "id_b": "b", "merge": merge}])
    assert tuple(evaluate_dedup(read_labels(path, 0.7, 0.8), predicting({("a", "b"): relation})).score()) == counts


def test_truth_pairs_below_both_thresholds_are_left_out(tmp_path):
    rows = [
        {"id_a": "a", "id_b": "b", "jaccard": 0.7, "containment": 0.8, "n_a": 90, "n_b": 90},
        {"id_a": "a", "id_b": "c", "jaccard": 0.2, "containment": 0.9, "n_a": 90, "n_b": 400},
        {"id_a": "a", "id_b": "d", "jaccard": 0.2, "containment": 0.9, "n_a": 90, "n_b": 20},
        {"id_a": "a", "id_b": "e", "jaccard": 0.69, "containment": 0.79, "n_a": 90, "n_b": 90},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pairs.parquet")
    labels = read_labels(str(tmp_path / "pairs.parquet"), 0.7, 0.8)
    assert [(pair.id_b, pair.label) for pair in labels.pairs] == [("b", "near"), ("c", "excerpt")]
    assert labels.clusters["a"] == labels.clusters["b"] == labels.clusters["c"]


def test_clusters_are_read(tmp_path):
    rows = [{"id": name, "cluster": cluster} for name, cluster in (("a", 1), ("b", 1), ("c", 1), ("d", 2))]
    labels = read_labels(write_jsonl(tmp_path / "clusters.jsonl", rows), 0.7, 0.8)
    assert {(pair.id_a, pair.id_b) for pair in labels.pairs} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert labels.clusters == {"a": 1, "b": 1, "c": 1, "d": 2}


def test_a_string_may_hold_what_parts_lines_elsewhere(tmp_path):
    (tmp_path / "clusters.jsonl").write_text(
        '{"id": "a\u2028b", "cluster": 1}\r\n\n{"id": "c", "cluster": 1}\n', "utf-8"
    )
    assert read_labels(str(tmp_path / "clusters.jsonl"), 0.7, 0.8).clusters == {"a\u2028b": 1, "c": 1}


def test_a_false_merge_of_clusters_counts(tmp_path):
    known = [
        {"id": name, "story": story, "kind": kind}
        for name, story, kind in (("wire", "wire", "story"), ("copy", "else", "template"), ("snow", "wire", "near"))
    ]
    run_quietly(write_jsonl(tmp_path / "in.jsonl", ROWS), tmp_path / "out")
    labels = read_labels(write_jsonl(tmp_path / "truth.jsonl", known), 0.7, 0.8)
    score = evaluate_dedup(labels, predictions_of_run(str(tmp_path / "out")))
    assert score.score() == (0, 1, 1)
    assert {(found.pair.label, found.is_miss, found.is_false_merge) for found in score.found} == {
        ("near", True, False),
        ("template", False, True),
    }


def test_copies_of_an_earlier_run_are_siblings_and_no_copies_of_an_id_of_this_run(tmp_path):
    first = [ROWS[0] | {"id": "1"}]
    again = [ROWS[1] | {"id": "2"}, ROWS[0] | {"id": "3", "text": "Late: " + STORY, "source": "Gazette"}]
    other = ROWS[2] | {"id": "1"}  # an id that the first run has as well
    index = str(tmp_path / "index")
    run_quietly(write_jsonl(tmp_path / "a.jsonl", first), tmp_path / "a", index=index, index_run="a")
    run_quietly(write_jsonl(tmp_path / "b.jsonl", [*again, other]), tmp_path / "b", index=index, index_run="b")
    pairs = [{"id_a": a, "id_b": b, "merge": merge} for a, b, merge in (("2", "3", "yes"), ("1", "2", "no"))]
    labels = read_labels(write_jsonl(tmp_path / "pairs.jsonl", pairs), 0.7, 0.8)
    score = evaluate_dedup(labels, predictions_of_run(str(tmp_path / "b")))
    assert [found.relation for found in score.found] == ["sibling", "different"]


def test_worst_are_misses_and_false_merges_in_turn(tmp_path):
    rows = [
        {"id_a": str(number), "id_b": "x", "merge": merge, "jaccard": jaccard}
        for number, (merge, jaccard) in enumerate([("yes", 0.4), ("yes", 0.9), ("no", 0.8), ("no", 0.5)])
    ]
    labels = read_labels(write_jsonl(tmp_path / "pairs.jsonl", rows), 0.7, 0.8)
    wrong = predicting({(str(number), "x"): "different" if number < 2 else "near" for number in range(4)})
    score = evaluate_dedup(labels, wrong)
    assert [found.pair.id_a for found in score.worst(3)] == ["1", "3", "0"]
    assert len(score.worst(9)) == 4


def test_output_for_people_and_for_programs(tmp_path, judged, capsys):
    labels = read_labels(judged, 0.7, 0.8)
    long = "The harbour library, its reading room, and the books that were dried in a cold store " * 3
    rows = [{**row, "text": OTHER, "title": long} if row["id"] == "copy" else row for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "articles.parquet")
    predictions = predictions_of_articles(str(tmp_path / "articles.parquet"), labels)
    score = evaluate_dedup(labels, predictions)
    show_dedup_score(score, predictions, worst=2, as_json=False)
    shown = capsys.readouterr().out
    assert "missed: same-story-copy" in shown
    assert any("Library reopens" in line and long.strip() in line for line in shown.splitlines())  # not wrapped
    assert "what one headline says, the other article does not -" in shown
    show_dedup_score(score, predictions, worst=2, as_json=True)
    values = json.loads(capsys.readouterr().out)
    assert (values["missed"], values["unknown"], values["recall"]) == (1, 1, 0.0)
    assert values["relations"] == {"other": {"different": 1}, "same-story-copy": {"different": 1}}
    assert [pair["id_b"] for pair in values["worst"]] == ["copy"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "no JSON Lines"),
        ('{"id": 1}', "has the columns"),
        ('{"id_a": 1, "id_b": 2, "merge": "maybe"}', "maybe"),
        ("", "has the columns"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "labels.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(UsageError, match=message):
        read_labels(str(path), 0.7, 0.8)


def test_without_a_run_or_articles_nothing_is_scored(tmp_path):
    with pytest.raises(UsageError, match="no finished run"):
        predictions_of_run(str(tmp_path))
    pq.write_table(pa.table({"id": ["a"], "body": ["b"]}), tmp_path / "odd.parquet")
    with pytest.raises(UsageError, match="no columns id and text"):
        predictions_of_articles(str(tmp_path / "odd.parquet"), Labels([], {}))
    (tmp_path / "odd.parquet").write_text("plain", "utf-8")
    with pytest.raises(UsageError, match="no Parquet file"):
        predictions_of_articles(str(tmp_path / "odd.parquet"), Labels([], {}))


def test_the_command(tmp_path, judged):
    invoke = CliRunner().invoke
    scored = invoke(cli, ["eval", "dedup", judged, "--articles", write_articles(tmp_path), "--json"])
    assert scored.exit_code == 0
    assert json.loads(scored.output)["f1"] == 1.0
    assert invoke(cli, ["eval", "dedup", judged]).exit_code == 2
    assert invoke(cli, ["eval", "dedup", judged, "--run", str(tmp_path)]).exit_code == 2


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30))
def test_cluster_measures(items):
    truth, predicted = [item[0] for item in items], [item[1] for item in items]
    score, turned = compare_clusters(truth, predicted), compare_clusters(predicted, truth)
    assert score.adjusted_rand == pytest.approx(turned.adjusted_rand)
    assert (score.bcubed_precision, score.bcubed_recall) == pytest.approx(
        (turned.bcubed_recall, turned.bcubed_precision)
    )
    assert compare_clusters(truth, truth)[1:] == (1.0, 1.0, 1.0)
    # By the definition: for each article, the part of its predicted cluster that belongs to its true one.
    each = [
        sum(a == c and b == d for c, d in items) / sum(b == d for c, d in items)
        for a, b in items
    ]  # fmt: skip
    assert score.bcubed_precision == pytest.approx(sum(each) / len(each) if each else 1.0)
    assert score.adjusted_rand <= 1.0 + 1e-9
