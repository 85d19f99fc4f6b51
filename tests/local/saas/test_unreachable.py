"""An account that is not bootstrapped fails alone, says what to do, and is taken up once that is done."""

from __future__ import annotations

from lambdas.saas.model.status import Phase, Status
from tests.local.saas.factory import Factory
from tests.local.saas.wave import GOOD, NOWHERE, UNREACHABLE


def test_the_reason_names_account_region_and_command(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a row for an account that is not bootstrapped, then it is FAILED, and no other row is."""
    status = factory.reaches(UNREACHABLE.id, Phase.FAILED)
    assert f"account {NOWHERE} is not bootstrapped in {UNREACHABLE.region}" in status.reason
    assert f"npx cdk bootstrap aws://{NOWHERE}/{UNREACHABLE.region} --template " in status.reason
    assert (status.retry, status.claimed_by, status.pipeline_stack) == (True, "", None)
    assert factory.pipeline(UNREACHABLE.pipeline) is None
    assert {wave[row.id].phase for row in GOOD} == {Phase.ACTIVE}


def test_after_bootstrap_the_sweep_takes_it_up(factory: Factory, wave: dict[str, Status]) -> None:
    """Given the command of the reason was run, when the sweep runs, then the row becomes a tenant."""
    before = factory.reaches(UNREACHABLE.id, Phase.FAILED)
    factory.granary.bootstrap_workload(NOWHERE, UNREACHABLE.region)
    factory.time_passes(UNREACHABLE.id)
    assert factory.sweep()["started"] >= 1
    factory.leaves(UNREACHABLE.id, Phase.FAILED)
    status = factory.active(UNREACHABLE)[UNREACHABLE.id]
    assert before.attempts > status.attempts == 0, "a success forgets the tries before it"
    component = factory.component(UNREACHABLE)
    assert component is not None
    assert f":{NOWHERE}:" in component["StackId"]
