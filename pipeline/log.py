"""Messages of a run as JSON, one object a line, for who collects logs."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from transforms.errors import printable


class JsonLog(logging.Handler):
    """Writes ``{"time": …, "level": "info", "message": …, …}`` to stderr, a line each.

    As a handler of ``logging`` it takes in what Beam and other libraries say. Times are UTC, to the millisecond.
    """

    def write(self, level: str, message: str, **fields: Any) -> None:
        """Say one thing; ``fields`` are plain values."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"time": time, "level": level, "message": printable(message), **fields}
        sys.stderr.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
        sys.stderr.flush()

    def write_bug(self, error: BaseException) -> None:
        """Say an error that is no user's, with its traceback."""
        told = "".join(traceback.format_exception(error))
        self.write("error", f"{type(error).__name__}: {error}", traceback=told)

    def emit(self, record: logging.LogRecord) -> None:
        """What others log."""
        self.write(record.levelname.lower(), record.getMessage(), logger=record.name)
