"""Trivy: images, file systems, Kubernetes clusters, and its reports of before version 0.20; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape, as_told
from lambdas.gates.model.record import Record

_STATES = {"FAIL": State.OPEN, "PASS": State.PASSED, "EXCEPTION": State.SUPPRESSED}


def _misconfiguration(one: Record) -> Iterator[Finding]:
    around = [text for key in ("Namespace", "Kind", "Name") if (text := one.above.maybe(key))]
    yield one.finding(
        "rule=AVDID|ID! title=Title! severity=Severity description=Message|Description path=^Target "
        "line=CauseMetadata.StartLine remediation=Resolution url=PrimaryURL aliases=ID",
        state=one.choice("Status", _STATES),
        resource=one.maybe("CauseMetadata.Resource"),
        inside="/".join(around),
    )


_VULNERABILITY = as_told(
    "rule=VulnerabilityID! title=Title severity=Severity description=Description path=^Target inside=PkgPath "
    "package=PkgName! installed=InstalledVersion fixed=FixedVersion url=PrimaryURL"
)
_SECRET = as_told("rule=RuleID! title=Title severity=Severity path=^Target line=StartLine content=Match")
_LICENCE = as_told("rule=Name! severity=Severity path=FilePath package=PkgName url=Link")


def _shape(around: str, *keeps: str) -> Shape:
    return Shape(
        records={
            f"{around}.Vulnerabilities?[]": _VULNERABILITY,
            f"{around}.Misconfigurations?[]": _misconfiguration,
            f"{around}.Secrets?[]": _SECRET,
            f"{around}.Licenses?[]": _LICENCE,
        },
        keeps=(*keeps, f"{around}.Target"),
        scanned=(f"{around}.Target",),
    )


_CLUSTER = ("ClusterName", "Resources?[].Namespace?", "Resources?[].Kind", "Resources?[].Name")
FORMAT = Format(
    tool="trivy",
    shapes=(
        _shape("Results?[]", "SchemaVersion=2", "ArtifactName"),
        _shape("Resources?[].Results?[]", *_CLUSTER),
        _shape("~[]"),
    ),
)
