"""What the commands of gates do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.common.errors import CliError, NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.common.session import Session
from config.models.gates import Section
from lambdas.common import clock
from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.clock import stamp
from lambdas.common.evidence.bundle import Bundle, Origin, Source
from lambdas.common.evidence.eligible import why_not_eligible
from lambdas.common.evidence.finding import State
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Outcome, counted
from lambdas.common.kept_verdicts import kept_verdicts
from lambdas.common.revisions import DIGEST_METADATA, GATES_METADATA, release_key
from lambdas.common.versioned_json import plain
from lambdas.gates.model.events import ReportError
from lambdas.gates.model.exceptions import Exception_
from lambdas.gates.model.gate import Gate, Ran, Scope, Word, place_of, too_old
from lambdas.gates.model.outputs import cucumber, junit, sarif
from lambdas.gates.model.reports import read_report
from lambdas.gates.model.sbom import sbom
from lambdas.gates.model.telling import told
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate

_WRITERS = {"junit": junit, "cucumber": cucumber, "sarif": sarif, "sbom": sbom}


def list_gates(session: Session, output: Output) -> None:
    """List what is configured."""
    found = _gates(session)
    lines = [f"{one.name:<24} {one.scanner:<16} {one.scans.value:<12} fails at {one.fail_at.value}" for one in found]
    output.result([plain(one) for one in found], lines)


def run_here(
    session: Session,
    output: Output,
    *,
    names: Sequence[str],
    source: Path,
    templates: Path,
    files: Mapping[str, Path | None],
) -> Exit:
    """Run gates; whatever could not be told is worse than what was found."""
    found = _gates(session)
    if unknown := sorted(set(names) - {one.name for one in found}):
        raise NotFoundError(f"there is no gate {', '.join(unknown)}: `granary gates list` shows them")
    exceptions = [Exception_(**one.model_dump()) for one in session.configuration.exceptions.exceptions]
    all_run: list[Ran] = []
    for gate in found:
        if gate.name not in names and (names or gate.scans is Scope.REPOSITORIES):
            continue
        target = templates if gate.scans is Scope.TEMPLATES else source
        output.say(f"running {gate.name} ...")
        ran = run_gate(gate, target, exceptions=exceptions, today=clock.now().date(), environments=Environments.here())
        all_run.append(ran)
        if not output.as_json:
            output.lines(told(gate, ran.decision))
    if output.as_json:
        output.data([{"gate": ran.gate.name, **plain(ran.decision)} for ran in all_run])
    for kind, file in files.items():
        if file:
            _write(file, _WRITERS[kind](all_run))
    outcomes = {ran.decision.outcome for ran in all_run}
    if outcomes == {Outcome.PASS}:
        return Exit.OK
    return Exit.WRONG if outcomes <= {Outcome.PASS, Outcome.FAIL} else Exit.UNREACHABLE


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"{file} cannot be written: {error}") from error


def parse_report(session: Session, output: Output, *, file: Path, name: str, max_age_days: int | None) -> Exit:
    """Read a report, and tell all of it."""
    try:
        with file.open("rb") as stream:
            report = read_report(stream, name=name)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {file}") from error
    except (OSError, ReportError) as error:
        raise CliError(f"{file} cannot be read: {error}") from error
    old = "" if max_age_days is None else too_old(report.data_of, max_age_days, today=clock.now().date())
    opened = [one for one in report.findings if one.state is State.OPEN]
    lines = [f"{one.severity.value:<13} {one.rule:<28} {place_of(one)}  {one.title}" for one in opened]
    errors = [*report.errors, *([f"{Word.OLD.value}: {old}"] if old else [])]
    output.result({**plain(report), "errors": errors}, [*lines, *(f"ERROR {error}" for error in errors)])
    data = f" with data of {report.data_of}" if report.data_of else ""
    output.say(f"{report.format} {report.version}{data}: {len(opened)} open findings, {len(errors)} errors")
    return Exit.OK if report.clean and not old else Exit.WRONG


def verify(session: Session, output: Output, *, revision: str) -> Exit:
    """Ask what the release machine asks."""
    bundle, demands = _published(session, revision)
    verdicts, unread = kept_verdicts(session.client("s3"), bucket=_bucket(session), revision=revision)
    against = [*unread, *why_not_eligible(bundle, verdicts=verdicts, demands=demands, now=stamp(clock.now()))]
    output.result({"revision": revision, "gates": demands, "against": against}, against)
    output.say(f"release {revision} may not go" if against else f"release {revision} may go: {len(demands)} gates")
    return Exit.WRONG if against else Exit.OK


def explain(session: Session, output: Output, *, revision: str) -> None:
    """Show each verdict."""
    verdicts, unread = kept_verdicts(session.client("s3"), bucket=_bucket(session), revision=revision)
    if not verdicts and not unread:
        raise NotFoundError(f"no gate has judged {revision}: `granary list` shows revisions")
    lines = list(unread)
    for one in verdicts:
        said = one.predicate
        lines.append(f"{said.judged_at} {said.gate}: {said.outcome.value} {said.reason}".rstrip())
        counts = counted(said.counts, len(said.exceptions)) or "nothing"
        data = f" with data of {said.data_of}" if said.data_of else ""
        tool = f"{said.tool} {said.tool_version}{data}"
        lines.append(f"  {tool}, of {said.scope}: {counts}; counts until {said.expires_at}")
        lines += [f"  excepted {one}: {said.excepted.get(one, '')}".rstrip(": ") for one in said.exceptions]
        lines += [f"  {said.link}"] if said.link else []
    output.result([plain(one) for one in verdicts], lines)


def _gates(session: Session) -> list[Gate]:
    section = session.configuration.rooms.get("gates")
    if not isinstance(section, Section):
        raise NotFoundError("the room gates is off: copy config/examples/all/gates.yaml to config/gates.yaml")
    return [one.gate() for one in section.gates]


def _bucket(session: Session) -> str:
    return session.names.releases_bucket(session.account, session.region)


def _published(session: Session, revision: str) -> tuple[Bundle, list[str]]:
    """What is released, by its own metadata."""
    key = release_key(revision)
    with ignoring(*NO_OBJECT):
        head = session.client("s3").head_object(Bucket=_bucket(session), Key=key)
        subject = Subject(name=key, digest=Digest(sha256=head["Metadata"].get(DIGEST_METADATA, "")))
        source = Source(bucket=_bucket(session), key=key, version_id=head["VersionId"])
        origin = Origin(revision=revision, source=source, published_at=stamp(head["LastModified"]))
        demands = [name for name in head["Metadata"].get(GATES_METADATA, "").split(",") if name]
        return Bundle(subject=(subject,), predicate=origin), demands
    raise NotFoundError(f"no release {revision} is published")
