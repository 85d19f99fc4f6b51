"""Trivy: images, file systems, Kubernetes clusters, and its reports of before version 0.20; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.formats import Format, Shape, as_told
from lambdas.gates.model.record import Record

_STATES = {"FAIL": State.OPEN, "PASS": State.PASSED, "EXCEPTION": State.SUPPRESSED}


def _misconfiguration(one: Record) -> Iterator[Finding]:
    state = one.choice("Status", _STATES)
    if state is State.PASSED:
        return
    around = [text for key in ("Namespace", "Kind", "Name") if (text := one.above.maybe(key))]
    yield one.finding(
        "rule=AVDID|ID! title=Title severity=Severity description=Message|Description path=^Target "
        "line=CauseMetadata.StartLine remediation=Resolution url=PrimaryURL aliases=ID",
        state=state,
        resource=one.maybe("CauseMetadata.Resource"),
        inside="/".join(around),
    )


_VULNERABILITY = as_told(
    "rule=VulnerabilityID! title=Title severity=Severity description=Description path=^Target inside=PkgPath "
    "package=PkgName! installed=InstalledVersion fixed=FixedVersion url=PrimaryURL"
)
_SECRET = as_told("rule=RuleID! title=Title severity=Severity path=^Target line=StartLine content=Match")
_LICENCE = as_told("rule=Name! severity=Severity path=FilePath package=PkgName url=Link")
_UNSCANNED = "Trivy could not scan a resource"


def _shape(*keeps: str, around: tuple[str, ...]) -> Shape:
    kinds = {"Vulnerabilities": _VULNERABILITY, "Misconfigurations": _misconfiguration}
    kinds |= {"Secrets": _SECRET, "Licenses": _LICENCE}
    targets = tuple(f"{place}.Target" for place in around)
    return Shape(
        records={f"{place}.{kind}?[]": convert for place in around for kind, convert in kinds.items()},
        keeps=(*keeps, *targets),
        scanned=targets,
        errors={
            f"{one.removesuffix('Results?[]')}Error?": _UNSCANNED for one in around if one.endswith("].Results?[]")
        },
    )


# Of a cluster, one list, or, before version 0.36, one for each kind of findings.
_CLUSTER = ("Resources?[]", "Findings?[]", "Vulnerabilities?[]", "Misconfigurations?[]")
_OF_RESOURCES = tuple(f"{place}.{name}" for place in _CLUSTER for name in ("Namespace?", "Kind", "Name"))
FORMAT = Format(
    tool="trivy",
    shapes=(
        _shape("SchemaVersion=2", "ArtifactName", around=("Results?[]",)),
        _shape("ClusterName", *_OF_RESOURCES, around=tuple(f"{place}.Results?[]" for place in _CLUSTER)),
        _shape(around=("~[]",)),
    ),
)
