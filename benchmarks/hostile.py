"""Times cleaning on texts of hostile shape, step by step, at sizes that double: what is more than linear shows.

::

    python -m benchmarks.hostile --bytes 1000000          # each shape, whole cleaning and its slowest steps
    python -m benchmarks.hostile --patterns               # each regular expression on adversarial text

``growth`` is the CPU time at the full size by that at half of it: 2 is linear, 4 quadratic.
"""

import argparse
import contextlib
import dataclasses
import importlib
import inspect
import pkgutil
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import transforms.text
from transforms.clean import clean_batch
from transforms.records import Record, Records
from transforms.text.clean import Cleaner
from transforms.text.rules import load_credit_rules, load_cruft_rules

_SENTENCE = "The harbour of Port Tiller counted nine boats at anchor when the strike entered its third week. "

SHAPES: dict[str, Callable[[int], str]] = {
    "one line of prose": lambda size: _SENTENCE * (size // len(_SENTENCE) + 1),
    "one word": lambda size: "a" * size,
    "all spaces, one letter": lambda size: " " * size + "x",
    "spaces between letters": lambda size: ("x" + " " * 999) * (size // 1000),
    "one long gap": lambda size: "x" + " " * size + "x\n",
    "line breaks and spaces": lambda size: "x" + "\n " * (size // 2) + "x",
    "all line breaks": lambda size: "x" + "\n" * size + "x",
    "lines of spaces": lambda size: "x\n" + " \n" * (size // 2) + "x",
    "short lines, all different": lambda size: "\n".join(map(str, range(size // 7))),
    "short lines, all equal": lambda size: "Read more\n" * (size // 10),
    "short paragraphs, all equal": lambda size: "No comment.\n\n" * (size // 13),
    "sentences, all different": lambda size: "\n\n".join(f"{n} boats were {_SENTENCE}" for n in range(size // 110)),
    "sentences, all equal": lambda size: (_SENTENCE + "\n\n") * (size // 98),
    "sentences, two by turns": lambda size: (f"{_SENTENCE}\n\nNot so. {_SENTENCE}\n\n") * (size // 204),
    "wrapped lines": lambda size: (_SENTENCE[:60] + "\n") * (size // 61),
    "prose, then digits": lambda size: _SENTENCE * (size // 98) + ("\n\n" + "1" * 80) * 20,
    "table": lambda size: "boats\t9\t12\n" * (size // 11),
    "nested quotes": lambda size: "“‘«" * (size // 6) + "»’”" * (size // 6),
    "nested brackets": lambda size: "(" * (size // 2) + ")" * (size // 2),
    "one line of mojibake": lambda size: "â€œItâ€™s a pity,â€\x9d she said. " * (size // 34),
    "lines of mojibake": lambda size: "â€œItâ€™s a pity,â€\x9d she said.\n\n" * (size // 34),
    "mojibake without spaces": lambda size: "â€™" * (size // 3),
    "entities": lambda size: "&amp;" * (size // 5),
    "ampersands": lambda size: "&" * size,
    "combining marks": lambda size: "e" + "\u0301" * size,
    "decomposed letters": lambda size: "e\u0301" * (size // 2),
    "zero-width spaces": lambda size: "a\u200b" * (size // 2),
    "no-break spaces": lambda size: "\u00a0" * size + "x",
    "control characters": lambda size: "\x01" * size + "x",
    "dashes": lambda size: "-" * size,
    "dots": lambda size: ". " * (size // 2),
    "promos": lambda size: "Sign up for our newsletter\n\n" * (size // 28),
    "cruft, all different": lambda size: "\n\n".join(f"Leave a Reply\n\n{n}" for n in range(size // 22)),
    "a form, then prose": lambda size: ("Leave a Reply\n\n" + _SENTENCE * 3 + "\n\n") * (size // 306),
    "datelines": lambda size: "OSLO (AP) — " * (size // 12),
    "copyright": lambda size: "Copyright " * (size // 10),
    "credits": lambda size: "With reporting by AP, Reuters and AFP\n\n" * (size // 39),
    "names in a credit": lambda size: "Reporting by " + "Anna Berg, " * (size // 11),
    "Chinese without spaces": lambda size: "港口有九艘船" * (size // 18),
    "Thai without spaces": lambda size: "ท่าเรือ" * (size // 21),
    "emoji": lambda size: "👩‍👩‍👧 " * (size // 20),
}


class TooSlowError(Exception):
    """What was timed took longer than the limit."""


@contextlib.contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def seconds_of(work: Callable[[], object], limit: int) -> float:
    """CPU seconds of ``work``; infinite where it takes longer than ``limit`` seconds."""
    start = time.process_time()
    try:
        with _limit(limit):
            work()
    except TooSlowError:
        return float("inf")
    return time.process_time() - start


def clean_whole(text: str, cleaner: Cleaner) -> object:
    """What a run does with one article."""
    return clean_batch("", Records.of([Record("id", None, None, None, None, text, "utf-8", 1)]), cleaner)


def _time_shapes(size: int, limit: int, only: str) -> Iterator[tuple[str, float, float]]:
    cleaner = Cleaner()
    clean_whole(_SENTENCE, cleaner)
    for name, make in SHAPES.items():
        if only in name:
            half, full = make(size // 2), make(size)
            before = seconds_of(lambda text=half: clean_whole(text, cleaner), limit)  # type: ignore[misc]
            after = seconds_of(lambda text=full: clean_whole(text, cleaner), limit) if before < limit else before  # type: ignore[misc]
            yield name, before, after


# Regular expressions.

SEEDS: Sequence[str] = (
    *("a", "A", "1", " ", "\t", "\n", "\u00a0", ".", ",", "-", "–", "'", '"', "“", "(", ")", "[", "/", "|", "&", "#"),
    *("_", "a ", "A ", "Ab ", "a.", "A. ", "1 ", "1.", "1/", "1:", "- ", "a-", "a, ", "a and ", "by ", "By A ", "( "),
    *("()", "(a", " \n", "a\n", "\t ", ". ", "é", "中", "ä ", "© ", "(c) ", "Copyright ", "https://", "a@", "&amp"),
)


_USES = ("match", "fullmatch", "search", "finditer", "findall", "sub", "split")


def uses_of(name: str) -> set[str]:
    """How a module's own pattern is used: ``paragraphs._GAP`` → ``{"finditer"}``; of others ``fullmatch``."""
    owner, _, constant = name.partition(".")
    if not constant.isidentifier() or not constant.startswith("_"):
        return {"fullmatch"}
    module = "rules" if owner == "CruftRules" else owner
    source = inspect.getsource(importlib.import_module(f"transforms.text.{module}"))
    return set(re.findall(rf"\b{constant}\.({'|'.join(_USES)})\b", source)) or {"match"}


def patterns() -> dict[str, re.Pattern[str]]:
    """Every regular expression of ``transforms.text`` and of the rules, by its name."""
    found: dict[str, re.Pattern[str]] = {}
    for module in pkgutil.iter_modules(transforms.text.__path__):
        loaded = importlib.import_module(f"transforms.text.{module.name}")
        for name, value in vars(loaded).items():
            _collect(f"{module.name}.{name}", value, found)
    cruft, credits = load_cruft_rules(), load_credit_rules()
    for rule in cruft.rules:
        found |= {f"{rule.name}[{number}]": re.compile(pattern) for number, pattern in enumerate(rule.patterns)}
    for rules in (cruft, credits):
        for field in dataclasses.fields(rules):
            _collect(f"{type(rules).__name__}.{field.name}", getattr(rules, field.name), found)
    return found


def _collect(name: str, value: Any, found: dict[str, re.Pattern[str]]) -> None:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        found[name] = value
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            _collect(f"{name}[{number}]", inner, found)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _collect(f"{name}[{key}]", inner, found)


def _texts(pattern: re.Pattern[str], size: int) -> Iterator[tuple[str, str]]:
    """A name for a text of ``size`` characters, and the text: seeds over and over, then what may spoil the match."""
    own = set(re.findall(r"[\w ]{3,}", pattern.pattern)[:6])
    for seed in (*SEEDS, *sorted(own)):
        for end in ("", "\u2603", "x.", "\n"):
            yield f"{seed!r} … {end!r}", seed * (size // len(seed)) + end
            if seed in own:
                yield f"{seed!r} spaces … {end!r}", seed + " " * size + end


_SCREENED: Final = 10  # all texts are tried at a tenth of the size
_TIMED: Final = 3  # of them the slowest are timed


def _time_pattern(name: str, pattern: re.Pattern[str], size: int, limit: int) -> tuple[float, float, str]:
    """CPU seconds at half and at all of ``size`` of the text that is slowest, used as the code does, and its name."""
    uses = uses_of(name)

    def taken_by(text: str) -> float:
        taken = 0.0
        for use in sorted(uses & {"match", "fullmatch"}):
            taken += seconds_of(partial(getattr(pattern, use), text), limit)
        if uses - {"match", "fullmatch"}:
            taken += seconds_of(lambda: sum(1 for _ in pattern.finditer(text)), limit)
        return taken

    screened = {shown: taken_by(text) for shown, text in _texts(pattern, size // _SCREENED)}
    slowest = sorted(screened, key=screened.__getitem__)[-_TIMED:]
    half, full = ({shown: text for shown, text in _texts(pattern, n) if shown in slowest} for n in (size // 2, size))
    return max((taken_by(full[shown]), taken_by(half[shown]), shown) for shown in slowest)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--limit", type=int, default=30, help="seconds after which a step is given up")
    parser.add_argument("--only", default="", help="part of a shape's name")
    parser.add_argument("--patterns", action="store_true", help="the regular expressions instead of the shapes")
    arguments = parser.parse_args()
    if arguments.patterns:
        for name, pattern in patterns().items():
            if arguments.only in name:
                large, small, text = _time_pattern(name, pattern, arguments.bytes, arguments.limit)
                print(f"{large:9.4f} x{large / small if small else 0:4.1f} {name:<40} {text}", flush=True)
        return
    for name, before, after in _time_shapes(arguments.bytes, arguments.limit, arguments.only):
        growth = after / before if before else 0
        print(f"{name:<32} {before:9.3f} {after:9.3f}  x{growth:.1f}", flush=True)


if __name__ == "__main__":
    main()
