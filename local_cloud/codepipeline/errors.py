"""The errors of the service and of its actions."""

from __future__ import annotations

from local_cloud.server.json_api import ServiceError

__all__ = ["ActionAbandoned", "ActionFailed", "ServiceError", "configuration_error", "not_found"]


class ActionFailed(Exception):
    """An action ended in failure: ``code`` is one of CodePipeline's failure types, e.g. ``JobFailed``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ActionAbandoned(Exception):
    """The execution was stopped, cancelled or superseded while the action ran."""


def configuration_error(message: str) -> ActionFailed:
    """The action cannot run as it is configured."""
    return ActionFailed("ConfigurationError", message)


def not_found(pipeline: str) -> ServiceError:
    """No such pipeline in this account and Region."""
    return ServiceError("PipelineNotFoundException", f"Account does not have a pipeline with name '{pipeline}'")
