"""IAM policies in templates, by IAM Access Analyzer of the build's account, with cfn-policy-validator.

Options: `template_configuration` is a file with values of parameters, as CodePipeline has it for the deployment;
`allow_external_principals`, `ignore_finding` and `treat_finding_type_as_blocking` are the tool's own. What it holds
blocking is HIGH, and all else at most MEDIUM. The accounts that the templates go to are not external to each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lambdas.common import clock
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.iam.syntax import TemplateError, parameters_of
from lambdas.gates.model.iam.template import Where
from lambdas.gates.model.template_files import templates_below
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.iam import places
from lambdas.gates.scanners.scanner import Options, Trouble, read, run, said_by, several, version_of

_NAME = "cfn_policy_validator"
# It tries each call thirty times: with an endpoint that is dead it would not end within an hour.
_SECONDS = 300
_AT_ONCE = 4
_CLEAN, _FINDINGS = 0, 2
_FLAGS = ("allow_external_principals", "ignore_finding", "treat_finding_type_as_blocking")


@dataclass(frozen=True, kw_only=True)
class _Tool:
    """The tool in its environment; `given` are values of parameters, `where` has the places of templates."""

    program: str
    version: str
    environment: Mapping[str, str]
    work: Path
    flags: Sequence[str]
    given: Mapping[str, Any]
    where: Mapping[str, Where]
    target: Path

    def region(self, template: Path) -> str:
        """Where a template goes, or nothing: then the tool takes the build's Region."""
        place = self.where.get(str(template.relative_to(self.target)))
        return place.region if place else ""

    def scan(self, template: Path) -> Scanned:
        """Let it look at one template."""
        path = str(template.relative_to(self.target))
        work = self.work / path
        work.mkdir(parents=True)
        configuration, report = work / "parameters.json", work / "report.json"
        configuration.write_text(json.dumps({"Parameters": _defaults(template) | dict(self.given)}), encoding="utf-8")
        words = [self.program, "validate", f"--template-path={template}", *self.flags]
        words.append(f"--template-configuration-file={configuration}")
        if region := self.region(template):
            words.append(f"--region={region}")
        ran = run(words, cwd=self.work, environment=self.environment, seconds=_SECONDS)
        if ran.returncode not in (_CLEAN, _FINDINGS):
            return Scanned(troubles=[(Word.DID_NOT_RUN, f"{path}: it ended with {ran.returncode}: {said_by(ran)}")])
        report.write_text(ran.stdout, encoding="utf-8")
        scanned = read(report, name=_NAME, version=self.version, said=said_by(ran))
        troubles = list(scanned.troubles)
        if bool(json.loads(ran.stdout).get("BlockingFindings")) != (ran.returncode == _FINDINGS):
            troubles.append((Word.UNREADABLE, f"{path}: it ended with {ran.returncode}, and reports otherwise"))
        placed = [replace(one, place=replace(one.place, path=path)) for one in scanned.findings]
        return Scanned(findings=placed, troubles=troubles)


class PolicyValidator:
    """Runs the tool on each template, with the credentials of whoever runs the gate."""

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Let IAM Access Analyzer look at the policies of the templates below the target."""
        templates = templates_below(target)
        if not templates:
            raise Trouble(Word.NOTHING, f"there is no template below {target.name or target}")
        place, where = environments.of(_NAME), dict(places(target))
        asked = clock.stamp(clock.now())
        program, environment = str(place / "bin" / "cfn-policy-validator"), environments.variables(place, account=True)
        tool = _Tool(
            program=program,
            version=version_of([program, "--version"], cwd=work, environment=environment),
            environment=environment,
            work=work,
            flags=_flags(options, sorted({one.account for one in where.values()})),
            given=_given(options),
            where=where,
            target=target,
        )
        # One of each Region before the others: it makes the analyzer, which several at a time would make twice.
        first = list({tool.region(one): one for one in templates}.values())
        each = [tool.scan(one) for one in first]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            each += pool.map(tool.scan, [one for one in templates if one not in first])
        return Scanned(
            findings=[one for scanned in each for one in scanned.findings],
            tool_version=tool.version,
            data_of=asked,
            troubles=[one for scanned in each for one in scanned.troubles],
        )

    def plant(self, folder: Path) -> None:
        """A role with an action that there is not."""
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        typo = {"Effect": "Allow", "Action": "sqs:ReceiveMessages", "Resource": "*"}
        policy = {"PolicyName": "planted", "PolicyDocument": {"Version": "2012-10-17", "Statement": [typo]}}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        properties = {"AssumeRolePolicyDocument": document, "Policies": [policy]}
        role = {"Type": "AWS::IAM::Role", "Properties": properties}
        (folder / "planted.template.json").write_text(json.dumps({"Resources": {"Planted": role}}))


def _flags(options: Options, own: Sequence[str]) -> list[str]:
    told = {name: several(options, name) for name in _FLAGS}
    told["allow_external_principals"] += own
    # With "=": what begins with "-" is a value all the same.
    return [f"--{name.replace('_', '-')}={','.join(values)}" for name, values in told.items() if values]


def _given(options: Options) -> Mapping[str, str]:
    if not (option := options.get("template_configuration")):
        return {}
    try:
        return parameters_of(json.loads(Path(str(option)).read_text(encoding="utf-8")))
    except (OSError, ValueError, TemplateError) as error:
        raise Trouble(Word.INCOMPLETE, f"{option}, which the option `template_configuration` names: {error}") from error


def _defaults(template: Path) -> dict[str, str]:
    """Parameters' own values, which the tool does not read; of one in Parameter Store it is not the value."""
    declared = json.loads(template.read_text(encoding="utf-8")).get("Parameters", {})
    return {
        name: str(one["Default"])
        for name, one in declared.items()
        if "Default" in one and not str(one.get("Type")).startswith("AWS::SSM::")
    }


SCANNER = PolicyValidator()
