"""Lambda function `lake-apply`: applies a plan, by its digest, to the catalog of an account and Region."""

from __future__ import annotations

from typing import Any

from lambdas.common.proven_names import proven_name
from lambdas.lake.apply.applying import Applying, approval_of
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.uncollected import uncollected

# So much is needed to read back, and to give the lease back.
_RESERVE_MILLISECONDS = 120_000


@uncollected()
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `account`, `region`, `plan` and `approved_by`; answer with what failed and how many steps are left.

    With a `proof`, only say whose approval of the plan it is: that is asked at once, for signatures age.
    """
    if "proof" in event:
        name = proven_name(approval_of(event), event["proof"], function=context.invoked_function_arn)
        return {"plan": event["plan"], "approved_by": name}
    applying = Applying(
        governance=Governance.of(event),
        run=context.aws_request_id,
        in_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS,
    )
    applied = applying.apply(event["plan"], approved_by=event.get("approved_by", ""))
    return {"plan": applied.plan, "failed": list(applied.failed), "left": applied.left}
