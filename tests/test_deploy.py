"""What stands under deploy/ is read by the tool or library it is written for, and its commands by our command line."""

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import run

DEPLOY = Path(__file__).parents[1] / "deploy"


def flags_of(script):
    """The long flags of the ``cleancopy run`` in a shell script."""
    joined = re.sub(r"\\\n\s*", " ", script)
    (command,) = re.findall(r"cleancopy run .*", joined)
    return [word for word in shlex.split(command) if word.startswith("--")]


def known_flags():
    return {flag for parameter in run.params for flag in parameter.opts}


def test_the_script_is_shell_and_names_options_of_ours():
    script = DEPLOY / "nightly.sh"
    subprocess.run(["sh", "-n", script], check=True)
    assert "--index-run" in (flags := flags_of(script.read_text()))
    assert set(flags) <= known_flags()


def test_cron():
    croniter = pytest.importorskip("croniter").croniter
    (line,) = [line for line in (DEPLOY / "cleancopy.cron").read_text().splitlines() if not line.startswith("#")]
    schedule, command = " ".join(line.split()[:5]), line.split(maxsplit=5)[5]
    assert croniter.is_valid(schedule)
    assert shlex.split(command)[3] == "/opt/cleancopy/deploy/nightly.sh"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd(tmp_path):
    for name in ("cleancopy.service", "cleancopy.timer"):
        text = (DEPLOY / name).read_text().replace("/opt/cleancopy/deploy", str(DEPLOY))
        (tmp_path / name).write_text(re.sub(r"User=\w+", "User=root", text))
    units = [tmp_path / "cleancopy.service", tmp_path / "cleancopy.timer"]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert not [line for line in checked.stderr.splitlines() if "cleancopy" in line]


def test_kubernetes():
    yaml = pytest.importorskip("yaml")
    croniter = pytest.importorskip("croniter").croniter
    job = yaml.safe_load((DEPLOY / "cronjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert croniter.is_valid(job["spec"]["schedule"])
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    assert set(flags_of(container["args"][0])) <= known_flags()


def test_the_dag_compiles_and_names_options_of_ours():
    tree = ast.parse((DEPLOY / "airflow" / "cleancopy_nightly.py").read_text())
    compile(tree, "cleancopy_nightly.py", "exec")
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert "--index-run" in words
    assert {word for word in words if word.startswith("--")} <= known_flags()


# Airflow is large, so it is no dependency of the tests. To run this one, have it in an environment of its own:
# python -m venv airflow && airflow/bin/pip install apache-airflow
# AIRFLOW_PYTHON=airflow/bin/python python -m pytest tests/test_deploy.py
PARSE_DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
dags = {name: [task.task_id for task in dag.tasks] for name, dag in bag.dags.items()}
print(json.dumps({"errors": bag.import_errors, "dags": dags}))
"""


def test_airflow(tmp_path):
    python = os.environ.get("AIRFLOW_PYTHON") or (sys.executable if importlib.util.find_spec("airflow") else None)
    if python is None:
        pytest.skip("Airflow is not installed here, and AIRFLOW_PYTHON names no Python that has it")
    parsed = subprocess.run(
        [python, "-c", PARSE_DAGS, DEPLOY / "airflow"],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(parsed.stdout.splitlines()[-1])
    assert told == {"errors": {}, "dags": {"cleancopy_nightly": ["clean"]}}
