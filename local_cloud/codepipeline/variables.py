"""Resolution of ``#{namespace.variable}`` in action configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping

from local_cloud.codepipeline.errors import ActionFailed, ServiceError

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)\}")

Namespaces = Mapping[str, Mapping[str, str]]


def resolve(text: str, namespaces: Namespaces) -> str:
    """Replace every reference; one that names nothing fails the action, as in AWS."""

    def value(match: re.Match[str]) -> str:
        namespace, name = match.groups()
        try:
            return namespaces[namespace][name]
        except KeyError:
            raise ActionFailed(
                "ConfigurationError",
                f"An action configuration variable cannot be resolved: #{{{namespace}.{name}}}. "
                f"Known namespaces: {', '.join(sorted(namespaces)) or 'none'}",
            ) from None

    return _REFERENCE.sub(value, text)


def resolve_configuration(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    """Resolve the references in all values of an action's configuration."""
    return {key: resolve(value, namespaces) for key, value in configuration.items()}


def pipeline_variables(*, defaults: Mapping[str, str | None], given: Mapping[str, str]) -> dict[str, str]:
    """The values of the pipeline-level variables of an execution; refuses unknown and unset ones."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ServiceError("ValidationException", f"Pipeline does not declare the variables: {', '.join(unknown)}")
    resolved: dict[str, str] = {}
    for name, default in defaults.items():
        value = given.get(name, default)
        if value is None:
            raise ServiceError("ValidationException", f"Value for variable {name} is missing: it has no default")
        resolved[name] = value
    return resolved
