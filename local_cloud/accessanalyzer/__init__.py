"""A small IAM Access Analyzer: policies are validated and access is previewed by the project's own offline checks."""

from __future__ import annotations

from local_cloud.accessanalyzer.registration import register

__all__ = ["register"]
