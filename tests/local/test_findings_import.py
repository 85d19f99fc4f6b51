"""The function that imports findings, with exactly the permissions of its template, on the local cloud."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ExponentialBackoff

from lambdas.common import clients
from lambdas.common.clock import stamp
from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.kept_report import Head, packed
from lambdas.gates.import_findings import handler as function
from lambdas.gates.model.asff import Hub, batches
from lambdas.gates.store.security_hub import SecurityHub
from lambdas.lake.model.governance.drift import GATE
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.store.governance import Findings as Drift
from local_cloud.server import environment
from tests.local.local_cloud_fixtures import REGION, Workbench, allow, wait_until
from tests.local.test_securityhub_engine import asff, equals, stored
from tests.synth.assembly import Template
from tests.synth.configurations import TOOLCHAIN_ACCOUNT
from tests.synth.findings_import import REPORTS, synthesized
from tests.synth.rules.policies import statements

DAYS = [f"2026-11-{day:02}T10:00:00.000+00:00" for day in range(1, 11)]
HEAD = Head(gate="code", target="source", created=DAYS[0], findings=1, complete=True)
A, B = (Finding(tool="bandit", rule=rule, title=rule, severity=Severity.HIGH) for rule in "AB")


@pytest.fixture(scope="module")
def template() -> Template:
    return synthesized()[0]


@dataclass(frozen=True, kw_only=True)
class Import:
    """The function's handler, as its role; `bench` sees what it came to."""

    bench: Workbench
    role: str
    queue: str

    def take(self, day: str, *findings: Finding, **head: Any) -> dict[str, int]:
        about = replace(HEAD, created=day, findings=len(findings), **head)
        key = about.key(day)
        self.bench.client("s3").put_object(Bucket=self.bucket, Key=key, Body=packed(about, findings))
        event = {"detail": {"bucket": {"name": self.bucket}, "object": {"key": key}}}
        counts = function.handler(event, None)
        return {name: count for name, count in counts.items() if count}

    @property
    def bucket(self) -> str:
        return REPORTS.replace(TOOLCHAIN_ACCOUNT, self.bench.account)

    def states(self) -> dict[str, str]:
        return {one["Title"]: one["RecordState"] for one in stored(self.bench.client("securityhub"))}

    def messages(self, number: int) -> list[dict[str, Any]]:
        """So many messages of the queue, which gets the news and the dead letters."""
        got: list[dict[str, Any]] = []

        def all_there() -> bool:
            answer = self.bench.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            got.extend(json.loads(one["Body"]) for one in answer.get("Messages", ()))
            return len(got) >= number

        wait_until(all_there, what=f"{number} messages")
        return got


@pytest.fixture
def deployed(
    workbench: Workbench, template: Template, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Import]]:
    """The function with what it works with; `without` is an action that its role lacks."""

    def deploy(*, without: str = "") -> Import:
        made = _deployed(workbench, template, without)
        session = workbench.assume(made.role)
        for name, value in {
            **environment.client(workbench.cloud.settings, account=workbench.account, region=REGION),
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
            "TOOLCHAIN_ACCOUNT": workbench.account,
            "FACTORY": "granary",
            "LIFECYCLE_BUS": "granary-lifecycle",
            "DEAD_LETTER_QUEUE_URL": made.queue,
        }.items():
            monkeypatch.setenv(name, value)
        return made

    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for cached in (clients.client, function._import):
        cached.cache_clear()
    yield deploy
    for cached in (clients.client, function._import):
        cached.cache_clear()


