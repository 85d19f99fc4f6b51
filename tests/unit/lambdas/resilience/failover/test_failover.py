"""Failing over and back, from either Region, while the other is up or down."""

from __future__ import annotations

import pytest

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.resilience.failover.executing import Executing
from lambdas.resilience.model.failover.catalogue import Automatic, Database, Measure, Mode, Restore
from lambdas.resilience.model.failover.request import RefusedError
from tests.unit.lambdas.resilience.failover.aws import A, B, refusal
from tests.unit.lambdas.resilience.failover.planes import NAMES, Planes, application, catalogue, group


@pytest.fixture
def planes() -> Planes:
    made = Planes()
    made.minutes(2)
    return made


def _states(planes: Planes, at: str) -> dict[str, str]:
    return planes.states(at)


def test_at_home_nothing_is_out(planes: Planes) -> None:
    assert set(planes.seen().values()) == {A}
    assert planes.world.rds.begun == []


def test_a_planned_failover_moves_data_and_then_traffic(planes: Planes) -> None:
    told = planes.start(B, "r1", B)
    assert told["progress"]["state"] == "OPEN"
    assert set(planes.seen().values()) == {A}, "the database is on its way"
    planes.minutes(4)
    assert set(planes.seen().values()) == {B}
    assert planes.world.rds.begun == [("SwitchoverGlobalCluster", B)]
    assert _states(planes, A) == _states(planes, B) == {"r1": "DONE"}


def test_traffic_waits_for_the_data_whoever_publishes_the_switch(planes: Planes) -> None:
    """Each minute publishes the switches from the table, and goes on with what waits."""
    planes.world.rds.looks = 40
    planes.start(B, "r1", B)
    for _ in range(2):
        planes.minutes(1)
        assert planes.world.rds.writer("orders") == A
        assert set(planes.seen().values()) == {A}
    planes.minutes(8)
    assert (planes.world.rds.writer("orders"), set(planes.seen().values())) == (B, {B})
    assert _states(planes, A) == {"r1": "DONE"}


def test_a_switch_changes_no_record(planes: Planes) -> None:
    before = planes.world.route53.changes.copy()
    planes.start(B, "r1", B)
    planes.minutes(4)
    assert planes.world.route53.changes == before


def test_the_other_region_alone_fails_over_and_lets_in_when_it_is_back(planes: Planes) -> None:
    planes.world.down.add(A)
    planes.start(B, "r1", B, unplanned=True, force=True)
    planes.minutes(4)
    assert set(planes.seen().values()) == {B}
    assert planes.world.rds.begun == [("FailoverGlobalCluster", B)]
    planes.world.down.clear()
    planes.minutes(2)
    assert set(planes.seen().values()) == {B}, "nothing comes back by itself"
    planes.start(A, "r2", A)
    planes.minutes(5)
    assert set(planes.seen().values()) == {A}
    assert _states(planes, B) == {"r1": "DONE", "r2": "DONE"}


def test_coming_back_while_the_switch_of_the_favourite_is_in_a_region_that_is_down(planes: Planes) -> None:
    """Its own switch cannot be taken back: with both out, Route 53 answers by weights."""
    planes.start(B, "r1", B)
    planes.minutes(4)
    planes.world.down.add(B)
    planes.start(A, "r2", A, unplanned=True, force=True)
    planes.minutes(4)
    assert set(planes.seen().values()) == {A}
    assert _states(planes, A)["r2"] == "OPEN"
    planes.world.down.clear()
    planes.minutes(3)
    assert _states(planes, A)["r2"] == "DONE"
    assert set(planes.seen().values()) == {A}
    # And it can go again.
    planes.world.down.add(A)
    planes.start(B, "r3", B, unplanned=True, force=True)
    planes.minutes(4)
    assert set(planes.seen().values()) == {B}


