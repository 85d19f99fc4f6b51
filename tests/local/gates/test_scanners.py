"""The scanners themselves, in their own environments: what they find, and where they would be silent if left alone."""

from __future__ import annotations

import json
import secrets
import string
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from lambdas.common.evidence.finding import Severity
from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Decision, Gate, Ran
from lambdas.gates.model.telling import told
from lambdas.gates.model.template_files import AssemblyError
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate
from lambdas.gates.scanners.scanner import Trouble
from local_cloud import osv
from local_cloud.cloud import LocalCloud

_OPEN = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicReadWrite"}}
_WRONG = {"Type": "AWS::SQS::Queue", "Properties": {"NoSuchProperty": True}}
# Python's JSON takes it, and those who look for faults of templates do not.
_TWICE = '{"Resources": {"A": {"Type": "AWS::SNS::Topic"}, "A": {"Type": "AWS::SQS::Queue"}}}'

Tree = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files below a folder; answers it."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "tree" / name).write_text(text, encoding="utf-8")
        return tmp_path / "tree"

    (tmp_path / "tree").mkdir()
    return write


def gate(scanner: str, target: Path, *, fail_at: Severity = Severity.LOW, **options: Any) -> Ran:
    """Run a gate as a build does."""
    one = Gate(name="one", scanner=scanner, fail_at=fail_at, options=options)
    today = datetime.now(UTC).date()
    return run_gate(one, target, exceptions=(), today=today, environments=Environments.here())


def scan(scanner: str, target: Path, work: Path, **options: Any) -> Any:
    """Scan without what is planted, which is another command, and tried where a gate is run."""
    work.mkdir(exist_ok=True)
    return scanners()[scanner].scan(target, work=work, options=options, environments=Environments.here())


def why(decision: Decision) -> str:
    """The reason of a gate that could not tell."""
    assert decision.outcome is Outcome.ERROR, decision
    return decision.reason


def template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


def aws_key() -> tuple[str, str]:
    """A key of AWS's form that is nobody's."""
    key = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    return key, "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


def test_kingfisher_finds_a_secret_and_nobody_copies_it(tree: Tree) -> None:
    """Given a key behind a comment that asks for silence, in a file that git would ignore, then the gate fails."""
    key, secret = aws_key()
    text = f'# kingfisher:ignore\naccess_key_id = "{key}"\nsecret_access_key = "{secret}"  # kingfisher:ignore\n'
    ran = gate("kingfisher", tree({"a/leak.py": text, ".gitignore": "a/\n", ".kingfisherignore": "a/\n"}))
    assert ran.decision.outcome is Outcome.FAIL
    (found,) = ran.decision.blocking
    assert (found.place.path, found.severity) == ("a/leak.py", Severity.HIGH)
    everything = f"{ran} {list(told(ran.gate, ran.decision))}"
    assert key not in everything
    assert secret not in everything


def test_kingfisher_finds_a_key_in_whatever_is_large_or_packed(tree: Tree) -> None:
    """Left alone it passes over 256 MB, over an archive that becomes as large, and over one in one in one."""
    target, key = tree({}), f'key = "{aws_key()[0]}"\n'.encode()
    with (target / "large.py").open("wb") as file:
        file.seek(257 * 2**20)
        file.write(b"\n" + key)
    packed = key
    for _ in range(4):
        packed = zipped(packed)
    (target / "packed.zip").write_bytes(packed)
    (target / "bomb.zip").write_bytes(zipped(key, zeros=300))
    ran = gate("kingfisher", target)
    assert {one.place.path.partition("!")[0] for one in ran.decision.blocking} == {"large.py", "packed.zip", "bomb.zip"}


def zipped(content: bytes, *, zeros: int = 0) -> bytes:
    """An archive of a file, with so many MB of nothing beside it."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("inside", content)
        archive.writestr("zeros", bytes(zeros * 2**20))
    return file.getvalue()


def test_kingfisher_finds_a_key_whatever_its_file_is_called(tree: Tree) -> None:
    """Its own rule passes over these, and over a key without its other half."""
    names = ("page.html", "page.css", "picture.svg", "package-lock.json", "notes.md")
    ran = gate("kingfisher", tree({name: f'key = "{aws_key()[0]}"\n' for name in names}))
    assert {one.place.path for one in ran.decision.blocking} == set(names)
    assert gate("kingfisher", tree(dict.fromkeys(names, "AKIAIOSFODNN7EXAMPLE\n"))).decision.outcome is Outcome.PASS


def test_kingfisher_passes_what_is_clean_and_not_what_is_empty(tree: Tree, tmp_path: Path) -> None:
    assert "scanned nothing" in why(gate("kingfisher", tree({})).decision)
    ran = gate("kingfisher", tree({"a.py": "print()\n"}))
    assert (ran.decision.outcome, ran.scanned.tool_version) == (Outcome.PASS, "2.14.0")
    assert "did not run" in why(gate("kingfisher", tmp_path / "nowhere").decision)


_RULE = """
rules:
  - name: Our token
    id: ours.1
    pattern: '(OURS_[A-Z]{20})'
    min_entropy: 1.0
    confidence: medium
