"""Failing over between two Regions, commanded as people do, and seen by who asks the DNS server.

IAM is enforced. Minutes of schedules and alarms are short, and so is what Route 53 takes; everything else is real.
"""

from __future__ import annotations

import pytest

from local_cloud.factory.failover import AWAY, BLOG, DATABASE, INTRANET, RESTORED, RESTORED_RECORD, SHOP, person
from local_cloud.factory.granary import HOME, TOOLCHAIN, wait_until
from tests.local.resilience.failing import Failing

_OPERATOR = f"arn:aws:iam::{TOOLCHAIN}:user/operator"


def test_a_plan_says_what_would_be_done_or_what_speaks_against_it(failing: Failing) -> None:
    done = failing.command("plan", SHOP)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            f"{SHOP}: {HOME} to {AWAY}, 3 applications, 0 records change",
            f"step 1: database/{DATABASE}",
            "step 2: switch",
            "go",
        ],
    )
    failing.alarm(f"{SHOP}-unhealthy", AWAY, "ALARM")
    failing.is_seen(SHOP, AWAY, "ALARM")
    done = failing.command("plan", SHOP)
    assert (done.returncode, done.stdout.splitlines()[-2:]) == (
        1,
        [f"against it: alarm {SHOP}-unhealthy in {AWAY} is ALARM, not OK", "no go"],
    )
    done = failing.command("start", SHOP, "--reason", "too early")
    assert done.returncode == 5, done.stdout
    assert f"no go: alarm {SHOP}-unhealthy in {AWAY} is ALARM, not OK" in done.stderr
    failing.alarm(f"{SHOP}-unhealthy", AWAY, "OK")
    failing.is_seen(SHOP, AWAY, "OK")


@pytest.fixture(scope="module")
def switched(failing: Failing) -> int:
    """The shop has failed over; how many changes of records Route 53 had taken before."""
    before = failing.changes()
    done = failing.command("start", SHOP, "--reason", "maintenance", "--id", "switched")
    assert done.returncode == 0, done.stderr
    failing.serves(SHOP, AWAY)
    assert failing.ended(SHOP, "switched").state == "DONE"
    return before


def test_a_switch_is_one_write_that_data_goes_before(failing: Failing, switched: int) -> None:
    assert failing.switches(SHOP) == {HOME: "ALARM", AWAY: "OK"}
    assert (failing.health(SHOP, HOME), failing.health(SHOP, AWAY)) == ("Failure", "Success")
    assert failing.changes() == switched
    assert failing.writer() == AWAY
    steps = failing.ended(SHOP, "switched").done
    assert steps == (f"database/{DATABASE}", "switch")


@pytest.mark.usefixtures("switched")
def test_table_status_history_and_people_say_the_same(failing: Failing) -> None:
    for region in (HOME, AWAY):
        request = failing.table(region).request(SHOP, "switched")
        assert request is not None
        assert (request.to, request.actor, request.reason) == (AWAY, _OPERATOR, "maintenance")
    done = failing.command("status")
    assert done.returncode == 0, done.stderr
    assert f"{SHOP}: served from {AWAY}, {HOME} out" in done.stdout.splitlines()
    begun, ended = failing.history(SHOP, "switched")
    assert begun == f"{_OPERATOR} asked for {AWAY} (maintenance); overridden: nothing"
    assert ended.startswith(f"group {SHOP} is served from {AWAY} since 20")
    assert ended.endswith(f"by {_OPERATOR}; data was behind by 2 s (maintenance)")
    assert failing.told(AWAY, ended)
    assert failing.told(AWAY, begun)
    assert failing.told(AWAY, f"ALARM takes {HOME} out of DNS for group {SHOP}")


@pytest.mark.usefixtures("switched")
def test_the_same_id_again_changes_nothing(failing: Failing) -> None:
    before = failing.history(SHOP)
    assert failing.start(SHOP, "switched", AWAY)["progress"]["state"] == "DONE"
    status, answer = failing.ask(
        "start", {"group": SHOP, "id": "switched", "from": AWAY, "to": HOME, "reason": "another"}
    )
    assert (status, answer["error"].partition(":")[0]) == (
        409,
        "request switched is there and asks for something else",
    )
    assert failing.history(SHOP) == before
    assert set(failing.answers(SHOP).values()) == {AWAY}


@pytest.mark.usefixtures("switched")
def test_failing_back_is_the_same_command_the_other_way(failing: Failing) -> None:
    done = failing.command("start", SHOP, "--to", HOME, "--reason", "it is well again", "--id", "back")
    assert done.returncode == 0, done.stderr
    failing.is_home(SHOP, "back")
    assert failing.writer() == HOME


