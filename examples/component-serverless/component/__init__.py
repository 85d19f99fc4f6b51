"""The users' zone: what a tenant gets."""

from component.notes import SPEC, build

__all__ = ["SPEC", "build"]
