"""The third act: an exception lets the key through for a while; the fourth: it is removed, and its finding archived."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from local_cloud.factory.demo.gates import seen
from local_cloud.factory.demo.gates.scene import Scene
from local_cloud.factory.demo.gates.stop import LEAK
from local_cloud.factory.granary import Granary


def play(scene: Scene, fingerprint: str) -> None:
    """Except what was found, then repair it."""
    first_seen = _excepted(scene, fingerprint)["FirstObservedAt"]
    one = _removed(scene, fingerprint)
    scene.stage.expect(
        holds=one["FirstObservedAt"] == first_seen, otherwise=f"it was first seen on {first_seen}, and is {one}"
    )


def except_(granary: Granary, fingerprint: str, *, expires: date) -> str:
    """Commit and push an exception for a finding; answers the revision."""
    given = {"gate": "secrets", "reason": "revoked", "requester": "ada@example.com", "approver": "grace@example.com"}
    one = {**given, "fingerprint": fingerprint, "expires": expires.isoformat()}
    granary.workspace.configure("exceptions", {"exceptions": [one]})
    granary.workspace.commit("An exception")
    return granary.push("an exception")


def _excepted(scene: Scene, fingerprint: str) -> dict[str, Any]:
    stage, granary = scene.stage, scene.granary
    stage.act("An exception lets the next commit through")
    expires = date.today() + timedelta(days=30)
    with stage.step(f"commit an exception for {fingerprint}, asked for by ada and approved by grace, until {expires}"):
        revision = except_(granary, fingerprint, expires=expires)
    with stage.step("CI/CD and the release go through"):
        scene.released(revision)
    stage.granary(granary, "gates", "explain", revision)
    used = [one.predicate.exceptions for one in seen.verdicts(granary, revision)]
    stage.expect(holds=used == [(fingerprint,)], otherwise=f"the verdict has other exceptions: {used}")
    with stage.step("Security Hub goes on showing the finding, of this revision now"):
        one = scene.finding(fingerprint, lambda one: _revision(one) == revision, what=f"of {revision}")
    stage.expect(holds=one["RecordState"] == "ACTIVE", otherwise=f"the finding is {one['RecordState']}")
    return one


def _removed(scene: Scene, fingerprint: str) -> dict[str, Any]:
    stage, granary = scene.stage, scene.granary
    stage.act("The key is removed, and its finding archived")
    with stage.step(f"commit: {LEAK} and the exception go; push it"):
        for name in (LEAK, "config/exceptions.yaml"):
            (granary.workspace.root / name).unlink()
        granary.workspace.commit("The key goes")
        revision = granary.push("the key goes")
    with stage.step("CI/CD and the release go through"):
        scene.released(revision)
    with stage.step("import_findings archives the finding"):
        one = scene.finding(fingerprint, lambda one: one["RecordState"] == "ARCHIVED", what="archived")
    scene.show(one, title="What Security Hub has now")
    stage.granary(granary, "gates", "verify", revision)
    return one


def _revision(one: dict[str, Any]) -> str:
    return str(one["ProductFields"]["granary/revision"])
