"""boto3 clients of the engines, against this server."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
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
    """A client for `service` over HTTPS, shared by all who ask. Without credentials it acts as the root of `account`.

    `credentials` has the keys of an STS answer: AccessKeyId, SecretAccessKey, SessionToken.
    """
    keys = credentials or {"AccessKeyId": account, "SecretAccessKey": ROOT_SECRET}
    return _shared(service, region, keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))


def client_of_its_own(service: str, *, account: str, region: str) -> Any:
    """A client that acts as the root of `account`, to be changed by who asks."""
    return _make(service, region, account, ROOT_SECRET, None)


def _make(service: str, region: str, access_key: str, secret: str, token: str | None) -> Any:
    settings = server_settings.current()
    with _lock:
        return _session.client(
            service,
            region_name=region,
            endpoint_url=settings.endpoint,
            verify=str(settings.ca),
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=_CONFIG,
        )


# Making a client and shaking hands for it costs more than most of its calls.
_shared = lru_cache(maxsize=256)(_make)
