"""Rules for policies: what they allow, to whom and on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from tests.component import exceptions as component_exceptions
from tests.synth.assembly import Template, as_list, flat

Kind = Literal["identity", "trust", "resource", "key"]

# Actions that IAM's service authorization reference lists without a resource.
WITHOUT_RESOURCE = {
    "access-analyzer:ListAnalyzers": "lists the analyzers of the account",
    "access-analyzer:ValidatePolicy": "is given a text",
    "cloudformation:DescribeAccountLimits": "limits belong to the account",
    "cloudformation:ListExports": "lists the exports of the account",
    "cloudformation:ListStacks": "counts the stacks of the account",
    "codebuild:ListProjects": "counts the projects of the account",
    "codepipeline:GetJobDetails": "a job is of no resource",
    "codepipeline:ListPipelines": "counts the pipelines of the account",
    "codepipeline:PutJobFailureResult": "the same, as is its result",
    "codepipeline:PutJobSuccessResult": "the same",
    "cloudwatch:DescribeAlarms": "states of composite alarms are read without a resource",
    "cloudwatch:GetMetricData": "metrics have no resource; members of chat channels see graphs",
    "cloudwatch:GetMetricStatistics": "the same",
    "cloudwatch:GetMetricWidgetImage": "the same",
    "cloudwatch:ListMetrics": "the same",
    "cloudwatch:PutMetricData": "metrics have no resource; the namespace is a condition",
    **dict.fromkeys(
        (
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroupRules",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcEncryptionControls",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcs",
        ),
        "EC2 describes without a resource",
    ),
    "ec2:DescribeInstances": "looks for the targets of experiments, which are chosen by tag",
    "ecr:GetAuthorizationToken": "a token allows no more than its role",
    "ecs:ListTasks": "as ec2:DescribeInstances",
    "dynamodb:ListBackups": "lists the backups of the account",
    "dynamodb:ListStreams": "lists the streams of the account; the library grants it with the reading of one",
    "fis:ListExperimentTemplates": "lists the templates of the account",
    "fis:ListExperiments": "lists the experiments of the account",
    "glue:CreateSecurityConfiguration": "a security configuration is no resource of IAM's",
    "glue:DeleteSecurityConfiguration": "the same",
    "glue:GetSecurityConfiguration": "the same",
    "lambda:CreateEventSourceMapping": "it has no resource; its function is a condition",
    "lakeformation:AddLFTagsToResource": "Lake Formation's actions have no resource: it decides by its own grants",
    "lakeformation:BatchGrantPermissions": "the same",
    "lakeformation:BatchRevokePermissions": "the same",
    "lakeformation:CreateDataCellsFilter": "the same",
    "lakeformation:CreateLFTag": "the same",
    "lakeformation:DeleteDataCellsFilter": "the same",
    "lakeformation:DescribeResource": "the same",
    "lakeformation:GetDataAccess": "the same",
    "lakeformation:GetDataLakeSettings": "the same",
    "lakeformation:GetEffectivePermissionsForPath": "the same",
    "lakeformation:GetLFTag": "the same",
    "lakeformation:GetResourceLFTags": "the same",
    "lakeformation:GrantPermissions": "the same",
    "lakeformation:ListDataCellsFilter": "the same",
    "lakeformation:ListLFTags": "the same",
    "lakeformation:ListPermissions": "the same",
    "lakeformation:ListResources": "the same",
    "lakeformation:RemoveLFTagsFromResource": "the same",
    "lakeformation:RevokePermissions": "the same",
    "lakeformation:SearchDatabasesByLFTags": "the same",
    "lakeformation:SearchTablesByLFTags": "the same",
    "lakeformation:UpdateLFTag": "the same",
    "logs:CreateLogDelivery": "as Step Functions documents the delivery of a state machine's log",
    "logs:DeleteLogDelivery": "the same",
    "logs:DescribeLogGroups": "the same",
    "logs:DescribeResourcePolicies": "the same",
    "logs:GetLogDelivery": "the same",
    "logs:ListLogDeliveries": "the same",
    "logs:PutResourcePolicy": "the same",
    "logs:UpdateLogDelivery": "the same",
    "s3:ListAllMyBuckets": "says by which id S3 knows the account",
    "servicequotas:GetAWSDefaultServiceQuota": "quotas belong to the account",
    "servicequotas:GetServiceQuota": "quotas belong to the account",
    "sts:GetServiceBearerToken": "has no resource; the service is a condition",
    "tag:GetResources": "looks for resources by their tags",
    "xray:GetSamplingRules": "traces have no resource",
    "xray:GetSamplingTargets": "the same",
    "xray:PutTelemetryRecords": "the same",
    "xray:PutTraceSegments": "the same",
}

# Who does not say for which account or resource it acts, where, and why that may be.
UNGUARDED = {
    **component_exceptions.UNGUARDED,
    ("cloudformation.amazonaws.com", "trust"): "as CDK bootstrap does it; a role is passed in its own account only",
    ("lambda.amazonaws.com", "trust"): "a role is passed to a function of its own account only (iam:PassRole)",
    ("events.amazonaws.com", "sns:Publish"): "EventBridge says nothing of itself to a topic: conditions never hold",
    ("events.amazonaws.com", "kms:GenerateDataKey*"): "the same publishing, when the topic is encrypted",
}

_GUARDS = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "kms:encryptioncontext:aws:logs:arn",
    "kms:encryptioncontext:sourcearn",  # of the delivery of logs
)

# What a build must not be started with, and what may be said of it within bounds.
OVERRIDES = {
    "codebuild:artifacts",
    "codebuild:autoRetryLimit",
    "codebuild:cache",
    "codebuild:encryptionKey",
    "codebuild:environment.certificate",
    "codebuild:environment.computeType",
    "codebuild:environment.environmentVariables.name",
    "codebuild:environment.fleet.fleetArn",
    "codebuild:environment.image",
    "codebuild:environment.imagePullCredentialsType",
    "codebuild:environment.privilegedMode",
    "codebuild:environment.registryCredential",
    "codebuild:environment.type",
    "codebuild:logsConfig",
    "codebuild:secondaryArtifacts",
    "codebuild:secondarySources",
    "codebuild:serviceRole",
    "codebuild:source.buildspec",
    "codebuild:source.location",
}
# What of that may be said all the same, of which projects (what their names end with), and why.
OVERRIDABLE = {
    ("-assets", "codebuild:environment.privilegedMode"): "images are built by Docker, and files are published without",
}
_CODEPIPELINE = ["codepipeline.amazonaws.com"]
_OTHER_STARTS = ("codebuild:RetryBuild", "codebuild:StartBuildBatch", "codebuild:StartSandbox")

_POLICIES: dict[str, tuple[Kind, str]] = {
    "AWS::IAM::Policy": ("identity", "PolicyDocument"),
    "AWS::IAM::ManagedPolicy": ("identity", "PolicyDocument"),
    "AWS::IAM::Role": ("trust", "AssumeRolePolicyDocument"),
    "AWS::KMS::Key": ("key", "KeyPolicy"),
    "AWS::S3::BucketPolicy": ("resource", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("resource", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("resource", "PolicyDocument"),
    "AWS::SecretsManager::ResourcePolicy": ("resource", "ResourcePolicy"),
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement and the policy that it stands in."""

    owner: str
    kind: Kind
    body: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        return bool(self.body["Effect"] == "Allow")

    @property
    def actions(self) -> list[str]:
        return [str(action) for action in as_list(self.body.get("Action", []))]

    @property
    def resources(self) -> list[str]:
        return [flat(resource) for resource in as_list(self.body.get("Resource", []))]

    @property
    def services(self) -> list[str]:
        principal = self.body.get("Principal", {})
        return [flat(service) for service in as_list(principal.get("Service", []))] if principal != "*" else []

    @property
    def anyone(self) -> bool:
        principal = self.body.get("Principal", {})
        return principal == "*" or "*" in as_list(principal.get("AWS", []))

    @property
    def condition_keys(self) -> set[str]:
        """Keys; those of a path with the operator too, for with another one an account without a path passes."""
        tests = self.body.get("Condition", {}).items()
        plain = {key.lower() for _, test in tests for key in test}
        return plain | {f"{operator} {key}".lower() for operator, test in tests for key in test if "OrgPaths" in key}

    def __str__(self) -> str:
        return f"{self.owner}: {', '.join(self.actions)}"


