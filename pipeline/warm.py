"""Compiles the kernels: ``python -m pipeline.warm``.

Machine code is kept beside the sources, or in the user's cache where nobody may write there. Without this the first run
would compile it, in half a minute; whoever builds an image has it done once.
"""

import logging


def main() -> None:
    """Compile whatever is not compiled."""
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns of extras that are not installed
    from pipeline.workers import load_kernels
    from transforms.text.clean import CleanConfig

    load_kernels(CleanConfig())


if __name__ == "__main__":
    main()
