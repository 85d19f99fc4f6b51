"""Running gates in CI/CD: each leaves a verdict and its findings, and says on the bus what it has stopped."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from config.loader import load
from config.models import Configuration
from config.models.gates import Section
from lambdas.common import clock
from lambdas.common.bus import put_event
from lambdas.common.clients import client
from lambdas.common.clock import stamp
from lambdas.common.console import build_url
from lambdas.common.evidence.kept_report import Head, packed, sbom_key
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Judgement, Outcome, Verdict, verdict_key, worst
from lambdas.common.names import Names
from lambdas.common.revisions import revision_of
from lambdas.common.written import visible
from lambdas.gates.model.branch import Branch
from lambdas.gates.model.exceptions import Exception_
from lambdas.gates.model.gate import EXPORTED, STOPPED, Gate, Ran, Scope
from lambdas.gates.model.outputs import cucumber, junit
from lambdas.gates.model.sbom import sbom
from lambdas.gates.model.telling import excepted, told
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate

_TOLD = 1_000
_RESULTS = Path(".build/gates")
_VARIABLES = "variables.sh"
# What does not depend on what a gate found, and is judged nevertheless, is told here.
_SCOPES = {
    Scope.SOURCE: "the tree that is released; its history is not scanned",
    Scope.TEMPLATES: "the toolchain, the rooms, and sample tenants, which cdk_validation does not see",
    Scope.REPOSITORIES: "the commit's tree, and where its scanner reads that, all of its history; no submodules, "
    "and of Git LFS what the commit itself has",
}


@dataclass(frozen=True, kw_only=True)
class Judging:
    """What is judged, a release's source or a repository's commit, by its digest; and where the answers go.

    `results` is a folder for what CodeBuild shows as reports of tests, and exports; `link` leads to the build. The
    verdicts of a `branch` are kept beside its findings: nothing about a repository may stand where a release's verdicts
    do.
    """

    s3: Any
    events: Any
    names: Names
    releases: str
    reports: str
    revision: str
    subject: Subject
    results: Path
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    link: str = ""
    branch: Branch | None = None

    def judge(self, ran: Ran) -> Outcome:
        """Tell what a gate found, and keep it.

        The verdict is what counts, so it is written last, and fails the build when it cannot be. Findings are kept for
        people and for Security Hub: that they cannot be is told, for their bucket comes with the room's own stack.
        """
        for line in told(ran.gate, ran.decision):
            self.say(line)
        self.results.mkdir(parents=True, exist_ok=True)
        for kind, written in (("xml", junit), ("json", cucumber)):
            (self.results / f"{ran.gate.name}.{kind}").write_text(written([ran]), encoding="utf-8")
        report = self._keep(ran)
        if ran.decision.outcome is not Outcome.PASS:
            self._stopped(ran)
        verdict = self._verdict(ran, report)
        self.s3.put_object(
            Bucket=self.reports if self.branch else self.releases,
            Key=verdict_key(self.branch.folder if self.branch else self.revision, verdict),
            Body=verdict.to_json().encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
        return ran.decision.outcome

    def export(self, all_run: Sequence[Ran]) -> None:
        """Leave what the build exports, as lines for its shell."""
        outcome = worst(*(ran.decision.outcome for ran in all_run)).value
        blocking = sum(len(ran.decision.blocking) for ran in all_run)
        told = zip(EXPORTED, (outcome, str(blocking), self.link), strict=True)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in told]
        (self.results / _VARIABLES).write_text("".join(lines), encoding="utf-8")

    def _verdict(self, ran: Ran, report: str) -> Verdict:
        now, decision = self.clock(), ran.decision
        return Verdict(
            subject=(self.subject,),
            predicate=Judgement(
                gate=ran.gate.name,
                outcome=decision.outcome,
                reason=decision.reason[:_TOLD],
                tool=ran.gate.scanner,
                tool_version=ran.scanned.tool_version,
                data_of=ran.scanned.data_of,
                scope=_SCOPES[ran.gate.scans],
                judged_at=stamp(now),
                expires_at=stamp(now + timedelta(days=ran.gate.valid_days)),
                report=report,
                counts=dict(decision.counts),
                exceptions=tuple(sorted(one.fingerprint for one in decision.excepted)),
                excepted=excepted(decision),
                link=self.link,
            ),
        )

    def _keep(self, ran: Ran) -> str:
        """Keep the findings; answers their key, or nothing."""
        head = Head(
            gate=ran.gate.name,
            target=self.branch.target if self.branch else ran.gate.scans.value,
            created=stamp(self.clock()),
            findings=len(ran.scanned.findings),
            complete=not ran.scanned.troubles,
            tools={ran.gate.scanner: ran.scanned.tool_version},
            revision=self.revision,
        )
        key = head.key(f"{head.created}-{self.revision}")
        try:
            self.s3.put_object(Bucket=self.reports, Key=key, Body=packed(head, ran.scanned.findings))
            if ran.scanned.packages:
                self.s3.put_object(Bucket=self.reports, Key=sbom_key(key), Body=sbom([ran]).encode())
        except (BotoCoreError, ClientError) as error:
            self.say(f"the findings are not kept in {self.reports}, which the stage Rooms makes: {error}")
            return ""
        return key

    def _stopped(self, ran: Ran) -> None:
        detail = {
            "gate": ran.gate.name,
            "outcome": ran.decision.outcome.value,
            "reason": visible(ran.decision.reason)[:_TOLD],
            "revision": self.revision,
            "findings": [one.fingerprint for one in ran.decision.blocking[:10]],
            "nextSteps": f"see the build's log, or `granary gates run {ran.gate.name}` on the commit",
            **self._of_branch,
        }
        bus, source = self.names.event_bus, self.names.prefix
        try:
            refused = put_event(self.events, bus=bus, source=source, kind=STOPPED, detail=detail)
        except (BotoCoreError, ClientError) as error:
            refused = str(error)
        if refused:
            self.say(f"nobody is told on the bus: {refused}")

    @property
    def _of_branch(self) -> Mapping[str, str]:
        return {**self.branch.told, "nextSteps": "see the build's log"} if self.branch else {}


def run_gates(scope: Scope, target: Path, *, subject: Subject) -> int:
    """Run the configured gates of a scope; 1 when one has not passed.

    What a pipeline of another room (ROOM_PIPELINE) deploys is no release: what is said of it stands apart.
    """
    configuration = load()
    gates, exceptions = configured(configuration, scope)
    if not gates:
        print(f"no gate scans {scope.value}", flush=True)
        return 0
    revision, pipeline = revision_of(os.environ["SOURCE_VERSION"]), os.environ.get("ROOM_PIPELINE", "")
    branch = Branch.of_pipeline(pipeline, commit=revision) if pipeline else None
    return judge_all(judging_of(configuration, revision, subject, branch=branch), gates, target, exceptions=exceptions)


def judging_of(
    configuration: Configuration, revision: str, subject: Subject, *, branch: Branch | None = None
) -> Judging:
    """A judging as the factory is configured."""
    toolchain = configuration.toolchain
    names = Names(prefix=toolchain.prefix)
    return Judging(
        s3=client("s3"),
        events=client("events"),
        names=names,
        releases=names.releases_bucket(toolchain.account, toolchain.region),
        reports=names.reports_bucket(toolchain.account, toolchain.region),
        revision=revision,
        subject=subject,
        results=_RESULTS,
        clock=clock.now,
        say=lambda text: print(visible(text), flush=True),
        link=build_url(os.environ.get("CODEBUILD_BUILD_ID", ""), region=toolchain.region),
        branch=branch,
    )


def judge_all(judging: Judging, gates: Iterable[Gate], target: Path, *, exceptions: Sequence[Exception_]) -> int:
    """Run gates, and judge what they find; 1 when one has not passed."""
    environments, today = Environments.here(), clock.now().date()

    def run(gate: Gate) -> Ran:
        return run_gate(gate, target, exceptions=exceptions, today=today, environments=environments)

    all_run: list[Ran] = []
    with ThreadPoolExecutor(2) as pool:
        for ran in pool.map(run, gates):
            judging.judge(ran)
            all_run.append(ran)
    judging.export(all_run)
    return 0 if all(ran.decision.outcome is Outcome.PASS for ran in all_run) else 1


def configured(configuration: Configuration, scope: Scope) -> tuple[Sequence[Gate], Sequence[Exception_]]:
    """The gates of a scope, and all exceptions."""
    section = configuration.rooms.get("gates")
    gates = [one.gate() for one in section.gates] if isinstance(section, Section) else []
    return [gate for gate in gates if gate.scans is scope], exceptions_of(configuration)


def exceptions_of(configuration: Configuration) -> Sequence[Exception_]:
    """What somebody answers for."""
    return [Exception_(**one.model_dump()) for one in configuration.exceptions.exceptions]


def source_subject(sha256: str) -> Subject:
    """What is released, by its digest, which its bundle has too."""
    return Subject(name="source.zip", digest=Digest(sha256=sha256))
