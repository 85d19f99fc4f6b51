"""Every error is a sentence with the next step, and an exit code of its kind."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    MissingDependencyException,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from typer.testing import CliRunner

from cli.app import app
from cli.common.errors import ConflictError, explain
from cli.common.exits import Exit
from cli.common.session import Session
from cli.saas import completion
from config.loader import ConfigurationError
from lambdas.common.clients import client
from lambdas.common.errors import CapacityError, GranaryError, NotReleasedError
from tests.unit.cli.saas.factory import Factory


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said so"}}, "Scan")


def _outage() -> ClientError:
    answer: Any = {"Error": {"Code": "503", "Message": "Unavailable"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    return ClientError(answer, "Scan")


@pytest.mark.parametrize(
    ("error", "code", "step"),
    [
        (_refusal("AccessDeniedException"), Exit.REFUSED, "--profile"),
        (_refusal("403"), Exit.REFUSED, "--profile"),
        (_refusal("ExpiredTokenException"), Exit.REFUSED, "sign in again"),
        (MissingDependencyException(msg="botocore[crt]"), Exit.WRONG, "make setup"),
        (_refusal("ThrottlingException"), Exit.UNREACHABLE, "try again"),
        (_refusal("ResourceNotFoundException"), Exit.NOT_FOUND, "deploy the toolchain"),
        # The API of a room that CI/CD has not deployed yet.
        (_refusal("ParameterNotFound"), Exit.NOT_FOUND, "granary rooms"),
        (_refusal("ValidationException"), Exit.WRONG, "correct what it names"),
        # A Region that is down: nothing of what was asked is wrong.
        (_outage(), Exit.UNREACHABLE, "try again"),
        (NoCredentialsError(), Exit.REFUSED, "--profile"),
        (ProfileNotFound(profile="nope"), Exit.REFUSED, "nope"),
        (EndpointConnectionError(endpoint_url="https://x"), Exit.UNREACHABLE, "AWS_ENDPOINT_URL"),
        (ConnectTimeoutError(endpoint_url="https://x"), Exit.UNREACHABLE, "AWS_ENDPOINT_URL"),
        (NoRegionError(), Exit.REFUSED, "AWS settings"),
        (ConflictError("it runs: wait"), Exit.CONFLICT, "wait"),
        (NotReleasedError("no release: push"), Exit.NOT_FOUND, "push"),
        (CapacityError("full: try again"), Exit.UNREACHABLE, "try again"),
        (GranaryError("no: do"), Exit.WRONG, "do"),
        (ConfigurationError("bad: good"), Exit.WRONG, "good"),
        (KeyError("surprise"), Exit.FAULT, "GRANARY_DEBUG=1"),
    ],
)
def test_kinds(error: Exception, code: Exit, step: str) -> None:
    message, found = explain(error)
    assert found is code
    assert step in message


def test_credentials_of_another_account(aws: None, tmp_path: Path) -> None:
    """Given moto's account and this checkout's own configuration, every command that calls AWS is refused."""
    result = CliRunner().invoke(app, ["list"])
    assert result.exit_code == Exit.REFUSED
    assert "the credentials are those of account 123456789012" in result.stderr
    assert "Traceback" not in result.output


def test_a_configuration_with_errors(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--config", str(tmp_path), "list"])
    assert result.exit_code == Exit.WRONG
    assert "toolchain.yaml: the file is missing" in result.stderr


def test_a_fault_is_no_traceback(factory: Factory) -> None:
    factory.monkeypatch.setattr(Session, "client", lambda *_: 1 / 0)
    answer = factory.granary("list")
    assert (answer.code, answer.stdout) == (Exit.FAULT, "")
    assert answer.stderr.startswith("error: this is a fault of the program (ZeroDivisionError")


def test_interrupting_leaves_what_was_started(factory: Factory) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    factory.monkeypatch.setattr(Session, "client", interrupt)
    answer = factory.granary("release")
    assert answer.code == Exit.INTERRUPTED
    assert "goes on" in answer.stderr


def test_help_tells_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"], terminal_width=300)
    for code in Exit:
        if code not in (Exit.INTERRUPTED,):
            assert f"{code.value} " in result.stdout


_COMMANDS = [
    ["list"], ["status"], ["validate"], ["plan", "reconcile"], ["plan", "release"], ["plan", "retire"], ["release"],
    ["resume"], ["approve"], ["reject"], ["retire"], ["suspend"], ["activate"], ["retry"], ["logs"],
]  # fmt: skip


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_every_command_has_json(words: list[str]) -> None:
    result = CliRunner().invoke(app, [*words, "--help"], terminal_width=200)
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_completion_of_ids(factory: Factory) -> None:
    for name in ("acme", "acorn", "zebra"):
        factory.row(name)
    assert completion._ids(factory.directory, "", "ac") == ["acme", "acorn"]


def test_completion_has_its_time_and_never_fails() -> None:
    def fail() -> list[str]:
        raise RuntimeError("no network")

    def hang() -> list[str]:
        blocked.wait()
        return ["late"]

    blocked = threading.Event()
    began = time.monotonic()
    assert completion.within(5, fail) == []
    assert completion.within(0.05, hang) == []
    assert time.monotonic() - began < 4
    blocked.set()
    assert completion.within(5, lambda: ["acme"]) == ["acme"]


@pytest.mark.parametrize("endpoint", ["notaurl", "http://[::1", "http://x:port", "://", "ftp://127.0.0.1:1", "http://"])
def test_an_endpoint_that_is_none_is_told_as_a_setting_of_the_shell(
    configuration: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    # It would try again for a while.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    client.cache_clear()
    result = CliRunner().invoke(app, ["--config", str(configuration), "list"])
    client.cache_clear()
    assert result.exit_code in (Exit.REFUSED, Exit.UNREACHABLE)
    assert "AWS_ENDPOINT_URL" in result.stderr
