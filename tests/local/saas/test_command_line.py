"""The operator's command line reads the running factory: logs of real builds, and ids for the shell."""

from __future__ import annotations

import pytest

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import NAMES, wait_until
from tests.local.saas.factory import Factory
from tests.local.saas.wave import ACME, EARLY, EUROPE, NOWHERE, UNREACHABLE

# Of a log's end; the command shows more.
_LINES = 20
_PATIENCE_SECONDS = 240.0


def end_of_log(factory: Factory, build_id: str) -> str:
    """The last lines of a build's log, as CloudWatch Logs has them, apart from empty ones."""
    return "\n".join(list(filter(None, factory.log(build_id).splitlines()))[-_LINES:])


def test_the_log_of_a_build_that_succeeded(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a tenant that stands, then its provisioning build's log is shown, and no pipeline's."""
    status = factory.granary.status(ACME.id)
    assert status is not None
    shown = factory.cli("logs", ACME.id)
    assert shown.returncode == 0, shown.stderr
    assert f"==> provisioning, build {status.build_id} SUCCEEDED" in shown.stdout
    assert end_of_log(factory, status.build_id) in shown.stdout
    assert "==> pipeline" not in shown.stdout


def test_the_log_of_a_build_that_failed_has_the_reason(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a row that cannot be provisioned, then the log that is shown is its build's, and says why."""
    status = factory.reaches(UNREACHABLE.id, Phase.FAILED)
    # The build took others up as well, and the row's line is anywhere among theirs.
    shown = factory.cli("logs", "--lines", "5000", UNREACHABLE.id)
    assert shown.returncode == 0, shown.stderr
    assert status.build_id.startswith(f"{NAMES.provisioning_project}:")
    assert f"==> provisioning, build {status.build_id} " in shown.stdout
    assert end_of_log(factory, status.build_id) in shown.stdout
    assert f"account {NOWHERE} is not bootstrapped" in shown.stdout


def test_the_log_of_nobody(factory: Factory) -> None:
    shown = factory.cli("logs", "nobody")
    assert (shown.returncode, shown.stdout) == (3, "")
    assert "nothing is known of nobody" in shown.stderr


@pytest.mark.parametrize(
    ("command", "typed", "offered"),
    [
        ("status", "e", [EARLY.id, EUROPE.id]),
        ("logs", "eu", [EUROPE.id]),
        ("plan retire", "acm", [ACME.id]),
    ],
)
@pytest.mark.usefixtures("wave")
def test_the_shell_is_offered_the_ids_that_begin_so(
    factory: Factory, monkeypatch: pytest.MonkeyPatch, command: str, typed: str, offered: list[str]
) -> None:
    """Given the beginning of an id, when bash asks for completions, then it gets the rows' ids and nothing else."""
    line = ["granary", *command.split(), typed]
    # What the function that `--install-completion` writes hands over.
    monkeypatch.setenv("_GRANARY_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", " ".join(line))
    monkeypatch.setenv("COMP_CWORD", str(len(line) - 1))

    def answer() -> list[str] | None:
        done = factory.cli()
        assert (done.returncode, done.stderr) == (0, "")
        # On a busy machine it may run out of its time, and then offers nothing.
        return done.stdout.split() or None

    assert wait_until(answer, seconds=_PATIENCE_SECONDS, what=f"ids that begin with {typed}") == offered
