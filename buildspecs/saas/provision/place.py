"""Whether an account and Region publish what components take from the place where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import ROLE_REFUSED, code_of
from lambdas.common.cross_account import LookupRoles
from lambdas.common.partitions import partition_of

_READ = "ssm:GetParameters"


def unpublished(lookup: LookupRoles, *, account: str, region: str, parameters: Sequence[str]) -> str | None:
    """Tell which parameters are not there, and what to do; None when all are."""
    if not parameters:
        return None
    arns = [f"arn:{partition_of(region)}:ssm:{region}:{account}:parameter{name}" for name in parameters]
    ssm = lookup.client("ssm", account=account, region=region, allow=[_READ], resources=arns)
    try:
        missing = ssm.get_parameters(Names=list(parameters))["InvalidParameters"]
    except ClientError as error:
        if code_of(error) not in ROLE_REFUSED:
            raise
        return (
            f"account {account} does not let this factory look in {region} at the parameters that workloads.place "
            f"names: {lookup.bootstrap_advice(account=account, region=region)}"
        )
    if not missing:
        return None
    return (
        f"account {account} has in {region} no parameter {', '.join(sorted(missing))}, which workloads.place in "
        "config/workloads.yaml names: have its landing zone publish that, or take it out there and release that"
    )
