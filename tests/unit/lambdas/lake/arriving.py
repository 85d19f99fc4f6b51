"""Messages of S3 as its queue gets them, and the functions that take them in, on moto's tables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from lambdas.lake.model.objects import Folder

FOLDERS = (
    Folder(dataset="trips", prefix="tlc/green/", table="green_trips"),
    Folder(dataset="old", prefix="tlc/green/2009/", table="old_trips"),
)


def record(key: str, version: str = "v1", *, event: str = "ObjectCreated:Put", **thing: object) -> dict[str, Any]:
    """One record of a message."""
    told = {"key": quote_plus(key, safe="/"), "size": 10, "versionId": version, "sequencer": "00", **thing}
    return {
        "eventName": event,
        "eventTime": "2026-11-28T23:59:59.999Z",
        "s3": {"bucket": {"name": "raw"}, "object": told},
    }


def body(*records: dict[str, Any]) -> str:
    """A message's body."""
    return json.dumps({"Records": list(records)})


def message(text: str, number: int = 0) -> dict[str, str]:
    """A message as Lambda hands it on."""
    return {"messageId": f"m{number}", "body": text}


@dataclass
class Machine:
    """Executions by name, as Step Functions keeps them: a name is used once, and started again only while it runs."""

    inputs: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:
        if name in self.ended or self.inputs.setdefault(name, input) != input:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": name}}, "StartExecution")
        return {"executionArn": f"{stateMachineArn}:{name}"}


@dataclass
class Topic:
    """What people were told."""

    subjects: list[str] = field(default_factory=list)

    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> None:
        assert TopicArn
        assert Message
        self.subjects.append(Subject)
