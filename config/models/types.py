"""Words that every part of the configuration is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

# Each account is one statement resource in policies of at most 10,240 characters.
ACCOUNTS_LIMIT = 50

Entry = TypeVar("Entry", bound=Hashable)


def each_once(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    if repeated := sorted({str(entry) for entry in entries if entries.count(entry) > 1}):
        raise ValueError(f"names {', '.join(repeated)} more than once")
    return entries


def twice(where: str, names: Iterable[str]) -> list[str]:
    """What is wrong with names of which some are the same: nothing, or one line."""
    counts = Counter(names)
    repeated = sorted(name for name, times in counts.items() if times > 1)
    return [f"{where}: {', '.join(repeated)} is given twice: let them differ"] if repeated else []


def _taken_by_aws(tags: dict[str, str]) -> dict[str, str]:
    # IAM takes no two keys that differ in their case only, and AWS keeps `aws:` for itself.
    each_once(tuple(key.lower() for key in tags))
    if reserved := [key for key in tags if key.lower().startswith(("aws:", "granary:"))]:
        raise ValueError(f"{', '.join(reserved)}: keys that begin with aws: or granary: are not yours; use others")
    return tags


def _not_reserved(prefix: str) -> str:
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    for reserved, service in _RESERVED.items():
        if f"{prefix}-".startswith(reserved):
            raise ValueError(f"must not begin with {reserved.rstrip('-')}: {service} keeps such names for AWS")
    return prefix


_RESERVED = {"aws": "Parameter Store", "ssm": "Parameter Store", "sthree-": "S3", "amzn-s3-demo-": "S3"}

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
RegionId = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
DnsName = Annotated[
    str, Field(pattern=r"^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$", max_length=255)
]
ZoneId = Annotated[str, Field(pattern=r"^Z[A-Z0-9]{1,31}$")]
Prefix = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16), AfterValidator(_not_reserved)]
# With its path, if it has one: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
PolicyName = Annotated[str, Field(pattern=r"^([A-Za-z0-9+=,.@_-]+/)*[A-Za-z0-9+=,.@_-]{1,128}$", max_length=128)]
Qualifier = Annotated[str, Field(pattern=r"^[a-z0-9]{1,10}$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Word = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Integer = Annotated[int, Strict()]  # neither YAML's `yes` nor "80" is meant as a number
Tags = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9 _.:/=+@-]{1,128}$")],
        Annotated[str, Field(pattern=r"^[A-Za-z0-9 _.:/=+@-]{0,256}$")],
    ],
    # CloudFormation takes 50 a stack; rows may give 20 of their own.
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    Field(max_length=20),
    AfterValidator(_taken_by_aws),
]
Accounts = Annotated[tuple[AccountId, ...], Field(max_length=ACCOUNTS_LIMIT), AfterValidator(each_once)]
Regions = Annotated[tuple[RegionId, ...], Field(min_length=1), AfterValidator(each_once)]


class Model(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def gather(cls, data: Any, directory: Path) -> tuple[Any, list[str]]:
        """A file's data with what it names in other files of the directory, and what is wrong with those."""
        del directory  # most files name no others
        return data, []
