"""config/probe.yaml: the room of the tests."""

from __future__ import annotations

from pydantic import Field

from config.models.types import Model, Word


class Section(Model):
    """What the probe does."""

    greeting: Word = Field(description="What each tenant's pipeline is greeted with.")
    refuses: tuple[Word, ...] = Field((), description="Deployments whose pipelines it fails.")
