"""Source/CodeCommit: takes the tip of a branch, as a zip or as what CodeBuild clones by.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_cloud.codebuild import clones
from local_cloud.codecommit.archives import upload_archive
from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.errors import ActionFailed, configuration_error
from local_cloud.codepipeline.executions import SourceRevision

REQUIRED = frozenset({"RepositoryName", "BranchName"})
_ZIP, _CLONE = "CODE_ZIP", "CODEBUILD_CLONE_REF"


def run(context: Context) -> Outcome:
    """Put the tip of the branch, or the wanted commit, into the artifact store."""
    where = {"repositoryName": context.setting("RepositoryName")}
    branch, artifact = context.setting("BranchName"), context.action.outputs[0]
    client = context.client("codecommit")
    tip: str = client.get_branch(**where, branchName=branch)["branch"]["commitId"]
    commit_id = context.execution.overrides.get(context.action.name, {}).get("COMMIT_ID", tip)
    commit = client.get_commit(**where, commitId=commit_id)["commit"]
    if context.optional("OutputArtifactFormat", _ZIP) == _CLONE:
        url = client.get_repository(**where)["repositoryMetadata"]["cloneUrlHttp"]
        body = clones.reference(url=url, commit=commit_id)
    else:
        body = _archive(context, commit_id)
    context.write(artifact=artifact, body=body)
    context.describe(external_id=commit_id)
    message = commit["message"].rstrip("\n")
    revision = SourceRevision(
        action=context.action.name, artifact=artifact, revision_id=commit_id, summary=message, url=""
    )
    variables = {
        "RepositoryName": where["repositoryName"],
        "BranchName": branch,
        "CommitId": commit_id,
        "CommitMessage": message,
        "AuthorDate": _date(commit["author"]),
        "CommitterDate": _date(commit["committer"]),
    }
    return Outcome(variables=variables, revision=revision, written=frozenset({artifact}))


def _archive(context: Context, commit: str) -> bytes:
    try:
        return upload_archive(
            access_key=context.identity.credentials["AccessKeyId"],
            account=context.identity.account,
            region=context.action.region,
            repository=context.setting("RepositoryName"),
            commit=commit,
        )
    except PermissionError as error:
        raise ActionFailed("PermissionError", str(error)) from error


def _date(person: Mapping[str, Any]) -> str:
    seconds = int(person["date"].split()[0])
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check(configuration: Mapping[str, str]) -> None:
    """Refuse what the local cloud does not execute: nothing polls here."""
    if configuration.get("PollForSourceChanges", "true").lower() == "true":
        raise configuration_error(
            "The local cloud does not poll repositories: set PollForSourceChanges to false and let a rule start it"
        )
    if (wanted := configuration.get("OutputArtifactFormat", _ZIP)) not in (_ZIP, _CLONE):
        raise configuration_error(f"OutputArtifactFormat is {_ZIP} or {_CLONE}, not {wanted}")
