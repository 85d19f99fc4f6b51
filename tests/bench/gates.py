"""What all default gates take on this project, run as builds run them: those of the source, then of the templates."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter
from typing import Any

from buildspecs.gates.judging import Judging, configured, judge_all, source_subject
from buildspecs.synthesis import ROOT
from config.loader import load
from config.models import Configuration
from lambdas.common import clock
from lambdas.common.names import Names
from lambdas.gates.model.gate import Scope
from local_cloud import osv
from local_cloud.factory.workspace import OVERLAY, Workspace
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import Sample, interleaved
from tests.local.gates.defaults import default_gates

LIMIT_SECONDS = 90.0
_ROUNDS = 3  # each takes half a minute
# As CI's buildspec does: the synth with all rules, and sample tenants.
_SYNTH = (
    (str(ROOT / "node_modules" / ".bin" / "cdk"), "synth", "--quiet", "--no-lookups"),
    ("python", "-m", "buildspecs.saas.ci.sample_tenants"),
)


def measure(rounds: int) -> Section:
    """Judge this project, with the gates of the example, and advisories of the local cloud."""
    rounds = min(rounds, _ROUNDS)
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder, _advisories() as osv_url:
        gates = list(default_gates(osv_url).values())
        root = Workspace.create(Path(folder) / "source", overlay={**OVERLAY, "gates": {"gates": gates}}).root
        for command in _SYNTH:
            environment = {**os.environ, "PYTHONPATH": str(root), "CDK_VALIDATION": "true"}
            subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
        # The source is judged without it, before the synth.
        templates = (root / "cdk.out").rename(Path(folder) / "templates")
        configuration, before = load(root / "config"), _processor_seconds()
        samples = interleaved(
            {
                Scope.SOURCE.value: partial(judged, configuration, Scope.SOURCE, root),
                Scope.TEMPLATES.value: partial(judged, configuration, Scope.TEMPLATES, templates),
            },
            rounds=rounds,
        )
        # The round that is not counted takes as much.
        busy = (_processor_seconds() - before) / (rounds + 1)
    both = Sample(values=tuple(map(sum, zip(*(one.values for one in samples.values()), strict=True))))
    how = f"{rounds} rounds on {os.cpu_count()} cores, two gates at a time, what is planted in each included"
    parts = [Figure(name=f"Those of the {name}", value=one.show(digits=1), how=how) for name, one in samples.items()]
    whole = at_most(
        f"All {len(gates)}", both.median, limit=LIMIT_SECONDS, shown=both.show(digits=1), unit=" s", how="both"
    )
    notes = ("Scanners' environments are there: a new machine makes them once.",)
    alone = Figure(
        name="Seconds of the processor",
        value=f"{busy:.1f} s",
        how="of a round: other work on the machine does not count",
    )
    return Section(title="The default gates on this project", figures=(*parts, whole, alone), notes=notes)


def _processor_seconds() -> float:
    """Of all scanners so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judged(configuration: Configuration, scope: Scope, target: Path) -> float:
    """Seconds that the gates of a scope take.

    Raises:
        RuntimeError: one has not passed; the text is what they say.
    """
    gates, exceptions = configured(configuration, scope)
    said: list[str] = []
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as results:
        judging = Judging(
            s3=_Taken(),
            events=_Taken(),
            names=Names(prefix="granary"),
            releases="releases",
            reports="reports",
            revision="0",
            subject=source_subject("0" * 64),
            results=Path(results),
            clock=clock.now,
            say=said.append,
        )
        began = perf_counter()
        failed = judge_all(judging, gates, target, exceptions=exceptions)
        taken = perf_counter() - began
    if failed:
        raise RuntimeError("\n".join(said))
    return taken


class _Taken:
    """Where verdicts and reports are put, and what hears of events."""

    def put_object(self, **_: Any) -> None:
        """Take it."""

    def put_events(self, **_: Any) -> dict[str, int]:
        """Take it."""
        return {"FailedEntryCount": 0}


class _Osv(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        status, document = osv.answer(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def _advisories() -> Iterator[str]:
    """The local cloud's advisories, without a cloud."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{osv.PATH}"
        server.shutdown()
