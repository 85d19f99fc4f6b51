"""Declaring what of a component holds data, so that it is archived before the component is deleted."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct, IValidation

from lambdas.saas.model.stateful import STATEFUL_PREFIX, retains_bucket

Kind = Literal["dynamodb-table", "rds-cluster", "rds-instance", "s3-bucket"]

_POLICIES = {
    cdk.CfnDeletionPolicy.RETAIN: "Retain",
    cdk.CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE: "RetainExceptOnCreate",
}


def declare_stateful(scope: Construct, construct_id: str, *, kind: Kind, name: str) -> cdk.CfnOutput:
    """Say that a resource holds data, by its kind and physical name; `construct_id` is alphanumeric.

    Tables are backed up, databases get a snapshot. A bucket is kept as it is: without the removal policy RETAIN, in the
    stack that `scope` belongs to, the synth fails. Names begin with the tenant's (`silo-<id>-`), for the archive role
    reaches no others. A key that is made in the same stack dies with it, and what it encrypts cannot be read any more,
    the archive neither: give it RETAIN too, or use a key of another stack.
    """
    output = cdk.CfnOutput(scope, f"{STATEFUL_PREFIX}{construct_id}", value=f"{kind}:{name}")
    output.override_logical_id(f"{STATEFUL_PREFIX}{construct_id}")
    if kind == "s3-bucket":
        output.node.add_validation(_Retained(stack=cdk.Stack.of(scope), name=name))
    return output


@jsii.implements(IValidation)
class _Retained:
    """That a bucket outlives its stack; no dataclass, for jsii writes to what is handed to it."""

    def __init__(self, *, stack: cdk.Stack, name: str) -> None:
        self.stack = stack
        self.name = name

    def validate(self) -> list[str]:
        """The error, if it does not."""
        buckets = [one for one in self.stack.node.find_all() if isinstance(one, s3.CfnBucket)]
        own = {self.stack.get_logical_id(one): _described(one) for one in buckets if one.stack is self.stack}
        if retains_bucket({"Resources": own}, self.stack.resolve(self.name)):
            return []
        return [
            "a bucket is declared stateful, and its stack deletes it, or does not hold it: give it the removal policy "
            "RETAIN, and declare it in its own stack"
        ]


def _described(bucket: s3.CfnBucket) -> dict[str, object]:
    """What of a bucket's template tells whether it is retained."""
    policy = bucket.cfn_options.deletion_policy
    return {
        "Type": bucket.cfn_resource_type,
        "DeletionPolicy": _POLICIES.get(policy) if policy else None,
        "Properties": {"BucketName": cdk.Stack.of(bucket).resolve(bucket.bucket_name)},
    }
