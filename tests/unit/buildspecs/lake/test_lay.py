"""What a build links into the source is laid there, as what gates and digests see."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildspecs.archive import pack
from buildspecs.lake.synth import lay


def test_links_to_datasets_become_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, beside = tmp_path / "src", tmp_path / "src-sensors"
    datasets = source / "datasets"
    for folder in (datasets / "orders", beside):
        folder.mkdir(parents=True)
        (folder / "schema.yaml").write_text(folder.name, encoding="utf-8")
    (datasets / "sensors").symlink_to(beside)
    monkeypatch.setattr(lay, "CONFIG_DIR", source)
    lay.main()
    lay.main()
    assert not (datasets / "sensors").is_symlink()
    assert b"src-sensors" in pack(source)
    assert (beside / "schema.yaml").exists()