def test_both_down_in_turn_while_the_other_is_still_out_goes_by_weights(planes: Planes) -> None:
    planes.start(B, "r1", B)
    planes.minutes(4)
    planes.world.down.add(B)
    planes.start(A, "r2", A, unplanned=True, force=True)
    planes.minutes(3)
    planes.world.down = {A}
    # What A has done, nobody in B has heard of: there, B serves.
    with pytest.raises(RefusedError, match="is served from eu-west-1, not from us-east-1"):
        planes.start(B, "r3", B, unplanned=True)
    assert set(planes.seen().values()) == {A}
    planes.world.pass_time(600)
    planes.start(B, "r3", B, unplanned=True, force=True, mode="weights")
    planes.minutes(6)
    assert set(planes.seen().values()) == {B}
    planes.world.down.clear()
    planes.minutes(6)
    assert set(planes.seen().values()) == {B}
    assert _states(planes, A) == {"r1": "DONE", "r2": "SUPERSEDED", "r3": "DONE"}


def test_the_same_request_again_changes_nothing(planes: Planes) -> None:
    planes.start(B, "r1", B)
    planes.minutes(4)
    planes.start(B, "r2", A)
    planes.minutes(5)
    before = dict(planes.world.tables[A].items)
    assert planes.start(B, "r1", B)["progress"]["state"] == "DONE"
    assert planes.start(A, "r1", B)["progress"]["state"] == "DONE"
    assert planes.world.tables[A].items == before
    planes.minutes(2)
    assert set(planes.seen().values()) == {A}


def test_an_id_that_asked_for_something_else_is_refused(planes: Planes) -> None:
    planes.start(B, "r1", B)
    with pytest.raises(RefusedError, match="r1 is there and asks for something else"):
        planes.start(B, "r1", A)


def test_what_speaks_against_it_refuses_it_and_is_recorded_when_forced(planes: Planes) -> None:
    planes.world.watches[B].set("healthy", "INSUFFICIENT_DATA")
    planes.minutes(1)
    with pytest.raises(RefusedError, match="alarm healthy in eu-west-1 is INSUFFICIENT_DATA, not OK"):
        planes.start(B, "r1", B)
    assert planes.commands(B).run("history", {"group": "shop"}, actor="x") == {"history": []}
    told = planes.start(B, "r1", B, force=True)
    assert told["request"]["overridden"] == ["alarm healthy in eu-west-1 is INSUFFICIENT_DATA, not OK"]
    (line, *_) = planes.commands(B).run("history", {"group": "shop"}, actor="x")["history"]
    assert "user/ann asked for eu-west-1 (test); overridden: alarm healthy" in line["message"]


def test_only_true_is_force(planes: Planes) -> None:
    planes.world.watches[B].set("healthy", "ALARM")
    planes.minutes(1)
    with pytest.raises(RefusedError, match="no go"):
        planes.start(B, "r1", B, force="false")


def test_one_is_under_way_at_a_time_in_a_region(planes: Planes) -> None:
    planes.start(B, "r1", B)
    with pytest.raises(RefusedError, match=r"request r1 of .* is under way"):
        planes.start(B, "r2", A)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("later", [A, B])
def test_two_operators_in_two_regions_end_in_one_state(planes: Planes, mode: Mode, heard: bool, later: str) -> None:
    """They ask for the opposite before either Region hears of the other's request, and are at work for a while."""
    first = planes.catalogue.other(later)
    planes.start(first, "x", first, force=True, mode=mode.value)
    planes.world.pass_time(1)
    planes.start(later, "y", later, force=True, mode=mode.value)
    if heard:
        planes.world.replicate()
    planes.minutes(8)
    assert _states(planes, A) == _states(planes, B)
    assert _states(planes, A)["y"] == "DONE"
    # Done before it was replaced, or not: it is not half done.
    assert _states(planes, A)["x"] in {"DONE", "SUPERSEDED"}
    assert set(planes.seen().values()) == {later}
    assert planes.world.rds.writer("orders") == later


