"""config/failover.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loader import CONFIG_DIR, load
from config.models.failover import Section
from lambdas.resilience.model.failover.catalogue import Catalogue, Mode
from tests.unit.config.files import ABSENT, TOOLCHAIN, WORKLOADS, changed, errors_of, write

_A, _B = "us-east-1", "eu-west-1"
_FILE: dict[str, Any] = {
    "regions": [_A, _B],
    "groups": [{"name": "shop", "primary": _A, "alarms": {_A: ["up"], _B: ["up"]}}],
    "applications": [
        {
            "name": "web",
            "group": "shop",
            "record": "www.example.com",
            "zone": "Z1",
            "endpoints": {_A: {"dns_name": "a.example.net"}, _B: {"dns_name": "b.example.net"}},
        }
    ],
}
_GROUP, _APPLICATION = _FILE["groups"][0], _FILE["applications"][0]
_RESTORE = {
    "backups": "arn:aws:rds:eu-west-1:111111111111:auto-backup:ab-0",
    "instance": "reports",
    "subnet_group": "shop",
}


def _write(directory: Path, file: Any) -> Path:
    write(directory)
    (directory / "failover.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
    return directory


def _group(path: str, value: Any) -> dict[str, Any]:
    return {**_FILE, "groups": [changed(_GROUP, path, value)]}


def _application(path: str, value: Any) -> dict[str, Any]:
    return {**_FILE, "applications": [changed(_APPLICATION, path, value)]}


def test_what_is_left_out_is_careful(tmp_path: Path) -> None:
    section = load(_write(tmp_path, _FILE)).rooms["failover"]
    assert isinstance(section, Section)
    catalogue = section.catalogue()
    (group,), (application,) = catalogue.groups, catalogue.applications
    assert (group.mode, group.automatic, group.max_lag_seconds) == (Mode.SWITCH, None, 60)
    assert (application.type, application.ttl, application.source) == ("CNAME", 60, "configuration")
    assert Catalogue.from_json(catalogue.to_json()) == catalogue


def test_without_the_file_nothing_fails_over(tmp_path: Path) -> None:
    assert "failover" not in load(write(tmp_path)).rooms


def test_the_example_has_everything() -> None:
    section = load(CONFIG_DIR / "examples" / "all").rooms["failover"]
    assert isinstance(section, Section)
    assert {one.mode for one in section.groups} == set(Mode)


def _tenants(**more: Any) -> dict[str, Any]:
    entry = {"group": "shop", "zone": "Z2", "record": "{id}.tenants.example.com", "output": "Endpoint"}
    return {**_FILE, "tenants": [{**entry, **more}]}


def test_tenants_are_asked_for_where_the_room_saas_is_and_stand_where_rows_may_name(tmp_path: Path) -> None:
    section = load(_write(tmp_path, _tenants())).rooms["failover"]
    assert isinstance(section, Section)
    (entry,) = section.catalogue().tenants
    assert (entry.record, entry.ttl, entry.withdrawn) == ("{id}.tenants.example.com", 60, False)
    assert Catalogue.from_json(section.catalogue().to_json()) == section.catalogue()
    write(tmp_path, toolchain={**TOOLCHAIN, "region": "eu-central-1"})
    assert any(
        "the toolchain's Region, eu-central-1, which is none of us-east-1 and" in one for one in errors_of(tmp_path)
    )
    write(tmp_path, workloads={**WORKLOADS, "regions": ["us-east-1"]})
    assert any("failover.yaml: tenants: eu-west-1 is none of workloads.regions" in one for one in errors_of(tmp_path))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (_tenants(group="other"), "tenants: {id}.tenants.example.com: there is no group other"),
        (_tenants(record="tenants.example.com"), "tenants.0.record"),
        (_tenants(record="{id}"), "tenants.0.record"),
        (_tenants(record="x.{id}.example.com"), "tenants.0.record"),
        (_tenants(record="{id}{id}.example.com"), "tenants.0.record"),
        (_tenants(record="*{id}.example.com"), "tenants.0.record"),
        (_tenants(zone="/hostedzone/Z1"), "tenants.0.zone"),
        (_tenants(ttl=0), "tenants.0.ttl"),
        (_tenants(output=""), "tenants.0.output"),
        (
            {**_tenants(), "tenants": 2 * _tenants()["tenants"]},
            "is given twice for us-east-1: give each primary one entry",
        ),
        ({**_FILE, "regions": [_A, _A]}, "names us-east-1 more than once"),
        ({**_FILE, "regions": [_A]}, "regions"),
        ({**_FILE, "regions": ["us-east-1", "cn-north-1"]}, "both are in one partition"),
        (_group("primary", "ap-south-1"), "shop: primary is one of us-east-1, eu-west-1"),
        (_group("alarms", {_A: ["up"]}), "shop: alarms: give both Regions, us-east-1 and eu-west-1"),
        (_group("alarms", {_A: ["up"], _B: []}), "alarms"),
        (_group("alarms", ABSENT), "alarms"),
        (
            _group("measures", {"lag": {"namespace": "n", "metric": "m", "dimensions": {_A: {}}}}),
            "shop: measures.lag.dimensions: give both Regions",
        ),
        (_group("databases", [{"name": "db"}]), "give one of global_cluster and restores"),
        (_group("databases", [{"name": "db", "global_cluster": "c", "record": "db.example.com"}]), "belong together"),
        (
            _group("databases", [{"name": "db", "restores": {"ap-south-1": _RESTORE}}]),
            "ap-south-1 is none of us-east-1",
        ),
        (
            _group("databases", [{"name": name, "restores": {_B: _RESTORE}} for name in ("one", "two")]),
            "databases: instance: reports in eu-west-1 is given twice",
        ),
        (
            {
                **_FILE,
                "groups": [
                    {**_GROUP, "name": name, "databases": [{"name": "db", "global_cluster": "orders"}]}
                    for name in ("shop", "other")
                ],
            },
            "databases: global_cluster: orders is given twice",
        ),
        (
            _group("databases", [{"name": "db", "global_cluster": "c", "record": "www.example.com", "zone": "Z1"}]),
            "record: www.example.com in Z1 is given twice",
        ),
        (
            {**_FILE, "applications": [_APPLICATION, {**_APPLICATION, "name": "again"}]},
            "record: www.example.com in Z1 is given twice",
        ),
        (_group("automatic", {"alarms": []}), "automatic.alarms"),
        ({**_FILE, "groups": [_GROUP, _GROUP]}, "groups: shop is given twice"),
        ({**_FILE, "applications": [_APPLICATION, _APPLICATION]}, "applications: shop/web is given twice"),
        (_application("group", "other"), "web: there is no group other"),
        (_application("endpoints", {_A: {"dns_name": "a.example.net"}}), "web: endpoints: give both Regions"),
        (_application(f"endpoints.{_A}.zone", "Z2"), "give a zone in both Regions, or in neither"),
        (_application("record", "Not A Name"), "record"),
        (_application("zone", "/hostedzone/Z1"), "zone"),
        (_application("ttl", 0), "ttl"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, file: Any, said: str) -> None:
    errors = errors_of(_write(tmp_path, file))
    assert all(line.startswith("failover.yaml: ") for line in errors)
    assert any(said in line for line in errors), errors


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = {**_group("primary", "ap-south-1"), "applications": [changed(_APPLICATION, "group", "other")]}
    wrong, *strange = [line for line in errors_of(_write(tmp_path, file)) if "give both Regions" not in line]
    assert wrong.startswith("failover.yaml: groups: shop: primary is one of")
    assert [line.startswith("failover.yaml: applications: ") for line in strange] == [True]
    assert "there is no group other" in strange[0]


def test_where_health_checks_watch_no_alarms_a_group_goes_by_weights() -> None:
    text = yaml.safe_dump(_FILE).replace(_A, "us-gov-west-1").replace(_B, "us-gov-east-1")
    with pytest.raises(ValueError, match="no health check watches an alarm in its partition: mode: weights"):
        Section.model_validate(yaml.safe_load(text))
    data = yaml.safe_load(text)
    data["groups"][0]["mode"] = "weights"
    Section.model_validate(data)


def test_a_zone_has_as_many_as_its_stack_has_room_for() -> None:
    many = [{**_APPLICATION, "name": f"w{number}", "record": f"w{number}.example.com"} for number in range(481)]
    with pytest.raises(ValueError, match="zone Z1 has 481, and a stack has room for 480"):
        Section.model_validate({**_FILE, "applications": many})
    Section.model_validate({**_FILE, "applications": many[:480]})


def test_a_switch_never_waits_for_a_record_that_is_changed_in_one_of_its_regions() -> None:
    """It would be the outage of just that Region."""
    database = {"name": "db", "global_cluster": "c", "record": "db.example.com", "zone": "Z1"}
    file = _group("databases", [database])
    with pytest.raises(ValueError, match=r"databases.db.record is changed in us-east-1, and in that Region's outage"):
        Section.model_validate(file)
    data = yaml.safe_load(yaml.safe_dump(file).replace(_A, "eu-central-1"))
    Section.model_validate(data)
    Section.model_validate(changed(file, "groups", [{**file["groups"][0], "mode": "weights"}]))


def test_there_are_as_many_zones_and_databases_as_ci_cd_and_policies_have_room_for() -> None:
    many = [{**_APPLICATION, "name": f"w{number}", "zone": f"Z{number}"} for number in range(31)]
    said = "applications, tenants and databases are in 31 zones, .* have room for 30"
    with pytest.raises(ValueError, match=said):
        Section.model_validate({**_FILE, "applications": many})
    other = {"name": "db", "global_cluster": "c", "record": "db.example.com", "zone": "ZDB"}
    by_weights = {**_GROUP, "mode": "weights"}
    file = {**_FILE, "applications": many[:30], "groups": [by_weights]}
    Section.model_validate(file)
    with pytest.raises(ValueError, match=said):
        Section.model_validate({**file, "groups": [{**by_weights, "databases": [other]}]})
    databases = [{"name": f"d{number}", "global_cluster": "c"} for number in range(16)]
    groups = [{**_GROUP, "name": name, "databases": databases} for name in ("shop", "other")]
    with pytest.raises(ValueError, match="they have 32 databases, and the function's policy has room for 30"):
        Section.model_validate({**_FILE, "groups": groups})


@pytest.mark.parametrize("regions", [(_A, "ap-south-1"), ("cn-north-1", "cn-northwest-1")])
def test_both_regions_have_a_store_of_ci_cd(tmp_path: Path, regions: tuple[str, str]) -> None:
    """Else the synth fails, in CI/CD."""
    text = yaml.safe_dump(_FILE).replace(_A, regions[0]).replace(_B, regions[1])
    (write(tmp_path) / "failover.yaml").write_text(text, encoding="utf-8")
    told = "\n".join(line for line in errors_of(tmp_path) if line.startswith("failover.yaml: "))
    assert [f"regions: {one} has no artifact store" in told for one in regions] == [one != _A for one in regions]


def test_keys_that_change_nothing_are_told(tmp_path: Path) -> None:
    alias = {region: {**its, "zone": "ZALIAS"} for region, its in _APPLICATION["endpoints"].items()}
    file = {
        **_FILE,
        "groups": [{**_GROUP, "max_lag_seconds": 5}],
        "applications": [{**_APPLICATION, "ttl": 5}, {**_APPLICATION, "name": "alias", "record": "a.b", "ttl": 5}],
    }
    file["applications"][1]["endpoints"] = alias
    assert load(_write(tmp_path, file)).without_effect() == [
        "failover.yaml: groups: shop: max_lag_seconds: nothing without measures.lag: give that, or remove it",
        "failover.yaml: applications: alias: ttl: an alias has that of its target: remove it",
    ]
