"""A run without what it has no use for: each package costs time, and memory in every process of it."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from typing import Any, Final, cast

_UNUSED: Final = ("pymongo", "boto3", "requests", "hdfs")
"""Of Beam's own connectors, which do without where they are not installed: 20 MB a process, 0.1 s."""


@contextlib.contextmanager
def hidden(*names: str) -> Iterator[None]:
    """Inside the block there are no such packages to import, unless they are imported already."""
    modules = cast(dict[str, Any], sys.modules)
    absent = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del modules[name]


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for inside the block: importing and loading leave hardly any, and the search takes 0.2 s."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def import_beam() -> None:
    """Import Beam for a run on this machine."""
    with hidden(*_UNUSED):
        import apache_beam  # noqa: F401


def use_one_heap() -> None:
    """Have Arrow take its memory from the C library's heap, where it is used again for everything else.

    Without this Parquet's readers and writers have a heap of their own: 45 MB that no worker gives back. To be called
    before pyarrow is imported. Who has chosen another one by the environment keeps it.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
