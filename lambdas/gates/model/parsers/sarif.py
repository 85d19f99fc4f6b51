"""SARIF 2.1.0, which many tools write: a finding for each place of a result; pure."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from lambdas.common.evidence.finding import Finding, Severity, State
from lambdas.common.written import shown
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, RecordError, secretive, severity_of_score

_LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "none"}
_GONE = ("pass", "notapplicable")
_TEXTS = ("shortDescription.text", "fullDescription.text", "name")


def _result(one: Record) -> Iterator[Finding]:
    rule = _rule(one)
    name = one.maybe("ruleId", "rule.id") or rule.maybe("id")
    if not name:
        raise RecordError("has no `ruleId`, and names no rule of its run")
    secret = secretive(name, *(rule.maybe(key) for key in _TEXTS))
    told = "" if secret else _message(one, rule)
    for place in one.each("locations") or [one.of({})]:
        logical = next(iter(place.each("logicalLocations")), place.of({}))
        yield place.finding(
            "line=physicalLocation.region.startLine column=physicalLocation.region.startColumn "
            "content=physicalLocation.region.snippet.text",
            tool=one.above.text("tool.driver.name").lower(),
            rule=name,
            title=rule.maybe(*_TEXTS) or told,
            severity=_severity(one, rule),
            state=_state(one),
            description=told,
            resource=logical.maybe("fullyQualifiedName", "name"),
            path=unquote(place.maybe("physicalLocation.artifactLocation.uri")),
            remediation=rule.maybe("help.text"),
            url=rule.maybe("helpUri"),
        )


def _rule(one: Record) -> Record:
    """The rule of a result, by its id or its index, of the driver or an extension; an empty one if there is none."""
    if "rules" not in one.above.shared:
        driver = one.above.each("tool.driver.rules")
        known = [*driver, *(it for more in one.above.each("tool.extensions") for it in more.each("rules"))]
        one.above.shared["rules"] = driver, {it.maybe("id"): it for it in reversed(known)}
    rules, by_id = one.above.shared["rules"]
    name = one.maybe("ruleId", "rule.id")
    # `C2001/mine` is a tool's finer word for its rule C2001.
    if name:
        return by_id.get(name) or by_id.get(name.rpartition("/")[0]) or one.of({})
    index = one.maybe("ruleIndex", "rule.index")
    return rules[int(index)] if index.isdecimal() and int(index) < len(rules) else one.of({})


def _message(one: Record, rule: Record) -> str:
    if text := one.maybe("message.text", "message.markdown"):
        return text
    text = rule.maybe(f"messageStrings.{one.maybe('message.id')}.text")
    for number, argument in enumerate(one.texts("message.arguments")):
        text = text.replace(f"{{{number}}}", argument)
    return text


def _severity(one: Record, rule: Record) -> Severity | str:
    score = one.maybe("properties.security-severity") or rule.maybe("properties.security-severity")
    level = one.maybe("level") or rule.maybe("defaultConfiguration.level") or "warning"
    return severity_of_score(score) if score else _LEVELS.get(level.lower(), "")


def _state(one: Record) -> State:
    if one.maybe("kind").lower() in _GONE or one.maybe("baselineState") == "absent":
        return State.PASSED
    accepted = [it.maybe("status") in ("", "accepted") for it in one.each("suppressions")]
    return State.SUPPRESSED if accepted and all(accepted) else State.OPEN


def _invocation(one: Record) -> Iterator[Finding]:
    if not (done := one.maybe("executionSuccessful")):
        raise RecordError("does not say whether the tool ran to its end")
    if done != "true":
        raise RecordError("says that the tool did not run to its end")
    for told in (*one.each("toolExecutionNotifications"), *one.each("toolConfigurationNotifications")):
        if told.maybe("level") == "error":
            raise RecordError(f"tells an error of the tool: {shown(told.maybe('message.text'))}")
    return iter(())


_DRIVER = "runs[].tool.driver"
FORMAT = Format(
    tool="sarif",
    shapes=(
        Shape(
            records={"runs+[].results[]": _result, "runs+[].invocations?[]": _invocation},
            keeps=("version=2.1.0", f"{_DRIVER}.name", f"{_DRIVER}.rules?[]", "runs[].tool.extensions?[]"),
            version=f"{_DRIVER}.version?",
            errors={
                "runs[].externalPropertyFileReferences?.results?": "results are in another file",
                "inlineExternalProperties?[].results?": "results are outside of their run",
            },
        ),
    ),
)
