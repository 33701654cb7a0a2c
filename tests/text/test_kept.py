"""What is kept on disk is what would be made, and never that of other sources."""

import pickle

import pytest

from transforms.text import kept


@pytest.fixture
def sources(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "_SOURCES", tmp_path)
    monkeypatch.setattr(kept, "_RULES", tmp_path)
    monkeypatch.setattr(kept, "_KEPT", tmp_path / "__pycache__")
    kept._state.cache_clear()
    (tmp_path / "table.py").write_text("one")
    yield tmp_path
    kept._state.cache_clear()


def _process(value):
    """What a process that makes ``value`` gets, and whether it had to make it."""
    made = []

    def make():
        made.append(value)
        return value

    kept._state.cache_clear()
    get = kept.kept_on_disk(make)
    assert get() == get()
    return get(), bool(made)


def test_made_once_for_all_processes(sources):
    assert _process({"a": 1}) == ({"a": 1}, True)
    assert _process({"a": 2}) == ({"a": 1}, False)


@pytest.mark.parametrize("name", ["table.py", "rule.toml"])
def test_made_anew_for_other_sources_and_the_old_one_removed(sources, name):
    _process(1)
    (sources / name).write_text("two")
    assert _process(2) == (2, True)
    assert _process(3) == (2, False)
    assert len(list((sources / "__pycache__").iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", pickle.dumps([1, 2])[:-4], b"no pickle", b"cno_module\nthing\n."])
def test_a_damaged_file_is_made_anew(sources, damage):
    _process([1, 2])
    (path,) = (sources / "__pycache__").iterdir()
    path.write_bytes(damage)
    assert _process([1, 2]) == ([1, 2], True)
    assert _process([3]) == ([1, 2], False)


def test_no_folder_to_keep_it_in(sources):
    (sources / "__pycache__").write_text("a file where the folder would be")
    assert _process(1) == (1, True)
    assert _process(2) == (2, True)
