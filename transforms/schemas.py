"""Every schema: the outputs of the public interface and what passes between the stages."""

from typing import Final

import pyarrow as pa

from transforms.config import Keep

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")


def _field(name: str, kind: pa.DataType, unit: str = "") -> pa.Field:
    return pa.field(name, kind, metadata={"unit": unit} if unit else None)


COPY: Final = pa.struct(
    [
        _field("id", pa.string()),
        _field("url", pa.string()),
        _field("source", pa.string()),
        _field("published", TIMESTAMP),
        _field("relation", pa.string()),
        _field("jaccard", pa.float64(), "0 to 1, of shingle sets"),
        _field("containment", pa.float64(), "0 to 1, of the smaller shingle set in the other"),
    ]
)

SIGNS: Final = pa.list_(pa.struct([_field("name", pa.string()), _field("points", pa.float32())]))
"""What spoke for one story (above 0) and against it, where signs decided, then what spoke for another version of it and
not a copy; base points are not among them."""

# An article as read: its text is decoded and well formed, not yet cleaned, and not blank.
READ: Final = pa.schema(
    [
        _field("id", pa.string()),
        _field("url", pa.string()),
        _field("source", pa.string()),
        _field("title", pa.string()),
        _field("published", TIMESTAMP),
        _field("text", pa.large_string()),
        _field("encoding", pa.string()),
        _field("place", pa.int64(), "line or row, from 1; 0 = the whole file"),
    ]
)

# What CleanShard leaves in staging: an article as cleaned, before anything is known of its copies.
STAGED: Final = pa.schema(
    [
        *(READ.field(name) for name in ("id", "url", "source", "title", "published", "text", "encoding")),
        _field("credits", pa.list_(pa.string())),
        _field("edit_count", pa.int32()),
        _field("uri", pa.string()),
        READ.field("place"),
    ]
)

WORDS: Final = pa.schema([_field("words", pa.int32(), "tokens")])
"""Of each article of a shard: counted when it is signed."""

ARTICLES: Final = pa.schema(
    [
        *(STAGED.field(name) for name in ("id", "url", "source", "title", "published", "text", "encoding")),
        WORDS.field("words"),
        STAGED.field("credits"),
        _field("cluster_id", pa.string()),
        _field("cluster_size", pa.int32(), "articles"),
        _field("copies", pa.list_(COPY)),
        _field("embeds", pa.list_(pa.string())),
        STAGED.field("edit_count"),
        _field("input", pa.string()),
    ]
)

DUPLICATES: Final = pa.schema(
    [
        _field("id", pa.string()),
        _field("canonical_id", pa.string()),
        _field("cluster_id", pa.string()),
        *(COPY.field(name) for name in ("relation", "jaccard", "containment")),
        *(STAGED.field(name) for name in ("url", "source", "title", "published")),
        _field("input", pa.string()),
        _field("signs", SIGNS),
    ]
)

# With --index alone: the article may be one that an earlier run kept.
CANONICAL_RUN: Final = _field("canonical_run", pa.string(), "name of the run that canonical_id is of; null = this one")
CLUSTER_RUN: Final = _field("cluster_run", pa.string(), "name of the run that cluster_id is of; null = this one")


def articles_schema(keep: Keep, indexed: bool) -> pa.Schema:
    """``articles`` as ``--keep`` and ``--index`` have it."""
    more = [CLUSTER_RUN] if indexed else []
    if keep == "all":
        more += [DUPLICATES.field("canonical_id"), *([CANONICAL_RUN] if indexed else [])]
    return pa.schema([*ARTICLES, *more])


def duplicates_schema(indexed: bool) -> pa.Schema:
    """``duplicates`` as ``--index`` has it."""
    return pa.schema([*DUPLICATES, *([CANONICAL_RUN, CLUSTER_RUN] if indexed else [])])


EDITS: Final = pa.schema(
    [
        _field("id", pa.string()),
        _field("seq", pa.int32(), "order of application in the article, from 0"),
        _field("kind", pa.string()),
        _field("rule", pa.string()),
        _field("start", pa.int32(), "Unicode code points"),
        _field("before", pa.large_string()),
        _field("after", pa.large_string()),
    ]
)

REJECTS: Final = pa.schema(
    [
        _field("input", pa.string()),
        _field("reason", pa.string()),
        _field("detail", pa.string()),
        _field("raw", pa.binary(), "at most 64 KiB"),
    ]
)

STAGED_REJECTS: Final = pa.schema(
    [
        STAGED.field("uri"),
        STAGED.field("place"),
        *(REJECTS.field(name) for name in ("reason", "detail", "raw")),
    ]
)

