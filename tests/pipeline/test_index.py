"""The index across runs: nights that see each other, commit, and the commands that look after it."""

import json
import random
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

import pipeline.commit
from pipeline.cli import cli
from pipeline.commit import MIN_SOURCE_ARTICLES
from pipeline.indexed import default_name, read_runs
from pipeline.options import Config, parse_window
from tests.pipeline.test_boilerplate import PROMO, with_promo
from tests.pipeline.test_run import write_jsonl
from tests.reading import assert_books_balance, rows, run_quietly
from transforms.config import DedupConfig
from transforms.errors import UsageError
from transforms.index import FIRST_SHARD, Index, IndexPart, Window, date_of_run


def story(seed, sentences=40):
    chance = random.Random(seed)
    places = ["the Wend", "Aldwick", "Brenford", "Port Ulm"]
    return "\n\n".join(
        f"On day {number} of story {seed} some {chance.randrange(9_999)} people came to {chance.choice(places)} to see "
        f"the {chance.randrange(9_999)} lamps."
        for number in range(sentences)
    )


def rewritten(seed):
    """The story with other words in the middle, as a later version has."""
    paragraphs = story(seed).split("\n\n")
    paragraphs[10] = (
        "A spokesman later corrected what had been told before and asked all who were there to come forward with "
        "whatever they remember."
    )
    paragraphs[20] = "Nobody was hurt when one fell over, as everybody had feared during that windy night."
    paragraphs[30] = (
        "The council has asked the electricians for a report, which is due in June, and wants to put up no more of "
        "them before it has read that."
    )
    return "\n\n".join(paragraphs)


NIGHTS = {
    "monday": [
        {"id": f"a{n}", "source": "one", "published": "2024-05-03" if n == 5 else "2024-05-06", "text": story(n)}
        for n in range(9)
    ],
    "tuesday": [
        {"id": "near", "source": "two", "published": "2024-05-07", "text": story(1) + "\n\nOne more line."},
        {"id": "a2", "source": "one", "published": "2024-05-07", "text": story(2)},
        {"id": "excerpt", "source": "two", "published": "2024-05-07", "text": story(3, 20)},
        {"id": "longer", "source": "two", "published": "2024-05-07", "text": story(4) + "\n\n" + story(40, 30)},
        {"id": "of-longer", "source": "three", "published": "2024-05-07", "text": story(40, 30)},
        {"id": "version", "source": "one", "published": "2024-05-07", "text": rewritten(5)},
        {"id": "a6", "source": "two", "published": "2024-05-07", "text": story(60)},
    ],
    "wednesday": [
        {"id": "again", "source": "four", "published": None, "text": story(40, 30)},
        {"id": "late", "source": "four", "published": "2024-05-08", "text": story(60)},
        {"id": "new", "source": "four", "published": "2024-05-08", "text": story(70)},
    ],
}


def run_night(folder, night, **options):
    source = folder / f"{night}.jsonl"
    if not source.exists():  # its time is part of what tells runs apart
        write_jsonl(source, NIGHTS[night])
    return run_quietly(source, folder / night, index=str(folder / "index"), index_run=night, **options)


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    for night in NIGHTS:
        run_night(folder, night)
    return folder


@pytest.fixture
def nights(three_nights, tmp_path):
    """A copy that a test may change; paths in it lead to the copy only if the test gives them."""
    shutil.copytree(three_nights, tmp_path / "nights")
    return tmp_path / "nights"


def folded(output):
    names = ("canonical_id", "canonical_run", "cluster_id", "cluster_run", "relation")
    return {row["id"]: tuple(row[name] for name in names) for row in rows(output, "duplicates")}


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_copies_of_earlier_articles_are_folded_into_those(three_nights):
    assert_books_balance(three_nights / "tuesday")
    assert folded(three_nights / "tuesday") == {
        "near": ("a1", "monday", "a1", "monday", "near"),
        "a2": ("a2", "monday", "a2", "monday", "exact"),
        "excerpt": ("a3", "monday", "a3", "monday", "excerpt"),
        # Not in Monday's article, but in the longer one that holds it.
        "of-longer": ("longer", None, "a4", "monday", "excerpt"),
    }


def test_what_says_more_is_kept_in_the_cluster_of_the_earlier_article(three_nights):
    kept = {row["id"]: (row["cluster_id"], row["cluster_run"]) for row in rows(three_nights / "tuesday", "articles")}
    # Another article of an id that the index has stays what it is.
    assert kept == {"longer": ("a4", "monday"), "version": ("a5", "monday"), "a6": ("a6", None)}


def test_a_cluster_goes_on_over_many_runs(three_nights):
    assert folded(three_nights / "wednesday") == {
        "again": ("longer", "tuesday", "a4", "monday", "excerpt"),
        "late": ("a6", "tuesday", "a6", "tuesday", "exact"),
    }


SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


