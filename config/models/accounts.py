"""Many workload accounts: a file of them, and where they stand in an organization."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lambdas.common.written import shown

# Each path stands in several statements of a role's policy, which has room for 10,240 characters.
PATHS_LIMIT = 5
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-view-data-orgs.html#access_policies_last-accessed-viewing-orgs-entity-path
# Organizational units are nested five deep at most.
OrganizationPath = Annotated[
    str,
    Field(
        pattern=r"^o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}/(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}/){0,5}\*?$",
        max_length=200,
        description="o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*: the unit and all below; without the *, the unit alone.",
    ),
]
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*\.txt")
_ACCOUNT = re.compile(r"[0-9]{12}")
_TOLD = 5  # lines of a file; they all have the same mistake, mostly


@dataclass(frozen=True, kw_only=True)
class AccountsFile:
    """The accounts that a file names, one a line; what follows a # is a comment."""

    accounts: tuple[str, ...]

    @classmethod
    def read(cls, name: object, directory: Path) -> tuple[AccountsFile, list[str]]:
        """Read a file beside the configuration, and what is wrong with it: then it names nobody."""
        key = "workloads.yaml: accounts_file"
        if not isinstance(name, str) or not _FILE.fullmatch(name):
            return cls(accounts=()), [
                f"{key}: {shown(name)}: must be the name of a file beside this one that ends with .txt"
            ]
        try:
            lines = (directory / name).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return cls(accounts=()), [f"{key}: there is no {name} beside this file"]
        except (OSError, UnicodeDecodeError) as error:
            return cls(accounts=()), [f"{key}: {name} cannot be read: {error}"]
        return cls._of(name, [line.partition("#")[0].strip() for line in lines])

    @classmethod
    def _of(cls, name: str, lines: list[str]) -> tuple[AccountsFile, list[str]]:
        accounts = tuple(filter(None, lines))
        wrong = [
            f"{name}: line {number}: must be an account id of 12 digits, not {shown(line)}"
            for number, line in enumerate(lines, 1)
            if line and not _ACCOUNT.fullmatch(line)
        ]
        if len(wrong) > _TOLD:
            wrong = [*wrong[:_TOLD], f"{name}: {len(wrong) - _TOLD} more lines are wrong"]
        if not accounts:
            wrong.append(f"{name}: names no account: write one a line")
        return cls(accounts=() if wrong else accounts), wrong
