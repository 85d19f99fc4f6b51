"""What a scanner may be told besides what it scans: the name of each option, and of which kind its value is; pure."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.common.written import shown

_KINDS = {list: "a list of texts", str: "a text", bool: "true or false", dict: "texts by name"}
# All scanners there are. `history` and `project` are otherwise those of the repository.
OPTIONS: Mapping[str, Mapping[str, type]] = {
    "bandit": {"paths": list},
    "cdk_validation": {"plugins": list},
    "cfn_lint": {"ignore": list},
    "cfn_policy_validator": {
        "allow_external_principals": list,
        "ignore_finding": list,
        "template_configuration": str,
        "treat_finding_type_as_blocking": list,
    },
    "checkov": {"skip": list},
    "iam": {
        "allow_external_principals": list,
        "denied_actions": list,
        "own_accounts": list,
        "reference": str,
        "ssm_parameters": dict,
    },
    "kingfisher": {"history": bool, "rules": str},
    "pip_audit": {"files": list, "osv_url": str},
    "snyk": {"api": str, "files": list, "monitor": bool, "org": str, "project": str, "secret": str},
}


def checked_options(scanner: str, given: Mapping[str, object]) -> dict[str, object]:
    """The options of a scanner, in which a text that stands for a list is one.

    Raises:
        ValueError: it has no such option, or the value is of another kind: it would be passed over without a word.
    """
    known = OPTIONS[scanner]
    if strangers := sorted(set(given) - set(known)):
        raise ValueError(f"{scanner} has no option {', '.join(strangers)}: it takes {', '.join(known)}")
    found = {
        name: [value] if known[name] is list and isinstance(value, str) else value for name, value in given.items()
    }
    for name, value in found.items():
        if not isinstance(value, known[name]) or not all(map(_is_text, _parts(value))):
            raise ValueError(f"{name} is {_KINDS[known[name]]}, not {shown(value)}")
    return found


def _parts(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
