"""The policies of people: AWS takes them, they say nothing that AWS does not know, and every command is somebody's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from cli.app import app
from cli.people import ROLES, ROLES_OF, VIEWER, whose
from lambdas.gates.model.iam.catalogue import Catalogue
from tests.local.people_world import POLICIES, statements

# AWS knows no resource for these: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = frozenset(
    {
        "cloudformation:DescribeStacks",  # of all stacks, to find those of rooms
        "codepipeline:ListPipelines",
        "lakeformation:GetDataLakeSettings",
        "lakeformation:ListDataCellsFilter",
        "lakeformation:ListLFTags",
        "lakeformation:ListPermissions",
        "lakeformation:SearchDatabasesByLFTags",
        "lakeformation:SearchTablesByLFTags",
    }
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, white space not counted
LIMIT = 6144


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("role", ROLES)
def test_a_policy_fits_and_is_known_to_aws(role: str) -> None:
    found, known = statements(role), Catalogue()
    text = json.dumps(json.loads((POLICIES / f"{role}.json").read_text(encoding="utf-8")), separators=(",", ":"))
    assert len(text) < LIMIT - 40 * len(found)
    for one in found:
        assert one["Effect"] == "Allow"
        for action in listed(one["Action"]):
            service = action.partition(":")[0]
            assert action.lower() in known.actions_of(service), action
        for keys in one.get("Condition", {}).values():
            assert all(known.knows_key(key.lower()) for key in keys), keys


@pytest.mark.parametrize("role", ROLES)
def test_a_policy_is_for_every_partition_and_names_what_is_ours(role: str) -> None:
    for one in statements(role):
        actions = listed(one["Action"])
        for resource in listed(one["Resource"]):
            if resource == "*":
                assert set(actions) <= WITHOUT_RESOURCE
                continue
            assert re.match(r"arn:\*:[a-z0-9-]+:\*?:\*?:", resource), resource
            if "granary" not in resource and not re.search(r":(silo|pool)-\*-pipeline$", resource):
                # Keys are bound by the services that use them, APIs by the routes; catalogs are read as a whole.
                assert one["Sid"] in {"KeysToRead", "KeysToWrite", "FailOver", "Failovers", "Catalog"}, resource


def test_everybody_may_what_a_viewer_may_in_the_same_words() -> None:
    for role in ROLES:
        assert all(one in statements(role) for one in statements(VIEWER)), role


def commands(group: Any, *words: str) -> Iterator[str]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, *words, name)
        else:
            yield " ".join((*words, name))


def test_every_command_is_somebodys() -> None:
    """A new one fails here until it stands in `cli/people.py`; `tests/local/test_people.py` then wants to try it."""
    assert {one.partition(" --")[0] for one in ROLES_OF} == set(commands(get_command(app)))


@pytest.mark.parametrize(
    ("command", "params", "said"),
    [
        ("suspend", {"deployment_id": "acme"}, "`granary suspend` is for operator"),
        ("retry", {}, "`granary retry` is for support and operator"),
        ("repair", {"release": True}, "`granary repair` is for administrators of the account"),
        ("lake report", {"sign": False}, "`granary lake report` is for viewer and support and operator and approver"),
        ("lake report", {"sign": True}, "`granary lake report --sign` is for approver"),
        ("lake runs", {"again_all_failed": True}, "`granary lake runs --again-all-failed` is for operator"),
    ],
)
def test_who_is_denied_hears_whose_the_command_is(command: str, params: dict[str, Any], said: str) -> None:
    assert whose(command, params) == f"{said}: see docs/saas/people.md"


def test_a_command_of_a_room_that_is_not_here_is_nobodys() -> None:
    assert not whose("probe greet", {})
