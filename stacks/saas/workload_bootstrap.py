"""The bootstrap template of workload accounts: the CDK CLI's own, whose roles trust roles instead of accounts; pure.

The CLI's template (https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html) trusts the whole toolchain
account and the account that it stands in, deploys any stack with any role that it had, and looks at everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.common.names import COMPONENT_ASSETS, WORKLOAD_ROLE_PATH, execution_policy_name
from lambdas.saas.model.names import DEPLOYMENT_TYPES, SaasNames, pipeline_name

_EXECUTION = "CloudFormationExecutionRole"
_DEPLOY, _LOOKUP, _FILES, _IMAGES = "DeploymentActionRole", "LookupRole", "FilePublishingRole", "ImagePublishingRole"
_ROLES = (_DEPLOY, _LOOKUP, _FILES, _IMAGES, _EXECUTION)
_POLICIES = (f"{_FILES}DefaultPolicy", f"{_IMAGES}DefaultPolicy", "CdkBoostrapPermissionsBoundaryPolicy")
# What a role of ours has instead of the template's, and parameters and conditions that nothing refers to then.
_UNUSED = (
    *(("Parameters", name) for name in ("CloudFormationExecutionPolicies", "DenyExternalId", "TrustedAccounts")),
    ("Parameters", "TrustedAccountsForLookup"),
    *(("Conditions", name) for name in ("HasCloudFormationExecutionPolicies", "HasTrustedAccounts")),
    *(("Conditions", name) for name in ("HasTrustedAccountsForLookup", "ShouldDenyExternalId")),
)
_READ_STACKS = ("DescribeStackEvents", "DescribeStackResources", "DescribeStacks", "GetTemplate")
_RUN_CHANGES = ("DeleteChangeSet", "DescribeChangeSet", "ExecuteChangeSet")
# For these IAM knows no resource.
_LOOK_ANYWHERE = (
    "cloudformation:DescribeAccountLimits",
    "cloudformation:ListStacks",
    "cloudwatch:GetMetricStatistics",
    "iam:GetAccountSummary",
    "servicequotas:GetAWSDefaultServiceQuota",
    "servicequotas:GetServiceQuota",
)


@dataclass(frozen=True, kw_only=True)
class WorkloadBootstrap:
    """What the template says of one factory: whom it trusts, and which stacks, roles and artifacts it is about.

    `zone_roles` are the names of the component's workload roles, `zone_actions` what it looks at beside them.
    `boundary` is the name of the policy that bounds the roles, if there is one; `parameters` are names of what the
    landing zone publishes. CloudFormation may do what so many `policies` say.
    """

    names: SaasNames
    qualifier: str
    toolchain_account: str
    zone_roles: Sequence[str] = ()
    zone_actions: Sequence[str] = ()
    boundary: str = ""
    parameters: Sequence[str] = ()
    policies: int = 1

    def template(self, original: Mapping[str, Any]) -> dict[str, Any]:
        """The CLI's template (`cdk bootstrap --show-template --json`) made ours.

        Raises:
            GranaryError: the CLI's template is not the one that this was written for.
        """
        made = deepcopy(dict(original))
        try:
            self._change(made)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise GranaryError(
                f"the CDK CLI's bootstrap template has changed ({error}): use the CLI that package.json pins, with "
                "`make setup` and `npx cdk`"
            ) from error
        return made

    def _change(self, made: dict[str, Any]) -> None:
        for section, name in _UNUSED:
            del made[section][name]
        made["Description"] = f"Lets the factory {self.names.prefix} deploy tenants' components here"
        made["Parameters"]["Qualifier"]["Default"] = self.qualifier
        made["Parameters"]["BootstrapVariant"]["Default"] = f"Granary: {self.names.prefix}"
        # As the CLI says by itself. A StackSet says nothing, and would make a key in each account and Region.
        made["Parameters"]["FileAssetsBucketKmsKeyId"]["Default"] = "AWS_MANAGED_KEY"
        resources, names = made["Resources"], self.names
        found = {key for key, resource in resources.items() if resource["Type"].startswith("AWS::IAM::")}
        if found != {*_ROLES, *_POLICIES}:
            raise KeyError(f"its roles and policies are {', '.join(sorted(found))}")
        for key in _ROLES:
            resources[key]["Properties"]["Path"] = WORKLOAD_ROLE_PATH
            if self.boundary:
                # The CLI keeps the values that a stack's parameters have: a default would not reach one that stands.
                bounds = _sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{self.boundary}")
                resources[key]["Properties"]["PermissionsBoundary"] = bounds
        assets = names.asset_publishing_role
        trusted = {
            _DEPLOY: (names.tenant_pipeline_role, assets, names.lifecycle_role),
            _LOOKUP: (names.provisioning_role, names.pipeline_watch_role),
            _FILES: (assets,),
            _IMAGES: (assets,),
        }
        for key, who in trusted.items():
            resources[key]["Properties"]["AssumeRolePolicyDocument"] = self._trust(who)
        for key, statements in ((_DEPLOY, self._deploy()), (_LOOKUP, self._look())):
            properties = resources[key]["Properties"]
            del properties["ManagedPolicyArns"]
            properties["Policies"] = [{"PolicyName": "granary", "PolicyDocument": _document(statements)}]
        # Whatever is said at the command line: never the administrator that the CLI takes when nothing is said.
        named = [execution_policy_name(number) for number in range(1, self.policies + 1)]
        policies = [_sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{name}") for name in named]
        resources[_EXECUTION]["Properties"]["ManagedPolicyArns"] = policies
        publishing = resources[f"{_FILES}DefaultPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
        publishing["Action"].remove("s3:DeleteObject*")
        objects = publishing["Resource"].index(_sub("${StagingBucket.Arn}/*"))
        publishing["Resource"][objects] = _sub(f"${{StagingBucket.Arn}}/{COMPONENT_ASSETS}*")

    def _trust(self, roles: Sequence[str]) -> dict[str, Any]:
        account = f"arn:${{AWS::Partition}}:iam::{self.toolchain_account}"
        # The account, and in it the roles: one that is made anew under its name is the same to this trust. Nobody is
        # to be deputized: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
        statement = _allow(["sts:AssumeRole"]) | {
            "Principal": {"AWS": _sub(f"{account}:root")},
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": [_sub(f"{account}:role/{role}") for role in roles]},
                "Null": {"sts:ExternalId": "true"},
            },
        }
        return _document([statement])

    def _deploy(self) -> list[dict[str, Any]]:
        execution = {"Fn::GetAtt": [_EXECUTION, "Arn"]}
        stacks = [_here("cloudformation", f"stack/{kind}-*/*") for kind in DEPLOYMENT_TYPES]
        pipelines = [_here("cloudformation", f"stack/{pipeline_name(kind, '*')}/*") for kind in DEPLOYMENT_TYPES]
        bucket = self.names.artifacts_bucket(self.toolchain_account, "${AWS::Region}")
        bucket = f"arn:${{AWS::Partition}}:s3:::{bucket}"
        objects = [_sub(f"{bucket}/{kind}-*") for kind in DEPLOYMENT_TYPES]
        # China's services have a suffix of their own there, or none: AWS's pages have both.
        s3 = [_sub(f"s3.${{AWS::Region}}.{suffix}") for suffix in ("${AWS::URLSuffix}", "amazonaws.com")]
        through_s3 = {"StringEquals": {"kms:ViaService": s3}}
        keys = _sub(f"arn:${{AWS::Partition}}:kms:${{AWS::Region}}:{self.toolchain_account}:key/*")
        # A call that names no role has CloudFormation act with the one before, whoever's that is.
        as_execution = {"Condition": {"ArnEquals": {"cloudformation:RoleArn": execution}}}
        only_cloudformation = {"Condition": {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}}
        return [
            _allow(["cloudformation:CreateChangeSet", "cloudformation:DeleteStack"], *stacks) | as_execution,
            _allow([f"cloudformation:{action}" for action in (*_READ_STACKS, *_RUN_CHANGES)], *stacks),
            # Where the toolchain's own account is a target, tenants' pipelines stand beside the components.
            {"Effect": "Deny", "Action": "cloudformation:*", "Resource": pipelines},
            _allow(["iam:PassRole"], execution) | only_cloudformation,
            _allow(["s3:GetBucketLocation", "s3:ListBucket"], _sub(bucket)),
            _allow(["s3:GetObject", "s3:GetObjectVersion"], *objects),
            _allow(["kms:Decrypt", "kms:DescribeKey"], keys) | {"Condition": through_s3},
            # Before it publishes assets, the CLI looks at the bootstrap stack, and at its bucket.
            _allow(["cloudformation:DescribeStacks"], _here("cloudformation", "stack/CDKToolkit*/*")),
            _allow(["ssm:GetParameter", "ssm:GetParameters"], self._version()),
        ]

    def _look(self) -> list[dict[str, Any]]:
        stacks = [_here("cloudformation", f"stack/{kind}-*/*") for kind in DEPLOYMENT_TYPES]
        role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
        parameters = [_here("ssm", f"parameter{name}") for name in self.parameters]
        return [
            _allow(["ssm:GetParameter"], self._version()),
            _allow(["cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks"], *stacks),
            *([_allow(["iam:GetRole"], *(_sub(f"{role}{one}") for one in self.zone_roles))] if self.zone_roles else []),
            *([_allow(["ssm:GetParameters"], *parameters)] if parameters else []),
            _allow(sorted({*_LOOK_ANYWHERE, *self.zone_actions}), "*"),
        ]

    def _version(self) -> dict[str, str]:
        return _here("ssm", "parameter/cdk-bootstrap/${Qualifier}/version")


def _allow(actions: Sequence[str], *resources: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions)} | ({"Resource": list(resources)} if resources else {})


def _document(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _sub(text: str) -> dict[str, str]:
    return {"Fn::Sub": text}


def _here(service: str, resource: str) -> dict[str, str]:
    return _sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")
