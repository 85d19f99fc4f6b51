"""Lambda function `lake-apply`: applies a plan, by its digest, to the catalog of an account and Region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.settings import Document, read_settings
from lambdas.lake.apply.applying import Applying
from lambdas.lake.model.governance.policy import Policy
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.plans import Plans

# So much is needed to read back, and to give the lease back.
_RESERVE_MILLISECONDS = 120_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed; `permissions` is the file, as JSON."""

    governance_table: str
    plans_bucket: str
    permissions: Document


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `account`, `region`, `plan` and `approved_by`; answer with what failed and how many steps are left."""
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
    governance = Governance(
        policy=Policy.from_json(settings.permissions),
        account=account,
        region=region,
        sts=client("sts"),
        plans=plans,
        clock=clock.now,
    )
    applying = Applying(
        governance=governance,
        run=context.aws_request_id,
        in_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS,
    )
    applied = applying.apply(event["plan"], approved_by=event.get("approved_by", ""))
    return {"plan": applied.plan, "failed": list(applied.failed), "left": applied.left}
