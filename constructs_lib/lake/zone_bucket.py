"""A bucket of the lake: private, versioned, encrypted with its zone's key, kept for as long as its environment says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.common.private_bucket import PrivateBucket

_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """How long objects of a zone are kept, in days (None: for ever), and whether nobody may delete them before."""

    days: int | None = None
    noncurrent_days: int = 30
    archive_days: int | None = None
    production: bool = False


def zone_bucket(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    key: kms.IKey,
    access_logs: s3.IBucket,
    keeping: Keeping,
    temporary: Mapping[str, int] = _NOTHING,
) -> s3.Bucket:
    """Make the bucket of a zone; objects below the folders `temporary` go after so many days."""
    bucket = PrivateBucket(
        scope,
        construct_id,
        name=name,
        key=key,
        access_logs=access_logs,
        noncurrent_days=keeping.noncurrent_days,
        expire_days=keeping.days,
    ).bucket
    for folder, days in temporary.items():
        bucket.add_lifecycle_rule(
            prefix=folder,
            expiration=cdk.Duration.days(days),
            noncurrent_version_expiration=cdk.Duration.days(1),
        )
    if keeping.production:
        _protect(bucket)
    if keeping.archive_days:
        bucket.add_lifecycle_rule(
            transitions=[
                s3.Transition(
                    # Queries go on reading it.
                    storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                    transition_after=cdk.Duration.days(keeping.archive_days),
                )
            ]
        )
    return bucket


def _protect(bucket: s3.Bucket) -> None:
    """Nobody deletes the bucket, or a version of an object: life cycles do, and no policy reaches those."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:DeleteBucket", "s3:DeleteObjectVersion"],
            resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
        )
    )
