"""What a run leaves out, and gives back."""

import os
import subprocess
import sys

import pytest

from pipeline.lean import hidden


def test_a_hidden_package_is_not_there_and_is_again_behind_the_block():
    sys.modules.pop("wave", None)
    with hidden("wave", "json"), pytest.raises(ImportError):
        import wave
    import wave

    assert wave.__name__ in sys.modules


def test_beam_comes_without_what_no_run_on_this_machine_uses():
    code = "import sys; from pipeline.lean import import_beam; import_beam(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "apache_beam" in done.stdout.split()
    assert "pymongo" not in done.stdout.split()


@pytest.mark.parametrize(("chosen", "used"), [({}, "system"), ({"ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}, "jemalloc")])
def test_arrow_shares_the_heap_of_all_else_unless_told_otherwise(chosen, used):
    code = (
        "from pipeline.lean import use_one_heap; use_one_heap(); "
        "import os; print(os.environ['ARROW_DEFAULT_MEMORY_POOL']); "
        "import pyarrow as pa; print(pa.default_memory_pool().backend_name)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment | chosen
    )
    assert done.stdout.split()[0] == used
    assert chosen or done.stdout.split()[1] == used


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")
def test_libraries_work_when_their_pages_are_dropped():
    code = (
        "from pipeline import workers\n"
        "import numpy as np\n"
        "from transforms.text.unionfind import connected_components as connect\n"
        "edges = np.arange(3, dtype=np.uint64), np.arange(1, 4, dtype=np.uint64)\n"
        "first = connect(*edges)\n"
        "workers._drop_pages()\n"
        "from transforms.text.minhash import string_hashes\n"
        "import pyarrow as pa\n"
        "print(string_hashes(pa.array(['a'], pa.large_string())).size, connect(*edges).component.tolist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-2] == "1 [0, 0, 0, 0]"