def test_a_single_application_goes_by_weights_and_alone(planes: Planes) -> None:
    planes.start(B, "r1", B, "app2")
    planes.minutes(4)
    assert planes.seen() == {"app1": A, "app2": B, "app3": A}
    assert planes.world.rds.begun == []
    planes.start(B, "r2", B)
    planes.minutes(4)
    assert set(planes.seen().values()) == {B}
    with pytest.raises(RefusedError, match="has taken us-east-1 out for all of its applications"):
        planes.start(A, "r3", A, "app2")
    planes.start(A, "r4", A)
    planes.minutes(5)
    assert set(planes.seen().values()) == {A}, "the whole group, whatever was alone before"


def test_a_group_without_a_switch_goes_by_weights() -> None:
    planes = Planes(catalogue=catalogue(group(mode=Mode.WEIGHTS)))
    planes.minutes(1)
    planes.start(B, "r1", B)
    planes.minutes(3)
    assert set(planes.seen().values()) == {B}
    assert not any("-out" in name for watch in planes.world.watches.values() for name in watch.states)
    planes.start(B, "r2", A)
    planes.minutes(3)
    assert set(planes.seen().values()) == {A}


def test_the_reconciler_says_what_disagrees_and_puts_weights_right(planes: Planes) -> None:
    planes.world.route53.zones["Z1"][("app1.shop.example.com.", "CNAME", A)]["Weight"] = 0
    planes.world.route53.zones["Z1"][("app1.shop.example.com.", "CNAME", B)]["Weight"] = 100
    planes.minutes(40)
    assert planes.seen()["app1"] == A
    (line,) = planes.commands(A).run("history", {"group": "shop"}, actor="x")["history"]
    assert line["message"] == "app1.shop.example.com. had other weights than the table: written again"
    counts = [
        one["Value"]
        for watch in planes.world.watches.values()
        for one in watch.put
        if one["MetricName"] == "Disagreements"
    ]
    assert 1 in counts
    assert counts[-1] == 0


def test_records_that_are_not_there_are_told_and_not_made(planes: Planes) -> None:
    zone = planes.world.route53.zones["Z2"]
    kept = dict(zone)
    zone.clear()
    planes.minutes(16)
    assert zone == {}
    (line,) = planes.commands(A).run("history", {"group": "shop"}, actor="x")["history"]
    assert line["message"] == "there are no records of app3: deploy their stack"
    zone |= kept


def test_a_drill_is_a_failover_that_reaches_no_further_than_its_region(planes: Planes) -> None:
    planes.world.calls.clear()
    planes.commands(B).run("drill", {"group": "shop", "id": "d1"}, actor="ann")
    for _ in range(5):
        planes.minute(B)
        planes.world.pass_time(60)
    assert {region for region, _ in planes.world.calls} == {B, ""}
    assert set(planes.denied) == {A}
    assert set(planes.seen().values()) == {B}
    *_, line = planes.commands(B).run("history", {"group": "shop"}, actor="x")["history"]
    assert "drill: group shop is served from eu-west-1 since 2026-" in line["message"]
    assert planes.region(B).table.drilled_at("shop")


def test_applications_that_are_no_more_are_forgotten_and_those_of_others_are_not(planes: Planes) -> None:
    from dataclasses import replace

    table = planes.region(A).table
    other = replace(application(9), source="tenant acme")
    table.register("by hand", [other], [])
    fewer = replace(planes.catalogue, applications=planes.catalogue.applications[:1])
    planes.catalogue = fewer
    planes.minutes(1)
    assert [one.name for one in table.applications("shop")] == ["app1", "app9"]


def test_what_cannot_be_asked_for_is_refused_all_at_once(planes: Planes) -> None:
    with pytest.raises(GranaryError) as raised:
        planes.start(B, "no spaces", "mars-1", "app7", reason=" ", mode="magic")
    for said in (
        "mode is switch or weights",
        "id has 1 to 64",
        "from and to are the Regions",
        "reason says why",
        "no application app7",
    ):
        assert said in str(raised.value)


