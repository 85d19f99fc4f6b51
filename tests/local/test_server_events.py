"""IAM of PutEvents: what an event is called, and who says that it comes from there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import REGION, Workbench, allow, wait_until


def test_a_role_says_what_it_may_say_and_nothing_else(workbench: Workbench) -> None:
    workbench.client("events").create_event_bus(Name="news")
    bus = f"arn:aws:events:{REGION}:{workbench.account}:event-bus/news"
    may = {**allow("events:PutEvents", resource=bus)}
    may["Condition"] = {"StringEquals": {"events:detail-type": "Stopped", "events:source": "ours"}}
    role = workbench.role("speaker", principal={"AWS": workbench.account}, statements=[may])
    events = workbench.client("events", workbench.assume(role))
    entry = {"EventBusName": "news", "Source": "ours", "DetailType": "Stopped", "Detail": "{}"}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    for other in ({"DetailType": "Deployment Failed"}, {"Source": "theirs"}):
        for entries in ([{**entry, **other}], [entry, {**entry, **other}]):
            with pytest.raises(ClientError, match="AccessDenied"):
                events.put_events(Entries=entries)


def test_a_rule_elsewhere_sends_what_the_bus_admits_by_its_role_and_nothing_else(workbench: Workbench) -> None:
    home, lake = replace(workbench, region="us-east-1"), replace(workbench, account=f"6{workbench.account[1:]}")
    bus = f"arn:aws:events:us-east-1:{home.account}:event-bus/factory"
    trusted = {"Service": "events.amazonaws.com"}
    told, other = (
        lake.role(name, principal=trusted, statements=[allow("events:PutEvents", resource=bus)], path="/granary/")
        for name in ("told", "other")
    )
    statement = {
        **allow("events:PutEvents", resource=bus, StringEquals={"events:source": "ours"}),
        "Principal": {"AWS": f"arn:aws:iam::{lake.account}:root"},
    }
    statement["Condition"]["ArnEquals"] = {"aws:PrincipalArn": told}
    policy = {"EventBusName": {"Ref": "Bus"}, "StatementId": "lakes", "Statement": statement}
    template = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "factory"}},
        "Policy": {"Type": "AWS::Events::EventBusPolicy", "Properties": policy},
    }
    home.client("cloudformation").create_stack(StackName="bus", TemplateBody=json.dumps({"Resources": template}))
    home.client("cloudformation").get_waiter("stack_create_complete").wait(StackName="bus", WaiterConfig={"Delay": 1})
    queue = home.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
    rules = home.client("events")
    rules.put_rule(Name="all", EventBusName="factory", EventPattern=json.dumps({"account": [lake.account]}))
    heard = f"arn:aws:sqs:us-east-1:{home.account}:heard"
    rules.put_targets(Rule="all", EventBusName="factory", Targets=[{"Id": "heard", "Arn": heard}])
    lost = lake.client("sqs").create_queue(QueueName="lost")["QueueUrl"]
    for name, role in (("told", told), ("other", other)):
        target = {"Id": "bus", "Arn": bus, "RoleArn": role}
        letters = {"Arn": f"arn:aws:sqs:{REGION}:{lake.account}:lost"}
        pattern = json.dumps({"detail": {"as": [name]}})
        lake.client("events").put_rule(Name=name, EventPattern=pattern)
        lake.client("events").put_targets(Rule=name, Targets=[{**target, "DeadLetterConfig": letters}])

    def say(source: str, name: str) -> None:
        entry = {"Source": source, "DetailType": "Told", "Detail": json.dumps({"as": name})}
        assert lake.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def bodies(bench: Workbench, url: str) -> list[Any]:
        found = bench.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in found]

    say("theirs", "told")
    say("ours", "other")
    letters_found: list[Any] = []

    def both_lost() -> bool:
        letters_found.extend(bodies(lake, lost))
        return len(letters_found) == len(("theirs", "other"))

    wait_until(both_lost, what="two dead letters")
    say("ours", "told")
    (event,) = wait_until(lambda: bodies(home, queue), what="the event")
    assert (event["account"], event["region"], event["detail"]) == (lake.account, REGION, {"as": "told"})
