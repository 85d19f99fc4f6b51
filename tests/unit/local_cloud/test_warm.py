"""Programs that a parent forks: what is said to them and what becomes of them is as if they had been started."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from local_cloud.factory.granary import wait_until
from local_cloud.server.settings import Settings
from local_cloud.warm import shims

_PATIENCE = 60
_TELLS = """
import json, os, sys
said = {"argv": sys.argv, "here": os.getcwd(), "environment": sorted(os.environ), "name": __name__,
        "read": sys.stdin.read(), "boto3": "boto3" in sys.modules, "path": sys.path[:2], "parent": os.getppid()}
print(json.dumps(said))
print("to people", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Programs with parents that have begun."""
    settings = Settings(state_dir=tmp_path_factory.mktemp("warm"), port=1)
    shims.prepare(settings)
    parents = shims.begin(settings)
    wait_until(partial(_listen, settings), seconds=_PATIENCE, what="the parents to listen")
    yield settings
    shims.end(parents)


def _listen(settings: Settings) -> bool | None:
    for address in shims.addresses(settings):
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(address):
                return None
    return True


def _run(
    program: Path, *words: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, said: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *words],
        cwd=cwd,
        env=env,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A folder with a module and a script that tell what they see."""
    (tmp_path / "telling.py").write_text(_TELLS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "argv", "path"),
    [
        (("-m", "telling", "3", "a b"), ["{folder}/telling.py", "3", "a b"], "{folder}"),
        (("{folder}/telling.py", "3"), ["{folder}/telling.py", "3"], "{folder}"),
        (("-c", _TELLS, "3"), ["-c", "3"], ""),
    ],
)
def test_it_is_told_what_a_program_is_told(
    settings: Settings, module: Path, words: tuple[str, ...], argv: list[str], path: str
) -> None:
    given = {"ONLY": "this", "PYTHONPATH": "/nowhere"}
    asked = [word.replace("{folder}", str(module)) for word in words]
    done = _run(settings.programs_dir / "python", *asked, cwd=module, env=given, said="read me")
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, "to people\n")
    assert said["argv"] == [word.replace("{folder}", str(module)) for word in argv]
    assert said["path"] == [path.replace("{folder}", str(module)), "/nowhere"]
    assert (said["here"], said["name"], said["read"], said["boto3"]) == (str(module), "__main__", "read me", True)
    assert set(said["environment"]) - {"LC_CTYPE"} == set(given)


def test_an_error_is_told_and_is_an_exit_code(settings: Settings) -> None:
    done = _run(settings.programs_dir / "python", "-c", "raise ValueError('too wide')")
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: too wide\n")
    assert _run(settings.programs_dir / "python", "-c", "raise SystemExit('no')").stderr == "no\n"


def test_its_end_by_a_signal_is_the_programs(settings: Settings) -> None:
    done = _run(settings.programs_dir / "python", "-c", "import os; os.kill(os.getpid(), 15)")
    assert done.returncode == -signal.SIGTERM


def test_who_is_killed_takes_the_program_and_its_children_along(settings: Settings) -> None:
    code = "import subprocess; subprocess.run(['sh', '-c', 'echo begun; sleep 600'])"
    with subprocess.Popen([settings.programs_dir / "python", "-c", code], stdout=subprocess.PIPE) as client:
        assert client.stdout
        assert client.stdout.readline() == b"begun\n"
        client.kill()
        # Everybody who could write to it has gone.
        assert client.stdout.read() == b""


def test_what_it_starts_begins_as_fast(settings: Settings) -> None:
    inner = "import sys; print('boto3' in sys.modules)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    assert _run(settings.programs_dir / "python", "-c", code).stdout == "True\n"


def test_two_programs_have_nothing_in_common(settings: Settings) -> None:
    python = settings.programs_dir / "python"
    _run(python, "-c", "import os, boto3; boto3.left = os.environ['LEFT'] = 'x'", env={})
    found = _run(python, "-c", "import os, boto3; print(hasattr(boto3, 'left'), os.environ.get('LEFT'))", env={})
    assert found.stdout == "False None\n"


