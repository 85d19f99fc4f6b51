"""What a role of the toolchain may do, decided from its synthesized policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.synth.assembly import Template, as_list, flat


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """The toolchain's template, with references to its own resources replaced by what they will be."""

    template: Template

    def text(self, value: Any) -> str:
        """A value with partition, Region, account, bucket ARNs and key ARNs filled in."""
        shown = flat(value).replace("${AWS::Partition}", self.template.place.partition)
        shown = shown.replace("${AWS::Region}", self.template.region)
        shown = shown.replace("${AWS::AccountId}", self.template.account)
        for logical_id, resource in self.template.resources("AWS::S3::Bucket", "AWS::KMS::Key"):
            properties = resource["Properties"]
            arn = (
                f"arn:{self.template.place.partition}:s3:::{properties['BucketName']}"
                if resource["Type"] == "AWS::S3::Bucket"
                else f"key:{logical_id}"
            )
            shown = shown.replace(f"${{{logical_id}.Arn}}", arn)
        return shown

    def role(self, name: str) -> tuple[str, Mapping[str, Any]]:
        """Logical id and properties of the role with a name."""
        for logical_id, resource in self.template.resources("AWS::IAM::Role"):
            if resource["Properties"].get("RoleName") == name:
                return logical_id, resource["Properties"]
        raise AssertionError(f"no role is named {name}")

    def _statements(self, role: str) -> Iterator[Mapping[str, Any]]:
        logical_id, _ = self.role(role)
        for _, resource in self.template.resources("AWS::IAM::Policy"):
            if {"Ref": logical_id} in resource["Properties"]["Roles"]:
                yield from resource["Properties"]["PolicyDocument"]["Statement"]

    def allows(self, role: str, action: str, resource: str) -> bool:
        """Whether the role's policy has a statement, whatever its conditions, for an action on a resource."""
        return any(
            any(fnmatchcase(action, str(pattern)) for pattern in as_list(statement["Action"]))
            and any(fnmatchcase(resource, self.text(pattern)) for pattern in as_list(statement["Resource"]))
            for statement in self._statements(role)
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
