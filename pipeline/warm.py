"""Compiles the kernels: ``python -m pipeline.warm``.

Machine code is kept beside the sources, or in the user's cache where nobody may write there. Without this the first run
would compile it, in half a minute; whoever builds an image has it done once.
"""

import logging

import numpy as np


def compile_kernels() -> None:
    """Compile whatever is not compiled."""
    from pipeline.workers import load_kernels
    from transforms.text.clean import CleanConfig
    from transforms.text.leaders import Thresholds, match_earlier
    from transforms.text.repetition_kernel import find_repetition
    from transforms.text.sorted_keys import rows_among

    load_kernels(CleanConfig())
    # Those that only a run with an index needs, so that no other one loads them.
    for keys in (np.zeros(1, np.uint64), np.zeros(1, np.uint32)):  # of bands, of fingerprints
        rows_among(keys, keys)
    match_earlier(np.zeros(2, np.uint64), np.arange(3), np.arange(2), 1, Thresholds())
    find_repetition("")  # of single texts, as in `cleancopy eval`


if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)  # Beam, imported only now, warns of extras that are not installed
    compile_kernels()
