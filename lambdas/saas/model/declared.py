"""What the configuration declares of rows' parameters and tiers, and whether a value fits; pure.

A reason never repeats a value: somebody may have put a secret there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdas.common.written import cut

PARAMETERS_LIMIT = 30
VALUE_LIMIT = 512
_TOLD = 150  # characters of a pattern or of choices that a reason has
SECRET, PARAMETER = "secret", "parameter"
_CALLED = {SECRET: "a Secrets Manager secret", PARAMETER: "an SSM parameter"}
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
# Secrets that services manage have a ! in their names.
_NAMES = {SECRET: re.compile(r"[A-Za-z0-9/_+=.@!-]+"), PARAMETER: re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")}
_ARN = re.compile(r"arn:[a-z-]+:[a-z]+:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9/_+=.@!:-]+")
_SERVICES = {SECRET: ("secretsmanager", "secret:"), PARAMETER: ("ssm", "parameter/")}
# CloudFormation would put what is behind the first into the template, the CDK what it calls a token for the second.
_EVALUATED = ("{{", "${")
# What has the shape of a key, a token or a password in an address; names of secrets have none of these.
_LOOKS_SECRET = re.compile(
    r"-----BEGIN |\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_|\bglpat-|\bxox[abprs]-"
    r"|\b[rs]k_(live|test)_|\bsk-[A-Za-z0-9_-]{20}|\bAIza[A-Za-z0-9_-]{35}|\beyJ[A-Za-z0-9_-]+\.eyJ"
    r"|://[^/\s:@]*:[^/\s@]+@|\b(password|passwd|pwd|secret|token|api_?key)\s*[=:]\s*\S",
    re.IGNORECASE,
)
# Of 40 letters and more without a separator, what has all three kinds is nobody's word.
_LOOKS_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+=]{40,}")
_NAMED_SECRET = re.compile(r"(passw|secret|token|credential|(api|private|access)[_-]?key)", re.IGNORECASE)


def looks_secret(value: str) -> bool:
    """Whether a value has the shape of a secret, which stands in no row and in no configuration."""
    return bool(_LOOKS_SECRET.search(value) or _LOOKS_RANDOM.fullmatch(value))


def named_as_secret(name: str) -> bool:
    """Whether a parameter is called as a secret is."""
    return bool(_NAMED_SECRET.search(name))


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a parameter may be: what `pattern` matches, one of `choices`, or anything; a `reference` is a name or ARN.

    Where no row and no tier gives it, it is `default`; an empty one of a reference refers to nothing.
    """

    default: str = ""
    pattern: str = ""
    choices: tuple[str, ...] = ()
    reference: str = ""

    def problem(self, value: str) -> str:
        """What is wrong with a value, and what to use; empty when it fits. Where a reference leads to, rows tell."""
        if len(value) > VALUE_LIMIT:
            return f"has {len(value)} characters: use at most {VALUE_LIMIT}"
        if not value.isprintable() or any(one in value for one in _EVALUATED):
            return "has what CloudFormation or a terminal would obey: use printable characters, without {{ and ${"
        return self._no_reference(value) if self.reference else self._no_value(value)

    def _no_value(self, value: str) -> str:
        if looks_secret(value):
            return (
                "looks like a secret: keep it in Secrets Manager in the workload account, declare the parameter with "
                "`reference: secret`, and give its name"
            )
        if self.choices and value not in self.choices:
            return f"is unknown: use one of {cut(', '.join(self.choices), _TOLD)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"does not fit: use what the pattern {cut(self.pattern, _TOLD)} has"
        return ""

    def _no_reference(self, value: str) -> str:
        named = _NAMES[self.reference].fullmatch(value) and not looks_secret(value)
        if value == self.default == "" or named or is_arn(value):
            return ""
        return f"is no reference: use the name or ARN of {_CALLED[self.reference]} in the workload account"

    def elsewhere(self, value: str, *, partition: str, account: str, regions: tuple[str, ...]) -> str:
        """Why an ARN does not lead into the places of a deployment, and what to use; empty for what does."""
        if not self.reference or not is_arn(value):
            return ""
        if len(regions) > 1:
            return "is an ARN, which is of one Region, and the row has two: use the name, which has to be in both"
        service, kind = _SERVICES[self.reference]
        ours = f"arn:{partition}:{service}:{regions[0]}:{account}:{kind}"
        if not value.startswith(ours):
            return f"is of another account, Region or service: use the name, or an ARN {ours}..."
        return ""


def is_arn(value: str) -> bool:
    """Whether a value has the shape of an ARN of something in an account and Region."""
    return bool(_ARN.fullmatch(value))


@dataclass(frozen=True, kw_only=True)
class Tier:
    """Defaults that have a name; what is empty is left to the row, or to what holds for all."""

    size: str = ""
    ring: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def tags_beside(self, own: Iterable[str]) -> dict[str, str]:
        """Its tags without those that the row has keys of: AWS takes no two that differ in their case only."""
        names = {str(key).lower() for key in own}
        return {key: value for key, value in self.tags.items() if key.lower() not in names}
