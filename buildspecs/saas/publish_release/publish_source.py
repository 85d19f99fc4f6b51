"""Publishes the build's source as a release; SOURCE_VERSION is what CI/CD has checked."""

from __future__ import annotations

import os
from pathlib import Path

from buildspecs.archive import pack
from buildspecs.saas.publish_release.publish import Publisher
from buildspecs.saas.tenants_digest import NOTE, of_release
from config.loader import load
from constructs_lib.common.cicd_pipeline import ASSEMBLY
from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.revisions import revision_of
from stacks.cicd import demanded_gates


def main() -> None:
    """Publish."""
    env = os.environ
    source = Path(env["CODEBUILD_SRC_DIR"])
    configuration = load()
    publisher = Publisher(
        s3=client("s3"),
        stepfunctions=client("stepfunctions"),
        bucket=env["RELEASES_BUCKET"],
        machine=env["RELEASE_MACHINE"],
        gates=demanded_gates(configuration),
        starts=configuration.toolchain.releases.start == "automatic",
        clock=clock.now,
    )
    archive = pack(source)
    tenants = of_release(_templates(source), archive)
    release = publisher.publish(revision_of(env["SOURCE_VERSION"]), archive, tenants=tenants)
    print(f"published {release.revision} ({release.key}, version {release.version_id}, sha256 {release.sha256})")
    if not publisher.starts:
        print(f"releases.start is manual: `granary release --start {release.revision}` starts it")


def _templates(source: Path) -> str:
    """What the synth has noted of the sample tenants; empty where it could not, or is of before."""
    note = source / ASSEMBLY / NOTE
    return note.read_text(encoding="utf-8").strip() if note.is_file() else ""


if __name__ == "__main__":
    main()
