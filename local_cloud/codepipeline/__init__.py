"""A CodePipeline V2 service that executes pipelines, for ministack."""

from __future__ import annotations

from local_cloud.codepipeline.registration import register

__all__ = ["register"]
