"""Gates in the factory's CI/CD: what they have not passed is neither deployed nor released.

The demo is the main scenario: a commit is stopped, an exception lets it through, what was repaired is archived. It
plays on the factory whose first release is looked at before, and what is left there serves the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Outcome, Verdict, verdict_key
from lambdas.common.versioned_json import plain
from lambdas.gates.scanners.environments import Environments
from lambdas.saas.model.runs import RunState
from local_cloud import osv
from local_cloud.cloud import LocalCloud
from local_cloud.factory.demo.gates import CONFIGURATION
from local_cloud.factory.demo.gates.repair import except_
from local_cloud.factory.demo.gates.seen import RELEASES, finding, published, stopped, verdicts
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from tests.local.first_factory import play_demo
from tests.local.gates.defaults import default_gates
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.releasing import ended, run_ended

# Where a commit makes a role that anybody may assume.
_BEFORE = "        if section.security_hub:\n"
_OPEN = """\
        from aws_cdk import aws_iam as iam

        iam.Role(self, "Open", assumed_by=iam.AnyPrincipal())
"""


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """The factory of the demo without its gates, and no tenants."""
    without = {name: part for name, part in CONFIGURATION.items() if name != "gates"}
    # On a new machine this takes longer than builds are waited for.
    commands = (one["scanner"] for one in default_gates("").values() if one["scanner"] != "cdk_validation")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Environments.here().of, commands))
    with pytest.MonkeyPatch.context() as patch:
        # What its builds synthesize is judged.
        patch.delenv("CDK_VALIDATION", raising=False)
        running = LocalCloud.start(tmp_path_factory.mktemp("gates"))
    with running as cloud:
        granary = Granary.build(cloud, overlay=without)
        yield Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))


def _switch(factory: Factory, *gates: Mapping[str, object]) -> None:
    """Have these gates with the next commit, and no others."""
    factory.granary.workspace.configure("gates", {**CONFIGURATION["gates"], "gates": list(gates)})


@pytest.fixture(scope="module")
def gates(factory: Factory) -> dict[str, dict[str, Any]]:
    """The gates of the example, by name, with advisories of this cloud."""
    return default_gates(f"{factory.granary.cloud.endpoint}{osv.PATH}")


@pytest.fixture(scope="module")
def good(factory: Factory, gates: dict[str, dict[str, Any]]) -> str:
    """A commit of this project that switches all default gates on, and that they have passed; its revision."""
    _switch(factory, *gates.values())
    factory.granary.workspace.commit("Gates")
    version = factory.granary.push("Gates")
    # CI/CD changes itself on the way: the templates are judged before and after, and beside other tests.
    factory.released(version, seconds=2 * PATIENCE_SECONDS)
    ended(factory, version, RunState.SUCCEEDED)
    return version


def test_a_release_names_its_gates_and_has_their_verdicts(
    factory: Factory, gates: dict[str, dict[str, Any]], good: str
) -> None:
    release = factory.granary.runs.release(good)
    assert release
    assert release.gates == tuple(gates)
    judged = {one.predicate.gate: one for one in verdicts(factory.granary, good)}
    assert {name: one.predicate.outcome for name, one in judged.items()} == dict.fromkeys(gates, Outcome.PASS)
    verdict = judged["secrets"]
    assert verdict.subject == (Subject(name="source.zip", digest=Digest(sha256=release.sha256)),)
    assert verdict.predicate.tool_version == "2.14.0"
    done = factory.granary.cli("gates", "verify", good)
    assert (done.returncode, done.stderr.strip()) == (0, f"release {good} may go: {len(gates)} gates")
    assert "secrets: PASS" in factory.granary.cli("gates", "explain", good).stdout


@pytest.fixture(scope="module")
def demoed(factory: Factory, good: str) -> str:
    """The fingerprint of what the demo found, after the whole of it: its last release is without it."""
    assert good
    _switch(factory, *CONFIGURATION["gates"]["gates"])  # with the demo's first commit
    play_demo(factory.granary.cloud, room="gates")
    (told,) = [one["detail"] for one in factory.bus.messages() if one["detail-type"] == "Gate stopped a commit"]
    return str(told["findings"][0])


def test_the_demo_plays_on_that_factory(factory: Factory, demoed: str) -> None:
    """What the demo says of its finding is so, and import_findings has said it on the bus; nothing was refused."""
    one = finding(factory.granary, demoed)
    assert one
    assert one["RecordState"] == "ARCHIVED"
    news = [one["detail"] for one in factory.bus.messages() if one["detail-type"] == "FindingsImported"]
    changes = ("new", "updated", "archived", "reopened", "refused")
    told = [tuple(one[change] for change in changes) for one in sorted(news, key=lambda one: str(one["report"]))]
    assert told == [(1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0)]


def test_what_was_swapped_after_its_verdict_is_not_released(factory: Factory, demoed: str) -> None:
    """Given a verdict about something else, which is newer, then the release does not go on, and says why."""
    assert demoed
    run = factory.granary.run()
    assert run
    (verdict,) = verdicts(factory.granary, run.revision)
    later = {**vars(verdict.predicate), "judged_at": "2999-01-01T00:00:00.000+00:00"}
    forged = Verdict(
        subject=(Subject(name="source.zip", digest=Digest(sha256="0" * 64)),),
        predicate=type(verdict.predicate)(**later),
    )
    key = verdict_key(run.revision, forged)
    factory.granary.client("s3").put_object(Bucket=RELEASES, Key=key, Body=forged.to_json().encode())
    done = factory.granary.cli("gates", "verify", run.revision)
    assert done.returncode == 1
    assert "is about something else (000000000000)" in done.stdout
    release = factory.granary.runs.release(run.revision)
    given = json.dumps({"release": plain(release), "resumes": ""})
    machine = f"arn:aws:states:{HOME}:{TOOLCHAIN}:stateMachine:{NAMES.release_machine}"
    factory.granary.client("stepfunctions").start_execution(stateMachineArn=machine, name="swapped", input=given)
    refused = run_ended(factory, "swapped", RunState.STOPPED)
    assert "is refused: gate secrets is about something else (000000000000)" in refused.reason
    assert factory.granary.run() == run, "it stays in force"


def test_an_exception_blocks_again_when_it_has_expired(factory: Factory, demoed: str) -> None:
    """Given the key of the demo once more, with its exception, which has expired, then it stops as the first did."""
    granary = factory.granary
    granary.workspace.revert()
    revision = except_(granary, demoed, expires=date.today() - timedelta(days=1))
    what = f"a gate to stop {revision}"
    detail = wait_until(lambda: stopped(granary, factory.bus, revision), seconds=PATIENCE_SECONDS, what=what)
    assert detail["findings"] == [demoed]
    assert not published(granary, revision)

    def reopened() -> bool | None:
        one = finding(granary, demoed)
        return True if one and (one["RecordState"], one["Workflow"]["Status"]) == ("ACTIVE", "NEW") else None

    wait_until(reopened, seconds=PATIENCE_SECONDS, what="Security Hub to show the finding again")


def _stops(factory: Factory, summary: str) -> dict[str, object]:
    """Push what is in the workspace, and wait for the gate that stops it; nothing is published, and what is said."""
    granary = factory.granary
    granary.workspace.commit(summary)
    revision = granary.push(summary)
    what = f"a gate to stop {revision}"
    detail = wait_until(lambda: stopped(granary, factory.bus, revision), seconds=PATIENCE_SECONDS, what=what)
    assert not published(granary, revision)
    return detail


def test_a_vulnerable_package_and_then_a_policy_that_is_open_to_all_stop(
    factory: Factory, gates: dict[str, dict[str, Any]], demoed: str
) -> None:
    """Given gates of the source and of templates, then each stops before what it judges is deployed."""
    assert demoed
    workspace = factory.granary.workspace
    packages = gates["dependencies"]
    _switch(factory, {**packages, "options": {**packages["options"], "files": ["risky.txt"]}}, gates["iam"])
    risky = workspace.root / "risky.txt"
    risky.write_text("pillow==7.1.2\n", encoding="utf-8")
    detail = _stops(factory, "A package of yesterday")
    assert (detail["gate"], detail["outcome"]) == ("dependencies", "FAIL")
    risky.write_text("pillow==8.2.0\n", encoding="utf-8")
    workspace.replace("stacks/gates/stack.py", _BEFORE, f"{_OPEN}{_BEFORE}")
    detail = _stops(factory, "A role for everybody")
    assert (detail["gate"], detail["outcome"]) == ("iam", "FAIL")
    assert "public-access" in str(detail["reason"])
    assert dict(factory.granary.stages(NAMES.cicd_pipeline))["Build"] == "Failed"
