"""What can be seen of a commit that gates judge: CI/CD's execution, the bus, verdicts, findings in Security Hub."""

from __future__ import annotations

from typing import Any

from lambdas.common.evidence.verdict import Verdict, verdicts_of
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary
from local_cloud.factory.inbox import Inbox

RELEASES = NAMES.releases_bucket(TOOLCHAIN, HOME)


def execution(granary: Granary, revision: str) -> dict[str, Any] | None:
    """CI/CD's execution of a revision."""
    for one in granary.executions(NAMES.cicd_pipeline):
        if revision in [source["revisionId"] for source in one["sourceRevisions"]]:
            return one
    return None


def ended(granary: Granary, revision: str, status: str) -> list[str]:
    """Tell that CI/CD's execution of a revision has ended so; nothing as long as it has not."""
    one = execution(granary, revision)
    logs = granary.cloud.settings.builds_dir
    return (
        [f"CI/CD of {revision} is {status}: see its builds' logs in {logs}"] if one and one["status"] == status else []
    )


def actions(granary: Granary, revision: str) -> list[str]:
    """The actions that CI/CD has executed for a revision, the first one first."""
    one = execution(granary, revision)
    if one is None:
        return []
    chosen = {"pipelineExecutionId": one["pipelineExecutionId"]}
    answer = granary.client("codepipeline").list_action_executions(pipelineName=NAMES.cicd_pipeline, filter=chosen)
    return [action["actionName"] for action in reversed(answer["actionExecutionDetails"])]


def stopped(granary: Granary, bus: Inbox, revision: str) -> dict[str, Any] | None:
    """What the bus says of a commit that a gate has stopped, as soon as CI/CD has failed too."""
    told = (one["detail"] for one in bus.messages() if one["detail-type"] == "Gate stopped a commit")
    detail = next((detail for detail in told if detail["revision"] == revision), None)
    return detail if detail and ended(granary, revision, "Failed") else None


def published(granary: Granary, revision: str) -> bool:
    """Whether a revision is published as a release."""
    found = granary.client("s3").list_objects_v2(Bucket=RELEASES, Prefix=f"releases/{revision}/")
    return bool(found["KeyCount"])


def verdicts(granary: Granary, revision: str) -> list[Verdict]:
    """What gates have said of a revision."""
    s3 = granary.client("s3")
    found = s3.list_objects_v2(Bucket=RELEASES, Prefix=verdicts_of(revision)).get("Contents", [])
    texts = [s3.get_object(Bucket=RELEASES, Key=entry["Key"])["Body"].read().decode() for entry in found]
    return [Verdict.from_json(text) for text in texts]


def finding(granary: Granary, fingerprint: str) -> dict[str, Any] | None:
    """A finding as Security Hub has it."""
    named = {"Key": "granary/fingerprint", "Value": fingerprint, "Comparison": "EQUALS"}
    found = granary.client("securityhub").get_findings(Filters={"ProductFields": [named]})["Findings"]
    return found[0] if found else None
