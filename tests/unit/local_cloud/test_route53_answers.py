"""What Route 53 answers: by weight and health, through CNAMEs and aliases."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from local_cloud.route53.answers import Answer, Answers, Zone, index, placeholder

_APEX = {"Name": "shop.example.", "Type": "SOA", "TTL": "900", "ResourceRecords": ["ns. admin. 1 7200 900 1209600 60"]}


def _record(name: str, kind: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"Name": f"{name}.shop.example.", "Type": kind, "TTL": "60", "ResourceRecords": list(values), **more}


def _place(name: str, weight: int) -> dict[str, Any]:
    """A weighted record of `app`, whose health check is called like the place."""
    value = f"{name}.example.net"
    return _record("app", "CNAME", value, SetIdentifier=name, Weight=weight, HealthCheckId=name)


def _alias(name: str, target: str, *, zone: str = "Z1", evaluate: bool = False, **more: Any) -> dict[str, Any]:
    there = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": evaluate}
    return {"Name": f"{name}.shop.example.", "Type": "A", "AliasTarget": there, **more}


def _answers(*records: dict[str, Any], ill: frozenset[str] = frozenset()) -> Answers:
    name = "shop.example."
    zone = Zone(id="Z1", account="1", name=name, names=index([_APEX, *records], name))
    return Answers(
        zone_of=lambda asked: zone if asked.endswith(name) else None,
        is_healthy=lambda _, check: check not in ill,
        address_of=placeholder,
        draw=random.Random(1),  # noqa: S311 - always the same draws
    )


def _seen(answers: Answers, name: str = "app", kind: str = "CNAME") -> Counter[str]:
    return Counter(answers.to(f"{name}.shop.example.", kind).lines[-1][3].partition(".")[0] for _ in range(1_000))


@pytest.mark.parametrize(
    ("weights", "ill", "seen"),
    [
        ({"a": 100, "b": 0}, "", {"a"}),
        ({"a": 100, "b": 0}, "a", {"b"}),
        ({"a": 100, "b": 0}, "ab", {"a"}),  # all unhealthy is all healthy, and then weights decide
        ({"a": 0, "b": 0}, "", {"a", "b"}),
        ({"a": 0, "b": 0}, "a", {"b"}),
        ({"a": 0, "b": 0}, "ab", {"a", "b"}),
        ({"a": 100, "b": 100, "c": 0}, "a", {"b"}),
    ],
)
def test_who_is_chosen(weights: dict[str, int], ill: str, seen: set[str]) -> None:
    answers = _answers(*(_place(name, weight) for name, weight in weights.items()), ill=frozenset(ill))
    assert set(_seen(answers)) == seen


def test_weights_are_shares() -> None:
    seen = _seen(_answers(_place("a", 30), _place("b", 10)))
    assert 700 < seen["a"] < 800
    seen = _seen(_answers(_place("a", 0), _place("b", 0)))
    assert 450 < seen["a"] < 550


def test_cnames_are_followed_within_the_zones() -> None:
    answers = _answers(_record("www", "CNAME", "App.shop.example"), _record("app", "A", "192.0.2.1", "192.0.2.2"))
    assert [line[1:] for line in answers.to("www.shop.example.", "A").lines] == [
        ("CNAME", 60, "App.shop.example"),
        ("A", 60, "192.0.2.1"),
        ("A", 60, "192.0.2.2"),
    ]
    assert len(answers.to("www.shop.example.", "CNAME").lines) == 1


def test_a_circle_of_cnames_ends() -> None:
    answers = _answers(_record("a", "CNAME", "b.shop.example"), _record("b", "CNAME", "a.shop.example"))
    assert answers.to("a.shop.example.", "A").code == "NOERROR"


def test_an_alias_answers_in_its_own_name() -> None:
    answers = _answers(_alias("www", "app.shop.example."), _record("app", "A", "192.0.2.1", TTL="5"))
    assert answers.to("www.shop.example.", "A").lines == (("www.shop.example.", "A", 5, "192.0.2.1"),)
    balancer = _answers(_alias("www", "lb.elb.example.", zone="Z2"))
    assert balancer.to("www.shop.example.", "A").lines == (
        ("www.shop.example.", "A", 60, placeholder("lb.elb.example")),
    )
    assert balancer.to("www.shop.example.", "AAAA").authority


def test_an_alias_is_as_well_as_its_target_where_it_says_so() -> None:
    targets = [
        _record(one, "A", value, HealthCheckId=one) for one, value in (("a", "192.0.2.1"), ("b", "198.51.100.1"))
    ]
    for evaluate, seen in ((True, {"198"}), (False, {"192"})):
        aliases = [
            _alias("www", f"{one}.shop.example.", evaluate=evaluate, SetIdentifier=one, Weight=weight)
            for one, weight in (("a", 1), ("b", 0))
        ]
        assert set(_seen(_answers(*targets, *aliases, ill=frozenset("a")), "www", "A")) == seen


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("gone.shop.example.", "A", "NXDOMAIN"),
        ("app.shop.example.", "TXT", "NOERROR"),
        ("between.shop.example.", "A", "NOERROR"),
        ("app.other.example.", "A", "REFUSED"),
    ],
)
def test_what_is_not_there(name: str, kind: str, code: str) -> None:
    answers = _answers(_record("app", "A", "192.0.2.1"), _record("a.between", "A", "192.0.2.1"))
    soa = (("shop.example.", "SOA", 900, _APEX["ResourceRecords"][0]),)
    assert answers.to(name, kind) == Answer(code=code, authority=() if code == "REFUSED" else soa)


def test_a_wildcard_stands_for_names_that_are_not_there() -> None:
    answers = _answers(_record("*", "A", "192.0.2.1"), _record("app", "A", "198.51.100.1"), _record("in.a", "TXT", "x"))
    assert answers.to("x.y.shop.example.", "A").lines == (("x.y.shop.example.", "A", 60, "192.0.2.1"),)
    assert answers.to("app.shop.example.", "A").lines[0][3] == "198.51.100.1"
    assert answers.to("a.shop.example.", "A").lines == ()
    assert answers.to("x.a.shop.example.", "A").code == "NXDOMAIN"
