"""The tenants by which sources are compared: they stand for all that the product's own code makes of a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildspecs.saas.build_steps import make_ready
from buildspecs.saas.ci import every_kind as module
from buildspecs.saas.ci.every_kind import every_kind, note
from buildspecs.synthesis import SynthesisError
from config.loader import load
from lambdas.saas.model.record import Size
from tests.synth.configurations import AWS, configuration


def test_they_are_of_every_type_size_and_tier_at_home_abroad_and_twice() -> None:
    found = load(Path("config/examples/all"))
    samples = every_kind(found).deployments
    assert len({(one.type, one.id) for one in samples}) == len(samples)
    assert {one.type for one in samples} == {"silo", "pool"}
    assert {one.size for one in samples} >= {size.value for size in Size}
    assert {one.tier for one in samples} == {"", *found.workloads.tiers}
    home = found.toolchain.region
    assert {one.region == home for one in samples} == {True, False}
    assert any(one.standby_region for one in samples)
    assert any(one.tags and one.parameters for one in samples)


def test_further_accounts_and_regions_change_none_of_them() -> None:
    found = configuration(AWS)
    there = found.workloads
    more = there.model_copy(update={"regions": (*there.regions, "ap-south-1"), "accounts": (*there.accounts, "9" * 12)})
    assert every_kind(found) == every_kind(found.model_copy(update={"workloads": more}))


def test_what_cannot_be_synthesized_is_not_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a component that does not stand one of them, then no digest is left, not even a former one."""
    left = tmp_path / "tenants.sha256"
    left.write_text("former", encoding="utf-8")
    monkeypatch.setattr(module, "_NOTE", left)

    def fails(*_: object, **__: object) -> None:
        raise SynthesisError("no standby for this component")

    monkeypatch.setattr(module, "synthesize", fails)
    make_ready()
    note(configuration(AWS))
    assert not left.exists()
    assert "no standby for this component" in capsys.readouterr().out
