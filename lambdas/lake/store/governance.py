"""Governance of one account and Region: its catalog, reached through the factory's roles there, its plans and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from lambdas.common import clock
from lambdas.common.clients import client, client_as
from lambdas.common.clock import stamp
from lambdas.common.cross_account import assume
from lambdas.common.evidence.kept_report import Head, packed
from lambdas.common.names import WORKLOAD_ROLE_PATH, Names
from lambdas.common.partitions import partition_of
from lambdas.common.settings import Document, read_settings
from lambdas.lake.model.governance.desired import arns
from lambdas.lake.model.governance.drift import GATE, TARGET
from lambdas.lake.model.governance.grants import identity
from lambdas.lake.model.governance.observation import Observation
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.planning import Planned, make_plan
from lambdas.lake.model.governance.policy import Policy
from lambdas.lake.store.catalog import Catalog
from lambdas.lake.store.patience import Patience
from lambdas.lake.store.plans import Plans

_READ = (
    "glue:GetDatabases",
    "glue:GetTables",
    "lakeformation:GetDataLakeSettings",
    "lakeformation:ListDataCellsFilter",
    "lakeformation:ListLFTags",
    "lakeformation:ListPermissions",
    "lakeformation:SearchDatabasesByLFTags",
    "lakeformation:SearchTablesByLFTags",
)
_WRITE = (
    "glue:GetDatabase",
    "glue:GetTable",
    "lakeformation:AddLFTagsToResource",
    "lakeformation:BatchGrantPermissions",
    "lakeformation:BatchRevokePermissions",
    "lakeformation:CreateDataCellsFilter",
    "lakeformation:CreateLFTag",
    "lakeformation:DeleteDataCellsFilter",
    "lakeformation:RemoveLFTagsFromResource",
    "lakeformation:UpdateLFTag",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the functions are told when they are deployed; `permissions` is the file, as JSON.

    `reports_bucket` is where findings are read, if they are.
    """

    governance_table: str
    plans_bucket: str
    permissions: Document
    reports_bucket: str = ""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Where reports of findings are put to be imported; what the next complete one does not name is archived."""

    s3: Any
    bucket: str

    def put(self, plan: Plan, *, now: datetime) -> None:
        """Report what others have granted, as the plan has it."""
        head = Head(
            gate=GATE,
            target=f"{TARGET}/{plan.catalog}/{plan.region}",
            created=stamp(now),
            findings=len(plan.drift),
            complete=not plan.unseen,
        )
        self.s3.put_object(Bucket=self.bucket, Key=head.key(plan.digest), Body=packed(head, plan.drift))


@dataclass(frozen=True, kw_only=True)
class Governance:
    """The permissions of an account's lake in a Region; `make_client` makes a client with a role's credentials."""

    policy: Policy
    account: str
    region: str
    sts: Any
    plans: Plans
    clock: Callable[[], datetime]
    findings: Findings | None = None
    make_client: Callable[..., Any] = client_as
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def of(cls, event: Mapping[str, str]) -> Self:
        """The governance of the `account` and `region` of an event."""
        settings = read_settings(Settings)
        account, region = event["account"], event["region"]
        plans = Plans(
            s3=client("s3"),
            dynamodb=client("dynamodb"),
            bucket=settings.plans_bucket,
            table=settings.governance_table,
            place=f"{account}/{region}",
            clock=clock.now,
        )
        findings = Findings(s3=plans.s3, bucket=settings.reports_bucket) if settings.reports_bucket else None
        return cls(
            policy=Policy.from_json(settings.permissions),
            account=account,
            region=region,
            sts=client("sts"),
            plans=plans,
            clock=clock.now,
            findings=findings,
        )

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    @property
    def today(self) -> str:
        return self.clock().date().isoformat()

    def observe(self) -> Observation:
        """Look at the catalog.

        Raises:
            GranaryError: the role that reads it cannot be assumed.
        """
        make = self._session("catalog-read", _READ)
        principals = [persona.principals for persona in self.policy.personas]
        named = [arn for its in principals for arn in arns(its, account=self.account, partition=self.partition)]
        return Catalog(
            glue=make("glue"),
            lakeformation=make("lakeformation"),
            catalog=self.account,
            region=self.region,
            reader=self._role("catalog-read"),
            prefix=self.policy.prefix,
            spelling={identity(arn): arn for arn in named},
            patience=self.patience,
        ).observe()

    def plan(self, last: Plan | None = None) -> Planned:
        """Look at the catalog, and plan what leads to what the file says today."""
        seen, ours = self.observe(), self.plans.ours()
        return make_plan(self.policy, seen, ours, partition=self.partition, today=self.today, last=last)

    def writer(self) -> Any:
        """A client of Lake Formation that may change the catalog."""
        return self._session("catalog-admin", _WRITE)("lakeformation")

    def _role(self, purpose: str) -> str:
        name = Names(prefix=self.policy.prefix).room_role("lake", purpose)
        return f"arn:{self.partition}:iam::{self.account}:role{WORKLOAD_ROLE_PATH}{name}"

    def _session(self, purpose: str, allow: tuple[str, ...]) -> Callable[[str], Any]:
        role = self._role(purpose)
        credentials = assume(
            self.sts,
            role,
            session_name="granary-lake",
            allow=allow,
            resources=["*"],
            advice=f"{role} cannot be assumed: {Names(prefix=self.policy.prefix).roles_advice(self.account)}",
        )
        return lambda service: self.make_client(service, region=self.region, credentials=credentials)
