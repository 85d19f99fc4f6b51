"""What deployed projects name of the source that they run on, and since which revision every source has it.

A project keeps its commands until its stack is deployed anew: it meets newer sources, and older ones after a rollback.
So nothing is ever taken out here or changed. What is new may be added when no source without it can be met any more.
"""

from __future__ import annotations

from collections.abc import Mapping

_REQUIREMENTS = "python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt"

_UNCOMPILED = _REQUIREMENTS.replace(" -r ", " --no-compile -r ")

COMMANDS: Mapping[str, str] = {
    _REQUIREMENTS: "d142659",
    _UNCOMPILED: "d142659",
    f"{_REQUIREMENTS} -r requirements-dev.txt": "d142659",
    f"{_UNCOMPILED} -r requirements-dev.txt": "d142659",
    "npm ci --no-audit --no-fund": "d142659",
    "python -m buildspecs.saas.ci": "d142659",
    "python -m buildspecs.saas.publish_release": "d142659",
    "python -m buildspecs.saas.tenant_synth": "d142659",
}
PATHS: Mapping[str, str] = {
    "app.py": "d142659",
    "buildspecs/saas/provision/buildspec.yaml": "d142659",
    "cdk.json": "d142659",
    "package-lock.json": "d142659",
    "requirements-dev.txt": "d142659",
    "requirements.txt": "d142659",
}
