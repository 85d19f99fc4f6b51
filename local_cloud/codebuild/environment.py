"""The environment variables of a build: a clean set, not the machine's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codebuild.buildspec import Buildspec
from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.job import Job
from local_cloud.server import environment as processes
from local_cloud.server import settings as server_settings

# Package managers need the machine's own way to the network: proxies, private indexes, time-outs.
_TAKEN_OVER_PREFIXES = ("PIP_", "npm_config_", "NPM_CONFIG_", "UV_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_TAKEN_OVER = (*_PROXIES, "LANG", "LC_ALL", processes.VALIDATION)


def resolve(job: Job, spec: Buildspec) -> tuple[dict[str, str], tuple[str, ...]]:
    """The build's variables and the values among them that are secret; raises BuildFailure.

    Later wins: the buildspec's, then the project's with the overrides of StartBuild.
    """
    declared = job.build["environment"].get("environmentVariables") or []
    secrets = dict(spec.secrets_manager)
    parameters = dict(spec.parameter_store)
    plain = dict(spec.variables)
    for variable in declared:
        name, value = variable["name"], str(variable["value"])
        for kind in (secrets, parameters, plain):
            kind.pop(name, None)
        kinds = {"SECRETS_MANAGER": secrets, "PARAMETER_STORE": parameters}
        kinds.get(variable.get("type", "PLAINTEXT"), plain)[name] = value
    secret_values = {name: _secret(job, reference) for name, reference in secrets.items()}
    parameter_values = _parameters(job, parameters)
    variables = {**standard(job), **plain, **parameter_values, **secret_values}
    return variables, tuple(secret_values.values())


def standard(job: Job) -> dict[str, str]:
    """What CodeBuild sets itself, and what makes AWS SDKs, npm and pip work against the local cloud."""
    settings = server_settings.current()
    home = job.directory / "home"
    npm_prefix = job.directory / "npm"
    for directory in (home, npm_prefix / "bin", job.directory / "tmp"):
        directory.mkdir(parents=True, exist_ok=True)
    # npm looks there for what it has compiled of itself. Of jsii and the CLI nothing is kept: in each build they are in
    # another place, so that it would only be written.
    compiled = settings.scratch_dir / "node-compile-cache"
    compiled.mkdir(exist_ok=True)
    (job.directory / "tmp" / compiled.name).symlink_to(compiled)
    return {
        **_taken_over(),
        **processes.trust(settings),
        "PIP_CERT": str(settings.ca_bundle),
        **processes.endpoint(settings),
        "PATH": f"{npm_prefix}/bin:{settings.programs_dir}:{processes.tools_path()}",
        "HOME": str(home),
        "TMPDIR": str(job.directory / "tmp"),
        "AWS_REGION": job.region,
        "AWS_DEFAULT_REGION": job.region,
        "AWS_ACCESS_KEY_ID": job.credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": job.credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": job.credentials["SessionToken"],
        "npm_config_prefix": str(npm_prefix),
        "npm_config_prefer_offline": "true",
        "npm_config_update_notifier": "false",
        **_shared_caches(),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        **_codebuild(job),
    }


def _codebuild(job: Job) -> dict[str, str]:
    build = job.build
    named = {
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_IMAGE": build["environment"].get("image", ""),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CI": "true",
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_KMS_KEY_ID": build["encryptionKey"],
        "CODEBUILD_LOG_PATH": build["logs"].get("streamName", ""),
        "CODEBUILD_PROJECT_ARN": build["arn"].split(":build/")[0] + f":project/{build['projectName']}",
        "CODEBUILD_SOURCE_VERSION": build["sourceVersion"],
        "CODEBUILD_SOURCE_REPO_URL": build["source"].get("location", ""),
        "CODEBUILD_SRC_DIR": str(job.source_dir),
        "CODEBUILD_START_TIME": str(int(build["startTime"] * 1000)),
    }
    if build.get("resolvedSourceVersion"):
        named["CODEBUILD_RESOLVED_SOURCE_VERSION"] = build["resolvedSourceVersion"]
    for name in secondary_names(job):
        named[f"CODEBUILD_SRC_DIR_{name}"] = str(job.secondary_source_dir(name))
    return named


def secondary_names(job: Job) -> tuple[str, ...]:
    """Names of the sources besides the primary one."""
    if job.pipeline is not None:
        return tuple(name for name in job.pipeline.sources if name != job.pipeline.primary)
    return tuple(source["sourceIdentifier"] for source in job.build["secondarySources"])


def _taken_over() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in _TAKEN_OVER or name.startswith(_TAKEN_OVER_PREFIXES)
    }


def _shared_caches() -> dict[str, str]:
    home = Path.home()
    shared = {
        "npm_config_cache": os.environ.get("npm_config_cache", str(home / ".npm")),  # noqa: SIM112 - npm writes it so
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(home / ".cache" / "pip")),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": os.environ.get(
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(home / ".cache" / "aws" / "jsii" / "package-cache")
        ),
        # As the cache of a project keeps it from build to build.
        "GRANARY_SCANNERS": os.environ.get("GRANARY_SCANNERS", str(home / ".cache" / "granary" / "scanners")),
    }
    configurations = {
        "npm_config_userconfig": home / ".npmrc",
        "PIP_CONFIG_FILE": home / ".config" / "pip" / "pip.conf",
    }
    return shared | {name: str(path) for name, path in configurations.items() if path.is_file()}


def _parameters(job: Job, references: Mapping[str, str]) -> dict[str, str]:
    if not references:
        return {}
    names = sorted(set(references.values()))
    found: dict[str, str] = {}
    try:
        for start in range(0, len(names), 10):
            answer = job.client("ssm").get_parameters(Names=names[start : start + 10], WithDecryption=True)
            found.update({name: item["Value"] for item in answer["Parameters"] for name in _names_of(item)})
    except ClientError as error:
        raise BuildFailure("CLIENT_ERROR", f"Decrypted Variables Error Message: {error}") from error
    missing = [name for name in names if name not in found]
    if missing:
        raise BuildFailure(
            "CLIENT_ERROR", f"Decrypted Variables Error Message: parameter does not exist: {', '.join(missing)}"
        )
    return {name: found[reference] for name, reference in references.items()}


def _names_of(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    return (parameter["Name"], parameter.get("ARN", parameter["Name"]))


def _secret(job: Job, reference: str) -> str:
    """The secret that `secret-id[:json-key[:version-stage[:version-id]]]` names; the id may be an ARN."""
    parts = reference.split(":")
    id_parts = 7 if reference.startswith("arn:") else 1
    secret_id, rest = ":".join(parts[:id_parts]), [*parts[id_parts:], "", "", ""]
    wanted = {"SecretId": secret_id, "VersionStage": rest[1], "VersionId": rest[2]}
    try:
        answer = job.client("secretsmanager").get_secret_value(**{key: value for key, value in wanted.items() if value})
    except ClientError as error:
        raise BuildFailure("CLIENT_ERROR", f"Secrets Manager Error Message: {error}") from error
    return _json_field(answer["SecretString"], rest[0], secret_id) if rest[0] else str(answer["SecretString"])


def _json_field(text: str, key: str, secret_id: str) -> str:
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise BuildFailure(
            "CLIENT_ERROR", f"Secrets Manager Error Message: {secret_id} has no key {key!r} in a JSON object."
        ) from error
