"""config/exceptions.yaml: what gates have found, and somebody answers for until a day."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.models.types import Model, Word
from lambdas.common.written import shown

_ADDRESS = re.compile(r"<([^<>]+@[^<>]+)>")
_TAG = re.compile(r"\+[^@]*(?=@)")


def day(value: object) -> object:
    """YAML's plain loader leaves a day as it is written."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is no day: write it as 2027-01-31") from None


def _person(name: str) -> str:
    """What is left of a name when it is not looked at how it is written; of an address the mailbox."""
    told = unicodedata.normalize("NFKC", name)
    address = _ADDRESS.search(told)
    return _TAG.sub("", _seen(address[1] if address else told)).casefold()


def _seen(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() and not letter.isspace())


def _told(text: str) -> str:
    if not _seen(text):
        raise ValueError("must not be blank")
    return text


Told = Annotated[Word, AfterValidator(_told)]


class OneException(Model):
    """One finding that blocks no gate until it expires."""

    fingerprint: str = Field(pattern=r"^v[0-9]+:[0-9a-f]{32}$", description="As the gate prints it.")
    gate: Word = Field(description="Name of the gate that found it.")
    reason: Told = Field(description="Why it may stay, and what is done about it.")
    requester: Told = Field(description="Who asks for it.")
    approver: Told = Field(description="Who has approved it: another person.")
    expires: Annotated[date, BeforeValidator(day)] = Field(description="The first day on which it counts no more.")

    @model_validator(mode="after")
    def _two_people(self) -> OneException:
        if _person(self.requester) == _person(self.approver):
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
