"""Verdicts, and what they let go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.bundle import Bundle, Origin, Source
from lambdas.common.evidence.eligible import why_not_eligible
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Judgement, Outcome, Verdict, verdict_key, verdicts_of, worst

_MINE, _OTHER = "a" * 64, "b" * 64
_NOW = "2026-06-01T00:00:00.000+00:00"
_TIMES = ["2026-05-01T00:00:00.000+00:00", "2026-05-02T00:00:00.000+00:00", "2026-05-02T00:00:00.001+00:00"]
_EXPIRIES = ["2026-05-31T23:59:59.999+00:00", _NOW, "2026-06-01T00:00:00.001+00:00"]
_SOURCE = Source(bucket="releases", key="releases/r1/source.zip", version_id="v1")
_GATES = ("code", "dependencies", "secrets")


def bundle(*digests: str) -> Bundle:
    return Bundle(
        subject=tuple(Subject(name=f"part{n}", digest=Digest(sha256=one)) for n, one in enumerate(digests)),
        predicate=Origin(revision="r1", source=_SOURCE, published_at=_TIMES[0]),
    )


def verdict(gate: str = "secrets", *digests: str, **facts: Any) -> Verdict:
    known = {"outcome": Outcome.PASS, "reason": "", "tool": "t", "judged_at": _TIMES[0], "expires_at": _EXPIRIES[2]}
    return Verdict(
        subject=tuple(Subject(name="source.zip", digest=Digest(sha256=one)) for one in digests or (_MINE,)),
        predicate=Judgement(**{"gate": gate, **known, **facts}),
    )


def against(*verdicts: Verdict, demands: Sequence[str] = ("secrets",), forward: bool = True) -> list[str]:
    return why_not_eligible(bundle(_MINE), verdicts=verdicts, demands=demands, now=_NOW, forward=forward)


_VERDICTS = st.lists(
    st.builds(
        lambda gate, digests, **facts: verdict(gate, *digests, **facts),
        st.sampled_from((*_GATES, "another")),
        st.sampled_from(((_MINE,), (_OTHER,), (_OTHER, _MINE))),
        outcome=st.sampled_from([Outcome.PASS, Outcome.PASS, *Outcome]),
        judged_at=st.sampled_from(_TIMES),
        expires_at=st.sampled_from(_EXPIRIES),
    ),
    max_size=6,
)


@given(_VERDICTS, st.sets(st.sampled_from(_GATES)), st.booleans())
def test_nothing_passes_by_accident(verdicts: list[Verdict], demands: set[str], forward: bool) -> None:
    """Nothing stands against it if, and only if, the newest of each gate are PASS, about it, and count.

    "Newest" is what no other of its gate is later than: of two at one time, each. And each gate that is demanded has
    judged.
    """

    def good(one: Verdict) -> bool:
        about = _MINE in {subject.digest.sha256 for subject in one.subject}
        counts = not forward or one.predicate.expires_at > _NOW
        return about and counts and one.predicate.outcome is Outcome.PASS

    newest = [
        one
        for one in verdicts
        if not any(
            it.predicate.gate == one.predicate.gate and it.predicate.judged_at > one.predicate.judged_at
            for it in verdicts
        )
    ]
    judged = {one.predicate.gate for one in newest}
    eligible = demands <= judged and all(map(good, newest))
    assert (against(*verdicts, demands=sorted(demands), forward=forward) == []) is eligible


@given(_VERDICTS, st.permutations(range(6)))
def test_the_order_in_which_verdicts_are_read_decides_nothing(verdicts: list[Verdict], order: list[int]) -> None:
    mixed = [verdicts[number] for number in order if number < len(verdicts)]
    assert sorted(against(*mixed, demands=_GATES)) == sorted(against(*verdicts, demands=_GATES))


def test_each_reason_says_what_to_do() -> None:
    assert against() == ["gate secrets has left no verdict: run the pipeline again, so that the gates judge it anew"]
    (told,) = against(verdict("secrets", _OTHER))
    assert told.startswith(f"gate secrets is about something else ({_OTHER[:12]}) than part0 ({_MINE[:12]})")
    (told,) = against(verdict(outcome=Outcome.FAIL, reason="HIGH x at y"))
    assert told == "gate secrets says FAIL: HIGH x at y"
    (told,) = against(verdict(expires_at=_NOW))
    assert f"which counts until {_NOW}" in told
    assert against(verdict(expires_at=_NOW), forward=False) == []


def test_every_part_of_what_is_deployed_is_judged() -> None:
    two = bundle(_MINE, _OTHER)
    told = why_not_eligible(two, verdicts=[verdict()], demands=["secrets"], now=_NOW)
    assert "is about something else" in told[0]
    both = verdict("secrets", _OTHER, _MINE)
    assert why_not_eligible(two, verdicts=[both], demands=["secrets"], now=_NOW) == []


def test_what_has_no_digest_is_judged_by_nobody() -> None:
    nameless = why_not_eligible(bundle(""), verdicts=[verdict("secrets", "")], demands=["secrets"], now=_NOW)
    assert "is about something else (nothing)" in nameless[0]


def test_a_bundle_of_nothing_is_judged_by_nobody() -> None:
    told = why_not_eligible(bundle(), verdicts=[verdict()], demands=["secrets"], now=_NOW)
    assert told == ["it names nothing that a gate could have judged: publish it anew"]


@pytest.mark.parametrize(
    ("passed_at", "failed_at"),
    [
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00.500+00:00"),
        ("2026-05-01T13:00:00.000+05:00", "2026-05-01T09:00:00.000+00:00"),
    ],
)
def test_times_are_compared_as_times_however_they_are_written(passed_at: str, failed_at: str) -> None:
    told = against(verdict(judged_at=passed_at), verdict(judged_at=failed_at, outcome=Outcome.FAIL))
    assert told == ["gate secrets says FAIL: "]
    assert "which counts until" in against(verdict(expires_at="2026-06-01T04:00:00.000+05:00"))[0]
    assert against(verdict(expires_at="2026-05-31T23:00:00.000-05:00")) == []


@pytest.mark.parametrize("forward", [True, False])
def test_a_verdict_of_a_time_that_is_to_come_counts_for_nothing_and_hides_none(forward: bool) -> None:
    """Given a build whose clock was wrong, then its PASS is not the newest for years."""
    ahead, little = "2099-01-01T00:00:00.000+00:00", "2026-06-01T00:14:00.000+00:00"
    (told,) = against(verdict(judged_at=ahead, expires_at=ahead), forward=forward)
    assert f"delete verdicts/r1/secrets/{ahead}.json, then run the pipeline again" in told
    assert against(verdict(judged_at=little), forward=forward) == []
    hidden = against(verdict(outcome=Outcome.FAIL, reason="a key"), verdict(judged_at=ahead, expires_at=ahead))
    assert "gate secrets says FAIL: a key" in hidden


@pytest.mark.parametrize("name", ["judged_at", "expires_at"])
@pytest.mark.parametrize("time", ["", "zzz", 7, "2026-13-01T00:00:00Z"])
def test_a_verdict_without_its_times_is_none(name: str, time: object) -> None:
    data = json.loads(verdict().to_json())
    data["predicate"][name] = time
    with pytest.raises(UnreadableError, match=f"no verdict can be read .*{name}"):
        Verdict.from_json(json.dumps(data))


@pytest.mark.parametrize("kind", ["urn:granary:bundle", "https://slsa.dev/provenance/v1", None, 7])
def test_another_statement_about_the_same_is_no_verdict(kind: object) -> None:
    data = json.loads(verdict().to_json()) | {"predicateType": kind}
    with pytest.raises(UnreadableError, match="it is of type"):
        Verdict.from_json(json.dumps(data))


def test_the_worst_counts_and_of_none_nothing_is_known() -> None:
    assert worst() is Outcome.INCONCLUSIVE
    order = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.ABORTED, Outcome.ERROR]
    assert [worst(Outcome.PASS, one) for one in order] == order
    assert worst(*order) is Outcome.ERROR


def test_its_key_is_another_each_time_and_never_below_releases() -> None:
    assert verdict_key("r1", verdict()) == f"verdicts/r1/secrets/{_TIMES[0]}.json"
    assert verdict_key("r1", verdict(judged_at=_TIMES[1])).startswith(verdicts_of("r1"))


@given(
    st.dictionaries(st.text(max_size=5), st.integers(min_value=0), max_size=3),
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
)
def test_it_is_read_as_it_was_written(counts: dict[str, int], exceptions: tuple[str, ...]) -> None:
    one = verdict("secrets", _MINE, _OTHER, counts=counts, exceptions=exceptions, outcome=Outcome.FAIL)
    assert Verdict.from_json(one.to_json()) == one
    assert json.loads(one.to_json())["_type"] == "https://in-toto.io/Statement/v1"


def test_this_version_reads_what_the_next_one_writes() -> None:
    """Given fields that are not known here, then the rest is read; and what is required now may not be left out."""
    data = json.loads(verdict().to_json())
    data |= {"signature": {"by": "somebody"}, "_type": "https://in-toto.io/Statement/v2"}
    data["predicate"] |= {"policy": ["x"], "counts": {"HIGH": 2}}
    data["subject"][0]["digest"] |= {"sha512": "c" * 128}
    assert Verdict.from_json(json.dumps(data)) == verdict(counts={"HIGH": 2})
    for name in ("gate", "outcome", "judged_at", "expires_at"):
        less = {**data, "predicate": {key: value for key, value in data["predicate"].items() if key != name}}
        with pytest.raises(UnreadableError, match=f"{name} is missing"):
            Verdict.from_json(json.dumps(less))


def test_an_outcome_of_the_next_version_is_no_verdict_here() -> None:
    data = json.loads(verdict().to_json())
    data["predicate"]["outcome"] = "WAIVED"
    with pytest.raises(UnreadableError, match="'WAIVED' is unknown to this version"):
        Verdict.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"subject": [], "predicate": 1}', "[" * 100_000])
def test_what_is_no_verdict_says_so(text: str) -> None:
    with pytest.raises(UnreadableError, match="no verdict can be read"):
        Verdict.from_json(text)
