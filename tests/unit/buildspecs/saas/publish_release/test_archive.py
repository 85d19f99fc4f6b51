"""Packing: the bytes depend on the tree and on nothing else."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildspecs.archive import digest, pack
from lambdas.common.errors import GranaryError
from tests.examples import examples

names = st.from_regex(r"[a-zA-Z0-9_.-]{1,8}", fullmatch=True).filter(lambda name: name.strip(".") != "")
paths = st.lists(names, min_size=1, max_size=3).map("/".join)


def no_file_is_a_folder(tree: dict[str, tuple[bytes, bool]]) -> bool:
    # Names that differ in case only are left out too: not every file system keeps them apart.
    lowered = [path.lower() for path in tree]
    nested = any(one != other and other.startswith(f"{one}/") for one in lowered for other in lowered)
    return not nested and len(set(lowered)) == len(lowered)


trees = st.dictionaries(paths, st.tuples(st.binary(max_size=40), st.booleans()), max_size=5).filter(no_file_is_a_folder)


def grow(root: Path, tree: dict[str, tuple[bytes, bool]], *, order: list[str], mtime: int) -> Path:
    for path in order:
        content, executable = tree[path]
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755 if executable else 0o640)
        os.utime(file, (mtime, mtime))
    return root


@settings(deadline=None, max_examples=examples(40))
@given(trees, st.randoms(), st.tuples(*[st.integers(0, 2**32)] * 2))
def test_neither_order_nor_time_nor_place_decides_the_bytes(
    tree: dict[str, tuple[bytes, bool]], random: Random, times: tuple[int, int]
) -> None:
    shuffled = list(tree)
    random.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first = pack(grow(Path(one), tree, order=list(tree), mtime=times[0]))
        second = pack(grow(Path(other), tree, order=shuffled, mtime=times[1]))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path: content for path, (content, _) in tree.items()
        }
        for path, (_, executable) in tree.items():
            assert bool(archive.getinfo(path).external_attr >> 16 & 0o100) is executable


@settings(deadline=None, max_examples=examples(40))
@given(trees, trees)
def test_other_trees_have_other_digests(
    one: dict[str, tuple[bytes, bool]], other: dict[str, tuple[bytes, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        digests = [
            digest(pack(grow(Path(folder), tree, order=list(tree), mtime=0)))
            for folder, tree in ((first, one), (second, other))
        ]
    assert (digests[0] == digests[1]) is (one == other)


def test_caches_of_the_packing_build_are_left_out(tmp_path: Path) -> None:
    for path in ("app.py", "__pycache__/app.cpython-313.pyc", "lambdas/__pycache__/x.pyc"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x", encoding="utf-8")
    with zipfile.ZipFile(io.BytesIO(pack(tmp_path))) as archive:
        assert archive.namelist() == ["app.py"]


def test_a_folder_named_like_a_cache_above_the_tree_does_not_empty_it(tmp_path: Path) -> None:
    root = tmp_path / "__pycache__" / "source"
    root.mkdir(parents=True)
    (root / "app.py").write_text("x", encoding="utf-8")
    with zipfile.ZipFile(io.BytesIO(pack(root))) as archive:
        assert archive.namelist() == ["app.py"]


def test_a_link_to_a_file_is_packed_as_that_file(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x", encoding="utf-8")
    (tmp_path / "other.py").symlink_to("app.py")
    with zipfile.ZipFile(io.BytesIO(pack(tmp_path))) as archive:
        assert archive.read("other.py") == b"x"


@pytest.mark.parametrize("target", ["folder", "nowhere"])
def test_what_a_release_could_not_hold_is_refused_by_name(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(GranaryError, match=r"replace link$"):
        pack(tmp_path)
