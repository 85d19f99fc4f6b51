"""A tenant's self-mutation: `python3 self_mutate.py STACK`, in the cloud assembly that the synth has copied it into.

It ends before anything is installed when the stack is deployed as the assembly has it. It runs on what the build image
has: Python and the AWS CLI.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def main(stack: str) -> int:
    """Deploy the stack of the assembly in the working directory, unless nothing of it has changed."""
    try:
        differs = difference(stack)
    except Exception as error:
        differs = f"it could not be compared with what is deployed: {error}"
    if not differs:
        print(f"{stack} is deployed as it was synthesized: nothing to do")
        return 0
    print(f"{stack} is deployed: {differs}", flush=True)
    cli = json.loads(Path("package.json").read_text(encoding="utf-8"))["devDependencies"]["aws-cdk"]
    deploy = ["cdk", "--app", ".", "deploy", stack, "--require-approval", "never", "--verbose"]
    for command in (["npm", "install", "-g", f"aws-cdk@{cli}"], deploy):
        if code := subprocess.run(command, check=False).returncode:  # noqa: S603 - no shell parses the stack's name
            return code
    return 0


def difference(stack: str) -> str:
    """In what the deployed stack differs from the assembly's; empty when in nothing."""
    artifacts = json.loads(Path("manifest.json").read_text(encoding="utf-8"))["artifacts"]
    artifact = artifacts[stack]
    if any(artifacts[name]["type"] == artifact["type"] for name in artifact.get("dependencies", ())):
        return "it needs other stacks, which are deployed with it"
    properties, name = artifact["properties"], artifact["properties"].get("stackName", stack)
    template = json.loads(Path(properties["templateFile"]).read_text(encoding="utf-8"))
    (known,) = _ask("describe-stacks", name)["Stacks"]
    if known["StackStatus"] not in _SETTLED:
        return f"it is {known['StackStatus']}"
    if properties.get("tags", {}) != {tag["Key"]: tag["Value"] for tag in known.get("Tags", ())}:
        return "its tags have changed"
    deployed = _ask("get-template", name, "--template-stage", "Original")["TemplateBody"]
    return "" if _canonical(deployed) == _canonical(template) else "its template has changed"


def _ask(question: str, stack: str, *options: str) -> Any:
    command = ["aws", "cloudformation", question, "--stack-name", stack, *options, "--output", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - as above
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def _canonical(template: Any) -> str:
    """As text, in which 1 and true differ."""
    return json.dumps(template, sort_keys=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
