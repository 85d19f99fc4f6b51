"""Nothing secret leaves a build."""

from __future__ import annotations

import re

from lambdas.saas.model.row_rules import ID_PATTERN
from lambdas.saas.model.status import Status
from tests.local.saas.factory import Factory

# Ids of temporary and lasting keys, and the variables that carry their secrets.
_CREDENTIALS = re.compile(r"\b(ASIA|AKIA)[A-Z0-9]{12,}|aws_secret_access_key|aws_session_token|SecretAccessKey", re.I)


def test_logs_of_builds_hold_no_credentials(factory: Factory, wave: dict[str, Status]) -> None:
    """No line of any build's log names a key or a token."""
    logs = factory.granary.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/codebuild/")["logGroups"]
    streams = set()
    for group in groups:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            for event in page["events"]:
                streams.add((group["logGroupName"], event["logStreamName"]))
                assert not _CREDENTIALS.search(event["message"]), f"{group['logGroupName']}: {event['message']}"
    assert len(streams) > len(wave)


def test_values_of_rows_stay_out_of_projects(factory: Factory, wave: dict[str, Status]) -> None:
    """Projects of tenants know ids, types, accounts and Regions in plain text, and nothing else."""
    codebuild = factory.granary.client("codebuild")
    names = [name for name in codebuild.list_projects()["projects"] if name.endswith("-synth") and "cicd" not in name]
    for project in codebuild.batch_get_projects(names=names)["projects"]:
        given = {entry["name"]: entry["value"] for entry in project["environment"]["environmentVariables"]}
        assert {"DEPLOYMENT_ID", "DEPLOYMENT_TYPE", "DEPLOYMENT_ACCOUNT", "DEPLOYMENT_REGION"} <= set(given)
        assert ID_PATTERN.fullmatch(given["DEPLOYMENT_ID"])
        assert "note" not in given
        assert "owner" not in given
