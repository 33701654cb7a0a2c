"""``report.html``: what a finished run did, on one page that needs neither a network nor scripts."""

import functools
import itertools
import json
import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.findings import FEW, REMOVALS, Cut, Findings, Manifest, find
from pipeline.layout import REPORT
from pipeline.standing import finished_manifest
from transforms import files
from transforms.errors import printable

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATE: Final = "report.html.jinja"
_MAX_URL: Final = 2_000  # browsers follow no longer ones
_LINE_BREAK: Final = re.compile(r"\s*\n\s*")

RELATIONS: Final = {
    "exact": "the same text",
    "near": "the same story in nearly the same words",
    "excerpt": "a part of the kept article",
    "update": "another version of the kept article",
}
KINDS: Final = {
    "encoding": "text decoded in the wrong way",
    "unicode": "entities, ligatures, split characters",
    "whitespace": "odd and missing space",
    "cruft": "what the page left behind",
    "promo": "promotion in the body",
    "repeat": "what is printed twice",
    "boilerplate": "what a source prints in many articles",
}


def rebuild_report(output: str) -> str:
    """Write the report of a finished run anew, and return where it is.

    Raises:
        UsageError: there is no finished run.
        FileError: a file of it cannot be read, or the report not be written.
    """
    uri = files.join(output, REPORT)
    files.write_bytes(uri, build_report(output, finished_manifest(output)))
    return uri


def build_report(output: str, manifest: Manifest) -> bytes:
    """The report of the run in an output folder, as HTML. The same run gives the same bytes.

    Raises:
        FileError: a file of the run cannot be read.
    """
    return render(find(output, manifest)).encode()


def render(found: Findings) -> str:
    """The page that tells what was found; what comes from the data is escaped."""
    shown_ids = [row["id"] for table in (found.close, found.clusters, found.lost) for row in table.rows]
    return _template().render(
        **vars(found) | {"similarity": _named_bins(found.similarity)},
        held_back=Cut.of(found.manifest["held_back"], FEW),
        example_id=next(iter(shown_ids), None),
        relations=RELATIONS,
        kinds=KINDS,
        removals=REMOVALS,
    )


def _named_bins(similarity: Sequence[tuple[int, int]]) -> list[tuple[str, int, int]]:
    """The bins from the first that is not empty, with their names.

    >>> _named_bins([(0, 0)] * 9 + [(2, 1), (0, 1)])
    [('0.9 to 1', 2, 1), ('1', 0, 1)]
    """
    names = [*(f"{tenth / 10:g} to {(tenth + 1) / 10:g}" for tenth in range(10)), "1"]
    named = [(name, *counts) for name, counts in zip(names, similarity, strict=True)]
    return list(itertools.dropwhile(lambda row: not any(row[1:]), named))


@functools.cache
def _template() -> "Template":
    # Here, because it takes a tenth of a second: a run's driver imports this module and builds no report.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": lambda value: f"{value:,}",
        "percent": lambda share: f"{share:.1%}",
        "shown": shown,
        "passage": passage,
        "link": link,
        "moment": moment,
        "setting": setting,
        "argument": lambda value: shlex.quote(printable(value)),
    }
    return environment.get_template(_TEMPLATE)


def shown(text: str, most: int = 160) -> str:
    r"""A line from the data, cut, and with what would turn its direction or hide in it made visible.

    >>> shown("Ferry \u202esinks"), shown("Ferry sinks", 5)
    ('Ferry \\u202esinks', 'Ferry…')
    """
    return printable(text) if len(text) <= most else f"{printable(text[:most])}…"


def setting(value: Any) -> str:
    """A value of the configuration; empty where nothing is set.

    >>> setting(None), setting(True), setting(0.7), setting("signs"), setting(["a.example"])
    ('', 'true', '0.7', 'signs', '["a.example"]')
    """
    if value in (None, [], {}):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def passage(text: str) -> str:
    r"""A passage of a text in one line; space is shown where there is nothing else.

    >>> passage("\n\nLeave a Reply\nName"), passage(" \n")
    ('Leave a Reply ¶ Name', '␣\\n')
    """
    if not text.strip():
        return shown(text.replace(" ", "␣"), 40)
    return shown(_LINE_BREAK.sub(" ¶ ", text.strip()))


def link(url: str | None) -> str | None:
    """The address, if a browser may be sent there.

    >>> link("https://a.example/1"), link("javascript:alert(1)")
    ('https://a.example/1', None)
    """
    is_safe = url and url.startswith(("https://", "http://")) and url.isprintable() and len(url) <= _MAX_URL
    return url if is_safe else None


def moment(published: datetime) -> str:
    """Day, and time if there is one.

    >>> moment(datetime(2024, 3, 5)), moment(datetime(2024, 3, 5, 6, 30))
    ('2024-03-05', '2024-03-05 06:30')
    """
    return published.isoformat(" ", "minutes")[:16].removesuffix(" 00:00")
