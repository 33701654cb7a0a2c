"""The graph; reads like its diagram in docs/architecture.md."""

from collections.abc import Iterator, Sequence
from functools import partial

import apache_beam as beam

from pipeline.commit import Commit, Terms
from pipeline.formats import Format, ReadOptions
from pipeline.readers import PartReader
from pipeline.sources import Split, Stamp, stamp_of
from transforms.candidates import FindBandEdges, FindContainmentEdges, FindRepeatedIds
from transforms.clean import CleanShards, PartBatch
from transforms.coder import Keyed
from transforms.components import FindComponents
from transforms.config import DedupConfig, Keep, LedgerConfig
from transforms.errors import RunFailedError
from transforms.finalise import NOTHING, FinaliseShards, NumberLines
from transforms.index import FindWindow
from transforms.index_part import WriteIndexPart
from transforms.ledger import NOTHING_LEARNED, LearnBoilerplate, StripShards
from transforms.records import Records
from transforms.sign import SignShards
from transforms.staging import Staging
from transforms.text.clean import CleanConfig
from transforms.text.stories import MIN_JACCARD
from transforms.verify import FetchMembers, VerifyComponents


def build(
    pipeline: beam.Pipeline,
    splits: Sequence[Split],
    staging: Staging,
    *,
    read: ReadOptions,
    clean: CleanConfig,
    dedup: DedupConfig,
    ledger: LedgerConfig,
    keep: Keep,
    terms: Terms,
) -> None:
    """Lay the whole graph: splits in, a committed output folder out."""
    # Beam's local runner deals them out in turn before any worker begins: the largest first, that each gets as much.
    largest_first = sorted(splits, key=lambda split: -split.text_bytes)
    counts = (
        pipeline
        | "Splits" >> beam.Create(largest_first, reshuffle=False)
        | "SpreadSplits" >> beam.Reshuffle()
        | "CleanShards"
        >> CleanShards(read=partial(read_split, options=read), staging=staging, config=clean, ledger=ledger.learn)
    )
    shards = counts | "Shards" >> beam.Keys()
    index = terms.indexing.index if terms.indexing else None
    window = beam.pvalue.AsSingleton(shards | FindWindow(staging=staging, index=index)) if index else None
    if ledger.learn:
        learned = shards | "LearnBoilerplate" >> LearnBoilerplate(staging=staging, config=ledger)
        shards = shards | "StripShards" >> StripShards(staging=staging, learned=learned)
    else:
        learned = pipeline | "NothingLearned" >> beam.Create([NOTHING_LEARNED])
    signed = shards | "SignShards" >> SignShards(staging=staging, config=dedup)
    renames = signed.ids | "FindRepeatedIds" >> FindRepeatedIds()

    near = signed.bands | "FindBandEdges" >> FindBandEdges(staging=staging, window=window)
    contained = signed.fingerprints | "FindContainmentEdges" >> FindContainmentEdges(
        staging=staging,
        containment=dedup.containment,
        min_jaccard=MIN_JACCARD if dedup.decide == "signs" else 1.0,
        window=window,
    )
    members = (near, contained) | "Edges" >> beam.Flatten() | "FindComponents" >> FindComponents()

    decisions = (
        {"members": members, "renames": renames}
        | "FetchMembers" >> FetchMembers(staging=staging, index=index)
        | "VerifyComponents" >> VerifyComponents(config=dedup, index=index)
    )
    lines = counts | "NumberLines" >> NumberLines()
    every = counts | "EveryShard" >> beam.Map(lambda counted: (counted[0], NOTHING)).with_output_types(Keyed)
    parts = {"shards": every, "decisions": decisions, "renames": renames, "lines": lines} | (
        "FinaliseShards"
        >> FinaliseShards(staging=staging, output=terms.output, keep=keep, learned=learned, indexed=index is not None)
    )
    index_files = None
    if terms.indexing and window:
        part = WriteIndexPart(
            output=terms.output, part=terms.indexing.part_uri, staging=staging, config=dedup, window=window
        )
        index_files = beam.pvalue.AsList(parts | "WriteIndexPart" >> part)
    _ = parts | "Commit" >> Commit(terms=terms, index_files=index_files, window=window)


def read_split(split: Split, options: ReadOptions) -> Iterator[PartBatch]:
    """The records of a split, part by part.

    Raises:
        RunFailedError: a file is no longer what it was when it was found. Its first shards may hold what it was.
    """
    for part, stamp in zip(split.parts, split.stamps, strict=True):
        reader = PartReader(part, options)
        for records in reader:
            yield PartBatch(part.uri, records)
        lines = reader.lines if part.format is Format.JSONL and (part.start, part.end) != (0, -1) else None
        if lines is not None or reader.unread_dates:
            nothing = Records.of([])
            yield PartBatch(part.uri, nothing, part.start, lines, reader.unread_dates, reader.unread_date)
        _check_unchanged(part.uri, stamp)


def _check_unchanged(uri: str, stamp: Stamp | None) -> None:
    if stamp is not None and (now := stamp_of(uri)) != stamp:
        what = "has vanished" if now is None else f"has changed from {stamp} to {now}"
        raise RunFailedError(
            f"the input [{uri}] {what} since the run began; nothing was committed. When it is whole, begin anew with "
            "--overwrite"
        )
