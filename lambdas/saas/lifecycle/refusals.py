"""What AWS refuses until somebody changes something, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import passes
from lambdas.common.errors import GranaryError


@contextmanager
def refusals_told(what: str) -> Iterator[None]:
    """Tell a refusal, of any call within, as a reason that begins with `what`.

    A right that is missing, an account or a Region that is closed, a state that is wrong: all of them need a person.
    What passes by itself (throttling, a fault of the service) is raised as it is.

    Raises:
        GranaryError: the refusal.
    """
    try:
        yield
    except ClientError as error:
        if passes(error):
            raise
        told = error.response["Error"]
        raise GranaryError(f"{what}: {told.get('Message') or 'AWS gives no reason'} ({told['Code']})") from error
