"""Looking up the artifact keys that pipelines name by ARN."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.common.names import Names


def artifact_keys(regions: Iterable[str], *, names: Names) -> dict[str, str]:
    """Read the ARN of the artifact key of each Region.

    Raises:
        GranaryError: a Region has no artifact store.
    """
    return {region: _key(region, names) for region in sorted(set(regions))}


def _key(region: str, names: Names) -> str:
    try:
        parameter = client("ssm", region).get_parameter(Name=names.artifacts_key_parameter)
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise
        raise GranaryError(
            f"Region {region} has no artifact store: deploy the stack {names.artifacts_stack(region)} "
            f"(`npx cdk deploy {names.artifacts_stack(region)}`)"
        ) from error
    arn: str = parameter["Parameter"]["Value"]
    return arn
