"""Failovers, by the API of the Region that is to serve: the other one may be down, and AWS says there who commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as UnreachableError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from cli.common.errors import CliError, ConflictError, DeniedError, NotFoundError, UsageError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.common.session import Session
from config.models.failover import Section
from lambdas.common.aws_errors import passes
from lambdas.common.clock import now
from lambdas.resilience.model.failover.names import FailoverNames

_OK, _WRONG, _DENIED, _REFUSED = 200, 400, 403, 409
_TIMEOUT = 35


class FailedError(CliError):
    """A Region could not answer: its function failed."""

    code = Exit.UNREACHABLE


class FailoverSession(Session):
    """A factory with groups that fail over."""

    @property
    def section(self) -> Section:
        """The configuration of failovers.

        Raises:
            NotFoundError: there is none.
        """
        found = self.configuration.rooms.get("failover")
        if not isinstance(found, Section):
            raise NotFoundError("nothing fails over: copy config/examples/all/failover.yaml to config/failover.yaml")
        return found

    def regions(self, group: str, to: str) -> tuple[str, str]:
        """From where and to where a group goes; without `to`, away from its primary.

        Raises:
            CliError: there is no such group or Region.
        """
        primaries, catalogue = {one.name: one.primary for one in self.section.groups}, self.section.catalogue()
        if group not in primaries:
            raise NotFoundError(f"there is no group {group} in config/failover.yaml: there are {', '.join(primaries)}")
        to = self.known(to) or catalogue.other(primaries[group])
        return catalogue.other(to), to

    def known(self, region: str) -> str:
        """A Region of the configuration, or none at all.

        Raises:
            CliError: it is another one.
        """
        if region and region not in self.section.regions:
            raise UsageError(f"{region} is none of the Regions {' and '.join(self.section.regions)}")
        return region

    def ask(self, region: str, command: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a Region, or whichever answers, the second one first: both know the same, but for a second or two.

        Raises:
            CliError: neither answers, or the one that was named.
        """
        first, *others = [region] if self.known(region) else reversed(self.section.regions)
        try:
            return self.call(first, command, body)
        except (ClientError, FailedError, HTTPClientError, UnreachableError) as error:
            if not others or (isinstance(error, ClientError) and not passes(error)):
                raise
            return self.call(others[0], command, body)

    def call(self, region: str, command: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have the API of a Region do a command.

        Raises:
            CliError: it refused, with the reason, or cannot be reached.
        """
        # The toolchain's Region may be the one that is down.
        self.near = region
        parameter = FailoverNames(prefix=self.names.prefix).api_parameter
        url = self.client("ssm", region).get_parameter(Name=parameter)["Parameter"]["Value"]
        request = AWSRequest(
            method="POST",
            url=f"{url}/{command}",
            data=json.dumps(body),
            headers={"content-type": "application/json"},
        )
        # `client` has chosen the profile.
        shell = boto3.DEFAULT_SESSION or boto3.Session()
        credentials = shell.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
        trusted = shell._session.get_config_variable("ca_bundle") or True
        http = URLLib3Session(verify=trusted, proxies=get_environ_proxies(url), timeout=_TIMEOUT)
        answer = http.send(request.prepare())
        told = json.loads(answer.content or b"{}")
        if answer.status_code == _OK:
            return dict(told)
        said = told.get("error") or told.get("message") or f"status {answer.status_code}"
        if answer.status_code == _REFUSED:
            raise ConflictError(said)
        if answer.status_code == _WRONG:
            raise UsageError(said)
        if answer.status_code == _DENIED:
            raise DeniedError(f"{said}: use a role that may invoke POST /{command} of the API in {region}")
        again = (
            f"; it may have been taken: look at the status, or repeat it with --id {body['id']}" if "id" in body else ""
        )
        raise FailedError(f"the API in {region} failed ({said}): look at the log of its function{again}")


def plan(session: FailoverSession, output: Output, *, group: str, to: str, **asked: Any) -> Exit:
    """Tell what a failover would do and what speaks against it."""
    origin, to = session.regions(group, to)
    found = session.call(to, "plan", _body(group, origin, to, **{"reason": "plan", **asked}))
    lines = [f"{group}: {origin} to {to}, {found['applications']} applications, {found['records']} records change"]
    lines += [f"step {number}: {step}" for number, step in enumerate(found["steps"], 1)]
    lines += [f"against it: {reason}" for reason in found["reasons"]]
    output.result(found, [*lines, "go" if found["go"] else "no go"])
    return Exit.OK if found["go"] else Exit.WRONG


def start(session: FailoverSession, output: Output, *, group: str, to: str, reason: str, **asked: Any) -> None:
    """Fail over; the same id again changes nothing."""
    origin, to = session.regions(group, to)
    _answered(output, session.call(to, "start", _body(group, origin, to, reason=reason, **asked)))


def drill(session: FailoverSession, output: Output, *, group: str, reason: str, request: str) -> None:
    """Fail over away from the primary Region, which the function cannot reach meanwhile."""
    _, to = session.regions(group, "")
    body = {"group": group, "id": request or _new_id(), "reason": reason}
    _answered(output, session.call(to, "drill", body))


def status(session: FailoverSession, output: Output, *, region: str) -> Exit:
    """Tell where each group is served from, and how its requests are."""
    found = session.ask(region, "status", {})
    lines: list[str] = []
    waits = wrong = False
    for one in found["groups"]:
        alone = f", {len(one['alone'])} of its applications elsewhere" if one["alone"] else ""
        lines.append(f"{one['group']}: {_where(one)}{alone}")
        lines += _tenants(one.get("tenants", {}))
        wrong = wrong or "wrong" in one.get("tenants", {})
        for its in one["requests"]:
            request, progress = its["request"], its["progress"]
            waits = waits or progress["state"] == "OPEN"
            state = ": ".join(filter(None, (progress["state"], progress.get("problem"))))
            lines.append(f"  {request['at']} {request['id']} to {request['to']} by {request['actor']} {state}")
    output.result(found, [*lines, *found.get("unread", ())])
    return Exit.WRONG if waits or wrong or "unread" in found else Exit.OK


def _where(group: Mapping[str, Any]) -> str:
    """Where a whole group is, and what is out; or where it goes, while traffic still waits for the data."""
    for one in group["requests"]:
        request, progress = one["request"], one["progress"]
        comes = progress["state"] == "OPEN" and request["to"] == group["active"]
        if comes and not (request.get("applications") or progress.get("shifted_at")):
            return f"on its way to {group['active']}"
    out = f", {', '.join(group['out'])} out" if group["out"] else ""
    return f"served from {group['active']}{out}"


def _tenants(found: Mapping[str, Any]) -> list[str]:
    """Of a group: how many tenants it has, who waits, and whom somebody has to look at."""
    if not found:
        return []
    waits, waiting, wrong = found.get("waits", 0), found.get("waiting", {}), found.get("wrong", {})
    more = f", the first {len(waiting)} of them below" if waits > len(waiting) else ""
    count, at = found.get("applications", 0), found.get("at", "no time yet")
    lines = [f"  tenants at {at}: {count} applications, {waits} waiting{more}"]
    lines += [f"  {name} waits: {why}" for name, why in waiting.items()]
    return lines + [f"  {name} is left as it is: {why}" for name, why in wrong.items()]


def history(session: FailoverSession, output: Output, *, group: str, region: str) -> None:
    """Tell all that was said of a group, the oldest first."""
    session.regions(group, "")
    found = session.ask(region, "history", {"group": group})
    lines = [f"{one['at']} {one['region']}: {one['message']}" for one in found["history"]]
    output.result(found["history"], [*lines, *found.get("unread", ())])


def _body(group: str, origin: str, to: str, *, request: str = "", **asked: Any) -> dict[str, Any]:
    given = {name: value for name, value in asked.items() if value}
    return {"group": group, "from": origin, "to": to, "id": request or _new_id(), **given}


def _new_id() -> str:
    """One that sorts by time."""
    return f"{now():%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


def _answered(output: Output, found: dict[str, Any]) -> None:
    request, progress = found["request"], found["progress"]
    waits = f", waits for {progress['problem']}" if progress.get("problem") else ""
    said = f"request {request['id']} to {request['to']}: {progress['state']}{waits}. See `granary failover status`."
    output.answer(found, said=said)
