"""Environment variables of processes: the server's own, its clients', and what builds take over from the machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local_cloud.server import certificates
from local_cloud.server.settings import PORT_VARIABLE, STATE_DIR_VARIABLE, Settings

# The secret behind every root key; it protects nothing, and ministack's default is the same.
ROOT_SECRET = "test"  # noqa: S105

# Who has had this very source validated says `CDK_VALIDATION=false` to the cloud: synths then take half the time.
VALIDATION = "CDK_VALIDATION"

_SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


def tools_path() -> str:
    """A PATH with this Python's directory (python, node, npm live there) and the system's."""
    return os.pathsep.join((str(Path(sys.executable).parent), *_SYSTEM_PATH))


def trust(settings: Settings) -> dict[str, str]:
    """Variables by which Python, Node.js, curl and git trust the local CA as well, and AWS SDKs it alone."""
    bundle = str(settings.ca_bundle)
    return {
        "AWS_CA_BUNDLE": str(settings.ca),
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        "CURL_CA_BUNDLE": bundle,
        "GIT_SSL_CAINFO": bundle,
        "NODE_EXTRA_CA_CERTS": str(settings.node_ca_certs),
    }


def endpoint(settings: Settings) -> dict[str, str]:
    """Variables that point AWS SDKs at the local cloud and nowhere else."""
    return {
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **no_proxy(),
    }


def no_proxy() -> dict[str, str]:
    """NO_PROXY of this machine with the local addresses added, when a proxy is configured at all."""
    if not any(os.environ.get(name) or os.environ.get(name.lower()) for name in _PROXY_VARIABLES):
        return {}
    existing = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    value = ",".join(part for part in (existing, "127.0.0.1", "localhost") if part)
    return {"NO_PROXY": value, "no_proxy": value}


def client(settings: Settings, *, account: str, region: str) -> dict[str, str]:
    """Variables for a subprocess that acts as the root of `account` in `region`."""
    return {
        **trust(settings),
        **endpoint(settings),
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
    }


def without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without credentials, profiles and endpoints of any AWS account."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AWS_", "CDK_", "MINISTACK_", "LOCALSTACK_"))
    }


def server(settings: Settings) -> dict[str, str]:
    """The server process's environment; ministack reads most of it when it is imported.

    Docker is pointed at a socket that does not exist: ministack would otherwise reap containers of this machine.
    """
    scratch = settings.scratch_dir
    return {
        **without_aws(os.environ),
        **{name: os.environ[name] for name in (VALIDATION,) if name in os.environ},
        **trust(settings),
        **endpoint(settings),
        STATE_DIR_VARIABLE: str(settings.state_dir),
        PORT_VARIABLE: str(settings.port),
        "PATH": tools_path(),
        "TMPDIR": str(scratch / "tmp"),
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificates.certificate_file(settings)),
        "MINISTACK_SSL_KEY": str(certificates.key_file(settings)),
        "GATEWAY_PORT": str(settings.port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "LAMBDA_EXECUTOR": "local",
        "S3_DATA_DIR": str(scratch / "s3"),
        "STATE_DIR": str(scratch / "ministack"),
        "DOCKER_HOST": f"unix://{scratch}/docker-is-not-used.sock",
        "MINISTACK_CODEBUILD_EXECUTE": "1",
        # Waits and pauses between tries of state machines; nobody learns anything from waiting for them here.
        "SFN_WAIT_SCALE": "0.1",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }
