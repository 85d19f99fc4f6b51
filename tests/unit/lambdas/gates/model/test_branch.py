"""What a pushed commit is called where findings and verdicts are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.kept_report import Head
from lambdas.gates.model.branch import Branch

_ANY = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=" ~^:?*[\\"), min_size=1, max_size=256)


def _target(name: str, repository: str = "payments") -> str:
    return Branch(repository=repository, name=name, commit="c" * 40).target


def test_what_people_read_stays_as_it_is() -> None:
    assert _target("feature/PAY-1_two.three") == "payments/feature/PAY-1_two.three"


@given(_ANY)
def test_every_name_of_a_branch_is_a_target_below_its_repository(name: str) -> None:
    target = _target(name)
    Head(gate="payments-secrets", target=target, created="2026-06-01T09:00:00.000+00:00", findings=0)
    assert target.startswith("payments/")


@given(_ANY, _ANY)
def test_two_branches_are_two_targets(one: str, other: str) -> None:
    assert (_target(one) == _target(other)) == (one == other)


@given(_ANY)
def test_a_pull_request_is_judged_as_a_branch_that_nobody_can_push(name: str) -> None:
    """Git lets no name have two dots in a row."""
    one = Branch.of_pull_request("payments", number=7, commit="c" * 40)
    assert ".." in one.name
    assert (one.target, one.folder) == ("payments/pull-request..7", f"payments/{'c' * 40}")
    assert ".." in name or _target(name) != one.target


def test_its_verdicts_are_of_the_commit() -> None:
    assert Branch(repository="payments", name="a/b", commit="c" * 40).folder == f"payments/{'c' * 40}"


def test_a_name_turns_no_text_around_that_people_read() -> None:
    """Git takes such a letter in a name."""
    told = Branch(repository="payments", name="fix/\u202egnp", commit="c" * 40).told
    assert told == {"repository": "payments", "branch": "fix/\\u202egnp"}