def _automatic() -> Planes:
    wanted = Automatic(alarms=("gone",), after_minutes=5, cool_down_minutes=60)
    planes = Planes(catalogue=catalogue(group(automatic=wanted)))
    planes.minutes(2)
    return planes


def test_it_fails_over_by_itself_when_alarms_ring_for_long_and_stays_there() -> None:
    planes = _automatic()
    planes.world.watches[B].set("gone", "ALARM")
    planes.minutes(4)
    assert set(planes.seen().values()) == {A}, "not yet"
    planes.minutes(4)
    assert set(planes.seen().values()) == {B}
    planes.world.watches[B].set("gone", "OK")
    planes.minutes(90)
    assert set(planes.seen().values()) == {B}, "it never comes back by itself"
    (found,) = planes.commands(B).run("status", {}, actor="x")["groups"]
    assert [one["request"]["actor"] for one in found["requests"]] == ["automatic"]


def test_by_itself_it_forces_nothing_and_says_once_why_not() -> None:
    planes = _automatic()
    planes.world.watches[B].set("gone", "ALARM")
    planes.world.watches[B].set("healthy", "ALARM")
    planes.minutes(30)
    assert set(planes.seen().values()) == {A}
    (said,) = [one for one in planes.world.said if "no go" in one["Detail"]]
    assert "alarm healthy in eu-west-1 is ALARM" in said["Detail"]


def test_a_database_that_is_restored_comes_once_and_its_name_follows() -> None:
    restore = Restore(backups="arn:backups", instance="reports", subnet_group="s")
    reports = Database(name="reports", restores={B: restore}, record="db.example.com", zone="Z1")
    planes = Planes(catalogue=catalogue(group(databases=(reports,))))
    planes.minutes(1)
    planes.start(B, "r1", B)
    planes.minutes(5)
    assert planes.world.rds.begun == [("Restore", "arn:backups")]
    record = planes.world.route53.zones["Z1"][("db.example.com", "CNAME", "")]
    assert record["ResourceRecords"] == [{"Value": "reports.rds.example.com"}]
    assert set(planes.seen().values()) == {B}
    with pytest.raises(RefusedError, match="reports cannot come to us-east-1"):
        planes.start(A, "r2", A)


def test_facts_are_measured_and_what_is_no_number_is_not_known() -> None:
    measure = Measure(namespace="N", metric="Lag", dimensions={A: {}, B: {}})
    planes = Planes(catalogue=catalogue(group(measures={"lag": measure}, revision="/shop/revision")))
    for region, lag in ((A, [1.0]), (B, [0.2, float("nan")])):
        planes.world.watches[region].measures["Lag"] = lag
        planes.world.watches[region].states["/shop/revision"] = ("r7", planes.world.now)
    planes.minutes(1)
    plan = planes.commands(B).run("plan", _body("p"), actor="x")
    assert plan["reasons"] == ["nobody knows how far the data in eu-west-1 is behind: its metric has no values"]
    planes.world.watches[B].measures["Lag"] = [0.2]
    planes.minutes(6)
    plan = planes.commands(B).run("plan", _body("p"), actor="x")
    assert (plan["go"], plan["steps"], plan["applications"], plan["records"]) == (True, ["switch"], 3, 0)
    planes.start(B, "r1", B)
    planes.minutes(3)
    *_, line = planes.commands(B).run("history", {"group": "shop"}, actor="x")["history"]
    assert "data was behind by 1 s (test)" in line["message"]


def _body(request: str) -> dict[str, str]:
    return {"group": "shop", "id": request, "from": A, "to": B, "reason": "x"}


def test_many_groups_have_many_alarms_and_all_are_seen() -> None:
    alarms = {name: tuple(f"{name}-{number}" for number in range(3)) for name in (f"shop{one}" for one in range(40))}
    groups = [group(name, alarms={A: its, B: its}) for name, its in alarms.items()]
    planes = Planes(catalogue=catalogue(*groups, applications=[application(1, "shop0")]))
    planes.minutes(2)
    for one in groups:
        plan = planes.commands(B).run("plan", {**_body("p"), "group": one.name}, actor="x")
        assert (plan["go"], plan["reasons"]) == (True, [])


