"""What the values of CloudFormation templates are before they are deployed; pure.

A value is known, or a text with symbols (`${@template#Resource.Attribute}`: known after deployment, and the same
wherever it is named), or `Undecidable` with the reason. Nothing is left out because it could not be told.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.functions import FUNCTIONS, NO_VALUE, PART, Undecidable
from lambdas.gates.model.iam.syntax import TemplateError, function_of, named_in

STACK = "AWS::CloudFormation::Stack"
_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}
_LONGEST = 120  # values that follow from each other
_NOTHING: Mapping[str, bool] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where templates are deployed."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(kw_only=True)
class Shared:
    """What the templates of an assembly know together."""

    exports: dict[Any, tuple[Template, Any]] = field(default_factory=dict)
    depth: int = 0


class Template:
    """One template as it is deployed: with its parameters, in its account, among the others of its assembly."""

    def __init__(
        self,
        body: Mapping[str, Any],
        *,
        path: str,
        where: Where,
        catalogue: Catalogue,
        given: Callable[[str], Any] = lambda _: None,
        key: str = "",
        shared: Shared | None = None,
    ) -> None:
        if not isinstance(body, Mapping) or not isinstance(body.get("Resources", {}), Mapping):
            raise TemplateError(f"{path} is no CloudFormation template: it needs an object `Resources`")
        self.body, self.path, self.where, self.catalogue, self.given = body, path, where, catalogue, given
        self.key, self.shared = key or path, shared or Shared()
        self.nested: dict[str, Template] = {}
        self._refuse_cycles()

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Its resources; a loop of macros (`Fn::ForEach::...`) is none."""
        return {key: one for key, one in self.body.get("Resources", {}).items() if isinstance(one, dict)}

    def of_type(self, kind: str) -> list[str]:
        """The names of its resources of a type."""
        return [name for name, one in self.resources.items() if one.get("Type") == kind]

    def section(self, name: str) -> Mapping[str, Any]:
        """A section of it."""
        found = self.body.get(name)
        return found if isinstance(found, Mapping) else {}

    def _refuse_cycles(self) -> None:
        parts = {f"condition {key}": one for key, one in self.section("Conditions").items()} | self.resources
        try:
            graph = {key: {name for name in named_in(one) if name in parts} for key, one in parts.items()}
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            raise TemplateError(
                f"{self.path}: {' -> '.join(reversed(error.args[1]))} depend on each other: take one reference out"
            ) from None
        except TemplateError as error:
            raise TemplateError(f"{self.path}: {error}") from None

    def value(self, node: Any, assume: Mapping[str, bool] = _NOTHING) -> Any:
        """What a value is, with conditions as they are assumed."""
        self.shared.depth += 1
        try:
            if self.shared.depth > _LONGEST:
                raise TemplateError(f"{self.path}: values refer to each other without end: write one of them out")
            return self._value(node, assume)
        finally:
            self.shared.depth -= 1

    def _value(self, node: Any, assume: Mapping[str, bool]) -> Any:
        if isinstance(node, str):
            return Undecidable(reason=f"{node} is read at deployment") if "{{resolve:" in node else node
        if isinstance(node, list):
            return [each for one in node if (each := self.value(one, assume)) is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if name := function_of(node):
            return self._answer(name, node.get(name), assume)
        return {key: each for key, one in node.items() if (each := self.value(one, assume)) is not NO_VALUE}

    def _answer(self, name: str, told: Any, assume: Mapping[str, bool]) -> Any:
        if name not in FUNCTIONS:
            return Undecidable(reason=f"{name} is not evaluated")
        try:
            return FUNCTIONS[name](self, told, assume)
        except TemplateError:
            raise
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            return Undecidable(reason=f"{name} is not written as CloudFormation documents it")

    def holds(self, condition: Any) -> bool | Undecidable:
        """Whether a condition of the template holds."""
        if condition not in self.section("Conditions"):
            return Undecidable(reason=f"the template has no condition {condition}")
        return self._holds(self.section("Conditions")[condition])

    def _holds(self, node: Any) -> bool | Undecidable:
        name, told = next(iter(node.items()))
        if name == "Condition":
            return self.holds(told)
        if name == "Fn::Equals":
            return _equal(*(self.value(one) for one in told))
        if name not in ("Fn::And", "Fn::Or", "Fn::Not"):
            return Undecidable(reason="a condition is made of Fn::Equals, Fn::And, Fn::Or and Fn::Not")
        parts = [self._holds(one) for one in told]
        unknown = next((one for one in parts if isinstance(one, Undecidable)), None)
        if name == "Fn::Not":
            return unknown or not parts[0]
        decisive = name == "Fn::Or"
        return decisive if decisive in parts else unknown or not decisive

    def parameter(self, name: str) -> Any:
        """The value that is given to a parameter, or else its default."""
        told = self.section("Parameters")[name]
        kind = str(told.get("Type", "String"))
        value = given = self.given(name)
        value = told.get("Default") if value is None else value
        if kind.startswith("AWS::SSM::Parameter::Value") and given is None:
            return Undecidable(reason=f"parameter {name} is read from Systems Manager at deployment")
        if value is None:
            return Undecidable(reason=f"parameter {name} has neither a value nor a default: give one")
        if isinstance(value, Undecidable):
            return value
        return [one.strip() for one in str(value).split(",")] if "List" in kind and isinstance(value, str) else value

    def reference(self, name: str) -> Any:
        """What `Ref` answers."""
        pseudo = {
            "AWS::AccountId": self.where.account,
            "AWS::Region": self.where.region,
            "AWS::Partition": self.where.partition,
            "AWS::URLSuffix": _SUFFIXES.get(self.where.partition, "amazonaws.com"),
            "AWS::NoValue": NO_VALUE,
            "AWS::StackName": f"${{@{self.key}#AWS::StackName}}",
            "AWS::StackId": f"${{@{self.key}#AWS::StackId}}",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.section("Parameters"):
            return self.parameter(name)
        if name not in self.resources:
            return Undecidable(reason=f"the template has neither a parameter nor a resource {name}")
        key = self.catalogue.name_of(str(self.resources[name].get("Type")))
        return self.attribute(name, key) if key.endswith("Arn") else self._name(name, key)

    def _name(self, name: str, key: str) -> str:
        told = self.value(self.properties(name).get(key))
        return told if isinstance(told, str) else f"${{@{self.key}#{name}}}"

    def attribute(self, name: str, attribute: str) -> Any:
        """What `Fn::GetAtt` answers; an attribute can be one of an attribute (`MasterUserSecret.SecretArn`)."""
        if name not in self.resources:
            return Undecidable(reason=f"the template has no resource {name}")
        if (kind := str(self.resources[name].get("Type"))) == STACK and attribute.startswith("Outputs."):
            nested = self.nested.get(name)
            output = nested.section("Outputs").get(attribute.removeprefix("Outputs.")) if nested else None
            return nested.value(output["Value"]) if nested and output else Undecidable(reason=f"{name} is not here")
        last = kind.rpartition("::")[2]
        if not self.catalogue.schema(kind):
            return Undecidable(reason=f"{name} is a {kind}: only its deployment tells its {attribute}")
        if attribute not in ("Arn", f"{last}Arn") or not (arn := self.catalogue.arn_of(kind)):
            return f"${{@{self.key}#{name}.{attribute}}}"
        where = {"Partition": self.where.partition, "Region": self.where.region, "Account": self.where.account}
        key = next((key for key in (f"{last}Name", self.catalogue.name_of(kind)) if key in self.properties(name)), "")
        stem = self._name(name, "Path").strip("/") if key and "Path" in self.properties(name) else ""
        named = f"{stem}/{self._name(name, key)}".lstrip("/")
        return PART.sub(lambda found: where[found[1]], arn).replace(".*", named)

    def imported(self, name: str) -> Any:
        """What `Fn::ImportValue` answers."""
        if name not in self.shared.exports:
            return Undecidable(reason=f"the export {name} is of a stack that is not here")
        template, node = self.shared.exports[name]
        return template.value(node)

    def properties(self, name: str) -> Mapping[str, Any]:
        """What a resource is given; nothing if that is no object."""
        found = self.resources.get(name, {}).get("Properties")
        return found if isinstance(found, Mapping) else {}

    def nested_path(self, name: str) -> str:
        """Where the template of a nested stack is, beside this one."""
        metadata = self.resources[name].get("Metadata")
        told = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None
        told = told or self.value(self.properties(name).get("TemplateURL"))
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), told)) if isinstance(told, str) else ""


def _equal(one: Any, other: Any) -> bool | Undecidable:
    for each in (one, other):
        if isinstance(each, Undecidable):
            return each
    texts = [
        json.dumps(each, sort_keys=True, default=str) if isinstance(each, list | dict) else str(each)
        for each in (one, other)
    ]
    if texts[0] != texts[1] and any("${@" in text for text in texts):
        return Undecidable(reason=f"whether {texts[0]} is {texts[1]} is only known after deployment")
    return texts[0] == texts[1]
