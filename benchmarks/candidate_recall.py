"""Prints which of the pairs known to be alike are candidates: ``python -m benchmarks.candidate_recall DATA``.

``DATA`` is a folder laid out as the development data is: ``bulk/NAME.parquet`` (``id``, ``text``) and
``neardup/NAME/pairs.parquet`` (``id_a``, ``id_b``, ``jaccard``, ``containment``, computed without MinHash from the raw
texts). The raw texts are signed, so that both sides see the same words, and the stages of a run find the edges. A pair
is a candidate when it shares a band or is an edge of the fingerprints; it is compared when it ends in one component.
Beside it stands ``datasketch.MinHashLSH(threshold=0.7, num_perm=128)`` as its documentation uses it, on the texts'
words (characters in Chinese and Japanese) and of the articles in pairs alone.

With ``--text-dedup``, that runs as well, on the whole corpora, by the driver and in the environment of ``make bench``:
which pairs it puts into one cluster. Its words are what stands between characters that are neither letters nor digits,
also where that is nothing, so ", " adds an empty one; marks part the words of Arabic, and a clause of Chinese or
Japanese is one word. Texts of fewer than five such words it leaves out.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH

from benchmarks.run import DRIVERS, install_peer, python_of
from transforms.batches import column, cut_by, make_batch
from transforms.candidates import FindBandEdges, FindContainmentEdges
from transforms.config import DedupConfig
from transforms.exchange import Notice, notices_of, partition_of, read_partition, write_partitions
from transforms.schemas import BANDS, EDGES, FINGERPRINTS
from transforms.sign import sign_batch
from transforms.staging import Staging
from transforms.text.minhash import band_keys, choose_banding, sign_articles
from transforms.text.stories import MIN_JACCARD
from transforms.text.unionfind import connected_components

_CONFIG: Final = DedupConfig()
_BATCH: Final = 2_000  # articles
_SHOWN: Final = 10  # missed pairs of a corpus
_WORKERS: Final = "2"
_WORD: Final = re.compile(r"\w+")
_SOLO: Final = ("ja", "zh")  # languages of which a shingle is five characters
# text-dedup's clusters hold a class of its own, so they are read in its environment.
_CLUSTERS: Final = """
import json, pickle, sys
found = pickle.load(open(sys.argv[1], "rb"))
print(json.dumps([[row, found.find(row)] for row in list(found.parent)]))
"""

Found = npt.NDArray[np.bool_]


def find_edges(texts: pa.Table) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Edges [n, 2] between rows of ``texts`` (``id``, ``url``, ``text``): of the bands, and of the fingerprints."""
    with tempfile.TemporaryDirectory() as folder:
        staging = Staging(folder)
        written: dict[str, list[Notice]] = {"bands": [], "fingerprints": []}
        first = 0
        for part, batch in enumerate(texts.combine_chunks().to_batches(_BATCH)):
            signed = sign_batch(batch, first, _CONFIG)
            for what, schema in (("bands", BANDS), ("fingerprints", FINGERPRINTS)):
                rows = make_batch(schema, *signed[what])
                parts = cut_by(partition_of(column(rows, schema.names[0])), rows)
                written[what] += write_partitions(staging.exchange(what, part), schema, parts)
            first += batch.num_rows
        with beam.Pipeline() as pipeline:
            _ = pipeline | "Bands" >> beam.Create(written["bands"]) | FindBandEdges(staging=staging)
            _ = (
                pipeline
                | "Fingerprints" >> beam.Create(written["fingerprints"])
                | FindContainmentEdges(staging=staging, containment=_CONFIG.containment, min_jaccard=MIN_JACCARD)
            )
        return _read_edges(folder, "band-edges"), _read_edges(folder, "pair-edges")


def _read_edges(folder: str, what: str) -> npt.NDArray[np.uint64]:
    edges = [np.empty((0, 2), np.uint64)]
    for path in sorted(Path(folder, "exchange").glob(f"{what}-*.parquet")):
        for number, uri in notices_of(str(path)):
            rows = read_partition(EDGES, (number, [uri]))
            edges.append(np.stack([column(rows, name) for name in EDGES.names], axis=1))
    return np.concatenate(edges)


def share_a_band(texts: pa.ChunkedArray, pairs: npt.NDArray[np.int64]) -> Found:
    """Whether the two of each pair [n, 2] are in one bucket of a band."""
    keys = []
    banding = choose_banding(_CONFIG.threshold, _CONFIG.num_perm)
    rows, places = np.unique(pairs, return_inverse=True)
    chosen = texts.take(pa.array(rows)).combine_chunks().cast(pa.large_string())
    for start in range(0, len(chosen), _BATCH):
        part = pa.concat_arrays([chosen.slice(start, _BATCH)])
        signed = sign_articles(part, _CONFIG.shingle, _CONFIG.num_perm, _CONFIG.scale)
        keys.append(band_keys(signed.signatures, banding))
    both = np.concatenate(keys)[places.reshape(pairs.shape)]
    shared: Found = np.any(both[:, 0] == both[:, 1], axis=1)
    return shared


