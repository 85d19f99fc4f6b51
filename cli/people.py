"""Which of the roles in `config/policies/people` runs which command; a test holds the policies to it.

A command is written with an option where that changes who may run it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VIEWER, SUPPORT, OPERATOR, APPROVER = ROLES = ("viewer", "support", "operator", "approver")
_PAGE = "docs/saas/people.md"

_EVERYBODYS = (
    "bootstrap-template",
    "component check",
    "execution-policy",
    "chaos history",
    "chaos list",
    "chaos show",
    "failover history",
    "failover plan",
    "failover status",
    "gates explain",
    "gates list",
    "gates parse",
    "gates run",
    "gates verify",
    "lake datasets",
    "lake plan --last",
    "lake records",
    "lake report",
    "lake runs",
    "lake try",
    "lake what-can",
    "lake who-can",
    "list",
    "logs",
    "plan cost",
    "plan reconcile",
    "plan release",
    "plan retire",
    "rooms",
    "status",
    "upstream",
    "validate",
)
_OPERATORS = (
    "activate",
    "chaos run",
    "failover drill",
    "failover start",
    "lake runs --again",
    "lake runs --again-all-failed",
    "pin",
    "release",
    "resume",
    "retire",
    "suspend",
    "unpin",
)
_APPROVERS = ("approve", "lake apply", "lake plan", "lake report --sign", "reject")
# They write what the factory has observed, delete what others may need, or consent to that.
_ADMINISTRATORS = ("adopt", "cleanup", "repair")

ROLES_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_EVERYBODYS, ROLES),
    "retry": (SUPPORT, OPERATOR),
    **dict.fromkeys(_OPERATORS, (OPERATOR,)),
    **dict.fromkeys(_APPROVERS, (APPROVER,)),
    **dict.fromkeys(_ADMINISTRATORS, ()),
}


def whose(command: str, params: Mapping[str, Any]) -> str:
    """Tell whose a command is that was denied, by its words and the options that it was given."""
    given = [f"{command} --{name.replace('_', '-')}" for name, value in params.items() if value]
    written = next((one for one in given if one in ROLES_OF), command)
    if written not in ROLES_OF:
        return ""
    roles = " and ".join(ROLES_OF[written]) or "administrators of the account"
    return f"`granary {written}` is for {roles}: see {_PAGE}"
