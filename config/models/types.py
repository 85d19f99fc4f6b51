"""Words that every part of the configuration is made of."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

# Each account is one statement resource in policies of at most 10,240 characters.
ACCOUNTS_LIMIT = 50

Entry = TypeVar("Entry", bound=Hashable)


def each_once(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    if repeated := sorted({str(entry) for entry in entries if entries.count(entry) > 1}):
        raise ValueError(f"names {', '.join(repeated)} more than once")
    return entries


AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
RegionId = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
Prefix = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Word = Annotated[str, Field(min_length=1)]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Integer = Annotated[int, Strict()]  # neither YAML's `yes` nor "80" is meant as a number
Accounts = Annotated[tuple[AccountId, ...], Field(max_length=ACCOUNTS_LIMIT), AfterValidator(each_once)]
Regions = Annotated[tuple[RegionId, ...], Field(min_length=1), AfterValidator(each_once)]


class Model(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")
