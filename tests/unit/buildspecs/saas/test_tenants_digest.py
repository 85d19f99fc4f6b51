"""The digest of what tenants get: of the samples' templates and assets, and of what samples do not show."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from buildspecs.saas import tenants_digest
from buildspecs.saas.tenants_digest import of_assembly, of_release
from lambdas.saas.model.contract import CONTRACT

PROPERTIES = {"templateFile": "a.template.json", "tags": {"a": "b"}}
STACK: dict[str, Any] = {
    "type": "aws:cloudformation:stack",
    "environment": "aws://111111111111/us-east-1",
    "properties": PROPERTIES,
    "metadata": {"/a": [{"type": "aws:cdk:logicalId", "trace": ["/codebuild/src1/app.py"]}]},
}
ASSETS = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}


def assembly(root: Path, *, stack: dict[str, Any] | None = None, template: str = "{}", assets: str = "{}") -> Path:
    """An assembly with a nested one, as CDK Pipelines makes it."""
    nested = {"directoryName": "assembly-a-Deploy", "displayName": "a/Deploy"}
    for folder in (root, root / "assembly-a-Deploy"):
        folder.mkdir(parents=True, exist_ok=True)
        artifacts = {"a": stack or STACK, "a.assets": ASSETS, "Tree": {"type": "cdk:tree"}}
        if folder == root:
            artifacts["nested"] = {"type": "cdk:cloud-assembly", "properties": nested}
        (folder / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}), encoding="utf-8")
        (folder / "a.template.json").write_text("{}", encoding="utf-8")
        (folder / "a.assets.json").write_text(assets, encoding="utf-8")
    (folder / "a.template.json").write_text(template, encoding="utf-8")
    return root


def test_place_and_traces_do_not_decide(tmp_path: Path) -> None:
    """Two builds have other folders, and assets have files of any name."""
    traced = {**STACK, "metadata": {}}
    one, other = assembly(tmp_path / "one"), assembly(tmp_path / "other", stack=traced, template="{ }")
    (other / "asset.0f").mkdir()
    (other / "asset.0f" / "manifest.json").write_text("an application's own", encoding="utf-8")
    assert of_assembly(one) == of_assembly(other)


@pytest.mark.parametrize(
    "change",
    [
        {"template": '{"Resources": {}}'},
        {"assets": '{"files": {"0f": {}}}'},
        {"stack": {**STACK, "properties": {**PROPERTIES, "tags": {"a": "c"}}}},
        {"stack": {**STACK, "environment": "aws://111111111111/eu-west-1"}},
    ],
    ids=["template", "assets", "tags", "environment"],
)
def test_what_is_deployed_decides(tmp_path: Path, change: dict[str, Any]) -> None:
    assert of_assembly(assembly(tmp_path / "one")) != of_assembly(assembly(tmp_path / "other", **change))


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, text in {"component/x.py": b"", "config/workloads.yaml": b"regions: []\n", **files}.items():
            packed.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def test_a_release_has_the_digest_of_all_that_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    first = of_release("t", archive())
    assert first
    assert of_release("t", archive(docs__page=b"a page")) == first
    assert of_release("u", archive()) != first
    assert of_release("t", archive(component__y=b"more")) != first
    monkeypatch.setattr(tenants_digest, "CONTRACT", CONTRACT + 1)
    assert of_release("t", archive()) != first


def test_what_cannot_be_told_is_not_claimed(capsys: pytest.CaptureFixture[str]) -> None:
    assert of_release("", archive()) == ""
    assert of_release("t", archive(component__z__py=b"")) != ""
    broken = archive(**{"component__broken.py": b"def ("})
    assert of_release("t", broken) == ""
    assert "goes to all of them" in capsys.readouterr().out
