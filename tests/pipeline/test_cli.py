"""The command line: what it prints, how it fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipeline.cli import cli

ROOT = Path(__file__).parents[2]
STORY = "\n\n".join(
    f"In week {n} the harbour of Port {n * 7} counted {n + 3} boats, the office said." for n in range(12)
)
DIRTY = STORY + "\n\nWith reporting by AP\n\nSource link\n\nLeave a Reply"


def invoke(*arguments, **options):
    return CliRunner().invoke(cli, list(map(str, arguments)), prog_name="cleancopy", **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of two copies and one other article."""
    folder = tmp_path_factory.mktemp("run")
    records = [
        {"id": "first", "title": "Boats Counted", "text": DIRTY, "source": "a.example", "date": "2023-05-20"},
        {
            "id": "second",
            "text": STORY.replace("week 7", "that week"),
            "source": "b.example",
            "date": "2023-05-21",
        },
        {
            "id": "third",
            "text": "A story of its own that has nothing to do with boats.",
            "url": "https://c.example/3",
            "date": "03/04/2023",
        },
    ]
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    result = invoke("run", folder / "in.jsonl", "--output", folder / "out", "--workers", 1)
    assert result.exit_code == 0, result.output
    return folder, result


def test_run_says_what_it_did(finished):
    folder, result = finished
    said = " ".join(result.stdout.split())
    assert "read 3 records kept 2 articles folded 1 near 1 rejected 0" in said
    assert f"undated 1 date could not be read, e.g. [03/04/2023] in [{folder / 'in.jsonl'}]" in said
    assert f"output in {folder / 'out'}" in said


def test_explain_a_kept_article(finished):
    folder, _ = finished
    result = invoke("explain", folder / "out", "first")
    assert result.exit_code == 0
    for said in (
        "Boats Counted",
        "utf-8",
        "AP",
        "second  near  Jaccard 0.",
        "en/source-link",
        "en/comment-form",
    ):
        assert said in result.stdout


def test_explain_a_copy(finished):
    folder, _ = finished
    assert "Folded into first as near" in invoke("explain", folder / "out", "second").stdout
    story = json.loads(invoke("explain", folder / "out", "second", "--json").stdout)
    assert story["canonical"]["title"] == "Boats Counted"
    assert story["duplicate"]["relation"] == "near"


def test_explain_what_is_not_there(finished, tmp_path):
    folder, _ = finished
    result = invoke("explain", folder / "out", "nobody")
    assert (result.exit_code, "no article [nobody]" in result.stderr) == (2, True)
    result = invoke("explain", tmp_path, "first")
    assert (result.exit_code, "holds no finished run" in result.stderr) == (2, True)


def test_clean_from_standard_input():
    result = invoke("clean", input=DIRTY.encode("utf-16"))
    assert result.exit_code == 0
    assert result.stdout == STORY + "\n\nWith reporting by AP\n"


def test_clean_loads_nothing_that_is_for_many_articles(tmp_path):
    (tmp_path / "a.txt").write_text(DIRTY)
    code = "import sys; from pipeline.cli import cli; cli(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code, "clean", str(tmp_path / "a.txt")], capture_output=True, text=True, check=True
    )
    assert not {"apache_beam", "numba", "pyarrow", "scipy"} & set(shown.stdout.split())


def test_clean_as_json_and_as_a_diff(tmp_path):
    (tmp_path / "a.txt").write_text(DIRTY, "utf-8")
    shown = json.loads(invoke("clean", tmp_path / "a.txt", "--json").stdout)
    assert shown["credits"] == ["AP"]
    assert [edit["rule"] for edit in shown["edits"]] == ["en/comment-form", "en/source-link"]
    assert "cruft/en/source-link" in invoke("clean", tmp_path / "a.txt", "--diff").stdout


def test_clean_with_rules_of_ones_own(tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'disable = ["en/source-link"]\n[[rule]]\nname = "my/boats"\nkind = "cruft"\nstrength = "strong"\n'
        'literals = ["All about boats"]\n'
    )
    result = invoke("clean", "--rules", rules, input="A boat.\n\nSource link\n\nAll about boats")
    assert result.stdout == "A boat.\n\nSource link\n"
    rules.write_text("[[rule]]\nname = 3\n")
    result = invoke("clean", "--rules", rules, input="A boat.")
    assert (result.exit_code, "rules.toml" in result.stderr) == (2, True)


