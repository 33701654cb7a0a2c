"""Corpora to measure on: seeded synthetic ones with known copies, pathological ones, and real ones made larger.

A synthetic article is an array of tokens, numbers in a table of words, separators and lines of page furniture. Copies
are made from the tokens, and Arrow turns those of a whole batch into text in one go, so a million articles take minutes
and a few hundred MB. Nothing is quoted: the words are invented, and what they add up to means nothing.

    python -m benchmarks.corpus OUT --articles 1000000 --kind stories
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Kind = Literal["stories", "one-story", "boilerplate", "look-alikes"]
CopyKind = Literal["exact", "furniture", "near", "excerpt", "follow-up"]
Tokens = npt.NDArray[np.int32]

ROW_GROUP: Final = 2_000

ARTICLES: Final = pa.schema(
    [*((name, pa.string()) for name in ("id", "source", "url", "title", "date")), ("text", pa.large_string())]
)
TRUTH: Final = pa.schema([("id", pa.string()), ("story", pa.string()), ("kind", pa.string())])
"""``story`` is the id of the first article that tells it; ``kind`` is ``story`` or how the copy was made."""


class Corpus(NamedTuple):
    """Articles on disk, in a folder of Parquet files that holds nothing else."""

    folder: Path
    articles: int
    text_bytes: int
    """UTF-8 bytes of all texts."""
    truth: Path | None
    """``TRUTH`` as Parquet, where it is known."""


# Synthetic

_VOCABULARY: Final = 20_000
_MEDIAN_WORDS, _SPREAD = 790, 0.55  # lognormal, as 37,554 American news articles measured
_MIN_WORDS, _MAX_WORDS = 60, 12_000
_SENTENCE, _PARAGRAPH = 1 / 19, 0.45  # probability that a word ends a sentence, and a sentence its paragraph
_CHUNK = 250  # articles generated at a time; a batch's copies come some chunks later, so most are in another shard
_COPIED, _FOLLOWED = 0.06, 0.02  # shares of the stories that are copied, and taken up again by another story
_KINDS: Final[tuple[CopyKind, ...]] = ("exact", "furniture", "near", "excerpt")

_SPACE, _COMMA, _DASH, _STOP, _ASKED, _SAID, _NEW_PARAGRAPH, _SAID_PARAGRAPH = range(8)
_SEPARATORS: Final = (" ", ", ", " — ", ". ", "? ", ".” ", ".\n\n", ".”\n\n")
_ENDS: Final = _STOP  # separators from here on end a sentence
_FURNITURE: Final = (
    "",
    "\n\nSource link",
    "\n\nShare this:\n\nTwitter\n\nFacebook\n\nLike this:\n\nLike Loading...",
    "\n\nLeave a Reply\n\nYour email address will not be published. Required fields are marked *\n\nName *",
    "\n\nSource link\n\nLeave a Reply Cancel reply",
)
_DAMAGED: Final = ("itâ€™s", "donâ€™t", "cafÃ©", "â€œyesâ€\x9d", "R&amp;D")
_SOURCES: Final = tuple(
    f"{name}-{place}.example" for name in ("daily", "evening", "the", "my") for place in "abcdefghij"
)


class _Table:
    """Token numbers to text; the same for every seed, so that corpora differ in what they tell only."""

    def __init__(self) -> None:
        rng = np.random.RandomState(1)
        consonants = [*"bcdfghklmnprstvz", "br", "ch", "st", "th"]
        syllables = [c + v for c in consonants for v in (*"aeiou", "é", "ai")]
        words: dict[str, None] = {}
        while len(words) < _VOCABULARY:
            # Frequent words are short, as in every language.
            count = 1 + int(np.log10(1 + len(words) / 30)) + rng.randint(2)
            words["".join(syllables[at] for at in rng.randint(len(syllables), size=count))] = None
        self.separators = 2 * _VOCABULARY
        self.furniture = self.separators + len(_SEPARATORS)
        self.damaged = self.furniture + len(_FURNITURE)
        capitals = [word.capitalize() for word in words]
        self._texts = pa.array([*words, *capitals, *_SEPARATORS, *_FURNITURE, *_DAMAGED], pa.large_string())
        self._share = np.cumsum(1 / (np.arange(_VOCABULARY) + 2.7))  # Zipf's law, as Mandelbrot put it
        self._share /= self._share[-1]

    def words(self, rng: np.random.RandomState, count: int) -> Tokens:
        """So many words as they occur in running text."""
        return np.searchsorted(self._share, rng.random_sample(count)).astype(np.int32)

    def name(self, rng: np.random.RandomState) -> str:
        """A rare word with a capital."""
        return str(self._texts[_VOCABULARY + rng.randint(_VOCABULARY // 4, _VOCABULARY)].as_py())

    def text(self, articles: Sequence[Tokens]) -> pa.Array:
        """The text of each article."""
        offsets = np.concatenate([[0], np.cumsum([len(article) for article in articles])])
        taken = self._texts.take(pa.array(np.concatenate(articles)))
        _, ends, characters = taken.buffers()
        starts = np.frombuffer(ends, np.int64, len(taken) + 1)[offsets]
        return pa.LargeStringArray.from_buffers(len(articles), pa.py_buffer(starts.tobytes()), characters)


class _Story(NamedTuple):
    """An article before it has an id."""

    tokens: Tokens
    furniture: int
    source: int
    kind: str = "story"
    of: str = ""
    """Id of the article that it is a copy of."""


def synthetic(articles: int, seed: int = 7) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield about ``_CHUNK`` articles at a time (``ARTICLES``) and what is known of them (``TRUTH``).

    Some 6 % of the stories have copies, up to a few thousand articles later and from other sources, all of one kind:

    - ``exact``: byte for byte;
    - ``furniture``: the same story, but another page left something behind, as in those that follow;
    - ``near``: house edits, single words replaced; Jaccard of word 5-shingles at least 0.75 without the furniture;
    - ``excerpt``: its first paragraphs; Jaccard below 0.7, containment 1 without the furniture.

    A ``follow-up`` is no copy: it repeats up to a third of another story under a longer new one.

    >>> batch, truth = next(synthetic(100))
    >>> batch.num_rows, truth.num_rows, batch.schema.names
    (100, 100, ['id', 'source', 'url', 'title', 'date', 'text'])
    """
    table = _Table()
    due: list[_Story] = []  # copies that are still to come
    for chunk, start in enumerate(range(0, articles, _CHUNK)):
        rng = np.random.RandomState([seed, chunk])
        count = min(_CHUNK, articles - start)
        copies, due = _draw(rng, due, min(count // 4, len(due) // 8 + 1) if due else 0)
        stories = [_Story(t, f, s) for t, f, s in _new_stories(table, rng, count - len(copies))]
        together = stories + [_finish(table, rng, copy, stories[0].tokens) for copy in copies]
        order = rng.permutation(count)
        placed = [together[at] for at in order]
        ids = _ids(start, count)
        for place, at in enumerate(order):
            if at < len(stories):
                due += _copies(table, rng, together[at], ids[place])
        yield _batches(table, placed, ids, start)


def one_story(articles: int, seed: int = 7) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """One story of 600 words as often as asked, one to three words of it changed in every copy."""
    table = _Table()
    story, first = _paragraphs(table, np.random.RandomState(seed), 600), ""
    for chunk, start in enumerate(range(0, articles, _CHUNK)):
        rng = np.random.RandomState([seed, chunk])
        ids = _ids(start, min(_CHUNK, articles - start))
        first = first or ids[0]
        copies = [
            _Story(_edited(table, rng, story, 1 + rng.randint(3)), 0, rng.randint(len(_SOURCES)), "near", first)
            for _ in ids
        ]
        if not start:
            copies[0] = _Story(story, 0, 0)
        yield _batches(table, copies, ids, start)


def boilerplate(articles: int, seed: int = 7) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Different short stories, 80 to 300 words, that all end with the same paragraph of 120."""
    table = _Table()
    shared = _paragraphs(table, np.random.RandomState(seed), 120)
    # One paragraph: its inner breaks become full stops.
    breaks = np.array([_NEW_PARAGRAPH, _SAID_PARAGRAPH]) + table.separators
    shared = np.where(np.isin(shared, breaks), table.separators + _STOP, shared).astype(np.int32)
    for chunk, start in enumerate(range(0, articles, _CHUNK)):
        rng = np.random.RandomState([seed, chunk])
        ids = _ids(start, min(_CHUNK, articles - start))
        stories = [
            _Story(np.concatenate([_open_end(table, own), shared]), 0, rng.randint(len(_SOURCES)))
            for own in (_paragraphs(table, rng, rng.randint(80, 301)) for _ in ids)
        ]
        yield _batches(table, stories, ids, start)


_TEMPLATES: Final = tuple(
    (title, " ".join(text.split("\n")).replace("  ", "\n\n"))
    for title, text in (
        (
            "{a} profit rises to {n} million crowns",
            """{a} said on Thursday that its net profit rose to {n} million crowns in the quarter that ended in
September, from {m} million a year before. Revenue came to {p} million crowns, {q} per cent more than in the same three
months of last year, while analysts had expected {r} million on average.

"We are satisfied with the quarter, and with the way in which our people dealt with higher costs," said {b} {c}, the
chief executive. The board of {a} left its outlook for the full year unchanged.

Earnings per share were {k} cents after one-off items. Shares of {a} have gained {q} per cent since the start of the
year, and closed at {s} crowns on Wednesday. This report was made from the company's statement and checked by an editor
before it was published. Figures are rounded and may therefore not add up.""",
        ),
        (
            "Weather for {a} and the coast",
            """The day begins with fog in the valleys around {a} and clears from the west before noon, the weather
service says. Highs reach {k} degrees in {a} and {l} on the coast near {b}, where the wind may still be felt.

In the night it cools down to {j} degrees, with a chance of rain of {q} per cent towards the morning. The wind blows
from the south-west at {l} kilometres an hour, and gusts of {s} are possible on the hills. Boats are advised to stay in
port where the harbour master says so. The sun rises at {h}.{m} and sets at {i}.{n}.

The outlook for the days that follow is mixed: sun and clouds take turns, and in most places it stays dry. Pollen counts
are moderate, those of grasses low. The next report comes out this evening at six, and can be heard on the service's
telephone line at any hour, in four languages.""",
        ),
        (
            "{a} {h}, {b} {i}",
            """{a} beat {b} {h}-{i} in front of {p} spectators on Saturday, and moved up to place {j} in the table of
the northern league. {c} {d} scored the first goal in minute {k} after a corner, and {e} {f} the last in minute {l}.

The visitors had the better of the first half without making much of it. After the break the home side pressed, and the
referee showed {g} of {b} a yellow card for a late tackle. "We knew that we had to be patient," the coach of {a} said.

With this result {a} has {m} points, and {b} {n}. The league goes on next weekend, when {b} plays at home. Tickets are
sold at the grounds and at the usual places in town. Results, tables and the fixtures
of all clubs are found in the sports pages.""",
        ),
        (
            "Senator: {a} to receive {n},{m} crowns for its fire brigade",
            """Senator Ada Corwin announced today that the fire brigade of {a} will receive {n},{m} crowns from the
federal programme for firefighters. "The men and women of our fire brigades risk their lives for their neighbours every
day, and it is only right that they have the equipment that keeps them safe," Corwin said. "I have fought for this
programme since I came to the Senate, and I will go on doing so as long as there are fires."

The brigade in {a} will use the grant to replace {k} breathing sets. The programme pays for equipment, for training and
for vehicles, and has been awarding grants directly to fire brigades since it was founded. It is run by the agency for
civil protection together with the national fire administration. Grants are awarded on a competitive basis, after a
review by a panel of firefighters, to those who address the goals of the programme best and show the greatest need. Last
year more than five thousand brigades all over the country were supported in this way.

Corwin is a member of the committee on home affairs, and chairs its panel on public safety. She was a volunteer in the
brigade of her home town for eleven years. Brigades that want to apply in the next round find the forms at the agency's
offices; those that were turned down this time may apply again without further papers.""",
        ),
    )
)


def look_alikes(articles: int, seed: int = 7) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """:func:`synthetic` stories and their copies, and a tenth of others that look like copies and are none.

    - ``template``: company results, weather, matches and grants, each kind with the same words around other names and
      numbers; those of a kind come from one source, or from all sources. Jaccard up to 0.9;
    - ``embedding``: a new story that carries a whole one of another source below its own text.
    """
    table = _Table()
    others = articles // 10
    made = 0
    for chunk, (batch, truth) in enumerate(synthetic(articles - others, seed)):
        yield batch, truth
        rng = np.random.RandomState([seed, chunk, 1])
        count = min(others - made, batch.num_rows // 9 + 1)
        rows = [_look_alike(table, rng, batch) for _ in range(count)]
        if not rows:
            continue
        kinds, sources, titles, texts = zip(*rows, strict=True)
        ids = [f"b{number:08d}" for number in range(made, made + count)]
        urls = [f"https://{source}/{article_id}" for source, article_id in zip(sources, ids, strict=True)]
        dates = batch["date"].slice(batch.num_rows - 1).take(pa.array([0] * count))
        columns = [ids, sources, urls, titles, dates, texts]
        yield (
            pa.RecordBatch.from_arrays(
                [pa.array(c, t.type) for c, t in zip(columns, ARTICLES, strict=True)], schema=ARTICLES
            ),
            pa.RecordBatch.from_arrays([pa.array(ids), pa.array(ids), pa.array(kinds)], schema=TRUTH),
        )
        made += count


def _look_alike(table: _Table, rng: np.random.RandomState, batch: pa.RecordBatch) -> tuple[str, str, str, str]:
    """Kind, source, title and text."""
    if rng.random_sample() < 0.3:
        at = rng.randint(batch.num_rows)
        own = _open_end(table, _paragraphs(table, rng, rng.randint(150, 400)))
        first, below = table.text([own])[0].as_py(), batch["text"][at].as_py()
        sources = [source for source in _SOURCES if source != batch["source"][at].as_py()]
        return "embedding", sources[rng.randint(len(sources))], first[:70].replace("\n\n", " "), first + below
    which = rng.randint(2 * len(_TEMPLATES))
    names = {letter: table.name(rng) for letter in "abcdefg"}
    numbers = {letter: str(rng.randint(1, 10)) for letter in "hij"} | {
        letter: str(rng.randint(10, 60)) for letter in "klq"
    }
    numbers |= {letter: str(rng.randint(100, 1000)) for letter in "mnprs"}
    title, text = (template.format(**names, **numbers) for template in _TEMPLATES[which // 2])
    source = _SOURCES[which // 2 if which % 2 else rng.randint(len(_SOURCES))]
    return "template", source, title, text


KINDS: Final = {
    "stories": synthetic,
    "one-story": one_story,
    "boilerplate": boilerplate,
    "look-alikes": look_alikes,
}


def _ids(start: int, count: int) -> list[str]:
    return [f"a{number:08d}" for number in range(start, start + count)]


def _draw(rng: np.random.RandomState, due: list[_Story], count: int) -> tuple[list[_Story], list[_Story]]:
    chosen = set(rng.permutation(len(due))[:count].tolist())
    return [due[at] for at in sorted(chosen)], [story for at, story in enumerate(due) if at not in chosen]


def _new_stories(table: _Table, rng: np.random.RandomState, count: int) -> Iterator[tuple[Tokens, int, int]]:
    words = np.exp(rng.normal(np.log(_MEDIAN_WORDS), _SPREAD, count)).clip(_MIN_WORDS, _MAX_WORDS).astype(int)
    ends = np.cumsum(words)
    tokens = _running_text(table, rng, ends)
    furniture = np.where(rng.random_sample(count) < 0.25, rng.randint(1, len(_FURNITURE), count), 0)
    sources = rng.randint(len(_SOURCES), size=count)
    damaged = rng.random_sample(count) < 0.01
    for start, end, at_end, source, is_damaged in zip(ends - words, ends, furniture, sources, damaged, strict=True):
        story = tokens[2 * start : 2 * end].copy()
        if is_damaged:
            places = 2 * rng.randint(len(story) // 2, size=4)
            story[places] = table.damaged + rng.randint(len(_DAMAGED), size=4)
        yield story, int(at_end), int(source)


def _paragraphs(table: _Table, rng: np.random.RandomState, words: int) -> Tokens:
    return _running_text(table, rng, np.array([words]))


def _running_text(table: _Table, rng: np.random.RandomState, ends: npt.NDArray[np.int64]) -> Tokens:
    """Word, separator, word, separator …; ``ends`` says after how many words each article ends."""
    total = int(ends[-1])
    draw = rng.random_sample(total)
    separators = np.full(total, _SPACE, np.int32)
    separators[draw < _SENTENCE + 0.065] = _COMMA
    separators[draw < _SENTENCE + 0.005] = _DASH
    sentence = draw < _SENTENCE
    paragraph = sentence & (rng.random_sample(total) < _PARAGRAPH)
    kind = rng.random_sample(total)
    separators[sentence] = np.where(kind < 0.05, _ASKED, np.where(kind < 0.15, _SAID, _STOP))[sentence]
    separators[paragraph] = np.where(kind < 0.15, _SAID_PARAGRAPH, _NEW_PARAGRAPH)[paragraph]
    separators[ends - 1] = _STOP
    words = table.words(rng, total)
    first = np.concatenate([[True], separators[:-1] >= _ENDS])
    words[first | (rng.random_sample(total) < 0.03)] += _VOCABULARY  # sentences and names begin with a capital
    tokens = np.empty(2 * total, np.int32)
    tokens[0::2], tokens[1::2] = words, separators + table.separators
    return tokens


def _copies(table: _Table, rng: np.random.RandomState, story: _Story, story_id: str) -> Iterator[_Story]:
    """What will be copied of a story, later."""
    chance = rng.random_sample()
    if chance < _FOLLOWED:
        yield _Story(story.tokens, 0, rng.randint(len(_SOURCES)), "follow-up", story_id)
    if chance > 1 - _COPIED:
        kind = _KINDS[rng.randint(len(_KINDS))]
        cuts = _excerpt_ends(table, story.tokens)
        if kind == "excerpt" and not len(cuts):
            kind = "near"
        for _ in range(min(int(rng.geometric(0.5)), 20)):
            tokens, furniture = story.tokens, story.furniture
            if kind == "near":
                words = len(tokens) // 2
                tokens = _edited(table, rng, tokens, max(1, int(words * rng.uniform(0.005, 0.028))))
            elif kind == "excerpt":
                tokens = tokens[: cuts[rng.randint(len(cuts))]]
            if kind != "exact":
                furniture = (furniture + rng.randint(1, len(_FURNITURE))) % len(_FURNITURE)
            source = (story.source + rng.randint(1, len(_SOURCES))) % len(_SOURCES)
            yield _Story(tokens, furniture, source, kind, story_id)


def _finish(table: _Table, rng: np.random.RandomState, copy: _Story, new: Tokens) -> _Story:
    """A follow-up gets its own story on top; everything else is ready."""
    if copy.kind != "follow-up":
        return copy
    own = _paragraphs(table, rng, max(len(new) // 2, 300))
    background = copy.tokens[: 2 * (min(len(copy.tokens), len(own)) // 6)]
    return copy._replace(tokens=np.concatenate([_open_end(table, own), background]), of="")


def _open_end(table: _Table, story: Tokens) -> Tokens:
    """The story with a paragraph break for its last full stop, so that more can follow."""
    return np.concatenate([story[:-1], np.array([table.separators + _NEW_PARAGRAPH], np.int32)])


def _edited(table: _Table, rng: np.random.RandomState, story: Tokens, words: int) -> Tokens:
    edited = story.copy()
    edited[2 * rng.randint(len(story) // 2, size=words)] = table.words(rng, words)
    return edited


def _excerpt_ends(table: _Table, story: Tokens) -> npt.NDArray[np.int64]:
    """Ends of paragraphs from 35 to 60 % of a story that is long enough for an excerpt; without the break itself."""
    if len(story) < 2 * 250:
        return np.empty(0, np.int64)
    ends = np.flatnonzero(story == table.separators + _NEW_PARAGRAPH)
    return ends[(ends > 0.35 * len(story)) & (ends < 0.6 * len(story))]


_FIRST_DAY: Final = np.datetime64("2024-01-01T06:00:00")


def _batches(
    table: _Table, stories: Sequence[_Story], ids: Sequence[str], start: int
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    tails = [np.array([table.furniture + story.furniture], np.int32) for story in stories]
    texts = table.text([np.concatenate([story.tokens, tail]) for story, tail in zip(stories, tails, strict=True)])
    titles = table.text([story.tokens[:15] for story in stories])
    titles = pc.replace_substring_regex(titles, r"\n\n", " ").cast(pa.string())
    sources = [_SOURCES[story.source] for story in stories]
    urls = [f"https://{source}/{article_id}" for source, article_id in zip(sources, ids, strict=True)]
    dates = (_FIRST_DAY + np.arange(start, start + len(ids)) * 7).astype(str).tolist()
    return (
        pa.RecordBatch.from_arrays(
            [pa.array(ids), pa.array(sources), pa.array(urls), titles, pa.array(dates), texts], schema=ARTICLES
        ),
        pa.RecordBatch.from_arrays(
            [
                pa.array(ids),
                pa.array([story.of or article_id for story, article_id in zip(stories, ids, strict=True)]),
                pa.array([story.kind for story in stories]),
            ],
            schema=TRUTH,
        ),
    )


# Real, and made larger


def read_articles(paths: Iterable[Path], limit: int) -> Iterator[pa.RecordBatch]:
    """The first ``limit`` articles of Parquet files with the columns ``id`` and ``text``; others come along.

    Rows without a text are left out: some peers stop at them. Raises ``ValueError`` where a column is missing.
    """
    schema: pa.Schema | None = None
    for path in paths:
        file = pq.ParquetFile(path)
        if missing := {"id", "text"} - set(file.schema_arrow.names):
            raise ValueError(f"[{path.name}] has no column [{missing.pop()}]; benchmarks need id and text")
        schema = schema or file.schema_arrow
        for batch in file.iter_batches(ROW_GROUP, columns=schema.names):
            batch = pa.Table.from_batches([batch]).cast(schema).to_batches()[0]
            batch = batch.filter(pc.is_valid(batch["text"]))[:limit]
            limit -= batch.num_rows
            yield batch
            if limit <= 0:
                return


def enlarged(paths: Sequence[Path], limit: int, times: int) -> Iterator[pa.RecordBatch]:
    """The articles as they are and then ``times`` - 1 times more, each time perturbed into other stories."""
    yield from read_articles(paths, limit)
    perturb = Perturbation(text for batch in read_articles(paths, _SAMPLE) for text in batch["text"].to_pylist())
    for version in range(1, times):
        for batch in read_articles(paths, limit):
            columns = {name: batch[name] for name in batch.schema.names}
            changed = {
                "text": [perturb(text, version) for text in columns["text"].to_pylist()],
                "id": [_id_in(version, article_id) for article_id in columns["id"].to_pylist()],
            }
            if "url" in columns:
                changed["url"] = [url and f"{url}?version={version}" for url in columns["url"].to_pylist()]
            columns |= {name: pa.array(values, batch.schema.field(name).type) for name, values in changed.items()}
            yield pa.RecordBatch.from_arrays([columns[name] for name in batch.schema.names], schema=batch.schema)


def enlarged_truth(truth: pa.Table, times: int) -> pa.Table:
    """What is known of :func:`enlarged` articles: within each version the same as before.

    >>> enlarged_truth(pa.table({"id": ["b"], "story": ["a"], "kind": ["near"]}), 2)["story"].to_pylist()
    ['a', 'a-1']
    """
    versions = [truth]
    for version in range(1, times):
        ids, stories = ([_id_in(version, value) for value in truth[name].to_pylist()] for name in ("id", "story"))
        versions.append(pa.table({"id": ids, "story": stories, "kind": truth["kind"]}))
    return pa.concat_tables(versions)


def _id_in(version: int, article_id: str) -> str:
    return f"{article_id}-{version}"


_SAMPLE = 5_000  # articles whose words are known; a rarer word stays as it is
_WORD = re.compile(r"\w+")
_MAPPABLE = re.compile(r"[A-Za-z]+|\d+|[^\W\d_\u0000-\u036f]+")
_FUNCTION_WORDS = 64  # the most frequent of each kind stay: they hold the language together
_BLOCK = 32  # words of similar frequency that stand in for each other
_TAIL_LINES, _LONG_LINE = 15, 80  # lines; characters


class Perturbation:
    """Makes an article a new story by giving its words other meanings: each becomes another of about its frequency.

    A word becomes the same word everywhere in a version, so copies of each other stay that. Short lines after the last
    long one stay as they are, and with them page furniture; so do words of mixed alphabets, and with them mojibake.
    Lengths, sentences, paragraphs and function words stay.

    >>> perturb = Perturbation([" ".join(f"w{n}" for n in range(100, 300)), "x " * 3])
    >>> perturb("no such words here", 1)
    'no such words here'
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_WORD.findall(text))
        self._classes: dict[str, list[str]] = {}
        for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            if _MAPPABLE.fullmatch(word):
                self._classes.setdefault(_shape(word), []).append(word)
        self._maps: dict[int, dict[str, str]] = {}

    def __call__(self, text: str, version: int) -> str:
        """The text as another story; another one for each ``version`` from 1."""
        if version not in self._maps:
            self._maps[version] = self._make_map(version)
        words = self._maps[version]
        lines = text.split("\n")
        long = [at for at, line in enumerate(lines) if len(line) >= _LONG_LINE]
        end = max(long[-1] + 1, len(lines) - _TAIL_LINES) if long else len(lines)
        story = _WORD.sub(lambda found: words.get(found[0], found[0]), "\n".join(lines[:end]))
        return "\n".join([story, *lines[end:]])

    def _make_map(self, version: int) -> dict[str, str]:
        words: dict[str, str] = {}
        for ranked in self._classes.values():
            for start in range(_FUNCTION_WORDS, len(ranked), _BLOCK):
                block = ranked[start : start + _BLOCK]
                shift = version % len(block)
                words.update(zip(block, block[shift:] + block[:shift], strict=True))
        return words


def _shape(word: str) -> str:
    if word.isdigit():
        return f"digits-{len(word)}"
    return "lower" if word.islower() else "title" if word.istitle() else "upper" if word.isupper() else "other"


# Files


def write_parts(batches: Iterable[pa.RecordBatch], folder: Path, rows_a_file: int) -> tuple[int, int]:
    """Write articles as ``part-00000.parquet`` …, streaming; return how many they are and the bytes of their texts."""
    folder.mkdir(parents=True, exist_ok=True)
    articles = text_bytes = 0
    rows: list[pa.RecordBatch] = []
    waiting = 0
    writer: pq.ParquetWriter | None = None
    in_file = 0

    def flush(count: int) -> None:
        nonlocal writer, in_file, waiting, rows, articles
        table = pa.Table.from_batches(rows)
        if writer is None:
            writer = pq.ParquetWriter(
                folder / f"part-{articles // rows_a_file:05d}.parquet", table.schema, compression="zstd"
            )
        writer.write_table(table.slice(0, count))
        rows, waiting = table.slice(count).to_batches(), waiting - count
        articles, in_file = articles + count, in_file + count
        if in_file == rows_a_file:
            writer.close()
            writer, in_file = None, 0

    for batch in batches:
        rows.append(batch)
        waiting += batch.num_rows
        text_bytes += pc.sum(pc.binary_length(batch["text"])).as_py() or 0
        while waiting >= (room := min(ROW_GROUP, rows_a_file - in_file)):
            flush(room)
    if waiting:
        flush(waiting)
    if writer is not None:
        writer.close()
    return articles, text_bytes


def make_synthetic(
    folder: Path, articles: int, seed: int = 7, kind: Kind = "stories", rows_a_file: int = 100_000
) -> Corpus:
    """Write a synthetic corpus: ``articles/`` and ``truth.parquet`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = folder / "truth.parquet"
    with pq.ParquetWriter(truth, TRUTH, compression="zstd") as writer:

        def articles_only() -> Iterator[pa.RecordBatch]:
            for batch, known in KINDS[kind](articles, seed):
                writer.write_batch(known)
                yield batch

        count, text_bytes = write_parts(articles_only(), folder / "articles", rows_a_file)
    return Corpus(folder / "articles", count, text_bytes, truth)


class Score(NamedTuple):
    """How well a run folded what the truth calls copies."""

    recall: float
    """Share of the surplus copies that were removed: a story told five times has four."""
    precision: float
    """Share of what was removed that was surplus: one article of each story must stay."""
    by_kind: dict[str, float]
    """Recall by how the copies were made."""


def score(truth: pa.Table, kept: Iterable[str]) -> Score:
    """Hold the ids that a run kept against the truth.

    Which article of a story is kept does not matter, so tools that keep another than the first lose nothing.

    >>> truth = pa.table({"id": ["a", "b", "c"], "story": ["a", "a", "c"], "kind": ["story", "near", "story"]})
    >>> score(truth, ["b"])
    Score(recall=1.0, precision=0.5, by_kind={'near': 1.0})
    """
    stay = set(kept)
    told: Counter[str] = Counter()
    left: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for article_id, story, kind in zip(*(truth[name].to_pylist() for name in TRUTH.names), strict=True):
        told[story] += 1
        left[story] += article_id in stay
        if kind in _KINDS:
            kinds[story] = kind
    surplus: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for story, kind in kinds.items():
        surplus[kind] += told[story] - 1
        removed[kind] += min(told[story] - left[story], told[story] - 1)
    gone = told.total() - left.total()
    return Score(
        recall=removed.total() / surplus.total() if surplus else 1.0,
        precision=removed.total() / gone if gone else 1.0,
        by_kind={kind: removed[kind] / surplus[kind] for kind in _KINDS if surplus[kind]},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a synthetic corpus to a folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=main.__doc__)
    parser.add_argument("folder", type=Path, metavar="OUT", help="gets articles/ and truth.parquet")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--kind", choices=KINDS, default="stories")
    given: Any = parser.parse_args(arguments)
    if (given.folder / "articles").exists():
        parser.error(f"[{given.folder}] already holds a corpus")
    corpus = make_synthetic(given.folder, given.articles, given.seed, given.kind)
    print(f"{corpus.articles:,} articles, {corpus.text_bytes / 1e6:,.0f} MB of text")


if __name__ == "__main__":
    main()
