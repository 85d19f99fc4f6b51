"""What a role may do, decided from its synthesized policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.synth.assembly import Template, as_list, flat

# What the names of services end with, where it is not amazonaws.com.
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


def _like(value: str | None, patterns: list[str]) -> bool:
    return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)


# What a condition says of a key's value, which is None when the request has no such key.
_OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "ArnEquals": lambda value, allowed: value in allowed,
    "ArnLike": _like,
    "ForAllValues:StringEquals": lambda value, allowed: value is None or value in allowed,
    "ForAnyValue:StringLike": _like,
    "Null": lambda value, absent: (value is None) is (absent == ["true"]),
    "StringEquals": lambda value, allowed: value in allowed,
    "StringLike": _like,
    "StringNotEquals": lambda value, refused: value not in refused,
}


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The toolchain's template, with references to its own resources replaced by what they will be."""

    template: Template

    def text(self, value: Any) -> str:
        """A value with partition, Region, account, buckets' names and ARNs, and key ARNs filled in."""
        shown = flat(value).replace("${AWS::Partition}", self.template.place.partition)
        shown = shown.replace("${AWS::Region}", self.template.region)
        shown = shown.replace("${AWS::AccountId}", self.template.account)
        shown = shown.replace("${AWS::URLSuffix}", _SUFFIXES.get(self.template.place.partition, "amazonaws.com"))
        for logical_id, resource in self.template.resources("AWS::S3::Bucket"):
            name = resource["Properties"]["BucketName"]
            shown = shown.replace(f"${{{logical_id}}}", name)
            shown = shown.replace(f"${{{logical_id}.Arn}}", f"arn:{self.template.place.partition}:s3:::{name}")
        for logical_id, _ in self.template.resources("AWS::KMS::Key"):
            shown = shown.replace(f"${{{logical_id}.Arn}}", f"key:{logical_id}")
        return shown

    def role(self, name: str) -> tuple[str, Mapping[str, Any]]:
        """Logical id and properties of the role with a name, or with this logical id."""
        for logical_id, resource in self.template.resources("AWS::IAM::Role"):
            if name in (logical_id, resource["Properties"].get("RoleName")):
                return logical_id, resource["Properties"]
        raise AssertionError(f"no role is named {name}")

    def _statements(self, role: str) -> Iterator[Mapping[str, Any]]:
        logical_id, _ = self.role(role)
        for _, resource in self.template.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            if {"Ref": logical_id} in resource["Properties"].get("Roles", ()):
                yield from resource["Properties"]["PolicyDocument"]["Statement"]

    def allows(self, role: str, action: str, resource: str, given: Mapping[str, str] | None = None) -> bool:
        """Whether the role's policy allows an action on a resource, and denies it nowhere.

        `given` are the condition keys of the request; without it, conditions are taken to hold.
        """
        effects = {
            statement["Effect"]
            for statement in self._statements(role)
            if any(fnmatchcase(action, str(pattern)) for pattern in as_list(statement["Action"]))
            and any(fnmatchcase(resource, self.text(pattern)) for pattern in as_list(statement["Resource"]))
            and (given is None or self._holds(statement, given))
        }
        return effects == {"Allow"}

    def _holds(self, statement: Mapping[str, Any], given: Mapping[str, str]) -> bool:
        return all(
            _OPERATORS[operator](given.get(key), [self.text(value) for value in as_list(values)])
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )

    def trusts(self, role: str, service: str, source_arn: str) -> bool:
        """Whether the role lets a service assume it for a resource."""
        _, properties = self.role(role)
        return any(
            statement["Principal"] == {"Service": service}
            and statement["Condition"]["StringEquals"] == {"aws:SourceAccount": self.template.account}
            and fnmatchcase(source_arn, self.text(statement["Condition"]["ArnLike"]["aws:SourceArn"]))
            for statement in as_list(properties["AssumeRolePolicyDocument"]["Statement"])
        )
