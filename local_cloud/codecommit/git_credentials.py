"""The user names and passwords that AWS's credential helper makes for git out of keys, and what they prove.

The password is a time and a SigV4 signature of the repository's path with the method GIT:
https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.core import iam_evaluator, responses

_TIME = "%Y%m%dT%H%M%S"
_VALID = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, by proven credentials, and for which Region."""

    access_key: str
    account: str
    region: str
    arn: str


def user_and_password(keys: Mapping[str, str], *, region: str, host: str, path: str) -> tuple[str, str]:
    """What the helper answers for the keys of an STS answer."""
    now = datetime.now(UTC).strftime(_TIME)
    user = "%".join((keys["AccessKeyId"], keys["SessionToken"]))
    return user, _password(keys["AccessKeyId"], keys["SecretAccessKey"], region=region, host=host, path=path, time=now)


def verified(user: str, password: str, *, host: str, path: str) -> Caller | None:
    """Whose user name and password these are; the Region is the one that was signed for, as the address has none."""
    access_key, _, token = user.partition("%")
    time = password[:15]
    if not _is_current(time):
        return None
    account = responses._account_from_sts_session(access_key) or iam_evaluator.find_iam_access_key_account(access_key)
    credential = iam_evaluator.resolve_credential(access_key, account or access_key, token)
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return None
    secret = credential.secret_access_key
    for region in _regions():
        expected = _password(access_key, secret, region=region, host=host, path=path, time=time)
        if hmac.compare_digest(expected.encode(), password.encode()):
            return Caller(
                access_key=access_key, account=credential.account_id, region=region, arn=credential.principal_arn
            )
    return None


def _is_current(time: str) -> bool:
    try:
        signed = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - signed) < _VALID


@cache
def _regions() -> list[str]:
    return list(botocore.session.get_session().get_available_regions("codecommit"))


def _password(access_key: str, secret: str, *, region: str, host: str, path: str, time: str) -> str:
    signer, request = SigV4Auth(Credentials(access_key, secret), "codecommit", region), AWSRequest()
    request.context["timestamp"] = time
    text = signer.string_to_sign(request, f"GIT\n{path}\n\nhost:{host}\n\nhost\n")
    return f"{time}Z{signer.signature(text, request)}"
