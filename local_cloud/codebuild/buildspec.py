"""The build specification, version 0.2, as typed values. Pure: no files, no AWS.

Source: AWS CodeBuild User Guide, "Build specification reference for CodeBuild".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")

_PHASE_KEYS = {"commands", "finally", "on-failure", "runtime-versions"}
_ENV_KEYS = {"shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper"}
_ARTIFACT_KEYS = {
    "files",
    "base-directory",
    "name",
    "discard-paths",
    "exclude-paths",
    "secondary-artifacts",
    "enable-symlinks",
    "s3-prefix",
}
_IGNORED_SECTIONS = ("batch", "cache", "proxy", "reports")
_SECTIONS = {"version", "run-as", "env", "phases", "artifacts", *_IGNORED_SECTIONS}


class BuildspecError(ValueError):
    """The buildspec is not valid, or asks for what the local cloud does not do."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase's commands. `on_failure` is ABORT, CONTINUE or None (the phase's own default)."""

    commands: tuple[str, ...] = ()
    finally_commands: tuple[str, ...] = ()
    on_failure: str | None = None


@dataclass(frozen=True, kw_only=True)
class ArtifactSpec:
    """Which files make up one artifact."""

    files: tuple[str, ...]
    base_directory: str = ""
    name: str | None = None
    discard_paths: bool = False
    exclude_paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Buildspec:
    """A parsed buildspec; `notes` says what was accepted and is not applied."""

    shell: str = "sh"
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    parameter_store: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secrets_manager: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    exported_variables: tuple[str, ...] = ()
    phases: Mapping[str, Phase] = field(default_factory=lambda: MappingProxyType({}))
    artifacts: ArtifactSpec | None = None
    secondary_artifacts: Mapping[str, ArtifactSpec] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


def parse(text: str) -> Buildspec:
    """The buildspec in YAML or JSON `text`; raises BuildspecError saying where it is wrong."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"The buildspec is not valid YAML: {error}") from error
    root = _mapping(document, "the buildspec", _SECTIONS)
    if str(root.get("version")) != "0.2":
        raise BuildspecError(f"The buildspec's version is {root.get('version')!r}; the local cloud executes 0.2.")
    if "run-as" in root:
        raise BuildspecError("run-as: the local cloud runs every command as the user who started it.")
    env = _mapping(root.get("env"), "env", _ENV_KEYS)
    artifacts = _mapping(root.get("artifacts"), "artifacts", _ARTIFACT_KEYS)
    secondary = _mapping(artifacts.get("secondary-artifacts"), "artifacts/secondary-artifacts", None)
    phases = _mapping(root.get("phases"), "phases", set(PHASES))
    return Buildspec(
        shell=_shell(env.get("shell", "sh")),
        variables=_strings(env.get("variables"), "env/variables"),
        parameter_store=_strings(env.get("parameter-store"), "env/parameter-store"),
        secrets_manager=_strings(env.get("secrets-manager"), "env/secrets-manager"),
        exported_variables=_list(env.get("exported-variables"), "env/exported-variables"),
        phases={name: _phase(name, phases[name]) for name in PHASES if name in phases},
        artifacts=_artifact(artifacts, "artifacts") if "files" in artifacts else None,
        secondary_artifacts={
            name: _artifact(value, f"secondary-artifacts/{name}") for name, value in secondary.items()
        },
        notes=_notes(root, phases),
    )


def _notes(root: Mapping[str, Any], phases: Mapping[str, Any]) -> tuple[str, ...]:
    notes = [f"{section}: accepted, not applied by the local cloud" for section in _IGNORED_SECTIONS if section in root]
    for name, value in phases.items():
        versions = (value or {}).get("runtime-versions")
        if versions:
            notes.append(f"{name}/runtime-versions {versions}: not applied, the machine's own runtimes are used")
    return tuple(notes)


def _shell(name: Any) -> str:
    if name not in ("sh", "bash", "/bin/sh", "/bin/bash"):
        raise BuildspecError(f"env/shell is {name!r}; the local cloud has sh and bash.")
    return str(name).rsplit("/", 1)[-1]


def _phase(name: str, value: Any) -> Phase:
    phase = _mapping(value, f"phases/{name}", _PHASE_KEYS)
    on_failure = phase.get("on-failure")
    if on_failure not in (None, "ABORT", "CONTINUE"):
        raise BuildspecError(f"phases/{name}/on-failure is {on_failure!r}; the local cloud does ABORT and CONTINUE.")
    return Phase(
        commands=_list(phase.get("commands"), f"phases/{name}/commands"),
        finally_commands=_list(phase.get("finally"), f"phases/{name}/finally"),
        on_failure=on_failure,
    )


def _artifact(value: Any, where: str) -> ArtifactSpec:
    artifact = _mapping(value, where, _ARTIFACT_KEYS)
    files = _list(artifact.get("files"), f"{where}/files")
    if not files:
        raise BuildspecError(f"{where}: 'files' names no file; '**/*' means all.")
    name = artifact.get("name")
    return ArtifactSpec(
        files=files,
        base_directory=str(artifact.get("base-directory") or ""),
        name=None if name is None else str(name),
        discard_paths=str(artifact.get("discard-paths", "no")).lower() in ("yes", "true"),
        exclude_paths=_list(artifact.get("exclude-paths"), f"{where}/exclude-paths"),
    )


def _mapping(value: Any, where: str, known: set[str] | None) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BuildspecError(f"{where} must be a mapping, not {type(value).__name__}.")
    unknown = [] if known is None else sorted(str(key) for key in value if key not in known)
    if unknown:
        raise BuildspecError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known or ()))}.")
    return value


def _strings(value: Any, where: str) -> Mapping[str, str]:
    return {str(name): _string(item, f"{where}/{name}") for name, item in _mapping(value, where, None).items()}


def _list(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    return tuple(_string(item, f"{where}[{index}]") for index, item in enumerate(items))


def _string(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise BuildspecError(f"{where} must be a string, not {type(value).__name__}; quote it if it holds a colon.")
