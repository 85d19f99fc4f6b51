"""Findings of two runs: what is the same, what is new, what is gone, and what nobody can tell."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.finding import Finding, Package, Place
from lambdas.common.evidence.matching import match
from tests.unit.lambdas.common.evidence.test_finding import FINDINGS


def found(**given: object) -> Finding:
    return replace(Finding(tool="t", rule="r", title="T"), **given)  # type: ignore[arg-type]


def test_first_seen_is_kept_and_the_rest_is_of_this_run() -> None:
    old = found(resource="a", first_seen="2026-01-01", place=Place(line=3))
    new = found(resource="a", first_seen="2026-02-02", place=Place(line=9), title="Another")
    matches = match([old], [new])
    assert matches.same == ((old, replace(new, first_seen="2026-01-01")),)
    assert (matches.new, matches.gone, matches.unsure) == ((), (), ())


def test_what_is_gone_is_gone_and_what_is_new_is_new() -> None:
    old, new = found(resource="a"), found(resource="b")
    matches = match([old], [new])
    assert (matches.same, matches.new, matches.gone, matches.unsure) == ((), (new,), (old,), ())


def test_the_same_text_in_a_renamed_function_is_the_same() -> None:
    old = found(resource="f", content="ab12", place=Place(path="a.py"))
    new = found(resource="g", content="ab12", place=Place(path="a.py"))
    assert match([old], [new]).same == ((old, new),)


def test_another_secret_at_the_same_place_is_new() -> None:
    old = found(resource="f", content="ab12", place=Place(path="a.py"))
    new = found(resource="f", content="cd34", place=Place(path="a.py"))
    matches = match([old], [new])
    assert (matches.new, matches.gone) == ((new,), (old,))


def test_a_resource_whose_file_was_renamed_is_the_same() -> None:
    old, new = (found(resource="aws_s3_bucket.b", place=Place(path=path)) for path in ("a.tf", "b.tf"))
    assert match([old], [new]).same == ((old, new),)


def test_another_version_of_a_package_with_the_same_problem_is_the_same() -> None:
    old, new = (found(package=Package(name="lib", installed=version)) for version in ("1.0", "1.1"))
    assert match([old], [new]).same == ((old, new),)


def test_what_could_be_several_stays_open_and_is_new() -> None:
    """One package twice, at two versions; both are raised: which was which cannot be told."""
    olds = [found(package=Package(name="lib", installed=version)) for version in ("1.0", "2.0")]
    news = [found(package=Package(name="lib", installed=version)) for version in ("1.1", "2.1")]
    matches = match(olds, news)
    assert (matches.same, matches.gone) == ((), ())
    assert set(matches.unsure) == set(olds)
    assert set(matches.new) == set(news)


def test_what_is_exactly_the_same_takes_no_part_in_guesses() -> None:
    stays, old = (found(package=Package(name="lib", installed=version)) for version in ("1.0", "2.0"))
    new = found(package=Package(name="lib", installed="2.1"))
    assert match([stays, old], [new, stays]).same == ((stays, stays), (old, new))


@given(last=st.lists(FINDINGS, max_size=8), now=st.lists(FINDINGS, max_size=8))
def test_each_finding_is_in_one_place(last: list[Finding], now: list[Finding]) -> None:
    matches = match(last, now)
    olds = [old for old, _ in matches.same] + [*matches.gone, *matches.unsure]
    news = [new for _, new in matches.same] + [*matches.new]
    assert sorted(one.fingerprint for one in olds) == sorted({one.fingerprint for one in last})
    assert sorted(one.fingerprint for one in news) == sorted({one.fingerprint for one in now})
    assert all(old.rule_key == new.rule_key for old, new in matches.same)


@given(findings=st.lists(FINDINGS, max_size=8))
def test_a_run_matches_itself(findings: list[Finding]) -> None:
    matches = match(findings, reversed(findings))
    assert (matches.new, matches.gone, matches.unsure) == ((), (), ())
