"""Jobs of the Glue engine's tests: a bucket with scripts, a role, and runs that are waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

GLUE = {"Service": "glue.amazonaws.com"}
LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """What one account's jobs need."""

    workbench: Workbench

    @property
    def bucket(self) -> str:
        """Scripts and data."""
        return f"glue-{self.workbench.account}"

    @property
    def client(self) -> Any:
        """Glue, as the account's root."""
        return self.workbench.client("glue")

    def put(self, key: str, body: str | bytes) -> str:
        """An object; its address."""
        self.workbench.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def keys(self, prefix: str) -> list[str]:
        """The objects below a prefix."""
        listed = self.workbench.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in listed.get("Contents", ())]

    def role(self, name: str, *statements: Mapping[str, Any], principal: Mapping[str, str] = GLUE) -> str:
        """A role that Glue can use; it may write logs, and what the statements say."""
        return self.workbench.role(name, principal=principal, statements=[LOGS, *statements])

    def reader(self, name: str = "job") -> str:
        """A role that may read the bucket."""
        return self.role(name, allow("s3:GetObject", resource=f"arn:aws:s3:::{self.bucket}/*"))

    def create(self, name: str, script: str, *, role: str, command: str = "pythonshell", **settings: Any) -> str:
        """A job of this script."""
        version = {"GlueVersion": "5.1"} if command == "glueetl" else {}
        location = self.put(f"scripts/{name}.py", script)
        self.client.create_job(
            Name=name, Role=role, Command={"Name": command, "ScriptLocation": location}, **version, **settings
        )
        return name

    def start(self, name: str, **options: Any) -> str:
        """Start a run; its id."""
        return str(self.client.start_job_run(JobName=name, **options)["JobRunId"])

    def get(self, name: str, run_id: str) -> dict[str, Any]:
        """A run as GetJobRun has it."""
        run: dict[str, Any] = self.client.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        return run

    def in_state(self, name: str, run_id: str, states: Sequence[str]) -> dict[str, Any]:
        """The run once it is in one of these states."""

        def there() -> dict[str, Any] | None:
            run = self.get(name, run_id)
            return run if run["JobRunState"] in states else None

        # Spark starts slowly, above all where others work, too.
        run: dict[str, Any] = wait_until(there, what=f"one of {states}", seconds=240)
        return run

    def run(self, name: str, **options: Any) -> dict[str, Any]:
        """A run in its end."""
        return self.in_state(name, self.start(name, **options), ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"))

    def log(self, group: str, run: Mapping[str, Any]) -> str:
        """What a run has left in a log group."""
        events = self.workbench.client("logs").get_log_events(logGroupName=group, logStreamName=run["Id"])["events"]
        return "\n".join(event["message"] for event in events)
