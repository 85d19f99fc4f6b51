"""Loading: what is accepted, and that every error of every file is told at once, in the words of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from component import SPEC
from config.loader import load
from config.models.toolchain import CodeCommitSource, ConnectionSource, S3Source, SlackChannel, TeamsChannel
from config.models.types import ACCOUNTS_LIMIT
from lambdas.saas.model.names import DEPLOYMENT_TYPES
from tests.unit.config.files import ABSENT, TOOLCHAIN, WORKLOADS, changed, errors_of, write

CONNECTION = {
    "provider": "connection",
    "repository": "owner/name",
    "connection_arn": "arn:aws:codeconnections:us-east-1:111111111111:connection/0a1b",
}
SLACK = {"provider": "slack", "name": "ops", "workspace_id": "T012", "channel_id": "C012"}
TEAMS = {
    "provider": "teams",
    "name": "teams",
    "team_id": "00000000-0000-4000-8000-000000000001",
    "tenant_id": "00000000-0000-4000-8000-000000000002",
    "channel_id": "19%3aabc%40thread.tacv2",
}


def test_the_shipped_configuration_is_good() -> None:
    configuration = load()
    assert configuration.toolchain.prefix == "granary"
    assert isinstance(configuration.workloads.component, SPEC.settings)


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    toolchain = load(write(tmp_path)).toolchain
    assert (toolchain.provisioning.max_ids_per_build, toolchain.provisioning.sweep_minutes) == (50, 5)
    assert (toolchain.notifications.emails, toolchain.notifications.chat) == ((), ())
    assert toolchain.bootstrap_qualifier == "hnb659fds"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"provider": "s3"}, S3Source),
        ({"provider": "codecommit", "repository": "granary"}, CodeCommitSource),
        (CONNECTION, ConnectionSource),
    ],
)
def test_each_source_provider_is_read(tmp_path: Path, source: dict[str, str], kind: type) -> None:
    assert isinstance(load(write(tmp_path, toolchain={**TOOLCHAIN, "source": source})).toolchain.source, kind)


def test_chat_channels_of_both_providers_are_read(tmp_path: Path) -> None:
    notifications = {"notifications": {"chat": [SLACK, TEAMS]}}
    chat = load(write(tmp_path, toolchain={**TOOLCHAIN, **notifications})).toolchain.notifications.chat
    assert [(type(channel), channel.name) for channel in chat] == [(SlackChannel, "ops"), (TeamsChannel, "teams")]


@pytest.mark.parametrize("word", ["enforce", "warn", "off", '"off"'])
def test_the_quota_check_is_a_word_although_yaml_has_other_ideas_of_off(tmp_path: Path, word: str) -> None:
    folder = write(tmp_path)
    with (folder / "toolchain.yaml").open("a", encoding="utf-8") as file:
        file.write(f"provisioning: {{quota_check: {word}}}\n")
    assert load(folder).toolchain.provisioning.quota_check == word.strip('"')


def test_the_configuration_is_frozen(tmp_path: Path) -> None:
    configuration = load(write(tmp_path))
    with pytest.raises(ValueError, match="frozen"):
        configuration.toolchain.prefix = "other"  # type: ignore[misc]


def test_the_name_of_an_alarm_is_as_long_as_cloudwatch_allows(tmp_path: Path) -> None:
    for length, good in ((255, True), (256, False)):
        rings = [{"name": "all", "alarms": ["a" * length]}]
        directory = write(tmp_path, toolchain=changed(TOOLCHAIN, "releases.rings", rings))
        if good:
            assert load(directory).toolchain.releases.rings[0].alarms == ("a" * length,)
        else:
            assert "releases.rings.0.alarms.0: must have at most 255 characters" in errors_of(directory)[0]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prefix", ABSENT, "prefix: is missing"),
        ("prefix", "Granary", "prefix: must match pattern"),
        ("prefix", "granary-", "prefix: must match pattern"),
        ("prefix", "g" * 17, f"prefix: must have at most 16 characters, not '{'g' * 17}'"),
        ("prefix", None, "prefix: must be text, not None"),
        *(
            ("prefix", prefix, f"prefix: {prefix} begins or ends with silo or pool, as names of tenants do")
            for word in DEPLOYMENT_TYPES
            for prefix in (word, f"granary-{word}", f"{word}-granary")
        ),
        *((("prefix", name, "prefix: must not begin with ")) for name in ("aws", "ssm", "aws-x", "awsome", "sthree")),
        ("account", 111111111111, "account: must be text, but YAML reads it as the number 111111111111: quote it"),
        ("account", "11111111111", "account: must match pattern '^[0-9]{12}$', not '11111111111'"),
        ("account", "111111111111\n", "account: must match pattern"),
        ("region", "Frankfurt", "region: must match pattern"),
        ("region", True, "region: must be text, but YAML reads it as true or false: quote it"),
        ("bootstrap_qualifier", "x" * 11, "bootstrap_qualifier: must match pattern"),
        ("owner", "me", "owner: unknown key: remove it, or correct its spelling"),
        ("source", "s3", "source: "),
        ("source.provider", "github", "source: provider must be one of 's3', 'codecommit', 'connection', not 'github'"),
        ("source.provider", ABSENT, "source: needs the key provider"),
        ("source.object_key", "source.tar", "source.object_key: must match pattern"),
        *(
            ("source.object_key", key, "source.object_key: must be a plain path")
            for key in ("../x.zip", "a/../x.zip", "./x.zip", "/x.zip", "a//x.zip")
        ),
        ("source.branch", "main", "source.branch: unknown key: remove it, or correct its spelling"),
        ("source", {"provider": "codecommit"}, "source.repository: is missing"),
        ("source", {**CONNECTION, "connection_arn": "x"}, "source.connection_arn: must match pattern"),
        ("notifications", None, "notifications: must be keys with values, not None"),
        ("notifications.emails", ["someone"], "notifications.emails.0: must match pattern"),
        ("notifications.emails", ["a@b.c", "a@b.c"], "notifications.emails: names a@b.c more than once"),
        (
            "releases.rings",
            [{"name": "a", "percent": 60}, {"name": "b", "percent": 60}, {"name": "c"}],
            "releases: the percents of the rings before the last add up to 120: at most 100",
        ),
        ("notifications.chat", [{"name": "a"}], "notifications.chat.0: needs the key provider"),
        (
            "notifications.chat",
            [{**SLACK, "workspace_id": ""}],
            "notifications.chat.0.workspace_id: must match pattern",
        ),
        ("notifications.chat", [{**SLACK, "name": "a b"}], "notifications.chat.0.name: must match pattern"),
        ("notifications.chat", [{**TEAMS, "team_id": "x"}], "notifications.chat.0.team_id: must match pattern"),
        ("notifications.chat", [{**TEAMS, "channel_id": "19:a@b"}], "notifications.chat.0.channel_id: must match"),
        ("notifications.chat", [SLACK, {**TEAMS, "name": "ops"}], "notifications.chat: names ops more than once"),
        ("notifications.chat", [SLACK] * 21, "notifications.chat: too many entries: at most 20"),
        ("ci.test_command", "pytest", "ci.test_command: must be a list, not 'pytest'"),
        ("ci.test_command", [], "ci.test_command: too few entries: at least 1"),
        ("ci.test_command", ["pytest", ""], "ci.test_command.1: must have at least 1 character"),
        ("provisioning.max_ids_per_build", 0, "must be greater than or equal to 1, not 0"),
        ("provisioning.max_ids_per_build", 101, "must be less than or equal to 90, not 101"),
        ("provisioning.deploy_concurrency", "4", "must be a whole number, not '4'"),
        ("provisioning.sweep_minutes", True, "must be a whole number, not True"),
        ("provisioning.quota_check", "no", "must be 'enforce', 'warn' or 'off', not 'no'"),
    ],
)
def test_errors_of_the_toolchain_file(tmp_path: Path, key: str, value: Any, said: str) -> None:
    (line,) = errors_of(write(tmp_path, toolchain=changed(TOOLCHAIN, key, value)))
    assert line.startswith("toolchain.yaml: ")
    assert said in line


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("accounts", [222222222222], "accounts.0: must be text, but YAML reads it as the number"),
        ("accounts", ABSENT, "give either accounts or organization_id"),
        ("accounts", [], "give either accounts or organization_id"),
        ("organization_id", "o-0123456789", "give either accounts or organization_id"),
        ("organization_id", "0123456789", "organization_id: must match pattern"),
        ("accounts", ["222222222222"] * 2, "accounts: names 222222222222 more than once"),
        ("accounts", [f"{n:012}" for n in range(ACCOUNTS_LIMIT + 1)], "accounts: too many entries: at most 50"),
        ("regions", [], "regions: too few entries: at least 1"),
        ("regions", ["eu-west-1", "us-east-1", "eu-west-1"], "regions: names eu-west-1 more than once"),
        ("component", ["x"], "component: must be keys with values, not ['x']"),
    ],
)
def test_errors_of_the_workloads_file(tmp_path: Path, key: str, value: Any, said: str) -> None:
    (line,) = errors_of(write(tmp_path, workloads=changed(WORKLOADS, key, value)))
    assert line.startswith("workloads.yaml: ")
    assert said in line


def test_errors_of_all_files_come_at_once(tmp_path: Path) -> None:
    toolchain = changed(changed(TOOLCHAIN, "prefix", "No"), "colour", "red")
    workloads = changed(changed(WORKLOADS, "regions", []), "component.colour", "red")
    lines = errors_of(write(tmp_path, toolchain=toolchain, workloads=workloads))
    keys = [line.split(": ")[:2] for line in lines]
    assert keys == [
        ["toolchain.yaml", "prefix"],
        ["toolchain.yaml", "colour"],
        ["workloads.yaml", "regions"],
        ["workloads.yaml", "component.colour"],
    ]


def test_an_account_that_yaml_takes_for_octal_is_told_to_be_quoted(tmp_path: Path) -> None:
    text = "accounts:\n  - 012345670123\nregions: [us-east-1]\n"
    (line,) = errors_of(write(tmp_path, workloads=text))
    assert line == "workloads.yaml: accounts.0: must be text, but YAML reads it as the number 1402433619: quote it"


def test_a_date_is_told_to_be_quoted(tmp_path: Path) -> None:
    toolchain = changed(TOOLCHAIN, "ci.test_command", ["pytest", "DATE"])
    directory = write(tmp_path, toolchain=toolchain)
    file = directory / "toolchain.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("DATE", "2026-11-23"), encoding="utf-8")
    assert errors_of(directory) == [
        "toolchain.yaml: ci.test_command.1: must be text, but YAML reads it as a date: quote it"
    ]


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_regions_of_another_partition_are_refused(tmp_path: Path, region: str) -> None:
    workloads = changed(WORKLOADS, "regions", ["us-east-1", region])
    (line,) = errors_of(write(tmp_path, workloads=workloads))
    assert line.startswith(f"workloads.yaml: regions: {region} not in the toolchain's partition aws")


def test_what_does_not_go_together_is_told_at_once_a_line_each_with_its_file(tmp_path: Path) -> None:
    """Given errors that concern several files, then the first hides none of the others."""
    toolchain = changed(changed(TOOLCHAIN, "prefix", "g" * 16), "bootstrap_qualifier", "same")
    workloads = {**WORKLOADS, "regions": ["us-east-1", "cn-verylongindeed-west-1"], "bootstrap_qualifier": "same"}
    workloads["tiers"] = {"gold": {"ring": "lost"}, "iron": {"ring": "found"}}
    told = errors_of(write(tmp_path, toolchain=toolchain, workloads=workloads))
    assert [line.split(": ")[:2] for line in told] == [
        ["workloads.yaml", "regions"],
        ["workloads.yaml", "tiers.gold.ring"],
        ["workloads.yaml", "tiers.iron.ring"],
        ["workloads.yaml", "bootstrap_qualifier"],
        ["toolchain.yaml", "prefix"],
    ]


def test_a_prefix_that_is_too_long_for_a_region_is_refused(tmp_path: Path) -> None:
    toolchain = changed(TOOLCHAIN, "prefix", "g" * 16)
    workloads = changed(WORKLOADS, "regions", ["us-verylongindeed-west-1"])
    (line,) = errors_of(write(tmp_path, toolchain=toolchain, workloads=workloads))
    assert line.startswith("toolchain.yaml: prefix: too long for Region us-verylongindeed-west-1")
    assert line.endswith("would have 66 of 63 characters; use a shorter prefix")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read: the file is empty"),
        ("# nothing but a comment\n", "cannot be read: the file is empty"),
        ("- a\n- b\n", "must be keys with values, not ['a', 'b']"),
        ("prefix: a\nprefix: b\n", "line 2: prefix is given twice"),
        ("source:\n  provider: s3\n  provider: codecommit\n", "line 3: provider is given twice"),
        ("prefix: [a\n", "line 2: "),
        ("prefix: !!python/object/apply:os.getcwd []\n", "line 1: could not determine a constructor"),
        ("prefix: 2026-99-99\n", "cannot be read: month must be in 1..12"),
        ("? [a, b]\n: c\n", "line 1: found unhashable key"),
    ],
)
def test_files_that_cannot_be_read_are_told_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    (line,) = errors_of(write(tmp_path, toolchain=text))
    assert line.startswith("toolchain.yaml: ")
    assert said in line


def test_the_same_key_in_two_places_is_no_repetition(tmp_path: Path) -> None:
    text = "a: {b: 1, c: 2}\nd: {b: 1, c: 2}\n"
    assert all("unknown key" in line or "is missing" in line for line in errors_of(write(tmp_path, workloads=text)))


def test_missing_and_undecodable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "workloads.yaml").write_bytes(b"regions: \xff\n")
    missing, undecodable = errors_of(tmp_path)
    assert missing == "toolchain.yaml: the file is missing"
    assert undecodable.startswith("workloads.yaml: cannot be read: 'utf-8' codec")


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    directory = write(tmp_path)
    (directory / "toolchain.yaml").unlink()
    (directory / "toolchain.yaml").mkdir()
    assert errors_of(directory) == ["toolchain.yaml: cannot be read: Is a directory"]


def test_long_values_are_cut(tmp_path: Path) -> None:
    (line,) = errors_of(write(tmp_path, toolchain=changed(TOOLCHAIN, "region", "x" * 5000)))
    assert len(line) < 200


@pytest.mark.parametrize("name", ["toolchian.yaml", "workloads.yml", "workload.yaml"])
def test_a_misspelt_file_is_named(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).write_text("prefix: other\n", encoding="utf-8")
    (line,) = errors_of(tmp_path)
    assert line.startswith(f"{name}: is no file of the configuration: rename it to ")


def test_another_file_beside_them_is_nobodys_business(tmp_path: Path) -> None:
    (write(tmp_path) / "rows.yaml").write_text("- id: acme\n", encoding="utf-8")
    assert load(tmp_path).toolchain.prefix == "granary"


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"team": "a", "Team": "b"}, "toolchain.yaml: tags: names team more than once"),
        (
            {"AWS:x": "a"},
            "toolchain.yaml: tags: AWS:x: keys that begin with aws: or granary: are not yours; use others",
        ),
        (
            {"Granary:room": "a"},
            "toolchain.yaml: tags: Granary:room: keys that begin with aws: or granary: are not yours; use others",
        ),
    ],
)
def test_tags_that_aws_refuses_are_refused_here(tmp_path: Path, tags: dict[str, str], said: str) -> None:
    assert errors_of(write(tmp_path, toolchain={**TOOLCHAIN, "tags": tags})) == [said]
