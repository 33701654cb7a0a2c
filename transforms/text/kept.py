"""Tables and rules that take long to make, kept on disk between processes: beside the sources, like machine code."""

import contextlib
import functools
import os
import pickle
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeVar

_SOURCES: Final = Path(__file__).parent
_RULES: Final = _SOURCES.parent / "rules"
_KEPT: Final = _SOURCES / "__pycache__"

T = TypeVar("T")


def kept_on_disk(make: Callable[[], T]) -> Callable[[], T]:
    """Have ``make`` called once for each state of this folder's sources and of the rules, not in each process.

    What it makes must follow from them alone, and be picklable; arrays come back writable. It is called where nothing
    can be read or written on disk.
    """

    @functools.cache
    @functools.wraps(make)
    def get() -> T:
        name = f"{make.__module__}.{make.__qualname__}"
        path = _KEPT / f"{name}-{_state()}.pickle"
        with contextlib.suppress(Exception):  # not there, cut short, of another numpy: damage takes any form
            found: T = pickle.loads(path.read_bytes())
            return found
        made = make()
        with contextlib.suppress(OSError):
            _KEPT.mkdir(exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_bytes(pickle.dumps(made))
            for outdated in _KEPT.glob(f"{name}-*.pickle"):
                outdated.unlink(missing_ok=True)
            temporary.replace(path)
        return made

    return get


@functools.cache
def _state() -> str:
    """Digest of Python's version, which has Unicode's, of the sources and of the rules."""
    digest = blake2b(sys.version.encode(), digest_size=8)
    for folder, ending in ((_SOURCES, ".py"), (_RULES, ".toml")):
        with contextlib.suppress(OSError):  # in an archive
            for path in sorted(folder.glob(f"*{ending}")):
                digest.update(path.read_bytes())
    return digest.hexdigest()
