"""The second act: a commit with a key stops before anything of it runs, and Security Hub has the finding."""

from __future__ import annotations

import json
import secrets
import string
from typing import Any

from rich.markup import escape
from rich.table import Table

from local_cloud.factory.demo.gates import seen
from local_cloud.factory.demo.gates.scene import Scene
from local_cloud.factory.workspace import Workspace

LEAK = "leak.py"


def play(scene: Scene) -> str:
    """Commit a key; answers the finding's fingerprint."""
    stage, granary = scene.stage, scene.granary
    stage.act("A commit with a key stops before anything of it runs")
    with stage.step(f"commit {LEAK}, which has a key of AWS's form and its secret, made up just now; push it"):
        hidden = leak(granary.workspace)
        revision = granary.push("a key slips in")
    with stage.step("the gate stops it, and says so on the bus"):
        detail = scene.stopped(revision)
    _show(scene, detail)
    stage.granary(granary, "gates", "explain", revision)
    fingerprint = str(detail["findings"][0])
    with stage.step("the gate's report arrives in its bucket, and import_findings takes it to Security Hub"):
        one = scene.finding(fingerprint, lambda _: True, what="of the key")
    scene.show(one, title="What Security Hub has")
    state = one["RecordState"], one["Workflow"]["Status"]
    stage.expect(holds=state == ("ACTIVE", "NEW"), otherwise=f"the finding is {state}")
    told = json.dumps([detail, one])
    stage.expect(holds=not any(text in told for text in hidden), otherwise="what was hidden is told")
    return fingerprint


def leak(workspace: Workspace) -> tuple[str, str]:
    """Commit a key and its secret, which nobody has ever had; answers both."""
    key = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    secret = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
    text = f'aws_access_key_id = "{key}"\naws_secret_access_key = "{secret}"\n'
    (workspace.root / LEAK).write_text(text, encoding="utf-8")
    workspace.commit("A key slips in")
    return key, secret


def _show(scene: Scene, detail: dict[str, Any]) -> None:
    stage, revision = scene.stage, detail["revision"]
    ran, published = seen.actions(scene.granary, revision), seen.published(scene.granary, revision)
    table = Table("what", "", title="What the bus says, and what is so", title_justify="left")
    table.add_row("gate", f"{detail['gate']}: [red]{detail['outcome']}[/]")
    table.add_row("reason", escape(detail["reason"]))
    table.add_row("next", escape(detail["nextSteps"]))
    table.add_row("what CI/CD has executed", ", ".join(ran))
    table.add_row("published", "[red]yes[/]" if published else "nothing")
    stage.console.print(table)
    said = detail["gate"], detail["outcome"]
    stage.expect(holds=said == ("secrets", "FAIL"), otherwise=f"the event is about {said}")
    stage.expect(holds=f"{LEAK}:1" in detail["reason"], otherwise=f"the reason is not the key: {detail['reason']}")
    stage.expect(holds=len(ran) == 2 and "Synth" not in ran, otherwise=f"CI/CD went on: {ran}")  # noqa: PLR2004
    stage.expect(holds=not published, otherwise="the commit is published")
