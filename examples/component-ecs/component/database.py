"""The database: Aurora PostgreSQL, whose capacity follows its load, in the landing zone's network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds

from component.shop import SIZES
from constructs_lib.common.acknowledge import acknowledge
from constructs_lib.saas.component_spec import Tenant
from constructs_lib.saas.stateful import declare_stateful

# Not PostgreSQL's own, which everybody tries first.
PORT = 5433
NAME = "shop"
_ENGINE, _VERSION = "aurora-postgresql", "17.7"
_BACKUP_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class Database:
    """What a task needs of it: where it is, who may reach it, and the secret with its login, which RDS makes."""

    key: kms.Key
    host: str
    secret: str
    clients: ec2.CfnSecurityGroup


def add_database(stack: cdk.Stack, tenant: Tenant[Any]) -> Database:
    """Add it; it is archived before it is deleted, and the key outlives it."""
    key, clients = _key(stack, tenant), _group(stack, "Clients", tenant, what="Tasks that may reach the database")
    cluster = _cluster(stack, tenant, key=key, clients=clients)
    return Database(
        key=key, host=cluster.attr_endpoint_address, secret=cluster.attr_master_user_secret_secret_arn, clients=clients
    )


def _key(stack: cdk.Stack, tenant: Tenant[Any]) -> kms.Key:
    key = kms.Key(
        stack,
        "Key",
        description=f"Database of {tenant.name}, its login, and logs",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    # CloudWatch Logs uses the key itself: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    group = f"arn:{cdk.Aws.PARTITION}:logs:{stack.region}:{stack.account}:log-group:*{tenant.name}-*"
    key.grant_encrypt_decrypt(
        iam.ServicePrincipal(
            "logs.amazonaws.com", conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}}
        )
    )
    return key


def _group(stack: cdk.Stack, construct_id: str, tenant: Tenant[Any], *, what: str) -> ec2.CfnSecurityGroup:
    return ec2.CfnSecurityGroup(
        stack,
        construct_id,
        group_description=what,
        vpc_id=tenant.place.vpc(stack),
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp", from_port=443, to_port=443, cidr_ip="0.0.0.0/0", description="AWS, by TLS"
            )
        ],
    )


def _cluster(stack: cdk.Stack, tenant: Tenant[Any], *, key: kms.Key, clients: ec2.CfnSecurityGroup) -> rds.CfnDBCluster:
    name, scaling = f"{tenant.name}-shop", rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty
    reached = ec2.CfnSecurityGroup(
        stack,
        "Reached",
        group_description="The database",
        vpc_id=tenant.place.vpc(stack),
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nothing"
            )
        ],
    )
    between: dict[str, Any] = {"ip_protocol": "tcp", "from_port": PORT, "to_port": PORT}
    ec2.CfnSecurityGroupIngress(
        stack,
        "FromTasks",
        group_id=reached.attr_group_id,
        source_security_group_id=clients.attr_group_id,
        description="The tenant's tasks",
        **between,
    )
    ec2.CfnSecurityGroupEgress(
        stack,
        "ToDatabase",
        group_id=clients.attr_group_id,
        destination_security_group_id=reached.attr_group_id,
        description="The tenant's database",
        **between,
    )
    subnets = rds.CfnDBSubnetGroup(
        stack,
        "Subnets",
        db_subnet_group_description=f"Where the database of {tenant.name} stands",
        subnet_ids=tenant.place.subnets(stack),
    )
    cluster = rds.CfnDBCluster(
        stack,
        "Cluster",
        db_cluster_identifier=name,
        engine=_ENGINE,
        engine_version=_VERSION,
        database_name=NAME,
        port=PORT,
        master_username="shop",
        manage_master_user_password=True,
        master_user_secret=rds.CfnDBCluster.MasterUserSecretProperty(kms_key_id=key.key_arn),
        db_subnet_group_name=subnets.ref,
        vpc_security_group_ids=[reached.attr_group_id],
        storage_encrypted=True,
        kms_key_id=key.key_arn,
        backup_retention_period=_BACKUP_DAYS,
        copy_tags_to_snapshot=True,
        enable_iam_database_authentication=True,
        enable_cloudwatch_logs_exports=["postgresql"],
        serverless_v2_scaling_configuration=scaling(min_capacity=0.5, max_capacity=SIZES[tenant.size][2]),
    )
    instance = rds.CfnDBInstance(
        stack,
        "Instance",
        db_instance_identifier=f"{name}-1",
        db_instance_class="db.serverless",
        engine=_ENGINE,
        db_cluster_identifier=cluster.ref,
        auto_minor_version_upgrade=True,
        publicly_accessible=False,
    )
    for one in (cluster, instance):
        one.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    _answer_rules(cluster, instance)
    declare_stateful(stack, "Shop", kind="rds-cluster", name=name)
    return cluster


def _answer_rules(cluster: rds.CfnDBCluster, instance: rds.CfnDBInstance) -> None:
    archived = "It goes with its tenant, when a snapshot has been taken; its backups go back 14 days."
    acknowledge(cluster, "AwsSolutions-RDS10", "NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled", reason=archived)
    acknowledge(instance, "NIST.800.53.R5-RDSInBackupPlan", reason=archived)
    told = "Aurora tells CloudWatch of capacity and load itself; processes of the system are AWS's business."
    acknowledge(instance, "NIST.800.53.R5-RDSEnhancedMonitoringEnabled", reason=told)
    # checkov reads in the template what is skipped, and why.
    instance.add_metadata("checkov", {"skip": [{"id": "CKV_AWS_118", "comment": told}]})
