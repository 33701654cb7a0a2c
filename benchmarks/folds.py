"""Checks a run's folds without its code, and tells what became of alike pairs: ``python -m benchmarks.folds OUTPUT``.

The run is made with ``--keep all``, so that the texts of copies are there. Words and shingles are made again here: what
``\\w+`` finds in the casefolded NFKC form, with the marks on it but for the points of Arabic and Hebrew, each letter by
itself where a script has no spaces, five in a row; sets of tuples, and no hash. Each fold is counted anew from the two
texts. Checked is that its Jaccard and containment are those that the run wrote, that its canonical article is folded
into nothing itself, that an ``exact`` copy, and no other, has the very text, and that an ``excerpt`` is the shorter of
the two.

With ``--truth``, pairs known to be alike (``id_a``, ``id_b``, ``jaccard``, ``containment``), it counts what became of
them, and ``--list J`` prints those from that Jaccard on, the least alike first: what was decided, and the sentences
that only one of the two has.
"""

import argparse
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pyarrow.dataset as ds
import pyarrow.parquet as pq

_SOLO: Final = (
    r"\u0e00-\u0e4f\u0e80-\u0ecf\u1000-\u103f\u1050-\u109f\u1780-\u17df\u3005-\u3007\u3041-\u30ff\u3400-\u9fff"
)
_MARKS: Final = "".join(letter for letter in map(chr, range(0x110000)) if unicodedata.category(letter)[0] == "M")
_WORD: Final = re.compile(rf"(?=\w)[{_SOLO}][{_MARKS}]*|[^\W{_SOLO}](?:[^\W{_SOLO}]|[{_MARKS}])*")
_POINTS: Final = "".join(mark for mark in _MARKS if "\u0590" <= mark <= "\u08ff")
_UNSEEN: Final = re.compile(f"[{_POINTS}\u0640\u00ad\u200c\u200d\u2060\ufeff]")
_SENTENCE: Final = re.compile(r"(?<=[.!?。؟])\s+|\n+")
_SHINGLE: Final = 5
_TOLERANCE: Final = 1e-6  # the run writes float32
_SHOWN: Final = 12  # sentences of a side

Shingles = frozenset[tuple[str, ...]]


def shingles(text: str) -> Shingles:
    """Every five words of a text, of which a letter is one in scripts without spaces.

    >>> sorted(" ".join(shingle) for shingle in shingles("To be, or not to be."))
    ['be or not to be', 'to be or not to']
    """
    words = _WORD.findall(_UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold()))
    starts = range(max(len(words) - _SHINGLE + 1, min(len(words), 1)))
    return frozenset(tuple(words[start : start + _SHINGLE]) for start in starts)


