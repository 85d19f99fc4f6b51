"""A factory whose applications fail over, under test: what scenarios do to it, and what they wait for."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common import clock
from lambdas.common.dynamo import write_value
from local_cloud.factory.failover import AWAY, BLOG, DOMAINS, FAILOVER, UNREACHABLE, FailoverFactory
from local_cloud.factory.granary import HOME, REGIONS, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.inbox import Inbox, queue_arn
from local_cloud.factory.resolvers import Resolvers
from tests.unit.docs.markdown import ROOT, blocks

_RUNBOOK = ROOT / "docs/resilience/runbooks/failover.md"
_VARIABLES = {"AccessKeyId": "AWS_ACCESS_KEY_ID", "SecretAccessKey": "AWS_SECRET_ACCESS_KEY"}
_PATIENCE = 60.0
# An alarm has rung for a minute then, whose length is real, and a database is restored.
_BY_ITSELF = 180.0
_OLDER = timedelta(minutes=3)


@dataclass(frozen=True, kw_only=True)
class Failing(FailoverFactory):
    """The factory, with what people of each Region are told."""

    people: Mapping[str, Inbox]

    def told(self, region: str, *words: str, after: int = 0) -> str:
        """Wait until people of a Region are told something with all of the words, after so many messages."""

        def found() -> str | None:
            messages = [str(one["Message"]) for one in self.people[region].messages()[after:]]
            return next((one for one in messages if all(word in one for word in words)), None)

        try:
            return wait_until(found, seconds=_PATIENCE, what=f"people of {region} to be told {words}")
        except Exception as error:
            told = [one["Message"] for one in self.people[region].received]
            raise AssertionError(f"{error}; they were told {told}") from error

    def is_seen(self, group: str, region: str, alarm: str) -> None:
        """Wait until what a Region says of itself is that the group's alarm there has a state."""

        def seen() -> bool | None:
            alarms = self.table(AWAY).facts(region).of(group).alarms
            return True if alarms == {f"{group}-unhealthy": alarm} else None

        wait_until(seen, seconds=_PATIENCE, what=f"{region} to say that the alarm of {group} is {alarm}")

    def comes_home(self, group: str, request: str, **more: Any) -> None:
        """Fail back, and wait until it is over."""
        self.start(group, request, HOME, **more)
        self.is_home(group, request)

    def is_home(self, group: str, request: str) -> None:
        """Wait until a request has brought a group home, and neither Region is out any more."""
        self.serves(group, HOME)
        assert self.ended(group, request, region=HOME).state == "DONE"

        def at_rest() -> bool | None:
            return True if set(self.switches(group).values()) <= {"OK"} else None

        wait_until(at_rest, seconds=_PATIENCE, what=f"the switches of {group} to be at rest")

    def is_stuck(self, group: str, request: str, step: str, *words: str) -> None:
        """Wait until a request is held up at a step by something that is told in all of these words.

        Who has asked may be answered before that: a minute's run may be at work on the request.
        """
        said = ""

        def seen() -> bool | None:
            nonlocal said
            table = self.table(AWAY)
            asked = table.request(group, request)
            said = table.progress(asked).problem if asked else ""
            return True if said.startswith(f"{step}: ") and all(word in said for word in words) else None

        try:
            wait_until(seen, seconds=_PATIENCE, what=f"{request} to be stuck at {step} for {words}")
        except Exception as error:
            raise AssertionError(f"{error}; its problem is {said!r}") from error

    def has_gone_by_itself(self, group: str) -> None:
        """Wait until the one request that nobody has asked for is over."""

        def begun() -> str | None:
            return next((one.id for one in self.table(AWAY).requests(group)), None)

        request = wait_until(begun, seconds=_BY_ITSELF, what=f"{group} to fail over by itself")
        assert self.ended(group, request).state == "DONE"

    @contextmanager
    def without_minutes(self) -> Iterator[None]:
        """Until the block ends, no run of either Region begins by itself."""
        rules = [self.granary.client("events", region=region) for region in REGIONS]
        for events in rules:
            events.disable_rule(Name=FAILOVER.minute_rule)
        try:
            yield
        finally:
            for events in rules:
                events.enable_rule(Name=FAILOVER.minute_rule)

    def leads_to(self, name: str) -> str:
        """Where DNS says that a name leads to."""
        (found,) = Resolvers.of(self.granary.cloud.dns, count=1).ask([name])
        return found

    def types(self, block: int) -> list[subprocess.CompletedProcess[str]]:
        """Type the commands of a block of the runbook; what became of each."""
        text = list(blocks(_RUNBOOK, "bash"))[block].text.replace("\\\n", " ")
        given = {name: self.keys[key] for key, name in _VARIABLES.items()} if text.startswith("granary") else {}
        shell = {**os.environ, **self.granary.cloud.env(TOOLCHAIN, HOME), **given}
        python = self.granary.cloud.python
        tools = {"granary": [str(python), "-m", "cli"], "aws": [str(python.with_name("aws"))]}
        words = [shlex.split(line) for line in text.splitlines()]
        return [
            subprocess.run(
                [*tools[tool], *rest],
                cwd=self.granary.workspace.root,
                env=shell,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            for tool, *rest in words
        ]

    def changes(self) -> int:
        """How many changes of records Route 53 has taken."""
        found = self.granary.cloud.faults.calls(service="route53", operation="ChangeResourceRecordSets")
        return int(found["served"])

    def switches(self, group: str) -> dict[str, str]:
        """States of the alarms that take each Region out."""
        found = {}
        for out, at in ((HOME, AWAY), (AWAY, HOME)):
            name = FAILOVER.alarm(group, out)
            alarms = self.granary.client("cloudwatch", region=at).describe_alarms(AlarmNames=[name])["MetricAlarms"]
            if alarms:  # a group that goes by weights has none
                found[out] = str(alarms[0]["StateValue"])
        return found

    def health(self, group: str, region: str) -> str:
        """What Route 53 says of the health check of a group in a Region: `Success` or `Failure`."""
        name = FAILOVER.check_parameter(group, region)
        check = self.granary.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        seen = self.granary.client("route53").get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return str(seen[0]["StatusReport"]["Status"]).partition(":")[0]

    def history(self, group: str, request: str = "") -> list[str]:
        """What the history of a group says, or of it only what is about a request, without who asked."""
        status, answer = self.ask("history", {"group": group})
        assert status == 200, answer
        return [str(one["message"]) for one in answer["history"] if request in ("", one["request"])]

    def a_quarter_of_an_hour_goes_by(self, group: str) -> None:
        """Table and DNS of a group are compared by the next run."""
        for region in REGIONS:
            for lease in (f"compare/{group}", f"compare/{group}/{region}"):
                key = {"id": write_value("leases"), "sort": write_value(lease)}
                self.granary.client("dynamodb", region=region).delete_item(TableName=FAILOVER.failover, Key=key)

    def was_asked_earlier(self, group: str, request: str) -> None:
        """Make a request that has no progress yet three minutes older."""
        client, key = self.granary.client("dynamodb", region=AWAY), {"id": f"requests/{group}", "sort": request}
        place = {"TableName": FAILOVER.failover, "Key": {name: write_value(value) for name, value in key.items()}}
        text = json.loads(client.get_item(**place)["Item"]["text"]["S"])
        text["at"] = clock.stamp(datetime.fromisoformat(text["at"]) - _OLDER)
        client.put_item(
            TableName=FAILOVER.failover,
            Item={name: write_value(value) for name, value in {**key, "text": json.dumps(text)}.items()},
        )


def heard(made: FailoverFactory) -> Failing:
    """The factory, whose topics somebody listens to, when both Regions have said something of themselves."""
    people = {region: _listen(made.granary, region) for region in REGIONS}
    failing = Failing(**vars(made), people=people)
    # It rings from the beginning, so that nobody has to wait for it.
    failing.alarm(UNREACHABLE, AWAY, "ALARM")
    for group in DOMAINS:
        for region in REGIONS:
            failing.is_seen(group, region, "OK")
    # It writes records, too: whoever counts the changes of records counts those of nobody else from now on.
    failing.has_gone_by_itself(BLOG)
    return failing


def _listen(granary: Granary, region: str) -> Inbox:
    name = f"test-failovers-{region}"
    inbox = Inbox.create(granary, name=name, sender="sns.amazonaws.com", region=region)
    topic = f"arn:aws:sns:{region}:{TOOLCHAIN}:{FAILOVER.failover}"
    granary.client("sns", region=region).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(name, region))
    return inbox
