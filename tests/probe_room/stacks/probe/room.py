"""The room `probe`: one of everything that a room can contribute."""

from __future__ import annotations

from stacks.probe.stack import ProbeStack

from stacks.room import Room, RoomStep

ROOM = Room(
    name="probe",
    stacks=lambda stage, foundation, section: ProbeStack(stage, foundation=foundation, section=section),
    checks=("inspect",),
    before_synth=(RoomStep(job="weigh", environment=lambda foundation: {"PREFIX": foundation.names.prefix}),),
    before_release=(RoomStep(job="attest"),),
    actions=("greet",),
)
