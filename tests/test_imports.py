"""Imports go one way: pipeline → transforms → transforms.text."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("transforms/text", ("apache_beam", "pipeline", "rich", "click")),
        ("transforms", ("pipeline", "rich", "click")),
    ],
)
def test_imports_go_down_only(folder, forbidden):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / folder).rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] in forbidden
    ]
    assert wrong == []


def test_text_knows_only_text():
    wrong = [
        f"{path.name} imports {name}"
        for path in (ROOT / "transforms" / "text").glob("*.py")
        for name in imported(path)
        if name.startswith("transforms") and not name.startswith("transforms.text")
    ]
    assert wrong == []


def test_runners_are_known_in_three_places_only():
    """conftest.py for the tests, run.py and the local runner's workers for the product."""
    named = {
        str(path.relative_to(ROOT))
        for folder in ("pipeline", "transforms", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if any("runners" in name.split(".") for name in imported(path))
    }
    assert named == {"pipeline/run.py", "pipeline/workers.py", "tests/conftest.py"}
