"""The ETL of an environment of the lake, and the databases that it writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aws_cdk as cdk
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.common.removal import KEPT
from constructs_lib.lake.crawlers import Crawled, Crawlers, CrawlersProps
from constructs_lib.lake.etl import JOBS, Etl, EtlProps
from constructs_lib.lake.work_groups import WorkGroups
from lambdas.lake.model.names import LakeNames, Zone
from lambdas.lake.model.objects import Folder
from stacks.lake.base import LakeStack

_ROOT = Path(__file__).parents[2]
# What jobs run besides their script.
_PACKAGES = ("lambdas/common", "lambdas/lake/model", "lambdas/lake/spark")


@dataclass(frozen=True, kw_only=True)
class EtlStackProps:
    """The datasets: their folders, and all that jobs are told of them (texts by path); and how much runs at once.

    `personas` are those that query, with the gigabytes that a query may read, and `bus` is the ARN of the factory's.
    """

    folders: Sequence[Folder]
    definitions: Mapping[str, str]
    personas: Mapping[str, int]
    domains: Sequence[Crawled]
    bus: str
    at_once: int = 5
    workers: int = 2
    minutes: int = 120


class EtlStack(LakeStack):
    """`<prefix>-lake-<environment>-etl`."""

    def __init__(
        self, scope: Construct, *, names: LakeNames, env: cdk.Environment, qualifier: str, props: EtlStackProps
    ) -> None:
        super().__init__(scope, names=names, part="etl", env=env, qualifier=qualifier)
        keys = {zone: self.key(zone) for zone in Zone}
        buckets = {zone: names.bucket(zone, self.account, self.region) for zone in Zone}
        security = self._security(keys[Zone.DATA].key_arn)
        for zone in (Zone.CONFORMED, Zone.PURPOSE_BUILT):
            database = glue.CfnDatabase(
                self,
                f"Database-{zone.value}",
                catalog_id=self.account,
                database_input=glue.CfnDatabase.DatabaseInputProperty(
                    name=names.database(zone),
                    location_uri=f"s3://{buckets[zone]}/{names.database(zone)}/",
                ),
            )
            database.apply_removal_policy(KEPT)  # it is what makes rows of files
        self.etl = Etl(
            self,
            "Etl",
            props=EtlProps(
                names=names,
                keys=keys,
                buckets=buckets,
                folders=props.folders,
                scripts={job: self._asset(f"lambdas/lake/spark/{job}.py") for job, _, _ in JOBS},
                packages=self._packages(),
                definitions=self._definitions(props.definitions),
                code=_digest(props.definitions),
                connection=self._connection(),
                security_configuration=security,
                at_once=props.at_once,
                workers=props.workers,
                minutes=props.minutes,
            ),
        )
        WorkGroups(
            self,
            "WorkGroups",
            names=names,
            personas=props.personas,
            bucket=buckets[Zone.DATA],
            key=keys[Zone.DATA],
        )
        if props.domains:
            Crawlers(
                self,
                "Crawlers",
                props=CrawlersProps(
                    names=names,
                    domains=props.domains,
                    buckets=buckets,
                    keys=keys,
                    security_configuration=security,
                    topic=self.etl.topic,
                    bus=props.bus,
                ),
            )

    def _connection(self) -> str:
        name = self.names.part("network")
        subnet, zone, group = (
            ssm.StringParameter.value_for_string_parameter(self, self.names.network_parameter(what))
            for what in ("subnet", "zone", "security-group")
        )
        connection = glue.CfnConnection(
            self,
            "Connection",
            catalog_id=self.account,
            connection_input=glue.CfnConnection.ConnectionInputProperty(
                name=name,
                connection_type="NETWORK",
                # Glue asks for them, and a network has none.
                connection_properties={},
                physical_connection_requirements=glue.CfnConnection.PhysicalConnectionRequirementsProperty(
                    subnet_id=subnet, availability_zone=zone, security_group_id_list=[group]
                ),
            ),
        )
        return connection.ref

    def _security(self, key_arn: str) -> str:
        security = glue.CfnSecurityConfiguration(
            self,
            "Security",
            name=self.names.part("jobs"),
            encryption_configuration=glue.CfnSecurityConfiguration.EncryptionConfigurationProperty(
                cloud_watch_encryption=glue.CfnSecurityConfiguration.CloudWatchEncryptionProperty(
                    cloud_watch_encryption_mode="SSE-KMS", kms_key_arn=key_arn
                ),
                job_bookmarks_encryption=glue.CfnSecurityConfiguration.JobBookmarksEncryptionProperty(
                    job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key_arn
                ),
            ),
        )
        return security.ref

    def _asset(self, path: str) -> assets.Asset:
        return assets.Asset(self, path, path=str(_ROOT / path))

    def _packages(self) -> assets.Asset:
        return assets.Asset(
            self,
            "Packages",
            path=str(_ROOT),
            ignore_mode=cdk.IgnoreMode.GIT,
            exclude=[
                "/*",
                "!/lambdas",
                "/lambdas/*",
                "!/lambdas/__init__.py",
                "!/lambdas/common",
                "!/lambdas/lake",
                "/lambdas/lake/*",
                "!/lambdas/lake/__init__.py",
                "!/lambdas/lake/model",
                "!/lambdas/lake/spark",
                "__pycache__",
            ],
        )

    def _definitions(self, files: Mapping[str, str]) -> assets.Asset:
        with TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return assets.Asset(self, "Definitions", path=folder)


def _digest(definitions: Mapping[str, str]) -> str:
    """Of all that decides what a job makes of an object."""
    found = hashlib.sha256(json.dumps(dict(definitions), sort_keys=True).encode())
    for folder in _PACKAGES:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()
