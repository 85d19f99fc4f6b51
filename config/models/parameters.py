"""config/workloads.yaml: what rows may say to their component (`parameters`), and defaults with a name (`tiers`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.models.types import Model, Tags, Word
from lambdas.saas.model.declared import PARAMETERS_LIMIT, VALUE_LIMIT, Parameter, is_arn, named_as_secret

# No hyphen at an end, and no two side by side.
_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
TierName = Annotated[str, Field(pattern=_NAME, max_length=32)]
RingName = Annotated[str, Field(pattern=_NAME, max_length=32)]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Value = Annotated[str, Field(max_length=VALUE_LIMIT)]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return pattern


class ParameterModel(Model):
    """One parameter that rows and tiers may give."""

    description: Word = Field(max_length=500, description="What it does, for those who write rows.")
    default: Value = Field(
        description="What holds where neither row nor tier gives it: functions know it before any release does."
    )
    pattern: Annotated[str, AfterValidator(_compiles)] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Regular expression of Python's that has to match the whole value.",
    )
    choices: tuple[Annotated[Word, Field(max_length=VALUE_LIMIT)], ...] = Field(
        (), max_length=30, description="The values that there are, instead of a pattern."
    )
    reference: Literal["secret", "parameter"] | None = Field(
        None,
        description="The value names a Secrets Manager secret or SSM parameter of the workload account, or is its ARN.",
    )

    @property
    def declared(self) -> Parameter:
        """What functions and builds know of it."""
        return Parameter(
            default=self.default, pattern=self.pattern or "", choices=self.choices, reference=self.reference or ""
        )

    @model_validator(mode="after")
    def _one_rule(self) -> ParameterModel:
        if sum(map(bool, (self.pattern, self.choices, self.reference))) > 1:
            raise ValueError("give one of pattern, choices and reference")
        if problem := self.misfit(self.default):
            raise ValueError(f"default {problem}")
        return self

    def misfit(self, value: str) -> str:
        """What is wrong with a value that holds for several tenants; empty when it fits."""
        if self.reference and is_arn(value):
            return "is an ARN, which is of one account and Region: use a name, which may be there in each"
        return self.declared.problem(value)


def _called_rightly(parameters: dict[str, ParameterModel]) -> dict[str, ParameterModel]:
    for name, one in parameters.items():
        if named_as_secret(name) and not one.reference:
            raise ValueError(
                f"{name}: is called as a secret is, and no row holds one: give it `reference: secret`, or another name"
            )
    return parameters


Parameters = Annotated[
    dict[ParameterName, ParameterModel], Field(max_length=PARAMETERS_LIMIT), AfterValidator(_called_rightly)
]


class TierModel(Model):
    """Defaults for the rows that name it; what a row gives itself comes first."""

    size: Literal["small", "medium", "large"] | None = Field(None, description="How much the component gets.")
    ring: RingName | None = Field(None, description="The ring of releases, as if the row named it.")
    parameters: dict[ParameterName, Value] = Field({}, description="Values of declared parameters.")
    tags: Tags = Field({}, description="Tags of the tenant's stacks and of what is in them.")

    def misfits(self, declared: Mapping[str, ParameterModel]) -> list[str]:
        """What is wrong with its parameters, each as a line."""
        unknown = [
            f"parameters.{name} is not declared under `parameters`" for name in self.parameters.keys() - declared
        ]
        wrong = {name: declared[name].misfit(value) for name, value in self.parameters.items() if name in declared}
        return sorted([*unknown, *(f"parameters.{name} {problem}" for name, problem in wrong.items() if problem)])
