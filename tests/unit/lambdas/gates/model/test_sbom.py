"""The packages that gates have looked up, as CycloneDX."""

from __future__ import annotations

import json
from datetime import date

from lambdas.common.evidence.finding import Package
from lambdas.gates.model.gate import Gate, Ran, Scanned, decide
from lambdas.gates.model.sbom import sbom

_ASKED = "2026-06-01T09:00:00.000+00:00"


def ran(*packages: tuple[str, str], scanner: str = "pip_audit", asked: str = _ASKED) -> Ran:
    gate = Gate(name=scanner, scanner=scanner)
    listed = [Package(name=name, installed=version) for name, version in packages]
    scanned = Scanned(packages=listed, tool_version="2.9", data_of=asked)
    return Ran(gate=gate, scanned=scanned, decision=decide(gate, scanned, [], today=date(2026, 6, 1)))


def test_it_has_what_cyclonedx_requires() -> None:
    bill = json.loads(sbom([ran(("PyYAML", "6.0.1"))]))
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert bill["components"] == [
        {
            "type": "library",
            "bom-ref": "pkg:pypi/pyyaml@6.0.1",
            "name": "PyYAML",
            "version": "6.0.1",
            "purl": "pkg:pypi/pyyaml@6.0.1",
        }
    ]
    assert bill["metadata"] == {
        "timestamp": _ASKED,
        "tools": {"components": [{"type": "application", "name": "pip_audit", "version": "2.9"}]},
    }


def test_a_package_stands_once_by_the_name_that_its_index_knows() -> None:
    """References in it have to differ, whatever letters a file of requirements has."""
    bill = json.loads(
        sbom([ran(("Foo_bar", "1"), ("foo.bar", "1"), ("a", "2+local")), ran(("a", "3"), scanner="snyk")])
    )
    assert [one["purl"] for one in bill["components"]] == [
        "pkg:pypi/a@2%2Blocal",
        "pkg:pypi/a@3",
        "pkg:pypi/foo-bar@1",
    ]
    assert [one["name"] for one in bill["metadata"]["tools"]["components"]] == ["pip_audit", "snyk"]


def test_gates_that_look_up_nothing_are_no_part_of_it() -> None:
    bill = json.loads(sbom([ran(scanner="bandit")]))
    assert (bill["components"], bill["metadata"]) == ([], {"tools": {"components": []}})
