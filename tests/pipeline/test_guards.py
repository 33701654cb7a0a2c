"""What keeps a run from folding too much: large clusters, texts of no variety, sources that lose all they have."""

import json

import pytest

from pipeline.explain import explain_article
from tests.reading import assert_books_balance, rows, run_quietly
from transforms.config import DedupConfig
from transforms.errors import RunFailedError

STORY = " ".join(f"In week {n} of the strike the harbour of Port {n * 7} counted {n + 3} boats." for n in range(20))


def write(path, texts, source="s{}.example", title="Story {}"):
    records = [
        {"id": f"a{n}", "text": text, "title": title.format(n), "source": source.format(n)}
        for n, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def test_a_cluster_that_is_too_large_is_kept_unfolded_and_named(tmp_path):
    path = write(tmp_path / "in.jsonl", [STORY] * 5 + [STORY[::-1]] * 2, title="Harbour")
    manifest = run_quietly(path, tmp_path / "out", dedup=DedupConfig(max_cluster=4))
    assert manifest["counts"]["kept"] == 6
    assert manifest["held_back"] == [{"id": "a0", "why": "5 articles, over --max-cluster"}]
    assert {row["cluster_size"] for row in rows(tmp_path / "out", "articles")} == {1, 2}
    assert explain_article(str(tmp_path / "out"), "a0")["held_back"] == "5 articles, over --max-cluster"
    assert explain_article(str(tmp_path / "out"), "a5")["held_back"] is None
    assert_books_balance(tmp_path / "out")


def test_a_shared_text_of_little_variety_is_held_back(tmp_path):
    path = write(tmp_path / "in.jsonl", ["Loading video player, please wait. " * 3] * 20, title="Video")
    manifest = run_quietly(path, tmp_path / "out")
    assert manifest["counts"]["kept"] == 20
    assert manifest["held_back"] == [{"id": "a0", "why": "20 articles that share 5 different words"}]


def test_a_source_that_would_lose_nearly_all_fails_the_run_by_name(tmp_path):
    path = write(tmp_path / "in.jsonl", [STORY] * 120, source="mirror.example", title="Harbour")
    with pytest.raises(RunFailedError, match=r"\[mirror.example\] would lose \[119\] of its \[120\] articles"):
        run_quietly(path, tmp_path / "out")
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert run_quietly(path, tmp_path / "more", max_source_loss=1.0)["counts"]["duplicates"] == 119


def test_a_source_with_few_articles_may_lose_them_all(tmp_path):
    path = write(tmp_path / "in.jsonl", [STORY] * 30, source="mirror.example", title="Harbour")
    assert run_quietly(path, tmp_path / "out")["counts"]["duplicates"] == 29


def test_by_threshold_templates_fold_and_the_signs_keep_them_apart(tmp_path):
    towns = [("Aldwick", "boat"), ("Brenford", "ladder"), ("Corley", "radio")]
    template = "\n\n".join(
        [
            "Senator Ada Corwin said today that the {0} Fire Department will receive {1} crowns from the programme.",
            "The department in {0} will buy a {2} with it, and the old {2} goes to a museum. " + STORY,
        ]
    )
    texts = [template.format(town, 48_000 + 17 * n, item) for n, (town, item) in enumerate(towns)]
    path = write(tmp_path / "in.jsonl", texts, source="senate.example", title="A grant")
    plain = run_quietly(path, tmp_path / "plain", dedup=DedupConfig(decide="threshold"))
    assert plain["counts"]["duplicates_by_relation"] == {"update": 2}
    assert all(row["signs"] is None for row in rows(tmp_path / "plain", "duplicates"))
    assert run_quietly(path, tmp_path / "signs")["counts"]["duplicates"] == 0
