"""What gates found, as other tools read it: JUnit and Cucumber for reports of tests, and SARIF 2.1.0; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.verdict import Outcome
from lambdas.common.written import one_line
from lambdas.gates.model.gate import Ran, place_of

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFORMATIONAL: "note",
    Severity.UNKNOWN: "warning",
}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_STATUSES = {"": "passed", "failure": "failed", "error": "failed", "skipped": "skipped"}
# What Cucumber writes of every feature and scenario, and here has nothing to say.
_LAYOUT: dict[str, Any] = {"line": 1, "description": "", "tags": []}
# XML has no place for them, nor has anything else.
_NO_CHARACTERS = {0xFFFE: "?", 0xFFFF: "?"}


def junit(gates: Iterable[Ran]) -> str:
    """A suite a gate: what blocks has failed, what is excepted is skipped, and that a gate cannot tell is an error."""
    root = ElementTree.Element("testsuites")
    for ran in gates:
        cases = [_case(ran, one) for one in _told(ran)]
        counts = {name: sum(one.find(verb) is not None for one in cases) for name, verb in _COUNTED.items()}
        told = {"name": ran.gate.name, "tests": str(len(cases)), **{name: str(many) for name, many in counts.items()}}
        suite = ElementTree.SubElement(root, "testsuite", told)
        suite.extend(cases)
    return ElementTree.tostring(root, encoding="unicode")


def cucumber(gates: Iterable[Ran]) -> str:
    """A feature a gate, and a scenario what is a case in JUnit; as cucumber-js 7 writes them, which CodeBuild reads."""
    return json.dumps([_feature(ran) for ran in gates])


def _feature(ran: Ran) -> dict[str, Any]:
    name = ran.gate.name
    scenarios = [_scenario(name, number, one) for number, one in enumerate(_told(ran), 1)]
    return {"keyword": "Feature", "uri": f"gates/{name}", "id": name, "name": name, **_LAYOUT, "elements": scenarios}


def _scenario(gate: str, number: int, one: _Told) -> dict[str, Any]:
    said = _text(" ".join(filter(None, (one.said, one.text))))
    result = {"status": _STATUSES[one.verb], "duration": 0, **({"error_message": said} if one.failed else {})}
    step = {"keyword": "Then ", "name": "the gate lets it pass", "line": 1, "match": {"location": gate}}
    scenario = {"keyword": "Scenario", "type": "scenario", "id": f"{gate};{number}", "name": _text(one.name)}
    return {**scenario, **_LAYOUT, "description": said, "steps": [{**step, "result": result}]}


class _Told(NamedTuple):
    """A case: `verb` is JUnit's word for what became of it, empty for what is in order."""

    name: str
    verb: str = ""
    said: str = ""
    text: str = ""

    @property
    def failed(self) -> bool:
        return _STATUSES[self.verb] == "failed"


def _told(ran: Ran) -> Iterator[_Told]:
    decision = ran.decision
    whole = f"{ran.gate.scanner} could tell"
    known = decision.outcome in (Outcome.PASS, Outcome.FAIL)
    yield _Told(whole) if known else _Told(whole, "error", decision.reason)
    for verb, findings in (("failure", decision.blocking), ("skipped", decision.excepted), ("", decision.others)):
        for one in findings:
            name, repair = f"{one.rule} at {place_of(one)}", one.remediation or one.url
            said = f"{one.severity.value}: {one.title}", f"{repair} fingerprint {one.fingerprint}".strip()
            yield _Told(name, verb, *said) if verb else _Told(name)


def _case(ran: Ran, one: _Told) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=ran.gate.name, name=_text(one.name))
    if one.verb:
        ElementTree.SubElement(case, one.verb, message=_text(one.said)).text = _text(one.text) or None
    return case


def _text(text: str) -> str:
    return one_line(text).translate(_NO_CHARACTERS)


def sarif(gates: Iterable[Ran]) -> str:
    """A run a gate; what is excepted is a result that is suppressed."""
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(ran) for ran in gates]})


def _run(ran: Ran) -> dict[str, Any]:
    decision = ran.decision
    shown = [*decision.blocking, *decision.others]
    told = [{"level": "error", "message": {"text": f"{word.value}: {text}"}} for word, text in ran.scanned.troubles]
    rules = {one.rule: _rule(one) for one in (*shown, *decision.excepted)}
    driver = {"name": ran.gate.scanner, "version": ran.scanned.tool_version, "rules": list(rules.values())}
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{ran.gate.name}/"},
        "invocations": [{"executionSuccessful": not told, "toolExecutionNotifications": told}],
        "results": [
            *map(_result, shown),
            *({**_result(one), "suppressions": [{"kind": "external"}]} for one in decision.excepted),
        ],
    }


def _rule(one: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"id": one.rule, "shortDescription": {"text": one.title or one.rule}}
    return told | ({"helpUri": one.url} if one.url else {})


def _result(one: Finding) -> dict[str, Any]:
    place = one.place
    where: dict[str, Any] = {}
    if place.path:
        region = {"region": {"startLine": place.line}} if place.line else {}
        where["physicalLocation"] = {"artifactLocation": {"uri": quote(place.path)}, **region}
    if one.resource:
        where["logicalLocations"] = [{"fullyQualifiedName": one.resource}]
    return {
        "ruleId": one.rule,
        "level": _LEVELS[one.severity],
        "message": {"text": one.title or one.rule},
        "partialFingerprints": {"granary": one.fingerprint},
        "properties": {"severity": one.severity.value},
        **({"locations": [where]} if where else {}),
    }
