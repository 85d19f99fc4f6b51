"""A Glue job that runs one of our Spark scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from constructs_lib.common.acknowledge import acknowledge_inline_policy, acknowledge_key_use
from constructs_lib.common.encrypted import log_group
from constructs_lib.common.grants import allow, grant
from constructs_lib.common.service_role import service_of_this_account

# Spark 3.5.6, Python 3.11, Java 17: https://docs.aws.amazon.com/glue/latest/dg/release-notes.html
GLUE_VERSION = "5.1"
_LOOK = (
    "DescribeNetworkInterfaces",
    "DescribeRouteTables",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcAttribute",
    "DescribeVpcEndpoints",
)


@dataclass(frozen=True, kw_only=True)
class JobProps:
    """A job's script and packages, what it runs on, and the arguments that each run has.

    `at_once` runs go on side by side; who starts more is told to wait.
    """

    name: str
    description: str
    script: assets.Asset
    packages: assets.Asset
    connection: str
    security_configuration: str
    key: kms.IKey
    arguments: Mapping[str, str]
    at_once: int
    workers: int
    minutes: int


class SparkJob(Construct):
    """The job and its role; it writes its log to a group of its own."""

    def __init__(self, scope: Construct, construct_id: str, *, props: JobProps) -> None:
        super().__init__(scope, construct_id)
        logs = log_group(self, "Logs", name=f"/aws/glue/{props.name}", key=props.key)
        # Whoever writes down who may read the catalog has to name it.
        self.role = iam.Role(
            self,
            "Role",
            role_name=props.name,
            assumed_by=service_of_this_account(self, "glue.amazonaws.com"),
        )
        acknowledge_inline_policy(self.role)
        acknowledge_key_use(self.role)
        props.key.grant_encrypt_decrypt(self.role)
        logs.grant_write(self.role)
        grant(
            self.role,
            *(
                allow(["s3:GetObject"], asset.bucket.arn_for_objects(asset.s3_object_key))
                for asset in (props.script, props.packages)
            ),
            *_in_a_network(props.connection),
            reason="Glue's machines stand in the lake's network, with interfaces whose ids nobody knows before.",
        )
        self.name = props.name
        job = glue.CfnJob(
            self,
            "Job",
            name=props.name,
            description=props.description,
            role=self.role.role_arn,
            glue_version=GLUE_VERSION,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=props.script.s3_object_url
            ),
            connections=glue.CfnJob.ConnectionsListProperty(connections=[props.connection]),
            default_arguments={
                "--extra-py-files": props.packages.s3_object_url,
                "--continuous-log-logGroup": logs.log_group_name,
                "--enable-continuous-cloudwatch-log": "true",
                "--enable-metrics": "true",
                "--job-language": "python",
                **{f"--{name}": value for name, value in props.arguments.items()},
            },
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=props.at_once),
            # The state machine tries again, and knows what may pass.
            max_retries=0,
            number_of_workers=props.workers,
            worker_type="G.1X",
            timeout=props.minutes,
            security_configuration=props.security_configuration,
        )
        job.node.add_dependency(self.role)


def _in_a_network(connection: str) -> list[iam.PolicyStatement]:
    """What Glue does as a job that has a connection: https://docs.aws.amazon.com/glue/latest/dg/setup-vpc-for-glue-access.html."""
    glue_arn = f"arn:{Aws.PARTITION}:glue:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    tags = allow(["ec2:CreateTags", "ec2:DeleteTags"], f"arn:{Aws.PARTITION}:ec2:*:*:network-interface/*")
    tags.add_condition("ForAllValues:StringEquals", {"aws:TagKeys": ["aws-glue-service-resource"]})
    metrics = allow(["cloudwatch:PutMetricData"], "*")
    metrics.add_condition("StringEquals", {"cloudwatch:namespace": "Glue"})
    return [
        allow(["glue:GetConnection"], f"{glue_arn}:catalog", f"{glue_arn}:connection/{connection}"),
        allow([f"ec2:{one}" for one in _LOOK], "*"),
        allow(
            ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"],
            *(f"arn:{Aws.PARTITION}:ec2:*:*:{kind}/*" for kind in ("network-interface", "security-group", "subnet")),
        ),
        tags,
        metrics,
    ]