def test_what_is_thrown_away_never_holds_up_the_other_groups() -> None:
    planes = Planes(catalogue=catalogue(group("broken"), group()))
    planes.minutes(1)
    planes.world.tables[B].items[("placements", "broken")] = (9e9, 0, {"text": {"S": "{"}})
    planes.start(B, "r1", B)
    for _ in range(3):
        with pytest.raises(GranaryError, match="the switch of group broken was not published"):
            planes.minute(B)
        planes.world.pass_time(60)
    assert set(planes.seen().values()) == {B}


def test_a_request_that_is_repeated_where_nobody_has_heard_of_it_is_whole_too(planes: Planes) -> None:
    """It was superseded in the Region that knows it; then the other one takes it anew, and its word is the last."""
    planes.world.down.add(A)
    planes.start(B, "r1", B, force=True)
    planes.start(B, "r2", A, force=True)
    planes.minutes(4)
    assert _states(planes, B)["r1"] == "SUPERSEDED"
    planes.world.down = {B}
    planes.start(A, "r1", B, force=True)
    planes.world.down.clear()
    planes.minutes(8)
    assert _states(planes, A) == _states(planes, B) == {"r1": "DONE", "r2": "SUPERSEDED"}
    assert set(planes.seen().values()) == {B}
    assert planes.world.rds.writer("orders") == B


def test_a_request_that_arrives_before_the_placement_that_names_it_is_waited_for(planes: Planes) -> None:
    """The two were written together, and are replicated one by one."""
    planes.start(A, "r1", B)
    planes.world.replicate("requests")
    planes.minute(B)
    assert planes.world.rds.begun == [], "B does not know yet that it counts"
    planes.minutes(6)
    assert _states(planes, A) == _states(planes, B) == {"r1": "DONE"}
    assert set(planes.seen().values()) == {B}


def test_a_request_whose_placement_is_held_up_by_an_outage_is_not_superseded(planes: Planes) -> None:
    """Its Region goes down between the two, for longer than replication takes."""
    planes.start(A, "r1", B, "app1", force=True)
    planes.world.replicate("requests")
    planes.world.down = {A}
    planes.world.pass_time(200)
    planes.minute(B)
    planes.world.down.clear()
    planes.world.replicate()
    planes.minutes(10)
    assert _states(planes, B) == {"r1": "DONE"}
    assert planes.seen()["app1"] == B


def test_a_request_that_was_replaced_while_it_was_at_work_does_no_more(planes: Planes) -> None:
    """Its run looks at the placement before each step, not only when it begins."""
    planes.start(B, "r1", B)
    planes.start(A, "r2", A, force=True)
    planes.world.replicate()
    region = planes.region(B)
    request = region.table.request("shop", "r1")
    assert request is not None
    before = (list(planes.world.rds.begun), list(planes.world.watches[B].put))
    assert Executing(region=region, holder="its run").advance(request).state == "SUPERSEDED"
    assert planes.world.rds.begun == before[0]
    assert not [one for one in planes.world.watches[B].put[len(before[1]) :] if one["MetricName"] == "RegionOut"]


def test_an_alarm_that_has_had_no_time_to_follow_disagrees_with_nobody(planes: Planes) -> None:
    """A failback has just ended, and lets the Region that was left in again; then the quarter of an hour is over."""
    planes.start(B, "r1", B)
    planes.minutes(20)
    planes.start(A, "r2", A)
    for _ in range(8):
        for region in (A, B):
            for lease in ("compare/shop", f"compare/shop/{region}"):
                planes.world.tables[region].items.pop(("leases", lease), None)
        planes.minutes(1)
    assert _states(planes, A)["r2"] == "DONE"
    said = planes.commands(A).run("history", {"group": "shop"}, actor="x")["history"]
    assert not [one for one in said if "does not follow" in one["message"]]


