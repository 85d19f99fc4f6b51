"""Fault Injection Service: experiments that do what they say, as their role, and end when an alarm says so."""

from __future__ import annotations

from local_cloud.fis.registration import register

__all__ = ["register"]
