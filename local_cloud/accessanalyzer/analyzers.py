"""The analyzer of an account and Region, and what it has previewed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses

from local_cloud.accessanalyzer.checks import Stranger, is_unclear, strangers_of

Json = dict[str, Any]

_STATUS = {
    "ConflictException": 409,
    "NotImplemented": 501,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 402,
    "UnprocessableEntityException": 422,
}
# Of each kind of configuration, the type of the resource and the element that has its policy, or its policies.
_KINDS = {
    "sqsQueue": ("AWS::SQS::Queue", "queuePolicy"),
    "snsTopic": ("AWS::SNS::Topic", "topicPolicy"),
    "iamRole": ("AWS::IAM::Role", "trustPolicy"),
    "kmsKey": ("AWS::KMS::Key", "keyPolicies"),
    "secretsManagerSecret": ("AWS::SecretsManager::Secret", "secretPolicy"),
    "s3Bucket": ("AWS::S3::Bucket", "bucketPolicy"),
}
_EVERYBODY = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")
_GRANTS = {
    "READ": "s3:ListBucket",
    "WRITE": "s3:PutObject",
    "READ_ACP": "s3:GetBucketAcl",
    "WRITE_ACP": "s3:PutBucketAcl",
}


class ServiceError(Exception):
    """An API error: `code` is the AWS error code, such as `ValidationException`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, 400)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Who could get in if a resource had these policies; `summary` is what GetAccessPreview answers."""

    summary: Json
    findings: list[Json]


_analyzers: Any = responses.AccountRegionScopedDict()
_previews: Any = responses.AccountRegionScopedDict()


def create(name: str, kind: str) -> str:
    """Make the one analyzer that an account may have in a Region; answers its ARN."""
    if kind != "ACCOUNT":
        raise ServiceError("ValidationException", f"The local cloud has no analyzers of type {kind}")
    if name in _analyzers:
        raise ServiceError("ConflictException", f"There is an analyzer {name}")
    if _analyzers:
        raise ServiceError("ServiceQuotaExceededException", "There is an analyzer of type ACCOUNT")
    arn = f"arn:aws:access-analyzer:{responses.get_region()}:{responses.get_account_id()}:analyzer/{name}"
    made = {"arn": arn, "name": name, "type": kind, "createdAt": _now(), "status": "ACTIVE"}
    _analyzers[name] = {**made, "managedBy": "the local cloud, which is not AWS"}
    return arn


def analyzers(kind: str | None) -> list[Json]:
    """The analyzers of the account and Region, or those of a type."""
    return [one for one in _analyzers.values() if kind in (None, one["type"])]


def preview(analyzer: str, configurations: Mapping[str, Json]) -> str:
    """Preview the access to a resource; answers the preview's id."""
    _known(analyzer)
    if len(configurations) != 1:
        raise ServiceError("ValidationException", "A preview is of one resource")
    ((arn, configuration),) = configurations.items()
    account, owner = responses.get_account_id(), (arn.split(":", 5) + [""] * 5)[4]
    if owner not in ("", account):
        raise ServiceError("ValidationException", f"{arn} does not belong to the analyzer's account {account}")
    kind, policies = _policies(configuration)
    made: Json = {"id": str(uuid.uuid4()), "analyzerArn": analyzer, "configurations": configurations}
    made |= {"createdAt": _now(), "status": "COMPLETED"}
    found = []
    if any(is_unclear(text) for _, text in policies):
        made |= {"status": "FAILED", "statusReason": {"code": "INVALID_CONFIGURATION"}}
    else:
        about = {"resource": arn, "resourceType": kind, "resourceOwnerAccount": account}
        found = [_finding(one, source) | about for source, text in policies for one in strangers_of(text, account)]
    _previews[made["id"]] = Preview(summary=made, findings=found)
    return str(made["id"])


def previewed(name: str, analyzer: str) -> Preview:
    """A preview that an analyzer has made."""
    _known(analyzer)
    found: Preview | None = _previews.get(name)
    if found is None or found.summary["analyzerArn"] != analyzer:
        raise ServiceError("ResourceNotFoundException", f"There is no access preview {name}")
    return found


def _known(analyzer: str) -> None:
    if analyzer not in [one["arn"] for one in _analyzers.values()]:
        raise ServiceError("ResourceNotFoundException", f"There is no analyzer {analyzer}")


def _policies(configuration: Mapping[str, Json]) -> tuple[str, list[tuple[str, str]]]:
    """The type of the resource, and its policies by where they come from."""
    if len(configuration) != 1 or not set(configuration) <= set(_KINDS):
        raise ServiceError("ValidationException", f"The local cloud does not preview {', '.join(configuration)}")
    ((name, told),) = configuration.items()
    kind, element = _KINDS[name]
    given = told.get(element, {})
    found = [("POLICY", text) for text in (given.values() if isinstance(given, dict) else [given])]
    points = told.get("accessPoints", {}).values()
    found += [("S3_ACCESS_POINT", one["accessPointPolicy"]) for one in points if "accessPointPolicy" in one]
    return kind, [*found, *_of_grants(told.get("bucketAclGrants", []))]


def _of_grants(grants: list[Json]) -> Iterator[tuple[str, str]]:
    for grant in grants:
        if grant["grantee"].get("uri", "").endswith(_EVERYBODY):
            action = _GRANTS.get(grant["permission"], "s3:*")
            yield "BUCKET_ACL", json.dumps({"Statement": {"Effect": "Allow", "Principal": "*", "Action": action}})


def _finding(one: Stranger, source: str) -> Json:
    return {
        # What says that this is none of AWS's: its ids are UUIDs.
        "id": f"local-cloud-{uuid.uuid4()}",
        "principal": one.principal,
        "action": one.actions,
        "condition": one.condition,
        "isPublic": one.anybody,
        "createdAt": _now(),
        "changeType": "NEW",
        "status": "ACTIVE",
        "sources": [{"type": source}],
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
