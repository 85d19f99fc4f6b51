"""config/gates.yaml: what is scanned before anything is deployed, and what stops it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from config.models.toolchain import ConnectedRepository
from config.models.types import Integer, Model, Word, each_once, twice
from config.problems import refuse
from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.gate import Gate, Scope, repository_gate
from lambdas.gates.model.options import OPTIONS, checked_options

# What findings of the factory's own gates are about, and the folders of their reports.
_TARGETS = ("source", "templates")
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
BranchPattern = Annotated[str, Field(pattern=r"^\*?([^\s~^:?\[\\*]\*?)*$", min_length=1, max_length=250)]
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitBranchFilterCriteria.html
_MOST_BRANCHES = 8
SeverityWord = Literal["critical", "high", "medium", "low", "informational"]


def _known(name: str) -> str:
    if name not in OPTIONS:
        raise ValueError(f"there is no scanner {name}: use {', '.join(OPTIONS)}")
    return name


class GateModel(Model):
    """A gate."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Its name, in verdicts and exceptions.")
    scanner: Annotated[str, AfterValidator(_known)] = Field(description="A scanner of lambdas/gates/scanners.")
    scans: Literal["source", "templates", "repositories"] = Field(
        "source", description="The source, what is synthesized from it, or only the repositories that name the gate."
    )
    fail_at: SeverityWord = Field("high", description="The least severity that fails it.")
    unknown_blocks: bool = Field(True, description="Whether findings whose severity is not known fail it.")
    valid_days: Integer = Field(90, ge=1, le=365, description="How long its verdict counts.")
    max_age_days: Integer | None = Field(
        None, ge=1, le=365, description="How old the data that its scanner judges by may be, where it has a date."
    )
    options: dict[str, Any] = Field({}, description="What its scanner is told besides.")

    @field_validator("options")
    @classmethod
    def _options_are_known(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        scanner = info.data.get("scanner")
        return checked_options(scanner, given) if scanner else given  # what is wrong with it is told already

    def gate(self) -> Gate:
        """The gate as it is run."""
        given = self.model_dump(exclude={"scans", "fail_at"})
        return Gate(**given, scans=Scope(self.scans), fail_at=Severity[self.fail_at.upper()])


class CodeCommitRepository(Model):
    """A CodeCommit repository of the toolchain's account and Region."""

    provider: Literal["codecommit"]
    repository: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$", description="Name of a repository that exists.")


class RepositoryModel(Model):
    """A repository whose commits are scanned, whoever deploys them."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="Its name, in verdicts, findings and exceptions.")
    source: Annotated[CodeCommitRepository | ConnectedRepository, Field(discriminator="provider")] = Field(
        description="Where it is."
    )
    branches: Annotated[tuple[BranchPattern, ...], AfterValidator(each_once)] = Field(
        ("*",), min_length=1, description="Branches whose pushes are scanned; * stands for any letters."
    )
    gates: Annotated[tuple[Word, ...], AfterValidator(each_once)] = Field(
        min_length=1, description="Names of gates that scan the source or repositories."
    )

    @property
    def connection_arn(self) -> str:
        """The connection that leads to it; empty of one in CodeCommit."""
        return self.source.connection_arn if isinstance(self.source, ConnectedRepository) else ""

    @model_validator(mode="after")
    def _branches_fit_a_trigger(self) -> RepositoryModel:
        if self.connection_arn and len(self.branches) > _MOST_BRANCHES:
            raise ValueError(f"branches: a connection takes {_MOST_BRANCHES} patterns: let one stand for several")
        return self


class Section(Model):
    """All gates; a release needs the verdicts of those that scan the source or templates."""

    gates: tuple[GateModel, ...] = Field(min_length=1, max_length=50, description="The gates.")

    repositories: tuple[RepositoryModel, ...] = Field((), max_length=20, description="Repositories with gates.")

    security_hub: bool = Field(False, description="Whether findings are imported into Security Hub, which is on there.")

    @property
    def demanded(self) -> list[str]:
        """Names of the gates whose verdicts a release needs."""
        return [gate.name for gate in self.gates if gate.scans != "repositories"]

    @property
    def judges(self) -> list[str]:
        """Names by which findings are judged and excepted: of gates, and of repositories' gates."""
        return self.demanded + [gate.name for one in self.repositories for gate in self.gates_of(one)]

    def gates_of(self, repository: RepositoryModel) -> list[Gate]:
        """The gates of a repository."""
        return [repository_gate(one.gate(), repository.name) for one in self.gates if one.name in repository.gates]

    @model_validator(mode="after")
    def _names_differ(self) -> Section:
        entries = (("gates", self.gates), ("repositories", self.repositories))
        refuse(line for key, its in entries for line in twice(key, [one.name for one in its]))
        return self

    @model_validator(mode="after")
    def _repositories_have_gates(self) -> Section:
        known = {one.name for one in self.gates if one.scans != "templates"}
        for one in self.repositories:
            if one.name in _TARGETS:
                raise ValueError(f"repositories: {one.name} is what the factory's own findings are about: rename it")
            if strangers := sorted(set(one.gates) - known):
                raise ValueError(
                    f"repositories: {one.name}: {', '.join(strangers)} is no gate that scans the source or repositories"
                )
        if same := sorted({name for name in self.judges if self.judges.count(name) > 1}):
            raise ValueError(f"repositories: {', '.join(same)} would be the name of two gates: rename the repository")
        return self

    @model_validator(mode="after")
    def _secrets_are_for_repositories(self) -> Section:
        for one in self.gates:
            if "secret" in one.options and one.scans != "repositories":
                raise ValueError(
                    f"gates: {one.name}: builds of repositories alone read its secret: scans: repositories"
                )
            # It becomes a pattern of what the builds' role may read.
            if not _SECRET.fullmatch(str(one.options.get("secret", "none"))):
                raise ValueError(f"gates: {one.name}: secret is a name in Secrets Manager: no ARN, and no * or ?")
        return self
