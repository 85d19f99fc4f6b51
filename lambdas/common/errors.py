"""Errors that Granary raises on purpose; everything else is a fault."""

from __future__ import annotations


class GranaryError(Exception):
    """Base of the errors whose text is written for the person who has to act on it."""


class NotReleasedError(GranaryError):
    """No release has been published yet, or none that can be handled: there is nothing that could be deployed."""


class UnreadableError(GranaryError):
    """What is kept cannot be read by this version: it is malformed, or a later version has written it."""


class CapacityError(GranaryError):
    """A service is at its limit now; the same call may pass later."""