def read_run(output: Path) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Articles by id and the rows of ``duplicates``. Raises ``ValueError`` where the texts of copies are missing."""
    articles = {row["id"]: row for row in ds.dataset(output / "articles").to_table().to_pylist()}
    copies = ds.dataset(output / "duplicates").to_table().to_pylist()
    if missing := [row["id"] for row in copies if row["id"] not in articles]:
        raise ValueError(f"[{output}] has no text of {len(missing)} copies, first [{missing[0]}]; run with --keep all")
    return articles, copies


def check(articles: dict[str, dict[str, Any]], copies: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """How many folds of each relation there are, and of how many which check failed: ``("near", "differs")``."""
    folded = {row["id"] for row in copies}
    made: dict[str, Shingles] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in sorted(copies, key=lambda row: (row["canonical_id"], row["id"])):
        copy, kept = (articles[row[name]]["text"] for name in ("id", "canonical_id"))
        if row["canonical_id"] not in made:  # sorted: one canonical article at a time
            made = {row["canonical_id"]: shingles(kept)}
        left, right = shingles(copy), made[row["canonical_id"]]
        shared, smaller = len(left & right), min(len(left), len(right))
        jaccard = shared / len(left | right) if left | right else 1.0
        containment = shared / smaller if smaller else 1.0
        relation = row["relation"]
        counts[relation, "folds"] += 1
        differs = max(abs(row["jaccard"] - jaccard), abs(row["containment"] - containment)) > _TOLERANCE
        counts[relation, "differs"] += differs
        counts[relation, "chain"] += row["canonical_id"] in folded
        counts[relation, "direction"] += relation == "excerpt" and len(left) >= len(right)
        counts[relation, "text"] += (relation == "exact") != (copy == kept)
    return counts


def fates(articles: dict[str, dict[str, Any]], copies: list[dict[str, Any]]) -> Any:
    """A function that says of two ids what the run made of them, the shorter first.

    A relation; ``sibling``: both are copies of a third; ``embeds``; ``elsewhere``: the shorter is a copy of a third and
    the longer is not; or ``apart``.
    """
    relations = {(row["id"], row["canonical_id"]): row["relation"] for row in copies}
    canonical = {row["id"]: row["canonical_id"] for row in copies}
    embeds = {(row["id"], other) for row in articles.values() for other in row["embeds"] or ()}

    def fate(one: str, other: str) -> str:
        for pair in ((one, other), (other, one)):
            if pair in relations:
                return str(relations[pair])
            if (canonical.get(pair[0], pair[0]), canonical.get(pair[1], pair[1])) in embeds:
                return "embeds"
        if canonical.get(one, one) == canonical.get(other, other):
            return "sibling"
        return "elsewhere" if one in canonical else "apart"

    return fate


def _show(articles: dict[str, dict[str, Any]], pair: dict[str, Any], fate: str) -> None:
    one, other = articles[pair["id_a"]], articles[pair["id_b"]]
    print(f"\nJ {pair['jaccard']:.2f} C {pair['containment']:.2f}: {fate}")
    for article, against in ((one, other), (other, one)):
        print(f"  {article['id']} · {article['source']} · {article['published']} · {article['title']}")
        known = {tuple(_WORD.findall(part)) for part in _SENTENCE.split(against["text"])}
        new = [part for part in _SENTENCE.split(article["text"]) if tuple(_WORD.findall(part)) not in known]
        for part in new[:_SHOWN]:
            print(f"    + {part[:160]}")
        if len(new) > _SHOWN:
            print(f"    … {len(new) - _SHOWN} more")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="a run's, made with --keep all")
    parser.add_argument("--truth", type=Path, metavar="PAIRS", help="pairs.parquet of the corpus")
    parser.add_argument("--list", type=float, metavar="J", help="print the pairs of the truth from this Jaccard on")
    given: Any = parser.parse_args()
    articles, copies = read_run(given.output)
    counts = check(articles, copies)
    print(
        "| relation | folds | other measures | chains | wrong direction | text |\n| --- | --- | --- | --- | --- | --- |"
    )
    for relation in sorted({relation for relation, _ in counts}):
        row = (counts[relation, name] for name in ("folds", "differs", "chain", "direction", "text"))
        print(f"| {relation} | " + " | ".join(f"{count:,}" for count in row) + " |")
    if given.truth is None:
        return
    pairs = []
    for row in pq.read_table(given.truth).to_pylist():
        if row["id_a"] in articles and row["id_b"] in articles:
            one, other = sorted((row["id_a"], row["id_b"]), key=lambda name: (len(articles[name]["text"]), name))
            pairs.append({**row, "id_a": one, "id_b": other})
    fate = fates(articles, copies)
    for name, chosen in (
        ("J >= 0.7", [row for row in pairs if row["jaccard"] >= 0.7]),
        ("C >= 0.8 only", [row for row in pairs if row["jaccard"] < 0.7 and row["containment"] >= 0.8]),
    ):
        told = Counter(fate(row["id_a"], row["id_b"]) for row in chosen)
        print(f"{name}: {len(chosen):,} pairs: " + ", ".join(f"{kind} {count:,}" for kind, count in told.most_common()))
    for row in sorted(pairs, key=lambda row: row["jaccard"]) if given.list is not None else []:
        if row["jaccard"] >= given.list:
            _show(articles, row, fate(row["id_a"], row["id_b"]))


if __name__ == "__main__":
    main()
