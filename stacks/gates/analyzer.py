"""What the synth build may do when a gate asks IAM Access Analyzer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from lambdas.gates.model.gate import Scope
from stacks.foundation import Foundation

if TYPE_CHECKING:
    from config.models.gates import Section

_SCANNER = "cfn_policy_validator"
_SERVICE = "access-analyzer.amazonaws.com"
# What the tool's `validate` calls, without what is about an analyzer; none of it can be had for less than all.
# https://github.com/awslabs/aws-cloudformation-iam-policy-validator#credentials
_READS = (
    "access-analyzer:ListAnalyzers",
    "access-analyzer:ValidatePolicy",
    "cloudformation:ListExports",
    "s3:ListAllMyBuckets",
)
_PREVIEWS = ("CreateAccessPreview", "CreateAnalyzer", "GetAccessPreview", "ListAccessPreviewFindings")


def analyzer_statements(foundation: Foundation, section: Section | None) -> Sequence[iam.PolicyStatement]:
    """Reading and analyzing, in whichever Region templates go to; nothing when no gate of templates asks for it."""
    gates = section.gates if section else ()
    if not any(gate.scanner == _SCANNER and Scope(gate.scans) is Scope.TEMPLATES for gate in gates):
        return []
    policies = [f"arn:{Aws.PARTITION}:iam::{owner}:policy/*" for owner in ("aws", foundation.account)]
    role = f"role/aws-service-role/{_SERVICE}/AWSServiceRoleForAccessAnalyzer"
    return [
        iam.PolicyStatement(actions=list(_READS), resources=["*"]),
        iam.PolicyStatement(
            actions=[f"access-analyzer:{one}" for one in _PREVIEWS],
            resources=[f"arn:{Aws.PARTITION}:access-analyzer:*:{foundation.account}:analyzer/*"],
        ),
        iam.PolicyStatement(actions=["iam:GetPolicy", "iam:GetPolicyVersion"], resources=policies),
        # Only a first analyzer needs it.
        iam.PolicyStatement(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[f"arn:{Aws.PARTITION}:iam::{foundation.account}:{role}"],
            conditions={"StringEquals": {"iam:AWSServiceName": _SERVICE}},
        ),
    ]
