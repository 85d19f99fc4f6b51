"""config/resilience.yaml: what is taken, what it becomes, and every error at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import CONFIG_DIR, load
from config.models.resilience import Section
from config.policy import release_policy
from lambdas.resilience.model.plan import Mode
from stacks.cicd import tenant_steps_minutes
from tests.unit.config.files import TOOLCHAIN, WORKLOADS, changed, errors_of, write

_SECTION: dict[str, Any] = {
    "experiments": [
        {
            "name": "stop",
            "duration_minutes": 5,
            "faults": [{"name": "stop", "action": "aws:ecs:stop-task", "selection": "COUNT(1)"}],
        }
    ],
    "steady_states": [{"name": "well", "probes": [{"name": "home", "url": "https://{id}.example.com/"}]}],
    "rings": [{"name": "canary", "experiment": "stop", "steady_state": "well"}],
}
_BUILD = {"name": "checks", "build": "{type}-{id}-checks"}
_FAULT, _PROBE, _RING = "experiments.0.faults.0", "steady_states.0.probes.0", "rings.0"


def _with(path: str, value: Any) -> dict[str, Any]:
    """The section with what is at a dotted path, of lists too, replaced or added."""
    whole: Any = yaml.safe_load(yaml.safe_dump(_SECTION))
    *parents, last = path.split(".")
    part = whole
    for name in parents:
        part = part[int(name)] if isinstance(part, list) else part[name]
    part[int(last) if isinstance(part, list) else last] = value
    return dict(whole)


def _write(directory: Path, section: Any, **files: Any) -> Path:
    write(directory, **files)
    (directory / "resilience.yaml").write_text(yaml.safe_dump(section), encoding="utf-8")
    return directory


def section(directory: Path) -> Section:
    found = load(directory).rooms["resilience"]
    assert isinstance(found, Section)
    return found


def test_a_ring_runs_its_experiment_with_its_steady_state(tmp_path: Path) -> None:
    chaos = section(_write(tmp_path, _SECTION)).chaos()
    plan = chaos.rings["canary"]
    assert (plan.mode, plan.experiment) == (Mode.RUN, chaos.experiments["stop"])
    assert [probe.url for probe in plan.probes] == ["https://{id}.example.com/"]
    assert type(chaos).from_json(chaos.to_json()) == chaos


def test_without_an_experiment_a_ring_is_validated(tmp_path: Path) -> None:
    plan = section(_write(tmp_path, _with(_RING, {"name": "canary", "steady_state": "well"}))).chaos().rings["canary"]
    assert (plan.mode, plan.experiment) == (Mode.VALIDATION, None)


def test_a_ring_may_be_validated_by_a_build(tmp_path: Path) -> None:
    whole = _with("rings", [{"name": "canary", "steady_state": "well"}])
    whole["steady_states"][0]["probes"].append(_BUILD)
    plan = section(_write(tmp_path, whole)).chaos().rings["canary"]
    assert (plan.builds, plan.probes[1].build) == (True, "{type}-{id}-checks")


def test_the_example_is_whole() -> None:
    chaos = section(CONFIG_DIR / "examples" / "all").chaos()
    assert {name: plan.mode for name, plan in chaos.rings.items()} == {
        "canary": Mode.RUN,
        "early": Mode.DRY_RUN,
        "general": Mode.VALIDATION,
    }


def test_a_ring_may_demand_that_an_earlier_one_has_survived(tmp_path: Path) -> None:
    demanding = _with("rings", [*_SECTION["rings"], {"name": "general", "demands": ["canary"]}])
    configuration = load(_write(tmp_path, demanding))
    assert {ring.name: ring.demands for ring in release_policy(configuration).rings} == {
        "canary": (),
        "early": (),
        "general": ("canary",),
    }
    assert "general" not in section(tmp_path).chaos().rings, "nothing is done there"


def test_nothing_is_demanded_where_the_room_is_off(tmp_path: Path) -> None:
    assert not any(ring.demands for ring in release_policy(load(write(tmp_path))).rings)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (f"{_FAULT}.action", "aws:ec2:terminate-instances", "use aws:ec2:reboot-instances, aws:ec2:stop-instances"),
        (f"{_FAULT}.action", "aws:ec2:stop-instances", "startInstancesAfterDuration is missing"),
        (f"{_FAULT}.selection", "SOME", "selection"),
        (f"{_FAULT}.arns", ["arn:aws:ecs:eu-west-1:222222222222:task/1"], "would be the same for all tenants"),
        (f"{_FAULT}.tags", {"tier": "{tier}"}, "nobody fills in {tier}: use {account}, {id}"),
        (f"{_FAULT}.tags", {"tier": "{"}, "tags"),
        (f"{_FAULT}.name", "observe", "observe is the name of an action that is always there"),
        (f"{_FAULT}.start_after", ["stop"], "stop starts after stop, which is no other fault"),
        ("experiments.0.stop_alarms", ["{output.Alarm}"], "nobody fills in {output.Alarm}"),
        (f"{_PROBE}.alarm", "errors", "give one of alarm, url and build"),
        (f"{_PROBE}.url", "", "give one of alarm, url and build"),
        (f"{_PROBE}.build", "{type}-{id}-checks", "give one of alarm, url and build"),
        (f"{_PROBE}.build", "checks-{id}", "begin its name with {type}-{id}-"),
        (f"{_PROBE}.build", "{type}-{id}-", "begin its name with {type}-{id}-"),
        (f"{_PROBE}.build", "{type}-{id}-{output.Name}", "begin its name with {type}-{id}-"),
        (f"{_PROBE}.build", "{type}-{id}-{tier}", "nobody fills in {tier}"),
        ("steady_states.0.probes", [_BUILD], "rings: canary: well builds, which takes too long while a fault lasts"),
        (f"{_PROBE}.url", "ftp://{id}", "is no address"),
        (f"{_PROBE}.url", "https://{name}/", "nobody fills in {name}"),
        (f"{_PROBE}.samples", 21, "samples"),
        (
            "steady_states.0.probes",
            [{"name": name, "url": "https://x/", "samples": 20, "timeout_seconds": 10} for name in "ab"],
            "a look may take 400 s, and 120 are the most",
        ),
        (f"{_RING}.name", "canaries", "rings: canaries is no ring of a release: use canary, early, general"),
        (f"{_RING}.experiment", "start", "rings: canary: there is no experiment start"),
        (f"{_RING}.steady_state", "ill", "rings: canary: there is no steady state ill"),
        (f"{_RING}.steady_state", None, "rings: canary: steady_state is missing"),
        (f"{_RING}.demands", ["early"], "canary demands early, which is no earlier ring"),
        (_RING, {"name": "canary"}, "rings: canary: asks for nothing"),
        ("rings", [_SECTION["rings"][0]] * 2, "rings: canary is given twice"),
        (
            _RING,
            {"name": "canary", "steady_state": "well", "mode": "dry-run"},
            "rings: canary: mode: dry-run is of an experiment",
        ),
        ("experiments.0.duration_minutes", 110, "may take 135 minutes, and a release waits for a pipeline for 120"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, path: str, value: Any, told: str) -> None:
    (error,) = errors_of(_write(tmp_path, _with(path, value)))
    assert told in error


def test_arns_and_tags_are_one_too_many(tmp_path: Path) -> None:
    fault = {**_SECTION["experiments"][0]["faults"][0], "arns": ["arn:x:{id}"], "tags": {"a": "b"}}
    (error,) = errors_of(_write(tmp_path, _with(_FAULT, fault)))
    assert "give ARNs, or tags and filters" in error


def test_every_error_is_told_at_once(tmp_path: Path) -> None:
    wrong = _with("rings", [{"name": "canary", "experiment": "x", "steady_state": "y"}, {"name": "early"}])
    told = errors_of(_write(tmp_path, wrong))
    for words in ("no experiment x", "no steady state y", "early: asks for nothing"):
        assert len([line for line in told if words in line and line.startswith("resilience.yaml: ")]) == 1
    fields = _with(f"{_FAULT}.action", "x")
    fields["steady_states"][0]["probes"][0]["samples"] = 0
    assert len(errors_of(_write(tmp_path, fields))) == 2
    misfits = _with("rings", [{**_SECTION["rings"][0], "name": name} for name in ("one", "two")])
    keys = [line.split(":")[:2] for line in errors_of(_write(tmp_path, misfits))]
    assert keys == [["resilience.yaml", " rings"]] * 2


def test_a_tenants_pipeline_is_told_how_long_the_room_may_take(tmp_path: Path) -> None:
    """Given rings with and without an experiment, then it is the longest: tenants change rings without a synth."""
    whole = _with("experiments.0.duration_minutes", 30)
    whole["rings"].append({"name": "early", "steady_state": "well", "settle_minutes": 7})
    configuration = load(_write(tmp_path, whole))
    rings = section(tmp_path).chaos().rings
    assert rings["early"].whole_minutes < rings["canary"].whole_minutes == tenant_steps_minutes(configuration)
    (tmp_path / "resilience.yaml").unlink()
    assert tenant_steps_minutes(load(tmp_path)) == 0


def test_a_strategy_without_rings_has_one(tmp_path: Path) -> None:
    toolchain = changed(TOOLCHAIN, "releases", {"strategy": "all-at-once"})
    assert "use all" in errors_of(_write(tmp_path, _SECTION, toolchain=toolchain))[0]
    assert section(_write(tmp_path, _with(f"{_RING}.name", "all"), toolchain=toolchain)).rings


@pytest.mark.parametrize("region", ["cn-north-1", "us-iso-east-1"])
def test_where_there_is_no_fis_it_is_refused(tmp_path: Path, region: str) -> None:
    toolchain = changed(TOOLCHAIN, "region", region)
    workloads = changed(WORKLOADS, "regions", [region])
    errors = errors_of(_write(tmp_path, _SECTION, toolchain=toolchain, workloads=workloads))
    assert any("there is no AWS FIS in partition aws-" in error and "remove the file" in error for error in errors)


def test_each_environment_has_its_own(tmp_path: Path) -> None:
    """No line of code differs from one to the next: a directory each."""
    for name in ("dev", "prod"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
        shutil.copy(CONFIG_DIR / "examples" / "all" / "resilience.yaml", tmp_path / name)
    path = tmp_path / "prod" / "resilience.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("duration_minutes: 5", "duration_minutes: 9"), "utf-8")
    lasts = [section(tmp_path / name).chaos().experiments["stop-a-task"].duration_minutes for name in ("dev", "prod")]
    assert lasts == [5, 9]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (_RING, {"name": "canary", "experiment": "stop", "steady_state": "well", "settle_minutes": 1}, []),
        (
            _RING,
            {"name": "canary", "experiment": "stop", "mode": "dry-run", "steady_state": "well", "recover_minutes": 1},
            ["rings: canary: recover_minutes, steady_state: nothing in a dry run"],
        ),
        (
            _RING,
            {"name": "canary", "steady_state": "well", "settle_minutes": 1, "recover_minutes": 1, "mode": "run"},
            ["rings: canary: mode, recover_minutes: nothing in a ring without experiment"],
        ),
        (
            _PROBE,
            {"name": "errors", "alarm": "x", "samples": 2, "status": 204},
            ["steady_states: well: errors: samples, status: nothing without a url"],
        ),
        (
            "steady_states",
            [*_SECTION["steady_states"], {**_SECTION["steady_states"][0], "name": "spare"}],
            ["steady_states: spare: no ring has it"],
        ),
    ],
)
def test_keys_that_change_nothing_are_told(tmp_path: Path, path: str, value: Any, said: list[str]) -> None:
    told = load(_write(tmp_path, _with(path, value))).without_effect()
    assert [line.removeprefix("resilience.yaml: ").rpartition(":")[0] for line in told] == said
