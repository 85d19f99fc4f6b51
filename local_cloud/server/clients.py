"""boto3 clients of the engines, against this server."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from local_cloud.server import settings as server_settings
from local_cloud.server.environment import ROOT_SECRET

_CONFIG = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 5})
# A boto3 session is not safe to create clients from in several threads at once; the clients themselves are.
_lock = threading.Lock()
_session: Any = boto3.session.Session()


def client(service: str, *, account: str, region: str, credentials: Mapping[str, str] | None = None) -> Any:
    """A client for `service` over HTTPS. Without credentials it acts as the root of `account`.

    `credentials` has the keys of an STS answer: AccessKeyId, SecretAccessKey, SessionToken.
    """
    settings = server_settings.current()
    keys = credentials or {"AccessKeyId": account, "SecretAccessKey": ROOT_SECRET}
    with _lock:
        return _session.client(
            service,
            region_name=region,
            endpoint_url=settings.endpoint,
            verify=str(settings.ca_bundle),
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=_CONFIG,
        )
