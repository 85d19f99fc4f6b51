"""Jobs on the local cloud are executed: as their role, with their arguments, to the end that they come to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.glue import environment
from tests.local.glue_support import Jobs
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until, zipped

_SLEEP = "import time; print('begun', flush=True); time.sleep(600)"
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")

# Reads a CSV file and writes parquet, and tells what it must not or cannot do.
_SPARK = """
import sys
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

options = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "limit"])
context = GlueContext(SparkContext.getOrCreate())
spark = context.spark_session
job = Job(context)
job.init(options["JOB_NAME"], options)
rows = spark.read.option("header", True).csv(f"s3://{options['bucket']}/in/rides.csv")
out = f"s3://{options['bucket']}/out/"
good = rows.filter(rows.fare < int(options["limit"]))
good.write.partitionBy("day").parquet(out)
print("read back", spark.read.parquet(out).count(), spark.version)
for attempt in (
    lambda: good.write.parquet(out),
    lambda: good.write.csv(f"s3://{options['bucket']}/csv"),
    lambda: spark.read.text("s3://another/secret.txt"),
    lambda: spark.read.json(f"s3://{options['bucket']}/in/nothing"),
):
    try:
        attempt()
    except Exception as error:
        print("refused", type(error).__name__, error)
job.commit()
"""


@pytest.fixture
def jobs(workbench: Workbench) -> Jobs:
    """An account with a bucket."""
    made = Jobs(workbench=workbench)
    location = {"LocationConstraint": workbench.region}
    workbench.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration=location)
    return made


def test_a_job_runs_as_its_role_with_its_arguments_and_modules(jobs: Jobs) -> None:
    modules = jobs.put("modules.zip", zipped({"helper/__init__.py": "WORD = 'helped'"}))
    script = """
import boto3, helper, sys
from awsglue.utils import getResolvedOptions
options = getResolvedOptions(sys.argv, ["colour", "size", "shape"])
print(options["colour"], options["size"], options["shape"], helper.WORD)
print(boto3.client("sts").get_caller_identity()["Arn"])
"""
    defaults = {"--colour": "red", "--size": "1", "--extra-py-files": modules}
    fixed = {"--shape": "round"}
    jobs.create("job", script, role=jobs.reader(), DefaultArguments=defaults, NonOverridableArguments=fixed)
    run = jobs.run("job", Arguments={"--size": "2", "--shape": "flat"})
    assert run["JobRunState"] == "SUCCEEDED", run
    said = jobs.log("/aws-glue/jobs/output", run)
    assert said.splitlines()[0] == "red 2 round helped"
    assert ":assumed-role/job/GlueJobRunnerSession" in said


def test_a_failure_names_its_exception_and_leaves_its_trace(jobs: Jobs) -> None:
    own = {"--continuous-log-logGroup": "/granary/jobs"}
    jobs.create("job", "print('so far')\nraise ValueError('boom')", role=jobs.reader(), DefaultArguments=own)
    run = jobs.run("job")
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: boom")
    said = jobs.log("/granary/jobs", run)
    assert "so far" in said
    assert "Traceback" in said
    assert run["LogGroupName"] == "/granary/jobs"


@pytest.mark.parametrize(
    ("script", "state"), [("raise SystemExit(0)", "SUCCEEDED"), ("import os; os._exit(3)", "FAILED")]
)
def test_how_a_process_ends_is_how_the_run_ends(jobs: Jobs, script: str, state: str) -> None:
    jobs.create("job", script, role=jobs.reader())
    run = jobs.run("job")
    assert run["JobRunState"] == state
    assert run.get("ErrorMessage") == (None if state == "SUCCEEDED" else "Command failed with exit code 3")


def test_the_end_of_a_run_is_an_event(jobs: Jobs) -> None:
    workbench = jobs.workbench
    queue = workbench.client("sqs").create_queue(QueueName="runs")["QueueUrl"]
    rules = workbench.client("events")
    pattern = {"source": ["aws.glue"], "detail-type": ["Glue Job State Change"]}
    rules.put_rule(Name="runs", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{workbench.region}:{workbench.account}:runs"
    rules.put_targets(Rule="runs", Targets=[{"Id": "queue", "Arn": arn}])
    jobs.create("job", "raise ValueError('boom')", role=jobs.reader())
    run = jobs.run("job")

    def received() -> list[dict[str, Any]]:
        answer = workbench.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"])["detail"] for message in answer.get("Messages", ())]

    (detail,) = wait_until(received, what="an event")
    assert (detail["jobRunId"], detail["state"], detail["severity"]) == (run["Id"], "FAILED", "ERROR")
    assert detail["message"].endswith("ValueError: boom")


def test_a_role_that_may_not_read_the_script_or_is_not_glues_fails_the_run(jobs: Jobs) -> None:
    jobs.create("blind", "", role=jobs.role("blind"))
    run = jobs.run("blind")
    assert run["JobRunState"] == "FAILED"
    assert "LAUNCH ERROR" in run["ErrorMessage"]
    assert "Access" in run["ErrorMessage"]
    strange = jobs.role("strange", allow("s3:*"), principal={"Service": "lambda.amazonaws.com"})
    jobs.create("strange", "", role=strange)
    assert "assume role permissions" in jobs.run("strange")["ErrorMessage"]


def test_runs_are_bounded_stopped_and_listed_in_pages(jobs: Jobs) -> None:
    jobs.create("job", _SLEEP, role=jobs.reader(), ExecutionProperty={"MaxConcurrentRuns": 2})
    runs = [jobs.start("job"), jobs.start("job")]
    with pytest.raises(jobs.client.exceptions.ConcurrentRunsExceededException):
        jobs.start("job")
    jobs.in_state("job", runs[0], ("RUNNING",))
    stopped = jobs.client.batch_stop_job_run(JobName="job", JobRunIds=[*runs, "jr_none"])
    assert [one["JobRunId"] for one in stopped["SuccessfulSubmissions"]] == runs
    assert [one["ErrorDetail"]["ErrorCode"] for one in stopped["Errors"]] == ["EntityNotFoundException"]
    assert [jobs.in_state("job", run, _ENDED)["JobRunState"] for run in runs] == ["STOPPED", "STOPPED"]
    again = jobs.client.batch_stop_job_run(JobName="job", JobRunIds=runs[:1])
    assert [one["ErrorDetail"]["ErrorCode"] for one in again["Errors"]] == ["InvalidInputException"]
    pages = jobs.client.get_paginator("get_job_runs").paginate(JobName="job", PaginationConfig={"PageSize": 1})
    assert [one["Id"] for page in pages for one in page["JobRuns"]] == runs[::-1]


@pytest.mark.usefixtures("no_faults")
def test_a_run_ends_with_its_time(jobs: Jobs) -> None:
    jobs.workbench.cloud.faults.set({"glue": {"seconds_a_minute": 0.5}})
    jobs.create("job", _SLEEP, role=jobs.reader(), Timeout=1)
    run = jobs.run("job")
    assert (run["JobRunState"], run["ErrorMessage"]) == ("TIMEOUT", "Timeout of 1 minutes exceeded")


@pytest.mark.parametrize(
    ("command", "settings", "refused"),
    [
        ("gluestreaming", {}, "gluestreaming"),
        ("glueetl", {"GlueVersion": "4.0"}, "Spark of Glue 4.0"),
        ("pythonshell", {"MaxRetries": 1}, "MaxRetries"),
    ],
)
def test_what_nobody_executes_is_refused_by_name(
    jobs: Jobs, command: str, settings: dict[str, Any], refused: str
) -> None:
    with pytest.raises(ClientError, match=rf"InvalidInputException.*local cloud.*{refused}"):
        jobs.client.create_job(
            Name="job", Role="role", Command={"Name": command, "ScriptLocation": "s3://a/b.py"}, **settings
        )
    with pytest.raises(ClientError, match="does not implement glue:StartWorkflowRun"):
        jobs.client.start_workflow_run(Name="workflow")


def test_who_makes_a_job_must_be_allowed_to_pass_its_role(jobs: Jobs) -> None:
    workbench, role = jobs.workbench, jobs.reader()
    trusted = {"AWS": f"arn:aws:iam::{workbench.account}:root"}
    place = f"arn:aws:glue:{workbench.region}:{workbench.account}"
    makes = allow("glue:CreateJob", resource=f"{place}:job/mine")
    maker = workbench.role("maker", principal=trusted, statements=[makes])
    client = workbench.client("glue", workbench.assume(maker))
    definition = {"Role": role, "Command": {"Name": "pythonshell", "ScriptLocation": "s3://a/b.py"}}
    with pytest.raises(ClientError, match=r"AccessDenied.*iam:PassRole"):
        client.create_job(Name="mine", **definition)
    passes = allow("iam:PassRole", resource=role, StringEquals={"iam:PassedToService": "glue.amazonaws.com"})
    document = json.dumps({"Version": "2012-10-17", "Statement": [makes, passes]})
    workbench.client("iam").put_role_policy(RoleName="maker", PolicyName="inline", PolicyDocument=document)
    client.create_job(Name="mine", **definition)
    with pytest.raises(ClientError, match=r"AccessDenied.*glue:CreateJob"):
        client.create_job(Name="another", **definition)


def test_spark_reads_and_writes_s3_as_the_jobs_role(jobs: Jobs) -> None:
    """Given a CSV file, when a Spark job reads it, then parquet is written, and nothing that the role may not see."""
    environment.spark()  # the first time it takes minutes
    jobs.put("in/rides.csv", "day,fare\n2026-11-27,5\n2026-11-28,7\n2026-11-28,70\n")
    data = allow("s3:GetObject", "s3:PutObject", resource=f"arn:aws:s3:::{jobs.bucket}/*")
    role = jobs.role("job", data, allow("s3:ListBucket", resource=f"arn:aws:s3:::{jobs.bucket}"))
    location = {"LocationConstraint": jobs.workbench.region}
    jobs.workbench.client("s3").create_bucket(Bucket="another", CreateBucketConfiguration=location)
    jobs.create("rides", _SPARK, role=role, command="glueetl", DefaultArguments={"--limit": "50"})
    run = jobs.run("rides", Arguments={"--bucket": jobs.bucket})
    assert run["JobRunState"] == "SUCCEEDED", (run, jobs.log("/aws-glue/jobs/error", run))
    said = jobs.log("/aws-glue/jobs/output", run)
    assert "read back 2 3.5.6" in said
    assert "refused FileExistsError [PATH_ALREADY_EXISTS]" in said
    assert "refused NotImplementedError The local cloud's Spark has no DataFrameWriter.csv with an s3://" in said
    assert "allows the s3:ListBucket action" in said
    assert "refused FileNotFoundError Path does not exist" in said
    folders = {key.rsplit("/", 1)[0] for key in jobs.keys("out/") if key.endswith(".parquet")}
    assert folders == {"out/day=2026-11-27", "out/day=2026-11-28"}


def _machine(jobs: Jobs, *actions: str, name: str = "machine", **state: Any) -> str:
    place = f"arn:aws:glue:{jobs.workbench.region}:{jobs.workbench.account}:job/job"
    role = jobs.workbench.role(
        name, principal={"Service": "states.amazonaws.com"}, statements=[allow(*actions, resource=place)]
    )
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Parameters": {"JobName": "job", "Arguments": {"--how.$": "$.how"}},
        "End": True,
        **state,
    }
    definition = json.dumps({"StartAt": "Run", "States": {"Run": task}})
    client = jobs.workbench.client("stepfunctions")
    return str(client.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"])


def _execution(jobs: Jobs, machine: str, how: str) -> dict[str, Any]:
    client = jobs.workbench.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine, input=json.dumps({"how": how}))["executionArn"]

    def over() -> dict[str, Any] | None:
        execution: dict[str, Any] = client.describe_execution(executionArn=arn)
        return execution if execution["status"] != "RUNNING" else None

    execution: dict[str, Any] = wait_until(over, what="the end of the execution")
    return execution


_ACTIONS = ("glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun")
_HOW = """
import sys, time
how = sys.argv[sys.argv.index("--how") + 1]
if how == "fail":
    raise ValueError("boom")
time.sleep(600 if how == "sleep" else 0)
"""


def test_a_state_machine_waits_for_a_run_and_fails_with_it(jobs: Jobs) -> None:
    jobs.create("job", _HOW, role=jobs.reader())
    machine = _machine(jobs, *_ACTIONS)
    execution = _execution(jobs, machine, "well")
    assert execution["status"] == "SUCCEEDED", execution
    output = json.loads(execution["output"])
    assert (output["JobName"], output["JobRunState"]) == ("job", "SUCCEEDED")
    assert isinstance(output["CompletedOn"], int)
    failed = _execution(jobs, machine, "fail")
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(failed["cause"])
    assert (cause["JobRunState"], cause["ErrorMessage"]) == ("FAILED", "ValueError: boom")
    assert cause["Arguments"] == {"--how": "fail"}


@pytest.mark.parametrize("missing", _ACTIONS)
def test_a_machine_whose_role_lacks_a_permission_starts_nothing(jobs: Jobs, missing: str) -> None:
    jobs.create("job", _HOW, role=jobs.reader())
    machine = _machine(jobs, *(action for action in _ACTIONS if action != missing), "glue:GetJob")
    execution = _execution(jobs, machine, "well")
    assert execution["status"] == "FAILED"
    assert missing in execution["cause"]
    assert jobs.client.get_job_runs(JobName="job")["JobRuns"] == []


def test_too_many_runs_are_an_error_that_a_machine_can_wait_for(jobs: Jobs) -> None:
    """Given a run that takes the only place, when a machine wants one, then it tries again until the place is free."""
    jobs.create("job", _HOW, role=jobs.reader())
    running = jobs.start("job", Arguments={"--how": "sleep"})
    machine = _machine(
        jobs,
        *_ACTIONS,
        Retry=[{"ErrorEquals": ["Glue.ConcurrentRunsExceededException"], "IntervalSeconds": 5, "MaxAttempts": 20}],
    )
    client = jobs.workbench.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine, input='{"how": "well"}')["executionArn"]

    def refused() -> bool:
        events = client.get_execution_history(executionArn=arn)["events"]
        errors = [event.get("taskFailedEventDetails", {}).get("error") for event in events]
        return "Glue.ConcurrentRunsExceededException" in errors

    wait_until(refused, what="the refusal")
    jobs.client.batch_stop_job_run(JobName="job", JobRunIds=[running])
    wait_until(
        lambda: client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED", what="the run that could begin"
    )


def test_a_machine_that_is_stopped_or_out_of_time_stops_its_run(jobs: Jobs) -> None:
    jobs.create("job", _HOW, role=jobs.reader(), ExecutionProperty={"MaxConcurrentRuns": 3})
    patient, hasty = _machine(jobs, *_ACTIONS), _machine(jobs, *_ACTIONS, name="hasty", TimeoutSeconds=2)
    client = jobs.workbench.client("stepfunctions")

    def runs() -> list[str]:
        return [run["Id"] for run in jobs.client.get_job_runs(JobName="job")["JobRuns"]]

    arn = client.start_execution(stateMachineArn=patient, input='{"how": "sleep"}')["executionArn"]
    (first,) = wait_until(runs, what="a run")
    client.stop_execution(executionArn=arn)
    assert jobs.in_state("job", first, _ENDED)["JobRunState"] == "STOPPED"
    assert _execution(jobs, hasty, "sleep")["error"] == "States.Timeout"
    wait_until(lambda: len(runs()) == 2, what="the run of the machine that was out of time")
    (second,) = {*runs()} - {first}
    assert jobs.in_state("job", second, _ENDED)["JobRunState"] == "STOPPED"
