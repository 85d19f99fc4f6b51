"""What the policies of templates allow, with our own checks: `granary-iam`.

They read what AWS publishes of itself out of packages (`iam.txt`), so they run in an environment of their own, as every
other scanner does: `python -m lambdas.gates.scanners.iam TARGET REPORT OPTIONS`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lambdas.common.evidence.finding import Finding
from lambdas.common.partitions import partition_of
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.iam.assembly import Assembly
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.check import Checked, Settings, check
from lambdas.gates.model.iam.template import Where
from lambdas.gates.model.template_files import templates_below
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import Options, Trouble, run, said_by, several

_ROOT = Path(__file__).parents[3]
# Where nothing says where a template goes: an account that is nobody's.
_ANYWHERE = Where(account="000000000000", region="us-east-1")


class Iam:
    """Runs the checks in their environment, and reads what they have written."""

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Check the policies of the templates below the target."""
        if not (templates := templates_below(target)):
            raise Trouble(Word.NOTHING, f"there is no template below {target.name or target}")
        given = dict(options)
        if reference := given.get("reference"):
            if not (file := Path(str(reference)).resolve()).is_file():
                raise Trouble(Word.INCOMPLETE, f"there is no file {reference}, which the option `reference` names")
            given["reference"] = str(file)
        place, report = environments.of("iam"), work / "report.json"
        words = [place / "bin" / "python", "-P", "-m", __name__, target, report, json.dumps(given)]
        environment = environments.variables(place) | {"PYTHONPATH": str(_ROOT)}
        ran = run([str(word) for word in words], cwd=work, environment=environment)
        if ran.returncode or not report.exists():
            raise Trouble(Word.DID_NOT_RUN, said_by(ran))
        told = json.loads(report.read_text(encoding="utf-8"))
        findings = [Finding.from_json(one) for one in told["findings"]]
        troubles = [(Word.INCOMPLETE, f"no row in the ledger: {one}") for one in told["escaped"][:5]]
        if not any(json.loads(one.read_text(encoding="utf-8"))["Resources"] for one in templates):
            troubles.append((Word.NOTHING, "no template has a resource"))
        return Scanned(findings=findings, tool_version=told["data_of"], data_of=told["data_of"], troubles=troubles)

    def plant(self, folder: Path) -> None:
        """A role that anybody may assume."""
        statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
        (folder / "planted.template.json").write_text(json.dumps({"Resources": {"Planted": role}}))


SCANNER = Iam()


def checked(target: Path, options: Mapping[str, Any], catalogue: Catalogue) -> Checked:
    """The checks of an assembly's templates, each where its manifest says that it is deployed."""
    templates = {
        str(path.relative_to(target)): json.loads(path.read_text(encoding="utf-8")) for path in templates_below(target)
    }
    reference = options.get("reference")
    settings = Settings(
        own_accounts=frozenset(several(options, "own_accounts")),
        allow_external_principals=frozenset(several(options, "allow_external_principals")),
        denied_actions=tuple(several(options, "denied_actions")),
        reference=json.loads(Path(reference).read_text(encoding="utf-8")) if reference else None,
    )
    known: Mapping[str, str] = options.get("ssm_parameters", {})
    assembly = Assembly(
        templates=templates,
        where=_ANYWHERE,
        places=dict(places(target)),
        parameters={path: dict(_read_at_deployment(body, known)) for path, body in templates.items()},
    )
    return check(assembly, settings, catalogue)


def places(target: Path) -> Iterator[tuple[str, Where]]:
    """Where each template goes, as the manifests below the target have it."""
    for manifest in target.rglob("manifest.json"):
        for artifact in json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}).values():
            if artifact.get("type") != "aws:cloudformation:stack":
                continue
            template = (manifest.parent / artifact["properties"]["templateFile"]).relative_to(target)
            account, _, region = artifact["environment"].removeprefix("aws://").partition("/")
            if account.isdigit() and not region.startswith("unknown"):
                yield str(template), Where(account=account, region=region, partition=partition_of(region))


def _read_at_deployment(template: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The parameters of a template that CloudFormation reads from Systems Manager, and that the option tells."""
    for name, parameter in template.get("Parameters", {}).items():
        if (
            str(parameter.get("Type", "")).startswith("AWS::SSM::Parameter::Value")
            and parameter.get("Default") in known
        ):
            yield name, known[parameter["Default"]]


def main(target: str, report: str, options: str) -> None:
    """Check, and write the report."""
    catalogue = Catalogue()
    found = checked(Path(target), json.loads(options), catalogue)
    document = {
        "data_of": catalogue.date,
        "escaped": found.ledger.escaped,
        "findings": [one.to_json() for one in found.findings],
    }
    Path(report).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