def test_its_end_leaves_nothing_out(settings: Settings, tmp_path: Path) -> None:
    """Given a program that leaves files open, threads at work and functions for its end, then all of them are done."""
    code = """
import atexit, io, subprocess, sys, threading, time
gone = subprocess.Popen(["true"], stdin=subprocess.PIPE)
gone.wait()
gone.stdin.write(b"read by nobody")
kept = [open("text", "w"), io.BufferedWriter(io.FileIO("bytes", "w"))]
kept[0].write("written"); kept[1].write(b"too")
atexit.register(lambda: print("and at its end", flush=False))
threading.Thread(target=lambda: (threading.Event().wait(0.2), print("by a thread", flush=False))).start()
print("first", end=" ")
sys.exit(7)
"""
    done = _run(settings.programs_dir / "python", "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (7, "first by a thread\nand at its end\n", "")
    assert ((tmp_path / "text").read_text(), (tmp_path / "bytes").read_text()) == ("written", "too")


@pytest.mark.parametrize(
    "code",
    [
        "print('x')",
        "import sys; sys.stdout = open('/dev/full', 'w'); print('x')",
        "import codecs, sys; sys.stdout = codecs.getwriter('utf-8')(sys.stdout.detach()); print('x')",
        "print('x', flush=True)",
        "raise KeyboardInterrupt",
        "class Broken:\n def flush(self): raise RuntimeError('no')\n def write(self, text): pass\n"
        "import sys; sys.stdout = Broken()",
    ],
)
@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_what_cannot_be_written_is_told_as_python_tells_it(
    settings: Settings, code: str, variables: Mapping[str, str]
) -> None:
    """Given a disk that is full, then no program that said something ends well."""
    # As in a job in the background, whose interrupts are ignored.
    shell = 'trap "" INT; exec "$0" -c "$1" > /dev/full'
    warm, python = (
        subprocess.run(
            ["bash", "-c", shell, str(program), code],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        for program in (settings.programs_dir / "python", sys.executable)
    )
    assert warm.returncode == python.returncode != 0
    assert warm.stderr.splitlines()[-1:] == python.stderr.splitlines()[-1:]


_LEFT = """
import gzip, io, sys, zipfile

class Text(io.TextIOWrapper):
    pass

class Tee:
    def __init__(self):
        self.kept = []
        self.out = sys.stdout
    def write(self, text):
        self.kept.append(text)
    def flush(self):
        self.out.write("".join(self.kept)); self.kept = []; self.out.flush()

class Worse(io.RawIOBase):
    def writable(self):
        return True
    def write(self, data):
        raise RuntimeError("worse")

text = Text(open("text", "wb")); text.write("a")
worse = io.BufferedWriter(Worse()); worse.write(b"x")
archive = zipfile.ZipFile("archive", "w"); archive.writestr("one", "1")
packed = gzip.open("packed", "wb"); packed.write(b"many")
sys.stdout = Tee()
print("said")
"""


def test_what_a_program_leaves_open_is_finished_as_python_finishes_it(settings: Settings, tmp_path: Path) -> None:
    """Files of own kinds, archives, output that is replaced; what fails keeps nothing else from being written."""
    made = []
    for name, program in (("warm", settings.programs_dir / "python"), ("python", sys.executable)):
        (tmp_path / name).mkdir()
        done = _run(Path(program), "-c", _LEFT, cwd=tmp_path / name)
        assert (done.returncode, done.stdout) == (0, "said\n"), done
        made.append({one.name: one.stat().st_size for one in (tmp_path / name).iterdir()})
    assert made[0] == made[1]
    assert min(made[0].values()) > 0


def test_a_thread_that_hangs_as_it_writes_keeps_no_program_from_ending(settings: Settings) -> None:
    code = """
import subprocess, threading
full = subprocess.Popen(["sleep", "3"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
begun = threading.Event()
def write():
    begun.set()
    full.stdin.write(b"x" * 10**6)
threading.Thread(target=write, daemon=True).start()
begun.wait()
print("said")
"""
    done = _run(settings.programs_dir / "python", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "said\n", "")


def test_a_program_has_its_own_modules_whatever_they_are_called(settings: Settings, tmp_path: Path) -> None:
    for name in ("client", "compiled", "parent", "shims"):
        (tmp_path / f"{name}.py").write_text(f"print('my {name}')")
        done = _run(settings.programs_dir / "python", "-c", f"import {name}", cwd=tmp_path)
        assert done.stdout == f"my {name}\n", done


def test_a_source_is_compiled_once_and_knows_where_it_is(settings: Settings, tmp_path: Path) -> None:
    """Given the same module in several folders, as builds have it, then each tells its own place and change."""
    source = "import sys\ndef where(): return sys._getframe().f_code.co_filename\n"
    compiled = settings.programs_dir / "compiled"
    before, added = set(compiled.iterdir()), []
    for name in ("one", "two", "three"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "same.py").write_text(source + ("where = lambda: 'another'" if name == "three" else ""))
        code = "import same; print(same.where())"
        added.append(_run(settings.programs_dir / "python", "-c", code, cwd=folder).stdout.strip())
        assert not (folder / "__pycache__").exists()
    assert added == [str(tmp_path / "one/same.py"), str(tmp_path / "two/same.py"), "another"]
    assert len(set(compiled.iterdir()) - before) == 2


def test_what_is_kept_of_a_source_may_be_spoilt_or_impossible(settings: Settings, tmp_path: Path) -> None:
    """Given half of a compiled module, or no place for one, or many who need it at once, then all are served."""
    compiled = settings.programs_dir / "compiled"
    (tmp_path / "spoilt.py").write_text("print('spoilt', 1)")
    before = set(compiled.iterdir())
    python = settings.programs_dir / "python"
    _run(python, "-c", "import spoilt", cwd=tmp_path)
    (kept,) = set(compiled.iterdir()) - before
    kept.write_bytes(kept.read_bytes()[:20])
    assert _run(python, "-c", "import spoilt", cwd=tmp_path).stdout == "spoilt 1\n"
    names = [f"thread_{number}" for number in range(8)]
    for name in names:
        (tmp_path / f"{name}.py").write_text("x = [" + "1," * 20_000 + "]")
    code = f"from concurrent.futures import ThreadPoolExecutor as P; print(len(list(P(8).map(__import__, {names}))))"
    assert _run(python, "-c", code, cwd=tmp_path).stdout == "8\n"
    away = compiled.rename(compiled.with_name("away"))
    try:
        (tmp_path / "unkept.py").write_text("print('unkept')")
        assert _run(python, "-c", "import unkept", cwd=tmp_path).stdout == "unkept\n"
    finally:
        away.rename(compiled)


def test_the_parents_order_sets_differently(settings: Settings) -> None:
    """As Pythons do: what depends on that order is seen."""
    code = "print([hash(n) % 8 for n in map(str, range(40))])"
    found = {_run(settings.programs_dir / "python", "-c", code).stdout for _ in range(8)}
    assert len(found) > 1


def test_aws_is_the_aws_cli(settings: Settings) -> None:
    assert _run(settings.programs_dir / "aws", "--version").stdout.startswith("aws-cli/")


@pytest.mark.parametrize("words", [("-I", "-c", "print('boto3' in __import__('sys').modules)"), ("--version",)])
def test_with_other_options_it_is_python_itself(settings: Settings, words: tuple[str, ...]) -> None:
    done = _run(settings.programs_dir / "python", *words, env=dict(os.environ))
    assert done.stdout in {"False\n", f"Python {'.'.join(map(str, __import__('sys').version_info[:3]))}\n"}


def test_without_a_parent_it_is_python_itself(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, port=1)
    shims.prepare(settings)
    assert _run(settings.programs_dir / "python", "-c", "import yaml; print(1)").stdout == "1\n"
    assert _run(settings.programs_dir / "aws", "--version").stdout.startswith("aws-cli/")


def test_the_cdks_libraries_are_there_and_their_process_is_each_programs_own(settings: Settings) -> None:
    code = (
        "import os, sys; print('aws_cdk.pipelines' in sys.modules); import aws_cdk; app = aws_cdk.App();"
        "print(aws_cdk.Stack(app, 'mine').stack_name)"
    )
    done = [_run(settings.programs_dir / "python", "-c", code, env=os.environ) for _ in range(2)]
    assert [one.stdout for one in done] == ["True\nmine\n"] * 2, done
