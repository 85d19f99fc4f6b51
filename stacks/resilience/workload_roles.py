"""The room `resilience` in workload accounts: running an experiment on what is tagged as a deployment."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from constructs_lib.common.grants import allow, pass_role
from constructs_lib.common.start_build import start_builds
from constructs_lib.common.workload_role import WorkloadRole, in_account
from lambdas.common.names import DEPLOYMENT_TAG, WORKLOAD_ROLE_PATH
from lambdas.resilience.model.names import ATTEMPT_VARIABLE
from stacks.foundation import Foundation

_DATABASES = ("cluster:*", "db:*")
# What experiments do, by what it is done to.
_FAULTS = {
    "ec2": (("RebootInstances", "StartInstances", "StopInstances"), ("instance/*",)),
    "ecs": (("StopTask",), ("task/*",)),
    "rds": (("FailoverDBCluster", "RebootDBInstance"), _DATABASES),
}
# https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html
_LOGS = ("CreateLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy")
_BUILDS = ("BatchGetBuilds", "ListBuildsForProject", "StopBuild")
_LINKED_ROLE = "aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS"


def resilience_roles(foundation: Foundation) -> Sequence[WorkloadRole]:
    """Its roles: FIS acts as one, and whoever runs experiments may pass it no other."""
    names = foundation.names
    experiment = names.room_role("resilience", "experiment")
    arn = in_account("iam", f"role{WORKLOAD_ROLE_PATH}{experiment}", region="")
    projects = in_account("codebuild", "project/*")
    templates, experiments = in_account("fis", "experiment-template/*"), in_account("fis", "experiment/*")
    return (
        WorkloadRole(
            purpose="ResilienceExperiment",
            name=experiment,
            description="What an experiment may do to what is tagged as a deployment",
            service="fis.amazonaws.com",
            # https://docs.aws.amazon.com/fis/latest/userguide/getting-started-iam-service-role.html
            source=experiments,
            statements=[
                *(
                    _of_deployments([f"{service}:{one}" for one in actions], *(in_account(service, one) for one in on))
                    for service, (actions, on) in _FAULTS.items()
                ),
                # How FIS finds its targets by their tags, and looks at the alarms that stop it.
                allow(["cloudwatch:DescribeAlarms", "ec2:DescribeInstances", "ecs:ListTasks", "tag:GetResources"], "*"),
                # How FIS has the log of an experiment delivered.
                allow([f"logs:{one}" for one in _LOGS], "*"),
                allow(["ecs:DescribeTasks"], in_account("ecs", "task/*")),
                allow(
                    ["rds:DescribeDBClusters", "rds:DescribeDBInstances"],
                    *(in_account("rds", one) for one in _DATABASES),
                ),
            ],
            reason="The tag bounds what is touched; what only looks has no resource that could bound it.",
        ),
        WorkloadRole(
            purpose="ResilienceRun",
            name=names.room_role("resilience", "run"),
            description="Makes, starts, follows and stops experiments, and builds that validate",
            roles=[names.room_role("resilience", "runner")],
            statements=[
                _of_deployments(["fis:CreateExperimentTemplate"], templates, key="aws:RequestTag"),
                allow(["fis:CreateExperimentTemplate"], in_account("fis", "action/*")),
                _of_deployments(["fis:DeleteExperimentTemplate", "fis:StartExperiment"], templates),
                _of_deployments(["fis:StartExperiment"], experiments, key="aws:RequestTag"),
                _of_deployments(
                    ["fis:GetExperiment", "fis:ListExperimentResolvedTargets", "fis:StopExperiment"], experiments
                ),
                # Not by `aws:RequestTag`: whoever may tag anything may touch anything.
                _of_deployments(["fis:TagResource"], templates, experiments),
                pass_role("fis", arn),
                # What an attempt has made is found by its tag, when nobody could note its id.
                allow(["fis:ListExperimentTemplates", "fis:ListExperiments"], "*"),
                # How a tenant is told to be well, and where it answers.
                allow(["cloudwatch:DescribeAlarms"], "*"),
                allow(["cloudformation:DescribeStacks"], in_account("cloudformation", "stack/*-resources/*")),
                _of_deployments([f"codebuild:{one}" for one in _BUILDS], projects),
                _only_tagged(start_builds(projects, variables=[ATTEMPT_VARIABLE])),
                # Whether it has stopped an experiment.
                allow(["fis:GetSafetyLever"], in_account("fis", "safety-lever/default")),
                # The first experiment of an account makes it.
                allow(["iam:CreateServiceLinkedRole"], in_account("iam", f"role/{_LINKED_ROLE}", region="")),
            ],
            reason="Experiments and their templates have ids that nobody knows beforehand: the tag bounds them.",
        ),
    )


def _of_deployments(actions: Sequence[str], *resources: str, key: str = "aws:ResourceTag") -> iam.PolicyStatement:
    """Only on what is tagged as of a deployment, or with `aws:RequestTag` gets the tag."""
    return _only_tagged(allow(actions, *resources), key=key)


def _only_tagged(statement: iam.PolicyStatement, key: str = "aws:ResourceTag") -> iam.PolicyStatement:
    statement.add_condition("Null", {f"{key}/{DEPLOYMENT_TAG}": "false"})
    return statement
