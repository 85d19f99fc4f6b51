"""config/lake.yaml and config/datasets/: what is accepted, and that every error names its file and key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import config.models
from config import schema
from config.loader import CONFIG_DIR, load
from config.models.lake import Keeping, Section
from config.models.lake_permissions import LakePermissions
from lambdas.lake.model.datasets import Column, Dataset
from tests.unit.config.files import ABSENT, TOOLCHAIN, WORKLOADS, changed, errors_of, write

ENVIRONMENT: dict[str, Any] = {
    "name": "dev",
    "account": "222222222222",
    "region": "us-east-1",
    "object_key": "lake.zip",
    "cidr": "10.0.0.0/24",
}
LAKE: dict[str, Any] = {"environments": [ENVIRONMENT], "datasets": ["orders"]}
ORDERS: dict[str, Any] = {
    "prefix": "shop/orders/",
    "table": "orders",
    "columns": [{"name": "id", "type": "int", "min": "1", "max": "9"}, {"name": "note"}],
    "products": [{"name": "by_note", "columns": [{"name": "n", "type": "bigint"}]}],
}
SQL = "SELECT count(*) AS n FROM orders"


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The section is read, whether or not the room is in the house."""
    for models in (config.models.ROOMS, config.models.FILES):
        monkeypatch.setitem(models, "lake", Section)


def written(directory: Path, lake: Any = LAKE, **datasets: Any) -> Path:
    write(directory)
    (directory / "lake.yaml").write_text(yaml.safe_dump(lake), encoding="utf-8")
    for name, dataset in (datasets or {"orders": ORDERS}).items():
        folder = directory / "datasets" / name
        folder.mkdir(parents=True)
        (folder / "schema.yaml").write_text(yaml.safe_dump(dataset), encoding="utf-8")
        for product in dataset.get("products", []):
            (folder / f"{product['name']}.sql").write_text(SQL, encoding="utf-8")
    return directory


def section(directory: Path) -> Section:
    found = load(directory).rooms["lake"]
    assert isinstance(found, Section)
    return found


def test_the_example_is_good_and_its_queries_are_read() -> None:
    found = section(CONFIG_DIR / "examples" / "all")
    assert [(one.name, one.production, one.azs) for one in found.environments] == [("dev", False, 2), ("prod", True, 3)]
    assert [found.retention_of(one).raw.days for one in found.environments] == [60, 2555]
    (trips,) = found.datasets
    assert trips.dataset.tables == ("green_trips", "green_trips_quarantine", "trips_by_payment")
    assert "FROM green_trips" in trips.files["trips_by_payment.sql"]
    assert Dataset.from_json(trips.files["dataset.json"]) == trips.dataset
    assert {one.name for one in trips.dataset.columns if one.pii} == {"pickup_location_id", "dropoff_location_id"}


def test_a_lake_does_not_follow_what_cicd_does(tmp_path: Path) -> None:
    one = changed(ENVIRONMENT, "object_key", "source.zip")
    told = "lake.yaml: environments: dev: object_key: source.zip is what CI/CD follows, and checks first: "
    assert f"{told}give it another" in errors_of(written(tmp_path, {**LAKE, "environments": [one]}))


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    found = section(written(tmp_path))
    (environment,) = found.environments
    assert (environment.azs, environment.approval, environment.production) == (2, False, False)
    assert found.retention_of(environment).conformed == Keeping(days=None, noncurrent_days=30, archive_days=None)
    assert found.datasets[0].dataset.columns[0] == Column(name="id", type="int", min="1", max="9")
    assert found.datasets[0].queries == {"by_note.sql": SQL}