def test_compare(tmp_path):
    (tmp_path / "a.txt").write_text(DIRTY, "utf-8")
    (tmp_path / "b.txt").write_text("\n\n".join(STORY.split("\n\n")[:6]), "utf-8")
    shown = json.loads(invoke("compare", tmp_path / "a.txt", tmp_path / "b.txt", "--json").stdout)
    assert shown["b_in_a"] == 1.0
    assert shown["jaccard"] < 0.6
    assert shown["passages"]
    shown = invoke("compare", tmp_path / "a.txt", tmp_path / "b.txt").stdout
    assert "Jaccard" in shown
    assert "days between" not in shown  # nobody said when
    assert "  = " in shown
    assert not [line for line in shown.splitlines() if line.endswith(" ")]


def test_compare_articles_of_a_run(finished):
    folder, _ = finished
    result = invoke("compare", "--run", folder / "out", "first", "third")
    assert "By texts, headlines, sources, pages and dates: different" in result.stdout
    assert "In the run they were kept apart" in result.stdout
    for name, said in (("second", "its text is not in"), ("nobody", "no article [nobody]")):
        result = invoke("compare", "--run", folder / "out", "first", name)
        assert (result.exit_code, said in result.stderr) == (2, True)


def test_one_of_a_thing_is_told_as_one(tmp_path):
    (tmp_path / "a.txt").write_text(STORY + "\n\nWith reporting by AP\n\nSource link", "utf-8")
    assert "; 1 edit\n" in invoke("clean", tmp_path / "a.txt", "--diff").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "in.jsonl"], "Missing option '--output'"),
        (["run", "--output", "out"], "Missing argument"),
        (["run", "missing.jsonl", "--output", "out"], "[missing.jsonl] does not exist"),
        (
            ["run", "in.jsonl", "--output", "out", "--treshold=0.8"],
            "no such option: --treshold; did you mean --threshold?",
        ),
        (["run", "in.jsonl", "--output", "out", "--threshold", "7"], "--threshold [7.0] must lie between"),
        (["run", "in.jsonl", "--output", "out", "--threshold", "x"], "'x' is not a valid float"),
        (["run", "in.jsonl", "--output", "out", "--columns", "text"], "not of the form FIELD=COLUMN"),
        (["run", "in.jsonl", "--output", "out", "--columns", "body=text"], "[body] is no field"),
        (["run", "in.jsonl", "--output", "out", "--columns", "id=a,text=b,id=c"], "[id] is named twice"),
        (["run", "in.jsonl", "--output", "out", "--canonical", "preferred"], "--prefer-sources"),
        (["run", "in.jsonl", "--output", "out", "--prefer-sources", "a.example"], "--canonical preferred"),
        (["run", "in.jsonl", "--output", "out", "--index-run", "monday"], "give --index DIR"),
        (["run", "in.doc", "--output", "out"], "of no known kind"),
        (["run", "in.jsonl", "--output", "out", "--config", "c.toml"], "[treshold], which is no option"),
        (["run", "in.jsonl", "--output", "out", "--runner", "Swift"], "--runner [Swift]: Unexpected pipeline runner"),
        (["run", "", "--output", "out"], "one of them is empty"),
        (["run", "in.jsonl", "--output", ""], "one of them is empty"),
        (["clean", "missing.txt"], "[missing.txt]: No such file"),
        (["clean", "in.jsonl/a.txt"], "[in.jsonl/a.txt]: Not a directory"),
        (["compare", "in.jsonl", "missing.txt"], "[missing.txt]: No such file"),
        (["compare", "in.jsonl", "in.jsonl", "--shingle", "0"], "--shingle [0] must lie between 1 and 64"),
        (["compare", "in.jsonl", "in.jsonl", "--num-perm", "0"], "--num-perm [0] must lie between 16 and 1024"),
        (["status", "in.jsonl"], "[in.jsonl]: Not a directory"),
        (["explain", "in.jsonl", "a"], "[in.jsonl]: Not a directory"),
        (["compare", "-", "-"], "only one of A and B can be standard input"),
        (["index", "rebuild", "index", "--shingle", "0"], "--shingle [0] must lie between 1 and 64"),
        (["nothing"], "No such command"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_exit_code_2(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"text": "A boat."}\n')
    Path("in.doc").write_text("A boat.")
    Path("c.toml").write_text("treshold = 0.8\n")
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path("out").exists()


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "image.txt").write_bytes(bytes(range(256)) * 30)
    result = invoke("clean", tmp_path / "image.txt")
    assert result.exit_code == 1
    assert result.stderr.startswith("cleancopy: error:")


