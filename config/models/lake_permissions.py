"""config/lake-permissions.yaml: who may read what in the lake, and for which purpose personal data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from config.models.exceptions import day
from config.models.lake_datasets import PiiClassName
from config.models.types import AccountId, Integer, Model, Word, twice
from config.problems import refuse
from lambdas.lake.model.governance.policy import (
    ALL,
    ON_DATABASES,
    ON_TABLES,
    SELECT,
    Approval,
    Persona,
    PiiClass,
    Policy,
    Record,
    Rule,
)

# Glue's names are lower-case; `*` stands for any letters.
Pattern = Annotated[str, Field(pattern=r"^[a-z0-9_*][a-z0-9_*-]{0,254}$")]
ColumnPattern = Annotated[str, Field(pattern=r"^[a-z0-9_*-]+\.[a-z0-9_*-]+\.[a-z0-9_* -]+$")]
Permission = Literal["ALL", "ALTER", "CREATE_TABLE", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
# As it stands in the ARN, behind the account: neither it nor the partition is written twice.
Principal = Annotated[str, Field(pattern=r"^(role|user)/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$")]
Principals = dict[AccountId, tuple[Principal, ...]]
Several = Field(min_length=1)


class PiiClassModel(Model):
    """A class of personal data."""

    name: PiiClassName = Field(description="Its name, for records and for the schemas of datasets.")
    columns: tuple[ColumnPattern, ...] = Field(
        (), description="Patterns of `database.table.column`, besides what schemas of datasets say; * is any letters."
    )


class RecordModel(Model):
    """A record of processing activities (GDPR, article 30)."""

    name: Name = Field(description="Its name, for rules.")
    classes: Annotated[tuple[PiiClassName, ...], Several] = Field(
        description="Classes of personal data that it is about."
    )
    purpose: Word = Field(description="What they are processed for.")
    legal_basis: Literal[
        "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
    ] = Field(description="Article 6(1).")
    recipients: Annotated[tuple[Word, ...], Several] = Field(description="Who gets to see them.")
    third_country_transfer: Word = Field(description="Where they go outside the Union, and by which safeguard; `none`.")
    retention: Word = Field(description="When they are deleted.")
    owner: Word = Field(description="Who answers for it.")
    valid_until: Annotated[date, BeforeValidator(day)] = Field(description="The last day on which it counts.")


class ColumnsModel(Model):
    """Which columns of a table."""

    include: tuple[Pattern, ...] = Field((), description="Patterns of those that are meant; all, when there is none.")
    exclude: tuple[Pattern, ...] = Field((), description="Patterns of those that are not.")
    exclude_pii: bool = Field(False, description="Whether personal data are left out; else a rule is told of them.")


class RowsModel(Model):
    """A condition on rows: the column has one of the values, or none of them."""

    column: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = Field(description="The column.")
    is_in: tuple[str | Integer, ...] = Field((), description="It has one of these values.")
    not_in: tuple[str | Integer, ...] = Field((), description="It has none of these values.")

    @model_validator(mode="after")
    def _one(self) -> RowsModel:
        if bool(self.is_in) == bool(self.not_in):
            raise ValueError("a condition has either is_in or not_in")
        return self

    def expression(self) -> str:
        """The condition as Lake Formation reads it."""
        told = (
            str(one) if isinstance(one, int) else "'" + one.replace("'", "''") + "'"
            for one in self.is_in or self.not_in
        )
        return f"{self.column}{'' if self.is_in else ' NOT'} IN ({', '.join(told)})"


class RuleModel(Model):
    """What a persona may do, on databases or, with `tables`, on tables of them."""

    databases: Annotated[tuple[Pattern, ...], Several] = Field(description="Patterns of databases.")
    tables: tuple[Pattern, ...] = Field((), description="Patterns of tables; none: the rule is about the databases.")
    permissions: Annotated[tuple[Permission, ...], Several] = Field(description="What may be done.")
    grantable: bool = Field(False, description="Whether it may be granted to others by hand.")
    columns: ColumnsModel = Field(ColumnsModel(), description="Columns that are read.")
    rows: tuple[RowsModel, ...] = Field((), description="Conditions on the rows that are read; all of them hold.")
    record: str = Field("", description="Record of processing for which personal data are read.")

    @model_validator(mode="after")
    def _permissions_fit(self) -> RuleModel:
        fit = {*(ON_TABLES if self.tables else ON_DATABASES), ALL}
        if strangers := sorted(set(self.permissions) - fit):
            target = "tables" if self.tables else "databases, which a rule without `tables` is about"
            raise ValueError(f"permissions: {', '.join(strangers)} is none on {target}: use {', '.join(sorted(fit))}")
        narrowed = self.rows or self.columns.include or self.columns.exclude
        if narrowed and (not self.tables or set(self.permissions) != {SELECT}):
            raise ValueError("columns, rows: they narrow SELECT on tables: give other permissions a rule of their own")
        return self

    def rule(self) -> Rule:
        """The rule as it is applied."""
        return Rule(
            databases=self.databases,
            tables=self.tables,
            permissions=self.permissions,
            include=self.columns.include,
            exclude=self.columns.exclude,
            exclude_pii=self.columns.exclude_pii,
            rows=" AND ".join(one.expression() for one in self.rows),
            rows_by=tuple(one.column for one in self.rows),
            record=self.record,
            grantable=self.grantable,
        )


class PersonaModel(Model):
    """A kind of people or programs, such as data_domain_engineer, technical_user, administrator or analyst."""

    name: Name = Field(description="Its name, in plans.")
    principals: Principals = Field(description="Roles and users by account: role/NAME or user/NAME, with their path.")
    rules: Annotated[tuple[RuleModel, ...], Several] = Field(description="What it may do.")
    scan_gigabytes: Integer = Field(
        100, ge=1, le=1_000_000, description="What one query in its work group of Athena may read at most."
    )


class ApprovalModel(Model):
    """What a person approves before it is applied."""

    pii_gains: bool = Field(True, description="That somebody gains personal data.")
    revokes: bool = Field(True, description="That somebody loses a right.")
    shrinkage_percent: Integer = Field(
        10, ge=0, le=100, description="That more of all rights are lost, or of all tables gone."
    )


class LakePermissions(Model):
    """Who may do what in the lake."""

    personas: tuple[PersonaModel, ...] = Field((), description="The personas.")
    classes: tuple[PiiClassModel, ...] = Field((), description="Classes of personal data.")
    records: tuple[RecordModel, ...] = Field((), description="Records of processing activities.")
    ignored: Principals = Field({}, description="Principals whose grants are neither managed nor reported.")
    use_tags: bool = Field(True, description="Whether LF-tags are used where the rules allow it.")
    remove_foreign: bool = Field(False, description="Whether grants that were made by hand are revoked, not reported.")
    remove_iam_allowed: bool = Field(False, description="Whether what IAMAllowedPrincipals has is revoked.")
    approval: ApprovalModel = Field(ApprovalModel(), description="What is approved first.")

    @model_validator(mode="after")
    def _names(self) -> LakePermissions:
        refuse([*self._twice(), *self._unknown()])
        return self

    def _twice(self) -> Iterator[str]:
        for key, entries in (("personas", self.personas), ("classes", self.classes), ("records", self.records)):
            yield from twice(key, [one.name for one in entries])

    def _unknown(self) -> Iterator[str]:
        classes, records = {one.name for one in self.classes}, {one.name for one in self.records}
        for record in self.records:
            if strangers := sorted(set(record.classes) - classes):
                yield f"records: {record.name}: there is no class {', '.join(strangers)}: add it to classes"
        for persona in self.personas:
            for number, rule in enumerate(persona.rules, 1):
                if rule.record and rule.record not in records:
                    yield f"personas: {persona.name}: rule {number}: there is no record {rule.record}: write it"

    def querying(self, account: str) -> dict[str, int]:
        """The personas that read tables in an account, and how many gigabytes a query of theirs may read."""
        return {
            one.name: one.scan_gigabytes
            for one in self.personas
            if account in one.principals and any(it.tables and SELECT in it.rule().wanted for it in one.rules)
        }

    @property
    def accounts(self) -> set[str]:
        """The accounts whose principals are named."""
        return {account for its in (self.ignored, *(one.principals for one in self.personas)) for account in its}

    def policy(self, prefix: str) -> Policy:
        """The file as plans are made of it; what of ours has a name begins with `prefix`."""
        records = (one.model_dump() | {"valid_until": one.valid_until.isoformat()} for one in self.records)
        return Policy(
            prefix=prefix,
            personas=tuple(
                Persona(name=one.name, principals=one.principals, rules=tuple(it.rule() for it in one.rules))
                for one in self.personas
            ),
            classes=tuple(PiiClass(**one.model_dump()) for one in self.classes),
            records=tuple(Record(**one) for one in records),
            ignored=self.ignored,
            use_tags=self.use_tags,
            remove_foreign=self.remove_foreign,
            remove_iam_allowed=self.remove_iam_allowed,
            approval=Approval(**self.approval.model_dump()),
        )
