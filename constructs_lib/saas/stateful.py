"""Declaring what of a component holds data, so that it is archived before the component is deleted."""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
from constructs import Construct

from lambdas.common.stateful import STATEFUL_PREFIX

Kind = Literal["dynamodb-table", "rds-cluster", "rds-instance", "s3-bucket"]


def declare_stateful(scope: Construct, construct_id: str, *, kind: Kind, name: str) -> cdk.CfnOutput:
    """Say that a resource holds data, by its kind and physical name; `construct_id` is alphanumeric.

    Tables are backed up, databases get a snapshot. A bucket is kept as it is: give it the removal policy RETAIN. Names
    begin with the tenant's (`silo-<id>-`), for the archive role reaches no others.
    """
    output = cdk.CfnOutput(scope, f"{STATEFUL_PREFIX}{construct_id}", value=f"{kind}:{name}")
    output.override_logical_id(f"{STATEFUL_PREFIX}{construct_id}")
    return output