"""


def test_kingfisher_finds_in_the_history_what_was_removed(tree: Tree) -> None:
    """And only with the option: then what is planted is found there, too."""
    key, secret = aws_key()
    target = tree({"old.py": f'aws_access_key_id = "{key}"\naws_secret_access_key = "{secret}"\n', "a.py": "print()\n"})
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    commit = (*who, "commit", "--quiet", "--message", "one")
    for words in (("init", "--quiet"), ("add", "--all"), commit, ("rm", "--quiet", "old.py"), commit):
        subprocess.run(["git", *words], cwd=target, check=True)
    assert gate("kingfisher", target).decision.outcome is Outcome.PASS
    (found,) = gate("kingfisher", target, history=True).decision.blocking
    assert (found.place.path, found.place.line, len(found.place.commit)) == ("old.py", 1, 40)


def test_kingfisher_has_our_own_rules_besides(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = "OURS_" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(20))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ours.yml").write_text(_RULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = gate("kingfisher", tree({"a.py": f'token = "{ours}"\n'}), rules="rules")
    assert [(one.rule, one.place.path) for one in ran.decision.blocking] == [("ours.1", "a.py")]


_SHELL = "import subprocess\n\nsubprocess.call(input(), shell=True)  # nosec\n"


def test_bandit_is_silenced_by_nothing_that_it_scans(tree: Tree) -> None:
    """Given a comment and a file that silence bandit left alone, then the gate fails nevertheless."""
    silent = "[bandit]\nskips: B404,B602\nexclude: src\n"
    ran = gate("bandit", tree({"src/x.py": _SHELL, "src/.bandit": silent, ".bandit": silent}), paths=["src"])
    assert ran.decision.outcome is Outcome.FAIL
    assert [(one.rule, one.place.path, one.place.line) for one in ran.decision.blocking] == [
        ("B602", "src/x.py", 3),
        ("B404", "src/x.py", 1),
    ]


def test_bandit_scans_single_files_too(tree: Tree, tmp_path: Path) -> None:
    scanned = scan("bandit", tree({"app.py": _SHELL, "src/x.py": "print()\n"}), tmp_path, paths=["app.py", "src"])
    assert {one.place.path for one in scanned.findings} == {"app.py"}
    assert (scanned.tool_version, scanned.troubles) == ("1.9.4", [])


def test_bandit_cannot_read_a_file_and_says_success(tree: Tree, tmp_path: Path) -> None:
    """It ends with 0, and has the reason in `errors` alone."""
    (trouble,) = scan("bandit", tree({"a.py": "print()\n", "b.py": "def broken(:\n"}), tmp_path).troubles
    assert trouble[0].value == "scanned only a part"
    assert "b.py" in trouble[1]


def test_what_an_option_names_has_to_be_there(tree: Tree, tmp_path: Path) -> None:
    """bandit would end with 0, and pip-audit would not be told of it."""
    target = tree({"src/x.py": "print()\n", "requirements.txt": "six==1.16.0\n"})
    with pytest.raises(Trouble, match="there is no lib, which the option `paths` names"):
        scan("bandit", target, tmp_path, paths=["src", "lib"])
    with pytest.raises(Trouble, match=r"there is no locked\.txt, which the option `files` names"):
        scan("pip_audit", target, tmp_path, files=["locked.txt"])
    with pytest.raises(Trouble, match="scanned nothing"):
        scan("bandit", tree({"docs/a.md": ""}), tmp_path, paths=["docs"])


def test_cfn_lint_is_silenced_by_nothing_that_it_scans(tree: Tree) -> None:
    silent = {"Metadata": {"cfn-lint": {"config": {"ignore_checks": ["E3002"]}}}}
    files = {"a.template.json": template(Bad=_WRONG | silent), ".cfnlintrc": "ignore_checks:\n- E\n"}
    ran = gate("cfn_lint", tree(files))
    assert (ran.decision.outcome, ran.scanned.tool_version) == (Outcome.FAIL, "1.58.0")
    assert [one.rule for one in ran.decision.blocking] == ["E3002"]


def test_cfn_lint_leaves_out_what_the_gate_says(tree: Tree, tmp_path: Path) -> None:
    scanned = scan("cfn_lint", tree({"a.template.json": template(Bad=_WRONG)}), tmp_path, ignore=["E3002"])
    assert (scanned.findings, scanned.troubles) == ([], [])


def test_cfn_lint_that_cannot_read_a_template_is_an_error_and_no_finding(tree: Tree, tmp_path: Path) -> None:
    """Whatever the gate leaves out."""
    scanned = scan("cfn_lint", tree({"a.template.json": _TWICE}), tmp_path, ignore=["E"])
    assert scanned.findings == []
    assert {word.value for word, _ in scanned.troubles} == {"scanned only a part"}


def test_checkov_passes_over_a_template_and_the_gate_does_not(tree: Tree) -> None:
    """Given one that it cannot read among good ones: it ends as without it, and counts no error."""
    files = {"a.template.json": template(Bad=_OPEN), "b.template.json": _TWICE}
    ran = gate("checkov", tree(files))
    assert "scanned only a part: 1 of 2 resources" in why(ran.decision)
    assert ran.scanned.tool_version == "3.3.30"
    assert {one.place.path for one in ran.decision.blocking} == {"a.template.json"}, "what it has seen is shown"


def test_checkov_obeys_a_file_where_it_runs_so_there_must_be_none(tree: Tree, tmp_path: Path) -> None:
    files = {"a.template.json": template(Bad=_OPEN), ".checkov.yaml": "skip-check: [CKV_AWS_57]\n"}
    with pytest.raises(Trouble, match=r"\.checkov\.yaml is among the templates"):
        scan("checkov", tree(files), tmp_path)


@pytest.mark.parametrize("scanner", ["cfn_lint", "checkov"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"Resources": ', "is no JSON"), ("{}", "has no Resources"), ('{"Resources": []}', "has no Resources")],
)
def test_a_broken_template_is_read_by_us_first(tree: Tree, scanner: str, text: str, reason: str) -> None:
    target = tree({"a.template.json": template(Good=_OPEN), "b.template.json": text})
    with pytest.raises(AssemblyError, match=reason):
        scanners()[scanner].scan(target, work=target, options={}, environments=Environments.here())


@pytest.fixture
def osv_url(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The local cloud's advisories."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cloud.settings.ca_bundle))
    return f"{cloud.endpoint}{osv.PATH}"


_VULNERABLE = "PyYAML==5.3.1\nPillow==7.1.2\npylint==2.5.3\nurllib3==1.25.8\n"
_FIXED = "PyYAML==5.4\nPillow==8.2.0\npylint==2.6.1\nurllib3==1.25.9\n"


def test_pip_audit_finds_vulnerable_packages(tree: Tree, osv_url: str) -> None:
    """Its findings are not rated, and block: also where only the worst would."""
    target = tree({"requirements.txt": _VULNERABLE})
    ran = gate("pip_audit", target, fail_at=Severity.CRITICAL, osv_url=osv_url)
    assert (ran.decision.outcome, ran.scanned.tool_version) == (Outcome.FAIL, "2.10.1")
    packages = {one.package.name: one.package.fixed for one in ran.decision.blocking if one.package}
    assert packages == {"pyyaml": "5.4", "pillow": "8.2.0", "pylint": "2.6.1", "urllib3": "1.25.9"}
    assert {one.severity for one in ran.decision.blocking} == {Severity.UNKNOWN}


def test_pip_audit_passes_repaired_packages(tree: Tree, osv_url: str) -> None:
    assert gate("pip_audit", tree({"requirements.txt": _FIXED}), osv_url=osv_url).decision.outcome is Outcome.PASS


def test_pip_audit_has_to_reach_its_service(tree: Tree) -> None:
    decision = gate("pip_audit", tree({"requirements.txt": _FIXED}), osv_url="http://127.0.0.1:1/v1/query").decision
    assert "report unreadable" in why(decision)


@pytest.mark.parametrize(("text", "word"), [("six\n", "scanned only a part"), ("# none\n", "scanned nothing")])
def test_pip_audit_cannot_tell(tree: Tree, tmp_path: Path, osv_url: str, text: str, word: str) -> None:
    target = tree({"requirements.txt": text})
    try:
        words = [one.value for one, _ in scan("pip_audit", target, tmp_path, osv_url=osv_url).troubles]
    except Trouble as error:
        words = [error.word.value]
    assert words == [word]


class _Nothing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def portal() -> Iterator[str]:
    """Something that answers everything, and knows of no advisory."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def test_a_service_without_advisories_is_seen_by_what_is_planted(tree: Tree, portal: str) -> None:
    decision = gate("pip_audit", tree({"requirements.txt": _VULNERABLE}), osv_url=portal).decision
    assert "does not see what was planted" in why(decision)
