"""Who says something, as AWS knows them: what somebody writes of themselves is worth nothing.

Whoever says it signs a request to STS, GetCallerIdentity, with what is said in a header of its own. Whoever is told
sends that request on, and STS answers whose credentials have signed it. The signature is good for a quarter of an hour,
for these very words, and for nothing else: who gets hold of it learns a name.
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from lambdas.common.aws_errors import PASSING
from lambdas.common.errors import GranaryError
from lambdas.common.written import cut, one_line

_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_SAID = "x-granary-said"
# What of a signed request is the signature; all else is written here, by both sides.
_SIGNATURE = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
_SIGNED = re.compile(r"SignedHeaders=([a-z0-9;-]+)")
_HEADER = re.compile(r"[ -~]{1,8192}")
_CODE = re.compile(r"<Code>([^<]+)</Code>")
_WHY = re.compile(r"<Message>([^<]+)</Message>")
_ARN = re.compile(r"<Arn>(arn:[^<]+)</Arn>")
_TIMEOUT = 10
_OK, _FAILED = 200, 500


class UnprovenError(GranaryError):
    """STS does not say whose words these are."""


def proof(said: Mapping[str, Any], *, region: str, credentials: Any) -> dict[str, str]:
    """Sign words with credentials, as botocore has them; `region` is that of whoever is told."""
    request = _request(said, region, {})
    SigV4Auth(credentials, "sts", region).add_auth(request)
    return {name: request.headers[name] for name in _SIGNATURE if name in request.headers}


def proven_name(said: Mapping[str, Any], given: object, *, function: str) -> str:
    """Ask STS which principal has signed these words; it is of the account of the function (an ARN) that asks.

    Raises:
        UnprovenError: nobody has, or not these words, or longer ago than STS takes.
        ConnectionError: STS cannot tell now, and may when it is asked again.
    """
    region, account = function.split(":")[3:5]
    signature = _signature(given)
    answer = _send(_request(said, region, signature))
    code = told[1] if (told := _CODE.search(answer.text)) else ""
    if answer.status_code >= _FAILED or "Throttling" in code or code in PASSING:
        raise ConnectionError(f"STS answers {answer.status_code} {code}".rstrip())
    found = _ARN.search(answer.text) if answer.status_code == _OK else None
    if found is None:
        why = _WHY.search(answer.text)
        raise UnprovenError(f"STS does not take the signature: {cut(one_line(why[1]), 200) if why else 'no reason'}")
    arn = found[1]
    if arn.split(":")[4] != account:
        raise UnprovenError(f"{arn} is of another account")
    return arn.rsplit(":", 1)[-1]


def _signature(given: object) -> dict[str, str]:
    """Of a signature that does not cover our header, nobody knows what it was made for."""
    found = {name: given[name] for name in _SIGNATURE if name in given} if isinstance(given, Mapping) else {}
    if not all(isinstance(value, str) and _HEADER.fullmatch(value) for value in found.values()):
        raise UnprovenError("its signature is none")
    covered = _SIGNED.search(found.get("Authorization", ""))
    if not covered or _SAID not in covered[1].split(";"):
        raise UnprovenError("nobody has signed it")
    return found


def _request(said: Mapping[str, Any], region: str, signature: Mapping[str, str]) -> AWSRequest:
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    headers = {"Content-Type": kind, _SAID: digest, **signature}
    return AWSRequest(method="POST", url=_endpoint(region), data=_BODY, headers=headers)


def _endpoint(region: str) -> str:
    """The address is signed, too: it is the Region's own on both sides, whatever a shell or a profile prefers.

    AWS_ENDPOINT_URL is no preference: all of AWS is there, for both sides.
    """
    plain = Config(
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
        ignore_configured_endpoint_urls=True,  # type: ignore[call-arg] # the stubs do not know it
    )
    given = os.environ.get("AWS_ENDPOINT_URL") or None
    url: str = boto3.client("sts", region_name=region, endpoint_url=given, config=plain).meta.endpoint_url
    return url.replace("//sts.amazonaws.com", f"//sts.{region}.amazonaws.com")


def _send(request: AWSRequest) -> Any:
    trusted = boto3.Session()._session.get_config_variable("ca_bundle") or True
    return URLLib3Session(verify=trusted, timeout=_TIMEOUT).send(request.prepare())