def test_errors_of_all_files_are_told_at_once_with_file_and_key(tmp_path: Path) -> None:
    lake = changed(LAKE, "retention", {"raw": {"days": "60"}}) | {"datasets": ["orders", "absent", "bad", "Odd/name"]}
    bad = changed(ORDERS, "columns", [{"name": "Id", "type": "number"}, {"name": "year"}]) | {"owner": "me"}
    directory = written(tmp_path, lake, orders=ORDERS, bad=bad)
    (directory / "datasets" / "orders" / "by_note.sql").unlink()
    (directory / "datasets" / "orders" / "old.sql").write_text(SQL, encoding="utf-8")
    told = errors_of(directory)
    for wanted in (
        "lake.yaml: retention.raw.days: must be a",
        "lake.yaml: datasets.3: must be the name of a folder below datasets/",
        "datasets/absent/schema.yaml: the file is missing",
        "datasets/bad/schema.yaml: columns.0.name: ",
        "datasets/bad/schema.yaml: columns.0.type: number is no type: use one of string, int",
        "datasets/bad/schema.yaml: columns.1.name: year is what tables are partitioned by",
        "datasets/bad/schema.yaml: owner: unknown key",
        "datasets/orders/by_note.sql: the file is missing",
        "datasets/orders/old.sql: no product of schema.yaml has its name: remove it",
    ):
        assert [line for line in told if line.startswith(wanted)], (wanted, told)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("account", 222222222222, "environments.0.account: must be text, but YAML reads it as the number"),
        ("region", "Frankfurt", "environments.0.region: "),
        ("name", "pre-prod", "environments.0.name: "),
        ("cidr", "10.0.0.1/24", "environments.0.cidr: 10.0.0.1/24 has host bits set"),
        ("cidr", "10.0.0.0/29", "environments.0.cidr: 10.0.0.0/29: a VPC has a range between /16 and /28"),
        ("cidr", "10.0.0.0/28", "environments.0: cidr: 10.0.0.0/28 has no room for 2 subnets"),
        ("azs", 0, "environments.0.azs: "),
        ("azs", "2", "environments.0.azs: must be a"),
        ("object_key", ABSENT, "environments.0: give one of branch and object_key"),
        ("branch", "main", "environments.0: give one of branch and object_key"),
        ("object_key", "../lake.zip", "environments.0.object_key: "),
        ("approval", "perhaps", "environments.0.approval: must be true or false, not 'perhaps'"),
        ("approval", None, "environments.0.approval: must be true or false, not None"),
        ("retention.raw", {"days": 30, "archive_days": 30}, "environments.0.retention.raw: archive_days: 30 is not"),
    ],
)
def test_an_environment_that_cannot_be_is_refused(tmp_path: Path, path: str, value: object, told: str) -> None:
    environment = changed(ENVIRONMENT, path, value)
    line = errors_of(written(tmp_path, {**LAKE, "environments": [environment]}))[0]
    assert line.startswith(f"lake.yaml: {told}"), line


def test_environments_have_names_and_ranges_of_their_own(tmp_path: Path) -> None:
    other = {**ENVIRONMENT, "name": "prod", "cidr": "10.0.0.128/25"}
    (line,) = errors_of(written(tmp_path, {**LAKE, "environments": [ENVIRONMENT, other]}))
    assert line.startswith("lake.yaml: environments: dev has 10.0.0.0/24 and prod 10.0.0.128/25, which overlap")


