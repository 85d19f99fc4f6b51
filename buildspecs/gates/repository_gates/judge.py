"""The gates of a repository: its commit is fetched, scanned, and judged; the verdict is about that very commit."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from buildspecs.gates.checkout import checkout
from buildspecs.gates.judging import exceptions_of, judge_all, judging_of
from config.models import Configuration
from config.models.gates import Section
from lambdas.common.errors import GranaryError
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.gates.model.branch import Branch


def judge(configuration: Configuration, branch: Branch, clone: Path) -> int:
    """Scan a branch's commit; 1 when a gate has not passed.

    Raises:
        GranaryError: the configuration does not know the repository, or the commit is not in the clone.
    """
    section = configuration.rooms.get("gates")
    known = {one.name: one for one in section.repositories} if isinstance(section, Section) else {}
    if branch.repository not in known or not isinstance(section, Section):
        raise GranaryError(f"config/gates.yaml has no repository {branch.repository}: deploy the room anew")
    with TemporaryDirectory() as folder:
        target = Path(folder)
        digest = checkout(clone, branch.commit, target)
        subject = Subject(name=f"{branch.repository}@{branch.commit}", digest=Digest(sha256=digest))
        judging = judging_of(configuration, branch.commit, subject, branch=branch)
        gates = section.gates_of(known[branch.repository])
        return judge_all(judging, gates, target, exceptions=exceptions_of(configuration))
