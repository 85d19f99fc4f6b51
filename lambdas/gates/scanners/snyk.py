"""Known vulnerabilities of Python packages, with Snyk's service: only a build with an account's token can ask it.

The option `files` names the requirements, `secret` the secret of Secrets Manager with the token, `org` and `api` Snyk's
organization and its address in another region; `monitor` has Snyk go on watching what passed by here, as `project`.

Snyk reads what is installed. Installing would run what packages bring along, beside credentials: so there is, of each
pin, the record of an installation and nothing else, and what is not pinned cannot be told. The token is in the
environment of the commands that ask Snyk, and nowhere else.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.evidence.finding import Package
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.requirements import UnpinnedError, pins
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import Options, Trouble, named, read, run, said_by, version_of

_FOUND = frozenset({0, 1})
_NOTHING = 3
_KNOWN_BAD = "pyyaml==5.3.1\n"


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """Snyk's command, and the environment with the token."""

    program: str
    environment: Mapping[str, str]
    options: Options
    tree: Path

    def ask(self, verb: str, file: Path) -> subprocess.CompletedProcess[str]:
        """Have it test a file, or watch it."""
        words = [f"--file={file}", "--package-manager=pip", f"--command={sys.executable}", "--json"]
        given = {"org": self.options.get("org"), "project-name": self.options.get("project")}
        words += [f"--{name}={value}" for name, value in given.items() if value]
        return run([self.program, verb, *words], cwd=self.tree, environment=self.environment)


class Snyk:
    """Asks Snyk about each file; whatever it does not answer is an error."""

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Test the files."""
        files = named(target, options, "files", otherwise=sorted(target.glob("requirements*.txt")))
        if not files:
            raise Trouble(Word.NOTHING, f"there is nothing for it below {target.name or target}")
        place = environments.of("snyk")
        program, environment = str(place / "bin" / "snyk"), environments.variables(place)
        version = version_of([program, "--version"], cwd=work, environment=environment)
        environment |= {"PYTHONPATH": str(work / "installed"), "SNYK_DISABLE_ANALYTICS": "1"}
        environment |= {"SNYK_API": str(options["api"])} if options.get("api") else {}
        environment["SNYK_TOKEN"] = _token(options)
        asked = clock.stamp(clock.now())
        asking = _Asking(program=program, environment=environment, options=options, tree=work / "tree")
        known = [(file.relative_to(target), _pins(file, files, target)) for file in files]
        each = [_test(asking, name, pinned, work, version) for name, pinned in known]
        return Scanned(
            findings=[finding for one in each for finding in one.findings],
            tool_version=version,
            data_of=asked,
            packages=[package for one in each for package in one.packages],
            troubles=[trouble for one in each for trouble in one.troubles],
        )

    def plant(self, folder: Path) -> None:
        """Require what has a known vulnerability."""
        (folder / "requirements.txt").write_text(_KNOWN_BAD)


def _test(asking: _Asking, name: Path, pinned: Mapping[str, str], work: Path, version: str) -> Scanned:
    _install(pinned, asking.tree / name, work / "installed")
    ran = asking.ask("test", name)
    said = said_by(ran).replace(asking.environment["SNYK_TOKEN"], "(its token)")
    if ran.returncode not in _FOUND:
        raise Trouble(Word.NOTHING if ran.returncode == _NOTHING else Word.DID_NOT_RUN, f"{ran.returncode}: {said}")
    report = work / "report.json"
    report.write_text(ran.stdout, encoding="utf-8")
    scanned = read(report, name="snyk", version=version, said="it says nothing where its binary is not whole")
    troubles = [*scanned.troubles]
    if (seen := json.loads(ran.stdout).get("dependencyCount")) != len(pinned):
        troubles.append((Word.INCOMPLETE, f"{name}: {seen} of {len(pinned)} packages"))
    if ran.returncode and not scanned.findings:
        troubles.append((Word.INCOMPLETE, f"{name}: it has found something, and names nothing"))
    if asking.options.get("monitor") and asking.ask("monitor", name).returncode:
        troubles.append((Word.INCOMPLETE, f"{name}: Snyk does not watch it: `snyk monitor` has failed"))
    packages = [Package(name=name, installed=version) for name, version in pinned.items()]
    return replace(scanned, troubles=troubles, packages=packages)


def _pins(file: Path, files: Sequence[Path], target: Path) -> Mapping[str, str]:
    try:
        return pins(file.read_text(encoding="utf-8"), read=lambda other: file.parent / other in files)
    except (OSError, ValueError, UnpinnedError) as error:
        raise Trouble(Word.INCOMPLETE, f"{file.relative_to(target)}: {error}") from error


def _install(pinned: Mapping[str, str], file: Path, installed: Path) -> None:
    """Write the file as Snyk is to read it, and the record of each package."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{name}=={version}\n" for name, version in pinned.items()), encoding="utf-8")
    shutil.rmtree(installed, ignore_errors=True)
    for name, version in pinned.items():
        record = installed / f"{name.replace('-', '_')}-{version}.dist-info"
        record.mkdir(parents=True, exist_ok=True)
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (record / "METADATA").write_text(text, encoding="utf-8")


def _token(options: Options) -> str:
    name = str(options.get("secret") or "")
    if not name:
        raise Trouble(Word.DID_NOT_RUN, "the option `secret` names no secret with its token")
    try:
        token = str(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]).strip()
    except (BotoCoreError, ClientError, KeyError) as error:
        raise Trouble(Word.DID_NOT_RUN, f"its token cannot be read from {name}: {error}") from error
    if not token:
        raise Trouble(Word.DID_NOT_RUN, f"there is no token in {name}")
    return token


SCANNER = Snyk()
