"""What the tests of the CodeCommit engine share: a client that checks every answer, git, and an ear for events."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.server import environment
from local_cloud.server.json_api import problems
from tests.local.local_cloud_fixtures import REGION, Workbench, wait_until

# The host is not one of AWS's, and only the first of the helper's commands knows what to do then.
_HELPER = '!f() { test "$1" = get && aws codecommit credential-helper --ignore-host-check get; }; f'
_IDENTITY = {f"GIT_{role}_{key}": "dev@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}


def checked_client(workbench: Workbench, credentials: Mapping[str, str] | None = None) -> Any:
    """A client that fails on an answer or an error that the service's model does not have."""
    client = workbench.client("codecommit", credentials)

    def check(operation_model: Any, response_dict: Mapping[str, Any], **_: Any) -> None:
        document = json.loads(response_dict["body"])
        if response_dict["status_code"] < 400:
            assert not operation_model.output_shape or not problems(document, operation_model.output_shape)
        else:
            ours = {"AccessDeniedException", "InvalidAction"}
            assert document["__type"] in ours | {shape.name for shape in operation_model.error_shapes}

    client.meta.events.register("before-parse.codecommit", check)
    return client


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A working copy, as somebody with these variables has it; the AWS CLI's helper makes the passwords."""

    folder: Path
    variables: Mapping[str, str]

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run git in the working copy."""
        helper = ("-c", f"credential.helper={_HELPER}", "-c", "credential.UseHttpPath=true")
        return subprocess.run(
            ["git", *helper, *words],
            cwd=self.folder,
            env={**environment.without_aws(os.environ), **_IDENTITY, "GIT_TERMINAL_PROMPT": "0", **self.variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def commit(self, name: str, text: str) -> str:
        """Commit a file; the commit's id."""
        (self.folder / name).write_text(text, encoding="utf-8")
        for words in (("add", name), ("commit", "--quiet", "--message", f"Write {name}")):
            assert self.git(*words).returncode == 0
        return self.git("rev-parse", "HEAD").stdout.strip()


def clone_of(
    workbench: Workbench,
    url: str,
    folder: Path,
    credentials: Mapping[str, str] | None = None,
    *,
    region: str = REGION,
) -> Clone:
    """An empty working copy with `url` as origin, of the account's root or of who has the credentials."""
    folder.mkdir()
    variables = workbench.cloud.env(workbench.account, region)
    if credentials:
        names = {
            "AWS_ACCESS_KEY_ID": "AccessKeyId",
            "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
            "AWS_SESSION_TOKEN": "SessionToken",
        }
        variables |= {name: credentials[key] for name, key in names.items()}
    clone = Clone(folder=folder, variables=variables)
    for words in (("init", "--quiet", "--initial-branch", "main"), ("remote", "add", "origin", url)):
        assert clone.git(*words).returncode == 0
    return clone


@dataclass(frozen=True, kw_only=True)
class Ear:
    """A queue that hears the account's CodeCommit events."""

    workbench: Workbench
    url: str

    @classmethod
    def of(cls, workbench: Workbench) -> Ear:
        """Listen from now on."""
        sqs, rules = workbench.client("sqs"), workbench.client("events")
        url = sqs.create_queue(QueueName="ear")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rules.put_rule(Name="ear", EventPattern=json.dumps({"source": ["aws.codecommit"]}))
        rules.put_targets(Rule="ear", Targets=[{"Id": "ear", "Arn": arn}])
        return cls(workbench=workbench, url=url)

    def hears(self, number: int) -> list[dict[str, Any]]:
        """So many events, in no certain order."""
        sqs, found = self.workbench.client("sqs"), []

        def enough() -> bool:
            for message in sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
            return len(found) >= number

        wait_until(enough, what=f"{number} events of CodeCommit", seconds=10)
        assert len(found) == number
        return found
