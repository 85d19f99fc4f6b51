"""The plan file of a synth of the lake's pipelines; free of the CDK, so that builds write one without starting it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from lambdas.common.names import Names
from lambdas.common.versioned_json import Text
from lambdas.lake.model.names import LakeNames


class Part(StrEnum):
    """What an environment is made of: each has a pipeline of its own."""

    INFRASTRUCTURE = "infrastructure"
    ETL = "etl"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A pipeline: the environment and the part that it deploys."""

    environment: str
    part: Part

    @classmethod
    def of(cls, text: str) -> Wanted:
        """Read `<environment>/<part>`; raises ValueError for anything else."""
        environment, _, part = text.partition("/")
        return cls(environment=environment, part=Part(part))


@dataclass(frozen=True, kw_only=True)
class LakePlan(Text):
    """Which pipelines to synthesize, and the artifact keys by Region."""

    mode: ClassVar[str] = "lake"
    artifact_keys: dict[str, str]
    pipelines: tuple[Wanted, ...]

    def write(self, path: Path) -> None:
        """Write the plan for `-c lake=PATH`."""
        path.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> LakePlan:
        """Read what `write` wrote; raises ValueError for anything else."""
        return cls.from_json(path.read_text(encoding="utf-8"))


def pipeline_stack(names: Names, wanted: Wanted) -> str:
    """Name of the stack with a pipeline; the pipeline is called so without its end."""
    return f"{LakeNames(prefix=names.prefix, environment=wanted.environment).part(wanted.part.value)}-pipeline"