@pytest.mark.parametrize("decide", ["signs", "threshold"])
def test_a_corpus_that_is_run_twice_keeps_nothing_in_the_second_run(tmp_path, decide):
    """In whatever order: neither earlier versions, nor versions of other sources, nor what is older than the window."""
    night = [
        *(article for articles in NIGHTS.values() for article in articles),
        {"id": "old", "source": "one", "published": "2019-01-01", "text": story(80)},
        {"id": "before", "source": "one", "published": "2024-05-02", "text": story(81), "url": "http://one.test/81"},
        {"id": "after", "source": "one", "published": "2024-05-04", "text": rewritten(81), "url": "http://one.test/81"},
        {"id": "elsewhere", "source": "six", "published": "2024-05-05", "text": story(81)},
        # Enough of one source for --max-source-loss, of which nothing is lost.
        *(
            {"id": f"big-{n}", "source": "big", "published": "2024-05-06", "text": story(100 + n, 10)}
            for n in range(MIN_SOURCE_ARTICLES)
        ),
    ]
    random.Random(1).shuffle(night)
    for run, articles in (("one", night), ("two", night), ("three", night[::-1])):
        source = write_jsonl(tmp_path / f"{run}.jsonl", articles)
        run_quietly(
            [SAMPLE_DATA, source],
            tmp_path / run,
            index=str(tmp_path / "index"),
            index_run=run,
            dedup=DedupConfig(decide=decide),
        )
        assert_books_balance(tmp_path / run)
    kept = {row["id"] for row in rows(tmp_path / "one", "articles")}
    assert {"old", "after", "hg-2004", *(f"big-{n}" for n in range(MIN_SOURCE_ARTICLES))} <= kept
    assert not {"before", "elsewhere", "hg-2003"} & kept
    assert not rows(tmp_path / "two", "articles")
    assert not rows(tmp_path / "three", "articles")
    assert {row["canonical_run"] for row in rows(tmp_path / "three", "duplicates")} == {"one"}
    assert folded(tmp_path / "three") == folded(tmp_path / "two")
    assert [run.articles for run in read_runs(str(tmp_path / "index"))] == [len(kept), 0, 0]


def test_a_night_that_is_run_again_changes_nothing(three_nights):
    """Monday's and Tuesday's index is what Tuesday sees, though Wednesday's is there by now."""
    before = content(three_nights / "index"), content(three_nights / "tuesday" / "duplicates")
    articles = content(three_nights / "tuesday" / "articles")
    run_night(three_nights, "tuesday", overwrite=True)
    assert (content(three_nights / "index"), content(three_nights / "tuesday" / "duplicates")) == before
    assert content(three_nights / "tuesday" / "articles") == articles


def test_with_keep_all_copies_stay_out_of_the_index(three_nights, tmp_path):
    shutil.copytree(three_nights / "index", tmp_path / "index")
    run_night(tmp_path, "tuesday", keep="all")
    by_id = {row["id"]: row for row in rows(tmp_path / "tuesday", "articles")}
    assert len(by_id) == len(NIGHTS["tuesday"])
    assert (by_id["a2"]["canonical_id"], by_id["a2"]["canonical_run"]) == ("a2", "monday")
    assert [run.articles for run in read_runs(str(tmp_path / "index"))] == [9, 3, 1]


