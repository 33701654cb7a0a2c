"""The corpora of the benchmarks and their truth; nothing is timed here."""

import itertools
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.corpus import (
    KINDS,
    TRUTH,
    Perturbation,
    enlarged,
    enlarged_truth,
    make_synthetic,
    read_articles,
    score,
    write_parts,
)
from benchmarks.measure import Measured
from benchmarks.run import OURS, Run, render, summarise
from transforms.text.similarity import compare_texts

ARTICLES = 2_500


def tables(kind, articles, seed=7):
    batches = list(KINDS[kind](articles, seed))
    return tuple(pa.Table.from_batches(part) for part in zip(*batches, strict=True))


@pytest.fixture(scope="module")
def stories():
    return tables("stories", ARTICLES)


@pytest.fixture(scope="module")
def pairs(stories):
    """``(kind, text of the first, text of the copy)`` of every copy and follow-up."""
    articles, truth = stories
    texts = dict(zip(articles["id"].to_pylist(), articles["text"].to_pylist(), strict=True))
    return [
        (row["kind"], texts[row["story"]], texts[row["id"]]) for row in truth.to_pylist() if row["story"] != row["id"]
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_articles(kind):
    assert tables(kind, 300) == tables(kind, 300)
    assert tables(kind, 300)[0] != tables(kind, 300, seed=8)[0]


def test_more_articles_begin_with_the_same_ones(stories):
    # Whole chunks: how many copies come into one depends on its size.
    assert tables("stories", 500)[0] == stories[0].slice(0, 500)


def test_asked_and_made(stories):
    articles, truth = stories
    assert articles.num_rows == truth.num_rows == ARTICLES
    assert articles["id"].to_pylist() == truth["id"].to_pylist()
    assert len(set(articles["id"].to_pylist())) == ARTICLES
    copies = pc.sum(pc.not_equal(truth["id"], truth["story"])).as_py()
    assert 0.04 < copies / ARTICLES < 0.2
    characters = pc.utf8_length(articles["text"])
    assert 3_500 < pc.approximate_median(characters).as_py() < 7_000


def test_a_copy_comes_after_its_story_from_another_source(stories):
    articles, truth = stories
    sources = dict(zip(articles["id"].to_pylist(), articles["source"].to_pylist(), strict=True))
    for row in truth.to_pylist():
        assert row["story"] <= row["id"]
        assert row["story"] == row["id"] or sources[row["story"]] != sources[row["id"]]


def test_truth_of_copies(pairs):
    for kind, first, copy in pairs:
        similar = compare_texts(first, copy, 5)
        match kind:
            case "exact":
                assert copy == first
            case "furniture":
                assert copy != first
                assert similar.jaccard > 0.6
            case "near":
                assert 0.7 <= similar.jaccard < 1
            case "excerpt":
                assert similar.jaccard < 0.7
                assert similar.containment > 0.85  # page furniture is the rest
    assert {kind for kind, _, _ in pairs} == {"exact", "furniture", "near", "excerpt"}


def test_follow_ups_are_no_copies(stories):
    articles, truth = stories
    follow_ups = [row["id"] for row in truth.to_pylist() if row["kind"] == "follow-up"]
    assert follow_ups
    texts = dict(zip(articles["id"].to_pylist(), articles["text"].to_pylist(), strict=True))
    for follow_up in follow_ups[:3]:
        others = [compare_texts(texts[other], texts[follow_up], 5) for other in texts if other < follow_up]
        assert max(similar.jaccard for similar in others) < 0.5
        assert 0.1 < max(similar.containment for similar in others) < 0.5


def test_one_story():
    articles, truth = tables("one-story", 300)
    assert set(truth["story"].to_pylist()) == {"a00000000"}
    texts = articles["text"].to_pylist()
    assert all(compare_texts(texts[0], text, 5).jaccard > 0.9 for text in texts)
    assert len(set(texts)) > 290


def test_boilerplate_is_shared_and_makes_no_copies():
    articles, truth = tables("boilerplate", 300)
    assert truth["story"].to_pylist() == truth["id"].to_pylist()
    texts = articles["text"].to_pylist()
    assert len({text.split("\n\n")[-1] for text in texts}) == 1
    for left, right in itertools.pairwise(texts):
        similar = compare_texts(left, right, 5)
        assert 0 < similar.jaccard < 0.6
        assert similar.containment < 0.8


def test_look_alikes_are_apart():
    articles, truth = tables("look-alikes", ARTICLES)
    assert articles.num_rows == len(set(articles["id"].to_pylist())) == ARTICLES
    texts = dict(zip(articles["id"].to_pylist(), articles["text"].to_pylist(), strict=True))
    by_kind = {kind: [] for kind in truth["kind"].unique().to_pylist()}
    for row in truth.to_pylist():
        by_kind[row["kind"]].append(row)
    grants = [texts[row["id"]] for row in by_kind["template"] if texts[row["id"]].startswith("Senator")]
    alike = [compare_texts(left, right, 5).jaccard for left, right in itertools.combinations(grants[:20], 2)]
    assert 0.6 < min(alike) <= max(alike) < 0.95
    for row in by_kind["embedding"] + by_kind["template"]:
        assert row["story"] == row["id"]
    longer = texts[by_kind["embedding"][0]["id"]]
    whole = [text for text in texts.values() if text in longer and text != longer]
    assert len(whole) == 1


def test_written_and_enlarged(tmp_path):
    corpus = make_synthetic(tmp_path / "made", 700, rows_a_file=300)
    files = sorted(corpus.folder.iterdir())
    assert [pq.ParquetFile(file).metadata.num_rows for file in files] == [300, 300, 100]
    expected = tables("stories", 700)[0]
    assert pq.read_table(corpus.folder) == expected
    assert corpus.articles == 700
    assert corpus.text_bytes == sum(len(text.encode()) for text in expected["text"].to_pylist())
    assert pq.read_table(corpus.truth).schema == TRUTH
    assert write_parts(read_articles(files, 450), tmp_path / "first", 200)[0] == 450
    larger = pa.Table.from_batches(enlarged(files, 50, 4))
    assert larger.num_rows == len(set(larger["id"].to_pylist())) == 200
    assert larger.slice(0, 50) == expected.slice(0, 50)
    truth = enlarged_truth(pq.read_table(corpus.truth).slice(0, 50), 4)
    assert truth["id"].to_pylist() == larger["id"].to_pylist()


def test_no_column_no_benchmark(tmp_path):
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "news.parquet")
    with pytest.raises(ValueError, match=r"\[news.parquet\] has no column \[text\]"):
        next(read_articles([tmp_path / "news.parquet"], 10))


