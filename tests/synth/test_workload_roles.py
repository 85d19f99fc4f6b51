"""The catalogue of roles in workload accounts: who assumes which, what each may do, and what none has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template as Assertions

from config.loader import CONFIG_DIR, load
from lambdas.common.names import Names
from stacks.cicd import RoomsStage
from stacks.foundation import Foundation
from stacks.room import Room
from stacks.rooms import NAMES
from stacks.workload_roles import CATALOGUE, WorkloadRolesStack
from tests.synth.assembly import Template, as_list, flat
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS, configuration
from tests.synth.iam import Toolchain
from tests.synth.synthesis import feature_flags
from tests.workload_roles.line import ROOMS, TRUST, ZONE, Line
from tests.workload_roles.table import LINES

CASES = ("roles-aws", "roles-gov", "roles-china")
_PAGE = Path(__file__).parents[2] / "docs" / "workload-roles.md"
# What a managed policy may have, white space not counted.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
POLICY_LIMIT = 6144
_HOUR = 3600


@pytest.fixture(params=CASES)
def roles(request: pytest.FixtureRequest, templates_of: Callable[[str], list[Template]]) -> Toolchain:
    """The stack with the roles of all rooms: for a listed account, or for any account of an organization."""
    (template,) = templates_of(str(request.param))
    return Toolchain(template=template)


def _properties(roles: Toolchain) -> dict[str, Mapping[str, Any]]:
    return {
        str(role["Properties"]["RoleName"]): role["Properties"]
        for _, role in roles.template.resources("AWS::IAM::Role")
    }


def _filled(roles: Toolchain, text: str) -> str:
    place = roles.template.place
    suffix = "amazonaws.com.cn" if place.partition == "aws-cn" else "amazonaws.com"
    values = {"partition": place.partition, "home": place.home, "region": place.home, "suffix": suffix}
    return text.format(account=roles.template.account, **values)


def _allowed(roles: Toolchain, line: Line) -> bool:
    on = "*" if line.on == "*" else f"arn:{roles.template.place.partition}:{_filled(roles, line.on)}"
    return roles.allows(line.role, line.action, on, {key: _filled(roles, value) for key, value in line.given.items()})


def test_every_line_of_the_table_holds(roles: Toolchain) -> None:
    assert [str(line) for line in LINES if _allowed(roles, line) is not line.may] == []


def test_every_role_is_in_the_table_with_what_it_must_and_must_not(roles: Toolchain) -> None:
    """Of the zone's roles its own tests tell."""
    assert set(_properties(roles)) == set(TRUST)
    told = {(line.role, line.may) for line in LINES}
    assert told == {(name, may) for name in set(TRUST) - set(ZONE) for may in (True, False)}
    assert [str(line) for line in LINES if (line.call is None) is not bool(line.why)] == []


