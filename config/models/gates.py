"""config/gates.yaml: what is scanned before anything is deployed, and what stops it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from config.models.types import Integer, Model
from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.gate import Gate, Scope
from lambdas.gates.model.scanner_names import scanner_names

SeverityWord = Literal["critical", "high", "medium", "low", "informational"]


def _known(name: str) -> str:
    if name not in scanner_names():
        raise ValueError(f"there is no scanner {name}: use {', '.join(scanner_names())}")
    return name


class GateModel(Model):
    """A gate."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Its name, in verdicts and exceptions.")
    scanner: Annotated[str, AfterValidator(_known)] = Field(description="A scanner of lambdas/gates/scanners.")
    scans: Literal["source", "templates"] = Field("source", description="The source, or what is synthesized from it.")
    fail_at: SeverityWord = Field("high", description="The least severity that fails it.")
    unknown_blocks: bool = Field(True, description="Whether findings whose severity is not known fail it.")
    valid_days: Integer = Field(90, ge=1, le=365, description="How long its verdict counts.")
    options: dict[str, Any] = Field({}, description="What its scanner is told besides.")

    def gate(self) -> Gate:
        """The gate as it is run."""
        given = self.model_dump(exclude={"scans", "fail_at"})
        return Gate(**given, scans=Scope(self.scans), fail_at=Severity[self.fail_at.upper()])


class Section(Model):
    """All gates; a release needs the verdicts of all of them."""

    gates: tuple[GateModel, ...] = Field(min_length=1, max_length=50, description="The gates.")

    security_hub: bool = Field(False, description="Whether findings are imported into Security Hub, which is on there.")

    @model_validator(mode="after")
    def _names_differ(self) -> Section:
        names = [gate.name for gate in self.gates]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"gates: {', '.join(twice)} is given twice: names differ")
        return self
