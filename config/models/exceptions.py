"""config/exceptions.yaml: what gates have found, and somebody answers for until a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from config.models.types import Model, Word


def day(value: object) -> object:
    """Read a day, which YAML's plain loader leaves as it is written."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class OneException(Model):
    """One finding that blocks no gate until it expires."""

    fingerprint: str = Field(pattern=r"^v[0-9]+:[0-9a-f]{32}$", description="As the gate prints it.")
    gate: Word = Field(description="Name of the gate that found it.")
    reason: Word = Field(description="Why it may stay, and what is done about it.")
    requester: Word = Field(description="Who asks for it.")
    approver: Word = Field(description="Who has approved it: another person.")
    expires: Annotated[date, BeforeValidator(day)] = Field(description="The first day on which it counts no more.")

    @model_validator(mode="after")
    def _two_people(self) -> OneException:
        if self.requester.strip().casefold() == self.approver.strip().casefold():
            raise ValueError(f"approver: {self.approver} has asked for it: another person approves")
        return self


class Exceptions(Model):
    """All exceptions."""

    exceptions: tuple[OneException, ...] = Field((), description="One a finding.")

    @model_validator(mode="after")
    def _each_once(self) -> Exceptions:
        seen: set[tuple[str, str]] = set()
        for one in self.exceptions:
            if (one.gate, one.fingerprint) in seen:
                raise ValueError(f"exceptions: {one.fingerprint} of gate {one.gate} is given twice: leave one")
            seen.add((one.gate, one.fingerprint))
        return self
