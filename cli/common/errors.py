"""Errors of the command line, and every other error in a sentence with the next step."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MissingDependencyException,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as UnreachableError

from cli.common.exits import Exit
from config.loader import ConfigurationError
from lambdas.common.aws_errors import PASSING, code_of, passes
from lambdas.common.errors import CapacityError, GranaryError, NotReleasedError

_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html, and the services' own spellings.
# A HEAD of S3 has no body, and so nothing but its status.
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_UNKNOWN_CALLER = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_BUSY = PASSING | {"ServiceUnavailable", "InternalServerError", "InternalFailure"}
_GONE = frozenset(
    {"ResourceNotFoundException", "StateMachineDoesNotExist", "PipelineNotFoundException", "ParameterNotFound"}
)


class CliError(GranaryError):
    """An error that ends a command, with the exit code that tells scripts of which kind it is."""

    code = Exit.WRONG


class NotFoundError(CliError):
    """What was asked for does not exist."""

    code = Exit.NOT_FOUND


class RefusedError(CliError):
    """The credentials are not those of this factory."""

    code = Exit.REFUSED


class DeniedError(RefusedError):
    """AWS says that these credentials may not do this."""


class ConflictError(CliError):
    """The state does not allow what was asked for."""

    code = Exit.CONFLICT


class UsageError(CliError):
    """The command was given what it cannot take."""

    code = Exit.USAGE


def denied(error: Exception) -> bool:
    """Whether IAM has said no: to whom, and to which action on what, is in AWS's words."""
    return isinstance(error, DeniedError) or (isinstance(error, ClientError) and code_of(error) in _DENIED)


def explain(error: Exception) -> tuple[str, Exit]:
    """Say what was wrong and what to do, and the exit code for it."""
    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, BotoCoreError):
        return _connection(error)
    for kind, code in ((NotReleasedError, Exit.NOT_FOUND), (CapacityError, Exit.UNREACHABLE)):
        if isinstance(error, kind):
            return str(error), code
    if isinstance(error, (GranaryError, ConfigurationError)):
        return str(error), error.code if isinstance(error, CliError) else Exit.WRONG
    fault = f"{type(error).__name__}: {error}"
    return f"this is a fault of the program ({fault}): run it again with GRANARY_DEBUG=1 and report it", Exit.FAULT


def _refusal(error: ClientError) -> tuple[str, Exit]:
    code = code_of(error)
    what = f"{error.operation_name}: {error.response.get('Error', {}).get('Message', '') or code}"
    for codes, exit_code, text in _REFUSALS:
        if code in codes:
            return text.format(what=what), exit_code
    if passes(error):
        return f"AWS fails just now ({what}): try again in a minute", Exit.UNREACHABLE
    return f"AWS refused {what} ({code}): correct what it names, then run the command again", Exit.WRONG


_REFUSALS = (
    (
        _UNKNOWN_CALLER,
        Exit.REFUSED,
        "AWS does not accept the credentials ({what}): sign in again, or choose others with --profile",
    ),
    (_DENIED, Exit.REFUSED, "AWS denies {what}: use a role that may do this, with --profile"),
    (_BUSY, Exit.UNREACHABLE, "AWS is at its limit ({what}): try again in a minute"),
    (
        _GONE,
        Exit.NOT_FOUND,
        "it does not exist ({what}): deploy the toolchain, wait until CI/CD has deployed the room (`granary rooms` has "
        "its stacks), and check prefix, account and Region in config/",
    ),
)


def _connection(error: BotoCoreError) -> tuple[str, Exit]:
    if isinstance(error, _CREDENTIALS):
        return f"no usable credentials ({_sentence(error)}): sign in, or choose a profile with --profile", Exit.REFUSED
    if isinstance(error, (HTTPClientError, UnreachableError)):
        return f"AWS cannot be reached ({_sentence(error)}): check the network and AWS_ENDPOINT_URL", Exit.UNREACHABLE
    if isinstance(error, MissingDependencyException):
        return f"a package is missing ({_sentence(error)}): run `make setup`", Exit.WRONG
    return f"boto3 cannot make the call ({_sentence(error)}): check the AWS settings of this shell", Exit.REFUSED


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
