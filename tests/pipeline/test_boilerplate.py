"""Learned boilerplate, end to end."""

import json

import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.explain import explain_article
from tests.pipeline.test_run import NEEDS_SHARED, SHARED, write_jsonl
from tests.reading import assert_books_balance, decoded_originals, rows, run_quietly
from tests.writing import invented_article
from transforms.config import LedgerConfig
from transforms.ledger import read_boilerplate

PROMO = "The Quay Letter gives you all of the latest from the harbour. For all of our coverage, click here."


def record(number, paragraphs, source="quay.example"):
    return {"id": f"a{number}", "source": source, "text": "\n\n".join(paragraphs)}


def with_promo(number, promo=(PROMO,), source="quay.example"):
    body = invented_article(number)
    place = 1 + number % 4
    return record(number, [*body[:place], *promo, *body[place:]], source)


@pytest.fixture
def corpus(tmp_path):
    login = record(99, [PROMO])
    return write_jsonl(
        tmp_path / "in.jsonl", [*map(with_promo, range(6)), with_promo(50, source="other.example"), login]
    )


def test_the_promo_goes_and_comes_back(tmp_path, corpus):
    out = tmp_path / "out"
    manifest = run_quietly(corpus, out)
    assert_books_balance(out)
    assert manifest["counts"]["edits_by_rule"] == {"boilerplate/learned": 6}
    assert manifest["counts"]["learned_boilerplate"] == 1
    assert rows(out, "boilerplate") == [
        {"source": "quay.example", "paragraph": PROMO, "support": 7, "diversity": 6, "sign": "phrase"}
    ]
    texts = {row["id"]: row["text"] for row in rows(out, "articles")}
    assert texts["a3"] == "\n\n".join(invented_article(3))
    assert PROMO in texts["a50"]  # another source
    assert texts["a99"] == PROMO  # nothing would be left of it
    originals = decoded_originals(out)
    assert originals == {row["id"]: row["text"] for row in map(json.loads, corpus.read_text().splitlines())}
    story = explain_article(str(out), "a3")
    assert [(edit["kind"], edit["rule"], edit["before"]) for edit in story["edits"]] == [
        ("boilerplate", "learned", f"\n\n{PROMO}")
    ]


def test_switched_off(tmp_path, corpus):
    out = tmp_path / "out"
    manifest = run_quietly(corpus, out, ledger=LedgerConfig(learn=False))
    assert_books_balance(out)
    assert manifest["counts"]["edits"] == 0
    assert rows(out, "boilerplate") == []


def test_a_run_of_one_article_profits_from_an_earlier_one(tmp_path, corpus):
    run_quietly(corpus, tmp_path / "out")
    one = write_jsonl(tmp_path / "one.jsonl", [with_promo(7)])
    known = LedgerConfig(known=read_boilerplate(str(tmp_path / "out")))
    run_quietly(one, tmp_path / "later", ledger=known)
    assert rows(tmp_path / "later", "articles")[0]["text"] == "\n\n".join(invented_article(7))
    assert rows(tmp_path / "later", "boilerplate") == rows(tmp_path / "out", "boilerplate")


def test_copies_are_found_below_their_sites_boilerplate(tmp_path):
    """A short story on two sites, each with promos longer than it: without the ledger it is no copy."""
    story = invented_article(70, 1)
    promos = [f"{invented_article(80 + site, 1)[0]} Click here to get it." for site in range(2)]
    sites = ["quay.example", "tide.example"]
    records = [
        record(f"{site}-{number}", [*invented_article(1000 * site + number), promos[site]], sites[site])
        for site in range(2)
        for number in range(6)
    ]
    records += [record(f"copy-{site}", [*story, promos[site]], sites[site]) for site in range(2)]
    inputs = write_jsonl(tmp_path / "in.jsonl", records)
    run_quietly(inputs, tmp_path / "out")
    assert [(row["id"], row["relation"]) for row in rows(tmp_path / "out", "duplicates")] == [("acopy-1", "exact")]
    run_quietly(inputs, tmp_path / "off", ledger=LedgerConfig(learn=False))
    assert rows(tmp_path / "off", "duplicates") == []


@NEEDS_SHARED
def test_the_seed_among_articles_of_its_site(tmp_path):
    """The promo of the seed article, which has no source, goes when other articles of no source have it too."""
    (seed,) = (SHARED / "seed").glob("*.txt")
    paragraphs = seed.read_text("utf-8").split("\n\n")
    place = next(n for n, paragraph in enumerate(paragraphs) if "Live Briefing gives you" in paragraph)
    heading, promo = paragraphs[place - 1 : place + 1]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "seed.txt").write_bytes(seed.read_bytes())
    for number in range(6):
        own = with_promo(number, (heading, promo))
        (folder / f"{number}.txt").write_text(own["text"], "utf-8")
    run_quietly(folder, tmp_path / "out")
    assert {row["paragraph"] for row in rows(tmp_path / "out", "boilerplate")} == {heading, promo}
    texts = [row["text"] for row in rows(tmp_path / "out", "articles")]
    assert len(texts) == 7
    assert not any(promo in text or heading in text for text in texts)
    (cleaned,) = (text for text in texts if text.startswith(paragraphs[0]))
    assert cleaned.endswith("With reporting by AP and Reuters")


def test_wrong_use_of_the_options(tmp_path, corpus):
    command = ["run", str(corpus), "--output", str(tmp_path / "out"), "--quiet"]
    for options, message in (
        (["--boilerplate", str(tmp_path / "gone")], "gone"),
        (["--boilerplate", str(tmp_path)], "holds no boilerplate"),
        (["--boilerplate", str(tmp_path), "--no-boilerplate"], "exclude each other"),
        (["--boilerplate-support", "1"], "--boilerplate-support [1] must lie between"),
    ):
        result = CliRunner().invoke(cli, [*command, *options])
        assert (result.exit_code, message in result.output) == (2, True), result.output
