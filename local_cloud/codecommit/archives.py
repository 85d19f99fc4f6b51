"""What CodePipeline's source action does beyond the public API: it has the files of a commit packed.

https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html#aa-acp
"""

from __future__ import annotations

from ministack.core import iam_evaluator
from ministack.core.responses import request_scope

from local_cloud.codecommit import store

_ACTIONS = ("codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus")


def upload_archive(*, access_key: str, account: str, region: str, repository: str, commit: str) -> bytes:
    """The zip of a commit, if the owner of the key may have it; raises PermissionError and ServiceError."""
    with request_scope(account, region):
        found = store.find(repository)
        for action in _ACTIONS:
            denied = iam_evaluator.enforce(access_key, action, "codecommit", region, resource_arn=found.arn)
            if denied is not None:
                raise PermissionError(f"The action's role is not authorized to perform: {action} on {found.arn}")
        return found.git.archive(commit)
