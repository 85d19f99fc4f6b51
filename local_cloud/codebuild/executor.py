"""Executes one build, phase after phase, in a thread of its own.

Phase order and what a failure skips: AWS CodeBuild User Guide, "Build phase transitions".
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import threading
from collections.abc import Iterator

from local_cloud.codebuild import artifacts, buildspec, environment, events, places, record, shell, sources
from local_cloud.codebuild.buildspec import Buildspec, BuildspecError, Phase
from local_cloud.codebuild.failure import BuildFailure, BuildInterrupted
from local_cloud.codebuild.job import Job
from local_cloud.codebuild.logs import BuildLog
from local_cloud.server import credentials

log = logging.getLogger("local_cloud.codebuild")

SLOTS_VARIABLE = "LOCAL_CLOUD_BUILD_SLOTS"
# Builds that run at the same time; the others wait in QUEUED. A build mostly waits for its own subprocesses.
_slots = threading.BoundedSemaphore(int(os.environ.get(SLOTS_VARIABLE) or max(4, 2 * (os.cpu_count() or 1))))
_SLOT_POLL_SECONDS = 0.1


class Execution:
    """One build's run."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._log = BuildLog(job)
        self._failed = False

    def run(self) -> None:
        """Execute the build and complete its record, whatever happens."""
        timer = threading.Timer(self._job.build["timeoutInMinutes"] * 60, self._job.control.interrupt, ("TIMED_OUT",))
        timer.daemon = True
        events.build_state_changed(self._job)
        try:
            with self._slot():
                timer.start()
                status = self._phases()
        except Exception:
            log.exception("Build %s: the local cloud itself failed", self._job.build["id"])
            status = "FAULT"
        finally:
            timer.cancel()
            self._job.control.end_processes(signal.SIGKILL)
        self._log.say(f"Build complete: {status}")
        self._log.close()
        self._tidy_up(status)
        record.complete(self._job.build, status)
        events.build_state_changed(self._job)

    @contextlib.contextmanager
    def _slot(self) -> Iterator[None]:
        record.start_phase(self._job.build, "QUEUED")
        kind = places.kind_of(self._job.build)
        while not self._has_place(kind):
            if self._job.control.interrupted.is_set():
                record.end_phase(self._job.build, "STOPPED")
                yield
                return
        record.end_phase(self._job.build, "SUCCEEDED")
        try:
            yield
        finally:
            _slots.release()
            places.leave(kind)

    def _has_place(self, kind: places.Kind) -> bool:
        """Wait a moment for a place: among the builds of its kind, and on this machine."""
        if not places.enter(kind):
            self._job.control.interrupted.wait(_SLOT_POLL_SECONDS)
            return False
        if _slots.acquire(timeout=_SLOT_POLL_SECONDS):
            return True
        places.leave(kind)
        return False

    def _phases(self) -> str:
        """The build's status."""
        try:
            self._job.control.check()
            spec, state = self._prepare()
            try:
                self._commands(spec, state)
            finally:
                self._export(spec, state)
            with self._phase("UPLOAD_ARTIFACTS"):
                artifacts.upload(self._job, spec, state.variables)
        except BuildInterrupted as interruption:
            return interruption.status
        except BuildFailure:
            return "FAILED"
        finally:
            with self._phase("FINALIZING", may_be_interrupted=False):
                self._job.control.end_processes(signal.SIGTERM)
        return "FAILED" if self._failed else "SUCCEEDED"

    def _prepare(self) -> tuple[Buildspec, shell.ShellState]:
        job = self._job
        with self._phase("PROVISIONING"):
            self._assume_role()
            self._log.open_stream(job)
        with self._phase("DOWNLOAD_SOURCE"):
            sources.download(job)
            try:
                spec = buildspec.parse(sources.read_buildspec(job))
            except BuildspecError as error:
                raise BuildFailure("YAML_FILE_ERROR", str(error)) from error
            variables, secrets = environment.resolve(job, spec)
        self._log.mask(secrets)
        for note in (*spec.notes, *self._environment_notes()):
            self._log.say(f"Local cloud: {note}")
        return spec, shell.ShellState(variables=variables, directory=job.source_dir)

    def _assume_role(self) -> None:
        job = self._job
        project_arn = job.build["arn"].split(":build/")[0] + f":project/{job.build['projectName']}"
        try:
            job.credentials.update(
                credentials.assume_service_role(
                    job.build["serviceRole"],
                    "codebuild.amazonaws.com",
                    f"AWSCodeBuild-{job.build['id'].split(':', 1)[1]}",
                    project_arn,
                    job.account,
                )
            )
        except PermissionError as error:
            raise BuildFailure(
                "ACCESS_DENIED", f"CodeBuild is not authorized to perform: sts:AssumeRole on service role. {error}"
            ) from error

    def _environment_notes(self) -> list[str]:
        env = self._job.build["environment"]
        notes = [f"image {env.get('image')} is not used: the build runs on this machine, with its tools"]
        if env.get("privilegedMode"):
            notes.append("privilegedMode is not applied: there is no Docker daemon")
        return notes

    def _commands(self, spec: Buildspec, state: shell.ShellState) -> None:
        for name in buildspec.PHASES:
            phase = spec.phases.get(name, Phase())
            try:
                with self._phase(name.upper()):
                    self._run_phase(name, phase, spec, state)
            except BuildFailure:
                self._failed = True
                state.variables["CODEBUILD_BUILD_SUCCEEDING"] = "0"
                # POST_BUILD follows a failed BUILD; UPLOAD_ARTIFACTS follows whenever BUILD was reached.
                goes_on = phase.on_failure == "CONTINUE" or (
                    phase.on_failure is None and name in ("build", "post_build")
                )
                if not goes_on:
                    raise

    def _run_phase(self, name: str, phase: Phase, spec: Buildspec, state: shell.ShellState) -> None:
        failure: BuildFailure | None = None
        for part, commands in (("commands", phase.commands), ("finally", phase.finally_commands)):
            if not commands:
                continue
            try:
                shell.run(
                    commands,
                    shell=spec.shell,
                    state=state,
                    scratch=self._job.directory / "sh" / name / part,
                    control=self._job.control,
                    log=self._log,
                )
            except BuildFailure as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _export(self, spec: Buildspec, state: shell.ShellState) -> None:
        exported = [
            {"name": name, "value": state.variables[name]}
            for name in spec.exported_variables
            if name in state.variables
        ]
        record.update(self._job.build, {"exportedEnvironmentVariables": exported})

    @contextlib.contextmanager
    def _phase(self, name: str, *, may_be_interrupted: bool = True) -> Iterator[None]:
        build = self._job.build
        if may_be_interrupted:
            self._job.control.check()
        self._log.say(f"Entering phase {name}")
        record.start_phase(build, name)
        try:
            yield
        except BuildFailure as failure:
            self._log.say(f"Phase complete: {name} State: FAILED")
            self._log.say(f"Phase context status code: {failure.code} Message: {failure.message}")
            record.end_phase(build, "FAILED", code=failure.code, message=failure.message)
            raise
        except BuildInterrupted as interruption:
            record.end_phase(build, interruption.status)
            raise
        except Exception as error:
            record.end_phase(build, "FAULT", code="INTERNAL_ERROR", message=str(error))
            raise
        self._log.say(f"Phase complete: {name} State: SUCCEEDED")
        record.end_phase(build, "SUCCEEDED")

    def _tidy_up(self, status: str) -> None:
        """Keep the log; keep everything of a build that failed, for whoever looks into it."""
        if status != "SUCCEEDED":
            return
        for entry in self._job.directory.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
