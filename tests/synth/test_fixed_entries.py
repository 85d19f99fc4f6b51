"""What the projects of all templates run: what every source has, and the pinned CDK CLI on what was synthesized."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from stacks.versions import cdk_cli
from tests.synth.assembly import Template
from tests.unit.buildspecs.fixed_entries import COMMANDS, PATHS

_ROOT = Path(__file__).resolve().parents[2]
CDK = _ROOT / "node_modules/.bin/cdk"
INSTALL = f"npm install -g aws-cdk@{cdk_cli()}"
DEPLOY = 'cdk --app . deploy "$PIPELINE_STACK" --require-approval never --verbose'
# What runs on an assembly: it has no source of another revision to meet.
ON_AN_ASSEMBLY = {
    INSTALL,
    'npm install -g "aws-cdk@$CLI_VERSION"',
    "cdk -a . deploy granary-toolchain --require-approval=never --verbose",
    'cdk --app . publish-assets --unstable=publish-assets "$PIPELINE_STACK/*" "$PIPELINE_STACK/*/**"',
    f'if [ -f self_mutate.py ]; then python3 self_mutate.py "$PIPELINE_STACK"; else {INSTALL} && {DEPLOY}; fi',
}
# Publishing finds the assembly beside the source: the library's words for an input of a build.
BESIDE = (
    '[ ! -d "../assembly" ] || { echo \'additionalInputs: "../assembly" must not exist yet. If you want to merge '
    'multiple artifacts, use a "cp" command.\'; exit 1; } && ln -s -- "$CODEBUILD_SRC_DIR_Synth_Output" "../assembly"'
)
# Older sources synthesize here, newer ones within their entry.
SYNTH_OF_OLDER_SOURCES = "test -e cdk.out/manifest.json || npx cdk synth --quiet"


def test_projects_run_what_every_source_has(templates: list[Template]) -> None:
    """A new command belongs into the `buildspec.yaml` of its job, which the job's fixed entry runs."""
    for template in templates:
        for logical_id, project in template.resources("AWS::CodeBuild::Project"):
            buildspec = project["Properties"]["Source"]["BuildSpec"]
            if buildspec in PATHS:
                continue
            phases = json.loads(buildspec)["phases"].values()
            commands = {command for phase in phases for command in phase.get("commands", ())}
            strange = commands - {*COMMANDS, *ON_AN_ASSEMBLY, BESIDE, SYNTH_OF_OLDER_SOURCES}
            assert not strange, f"{template.stack}/{logical_id} runs what other sources lack: {strange}"


def test_what_is_published_is_the_components_and_never_the_pipelines_own(assembly_of: Callable[[str], Path]) -> None:
    """The CLI publishes nothing, and succeeds, when no stack is as the command says."""
    stack = "silo-files-pipeline"
    (command,) = (one for one in ON_AN_ASSEMBLY if "publish-assets" in one)
    patterns = [word.replace("$PIPELINE_STACK", stack) for word in shlex.split(command) if "$" in word]
    listed = subprocess.run(
        [CDK, "--app", assembly_of("tenants-asset"), "ls", *patterns],
        capture_output=True,
        text=True,
        check=True,
    )
    chosen = [line.split(" ")[0] for line in listed.stdout.split("\n") if line]
    assert chosen
    assert all(one.startswith(f"{stack}/") for one in chosen), chosen


def test_the_cli_reports_its_use_to_nobody_wherever_the_settings_lie(tmp_path: Path) -> None:
    """What a build runs on an assembly has the settings beside that; the endpoint would be closed."""
    shutil.copy(_ROOT / "cdk.json", tmp_path)
    (tmp_path / "manifest.json").write_text('{"version": "48.0.0", "artifacts": {}}', encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key != "CDK_DISABLE_CLI_TELEMETRY"}
    environment |= {"TELEMETRY_ENDPOINT": "https://127.0.0.1:9/", "HOME": str(tmp_path)}
    said = subprocess.run(
        [CDK, "--app", ".", "list", "-vvv"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,  # an empty assembly has no stack to list
    )
    assert "Telemetry disabled" in said.stderr + said.stdout
