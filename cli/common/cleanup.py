"""`rooms` and `cleanup`: which rooms are on, and removing what one that was taken out has left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

import typer

from cli.common.errors import ConflictError, NotFoundError, UsageError
from cli.common.output import Output
from cli.common.room_stacks import RoomStackFound, RoomStacks
from cli.common.session import Session
from stacks.rooms import NAMES, rooms

_SHOWN = 5


def list_rooms(session: Session, output: Output, *, further: Sequence[str]) -> None:
    """List the rooms of this source, and those that only their stacks tell of."""
    found = _stacks_of(session).all(_regions(session, further))
    listed = [
        {
            "room": room,
            "state": _state(session, room),
            "stacks": [_document(stack) for stack in found if stack.room == room],
        }
        for room in dict.fromkeys((*NAMES, *sorted(stack.room for stack in found)))
    ]
    lines: list[str] = []
    for room in listed:
        stacks = [stack for stack in found if stack.room == room["room"]]
        lines.append(f"{room['room']}: {room['state']}")
        lines += [f"  {stack.name}  {stack.region}  {stack.status}" for stack in stacks]
        if stacks and room["state"] != "on":
            lines.append(f"  left behind: `granary cleanup {room['room']}` deletes them")
    output.result(listed, lines)


def clean_up(session: Session, output: Output, *, room: str, further: Sequence[str], sure: bool) -> None:
    """Delete the stacks of a room that is off, newest first.

    Raises:
        ConflictError: the room is in use.
        NotFoundError: it has no stacks.
        UsageError: nobody has agreed.
    """
    _refuse_what_is_on(session, room)
    account = _stacks_of(session)
    stacks = [stack for stack in account.all(_regions(session, further)) if stack.room == room]
    if not stacks:
        raise NotFoundError(
            f"room {room} has no stacks in {', '.join(_regions(session, further))}: `granary rooms` lists what there "
            "is, and --region looks further"
        )
    _refuse_what_is_used(account, room, stacks)
    kept = [one for stack in stacks for one in account.kept(stack)]
    for stack in stacks:
        output.say(f"{stack.name} ({stack.region}, {stack.status}) is deleted")
    for one in kept:
        output.say(f"  kept: {one}")
    if not sure:
        if output.as_json or not sys.stdin.isatty():
            raise UsageError(f"this deletes {len(stacks)} stacks: say --yes")
        typer.confirm(f"Delete {len(stacks)} stacks of room {room}?", abort=True, err=True)
    for number, stack in enumerate(stacks, start=1):
        account.delete(stack)
        output.say(f"{number} of {len(stacks)}: {stack.name} is gone")
    document = {
        "room": room,
        "deleted": [_document(stack) for stack in stacks],
        "kept": [asdict(one) for one in kept],
    }
    names = "; ".join(map(str, kept)) or "nothing"
    output.answer(document, said=f"room {room} is gone. Kept, to be deleted by hand when you like: {names}.")


def _refuse_what_is_on(session: Session, room: str) -> None:
    if _state(session, room) == "on":
        if _always_on(room):
            raise ConflictError(f"room {room} is always on: the factory is made of it")
        files = " and ".join(f"config/{name}.yaml" for name in _files_on(session, room))
        raise ConflictError(f"room {room} is on: remove {files}, push that, and run this when the release is through")


def _refuse_what_is_used(account: RoomStacks, room: str, stacks: Sequence[RoomStackFound]) -> None:
    if deployed := account.deployed_by_cicd(stacks):
        raise ConflictError(
            f"CI/CD still deploys {', '.join(deployed)}: push the configuration without room {room}, and run this when "
            "CI/CD has updated itself"
        )
    if used := account.invoked_by(stacks):
        some = ", ".join(used[:_SHOWN]) + (f" and {len(used) - _SHOWN} more" if len(used) > _SHOWN else "")
        raise ConflictError(
            f"{len(used)} pipelines still invoke functions of room {room} ({some}): run this when the release without "
            "it is over: a tenant that is rolled back needs them, too (`granary release`; `granary status ID` tells of "
            "one that the release left out)"
        )


def _state(session: Session, room: str) -> str:
    if room not in NAMES:
        return "not in this source"
    return "on" if _always_on(room) or _files_on(session, room) else "off"


def _files_on(session: Session, room: str) -> list[str]:
    """The room's files that are there: its own, and those of its parts."""
    names = [room, *(part for one in rooms() if one.name == room for part in one.parts)]
    return [name for name in names if name in session.configuration.rooms]


def _always_on(room: str) -> bool:
    return any(one.always for one in rooms() if one.name == room)


def _stacks_of(session: Session) -> RoomStacks:
    return RoomStacks(client=session.client, names=session.names, region=session.region)


def _regions(session: Session, further: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((session.region, *session.configuration.workloads.reached_regions, *further)))


def _document(stack: RoomStackFound) -> dict[str, str]:
    return {"stack": stack.name, "region": stack.region, "status": stack.status}
