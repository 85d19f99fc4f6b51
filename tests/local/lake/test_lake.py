"""The lake, from a commit that switches it on to what people read of it: every function, job, pipeline and role.

One story on one factory, with IAM enforced: its pipelines deploy it as the room's roles, and what was deployed runs.
Files are few, for Spark takes its time: what need not be new is run again, and passes each job at once.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lambdas.lake.model.names import Zone
from lambdas.lake.model.objects import AuditRow, ObjectVersion, Phase
from lambdas.lake.trigger.taking import run_input
from local_cloud.athena import program
from local_cloud.factory.granary import HOME, WORKLOAD
from local_cloud.factory.lake import LAKE, PREFIX, Lake, wait_for
from local_cloud.factory.lake_data import FAULTS, trips
from tests.local.saas.permissions import without

_GOOD, _BAD = 30, dict.fromkeys(FAULTS, 1)
_QUEUE = "notices"


@pytest.fixture(scope="module", autouse=True)
def _listening(lake: Lake) -> None:
    """Somebody hears of its runs."""
    sqs, sns = lake.client("sqs"), lake.client("sns")
    arn = f"arn:aws:sqs:{HOME}:{WORKLOAD}:{_QUEUE}"
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]})
    sqs.create_queue(QueueName=_QUEUE, Attributes={"Policy": policy})
    topic = f"arn:aws:sns:{HOME}:{WORKLOAD}:{LAKE.notices_topic}"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)


@pytest.fixture(scope="module")
def notices(lake: Lake) -> list[dict[str, Any]]:
    """What people were told; asked for it, it grows."""
    return []


def heard(lake: Lake, notices: list[dict[str, Any]], subject: str, words: str = "") -> dict[str, Any]:
    """The notice of a subject, or of any, with these words, once it has come."""
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=_QUEUE)["QueueUrl"]

    def found() -> dict[str, Any] | None:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()):
            notices.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        its = (one for one in notices if subject in ("", one.get("Subject")))
        return next((one for one in its if words in one["Message"]), None)

    answer: dict[str, Any] = wait_for(found, f"the notice {subject or words!r}")
    return answer


@pytest.fixture(scope="module")
def loaded(lake: Lake) -> list[AuditRow]:
    """Two files of one day, of one name in two folders, with bad rows in one."""
    objects = [
        lake.put(f"{PREFIX}north/my trips (1)+.csv", trips(_GOOD, bad=_BAD)),
        lake.put(f"{PREFIX}south/my trips (1)+.csv", trips(_GOOD, seed=1)),
    ]
    return lake.settled(*objects)


def test_both_files_of_a_day_are_kept(lake: Lake, loaded: list[AuditRow]) -> None:
    assert [(row.phase, row.reason) for row in loaded] == [(Phase.SUCCEEDED, "")] * 2
    objects = {row.id for row in loaded}
    for zone, table in ((Zone.CONFORMED, "green_trips"), (Zone.PURPOSE_BUILT, "trips_by_payment")):
        assert {one["Values"][-1] for one in lake.partitions(zone, table)} == objects


def test_every_row_is_in_the_table_or_in_quarantine(lake: Lake, loaded: list[AuditRow]) -> None:
    assert [(row.read, row.good, row.quarantined) for row in loaded] == [
        (_GOOD + len(FAULTS), _GOOD, len(FAULTS)),
        (_GOOD, _GOOD, 0),
    ]
    (told, *_) = [
        one["Parameters"]
        for one in lake.partitions(Zone.CONFORMED, "green_trips_quarantine")
        if one["Values"][-1] == loaded[0].id
    ]
    assert told["granary_quarantined"] == str(len(FAULTS))


def test_people_hear_of_it(lake: Lake, loaded: list[AuditRow], notices: list[dict[str, Any]]) -> None:
    assert loaded
    told = heard(lake, notices, "green_trips: loaded: my trips (1)+.csv")
    assert "rows read" in told["Message"]


def test_a_duplicate_event_changes_nothing(lake: Lake, loaded: list[AuditRow]) -> None:
    row = loaded[0]
    lake.deliver_again(row)
    assert lake.audit.row(row.id) == row
    assert len(list(lake.partitions(Zone.CONFORMED, "green_trips"))) == len(loaded)


def _put_broken(lake: Lake, name: str) -> ObjectVersion:
    """A file that lacks a column: its run ends before Spark is started."""
    return lake.put(f"{PREFIX}{name}.csv", b"\n".join(line[2:] for line in trips(3).splitlines()))


@pytest.fixture(scope="module")
def broken(lake: Lake, loaded: list[AuditRow]) -> ObjectVersion:
    """The first one."""
    assert loaded
    return _put_broken(lake, "broken")


def test_a_file_that_cannot_be_loaded_leaves_nothing_and_its_reason(
    lake: Lake, broken: ObjectVersion, notices: list[dict[str, Any]]
) -> None:
    (row,) = lake.settled(broken)
    assert row.phase is Phase.FAILED
    assert "the header lacks vendorid: correct the file" in row.reason
    told = heard(lake, notices, "green_trips: FAILED: broken.csv")
    assert row.reason in told["Message"]
    assert broken.id not in {one["Values"][-1] for one in lake.partitions(Zone.CONFORMED, "green_trips")}


def test_a_crawler_finds_what_others_write_and_governance_begins(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / "positions.parquet"
    script = f"import duckdb; duckdb.sql(\"copy (select 1 as vehicle) to '{file}'\")"
    subprocess.run([str(program.python()), "-c", script], check=True)
    place = {"Bucket": LAKE.bucket(Zone.CONFORMED, WORKLOAD, HOME), "Key": "domains/fleet/positions/day=1/a.parquet"}
    lake.client("s3").put_object(**place, Body=file.read_bytes())
    glue, runs = lake.client("glue"), len(lake.runs_of_governance())
    glue.start_crawler(Name=LAKE.crawler("fleet"))
    ended = wait_for(lambda: glue.get_crawler(Name=LAKE.crawler("fleet"))["Crawler"].get("LastCrawl"), "the crawler")
    assert ended["Status"] == "SUCCEEDED", ended
    table = glue.get_table(DatabaseName=LAKE.domain_database("fleet"), Name="positions")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["vehicle"]
    wait_for(lambda: len(lake.runs_of_governance()) > runs or None, "governance to begin, for a crawler has ended")


def test_people_hear_of_a_crawler_that_failed(lake: Lake, notices: list[dict[str, Any]]) -> None:
    name, glue = LAKE.crawler("fleet"), lake.client("glue")
    wait_for(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY" or None, "the crawler to be ready")
    with without(lake.granary, name, "s3:GetObject", account=WORKLOAD):
        glue.start_crawler(Name=name)
        heard(lake, notices, "", f"The crawler {name} FAILED: `aws glue get-crawler --name {name}` says why")
    assert "s3:GetObject" in glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]["ErrorMessage"]


def test_what_is_in_no_folder_is_told(lake: Lake, notices: list[dict[str, Any]]) -> None:
    stray = lake.put("stray.csv", b"a\n1\n")
    (row,) = lake.settled(stray)
    assert row.phase is Phase.REFUSED
    assert "no dataset's folder" in heard(lake, notices, "lake: refused: stray.csv")["Message"]


_MACHINE = f"arn:aws:states:{HOME}:{WORKLOAD}:stateMachine:{LAKE.machine}"
# Jobs and functions have roles of their own names; the machine's is CloudFormation's.
_JOBS = [LAKE.part(one) for one in ("raw-to-conformed", "conformed-to-purpose-built")]
_STARTS = f"{LAKE.part('etl')}-EtlRole"


@contextmanager
def _slots(lake: Lake, number: int) -> Iterator[None]:
    """Let only so many runs of each job go on side by side, until the block ends."""
    glue = lake.client("glue")
    before = {one: glue.get_job(JobName=one)["Job"] for one in _JOBS}
    kept = set(glue.meta.service_model.shape_for("JobUpdate").members)

    def put(most: int | None) -> None:
        for name, job in before.items():
            update = {key: value for key, value in job.items() if key in kept}
            changed = {} if most is None else {"ExecutionProperty": {"MaxConcurrentRuns": most}}
            glue.update_job(JobName=name, JobUpdate={**update, **changed})

    put(number)
    try:
        yield
    finally:
        put(None)


def _execution(lake: Lake, row: AuditRow, name: str) -> str:
    """Execute the machine once more for a run, under another name."""
    given = json.dumps(run_input(row))
    answer = lake.client("stepfunctions").start_execution(stateMachineArn=_MACHINE, name=name, input=given)
    return str(answer["executionArn"])


def _ended(lake: Lake, execution: str) -> str:
    """The status of an execution that has ended."""

    def ended() -> str | None:
        status = str(lake.client("stepfunctions").describe_execution(executionArn=execution)["status"])
        return status if status != "RUNNING" else None

    answer: str = wait_for(ended, f"{execution} to end")
    return answer


def _refused(lake: Lake, execution: str) -> None:
    """Wait until Glue has refused a run of an execution for the want of a slot."""

    def refused() -> bool | None:
        events = lake.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        errors = {event.get("taskFailedEventDetails", {}).get("error") for event in events}
        return True if "Glue.ConcurrentRunsExceededException" in errors else None

    wait_for(refused, f"{execution} to be refused a run")


def test_runs_wait_until_there_is_a_slot(lake: Lake, loaded: list[AuditRow]) -> None:
    """Given no run of a job, and then one at a time, then of several that were refused each comes to its end."""
    with _slots(lake, 0):
        names = [f"waits-{number}" for number in range(3)]
        executions = [_execution(lake, loaded[number % 2], name) for number, name in enumerate(names)]
        for one in executions:
            _refused(lake, one)
        with _slots(lake, 1):
            assert [_ended(lake, one) for one in executions] == ["SUCCEEDED"] * 3
    for row in loaded:
        after = lake.audit.row(row.id)
        assert after
        assert (after.phase, after.good) == (Phase.SUCCEEDED, row.good)


def test_a_run_that_is_stopped_by_hand_is_closed_and_told(lake: Lake, notices: list[dict[str, Any]]) -> None:
    with _slots(lake, 0):
        thing = _put_broken(lake, "stopped")

        def started() -> AuditRow | None:
            row = lake.audit.row(thing.id)
            return row if row and row.phase is Phase.STARTED else None

        row = wait_for(started, "its run to start")
        execution = f"{_MACHINE.replace(':stateMachine:', ':execution:')}:{row.run}"
        lake.client("stepfunctions").stop_execution(executionArn=execution)
        (row,) = lake.settled(thing)
    assert (row.phase, row.reason) == (Phase.FAILED, "its execution ended as ABORTED: stopped from outside")
    assert row.reason in heard(lake, notices, "green_trips: FAILED: stopped.csv")["Message"]


@pytest.mark.parametrize(
    ("role", "permission"),
    [(_STARTS, "glue:StartJobRun"), (_JOBS[0], "glue:GetPartition")],
)
def test_a_role_that_is_denied_fails_the_run_with_its_permission(
    lake: Lake, notices: list[dict[str, Any]], role: str, permission: str
) -> None:
    with without(lake.granary, role, permission, account=WORKLOAD):
        (row,) = lake.settled(_put_broken(lake, role))
    assert row.phase is Phase.FAILED
    assert permission in row.reason
    assert permission in heard(lake, notices, f"green_trips: FAILED: {role}.csv")["Message"]


def test_a_second_job_that_is_denied_is_told(lake: Lake, loaded: list[AuditRow], notices: list[dict[str, Any]]) -> None:
    with without(lake.granary, _JOBS[1], "glue:GetPartition", account=WORKLOAD):
        assert _ended(lake, _execution(lake, loaded[0], "second-job")) == "FAILED"
    told = heard(lake, notices, "green_trips: FAILED: my trips (1)+.csv")
    assert "glue:GetPartition" in told["Message"]
    after = lake.audit.row(loaded[0].id)
    assert after
    assert after.phase is Phase.SUCCEEDED, "its rows are there all the same"


def test_people_hear_even_of_an_audit_that_is_denied(lake: Lake, notices: list[dict[str, Any]]) -> None:
    with ExitStack() as denied:
        for role, permission in ((_STARTS, "glue:StartJobRun"), (LAKE.part("audit"), "dynamodb:UpdateItem")):
            denied.enter_context(without(lake.granary, role, permission, account=WORKLOAD))
        thing = _put_broken(lake, "unaudited")
        told = heard(lake, notices, "Lake: FAILED, and the audit as well")
    assert thing.id in told["Message"]
    assert "dynamodb:UpdateItem" in told["Message"]


def test_a_trigger_that_may_start_nothing_says_so_and_the_object_is_started_by_hand(lake: Lake) -> None:
    with without(lake.granary, LAKE.part("trigger"), "states:StartExecution", account=WORKLOAD):
        thing = _put_broken(lake, "unstarted")

        def logged() -> bool | None:
            group = f"/aws/lambda/{LAKE.part('trigger')}"
            pages = lake.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
            lines = [one["message"] for page in pages for one in page["events"]]
            return any("states:StartExecution" in line for line in lines) or None

        wait_for(logged, "the denial in the function's log")
    row = lake.audit.row(thing.id)
    assert row
    assert row.phase is Phase.CLAIMED
    done = lake.granary.cli("lake", "runs", "dev", "--again", thing.id, account=WORKLOAD)
    assert (done.returncode, done.stdout.strip()) == (0, f"started {row.run}: {row.key}")
    (row,) = lake.settled(thing)
    assert row.phase is Phase.FAILED