def test_a_single_application_goes_alone_by_weights(failing: Failing) -> None:
    done = failing.command("start", SHOP, "--application", f"{SHOP}-2", "--reason", "its host", "--id", "alone")
    assert done.returncode == 0, done.stderr
    assert failing.ended(SHOP, "alone").state == "DONE"
    assert list(failing.answers(SHOP).values()) == [HOME, AWAY, HOME]
    assert f"{SHOP}: served from {HOME}, 1 of its applications elsewhere" in failing.command("status").stdout
    failing.comes_home(SHOP, "together", applications=[f"{SHOP}-2"])


def test_what_dies_half_way_is_gone_on_with_by_looking(failing: Failing) -> None:
    """Two zones are two changes, of which the second fails for good; each minute goes on with what differs."""
    before, operation = failing.changes(), "route53:ChangeResourceRecordSets"
    failing.granary.cloud.faults.set({operation: {"every": 2, "error": "NoSuchHostedZone", "count": 1}})
    failing.start(INTRANET, "half", AWAY)
    failing.serves(INTRANET, AWAY)
    assert failing.ended(INTRANET, "half").state == "DONE"
    fault = failing.granary.cloud.faults.get()[operation]
    assert (fault["raised"], failing.changes() - before) == (1, 2)
    failing.comes_home(INTRANET, "half-back")


def test_the_other_region_alone_commands_while_the_primary_is_down(failing: Failing) -> None:
    """As the runbook says. Route 53 takes no changes meanwhile: what goes by weights waits, and goes on by itself."""
    with failing.down(HOME):
        plan, start, _ = failing.types(0)
        assert (plan.returncode, start.returncode) == (0, 0), plan.stdout + start.stderr
        failing.serves(SHOP, AWAY)
        assert failing.ended(SHOP, "outage-1").state == "DONE"
        assert failing.start(INTRANET, "patient", AWAY, unplanned=True)["progress"]["state"] == "OPEN"
        assert set(failing.answers(INTRANET).values()) == {HOME}
    failing.serves(INTRANET, AWAY)
    assert failing.ended(INTRANET, "patient").state == "DONE"
    # What was written while it was down comes to it, and both agree.
    assert failing.ended(SHOP, "outage-1", region=HOME).state == "DONE"
    assert failing.writer() == AWAY
    failing.a_quarter_of_an_hour_goes_by(SHOP)
    failing.comes_home(SHOP, "after-the-outage")
    failing.comes_home(INTRANET, "patience-is-over")
    assert not [one for one in failing.history(SHOP) if "had other weights" in one or "does not follow" in one]


def test_the_switch_is_a_metric_that_people_can_write(failing: Failing) -> None:
    """As the runbook says: with the rule of each minute off, until the table agrees and it is on again."""
    for block in (1, 2, 3):
        for done in failing.types(block):
            assert done.returncode == 0, done.stderr
        failing.serves(SHOP, AWAY)
    assert failing.ended(SHOP, "by-hand-1").state == "DONE"
    failing.serves(SHOP, AWAY)
    failing.comes_home(SHOP, "by-hand-is-over")


def test_when_nothing_is_known_of_the_other_region_weights_are_written(failing: Failing) -> None:
    before = failing.changes()
    (done,) = failing.types(4)
    assert done.returncode == 0, done.stderr
    failing.serves(SHOP, AWAY)
    (request, *_) = failing.table(AWAY).requests(SHOP)
    assert failing.ended(SHOP, request.id).state == "DONE"
    assert failing.changes() > before
    failing.comes_home(SHOP, "by-weights", mode="weights")


def test_of_two_operators_at_once_one_is_superseded_and_both_are_told(failing: Failing) -> None:
    """Neither Region has heard of the other's request when both are taken; the later one is what counts."""
    failing.granary.cloud.faults.set({"dynamodb": {"replication_seconds": 4}})
    try:
        failing.start(SHOP, "first", AWAY)
        failing.start(SHOP, "second", HOME, force=True)
    finally:
        failing.granary.cloud.faults.set({"dynamodb": {"replication_seconds": 0}})
    failing.serves(SHOP, HOME)
    assert failing.ended(SHOP, "second").state == "DONE"
    failing.was_asked_earlier(SHOP, "first")
    assert failing.ended(SHOP, "first").state == "SUPERSEDED"
    assert failing.told(AWAY, f"request first (group {SHOP} to {AWAY}) was superseded by a later one")
    second = failing.table(AWAY).request(SHOP, "second")
    assert second is not None
    assert failing.told(HOME, f"group {SHOP} is served from {HOME} since", f"asked for at {second.at} by {_OPERATOR}")
    failing.is_home(SHOP, "second")
    assert failing.writer() == HOME


