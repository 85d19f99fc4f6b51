"""Messages of S3 as its queue gets them, and functions that take them in and are killed, on moto's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from lambdas.lake.model.objects import Folder
from lambdas.lake.trigger.taking import Taking

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


class Killed(BaseException):
    """The function is ended from outside."""


class Mortal:
    """A client whose process is killed before or after its n-th call."""

    def __init__(self, client: Any, *, lives: Iterator[str]) -> None:
        self._client, self._lives = client, lives

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(**request: Any) -> Any:
            fate = next(self._lives)
            if fate == "before":
                raise Killed
            answer = method(**request)
            if fate == "after":
                raise Killed
            return answer

        return call


def deliver(taking: Taking, messages: Sequence[dict[str, str]], chance: Random, *, every: int = 5) -> int:
    """Deliver messages in any order, as a queue does: again, until a function that is not killed has taken them in.

    One call in `every` kills the function, before or after it is done. Answers how many functions were killed.
    """
    lives = _fates(chance, every)
    mortal = replace(
        taking,
        audit=replace(taking.audit, client=Mortal(taking.audit.client, lives=lives)),
        states=Mortal(taking.states, lives=lives),
    )
    waiting, killed = list(messages), 0
    while waiting:
        chance.shuffle(waiting)
        batch, waiting = waiting[:5], waiting[5:]
        try:
            failed = mortal.handle(batch)
        except Killed:
            waiting += batch
            killed += 1
        else:
            waiting += [one for one in batch if one["messageId"] in failed]
    return killed


def _fates(chance: Random, every: int) -> Iterator[str]:
    while True:
        yield chance.choices(["", "before", "after"], [2 * (every - 1), 1, 1])[0]
