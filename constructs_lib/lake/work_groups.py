"""A work group of Athena for each persona: whose queries they are, what each may read, and where results go."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws
from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from constructs import Construct

from lambdas.lake.model.names import RESULTS, LakeNames

_GIGABYTE = 1_000_000_000


class WorkGroups(Construct):
    """Groups that no query can set aside: results go to the persona's own folder, encrypted, and stay for days.

    `personas` has the gigabytes that a query may read; costs nothing but what queries do.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: LakeNames,
        personas: Mapping[str, int],
        bucket: str,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        for persona, gigabytes in personas.items():
            encrypted = athena.CfnWorkGroup.EncryptionConfigurationProperty(
                encryption_option="SSE_KMS", kms_key=key.key_arn
            )
            results = athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=f"s3://{bucket}/{RESULTS}{persona}/",
                encryption_configuration=encrypted,
                expected_bucket_owner=Aws.ACCOUNT_ID,
            )
            athena.CfnWorkGroup(
                self,
                f"Group-{persona}",
                name=names.part(persona),
                description=f"Queries of the persona {persona}",
                recursive_delete_option=True,
                work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                    enforce_work_group_configuration=True,
                    publish_cloud_watch_metrics_enabled=True,
                    requester_pays_enabled=False,
                    bytes_scanned_cutoff_per_query=gigabytes * _GIGABYTE,
                    engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                        selected_engine_version="Athena engine version 3"
                    ),
                    result_configuration=results,
                ),
            )