def test_each_role_is_assumed_by_those_alone_who_are_named(roles: Toolchain) -> None:
    account = f"arn:{roles.template.place.partition}:iam::{TOOLCHAIN_ACCOUNT}"
    for name, properties in _properties(roles).items():
        (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        if "Service" in statement["Principal"]:
            assert statement["Principal"] == {"Service": TRUST[name][0]}
            continue
        assert roles.text(statement["Principal"]["AWS"]) == f"{account}:root"
        ((operator, keys),) = statement["Condition"].items()
        assert (operator, set(keys)) == ("ArnEquals", {"aws:PrincipalArn"})
        found = [roles.text(arn) for arn in as_list(keys["aws:PrincipalArn"])]
        assert found == [f"{account}:role/{one}" for one in TRUST[name]]


def test_fis_acts_for_experiments_of_its_own_account_alone(roles: Toolchain) -> None:
    account, place = roles.template.account, roles.template.place
    for owner, kind, may in (
        (account, "experiment", True),
        (account, "x", False),
        ("999999999999", "experiment", False),
    ):
        source = f"arn:{place.partition}:fis:{place.home}:{owner}:{kind}/EXP1"
        (statement,) = _properties(roles)["granary-resilience-experiment"]["AssumeRolePolicyDocument"]["Statement"]
        assert roles.text(statement["Condition"]["StringEquals"]["aws:SourceAccount"]) == account
        assert fnmatchcase(source, roles.text(statement["Condition"]["ArnLike"]["aws:SourceArn"])) is may


def test_no_session_is_longer_than_an_hour(roles: Toolchain) -> None:
    assert {properties["MaxSessionDuration"] for properties in _properties(roles).values()} == {_HOUR}


def test_the_roles_of_the_first_room_are_where_they_were(roles: Toolchain) -> None:
    """A path that changes is a new role, of a name that is taken."""
    found = {logical_id: role["Properties"] for logical_id, role in roles.template.resources("AWS::IAM::Role")}
    assert "Path" not in found["ArchiveDA4CB258"]
    assert not any("Path" in role for role in found.values() if role["RoleName"] in ZONE)
    others = {properties["Path"] for properties in found.values() if "Path" in properties}
    assert (others, len(found)) == ({"/granary/"}, len(TRUST))


def test_nothing_is_of_one_partition_or_account(roles: Toolchain) -> None:
    text = json.dumps(roles.template.body).replace(TOOLCHAIN_ACCOUNT, "")
    assert not re.search(r"arn:aws|amazonaws\.com\.cn|[0-9]{12}", text)
    services = set(re.findall(r'"([a-z-]+\.amazonaws\.com)"', text))
    assert services == {
        f"{one}.amazonaws.com"
        for one in (
            "cloudformation",
            "codeartifact",
            "ecs",
            "ecs-tasks",
            "events",
            "fis",
            "glue",
            "lakeformation",
            "lambda",
            "states",
        )
    }


def _statements(roles: Toolchain) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for _, policy in roles.template.resources("AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            yield policy["Properties"]["ManagedPolicyName"], statement


def test_a_rooms_execution_policy_allows_no_pattern_of_actions_and_fits(roles: Toolchain) -> None:
    assert [name for name, one in _statements(roles) if any("*" in action for action in as_list(one["Action"]))] == []
    assert [
        name for name, one in _statements(roles) if "${" in re.sub(r"\$\{AWS::\w+\}", "", flat(one["Resource"]))
    ] == []
    for room in ROOMS:
        for policy in (f"granary-{room}-execution", f"granary-{room}-execution-besides"):
            found = [one for name, one in _statements(roles) if name == policy]
            assert len(json.dumps(found, separators=(",", ":"))) < POLICY_LIMIT - 40 * len(found)


def test_a_role_that_a_room_makes_is_bounded_by_the_rooms_own_policy(roles: Toolchain) -> None:
    own: dict[str, list[Any]] = {f"granary-{room}-execution": [] for room in ROOMS}
    for name, statement in _statements(roles):
        if any(action in {"iam:CreateRole", "iam:PutRolePolicy"} for action in as_list(statement["Action"])):
            # The policy that CloudFormation has besides bounds nobody.
            own[name.removesuffix("-besides")].append(statement["Condition"])
    for name, conditions in own.items():
        assert conditions == [{"StringLike": {"iam:PermissionsBoundary": f"arn:*:iam::*:policy/granary/{name}"}}]


def _made(*rooms: str, prefix: str = "granary") -> dict[str, Mapping[str, Any]]:
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    foundation = Foundation.of(configuration(AWS, prefix=prefix))
    env = cdk.Environment(account=WORKLOAD_ACCOUNTS[0], region=AWS.home)
    stack = WorkloadRolesStack(app, env=env, foundation=foundation, rooms=rooms)
    found = Assertions.from_stack(stack).find_resources("AWS::IAM::Role")
    return {role["Properties"]["RoleName"]: role["Properties"] for role in found.values()}


def test_a_room_that_is_off_has_no_role() -> None:
    """Who could take the name that a role trusts would have the role."""
    assert set(_made("saas")) == {"granary-adoption", "granary-archive", "granary-task-runner", *ZONE}
    assert set(_made("saas", "lake")) == {name for name in TRUST if "resilience" not in name and "delivery" not in name}
    assert _made("room-without-roles") == {}


def test_whom_roles_trust_the_factory_makes(templates_of: Callable[[str], list[Template]]) -> None:
    """A name that nobody has is free for whoever may make a role in the toolchain's account."""
    settings = load(CONFIG_DIR / "examples" / "all")
    foundation = Foundation.of(settings)
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    stage = RoomsStage(app, foundation=foundation, configuration=settings)
    found = [one.to_json() for one in map(Assertions.from_stack, stage.stacks)]
    found += [one.body for one in templates_of("factory-s3")]
    made = {
        resource["Properties"].get("RoleName")
        for body in found
        for resource in body["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    }
    rooms = {"saas", *settings.rooms} & set(CATALOGUE)
    trusted = {one for room in rooms for role in CATALOGUE[room](foundation) for one in role.roles}
    assert trusted - made == set()


def test_the_catalogue_is_of_rooms() -> None:
    # Gates reach no workload account.
    assert set(NAMES) - {"gates"} <= set(CATALOGUE)
    for name in CATALOGUE:
        Room(name=name)


def test_the_page_tells_who_assumes_which_role() -> None:
    rows = [line.split("|")[2:4] for line in _PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = {role.strip(" `"): set(re.findall("`(.+?)`", who)) for role, who in rows}
    for name, who in TRUST.items():
        room = name.split("-")[1]
        row = name if name in told else name.replace(room, "<room>")
        expected = {one.replace(room, "<room>") if "<room>" in row else one for one in who if "." not in one}
        assert told[row] == expected, name


def test_names_fit_and_no_role_has_the_name_of_one_that_it_trusts() -> None:
    """The toolchain's account may be among the targets, and names count without their paths."""
    longest = "a" * 16
    names = set(_made(*CATALOGUE, prefix=longest))
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert max(map(len, names)) <= 64
    trusted = {name for principals in TRUST.values() for name in principals}
    assert trusted & set(TRUST) == set()


def test_artifacts_of_rooms_are_apart_with_the_longest_prefix() -> None:
    names = Names(prefix="a" * 16)
    prefixes = [names.cicd_artifacts_prefix, *(names.room_artifacts_prefix(room) for room in CATALOGUE)]
    for one in prefixes:
        assert [other for other in prefixes if other.startswith(one.rstrip("/"))] == [one]