def test_a_name_is_one_environments(tmp_path: Path) -> None:
    other = {**ENVIRONMENT, "cidr": "10.0.1.0/24"}
    (line,) = errors_of(written(tmp_path, {**LAKE, "environments": [ENVIRONMENT, other]}))
    assert line == "lake.yaml: environments: dev is given twice: let them differ"


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ({"name": "id", "type": "int", "min": "one"}, "columns.0: min: one is no int"),
        ({"name": "id", "type": "int", "one_of": ["2147483648"]}, "columns.0: one_of: 2147483648 is out of the range"),
        (
            {"name": "id", "type": "date", "min": "2024-02-01", "max": "2024-01-01"},
            "columns.0: min 2024-02-01 is above",
        ),
        ({"name": "id", "min_length": 2, "max_length": 1}, "columns.0: min_length 2 is above max_length 1"),
        ({"name": "id", "pattern": "(?P<a>b)"}, "columns.0.pattern: has (?P, which Java does not know"),
        ({"name": "id", "pattern": "("}, "columns.0.pattern: is no regular expression: "),
        ({"name": "id", "type": "int", "min": 1}, "columns.0.min: must be text, but YAML reads it as the number 1"),
        ({"name": "id", "pii": "Home Address"}, "columns.0.pii: 'Home Address' is no class: "),
        ({"name": "id", "pii": "home-address"}, "columns.0.pii: 'home-address' is no class: "),
        ({"name": "id", "pii": "none"}, "columns.0.pii: none is what columns without personal data have"),
        ({"name": "a-b"}, "columns.0.name: "),
    ],
)
def test_a_rule_that_no_value_could_keep_is_refused(tmp_path: Path, column: dict[str, Any], told: str) -> None:
    directory = written(tmp_path, orders={**ORDERS, "columns": [column]})
    line = errors_of(directory)[0]
    assert line.startswith(f"datasets/orders/schema.yaml: {told}"), line


def test_columns_have_names_and_headings_of_their_own(tmp_path: Path) -> None:
    for number, (columns, told) in enumerate(
        (
            ([{"name": "a"}, {"name": "a"}], "columns: a is given twice"),
            ([{"name": "a"}, {"name": "b", "heading": " A"}], "headings: a is given twice"),
        )
    ):
        (tmp_path / str(number)).mkdir()
        (line,) = errors_of(written(tmp_path / str(number), orders={**ORDERS, "columns": columns}))
        assert line.startswith(f"datasets/orders/schema.yaml: {told}"), line


def test_spark_knows_no_backslash_between_fields(tmp_path: Path) -> None:
    directory = written(tmp_path, orders={**ORDERS, "format": {"delimiter": "\\"}})
    assert errors_of(directory)[0].startswith("datasets/orders/schema.yaml: format.delimiter: ")


@pytest.mark.parametrize("name", ["home_address", "h" * 30])
def test_what_a_schema_calls_personal_data_a_record_can_be_about(tmp_path: Path, name: str) -> None:
    directory = written(tmp_path, orders={**ORDERS, "columns": [{"name": "id", "pii": name}]})
    assert section(directory).datasets[0].dataset.columns[0].pii == name
    LakePermissions.model_validate({"classes": [{"name": name, "columns": ["*.*.home"]}]})


def test_a_class_that_only_schemas_speak_of_needs_no_pattern_and_a_misspelt_one_is_told(tmp_path: Path) -> None:
    columns = [{"name": "email", "pii": "contact"}, {"name": "home", "pii": "adress"}]
    directory = written(tmp_path, orders={**ORDERS, "columns": columns})
    assert not load(directory).without_effect()
    (directory / "lake-permissions.yaml").write_text("classes: [{name: contact}]", encoding="utf-8")
    (line,) = load(directory).without_effect()
    assert line.startswith(
        "datasets/orders/schema.yaml: pii of home: there is no class adress in lake-permissions.yaml"
    )


def test_names_of_buckets_fit(tmp_path: Path) -> None:
    given = {**ENVIRONMENT, "name": "developments", "region": "ap-southeast-1"}
    line = errors_of(written(tmp_path, {**LAKE, "environments": [given]}))[-1]
    assert "lake.yaml: environments: developments: bucket name granary-lake-developments-" in line
    assert "of 63 characters; use a shorter name, or a shorter prefix" in line