def statements(template: Template) -> Iterator[Statement]:
    """Every statement of every policy of a template."""
    for logical_id, resource in template.resources(*_POLICIES):
        kind, property_ = _POLICIES[resource["Type"]]
        document = resource["Properties"][property_]
        for body in as_list(document["Statement"]):
            yield Statement(owner=logical_id, kind=kind, body=body)
        for policy in resource["Properties"].get("Policies", []):
            for body in as_list(policy["PolicyDocument"]["Statement"]):
                yield Statement(owner=logical_id, kind="identity", body=body)


def no_wildcard_actions(template: Template) -> list[str]:
    """`*` and `service:*` are allowed to nobody; but a key's policy gives the key to its account, as KMS asks for."""
    return [
        f"{statement}: allows every action"
        for statement in statements(template)
        if statement.allows
        and any(action == "*" or action.endswith(":*") for action in statement.actions)
        and not (statement.kind == "key" and _is_own_account(statement, template))
    ]


def _is_own_account(statement: Statement, template: Template) -> bool:
    root = f":iam::{template.account}:root"
    return all(flat(principal).endswith(root) for principal in as_list(statement.body["Principal"]["AWS"]))


def no_wildcard_resources(template: Template) -> list[str]:
    """Resource `*` only for actions that know no resource (and in a key's policy, where it is the key)."""
    return [
        f"{statement}: allowed on every resource"
        for statement in statements(template)
        if statement.allows
        and statement.kind != "key"
        and "*" in statement.resources
        and not set(statement.actions) <= set(WITHOUT_RESOURCE)
    ]