def _deployed(workbench: Workbench, template: Template, without: str) -> Import:
    ((letters, _),) = template.resources("AWS::SQS::Queue")
    queue_arn = f"arn:aws:sqs:{REGION}:{workbench.account}:granary-dead-letters"
    here = {"${AWS::Partition}": "aws", "${AWS::Region}": REGION, "${AWS::AccountId}": workbench.account}
    here |= {TOOLCHAIN_ACCOUNT: workbench.account, f"${{{letters}.Arn}}": queue_arn}
    granted = []
    for one in statements(template):
        actions = [action for action in one.actions if action != without]
        if one.kind == "identity" and actions:
            resources = [_filled(each, here) for each in one.resources]
            granted.append(allow(*actions, resource=resources))
    role = workbench.role("import", principal={"AWS": workbench.account}, statements=granted)
    queue = workbench.client("sqs").create_queue(QueueName="granary-dead-letters")["QueueUrl"]
    made = Import(bench=workbench, role=role, queue=queue)
    place = {"LocationConstraint": REGION}
    workbench.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration=place)
    events = workbench.client("events")
    events.create_event_bus(Name="granary-lifecycle")
    events.put_rule(Name="news", EventBusName="granary-lifecycle", EventPattern='{"source": ["granary"]}')
    events.put_targets(Rule="news", EventBusName="granary-lifecycle", Targets=[{"Id": "q", "Arn": queue_arn}])
    workbench.client("securityhub").enable_security_hub()
    return made


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def test_a_finding_comes_is_fixed_and_comes_back(deployed: Callable[..., Import], workbench: Workbench) -> None:
    ours = deployed()
    assert ours.take(DAYS[0], A, B) == {"new": 2}
    assert ours.take(DAYS[1], B) == {"updated": 1, "archived": 1}
    assert ours.states() == {"A": "ARCHIVED", "B": "ACTIVE"}
    hub = workbench.client("securityhub")
    name = [{name: asff(workbench)[name] for name in ("Id", "ProductArn")}]
    hub.batch_update_findings(FindingIdentifiers=name, Workflow={"Status": "RESOLVED"})
    assert ours.take(DAYS[2], A, complete=False) == {"reopened": 1}
    assert ours.take(DAYS[0], A, B) == {}
    assert ours.states() == {"A": "ACTIVE", "B": "ACTIVE"}
    (back,) = stored(hub, Id=equals(name[0]["Id"]))
    assert (back["Workflow"]["Status"], back["FirstObservedAt"], back["CreatedAt"]) == ("NEW", DAYS[0], DAYS[0])
    assert back["ProductFields"]["granary/reopened"] == DAYS[2]
    news = [one["detail"] for one in ours.messages(4)]
    assert sorted((one["new"], one["updated"], one["archived"], one["reopened"]) for one in news) == sorted(
        [(2, 0, 0, 0), (0, 1, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0)]
    )


def test_gates_and_targets_keep_apart(deployed: Callable[..., Import]) -> None:
    ours = deployed()
    ours.take(DAYS[0], A)
    for other in ({"gate": "code-2"}, {"target": "source-2"}):
        assert ours.take(DAYS[1], **other) == {}
    assert ours.take(DAYS[1], B, gate="code-2") == {"new": 1}
    assert ours.states() == {"A": "ACTIVE", "B": "ACTIVE"}


def test_drift_of_the_lakes_permissions_comes_and_goes(deployed: Callable[..., Import], workbench: Workbench) -> None:
    """Given what the lake's governance reports, then each finding is there until a whole look has it no more."""
    ours, place = deployed(), "222222222222/eu-west-1"
    lake = Drift(s3=workbench.client("s3"), bucket=ours.bucket)

    def look(day: str, *drift: Finding, unseen: tuple[str, ...] = ()) -> None:
        account, _, region = place.partition("/")
        plan = Plan(catalog=account, region=region, day=day, policy="", observation="", drift=drift, unseen=unseen)
        now = datetime.fromisoformat(day)
        lake.put(plan, now=now)
        head = Head(gate=GATE, target=f"_lake/{place}", created=stamp(now), findings=len(drift))
        event = {"detail": {"bucket": {"name": ours.bucket}, "object": {"key": head.key(plan.digest)}}}
        function.handler(event, None)

    look(DAYS[0], A, B)
    look(DAYS[1], B, unseen=("the tables of d1 could not be read",))
    assert ours.states() == {"A": "ACTIVE", "B": "ACTIVE"}
    look(DAYS[2], B)
    assert ours.states() == {"A": "ARCHIVED", "B": "ACTIVE"}


@pytest.mark.parametrize(
    ("without", "refused"),
    [
        ("s3:GetObject", "GetObject"),
        ("securityhub:GetFindings", "GetFindings"),
        ("securityhub:BatchImportFindings", "BatchImportFindings"),
        ("events:PutEvents", "PutEvents"),
    ],
)
def test_it_needs_every_permission_that_it_has(deployed: Callable[..., Import], without: str, refused: str) -> None:
    with pytest.raises(ClientError, match=f"AccessDenied.*{refused}"):
        deployed(without=without).take(DAYS[0], A)


@pytest.mark.usefixtures("no_faults")
def test_more_findings_than_fit_into_a_request_outlast_its_throttling(
    deployed: Callable[..., Import], workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a Security Hub that throttles every second call, then each finding is there once, in few requests."""
    deployed()
    hub = clients.client("securityhub")
    waits: list[object] = []

    def at_once(_backoff: ExponentialBackoff, context: object) -> float:
        waits.append(context)
        return 0

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", at_once)
    findings = [asff(workbench, Id=f"granary:code:source:{number}") for number in range(250)]
    workbench.cloud.faults.set(
        {
            "securityhub:BatchImportFindings": {"every": 2, "error": "LimitExceededException"},
            "securityhub:GetFindings": {"every": 2, "error": "LimitExceededException"},
        }
    )
    refused: dict[str, str] = {}
    place = Hub(account=workbench.account, region=REGION, factory="granary")
    ours = SecurityHub(client=hub, hub=place)
    assert [ours.put(batch) for batch in batches(findings, refused.__setitem__)] == [{}, {}, {}]
    assert {one["Id"] for one in ours.findings("granary:code:source:")} == {one["Id"] for one in findings}
    assert len(waits) == 4
