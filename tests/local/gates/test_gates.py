"""Gates in the factory's CI/CD: what they have not passed is neither deployed nor released."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from lambdas.common.evidence.bundle import Digest, Subject
from lambdas.common.evidence.verdict import Verdict, verdict_key, verdicts_of
from lambdas.saas.model.runs import RunState
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.workspace import OVERLAY
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.inbox import listen_to_bus, subscribe_to_failures
from tests.local.saas.releasing import ended

RELEASES, REPORTS = NAMES.releases_bucket(TOOLCHAIN, HOME), NAMES.reports_bucket(TOOLCHAIN, HOME)
_PROVISIONING = {**OVERLAY["toolchain"]["provisioning"], "sweep_minutes": 60}
_CONFIGURATION = {
    **OVERLAY,
    "toolchain": {**OVERLAY["toolchain"], "provisioning": _PROVISIONING},
    "gates": {"gates": [{"name": "secrets", "scanner": "kingfisher", "scans": "source", "fail_at": "high"}]},
}


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """A factory with a gate for secrets, and no tenants."""
    with LocalCloud.start(tmp_path_factory.mktemp("gates")) as cloud:
        granary = Granary.build(cloud, overlay=_CONFIGURATION)
        yield Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))


@pytest.fixture(scope="module")
def good(factory: Factory) -> str:
    """A release that the gate has passed; answers its revision."""
    version = factory.granary.push("Nothing to hide")
    factory.released(version)
    ended(factory, version, RunState.SUCCEEDED)
    return version


def verdicts(factory: Factory, revision: str) -> list[Verdict]:
    """What gates have said of a revision."""
    s3 = factory.granary.client("s3")
    found = s3.list_objects_v2(Bucket=RELEASES, Prefix=verdicts_of(revision)).get("Contents", [])
    texts = [s3.get_object(Bucket=RELEASES, Key=entry["Key"])["Body"].read().decode() for entry in found]
    return [Verdict.from_json(text) for text in texts]


def stopped(factory: Factory, revision: str) -> dict[str, Any]:
    """What the bus says of a commit that a gate has stopped."""

    def told() -> dict[str, Any] | None:
        details = [one["detail"] for one in factory.bus.messages() if one["detail-type"] == "Gate stopped a commit"]
        return next((detail for detail in details if detail["revision"] == revision), None)

    detail = wait_until(told, seconds=PATIENCE_SECONDS, what=f"a gate to stop {revision}")
    wait_until(
        lambda: dict(factory.granary.stages(NAMES.cicd_pipeline)).get("Build") == "Failed" or None,
        seconds=PATIENCE_SECONDS,
        what="CI/CD to fail",
    )
    published = factory.granary.client("s3").list_objects_v2(Bucket=RELEASES, Prefix=f"releases/{revision}/")
    assert published["KeyCount"] == 0, "nothing is released"
    return detail


def test_a_release_names_its_gates_and_has_their_verdicts(factory: Factory, good: str) -> None:
    release = factory.granary.runs.release(good)
    assert release
    assert release.gates == ("secrets",)
    (verdict,) = verdicts(factory, good)
    assert verdict.subject == (Subject(name="source.zip", digest=Digest(sha256=release.sha256)),)
    assert verdict.predicate.tool_version == "2.14.0"
    done = factory.granary.cli("gates", "verify", good)
    assert (done.returncode, done.stderr.strip()) == (0, f"release {good} may go: 1 gates")
    assert "secrets: PASS" in factory.granary.cli("gates", "explain", good).stdout


@pytest.fixture(scope="module")
def leak(factory: Factory, good: str) -> dict[str, Any]:
    """A commit with a key of AWS's form; answers the event of its end."""
    key = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    secret = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
    text = f'aws_access_key_id = "{key}"\naws_secret_access_key = "{secret}"\n'
    (factory.granary.workspace.root / "leak.py").write_text(text, encoding="utf-8")
    factory.granary.workspace.commit("Oops")
    detail = stopped(factory, factory.granary.push("Oops"))
    assert key not in str(detail)
    assert secret not in str(detail)
    return detail


def test_a_secret_stops_the_commit_before_anything_runs(factory: Factory, leak: dict[str, Any]) -> None:
    assert (leak["gate"], leak["outcome"]) == ("secrets", "FAIL")
    assert "leak.py:1" in leak["reason"]


def _except(factory: Factory, leak: dict[str, Any], *, expires: date) -> str:
    """Push an exception for what was found."""
    given = {"gate": "secrets", "reason": "revoked", "requester": "a@example.com", "approver": "b@example.com"}
    one = {**given, "fingerprint": leak["findings"][0], "expires": expires.isoformat()}
    factory.granary.workspace.configure("exceptions", {"exceptions": [one]})
    factory.granary.workspace.commit("An exception")
    return factory.granary.push("An exception")


def test_an_exception_blocks_again_when_it_has_expired(factory: Factory, leak: dict[str, Any]) -> None:
    detail = stopped(factory, _except(factory, leak, expires=date.today() - timedelta(days=1)))
    assert detail["findings"] == leak["findings"]


@pytest.fixture(scope="module")
def excepted(factory: Factory, leak: dict[str, Any]) -> str:
    """The same source with an exception that counts; answers its revision."""
    version = _except(factory, leak, expires=date.today() + timedelta(days=30))
    factory.released(version)
    return version


def test_an_exception_lets_one_through(factory: Factory, leak: dict[str, Any], excepted: str) -> None:
    (verdict,) = verdicts(factory, excepted)
    assert verdict.predicate.exceptions == tuple(leak["findings"])
    reports = factory.granary.client("s3").list_objects_v2(Bucket=REPORTS, Prefix="findings/source/secrets/")
    assert reports["KeyCount"] >= 1, "the room's stack stands since the first release"


def test_what_was_swapped_after_its_verdict_is_not_released(factory: Factory, excepted: str) -> None:
    """Given a verdict about something else, which is newer, then the release does not go on, and says why."""
    ended(factory, excepted, RunState.SUCCEEDED)
    (verdict,) = verdicts(factory, excepted)
    later = {**vars(verdict.predicate), "judged_at": "2999-01-01T00:00:00.000+00:00"}
    forged = Verdict(
        subject=(Subject(name="source.zip", digest=Digest(sha256="0" * 64)),),
        predicate=type(verdict.predicate)(**later),
    )
    key = verdict_key(excepted, forged)
    factory.granary.client("s3").put_object(Bucket=RELEASES, Key=key, Body=forged.to_json().encode())
    done = factory.granary.cli("gates", "verify", excepted)
    assert done.returncode == 1
    assert "is about something else (000000000000)" in done.stdout
