"""Errors of AWS by their codes: which pass with time, and which are an answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as UnreachableError

# Throttling that outlived botocore's own retries, a limit that is reached now (AccountLimitExceededException is
# CodeBuild's), or somebody else at work on the same thing.
PASSING = frozenset(
    {
        "AccountLimitExceededException",
        "ConcurrentModificationException",
        "ConcurrentPipelineExecutionsLimitExceededException",
        "ConflictException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# STS says AccessDenied too when the role, or the whole account, does not exist.
ROLE_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "NoSuchEntity", "RegionDisabledException"})
NO_OBJECT = ("404", "NoSuchKey", "NotFound")
_FAULT = 500


def code_of(error: ClientError) -> str:
    """The code that the service gives; empty when it gives none."""
    return error.response.get("Error", {}).get("Code", "")


def passes(error: ClientError) -> bool:
    """Whether a refusal may pass with time, as faults of the service do."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status >= _FAULT or code_of(error) in PASSING


def may_pass(error: Exception) -> bool:
    """Whether it may go when it is asked again: what was not heard, or not answered, may be."""
    if isinstance(error, ClientError):
        return passes(error)
    return isinstance(error, (UnreachableError, HTTPClientError))


@contextmanager
def ignoring(*codes: str) -> Iterator[None]:
    """Leave the block when AWS answers with one of the codes; every other error is raised."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise
