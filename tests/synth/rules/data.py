"""Rules for what keeps data: encryption, recovery, logging."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.synth.assembly import Resource, Template, flat
from tests.synth.rules.policies import statements

# Where each type names the customer's key.
CUSTOMER_KEY = {
    "AWS::CodeBuild::Project": "EncryptionKey",
    "AWS::DynamoDB::Table": "SSESpecification.KMSMasterKeyId",
    "AWS::Events::EventBus": "KmsKeyIdentifier",
    "AWS::Lambda::Function": "KmsKeyArn",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::StepFunctions::StateMachine": "EncryptionConfiguration.KmsKeyId",
}

_PUBLIC_ACCESS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _at(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for part in path.split("."):
        value = value.get(part, {}) if isinstance(value, Mapping) else {}
    return value


def customer_keys(template: Template) -> list[str]:
    """What holds data or logs is encrypted with a key of the customer's, not one of the service's."""
    found = []
    for logical_id, resource in template.resources(*CUSTOMER_KEY):
        key = _at(resource.get("Properties", {}), CUSTOMER_KEY[resource["Type"]])
        if not key or "alias/aws/" in flat(key):
            found.append(f"{logical_id}: no customer key in {CUSTOMER_KEY[resource['Type']]}")
    return found


# All but what a creation that fails has made: its name would block the next one.
KEPT = "RetainExceptOnCreate"


def keys_rotate(template: Template) -> list[str]:
    """Keys rotate, and outlive their stack: what they encrypted would be lost."""
    return [
        f"{logical_id}: must rotate and be retained"
        for logical_id, resource in template.resources("AWS::KMS::Key")
        if resource["Properties"].get("EnableKeyRotation") is not True or resource.get("DeletionPolicy") != KEPT
    ]


def buckets_are_private(template: Template) -> list[str]:
    """Buckets are private, versioned, encrypted with a customer's key, logged and retained."""
    logs = {
        flat(_at(resource["Properties"], "LoggingConfiguration.DestinationBucketName"))
        for _, resource in template.resources("AWS::S3::Bucket")
        if "LoggingConfiguration" in resource.get("Properties", {})
    }
    found = []
    for logical_id, resource in template.resources("AWS::S3::Bucket"):
        lacks = _lacks(resource, is_log=f"${{{logical_id}}}" in logs)
        found += [f"{logical_id}: {problem}" for problem in lacks]
    return found


def _lacks(resource: Resource, *, is_log: bool) -> list[str]:
    properties = resource.get("Properties", {})
    blocked = properties.get("PublicAccessBlockConfiguration", {})
    rules = _at(properties, "BucketEncryption.ServerSideEncryptionConfiguration") or [{}]
    key = _at(rules[0], "ServerSideEncryptionByDefault.KMSMasterKeyID")
    ownership = _at(properties, "OwnershipControls.Rules") or [{}]
    checks = {
        "not private": all(blocked.get(name) is True for name in _PUBLIC_ACCESS),
        "not versioned": _at(properties, "VersioningConfiguration.Status") == "Enabled",
        # S3 delivers access logs only into buckets encrypted with its own key, and a log is not logged.
        "no customer key": bool(key) or is_log,
        "not logged": "LoggingConfiguration" in properties or is_log,
        "has ACLs": ownership[0].get("ObjectOwnership") == "BucketOwnerEnforced",
        "not retained": resource.get("DeletionPolicy") == KEPT,
    }
    return [problem for problem, holds in checks.items() if not holds]


def tables_are_safe(template: Template) -> list[str]:
    """Tables can be recovered, are not deleted, and tell what happens to them."""
    found = []
    for logical_id, resource in template.resources("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        properties = resource.get("Properties", {})
        is_global = resource["Type"] == "AWS::DynamoDB::GlobalTable"
        replicas = properties.get("Replicas", []) if is_global else [properties]
        recovery = "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"
        checks = {
            "no point-in-time recovery": bool(replicas) and all(_at(one, recovery) is True for one in replicas),
            "can be deleted": all(one.get("DeletionProtectionEnabled") is True for one in replicas),
            "a replica without a customer key": not is_global
            or all(_at(one, "SSESpecification.KMSMasterKeyId") for one in replicas),
            "no stream": bool(_at(properties, "StreamSpecification.StreamViewType")),
            "not retained": resource.get("DeletionPolicy") == KEPT,
        }
        found += [f"{logical_id}: {problem}" for problem, holds in checks.items() if not holds]
    return found


def logs_are_kept(template: Template) -> list[str]:
    """Log groups say how long they keep their events, and functions log into a group that is declared."""
    found = [
        f"{logical_id}: keeps its events for ever"
        for logical_id, resource in template.resources("AWS::Logs::LogGroup")
        if not resource["Properties"].get("RetentionInDays")
    ]
    found += [
        f"{logical_id}: logs into a group that nobody encrypts"
        for logical_id, resource in template.resources("AWS::Lambda::Function")
        if not _at(resource["Properties"], "LoggingConfig.LogGroup")
    ]
    return found


def verdicts_stand(template: Template) -> list[str]:
    """Who may put verdicts may put new ones only: the key is absent from a request that would overwrite one.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    return [
        f"{statement}: overwrites verdicts"
        for statement in statements(template)
        if statement.allows
        and statement.kind == "identity"
        and any(fnmatchcase("s3:PutObject", action) for action in statement.actions)
        and any(_has_verdicts(resource) for resource in statement.resources)
        and statement.body.get("Condition", {}).get("Null", {}).get("s3:if-none-match") != "false"
    ]


def _has_verdicts(resource: str) -> bool:
    """Whether a pattern of ARNs has a verdict in one of the buckets that hold any."""
    bucket, _, key = resource.partition("/")
    return any(name in bucket.lower() for name in ("releases", "reports")) and any(
        fnmatchcase(f"{folder}/x/y", key) or key.startswith(f"{folder}/") for folder in ("verdicts", "survivals")
    )