@pytest.mark.parametrize("region", [A, B])
def test_each_region_compares_its_own_alarm(planes: Planes, region: str) -> None:
    """The one that takes the primary out lives in the standby Region."""
    planes.minutes(16)
    watch, other = planes.world.watches[region], planes.catalogue.other(region)
    watch.set(NAMES.alarm("shop", other), "ALARM")
    watch.evaluate = lambda: None  # type: ignore[method-assign]
    planes.minutes(16)
    (line,) = planes.commands(region).run("history", {"group": "shop"}, actor="x")["history"]
    said = f"alarm granary-resilience-failover-shop-{other}-out in {region} does not follow the table"
    assert line["message"].startswith(said)
    assert 1 in [one["Value"] for one in watch.put if one["MetricName"] == "Disagreements"]


@pytest.mark.parametrize("region", [A, B])
def test_only_a_group_with_a_switch_compares_one(region: str) -> None:
    planes = Planes(catalogue=catalogue(group(mode=Mode.WEIGHTS)))
    planes.minutes(16)
    leases = {name for key, name in planes.world.tables[region].items if key == "leases"}
    assert "compare/shop" in leases
    assert f"compare/shop/{region}" not in leases


def test_both_regions_draw_which_of_them_dns_answers_with(planes: Planes) -> None:
    planes.minutes(16)
    for watch in planes.world.watches.values():
        assert [one["Value"] for one in watch.put if one["MetricName"] == "Weight"][-2:] == [100, 0]


def test_however_many_came_later_none_is_left_open(planes: Planes) -> None:
    for number in range(25):
        planes.start(A, f"r{number}", B, "app1", force=True)
        planes.world.pass_time(1)
    planes.minutes(6)
    assert planes.region(B).table.unfinished("shop") == []


def test_what_the_last_drill_has_restored_is_not_taken_for_todays_data() -> None:
    restores = {at: Restore(backups=f"arn:{at}", instance=f"reports-{at}", subnet_group="s") for at in (A, B)}
    planes = Planes(catalogue=catalogue(group(databases=(Database(name="reports", restores=restores),))))
    planes.minutes(2)
    planes.commands(B).run("drill", {"group": "shop", "id": "d1"}, actor="ann")
    planes.minutes(5)
    planes.start(A, "r2", A)
    planes.minutes(10)
    assert set(planes.seen().values()) == {A}
    plan = planes.commands(B).run("plan", _body("p"), actor="x")
    said = (
        "instance reports-eu-west-1 is in eu-west-1 already, with the data of an earlier failover: delete or rename it"
    )
    assert plan["reasons"] == [said]
    for command in ("start", "drill"):
        with pytest.raises(RefusedError, match="reports-eu-west-1 is in eu-west-1 already"):
            planes.commands(B).run(command, _body("r3"), actor="x")
    del planes.world.rds.instances[f"reports-{B}"]
    planes.minutes(1)
    planes.start(B, "r3", B)
    planes.minutes(5)
    assert planes.world.rds.begun[2:] == [("Restore", f"arn:{B}")]
    assert set(planes.seen().values()) == {B}


def test_what_rds_does_not_tell_leaves_the_facts_as_they_were() -> None:
    restore = Restore(backups="arn", instance="reports", subnet_group="s")
    planes = Planes(catalogue=catalogue(group(databases=(Database(name="reports", restores={B: restore}),))))
    planes.minutes(1)
    planes.start(B, "r1", B)
    planes.minutes(5)

    def refuses(_region: str, call: str) -> None:
        if call == "DescribeDBInstances":
            raise refusal("InternalFailure", status=500)

    planes.world.fault = refuses
    with pytest.raises(GranaryError, match="restored databases of group shop"):
        planes.minute(B)
    facts = planes.region(B).table.facts(B)
    assert (facts.at, facts.of("shop").restored) == (stamp(planes.world.now), ("reports",))
