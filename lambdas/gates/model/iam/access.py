"""Whether a policy of an identity allows anything that a reference does not, in three answers; pure.

`PROVEN` and `WITNESS` hold whatever symbols stand for, and whether or not a wildcard crosses the parts of an ARN. What
is not understood is `UNDECIDED`, and actions that AWS may add later are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from fnmatch import filter as matching
from fnmatch import fnmatchcase
from itertools import islice, product

from lambdas.gates.model.iam.documents import Condition, Document, Statement, Strings
from lambdas.gates.model.iam.patterns import TooManyStatesError, arn_within, matches, outside, overlap

_TRIED = 30  # actions and resources of a kind that are tried for a witness


class Answer(Enum):
    """What is known."""

    PROVEN = "PROVEN"
    WITNESS = "WITNESS"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody wants to do."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer, with a request that is new or the statement that is not understood."""

    answer: Answer
    request: Request | None = None
    reason: str = ""


def new_access(new: Document, reference: Document, known: list[str]) -> Verdict:
    """Compare a policy with a reference; `known` are all actions there are."""
    if unclear := [*new.unclear, *reference.unclear]:
        return Verdict(answer=Answer.UNDECIDED, reason=unclear[0])
    if new.of_resource or reference.of_resource:
        return Verdict(answer=Answer.UNDECIDED, reason="policies of resources are not compared")
    undecided = Verdict(answer=Answer.PROVEN)
    for number, one in enumerate(new.statements):
        for part in _parts(one) if one.allow else ():
            if not _proven(part, new, reference):
                if request := next(_witnesses(part, new, reference, known), None):
                    return Verdict(answer=Answer.WITNESS, request=request)
                told = f"statement {number}: {part.actions.patterns[0]} on {part.resources.patterns[0]}"
                undecided = Verdict(
                    answer=Answer.UNDECIDED, reason=f"{told} is neither within the reference nor outside"
                )
    return undecided


def _parts(one: Statement) -> Iterator[Statement]:
    """A statement of one pattern each for a statement of several."""
    each = [
        [told] if told.negated else [replace(told, patterns=(pattern,)) for pattern in told.patterns]
        for told in (one.actions, one.resources)
    ]
    for actions, resources in product(*each):
        yield replace(one, actions=actions, resources=resources)


def _proven(part: Statement, new: Document, reference: Document) -> bool:
    if any(not one.allow and not one.conditions and _within(part, one) for one in new.statements):
        return True
    if not any(one.allow and _within(part, one) and _implies(part, one) for one in reference.statements):
        return False
    return all(
        one.allow
        or _apart(part.actions, one.actions)
        or _apart(part.resources, one.resources)
        or any(not two.allow and _within(one, two) and _implies(one, two) for two in new.statements)
        for one in reference.statements
    )


def _within(one: Statement, other: Statement) -> bool:
    return _contains(other.actions, one.actions) and _contains(other.resources, one.resources)


def _contains(whole: Strings, part: Strings) -> bool:
    if not part.negated:
        return all(whole.has_all_of(pattern) for pattern in part.patterns)
    left_out = replace(part, negated=False)
    return all(left_out.has_all_of(one) for one in whole.patterns) if whole.negated else whole.has_all_of("*")


def _apart(one: Strings, other: Strings) -> bool:
    if not one.negated:
        return not any(other.may_have(pattern) for pattern in one.patterns)
    return not other.negated and all(replace(one, negated=False).has_all_of(pattern) for pattern in other.patterns)


def _implies(one: Statement, other: Statement) -> bool:
    """Whether the conditions of one hold only where those of the other do."""
    return all(any(_stricter(mine, theirs) for mine in one.conditions) for theirs in other.conditions)


def _stricter(one: Condition, other: Condition) -> bool:
    if (one.operator, one.key) != (other.operator, other.key):
        return False
    if "not" in one.operator:  # then no value may fit
        return set(other.values) <= set(one.values)
    if one.operator.rpartition(":")[2].startswith("stringlike"):
        return all(Strings(patterns=other.values).has_all_of(value) for value in one.values)
    return set(one.values) <= set(other.values)


def allows(document: Document, request: Request, *, surely: bool) -> bool:
    """Whether a request is allowed; what cannot be told counts for no unless it only has to be possible."""
    fits = [(one.allow, _fits(one, request, surely=surely == one.allow)) for one in document.statements]
    return (True, True) in fits and (False, True) not in fits


def _fits(one: Statement, request: Request, *, surely: bool) -> bool:
    action = any(matches(pattern, request.action) for pattern in one.actions.patterns) != one.actions.negated
    is_in = arn_within if surely != one.resources.negated else lambda text, pattern: overlap(pattern, text)
    resource = any(is_in(_literal(request.resource), pattern) for pattern in one.resources.patterns)
    held = [_holds(test, request.context) for test in one.conditions]
    return action and resource != one.resources.negated and all(not surely if one is None else one for one in held)


def _literal(text: str) -> str:
    return text.replace("*", "${*}").replace("?", "${?}")


def _holds(test: Condition, context: Mapping[str, str]) -> bool | None:
    operator, value = test.operator.removesuffix("ifexists"), context.get(test.key)
    if ":" in operator or any("${" in one for one in test.values):
        return None
    if operator == "null":
        return (value is None) == (test.values == ("true",))
    if value is None:
        return operator != test.operator or "not" in operator
    if operator in ("stringlike", "stringnotlike"):
        return any(matches(one, value) for one in test.values) != ("not" in operator)
    if operator in ("stringequals", "stringnotequals", "bool"):
        return (value in test.values) != ("not" in operator)
    return None


def _witnesses(part: Statement, new: Document, old: Document, known: list[str]) -> Iterator[Request]:
    """Requests that are surely allowed now and cannot have been."""
    context = _context(part)
    contexts = [context, *({**context, **_context(one)} for one in old.statements if not one.allow)]
    for action, resource, each in product(_actions(part, old, known), _resources(part, old), contexts):
        request = Request(action=action, resource=resource, context=each)
        if allows(new, request, surely=True) and not allows(old, request, surely=False):
            yield request


def _context(one: Statement) -> dict[str, str]:
    """What makes conditions hold that want something of a value."""
    wanted = (test for test in one.conditions if test.values and "not" not in test.operator and test.operator != "null")
    return {test.key: test.values[0].replace("*", "x").replace("?", "x") for test in wanted}


def _actions(part: Statement, old: Document, known: list[str]) -> list[str]:
    """Some actions that it has: first those that the reference says nothing of, then some of each of its statements."""
    named = dict.fromkeys(one for pattern in part.actions.patterns for one in matching(known, pattern))
    mine = [one for one in known if one not in named] if part.actions.negated else list(named)
    found = list(islice((one for one in mine if not any(_has(two.actions, one) for two in old.statements)), _TRIED))
    for statement in old.statements:
        found += islice((one for one in mine if _has(statement.actions, one)), _TRIED)
    return list(dict.fromkeys(found))


def _has(strings: Strings, action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in strings.patterns) != strings.negated


def _resources(part: Statement, old: Document) -> list[str]:
    """Some resources that it has: inside and outside of what the reference names."""
    found = ["arn:aws:x:x:x:x"]
    others = [one.resources.patterns for one in old.statements]
    for pattern in part.resources.patterns:
        for each in [*others, tuple(one for group in others for one in group), ()]:
            try:
                found.append(outside(pattern, each) or "")
            except TooManyStatesError:
                continue
    found += [one.replace("*", "x").replace("?", "x") for group in [*others, part.resources.patterns] for one in group]
    return [one for one in dict.fromkeys(found) if one][: 4 * _TRIED]
