"""The act in which a Region is down: 200 applications fail over to the other one, and back."""

from __future__ import annotations

from collections import Counter

from lambdas.resilience.model.failover.request import State
from local_cloud.factory.demo.stage import DEADLINE_SECONDS, Stage
from local_cloud.factory.failover import AWAY, FAILOVER, QUICK, SHOP, FailoverFactory
from local_cloud.factory.granary import HOME, REGIONS, Granary, wait_until

_APPLICATIONS = 200


def play(stage: Stage, granary: Granary) -> None:
    """Play it on a factory that stands."""
    stage.act(f"{_APPLICATIONS} applications in two Regions, of which one goes down")
    factory = _switched_on(stage, granary)
    stage.granary(granary, "failover", "plan", SHOP)
    with factory.down(HOME):
        stage.console.print(f"{stage.seconds:6.1f} s  {HOME} is down, and Route 53 takes no changes")
        why = f"{HOME} is down"
        stage.granary(granary, "failover", "start", SHOP, "--unplanned", "--reason", why, "--id", "outage")
        _follow(stage, factory, "outage", AWAY)
    with stage.step(f"{HOME} is back, and hears of it"):
        ended = factory.ended(SHOP, "outage", region=HOME)
    stage.expect(holds=ended.state is State.DONE, otherwise=f"{HOME} says of the failover: {ended}")
    stage.granary(granary, "failover", "start", SHOP, "--to", HOME, "--reason", "it is well again", "--id", "back")
    _follow(stage, factory, "back", HOME)
    stage.granary(granary, "failover", "history", SHOP)


def _switched_on(stage: Stage, granary: Granary) -> FailoverFactory:
    with stage.step("commit config/failover.yaml"):
        factory = FailoverFactory.switch_on(granary, applications=_APPLICATIONS)
    with stage.step(f"cdk deploy {FAILOVER.failover}-*: CI/CD would do it, when it has checked everything else"):
        factory.deploy()
    granary.cloud.faults.set(QUICK)
    with stage.step("both Regions say what they see"):
        wait_until(lambda: _said(factory), seconds=DEADLINE_SECONDS, what="both Regions to say something")
    return factory


def _said(factory: FailoverFactory) -> bool | None:
    facts = [factory.table(AWAY).facts(region).of(SHOP).alarms for region in REGIONS]
    return True if all(facts) else None


def _follow(stage: Stage, factory: FailoverFactory, request: str, to: str) -> None:
    """Wait until DNS answers with a Region for all of them, and the request is done."""
    with stage.step(f"DNS answers with {to} for all {_APPLICATIONS}"):
        factory.serves(SHOP, to)
    progress = factory.ended(SHOP, request, region=to)
    found = Counter(factory.answers(SHOP).values())
    stage.expect(holds=progress.state is State.DONE, otherwise=f"the failover to {to} is {progress}")
    stage.expect(holds=found == {to: _APPLICATIONS}, otherwise=f"DNS answers with {found}, not with {to}")
