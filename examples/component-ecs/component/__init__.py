"""The users' zone: what a tenant gets."""

from component.shop import SPEC, build

__all__ = ["SPEC", "build"]
