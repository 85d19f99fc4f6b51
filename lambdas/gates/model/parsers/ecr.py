"""Scans of images in ECR, basic and enhanced (DescribeImageScanFindings); pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding
from lambdas.gates.model.aws import ONE_PAGE, inspector_finding
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record


def _basic(one: Record) -> Iterator[Finding]:
    attributes = {it.text("key"): it.maybe("value") for it in one.each("attributes")}
    yield one.finding(
        "rule=name! severity=severity description=description resource=^repositoryName url=uri",
        package=attributes.get("package_name", ""),
        installed=attributes.get("package_version", ""),
    )


def _enhanced(one: Record) -> Iterator[Finding]:
    yield inspector_finding(one, resource=one.above.maybe("repositoryName"))


FORMAT = Format(
    tool="ecr",
    shapes=(
        Shape(
            records={"imageScanFindings.findings?[]": _basic, "imageScanFindings.enhancedFindings?[]": _enhanced},
            keeps=("repositoryName", "imageScanStatus.status=COMPLETE|ACTIVE"),
            counts=("imageScanFindings.findingSeverityCounts?.*",),
            data_of=("imageScanFindings.vulnerabilitySourceUpdatedAt?",),
            errors={"nextToken?": ONE_PAGE},
        ),
    ),
)
