"""A queue that keeps what the factory tells the world: lifecycle events, and messages to people."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from lambdas.saas.model.names import SaasNames
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary


@dataclass(kw_only=True)
class Inbox:
    """A queue and everything that ever came out of it."""

    sqs: Any
    url: str
    received: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def create(cls, granary: Granary, *, name: str, sender: str, region: str = HOME) -> Inbox:
        """A queue to which a service (such as `events.amazonaws.com`) may send."""
        sqs = granary.client("sqs", region=region)
        arn = queue_arn(name, region)
        statement = {"Effect": "Allow", "Principal": {"Service": sender}, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return cls(sqs=sqs, url=sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"])

    def messages(self) -> list[dict[str, Any]]:
        """The bodies, read as JSON, of everything that has arrived until now."""
        while arrived := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in arrived:
                self.received.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.received


def queue_arn(name: str, region: str = HOME) -> str:
    """ARN of a queue of the toolchain account."""
    return f"arn:aws:sqs:{region}:{TOOLCHAIN}:{name}"


def listen_to_bus(granary: Granary, *, names: SaasNames = NAMES, name: str = "test-lifecycle") -> Inbox:
    """Put a rule of one's own on the lifecycle bus, as another team would; each listener has its own name."""
    inbox = Inbox.create(granary, name=name, sender="events.amazonaws.com")
    events = granary.client("events")
    events.put_rule(Name=name, EventBusName=names.event_bus, EventPattern=json.dumps({"source": [names.prefix]}))
    events.put_targets(Rule=name, EventBusName=names.event_bus, Targets=[{"Id": "1", "Arn": queue_arn(name)}])
    return inbox


def subscribe_to_failures(granary: Granary, *, names: SaasNames = NAMES) -> Inbox:
    """Subscribe to what people are told."""
    inbox = Inbox.create(granary, name="test-failures", sender="sns.amazonaws.com")
    topic = f"arn:aws:sns:{HOME}:{TOOLCHAIN}:{names.prefix}-failures"
    granary.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn("test-failures"))
    return inbox
