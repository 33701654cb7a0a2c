"""The report: what is found in a run, and a page that holds whatever the data say without being broken by it."""

import dataclasses
import json
import re
import tomllib
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import findings
from pipeline.findings import BINS, Cut, Findings, Flow, Reason, Rule, Source, find
from pipeline.report import render
from pipeline.sources import plan
from tests.pipeline.test_cli import invoke
from tests.pipeline.test_determinism import seeded_records
from tests.pipeline.test_index import story
from tests.pipeline.test_run import ROOT, SAMPLE, write_jsonl
from tests.reading import rows, run_quietly

REMOVALS = ("boilerplate", "cruft", "promo", "repeat")
VOID = {"br", "meta"}


class Page(HTMLParser):
    """A page as a reader meets it: its tags in their order, and what is wrong with them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.links, self.ids = [], [], [], []
        self._open = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        assert len(given) == len(attrs)
        assert not any(name.startswith("on") or name == "src" for name in given)
        self.tags.append((tag, *sorted(name for name, _ in attrs if name != "href")))
        self.ids += [given["id"]] if "id" in given else []
        if tag == "a":
            self.links.append(given["href"])
        if tag == "th":
            assert given["scope"] in ("col", "row", "rowgroup")
        if tag == "caption":
            assert self._open[-1] == "table"
        if tag == "thead":  # the caption comes first, and is not empty
            assert self.text[-1].strip()
            assert [name for name, *_ in self.tags[-3:]] == ["table", "caption", "thead"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self._open[-1] != "style":
            self.text.append(data)

    @property
    def said(self):
        return " ".join(" ".join(self.text).split())


def manifest_of(**counts):
    names = ("read", "kept", "duplicates", "rejected", "renamed_ids", "unread_dates", "learned_boilerplate", "edits")
    groups = ("duplicates_by_relation", "rejected_by_reason", "edits_by_kind", "edits_by_rule")
    return {
        "run": "0123456789abcdef",
        "inputs": ["day.jsonl"],
        "ignored_files": 0,
        "configuration": {"decide": "signs", "threshold": 0.7, "containment": 0.8},
        "versions": {"cleancopy": "1.0"},
        "counts": dict.fromkeys(names, 0) | {group: {} for group in groups} | counts,
        "unread_date": None,
        "held_back": [],
        "files": [],
    }


NOTHING = Findings(
    manifest=manifest_of(),
    undated=0,
    words_removed={},
    within_source=0,
    similarity=[(0, 0)] * BINS,
    doubtful=0,
    mostly_lost=0,
    rejects=(),
    **{
        field.name: Cut((), 0)
        for field in dataclasses.fields(Findings)
        if str(field.type).startswith("pipeline.findings.Cut")
    },
)


def findings_that_say(text, url="https://a.example/1"):
    """Findings with something in every table, whose every string that comes from the data is ``text``."""
    when = datetime(2024, 3, 5, 6, 30, tzinfo=UTC)
    article = {"id": text, "title": text, "source": text, "url": url, "published": when}
    fold = article | {"canonical_id": text, "relation": "near", "jaccard": 0.5, "containment": 0.9, "margin": 0.25}
    counts = {
        **{"read": 10, "kept": 6, "duplicates": 3, "rejected": 1, "edits": 9, "unread_dates": 2, "renamed_ids": 1},
        "duplicates_by_relation": {"near": 2, "update": 1},
        "rejected_by_reason": {"unreadable_file": 1},
        "edits_by_kind": {"cruft": 5, "encoding": 4},
    }
    manifest = manifest_of(**counts) | {
        "inputs": [text] * 5,
        "unread_date": text,
        "held_back": [{"id": text, "why": text}],
    }
    return dataclasses.replace(
        NOTHING,
        manifest=manifest | {"configuration": manifest["configuration"] | {"index": text}},
        encodings=Cut([(text, 6)], 20),
        removed=Cut([Rule("cruft", text, 5, [(text, ""), ("\n\nSource link", "")])], 1),
        repaired=Cut([Rule("encoding", text, 4, [(text, text)])], 30),
        boilerplate=Cut([{"source": text, "paragraph": text, "support": 7, "diversity": 5, "sign": None}], 9),
        sources=Cut([Source(text, 9, 3), Source(None, 1, 0)], 2),
        lossy_sources=Cut([Source(text, 9, 3)], 1),
        flows=Cut([Flow(text, None, 2)], 1),
        within_source=1,
        clusters=Cut([article | {"copied": 7, "copies": [article | fold]}], 8),
        earlier=Cut([(text, 1)], 1),
        similarity=[*[(0, 0)] * 5, (3, 1), *[(0, 0)] * 4, (0, 2)],
        close=Cut(
            [
                fold | {"canonical_run": None, "kept_title": text, "kept_source": text},
                fold | {"canonical_run": text, "kept_title": None, "kept_source": None},
            ],
            12,
        ),
        doubtful=1,
        lost=Cut([article | {"lost": 90, "words": 10, "share": 0.9}], 1),
        mostly_lost=1,
        rejects=[Reason("unreadable_file", 1, text, text)],
        unreadable=Cut([{"input": text, "detail": text}], 1),
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "</style></td></table><h1>",
    "\"'><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp;amp; {{ 7 * 7 }} {% raw %}",
    "\u202etxt.exe\u2066 \x1b[2J\x00 \u200f",
    "ב" * 40_000,
    "نص طويل " * 50,
    "a\n\nb\r\nc\u2028d",
    "e\u0301" * 300,
    "",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_the_page(text):
    page = render(findings_that_say(text))
    assert Page(page).links.count("https://a.example/1") == 5
    assert not re.search(r"[\x00\x1b\u202a-\u202e\u2066-\u2069]", page)
    assert len(page) < 100_000


def tags_where(text):
    return Page(render(findings_that_say(text))).tags


@given(st.text().filter(str.strip))
def test_the_tags_do_not_depend_on_the_data(text):
    assert tags_where(text) == tags_where("x")


@given(st.text())
def test_only_the_web_is_linked(url):
    links = Page(render(findings_that_say("x", url))).links
    assert all(link.startswith(("#", "http://", "https://")) for link in links)


def test_addresses_that_a_browser_would_run_are_no_links():
    for url in ("javascript:alert(1)", " https://a.example", "https://a.example/\n", "data:text/html,x", None):
        assert all(link.startswith("#") for link in Page(render(findings_that_say("x", url))).links)


def test_a_page_of_everything_tells_it():
    page = Page(render(findings_that_say("Ferry <sinks>")))
    for said in (
        "6 articles kept of 10 records read",
        "1 cluster was held back",
        "1 file could not be read whole",
        "2 dates could not be read, e.g. Ferry <sinks>",
        "1 copy was folded by a narrow margin",
        "and 6 more copies",
        "0.5 to 0.6 3 1",
        "an article of run Ferry <sinks>",
        "cleancopy explain DIR 'Ferry <sinks>'",
        "and 29 more rules",
    ):
        assert said in page.said
    headings = [tag for tag, *_ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == "h1"
    assert set(headings[1:]) == {"h2"}
    assert {link[1:] for link in page.links if link[0] == "#"} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)


def test_a_page_of_nothing():
    page = Page(render(NOTHING))
    for said in (
        "0 articles kept of 0 records read",
        "Nothing stands out",
        "No copies were found",
        "No text was changed",
    ):
        assert said in page.said
    assert {link[1:] for link in page.links} <= set(page.ids)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A run over several shards with everything in it, its copies kept apart or among the articles."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "in").mkdir()
    records = seeded_records()
    for number, first in enumerate(range(0, len(records), 20)):
        write_jsonl(folder / "in" / f"{number}.jsonl", records[first : first + 20])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.run.plan", partial(plan, target_bytes=30_000))
        for keep in ("canonical", "all"):
            run_quietly([folder / "in", SAMPLE], folder / keep, keep=keep, max_reject_rate=1.0)
    return folder


def found_in(output):
    return find(str(output), json.loads((output / "manifest.json").read_text("utf-8")))


def test_what_is_found_is_what_the_rows_say(seeded):
    output = seeded / "canonical"
    found = found_in(output)
    assert found.manifest["shards"] > 3
    articles, duplicates, edits = (rows(output, folder) for folder in ("articles", "duplicates", "edits"))

    assert dict(found.encodings.rows) == Counter(row["encoding"] for row in articles)
    kept, folded = (Counter(row["source"] for row in those) for those in (articles, duplicates))
    for source in found.sources.rows:
        assert (source.articles - source.folded, source.folded) == (kept[source.name], folded[source.name])
    assert found.sources.total == len({*kept, *folded})
    assert found.sources.rows[0].articles == max((kept + folded).values())
    assert found.undated == sum(row["published"] is None for row in articles)

    source_of = {row["id"]: row["source"] for row in articles}
    flows = Counter((source_of[row["canonical_id"]], row["source"]) for row in duplicates)
    assert found.within_source == sum(copies for (kept, copied), copies in flows.items() if kept == copied)
    flows = {pair: copies for pair, copies in flows.items() if pair[0] != pair[1]}
    assert found.flows.total == len(flows)
    assert all(flows[flow[:2]] == flow.copies for flow in found.flows.rows)
    assert [cluster["copied"] for cluster in found.clusters.rows] == sorted(
        (len(row["copies"]) for row in articles), reverse=True
    )[: findings.CLUSTERS]
    for name, number in (("jaccard", 0), ("containment", 1)):
        tenths = Counter(int(row[name] * 10) for row in duplicates)
        assert [counts[number] for counts in found.similarity] == [tenths[tenth] for tenth in range(BINS)]

    passages = Counter()
    for row in edits:
        if row["kind"] in REMOVALS:
            passages[row["id"]] += len(re.findall(r"\w+", row["before"]))
    assert sum(found.words_removed.values()) == passages.total()
    lost = {row["id"]: (passages[row["id"]], row["words"]) for row in articles}
    worst = {name: gone for name, (gone, left) in lost.items() if gone >= 50 and gone >= 0.1 * (gone + left)}
    assert found.lost.total == len(worst)
    assert all(row["lost"] == worst[row["id"]] for row in found.lost.rows)
    shares = [row["share"] for row in found.lost.rows]
    assert shares == sorted(shares, reverse=True)
    for rule in (*found.removed.rows, *found.repaired.rows):
        of_rule = [(row["before"], row["after"]) for row in edits if (row["kind"], row["rule"]) == rule[:2]]
        assert len(of_rule) == rule.edits
        assert len(set(of_rule)) == 1 or len(set(rule.examples)) == 2
        assert {*rule.examples} <= {*of_rule}
    assert sum(reason.records for reason in found.rejects) == len(rows(output, "rejects"))
    assert [row["paragraph"] for row in found.boilerplate.rows] == [
        row["paragraph"] for row in sorted(rows(output, "boilerplate"), key=lambda row: -row["support"])
    ]


def test_the_narrowest_folds_come_first(seeded):
    found = found_in(seeded / "canonical")
    margins = [fold["margin"] for fold in found.close.rows]
    assert margins == sorted(margins)
    assert margins[0] > 0
    titles = {row["id"]: row["title"] for row in rows(seeded / "canonical", "articles")}
    assert all(fold["kept_title"] == titles[fold["canonical_id"]] for fold in found.close.rows)
    assert found.close.total == sum(row["relation"] != "exact" for row in rows(seeded / "canonical", "duplicates"))


def test_copies_among_the_articles_change_nothing(seeded):
    canonical, every = (found_in(seeded / keep) for keep in ("canonical", "all"))
    assert dataclasses.replace(every, manifest=canonical.manifest) == canonical


def test_rebuilt_it_has_the_same_bytes(seeded):
    report = seeded / "canonical" / "report.html"
    written = report.read_bytes()
    Page(written.decode())
    report.unlink()
    assert str(report) not in invoke("status", seeded / "canonical").stdout
    assert invoke("report", seeded / "canonical").stdout == f"report in {report}\n"
    assert report.read_bytes() == written
    assert str(report) in invoke("status", seeded / "canonical").stdout


def test_decided_by_threshold(tmp_path):
    from transforms.config import DedupConfig

    records = [{"id": f"s{number}", "text": story(1, 40 - 2 * number)} for number in range(3)]
    write_jsonl(tmp_path / "in.jsonl", records)
    run_quietly(tmp_path / "in.jsonl", tmp_path / "out", dedup=DedupConfig(decide="threshold", threshold=0.8))
    folds = {row["id"]: row for row in rows(tmp_path / "out", "duplicates")}
    found = found_in(tmp_path / "out")
    assert {fold["id"]: fold["margin"] for fold in found.close.rows} == {
        name: pytest.approx(max(row["jaccard"] - 0.8, row["containment"] - 0.8)) for name, row in folds.items()
    }
    assert "the nearer threshold is surpassed" in Page((tmp_path / "out" / "report.html").read_text("utf-8")).said


def test_nothing_read_and_everything_rejected(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    run_quietly(tmp_path / "empty.jsonl", tmp_path / "empty")
    assert "0 articles kept of 0 records read" in Page((tmp_path / "empty" / "report.html").read_text("utf-8")).said

    write_jsonl(tmp_path / "bad.jsonl", [{"id": "<b>"}, {"text": 7}, {"text": ""}, {"text": "Leave a Reply"}])
    run_quietly(tmp_path / "bad.jsonl", tmp_path / "bad", max_reject_rate=1.0)
    page = Page((tmp_path / "bad" / "report.html").read_text("utf-8"))
    assert "0 articles kept of 4 records read" in page.said
    assert "No articles." in page.said
    assert "missing_text 1" in page.said


def test_copies_of_earlier_runs_are_told(tmp_path):
    index = str(tmp_path / "index")
    write_jsonl(tmp_path / "1.jsonl", [{"id": "a", "source": "quay.example", "text": story(1), "date": "2024-03-01"}])
    copies = [
        {"id": "b", "source": "bay.example", "text": story(1) + "\n\nMore of it tomorrow.", "date": "2024-03-02"},
        {"id": "c", "source": "bay.example", "text": story(2), "date": "2024-03-02"},
    ]
    write_jsonl(tmp_path / "2.jsonl", copies)
    for night in ("1", "2"):
        run_quietly(tmp_path / f"{night}.jsonl", tmp_path / night, index=index, index_run=f"night-{night}", keep="all")
    found = found_in(tmp_path / "2")
    assert found.earlier == Cut([("night-1", 1)], 1)
    assert [(source.articles, source.folded) for source in found.sources.rows] == [(2, 1)]
    page = Page((tmp_path / "2" / "report.html").read_text("utf-8"))
    assert "an article of run night-1" in page.said
    assert "night-1 1" in page.said


def test_what_is_no_finished_run(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        result = invoke("report", folder)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"[{folder}] holds no finished run: there is no _SUCCESS" in result.stderr
    (tmp_path / "manifest.json").write_text("{")
    (tmp_path / "_SUCCESS").touch()
    result = invoke("report", tmp_path)
    assert result.exit_code == 2
    assert "manifest.json] is damaged" in result.stderr


def test_what_is_no_module_is_shipped_as_well():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    for package in settings["packages"]:
        folder = ROOT.joinpath(*package.split("."))
        others = {path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}
        shipped = {path.name for pattern in settings["package-data"].get(package, ()) for path in folder.glob(pattern)}
        assert others == shipped
