"""The handle on a local cloud: start and stop it, and work with it from Python."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from local_cloud.server import environment, ports
from local_cloud.server.settings import Settings

PROJECT_ROOT = Path(__file__).resolve().parents[1]
CDK = PROJECT_ROOT / "node_modules" / ".bin" / "cdk"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

_START_SECONDS = 120.0
_STOP_SECONDS = 10.0


class LocalCloudError(RuntimeError):
    """The local cloud, or a tool run against it, failed; the message holds the end of its log."""


class Faults:
    """Orders errors for coming calls and counts the calls that were made; see server/faults.py."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings

    def set(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Add or replace faults, as {"codebuild:StartBuild": {"every": 2, "error": code, "count": n or None}}."""
        return self._request("PUT", "/_local/faults", document)

    def get(self) -> dict[str, Any]:
        """What is in force, with the counters of each fault."""
        return self._request("GET", "/_local/faults")

    def clear(self) -> dict[str, Any]:
        """No faults, default settings."""
        return self._request("DELETE", "/_local/faults")

    def calls(self, *, service: str | None = None, operation: str | None = None) -> dict[str, Any]:
        """Counts of calls: "served", "refused", "total" and rows by operation and account under "calls"."""
        given = {name: value for name, value in (("service", service), ("operation", operation)) if value}
        return self._request("GET", f"/_local/calls?{urlencode(given)}")

    def _request(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = None if document is None else json.dumps(document).encode()
        answer: dict[str, Any] = json.loads(_fetch(self._settings, path, method=method, body=body))
        return answer


class LocalCloud:
    """A running local cloud."""

    def __init__(self, *, settings: Settings, pid: int) -> None:
        self.settings = settings
        self.pid = pid
        self.faults = Faults(settings=settings)
        self._process: subprocess.Popen[bytes] | None = None
        # One session: it caches the service models, and is not safe to create clients from in several threads.
        self._session: Any = None
        self._clients: dict[tuple[str, ...], Any] = {}
        self._session_lock = threading.Lock()

    @classmethod
    def start(cls, state_dir: Path, port: int | None = None) -> Self:
        """Start a server with an empty state; raises LocalCloudError with the end of its log if it does not come up.

        A server that already runs in `state_dir` is refused rather than replaced.
        """
        if _running(state_dir):
            raise LocalCloudError(f"A local cloud already runs in {state_dir}; stop it, or attach to it.")
        settings = Settings(state_dir=state_dir.resolve(), port=port or ports.free())
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        settings.handle_file.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "local_cloud",
            "serve",
            "--state-dir",
            str(settings.state_dir),
            "--port",
            str(settings.port),
        ]
        with settings.log_file.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        cloud = cls(settings=settings, pid=process.pid)
        cloud._process = process
        cloud._wait_until_healthy()
        return cloud

    @classmethod
    def attach(cls, state_dir: Path) -> Self:
        """The local cloud that runs in `state_dir`; raises LocalCloudError when none does."""
        handle = _running(state_dir)
        if handle is None:
            raise LocalCloudError(
                f"No local cloud runs in {state_dir}; start one with "
                f"`python -m local_cloud up --state-dir {state_dir}`."
            )
        return cls(settings=Settings(state_dir=state_dir.resolve(), port=handle["port"]), pid=handle["pid"])

    @property
    def endpoint(self) -> str:
        """The URL of every service."""
        return self.settings.endpoint

    @property
    def python(self) -> Path:
        """A Python for subprocesses that begins faster than this one, once a build has run: see `local_cloud.warm`."""
        return self.settings.programs_dir / "python"

    @property
    def dns(self) -> tuple[str, int]:
        """Where the hosted zones are answered from, over UDP and TCP."""
        return "127.0.0.1", json.loads(self.settings.handle_file.read_text())["dns_port"]

    def stop(self) -> None:
        """End the server, its builds and its Lambda workers. Stopping twice is harmless."""
        if not self._runs():
            return
        os.kill(self.pid, signal.SIGTERM)
        if not _wait(lambda: not self._runs(), seconds=_STOP_SECONDS):
            os.kill(self.pid, signal.SIGKILL)
            _wait(lambda: not self._runs(), seconds=_STOP_SECONDS)
        self.settings.handle_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def env(self, account: str, region: str) -> dict[str, str]:
        """The environment of a subprocess that acts as the root of `account` in `region`."""
        inherited = environment.without_aws(os.environ)
        tools = str(Path(sys.executable).parent)
        path = os.pathsep.join((str(self.settings.programs_dir), tools, inherited.get("PATH", os.defpath)))
        return {**inherited, "PATH": path, **environment.client(self.settings, account=account, region=region)}

    def client(self, service: str, account: str, region: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A boto3 client with short timeouts; as the root of `account`, or with an STS answer's credentials."""
        keys = credentials or {"AccessKeyId": account, "SecretAccessKey": environment.ROOT_SECRET}
        which = (service, region, *(str(value) for value in keys.values()))
        with self._session_lock:
            if which not in self._clients:
                self._clients[which] = self._new_client(service, region, keys)
            return self._clients[which]

    def _new_client(self, service: str, region: str, keys: Mapping[str, str]) -> Any:
        import boto3
        from botocore.config import Config

        self._session = self._session or boto3.session.Session()
        return self._session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            verify=str(self.settings.ca),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(
                connect_timeout=10,
                # A function answers when it is done.
                read_timeout=900 if service == "lambda" else 60,
                retries={"total_max_attempts": 1},
            ),
        )

    def cdk(
        self, args: Sequence[str], *, account: str, region: str, cwd: Path, extra_env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the pinned CDK CLI; raises LocalCloudError with the end of its output when it fails."""
        variables = {**self.env(account, region), **(extra_env or {})}
        result = subprocess.run(
            [str(CDK), *args],
            cwd=cwd,
            env=variables,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if result.returncode:
            raise LocalCloudError(
                f"cdk {' '.join(args)} ended with status {result.returncode}:\n{_tail(result.stdout)}"
            )
        return result

    def bootstrap(
        self,
        account: str,
        *regions: str,
        trust: Sequence[str] = (),
        qualifier: str | None = None,
        template: Path | None = None,
        execution_policies: Sequence[str] = (ADMINISTRATOR,),
    ) -> None:
        """Run `cdk bootstrap` for an account in Regions. Several may run at the same time."""
        args = [
            "bootstrap",
            *(f"aws://{account}/{region}" for region in regions),
            "--cloudformation-execution-policies",
            ",".join(execution_policies),
        ]
        for trusted in trust:
            args += ["--trust", trusted]
        if template is not None:
            args += ["--template", str(template)]
        if qualifier is not None:
            args += ["--qualifier", qualifier, "--toolkit-stack-name", f"CDKToolkit-{qualifier}"]
        self.cdk(args, account=account, region=regions[0], cwd=self.settings.state_dir)

    def _runs(self) -> bool:
        return _alive(self.pid) if self._process is None else self._process.poll() is None

    def _wait_until_healthy(self) -> None:
        up = _wait(lambda: not self._runs() or self._healthy(), seconds=_START_SECONDS)
        if not up or not self._runs():
            self.stop()
            log = _tail(self.settings.log_file.read_text(errors="replace"))
            raise LocalCloudError(
                f"The local cloud did not start within {_START_SECONDS:g} s. The end of "
                f"{self.settings.log_file}:\n{log}"
            )

    def _healthy(self) -> bool:
        if not self.settings.handle_file.is_file():
            return False
        try:
            _fetch(self.settings, "/_ministack/health")
        except OSError:
            return False
        return True


def _fetch(settings: Settings, path: str, *, method: str = "GET", body: bytes | None = None) -> bytes:
    request = urllib.request.Request(f"{settings.endpoint}{path}", data=body, method=method)  # noqa: S310 - https
    context = ssl.create_default_context(cafile=str(settings.ca))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=60) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        raise LocalCloudError(
            f"{request.method} {request.full_url}: {error.code} {error.read().decode(errors='replace')}"
        ) from error


def _running(state_dir: Path) -> dict[str, Any] | None:
    handle_file = Settings(state_dir=state_dir, port=0).handle_file
    try:
        handle: dict[str, Any] = json.loads(handle_file.read_text())
    except FileNotFoundError:
        return None
    return handle if _alive(handle["pid"]) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    command = Path(f"/proc/{pid}/cmdline")
    return b"local_cloud" in command.read_bytes() if command.exists() else True


def _wait(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def _tail(text: str, *, lines: int = 40) -> str:
    return "\n".join(text.splitlines()[-lines:])