def test_a_failed_run_exits_with_1_and_one_line(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": 3}\n')
    result = invoke("run", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--workers", 1, "--quiet")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "1] of [1] records (100.0%) were rejected" in result.stderr
    assert "while running" not in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        'threshold = "x"',
        "threshold = [1]",
        "workers = true",
        "workers = 1.5",
        "strict = 3",
        "as_json = true",
        "columns = 3",
        "metrics_file = { a = 1 }",
    ],
)
def test_a_config_file_with_values_that_no_flag_takes(line, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "A boat."}\n')
    (tmp_path / "c.toml").write_text(line)
    result = invoke("run", tmp_path / "in.jsonl", "--output", tmp_path / "out", "--config", tmp_path / "c.toml")
    assert result.exit_code == 2, result.output
    assert not (tmp_path / "out").exists()


def test_a_run_inside_its_input_is_replaced_by_the_same_one(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": STORY}) + "\n")
    arguments = ("run", tmp_path, "--output", tmp_path / "out", "--index", tmp_path / "index", "--workers", 1)
    for more in ([], ["--overwrite"]):
        result = invoke(*arguments, "--json", *more)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["counts"]["read"] == 1


def test_config_file_gives_defaults_and_flags_win(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"guid": "a", "body": STORY}) + "\n" + '{"body": 1}\n')
    (tmp_path / "c.toml").write_text(
        f'inputs = ["{tmp_path}/in.jsonl"]\noutput = "{tmp_path}/out"\nworkers = 1\nmax-reject-rate = 0.5\n'
        "num_perm = 64\nquiet = true\njson = true\n"
        'canonical = "preferred"\nprefer-sources = ["a", "b"]\n[columns]\ntext = "body"\nid = "guid"\n'
    )
    result = invoke("run", "--config", tmp_path / "c.toml", "--num-perm", "96")
    assert result.exit_code == 0, result.output
    manifest = json.loads(result.stdout)
    assert manifest["configuration"]["num_perm"] == 96
    assert manifest["configuration"]["columns"] == {"text": "body", "id": "guid"}
    assert manifest["configuration"]["prefer_sources"] == ["a", "b"]
    assert manifest["counts"]["kept"] == 1


def test_flags_of_beam_are_passed_on(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "text": STORY}) + "\n")
    arguments = ("run", tmp_path / "in.jsonl", "--workers", "1", "--quiet")
    assert invoke(*arguments, "--output", tmp_path / "o", "--job_name=nightly", "--temp-location=/x").exit_code == 0


def test_the_module_is_the_command():
    result = subprocess.run([sys.executable, "-m", "pipeline", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: cleancopy [OPTIONS] COMMAND")


def test_texts_are_written_as_utf8_whatever_the_locale():
    code = "from pipeline.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "clean"],
        input="Über Łódź, 東京.".encode(),
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        cwd=ROOT,
        check=True,
    )
    assert ran.stdout.decode() == "Über Łódź, 東京.\n"


def test_examples_stand_below_the_command_that_they_are_of():
    assert "cleancopy clean article.txt" in invoke("clean", "--help").stdout
    assert "Examples" not in invoke("eval", "clean", "--help").stdout


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_explains_itself_and_its_options(command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    options = [option for option in cli.commands[command].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_a_terminal_is_not_obeyed_to(tmp_path):
    evil = "evil\x1b[2J\u202e.txt"
    result = invoke("run", tmp_path / evil, "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert "evil\\x1b[2J\\u202e.txt" in result.stderr
    (tmp_path / evil).write_text(STORY, "utf-8")
    assert invoke("run", tmp_path / evil, "--output", tmp_path / "out", "--workers", 1).exit_code == 0
    (article,) = pq.read_table(tmp_path / "out" / "articles").to_pylist()
    result = invoke("explain", tmp_path / "out", article["id"])
    assert "\x1b" not in result.stdout
    assert "evil\\x1b[2J\\u202e.txt" in result.stdout


def test_a_file_that_is_not_read_whole_is_named_in_summary_and_report(tmp_path):
    (tmp_path / "good.jsonl").write_text(json.dumps({"text": STORY}))
    (tmp_path / "bad.parquet").write_bytes(b"no Parquet")
    arguments = ("--output", tmp_path / "out", "--workers", 1, "--max-reject-rate", 1)
    result = invoke("run", tmp_path / "good.jsonl", tmp_path / "bad.parquet", *arguments)
    assert "unread 1 file not read whole: see rejects/ or the report" in " ".join(result.stdout.split())
    report = tmp_path / "out" / "report.html"
    assert result.stdout.endswith(f"report in {report}\n")
    assert f"{tmp_path / 'bad.parquet'}</bdi></th><td>" in report.read_text("utf-8")