def found_by_datasketch(texts: Sequence[str], pairs: npt.NDArray[np.int64], *, solo: bool) -> Found:
    """Whether plain datasketch returns the second of each pair when it is asked for the first."""
    index = MinHashLSH(threshold=0.7, num_perm=128)
    signatures: dict[int, Any] = {}
    for row in np.unique(pairs).tolist():
        words = _WORD.findall(unicodedata.normalize("NFKC", texts[row]).casefold())
        units, joint = ("".join(words), "") if solo else (words, " ")
        signature = MinHash(num_perm=128)
        starts = range(max(len(units) - _CONFIG.shingle + 1, min(len(units), 1)))
        shingles = {joint.join(units[start : start + _CONFIG.shingle]) for start in starts}
        signature.update_batch([shingle.encode() for shingle in shingles])
        signatures[row] = signature
        index.insert(row, signature)
    answers = {row: set(index.query(signature)) for row, signature in signatures.items()}
    return np.array([right in answers[left] for left, right in pairs.tolist()], bool)


def found_by_text_dedup(texts: pa.Table, pairs: npt.NDArray[np.int64]) -> Found:
    """Whether text-dedup puts the two of each pair into one cluster, be it by a chain."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "articles"), Path(folder, "kept")
        source.mkdir()
        pq.write_table(texts.select(["id", "text"]), source / "part-0.parquet")
        python = python_of("text-dedup")
        command = [python, DRIVERS / "with_text_dedup.py", source, target, _WORKERS, "--debug"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        read = [python, "-c", _CLUSTERS, target / "uf.pkl"]
        cluster = dict(json.loads(subprocess.run(read, check=True, capture_output=True).stdout))
    return np.array([left in cluster and cluster[left] == cluster.get(right) for left, right in pairs.tolist()], bool)


class Truth(NamedTuple):
    """A corpus and its pairs at J >= 0.7 or C >= 0.8."""

    texts: pa.Table
    pairs: npt.NDArray[np.int64]
    """Rows of ``texts`` [n, 2]."""
    jaccard: npt.NDArray[np.float64]
    containment: npt.NDArray[np.float64]


def read_truth(name: str, data: Path) -> Truth:
    """Read one corpus and its pairs."""
    texts = pq.read_table(data / "bulk" / f"{name}.parquet", columns=["id", "url", "text", "lang"])
    truth = pq.read_table(data / "neardup" / name / "pairs.parquet")
    row_of = {article_id: row for row, article_id in enumerate(texts["id"].to_pylist())}
    pairs = np.array(
        [[row_of[article_id] for article_id in truth[side].to_pylist()] for side in ("id_a", "id_b")], np.int64
    ).T
    jaccard, containment = truth["jaccard"].to_numpy(), truth["containment"].to_numpy()
    wanted = (jaccard >= 0.7) | (containment >= 0.8)
    return Truth(texts, pairs[wanted], jaccard[wanted], containment[wanted])


def measure(name: str, data: Path, *, text_dedup: bool) -> None:
    """Print a row of each kind of pair in one corpus."""
    texts, pairs, jaccard, containment = read_truth(name, data)
    schema = pa.schema([("id", pa.string()), ("url", pa.string()), ("text", pa.large_string())])
    bands, shared = find_edges(texts.select(schema.names).cast(schema))
    edges = set(map(tuple, np.sort(shared, axis=1).tolist()))
    by_fingerprint = np.array([tuple(pair) in edges for pair in np.sort(pairs, axis=1).tolist()], bool)
    by_band = share_a_band(texts["text"], pairs)
    root = _components(np.concatenate([bands, shared]), texts.num_rows)
    together = root[pairs[:, 0]] == root[pairs[:, 1]]
    solo = texts["lang"][0].as_py() in _SOLO
    columns = [by_band, by_band | by_fingerprint, together]
    columns.append(found_by_datasketch(texts["text"].to_pylist(), pairs, solo=solo))
    if text_dedup:
        columns.append(found_by_text_dedup(texts, pairs))
    for kind, chosen in (("J >= 0.7", jaccard >= 0.7), ("only C >= 0.8", jaccard < 0.7)):
        if chosen.any():
            shares = " | ".join(f"{np.mean(found[chosen]):.4f}" for found in columns)
            print(f"| {name} | {kind} | {np.count_nonzero(chosen):,} | {shares} |", flush=True)
    missed = np.flatnonzero(~together)
    for place in missed[:_SHOWN]:
        one, other = (texts["id"][int(row)].as_py() for row in pairs[place])
        alike = f"J {jaccard[place]:.3f} C {containment[place]:.3f}"
        print(f"not compared, 1 of {len(missed)}: {one} {other} {alike}", file=sys.stderr)


def _components(edges: npt.NDArray[np.uint64], articles: int) -> npt.NDArray[np.int64]:
    root = np.arange(articles)
    found = connected_components(edges[:, 0], edges[:, 1])
    root[found.nodes.astype(np.int64)] = found.component.astype(np.int64)
    return root


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("names", nargs="*", metavar="NAME", help="corpora; by default all that have pairs")
    parser.add_argument("--text-dedup", action="store_true", help="run it too, in an environment that is made for it")
    chosen = parser.parse_args()
    if chosen.text_dedup and (wrong := install_peer("text-dedup")):
        parser.error(f"text-dedup {wrong}")
    names = chosen.names or sorted(path.parent.name for path in chosen.data.glob("neardup/*/pairs.parquet"))
    columns = ["bands", "candidates", "compared", "datasketch", *["text-dedup"] * chosen.text_dedup]
    print(f"| corpus | pairs | | {' | '.join(columns)} |\n{'| --- ' * (3 + len(columns))}|")
    for name in names:
        measure(name, chosen.data, text_dedup=chosen.text_dedup)


if __name__ == "__main__":
    main()