def test_weights_that_somebody_changed_are_told_and_put_right(failing: Failing) -> None:
    route53, (name, *_) = failing.granary.client("route53"), failing.names(INTRANET)
    zone = failing.zones[name.partition(".")[2]]
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    mine = [one for one in found if one["Name"] == f"{name}."]
    swapped = [{**one, "Weight": 100 - one["Weight"]} for one in mine]
    changes = [{"Action": "UPSERT", "ResourceRecordSet": one} for one in swapped]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    assert failing.answers(INTRANET)[name] == AWAY
    failing.a_quarter_of_an_hour_goes_by(INTRANET)
    failing.serves(INTRANET, HOME)
    wait_until(lambda: failing.history(INTRANET)[-1].startswith(name) or None, seconds=30, what="the history to say it")
    assert failing.history(INTRANET)[-1] == f"{name}. had other weights than the table: written again"


def test_a_drill_is_a_failover_without_the_primary_region(failing: Failing) -> None:
    done = failing.command("drill", SHOP, "--id", "drill")
    assert done.returncode == 0, done.stderr
    failing.serves(SHOP, AWAY)
    progress = failing.ended(SHOP, "drill")
    assert (progress.state, progress.lag_seconds) == ("DONE", 2)
    report = failing.history(SHOP)[-1]
    assert report.startswith(f"drill: group {SHOP} is served from {AWAY} since {progress.shifted_at}, asked for at ")
    assert failing.table(HOME).drilled_at(SHOP) == progress.ended_at
    failing.comes_home(SHOP, "after-the-drill")


def test_in_a_drill_the_region_is_really_denied(failing: Failing) -> None:
    """Route 53's control plane is in the primary Region: by weights, a drill goes no further than that."""
    status, answer = failing.ask("drill", {"group": INTRANET, "id": "denied"})
    assert status == 200, answer
    failing.is_stuck(INTRANET, "denied", "weights", "AccessDenied")
    assert set(failing.answers(INTRANET).values()) == {HOME}
    failing.comes_home(INTRANET, "called-off", force=True)
    failing.was_asked_earlier(INTRANET, "denied")


def test_a_drill_begins_by_the_clock(failing: Failing) -> None:
    events = failing.granary.client("events", region=AWAY)
    (rule,) = [one for one in events.list_rules()["Rules"] if one.get("ScheduleExpression") == "rate(365 days)"]
    before = {one.id for one in failing.table(AWAY).requests(SHOP)}
    kept = {"Name": rule["Name"], "Description": "a drill"}
    events.put_rule(**kept, ScheduleExpression="rate(1 minute)")

    def begun() -> str | None:
        new = [one for one in failing.table(AWAY).requests(SHOP) if one.id not in before]
        return new[0].id if new else None

    try:
        request = wait_until(begun, seconds=60, what="the drill to begin")
    finally:
        events.put_rule(**kept, ScheduleExpression="rate(365 days)")
    failing.serves(SHOP, AWAY)
    assert failing.ended(SHOP, request).state == "DONE"
    found = failing.table(AWAY).request(SHOP, request)
    assert found is not None
    assert (found.actor, found.reason, found.drill) == ("schedule", "scheduled drill", True)
    failing.comes_home(SHOP, "after-the-scheduled-drill")


def test_a_group_fails_over_by_itself_when_its_alarms_have_rung_for_long_enough(failing: Failing) -> None:
    """Its database is restored from backups before that, and its name leads to it."""
    failing.serves(BLOG, AWAY)
    (request,) = failing.table(AWAY).requests(BLOG)
    assert (request.actor, request.to) == ("automatic", AWAY)
    progress = failing.ended(BLOG, request.id)
    assert (progress.state, progress.done) == ("DONE", (f"database/{RESTORED}", f"name/{RESTORED}", "weights"))
    assert failing.leads_to(RESTORED_RECORD) == f"{RESTORED}.restored.{AWAY}.rds.amazonaws.com"
    assert failing.told(AWAY, f"automatic asked for {AWAY} ({BLOG}-unreachable in ALARM since ")


def test_who_may_not_invoke_is_told_so(failing: Failing) -> None:
    keys = person(failing.granary, "onlooker", "POST/status")
    done = failing.command("status", keys=keys)
    assert done.returncode == 0, done.stderr
    done = failing.command("start", SHOP, "--reason", "curious", keys=keys)
    assert done.returncode == 4, done.stdout
    assert f"use a role that may invoke POST /start of the API in {AWAY}" in done.stderr