def test_what_an_environment_needs_of_other_files_is_told_at_once(tmp_path: Path) -> None:
    there = {"account": "999999999999", "region": "cn-north-1", "branch": "main"}
    other = {**changed(ENVIRONMENT, "object_key", ABSENT), **there, "name": "prod", "cidr": "10.0.1.0/24"}
    assert errors_of(written(tmp_path, {**LAKE, "environments": [ENVIRONMENT, other]})) == [
        "lake.yaml: environments: prod: give object_key, for source.provider in toolchain.yaml is s3",
        "lake.yaml: environments: prod: account 999999999999 is none of workloads.yaml: add it to `accounts` there",
        "lake.yaml: environments: prod: Region cn-north-1 is none of workloads.yaml: add it to `regions` there",
    ]


def test_an_environment_may_follow_a_branch_in_any_account_of_an_organization(tmp_path: Path) -> None:
    other = {**changed(ENVIRONMENT, "object_key", ABSENT), "account": "999999999999", "branch": "lake"}
    directory = written(tmp_path, {**LAKE, "environments": [other]})
    organization = {**changed(WORKLOADS, "accounts", ABSENT), "organization_id": "o-0123456789"}
    source = {"provider": "codecommit", "repository": "granary"}
    write(directory, toolchain={**TOOLCHAIN, "source": source}, workloads=organization)
    assert section(directory).environments[0].branch == "lake"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"table": "other", "products": []}, "datasets: prefix: shop/orders/ is given twice"),
        ({"prefix": "shop/b/", "products": []}, "datasets: conformed tables: orders, orders_quarantine is given twice"),
        (
            {"prefix": "shop/b/", "table": "orders_quarantine", "products": []},
            "datasets: conformed tables: orders_quar",
        ),
        ({"prefix": "shop/b/", "table": "other"}, "datasets: purpose-built tables: by_note is given twice"),
    ],
)
def test_datasets_share_no_files_and_no_tables(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    directory = written(tmp_path, {**LAKE, "datasets": ["orders", "b"]}, orders=ORDERS, b={**ORDERS, **change})
    (line,) = errors_of(directory)
    assert line.startswith(f"lake.yaml: {told}"), line


def test_a_dataset_is_given_once(tmp_path: Path) -> None:
    (line,) = errors_of(written(tmp_path, {**LAKE, "datasets": ["orders", "orders"]}))
    assert line == "lake.yaml: datasets: orders is given twice: leave one"


def test_an_empty_query_is_told(tmp_path: Path) -> None:
    directory = written(tmp_path)
    (directory / "datasets" / "orders" / "by_note.sql").write_text(" \n", encoding="utf-8")
    assert errors_of(directory) == ["datasets/orders/by_note.sql: the file is empty"]


@pytest.mark.parametrize("lake", [{"environments": [ENVIRONMENT], "datasets": "orders"}, {"datasets": None}, ["lake"]])
def test_what_is_no_list_of_names_is_told_by_key(tmp_path: Path, lake: object) -> None:
    assert all(line.startswith("lake.yaml: ") for line in errors_of(written(tmp_path, lake)))


def test_editors_know_the_section_and_datasets() -> None:
    shapes = {name: json.loads(text) for name, text in schema.schemas().items()}
    examples = CONFIG_DIR / "examples" / "all"
    for name, path in (("lake", "lake.yaml"), ("dataset", "datasets/green_trips/schema.yaml")):
        text = (examples / path).read_text(encoding="utf-8")
        up = "../" * (2 + path.count("/"))
        assert text.startswith(f"# yaml-language-server: $schema={up}schema/{name}.schema.json\n")
        jsonschema.validate(yaml.safe_load(text), shapes[f"{name}.schema.json"])


@pytest.mark.parametrize(
    ("crawlers", "told"),
    [
        ([{"name": "fleet"}, {"name": "fleet"}], "environments.0: crawlers: fleet is given twice"),
        ([{"name": "data"}], "environments.0.crawlers.0: name: data is a zone of the lake's own"),
        ([{"name": "my-fleet"}], "environments.0.crawlers.0.name: "),
        ([{"name": "fleet", "zone": "raw"}], "environments.0.crawlers.0.zone: "),
        ([{"name": "fleet", "schedule": "rate(1 hour)"}], "environments.0.crawlers.0.schedule: "),
    ],
)
def test_a_wrong_crawler_is_told(tmp_path: Path, crawlers: list[dict[str, str]], told: str) -> None:
    (line,) = errors_of(written(tmp_path, {**LAKE, "environments": [{**ENVIRONMENT, "crawlers": crawlers}]}))
    assert line.startswith(f"lake.yaml: {told}"), line


_SENSORS = {"name": "sensors", "object_key": "sensors.zip"}
_MEASURED = changed(ORDERS, "prefix", "plant/sensors/") | {
    "table": "sensors",
    "columns": [{"name": "at", "pii": "place"}],
    "products": [],
}


def test_a_dataset_of_a_source_of_its_own_is_read_where_it_is_laid(tmp_path: Path) -> None:
    """Given a build that lays it, then it is as any other, with all errors of its files; elsewhere it is not missed."""
    lake = {**LAKE, "dataset_sources": [_SENSORS]}
    found = section(written(tmp_path, lake))
    assert [one.dataset.name for one in found.datasets] == ["orders"]
    folder = tmp_path / "datasets" / "sensors"
    folder.mkdir()
    assert [
        line for line in errors_of(tmp_path) if line.startswith("datasets/sensors/schema.yaml: the file is missing")
    ]
    (folder / "schema.yaml").write_text(yaml.safe_dump({**_MEASURED, "products": [{"name": "by_hour"}]}), "utf-8")
    assert errors_of(tmp_path) == ["datasets/sensors/by_hour.sql: the file is missing"]
    (folder / "schema.yaml").write_text(yaml.safe_dump(_MEASURED), "utf-8")
    assert [one.dataset.name for one in section(tmp_path).datasets] == ["orders", "sensors"]


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ([{"name": "sensors", "repository": "sensors"}], "give object_key, or repository and branch"),
        ([{"name": "sensors"}], "give object_key, or repository and branch"),
        ([{**_SENSORS, "branch": "main", "repository": "sensors"}], "give object_key, or repository and branch"),
        ([_SENSORS, _SENSORS], "dataset_sources: sensors is given twice"),
        ([{"name": "sensors", "repository": "sensors", "branch": "main"}], "dataset_sources: sensors: give object_key"),
        ([{**_SENSORS, "object_key": "lake.zip"}], "object_key: lake.zip is another source's: give it one of its own"),
        ([{**_SENSORS, "object_key": "source.zip"}], "object_key: source.zip is another source's"),
    ],
)
def test_a_source_of_a_dataset_is_one_of_its_own(tmp_path: Path, sources: list[Any], told: str) -> None:
    assert [line for line in errors_of(written(tmp_path, {**LAKE, "dataset_sources": sources})) if told in line]


def test_personal_data_of_another_source_are_named_in_the_file_that_governance_reads(tmp_path: Path) -> None:
    """Governance never sees that schema, and would grant what it does not know to be personal data."""
    directory = written(tmp_path, {**LAKE, "dataset_sources": [_SENSORS]}, orders=ORDERS, sensors=_MEASURED)
    classes = {"name": "place", "columns": ["*.sensors.at"]}
    permissions = directory / "lake-permissions.yaml"
    permissions.write_text(yaml.safe_dump({"classes": [classes], "personas": [], "records": []}), encoding="utf-8")
    (line,) = errors_of(directory)
    assert "granary_lake_dev_conformed.sensors_quarantine.row has personal data of class place" in line
    assert "add '*.sensors_quarantine.row' to the columns of the class there" in line
    classes["columns"] = ["*.sensors.at", "*.sensors_quarantine.row"]
    permissions.write_text(yaml.safe_dump({"classes": [classes], "personas": [], "records": []}), encoding="utf-8")
    assert section(directory).unclassed() == []