def test_a_perturbed_article_is_another_story_and_its_copies_stay_copies(stories, pairs):
    texts = stories[0]["text"].to_pylist()
    perturb = Perturbation(texts)
    for text in texts[:30]:
        one, two = perturb(text, 1), perturb(text, 2)
        assert perturb(text, 1) == one
        assert text.count("\n") == one.count("\n")
        for left, right in ((text, one), (text, two), (one, two)):
            assert compare_texts(left, right, 5).jaccard < 0.2
    for kind, first, copy in pairs[:30]:
        if kind == "exact":
            assert perturb(first, 1) == perturb(copy, 1)
        if kind == "near":
            assert compare_texts(perturb(first, 1), perturb(copy, 1), 5).jaccard > 0.7


def test_furniture_survives_perturbation():
    line = "The ferry from the northern harbour was late again on the morning of the seventh of May, its owner said."
    text = f"{line}\n\nSource link\n\nLeave a Reply"
    perturb = Perturbation(
        [f"word{n}" for n in "abcdefgh"] + [text.lower(), *(f"w{chr(n)}" for n in range(97, 120))] * 9
    )
    assert perturb(text, 1).endswith("\n\nSource link\n\nLeave a Reply")


def test_score_counts_stories():
    truth = pa.table(
        {
            "id": ["a", "b", "c", "d", "e", "f"],
            "story": ["a", "a", "a", "d", "d", "f"],
            "kind": ["story", "near", "near", "story", "excerpt", "follow-up"],
        }
    )
    assert score(truth, "adf") == (1.0, 1.0, {"near": 1.0, "excerpt": 1.0})
    assert score(truth, "cdf") == (1.0, 1.0, {"near": 1.0, "excerpt": 1.0})
    assert score(truth, "abdef") == (1 / 3, 1.0, {"near": 0.5, "excerpt": 0.0})
    assert score(truth, "de") == (2 / 3, 0.5, {"near": 1.0, "excerpt": 0.0})


def test_ratio_is_of_runs_that_alternate():
    def run(tool, seconds, repeat):
        return Run(
            tool, 100, 1_000_000, Measured(seconds, 1.0, 2_000_000, 1_500_000, 1_000_000, 0), 500, 90, None, repeat
        )

    runs = [
        run(OURS, 1, 0),
        run("peer", 10, 0),
        run(OURS, 2, 1),
        run("peer", 22, 1),
        run(OURS, 1, 2),
        run("peer", 9, 2),
    ]
    ours, peer = summarise(runs)
    assert (ours["seconds"], peer["seconds"], peer["ours_is_faster_by"]) == (1, 10, 10)
    options = {"articles": ["news.parquet"], "seed": None, "workers": 2, "repeats": 3, "budget_seconds": 600}
    machine = {"cpu": "cpu", "cores": 2, "python": "3.11.7"}
    section = {"size": "200", "articles": 200, "text_bytes": 2_000_000, "tools": [ours, peer]}
    result = {"machine": machine, "options": options, "notes": {}, "sizes": [section]}
    assert "| peer | 100 of 200 | 10.0 | 10 | 0.1 | 10.0 × |" in render(json.loads(json.dumps(result)))
