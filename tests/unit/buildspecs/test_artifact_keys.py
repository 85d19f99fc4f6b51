"""Looking up the artifact keys of Regions."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from buildspecs import artifact_keys as module
from buildspecs.artifact_keys import artifact_keys
from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import SaasNames

NAMES = SaasNames(prefix="granary")


def publish(region: str) -> str:
    arn = f"arn:aws:kms:{region}:111111111111:key/1"
    boto3.client("ssm", region_name=region).put_parameter(Name=NAMES.artifacts_key_parameter, Value=arn, Type="String")
    return arn


def test_each_region_is_asked_for_its_own_key(aws: None) -> None:
    arns = {region: publish(region) for region in ("us-east-1", "eu-west-1")}
    assert artifact_keys(["us-east-1", "eu-west-1", "us-east-1"], names=NAMES) == arns


def test_a_region_without_a_store_is_told_with_its_remedy(aws: None) -> None:
    publish("us-east-1")
    with pytest.raises(GranaryError, match="`npx cdk deploy granary-artifacts-eu-west-1`"):
        artifact_keys(["us-east-1", "eu-west-1"], names=NAMES)


def test_a_refusal_is_not_taken_for_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def get_parameter(self, **_request: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetParameter")

    monkeypatch.setattr(module, "client", lambda _service, _region: Refusing())
    with pytest.raises(ClientError, match="AccessDenied"):
        artifact_keys(["us-east-1"], names=NAMES)
