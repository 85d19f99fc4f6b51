"""What a round does with the names of tenants: all of them at once, given what is known of each; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Mode
from lambdas.resilience.model.failover.claims import Health, Name, Step, gone, made
from lambdas.resilience.model.failover.packing import ACTION
from lambdas.resilience.model.failover.tenants import Wishes

# So many may always go at once: of a few, one is a large share.
_ALWAYS_GO, _SHARE = 5, 10


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a round works with: `held` are groups that it leaves alone, with the reason, and `health` the other groups.

    Of groups that are `busy`, with a request under way, it makes only records that an application lacks.
    Unless the tenants that were listed are `whole`, nobody goes. `confirmed` is how many may, a person has said.
    """

    names: Sequence[Name]
    wishes: Wishes
    health: Mapping[str, Health]
    held: Mapping[str, str] = field(default_factory=dict)
    busy: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True
    confirmed: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps, and who waits or is wrong, with the reason, by group and name."""

    steps: list[Step] = field(default_factory=list)
    waiting: dict[str, dict[str, str]] = field(default_factory=dict)
    wrong: dict[str, dict[str, str]] = field(default_factory=dict)


def plan(catalogue: Catalogue, known: Known) -> Plan:
    """Decide about each name; only what is wanted, or certainly no more, is touched."""
    waiting, wrong = ({group: dict(its) for group, its in one.items()} for one in known.wishes.told)
    found = Plan(waiting=waiting, wrong=wrong)
    brake = _brake(catalogue, known)
    for name in known.names:
        if name.record in known.wishes.stays:
            continue
        wanted = _wanted(known, name)
        group = (wanted or name.known[0]).group
        groups = sorted(_groups(name, wanted))
        held = [why[one] for why in (known.held, known.busy) for one in groups if one in why]
        if held and not known.held.keys() & set(groups) and (step := _mended(catalogue, known, name)):
            found.steps.append(step)
        if held or (wanted is None and not known.whole):
            found.waiting.setdefault(group, {})[name.record] = held[0] if held else "not all tenants could be read"
            continue
        if brake and _goes(catalogue, known, name):
            found.wrong.setdefault(group, {})[name.record] = brake
            continue
        step = _step(catalogue, known, name, wanted)
        if step.problem:
            found.wrong.setdefault(group, {})[name.record] = step.problem
        elif wanted is None and not step.free:
            found.waiting.setdefault(group, {})[name.record] = "its records are being taken away"
        if not step.is_empty:
            found.steps.append(step)
    return found


def _wanted(known: Known, name: Name) -> Application | None:
    """What a name is to be; nothing when that is in another zone, until it is gone from the one where it is."""
    wanted = known.wishes.wanted.get(name.record)
    return None if wanted and name.known and name.known[0].zone != wanted.zone else wanted


def _step(catalogue: Catalogue, known: Known, name: Name, wanted: Application | None) -> Step:
    groups = {one.name: one for one in catalogue.groups}
    if wanted is None:
        its = groups.get(name.known[0].group)
        return gone(name, its.primary if its else catalogue.regions[0])
    health, group = known.health[wanted.group], groups[wanted.group]
    if group.mode is Mode.SWITCH and set(health.checks) != set(catalogue.regions):
        return Step(name=name, problem=f"group {group.name} has no health checks yet: deploy the stack that makes them")
    return made(name, wanted, health)


def _mended(catalogue: Catalogue, known: Known, name: Name) -> Step | None:
    """Records that an application lacks, and nothing else."""
    if len(name.items) != 1 or name.items[0] != name.claim or name.items[0].group not in known.health:
        return None
    step = _step(catalogue, known, name, name.items[0])
    return step if step.changes and {one[ACTION] for one in step.changes} == {"CREATE"} else None


def _groups(name: Name, wanted: Application | None) -> set[str]:
    return {one.group for one in (*name.known, *((wanted,) if wanted else ()))}


def _brake(catalogue: Catalogue, known: Known) -> str:
    """Why nobody goes; empty when those who are to go may: a list that was emptied is no wish of anybody."""
    go = sum(_goes(catalogue, known, one) for one in known.names)
    fleet = sum(bool(one.items) for one in known.names)
    if go <= max(_ALWAYS_GO, fleet * _SHARE // 100, known.confirmed):
        return ""
    return (
        f"{go} of {fleet} applications of tenants would go, and none does: if all of them are to, confirm it with "
        f'{{"take_away": {go}}}, as the runbook says'
    )


def _goes(catalogue: Catalogue, known: Known, name: Name) -> bool:
    """Whether a name goes, and nobody has said so: who is no application any more was let go before."""
    is_withdrawn = any(entry.withdrawn and entry.gave(one) for entry in catalogue.tenants for one in name.known)
    stays = name.record in known.wishes.stays or _wanted(known, name) is not None
    return bool(name.items) and not stays and not is_withdrawn
