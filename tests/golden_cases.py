"""Loads golden cases: ``tests/cases/<name>/{wild,negative,known_gaps}.json``, fields in ``tests/cases/README.md``."""

import json
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parent / "cases"


def golden_cases(name: str) -> list[Any]:
    """Every case of ``tests/cases/<name>/*.json`` as a pytest parameter; known gaps are strict xfails."""
    cases = [
        (path.stem, case)
        for path in sorted((CASES / name).glob("*.json"))
        for case in json.loads(path.read_text("utf-8"))
    ]
    assert cases, f"no golden cases under {CASES / name}"
    return [
        pytest.param(
            case,
            id=f"{stem}-{case['label']}",
            marks=[pytest.mark.xfail(strict=True, raises=AssertionError, reason=case["comment"])]
            if stem == "known_gaps"
            else [],
        )
        for stem, case in cases
    ]
