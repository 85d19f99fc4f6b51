"""The commands of the API: plan, start, status, drill and history."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambdas.common.clock import since, stamp
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.common.isolation import contained
from lambdas.common.versioned_json import plain
from lambdas.common.written import cut, one_line
from lambdas.resilience.failover.executing import Executing
from lambdas.resilience.failover.region import Region
from lambdas.resilience.model.failover.automatic import ACTOR
from lambdas.resilience.model.failover.catalogue import Group, Mode
from lambdas.resilience.model.failover.names import COMMANDS
from lambdas.resilience.model.failover.placement import Placement, completed, moved
from lambdas.resilience.model.failover.readiness import FRESH, Readiness, judge
from lambdas.resilience.model.failover.request import RefusedError, Request, State
from lambdas.resilience.model.failover.steps import steps_of
from lambdas.resilience.model.failover.tenants import SOURCE
from lambdas.resilience.store.failover.bus import CHANGED

_ID = re.compile(r"[A-Za-z0-9._:+-]{1,64}")
_TOLD = 20
_WORDS = ("id", "group", "from", "to", "reason", "mode")
# Characters of a reason, which is in the mail, and in an item of at most 400 KB; and names of applications.
_LONGEST, _MANY = 500, 100


@dataclass(frozen=True, kw_only=True)
class Commands:
    """What people and schedules may ask of a Region; `deny` makes one that cannot reach the other Region."""

    region: Region
    execute: Callable[[Region], Executing]
    deny: Callable[[str], Region]

    def run(self, command: str, body: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
        """Run a command of the API.

        Raises:
            RefusedError: it cannot be done as things stand.
            UnreadableError: nobody knows how things stand.
            GranaryError: it cannot be asked for. Each text says why, and what to do.
        """
        if command == "status":
            return {"groups": [self._status(one) for one in self.region.catalogue.groups], **self._unread()}
        group = self.region.catalogue.group(str(body.get("group", "")))
        if command == "history":
            return {"history": self.region.table.history(group.name), **self._unread()}
        if command == "drill":
            # Who may drill may force nothing, lose no data, and drill no part of a group.
            given = {name: body[name] for name in ("id", "group", "reason") if name in body}
            to = self.region.catalogue.other(group.primary)
            body = {"reason": "drill", **given, "from": group.primary, "to": to}
        request = replace(self._read(group, body, actor), drill=command == "drill")
        if command == "plan":
            return self._plan(group, request)
        if command not in {"start", "drill"}:
            raise GranaryError(f"there is no command {cut(one_line(command))}: there are {', '.join(COMMANDS)}")
        return self.start(request, force=body.get("force") is True)

    def start(self, request: Request, *, force: bool = False) -> dict[str, Any]:
        """Take a request and begin with it; one that was taken before changes nothing.

        Raises:
            RefusedError: something speaks against it and it was not forced, or another is under way.
        """
        group, table = self.region.catalogue.group(request.group), self.region.table
        request = replace(request, asked=request.mode)
        if before := table.request(group.name, request.id):
            if not before.asks_the_same(request):
                raise RefusedError(f"request {request.id} is there and asks for something else: choose another id")
            # Who took it may have died before it was said.
            self._say(before)
            return self._answer(before)
        # Of all records of a group, weights say where it is, whatever was before.
        placement = self._placement(group, anew=force and request.mode is Mode.WEIGHTS and not request.applications)
        against = self._against(group, request, placement)
        if against and not force:
            raise RefusedError(f"no go: {'; '.join(against)}. Put it right, or go on with --force, which is recorded")
        request = replace(request, overridden=tuple(against))
        request, moves = self._decided(group, request, placement)
        if not table.accept(request, moves):
            raise RefusedError(f"another request for group {group.name} came at the same moment: look at its status")
        self._say(request)
        if request.to == self.region.name:
            # It is taken, whatever becomes of this: each minute goes on with it.
            with contained(f"beginning with request {request.id}"):
                self.execute(self.deny(request.origin) if request.drill else self.region).advance(request)
        return self._answer(request)

    def _say(self, request: Request) -> None:
        overridden = "; ".join(request.overridden) or "nothing"
        begun = f"{request.actor} asked for {request.to} ({request.reason}); overridden: {overridden}"
        key = f"{request.at}/{request.id}"
        self.region.record(request.group, CHANGED, begun, key=key, request=request.id, once=True)

    def _read(self, group: Group, body: Mapping[str, Any], actor: str) -> Request:
        words, names = _given(body)
        regions = self.region.catalogue.regions
        unknown = set(names) - {one.name for one in self.region.table.applications(group.name)} if names else set()
        unknown_names = cut(one_line(", ".join(sorted(unknown))))
        is_mode = words["mode"] in {"", *Mode}
        mode = Mode(words["mode"]) if words["mode"] and is_mode else group.mode
        reason = one_line(words["reason"].strip())
        wrong = {
            "id has 1 to 64 letters, digits and ._:+-": _ID.fullmatch(words["id"]),
            f"from and to are the Regions {' and '.join(regions)}": {words["from"], words["to"]} == set(regions),
            "reason says why": reason,
            f"reason has at most {_LONGEST} characters": len(reason) <= _LONGEST,
            f"mode is {' or '.join(Mode)}": is_mode,
            f"there is no application {unknown_names} in group {group.name}": not unknown,
            f"applications are at most {_MANY}: more are the whole group, or several requests": len(names) <= _MANY,
            f"group {group.name} has no switch: it moves by weights": group.mode is Mode.SWITCH or mode is Mode.WEIGHTS,
        }
        if told := [text for text, holds in wrong.items() if not holds]:
            raise GranaryError("; ".join(told))
        return Request(
            id=words["id"],
            group=group.name,
            origin=words["from"],
            to=words["to"],
            reason=reason,
            actor=actor,
            at=stamp(self.region.clock()),
            mode=mode,
            applications=names,
            unplanned=body.get("unplanned") is True,
        )

    def _plan(self, group: Group, request: Request) -> dict[str, Any]:
        placement = self.region.table.placement(group)
        against = self._against(group, request, placement)
        request, moves = self._decided(group, request, placement)
        steps = steps_of(request, group, moves)
        count = len(self.region.table.applications(group.name))
        return {
            "go": not against,
            "reasons": against,
            "steps": [one.name for one in steps],
            "applications": len(request.applications) or count,
            "records": 2 * (count if request.every else len(request.weights)),
        }

    def _decided(self, group: Group, request: Request, placement: Placement) -> tuple[Request, Placement]:
        """How it goes, given what the Region that is to be left, where the switch of the other lives, said last."""
        facts = self.region.table.facts(request.origin)
        is_out = facts.of(group.name).switch == "ALARM"
        request = completed(request, placement, is_out=is_out)
        may_be_out = is_out or since(facts.at, self.region.clock()) > FRESH
        return request, moved(placement, request, may_be_out=may_be_out)

    def _against(self, group: Group, request: Request, placement: Placement) -> list[str]:
        """What speaks against a request."""
        table, found = self.region.table, list[str]()
        if request.origin != placement.active and not request.applications:
            found.append(f"group {group.name} is served from {placement.active}, not from {request.origin}")
        for name in filter(None, (placement.request, placement.single)):
            try:
                other = table.request(group.name, name)
            except UnreadableError as error:
                found.append(str(error))
                continue
            progress = table.progress(other) if other else None
            if other and progress and progress.state in {State.OPEN, State.UNREADABLE}:
                unread = f": {progress.problem}" if progress.state is State.UNREADABLE else ""
                found.append(f"request {name} of {other.actor} to {other.to} is under way{unread}")
        return [*found, *self._readiness(group, request).reasons]

    def _placement(self, group: Group, *, anew: bool) -> Placement:
        """Where a group is; `anew` is for what needs nothing of it when nobody can read it."""
        try:
            return self.region.table.placement(group)
        except UnreadableError as error:
            if not anew:
                raise UnreadableError(
                    f"{error}. `--mode weights --force` says anew where the whole group is"
                ) from error
            return self.region.table.unknown(group)

    def _unread(self) -> dict[str, list[str]]:
        unread = sorted(self.region.table.unread)[:_TOLD]
        return {"unread": unread} if unread else {}

    def _readiness(self, group: Group, request: Request) -> Readiness:
        table, catalogue = self.region.table, self.region.catalogue
        return judge(
            # A drill is not held up for the want of one; nor is an outage at night, when nobody can force anything.
            replace(group, drill_days=0) if request.drill or request.actor == ACTOR else group,
            to=request.to,
            catalogue=catalogue,
            facts={one: table.facts(one) for one in catalogue.regions},
            drilled_at=table.drilled_at(group.name),
            now=self.region.clock(),
        )

    def _answer(self, request: Request) -> dict[str, Any]:
        progress = self.region.table.progress(request)
        return {"request": plain(request), "progress": {"state": progress.state.value, **plain(progress)}}

    def _status(self, group: Group) -> dict[str, Any]:
        table, placement = self.region.table, self._placement(group, anew=True)
        last = [self._answer(one) for one in table.requests(group.name)[:_TOLD]]
        return {
            "group": group.name,
            "active": placement.active,
            "out": sorted(self.region.out(group, placement)),
            "alone": placement.alone,
            "facts": {one: plain(table.facts(one).of(group.name)) for one in self.region.catalogue.regions},
            "requests": last,
            **self._tenants(group),
        }

    def _tenants(self, group: Group) -> dict[str, Any]:
        """Applications that are tenants, and who is none yet or not as it should be, as the last round has told it."""
        table = self.region.table
        seen, count = table.seen(group.name), sum(one.source == SOURCE for one in table.applications(group.name))
        return {"tenants": {"applications": count, **plain(seen)}} if count or seen.waits or seen.wrong else {}


def _given(body: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What a body says, by its words, and the names of applications in it."""
    words, names = {name: body.get(name, "") for name in _WORDS}, body.get("applications", ())
    if not isinstance(names, (list, tuple)) or not all(isinstance(one, str) for one in (*words.values(), *names)):
        raise GranaryError(f"{', '.join(_WORDS)} are texts, and applications are a list of names")
    return words, tuple(names)
