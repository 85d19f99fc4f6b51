"""config/resilience.yaml: experiments with tenants as a part of each release, and which ring has which."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.models.resilience_experiments import ExperimentModel, known_words, words
from config.models.saas import Workloads
from config.models.toolchain import Toolchain
from config.models.types import Integer, Model, Name, Word, twice
from config.problems import refuse
from lambdas.common.names import WHOLE_FLEET
from lambdas.common.partitions import partition_of
from lambdas.resilience.model.plan import Chaos, Mode, Probe, RingPlan
from lambdas.resilience.model.template import OBSERVE

# Where AWS has FIS: https://docs.aws.amazon.com/general/latest/gr/fis.html
_PARTITIONS = ("aws", "aws-us-gov")
# The function has five minutes for a round.
_LOOK_SECONDS = 120
_ADDRESS = re.compile(r"(https?://|\{output\.)\S+")
_OF_ADDRESSES = frozenset({"status", "samples", "success_percent", "timeout_seconds"})
# With the longest names of tenants it has fewer than 256 letters.
_PROJECT = re.compile(r"\{type\}-\{id\}-[A-Za-z0-9_{}-]{1,150}")


def _address(url: str) -> str:
    if url and not _ADDRESS.fullmatch(url):
        raise ValueError("is no address: begin it with https://, http:// or {output.")
    return known_words(url, outputs=True)


def _project(name: str) -> str:
    if name and not _PROJECT.fullmatch(name):
        raise ValueError("is no project of the tenant's: begin its name with {type}-{id}-")
    return words(name)


class ProbeModel(Model):
    """What tells whether a tenant is as it should be: an alarm, an address, or a build."""

    name: Name = Field(description="Its name, in verdicts.")
    alarm: Annotated[str, Field(max_length=255), AfterValidator(words)] = Field(
        "", description="Name of an alarm of the tenant's account and Region, which has to be OK."
    )
    url: Annotated[str, AfterValidator(_address)] = Field(
        "", description="Or an address that has to answer; {output.NAME} is an output of the component's stack."
    )
    build: Annotated[str, AfterValidator(_project)] = Field(
        "", description="Or a project of CodeBuild's there, which has to succeed; in rings without an experiment."
    )
    status: Integer = Field(200, ge=100, le=599, description="The status with which it has to answer.")
    samples: Integer = Field(3, ge=1, le=20, description="How often it is asked at each look.")
    success_percent: Integer = Field(100, ge=1, le=100, description="How many of these have to be right.")
    timeout_seconds: Integer = Field(5, ge=1, le=10, description="How long an answer may take.")

    @model_validator(mode="after")
    def _one_thing(self) -> ProbeModel:
        if sum(map(bool, (self.alarm, self.url, self.build))) != 1:
            raise ValueError("give one of alarm, url and build")
        return self


class SteadyStateModel(Model):
    """How a tenant is when it is well: every probe says so."""

    name: Name = Field(description="What rings call it.")
    probes: tuple[ProbeModel, ...] = Field(min_length=1, max_length=10, description="What tells.")


class RingModel(Model):
    """What is done with each tenant of a ring, after a release has deployed it."""

    name: Word = Field(description="A ring of config/toolchain.yaml; `all` where the strategy has no rings.")
    experiment: Name | None = Field(None, description="What is done to it; without, the steady state alone is told.")
    steady_state: Name | None = Field(None, description="What has to hold before, during, after, and undone.")
    mode: Literal["run", "dry-run"] = Field("run", description="dry-run: targets are resolved, and nothing is done.")
    settle_minutes: Integer = Field(5, ge=0, le=60, description="How long the steady state may take to hold before.")
    recover_minutes: Integer = Field(10, ge=0, le=120, description="How long it may take to hold after.")
    demands: tuple[Word, ...] = Field(
        (), max_length=20, description="Earlier rings of which a tenant has to have survived the same release."
    )

    def unused(self) -> tuple[str, set[str]]:
        """What it is, and the keys that change nothing of that."""
        if self.experiment and self.mode == "run":
            return "an experiment", set()
        if self.experiment:
            return "a dry run", {"steady_state", "settle_minutes", "recover_minutes"}
        return "a ring without experiment", {
            "mode",
            "recover_minutes",
            *(() if self.steady_state else ("settle_minutes",)),
        }


class Section(Model):
    """Experiments, steady states, and what rings do with them."""

    experiments: tuple[ExperimentModel, ...] = Field((), max_length=50, description="The catalogue.")
    steady_states: tuple[SteadyStateModel, ...] = Field((), max_length=50, description="How tenants are when well.")
    rings: tuple[RingModel, ...] = Field(max_length=20, description="Rings of which something is asked.")

    @model_validator(mode="after")
    def _whole(self) -> Section:
        refuse([*self._repeated(), *self._loose(), *self._rings_wrong(), *self._too_slow()])
        return self

    def chaos(self) -> Chaos:
        """All of it, as the function takes it."""
        experiments = {one.name: one.experiment() for one in self.experiments}
        probes = {one.name: tuple(Probe(**it.model_dump()) for it in one.probes) for one in self.steady_states}
        rings = {
            ring.name: RingPlan(
                mode=Mode(ring.mode) if ring.experiment else Mode.VALIDATION,
                experiment=experiments[ring.experiment] if ring.experiment else None,
                probes=probes.get(ring.steady_state or "", ()),
                settle_minutes=ring.settle_minutes,
                recover_minutes=ring.recover_minutes,
            )
            for ring in self.rings
            if ring.experiment or ring.steady_state
        }
        return Chaos(rings=rings, experiments=experiments)

    @property
    def action_minutes(self) -> int:
        """How long a tenant's pipeline may wait for the room, whatever ring the tenant is in."""
        return max((plan.whole_minutes for plan in self.chaos().rings.values()), default=0)

    @property
    def demanded(self) -> dict[str, tuple[str, ...]]:
        """By ring, the rings in which a tenant has to have survived a release before it goes there."""
        return {ring.name: ring.demands for ring in self.rings if ring.demands}

    def without_effect(self) -> Iterator[str]:
        """Keys that are given and change nothing."""
        for state in self.steady_states:
            for probe in state.probes:
                if not probe.url and (given := ", ".join(sorted(probe.model_fields_set & _OF_ADDRESSES))):
                    yield f"steady_states: {state.name}: {probe.name}: {given}: nothing without a url: remove it"
            if state.name not in {ring.steady_state for ring in self.rings}:
                yield f"steady_states: {state.name}: no ring has it: remove it, or give it to one"
        for ring in self.rings:
            kind, unused = ring.unused()
            if given := ", ".join(sorted(ring.model_fields_set & unused)):
                yield f"rings: {ring.name}: {given}: nothing in {kind}: remove it"

    def misfits(self, toolchain: Toolchain, _workloads: Workloads) -> Iterator[str]:
        """What does not fit the factory, each with what to do."""
        partition, releases = partition_of(toolchain.region), toolchain.releases
        if partition not in _PARTITIONS:
            yield f"there is no AWS FIS in partition {partition}: remove the file"
        known = [ring.name for ring in releases.rings] if releases.strategy == "rings" else [WHOLE_FLEET]
        runs = {ring.name for ring in self.rings if ring.experiment and ring.mode == "run"}
        for ring in self.rings:
            if ring.name not in known:
                yield f"rings: {ring.name} is no ring of a release: use {', '.join(known)}"
                continue
            earlier = known[: known.index(ring.name)]
            for one in ring.demands:
                if one not in earlier or one not in runs:
                    yield f"rings: {ring.name} demands {one}, which is no earlier ring in which an experiment is run"
        for name, plan in self.chaos().rings.items():
            takes = plan.whole_minutes
            if takes >= releases.pipeline_timeout_minutes:
                yield (
                    f"rings: {name} may take {takes} minutes, and a release waits for a pipeline for "
                    f"{releases.pipeline_timeout_minutes}, its deployment included: let it take less, or raise "
                    "releases.pipeline_timeout_minutes in toolchain.yaml"
                )

    def _repeated(self) -> Iterator[str]:
        yield from twice("experiments", [one.name for one in self.experiments])
        yield from twice("steady_states", [one.name for one in self.steady_states])
        yield from twice("rings", [one.name for one in self.rings])
        for one in self.experiments:
            yield from twice(f"experiments: {one.name}: faults", [it.name for it in one.faults])
        for state in self.steady_states:
            yield from twice(f"steady_states: {state.name}: probes", [it.name for it in state.probes])

    def _loose(self) -> Iterator[str]:
        for one in self.experiments:
            faults = {fault.name for fault in one.faults}
            if OBSERVE in faults:
                yield f"experiments: {one.name}: {OBSERVE} is the name of an action that is always there: rename it"
            for fault in one.faults:
                if strangers := ", ".join(sorted({*fault.start_after} - (faults - {fault.name}))):
                    yield f"experiments: {one.name}: {fault.name} starts after {strangers}, which is no other fault"

    def _rings_wrong(self) -> Iterator[str]:
        experiments, states = {one.name for one in self.experiments}, {one.name for one in self.steady_states}
        for ring in self.rings:
            if ring.experiment and ring.experiment not in experiments:
                yield f"rings: {ring.name}: there is no experiment {ring.experiment}"
            if ring.steady_state and ring.steady_state not in states:
                yield f"rings: {ring.name}: there is no steady state {ring.steady_state}"
            if ring.experiment and ring.mode == "run" and not ring.steady_state:
                yield f"rings: {ring.name}: steady_state is missing: without one nothing tells whether it survives"
            if ring.mode == "dry-run" and not ring.experiment:
                yield f"rings: {ring.name}: mode: dry-run is of an experiment: give one, or leave mode out"
            if not (ring.experiment or ring.steady_state or ring.demands):
                yield f"rings: {ring.name}: asks for nothing: give experiment, steady_state or demands, or remove it"

    def _too_slow(self) -> Iterator[str]:
        for one in self.steady_states:
            if (takes := sum(it.samples * it.timeout_seconds for it in one.probes if it.url)) > _LOOK_SECONDS:
                yield (
                    f"steady_states: {one.name}: a look may take {takes} s, and {_LOOK_SECONDS} are the most: take "
                    "fewer samples, or a shorter timeout_seconds"
                )
        built = {one.name for one in self.steady_states if any(it.build for it in one.probes)}
        for ring in self.rings:
            if ring.experiment and ring.steady_state in built:
                yield f"rings: {ring.name}: {ring.steady_state} builds, which takes too long while a fault lasts"