# An article in the shuffle is its shard (32 bits) and its row there (32 bits).
REF: Final = _field("ref", pa.uint64(), "shard << 32 | row")

BANDS: Final = pa.schema([_field("key", pa.uint64(), "band key"), REF])
FINGERPRINTS: Final = pa.schema([_field("hash", pa.uint32()), _field("rank", pa.uint32(), "size << 16 | content"), REF])
NUMBER: Final = _field("number", pa.uint32(), "N of an id that ends in ~N, from 2; 1 of any other")
IDS: Final = pa.schema(
    [_field("key", pa.uint64(), "hash of the id without ~N"), NUMBER, _field("content", pa.uint64()), REF]
)
EDGES: Final = pa.schema([_field("left", pa.uint64()), _field("right", pa.uint64())])
PAIR_COUNTS: Final = pa.schema(
    [*EDGES, *(_field(name, pa.uint16(), "hashes") for name in ("shared", "smaller", "larger"))]
)
RENAMES: Final = pa.schema([_field("row", pa.uint32()), NUMBER])
MEMBERS: Final = pa.schema([_field("row", pa.uint32()), _field("component", pa.uint64())])

# What verification needs of an article that has candidates.
MEMBER_ARTICLES: Final = pa.schema(
    [
        _field("component", pa.uint64()),
        REF,
        *(ARTICLES.field(name) for name in ("id", "url", "source", "title", "published", "words", "text")),
        _field("cluster_id", pa.string(), "of an article of the index alone"),
        CLUSTER_RUN,
    ]
)

# An article of the index: what verification needs of it, and its date there.
INDEXED: Final = pa.schema(
    [
        *(ARTICLES.field(name) for name in ("id", "url", "source", "title", "published", "words", "text")),
        _field("cluster_id", pa.string()),
        CLUSTER_RUN,
        _field("date", pa.date32(), "day it was published; that of the run if not known"),
    ]
)

# Lines of a file that stand before a shard's part of it.
LINES_BEFORE: Final = pa.schema([STAGED.field("uri"), _field("before", pa.int64(), "lines")])

DECISIONS: Final = pa.schema(
    [
        _field("row", pa.uint32()),
        _field("canonical_id", pa.string()),
        _field("relation", pa.string()),
        COPY.field("jaccard"),
        COPY.field("containment"),
        _field("signs", SIGNS),
        _field("cluster_size", pa.int32(), "articles"),
        _field("copies", pa.list_(COPY)),
        _field("embeds", pa.list_(pa.string())),
        _field("held", pa.string(), "why the cluster that it would have led is held back, with its size"),
        CANONICAL_RUN,
        _field("cluster_id", pa.string()),
        CLUSTER_RUN,
    ]
)

# Learned boilerplate. A paragraph's key is its hash without digits and its source's hash in one.
PARAGRAPHS: Final = pa.schema([_field("key", pa.uint64()), REF])
REPEATED: Final = pa.schema([_field("row", pa.uint32()), _field("key", pa.uint64())])
"""Paragraphs that may be boilerplate, in a shard."""

# What is judged of each place where such a paragraph stands.
OCCURRENCES: Final = pa.schema(
    [
        _field("key", pa.uint64()),
        REF,
        _field("content", pa.uint64(), "hash of the article's text"),
        _field("exact", pa.uint64(), "hash of the paragraph with its digits"),
        *(_field(name, pa.uint64(), "key of a neighbour") for name in ("left", "right", "far_left", "far_right")),
        _field("elsewhere", pa.float32(), "0 to 1, of its words told elsewhere in the article"),
        _field("sketch", pa.binary(), "of the article's words, 64 times uint16"),
        STAGED.field("source"),
        _field("paragraph", pa.large_string(), "once for each shard and form"),
    ]
)

JUDGED: Final = pa.schema(
    [
        _field("key", pa.uint64()),
        STAGED.field("source"),
        _field("paragraph", pa.large_string()),
        _field("support", pa.int32(), "articles"),
        _field("diversity", pa.int32(), "distinct neighbours on the side that has fewer"),
        _field("sign", pa.string(), "what it was told by; null if by nothing of its own"),
        _field("before", pa.uint64(), "key of the paragraph that always follows, else 0"),
        _field("behind", pa.uint64(), "key of the paragraph that always stands above, else 0"),
    ]
)

BOILERPLATE: Final = pa.schema([JUDGED.field(name) for name in ("source", "paragraph", "support", "diversity", "sign")])

# Articles of a shard that lost boilerplate; the staging shard stays as it is.
OVERLAY: Final = pa.schema(
    [
        _field("row", pa.uint32()),
        *(STAGED.field(name) for name in ("text", "edit_count")),
        _field("added", pa.int32(), "edits, in the file beside it"),
    ]
)
