"""Reads one article's story out of a finished run."""

from typing import Any

import pyarrow.compute as pc

from pipeline.standing import finished_manifest
from transforms import files
from transforms.errors import UsageError


def explain_article(output: str, article_id: str) -> dict[str, Any]:
    """All that a finished run knows of one article: its row, its edits, what it was folded into or what into it.

    Raises:
        UsageError: no finished run there, or no article of that id in it.
    """
    manifest = finished_manifest(output)
    article = article_rows(output, "articles", article_id)
    duplicate = article_rows(output, "duplicates", article_id)
    if not article and not duplicate:
        raise UsageError(f"no article [{article_id}] in [{output}]; rejected records have no id, see rejects/")
    edits = sorted(article_rows(output, "edits", article_id), key=lambda edit: edit["seq"])
    for edit in edits:
        del edit["id"]
    story: dict[str, Any] = {"id": article_id, "article": article[0] if article else None}
    story["duplicate"] = duplicate[0] if duplicate else None
    if duplicate:
        wanted = ["id", "url", "source", "title", "published"]
        # Of an earlier run the output is not here, though an article of that id may be.
        is_earlier = duplicate[0].get("canonical_run") is not None
        canonical = [] if is_earlier else article_rows(output, "articles", duplicate[0]["canonical_id"], wanted)
        story["canonical"] = canonical[0] if canonical else None
    story["held_back"] = next((held["why"] for held in manifest["held_back"] if held["id"] == article_id), None)
    story["edits"] = edits
    return story


def article_rows(output: str, folder: str, article_id: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """The rows of one article in a folder of a run's output."""
    found: list[dict[str, Any]] = []
    for name in files.list_names(files.join(output, folder)):
        for batch in files.read_parquet(files.join(output, folder, name), columns):
            found += batch.filter(pc.equal(batch.column("id"), article_id)).to_pylist()
    return found
