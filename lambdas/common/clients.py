"""boto3 clients with the timeouts and the retry policy that fit each kind of call."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

# Standard mode retries throttling and connection faults with jitter. It does not retry CodeBuild's
# AccountLimitExceededException (a 400): whoever starts builds must treat that as capacity.
_CONFIG = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 6})

# A call that is answered when the work is done, within the 15 minutes of a function; it is never repeated by itself.
PATIENT = Config(
    connect_timeout=3,
    read_timeout=14 * 60 + 15,
    retries={"mode": "standard", "total_max_attempts": 1},
    tcp_keepalive=True,
)

# A person waits for the answer, and API Gateway for 30 seconds: a call takes 17 at most, when nothing answers.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
HASTY = Config(connect_timeout=2, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 2})

# Threads may use a client together, and may not make one together: they would share boto3's session.
# https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
_making = Lock()


@cache
def client(service: str, region: str | None = None, *, config: Config = _CONFIG) -> Any:
    """Make the client of a service once a process; `region` None is the function's or build's own Region."""
    with _making:
        return boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]


def client_as(service: str, *, region: str, credentials: dict[str, Any], config: Config = _CONFIG) -> Any:
    """Make a client that acts with an assumed role's credentials (the `Credentials` of an STS response)."""
    session = boto3.session.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )
    return session.client(service, config=config)  # type: ignore[call-overload]
