"""The names in an output folder."""

from typing import Final

FOLDERS: Final = ("articles", "duplicates", "edits", "rejects", "boilerplate")
MANIFEST: Final = "manifest.json"
REPORT: Final = "report.html"
SUCCESS: Final = "_SUCCESS"
"""Written last: without it a run is not finished."""
STAGING: Final = "_staging"
"""What is cleaned so far, one folder a run; gone when the run is finished."""