@pytest.mark.parametrize("step", ["commit_part", "SUCCESS"])
def test_a_run_killed_while_it_commits_goes_on_to_the_same_end(three_nights, tmp_path, monkeypatch, step):
    """Before the part is in the index, and behind that, when it sees its own part there."""
    shutil.copytree(three_nights / "index", tmp_path / "index")
    command = ["index", "drop-run", str(tmp_path / "index")]
    for night in ("tuesday", "wednesday"):
        assert CliRunner().invoke(cli, [*command, night]).exit_code == 0

    def die(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        if step == "commit_part":
            patched.setattr(pipeline.commit, "commit_part", die)
        else:
            write_bytes = pipeline.commit.files.write_bytes
            patched.setattr(
                pipeline.commit.files,
                "write_bytes",
                lambda uri, data: die() if uri.endswith("_SUCCESS") else write_bytes(uri, data),
            )
        with pytest.raises(RuntimeError, match="killed"):
            run_night(tmp_path, "tuesday")
    assert not (tmp_path / "tuesday" / "_SUCCESS").exists()
    assert [run.run for run in read_runs(str(tmp_path / "index"))] == ["monday", "tuesday"][: 1 + (step == "SUCCESS")]
    run_night(tmp_path, "tuesday")
    assert_books_balance(tmp_path / "tuesday")
    assert folded(tmp_path / "tuesday") == folded(three_nights / "tuesday")
    assert [run.articles for run in read_runs(str(tmp_path / "index"))] == [9, 3]


def test_an_index_of_another_scheme_is_refused_until_it_is_rebuilt(nights):
    with pytest.raises(UsageError, match=r"run \[monday\] of another scheme: shingle 5, not shingle 6.*index rebuild"):
        run_night(nights, "wednesday", dedup=DedupConfig(shingle=6), overwrite=True)
    done = CliRunner().invoke(cli, ["index", "rebuild", str(nights / "index"), "--shingle", "6", "--json"])
    assert done.exit_code == 0, done.output
    assert [run["run"] for run in json.loads(done.stdout)] == list(NIGHTS)
    again = CliRunner().invoke(cli, ["index", "rebuild", str(nights / "index"), "--shingle", "6"])
    assert again.stdout == "nothing to be rebuilt\n"
    before = folded(nights / "wednesday")
    run_night(nights, "wednesday", dedup=DedupConfig(shingle=6), overwrite=True)
    assert folded(nights / "wednesday") == before
    assert not list((nights / "index").rglob("pieces"))
    assert len(list((nights / "index" / "parts").glob("*/*"))) == len(NIGHTS)


def test_boilerplate_that_earlier_runs_learned_is_stripped(tmp_path):
    """A promo that stands once on the second night, which alone could not know it."""
    for number, articles in enumerate(([*map(with_promo, range(6))], [with_promo(50)])):
        source = write_jsonl(tmp_path / f"{number}.jsonl", articles)
        run_quietly(source, tmp_path / f"{number}", index=str(tmp_path / "index"), index_run=f"{number}")
    assert [run.boilerplate for run in read_runs(str(tmp_path / "index"))] == [1, 1]
    (late,) = rows(tmp_path / "1", "articles")
    assert PROMO not in late["text"]


def test_ls_drop_run_and_prune(nights):
    uri = str(nights / "index")
    listed = json.loads(CliRunner().invoke(cli, ["index", "ls", uri, "--json"]).stdout)
    assert [(run["run"], run["articles"], run["dated"]) for run in listed] == [
        ("monday", 9, "2024-05-06"),
        ("tuesday", 3, "2024-05-07"),
        ("wednesday", 1, "2024-05-08"),
    ]
    assert CliRunner().invoke(cli, ["index", "ls", uri]).stdout.count("\n") == 4
    missing = CliRunner().invoke(cli, ["index", "drop-run", uri, "sunday"])
    assert missing.exit_code == 2
    assert "holds no run [sunday]; the last of its runs: monday, tuesday, wednesday" in missing.stderr
    pruned = CliRunner().invoke(cli, ["index", "prune", uri, "--older-than", "1d"])
    assert pruned.stdout == "dropped monday: 9 articles\n"
    assert [run.run for run in read_runs(uri)] == ["tuesday", "wednesday"]
    assert not (nights / "index" / "parts" / "monday").exists()
    assert CliRunner().invoke(cli, ["index", "drop-run", uri, "wednesday"]).stdout == "dropped wednesday\n"
    assert [run.run for run in read_runs(uri)] == ["tuesday"]


def test_what_is_no_index_is_refused(tmp_path):
    (tmp_path / "thesis.doc").write_text("dear reader")
    for command in (["ls"], ["prune", "--older-than", "90d"], ["rebuild"]):
        result = CliRunner().invoke(cli, ["index", command[0], str(tmp_path), *command[1:]])
        assert result.exit_code == 2
        assert "is no index: it has no folder [runs]" in result.stderr
    assert "90 days" in CliRunner().invoke(cli, ["index", "prune", str(tmp_path), "--older-than", "90 days"]).stderr
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "monday.json").write_text("{")
    result = CliRunner().invoke(cli, ["index", "ls", str(tmp_path)])
    assert result.exit_code == 2
    assert "monday.json] is no manifest of an index" in result.stderr
    assert CliRunner().invoke(cli, ["index", "drop-run", str(tmp_path), "monday"]).exit_code == 0


def test_the_same_command_is_the_same_run():
    def name(output, *inputs):
        return default_name(Config(inputs=inputs, output=output))

    assert name("out/2024-05-06", "b", "a") == name("out/2024-05-06/", "a", "b")
    assert name("out/2024-05-06", "a").startswith("2024-05-06-")
    assert name("out", "crawl/06") != name("out", "crawl/07")
    assert name("a/out", "crawl") != name("b/out", "crawl")
    assert name("s3://bucket/läufe & mehr", "x").startswith("l-ufe-mehr-")


def test_the_window_counts_from_the_date_of_the_run():
    window = Window(
        index=Index(parts=(), window_days=parse_window("--index-window", "2w"), undated=date(2024, 1, 1)),
        dated=date.min,
    )
    assert window.first == date.min
    assert date_of_run([]) is None
    part = IndexPart(run="monday", uri="index/parts/monday/x", dated=date.min, partitions=())
    index = Index(parts=(part, part), window_days=30, undated=date.min)
    assert index.run_of(FIRST_SHARD + (1 << 16) + 7) == "monday"