def unguarded(template: Template) -> Iterator[tuple[Statement, str, frozenset[str]]]:
    """Statements that allow a service something for whomever it acts, the service, and where it is allowed what."""
    for statement in statements(template):
        if statement.allows and not statement.condition_keys.intersection(_GUARDS):
            places = {"trust"} if statement.kind == "trust" else set(statement.actions)
            for service in statement.services:
                yield statement, service, frozenset(places)


def services_are_guarded(template: Template) -> list[str]:
    """A service that is allowed something says for whom: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html."""
    found = [
        f"{statement}: {service} for any account"
        for statement, service, places in unguarded(template)
        if not any((service, place) in UNGUARDED for place in places)
    ]
    found += [
        f"{logical_id}: {resource['Properties']['Principal']} invokes for any account"
        for logical_id, resource in template.resources("AWS::Lambda::Permission")
        if not {"SourceArn", "SourceAccount"}.intersection(resource["Properties"])
    ]
    return found


def nobody_is_anyone(template: Template) -> list[str]:
    """Principal `*` is allowed something only as a member of the organization, or as named roles of one account."""
    guards = (
        {"aws:principalorgid"},
        {"foranyvalue:stringlike aws:principalorgpaths"},
        {"aws:principalaccount", "aws:principalarn"},
    )
    return [
        f"{statement}: allowed to anyone"
        for statement in statements(template)
        if statement.allows and statement.anyone and not any(keys <= set(statement.condition_keys) for keys in guards)
    ]


def roles_elsewhere_are_members(template: Template) -> list[str]:
    """A role of any account is assumed only in the organization, and never in the account of the factory itself."""
    guards = (
        {"aws:resourceorgid", "aws:resourceaccount"},
        {"foranyvalue:stringlike aws:resourceorgpaths", "aws:resourceaccount"},
    )
    return [
        f"{statement}: roles of any account"
        for statement in statements(template)
        if statement.allows and statement.kind == "identity" and "sts:AssumeRole" in statement.actions
        if any(":iam::*:" in resource or resource == "*" for resource in statement.resources)
        if not any(keys <= statement.condition_keys for keys in guards)
    ]


def only_tls(template: Template) -> list[str]:
    """Buckets, queues and topics refuse requests that are not encrypted on their way."""
    refusing = {
        resource
        for statement in statements(template)
        if not statement.allows and "aws:securetransport" in statement.condition_keys and statement.anyone
        for resource in statement.resources
    }
    found = []
    for logical_id, resource in template.resources("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"):
        kind = resource["Type"]
        arn = f"${{{logical_id}}}" if kind == "AWS::SNS::Topic" else f"${{{logical_id}.Arn}}"
        needed = {arn, f"{arn}/*"} if kind == "AWS::S3::Bucket" else {arn}
        if not needed <= refusing:
            found.append(f"{logical_id}: does not refuse plain HTTP")
    return found


def builds_run_what_their_projects_say(template: Template) -> list[str]:
    """Who may start a build, other than CodePipeline, may neither replace what it runs nor as whom, nor where from.

    Each key is of the official list, and absent from a request that overrides nothing:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
    """
    return [
        f"{statement}: {missing} may be overridden"
        for statement in statements(template)
        if starts_builds(statement) and not _is_of_codepipeline(statement, template)
        for missing in sorted(OVERRIDES - _bound(statement))
        if not overridable(statement, missing)
    ] + [
        f"{statement}: starts builds in another way"
        for statement in statements(template)
        if statement.allows and any(fnmatchcase(other, one) for one in statement.actions for other in _OTHER_STARTS)
    ]


def starts_builds(statement: Statement) -> bool:
    """Whether a statement allows a role to start builds."""
    starts = any(fnmatchcase("codebuild:StartBuild", action) for action in statement.actions)
    return starts and statement.allows and statement.kind == "identity"


def overridable(statement: Statement, key: str) -> list[tuple[str, str]]:
    """The exceptions by which a statement leaves a key to who starts builds of its projects."""
    names = [name for name, excepted in OVERRIDABLE if excepted == key and key not in _bound(statement)]
    return [(name, key) for name in names if all(one.endswith(name) for one in statement.resources)]


def _bound(statement: Statement) -> set[str]:
    condition = statement.body.get("Condition", {})
    absent = {key for key, value in condition.get("Null", {}).items() if value == "true"}
    limited = {key for name in ("StringLike", "ForAllValues:StringEquals") for key in condition.get(name, {})}
    return absent | limited


def _is_of_codepipeline(statement: Statement, template: Template) -> bool:
    """Whether a statement is of roles that CodePipeline alone assumes."""
    named = template.body["Resources"][statement.owner]["Properties"].get("Roles", [{"Ref": statement.owner}])
    roles = [template.body["Resources"].get(role.get("Ref")) for role in named]
    trusts = [role and role["Properties"].get("AssumeRolePolicyDocument") for role in roles]
    return all(
        trust and all(as_list(one["Principal"].get("Service")) == _CODEPIPELINE for one in as_list(trust["Statement"]))
        for trust in trusts
    )
