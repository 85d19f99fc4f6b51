"""config/resilience.yaml: experiments with tenants as a part of each release, and which ring has which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.models.saas import AlarmName, Workloads
from config.models.toolchain import Toolchain
from config.models.types import Integer, Model, Word
from lambdas.common.names import WHOLE_FLEET
from lambdas.common.partitions import partition_of
from lambdas.resilience.model.plan import (
    ACTIONS,
    MARGIN_MINUTES,
    OUTPUT,
    STARTS_AGAIN,
    WORDS,
    Chaos,
    Experiment,
    Fault,
    Filter,
    Mode,
    Probe,
    RingPlan,
    words_in,
)
from lambdas.resilience.model.template import OBSERVE

# Where AWS has FIS: https://docs.aws.amazon.com/general/latest/gr/fis.html
_PARTITIONS = ("aws", "aws-us-gov")
# The function has five minutes for a round.
_LOOK_SECONDS = 120
_ADDRESS = re.compile(r"(https?://|\{output\.)\S+")
# With the longest names of tenants it has fewer than 256 letters.
_PROJECT = re.compile(r"\{type\}-\{id\}-[A-Za-z0-9_{}-]{1,150}")


def _words(text: str) -> str:
    return _known_words(text, outputs=False)


def _known_words(text: str, *, outputs: bool) -> str:
    known = WORDS | {word for word in words_in(text) if outputs and word.startswith(OUTPUT)}
    if strangers := sorted({*words_in(text)} - known):
        told = ", ".join(f"{{{word}}}" for word in (*sorted(WORDS), *([f"{OUTPUT}NAME"] if outputs else [])))
        raise ValueError(f"nobody fills in {{{'}, {'.join(strangers)}}}: use {told}")
    return text


def _address(url: str) -> str:
    if url and not _ADDRESS.fullmatch(url):
        raise ValueError("is no address: begin it with https://, http:// or {output.")
    return _known_words(url, outputs=True)


def _project(name: str) -> str:
    if name and not _PROJECT.fullmatch(name):
        raise ValueError("is no project of the tenant's: begin its name with {type}-{id}-")
    return _words(name)


def _of_the_tenant(arn: str) -> str:
    if "id" not in words_in(arn):
        raise ValueError("would be the same for all tenants: name the tenant in it by {id}, or choose by tags")
    return arn


def _known_action(action: str) -> str:
    if action not in ACTIONS:
        raise ValueError(f"there is no action {action} that the role of experiments may do: use {', '.join(ACTIONS)}")
    return action


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Text = Annotated[Word, Field(max_length=1011), AfterValidator(_words)]
Texts = dict[Annotated[Word, Field(max_length=128)], Annotated[str, AfterValidator(_words)]]


class FilterModel(Model):
    """An attribute that targets have to have."""

    path: Word = Field(description="Path of the attribute, as FIS writes it: State.Name.")
    values: tuple[Text, ...] = Field(min_length=1, max_length=5, description="Values, of which it has one.")


class FaultModel(Model):
    """An action, and what it is done to: what bears the tenant's tag, or what these ARNs name."""

    name: Name = Field(description="Its name within the experiment.")
    action: Annotated[str, AfterValidator(_known_action)] = Field(description="What FIS does.")
    selection: str = Field(
        "ALL",
        pattern=r"^(ALL|COUNT\([1-9][0-9]*\)|PERCENT\(([1-9][0-9]?|100)\))$",
        description="How many of the targets: ALL, COUNT(n) or PERCENT(n).",
    )
    tags: Texts = Field({}, max_length=49, description="Tags of the targets, besides the tenant's.")
    arns: tuple[Annotated[Text, AfterValidator(_of_the_tenant)], ...] = Field(
        (), max_length=5, description="Or their ARNs."
    )
    filters: tuple[FilterModel, ...] = Field((), max_length=5, description="Attributes of targets chosen by tags.")
    target_parameters: Texts = Field({}, description="What FIS asks for of targets: cluster and service of tasks.")
    parameters: Texts = Field({}, description="What FIS asks for of the action.")
    start_after: tuple[Name, ...] = Field((), description="Names of actions that come before.")

    @model_validator(mode="after")
    def _fits(self) -> FaultModel:
        if self.arns and (self.tags or self.filters):
            raise ValueError("give ARNs, or tags and filters: FIS takes no both")
        if self.action == "aws:ec2:stop-instances" and STARTS_AGAIN not in self.parameters:
            raise ValueError(f"parameters.{STARTS_AGAIN} is missing: the instances would stay stopped for good")
        return self


class ExperimentModel(Model):
    """An entry of the catalogue."""

    name: Name = Field(description="What rings call it.")
    description: str = Field("", max_length=400, description="What it shows, for people.")
    duration_minutes: Integer = Field(ge=1, le=240, description="How long it lasts at least, and is watched.")
    faults: tuple[FaultModel, ...] = Field(min_length=1, max_length=10, description="What is done.")
    stop_alarms: tuple[Annotated[AlarmName, AfterValidator(_words)], ...] = Field(
        (), max_length=5, description="Alarms of the tenant's account and Region that end it, by name."
    )
    log_group: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/.#{}-]{0,512}$"), AfterValidator(_words)] = Field(
        "", description="Log group of the tenant's account and Region that FIS writes to; it is there."
    )


class ProbeModel(Model):
    """What tells whether a tenant is as it should be: an alarm, an address, or a build."""

    name: Name = Field(description="Its name, in verdicts.")
    alarm: Annotated[str, Field(max_length=255), AfterValidator(_words)] = Field(
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


class Section(Model):
    """Experiments, steady states, and what rings do with them."""

    experiments: tuple[ExperimentModel, ...] = Field((), max_length=50, description="The catalogue.")
    steady_states: tuple[SteadyStateModel, ...] = Field((), max_length=50, description="How tenants are when well.")
    rings: tuple[RingModel, ...] = Field(max_length=20, description="Rings of which something is asked.")

    @model_validator(mode="after")
    def _whole(self) -> Section:
        if told := [*self._repeated(), *self._loose(), *self._too_slow()]:
            raise ValueError("; ".join(told))
        return self

    def chaos(self) -> Chaos:
        """All of it, as the function takes it."""
        experiments = {one.name: _experiment(one) for one in self.experiments}
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
    def demanded(self) -> dict[str, tuple[str, ...]]:
        """By ring, the rings in which a tenant has to have survived a release before it goes there."""
        return {ring.name: ring.demands for ring in self.rings if ring.demands}

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
            takes = plan.minutes + plan.settle_minutes + MARGIN_MINUTES
            if takes >= releases.pipeline_timeout_minutes:
                yield (
                    f"rings: {name} may take {takes} minutes, and a release waits for a pipeline for "
                    f"{releases.pipeline_timeout_minutes}, its deployment included: let it take less, or raise "
                    "releases.pipeline_timeout_minutes in toolchain.yaml"
                )

    def _repeated(self) -> Iterator[str]:
        named: list[tuple[str, Sequence[Model]]] = [
            ("experiments", self.experiments), ("steady_states", self.steady_states), ("rings", self.rings)
        ]  # fmt: skip
        named += [(f"experiments: {one.name}: faults", one.faults) for one in self.experiments]
        named += [(f"steady_states: {one.name}: probes", one.probes) for one in self.steady_states]
        for key, entries in named:
            names = [str(getattr(one, "name")) for one in entries]  # noqa: B009 - whatever they are, they have one
            if twice := sorted({name for name in names if names.count(name) > 1}):
                yield f"{key}: {', '.join(twice)} is given twice: names differ"

    def _loose(self) -> Iterator[str]:
        experiments, states = {one.name for one in self.experiments}, {one.name for one in self.steady_states}
        for one in self.experiments:
            faults = {fault.name for fault in one.faults}
            if OBSERVE in faults:
                yield f"experiments: {one.name}: {OBSERVE} is the name of an action that is always there: rename it"
            for fault in one.faults:
                if strangers := ", ".join(sorted({*fault.start_after} - (faults - {fault.name}))):
                    yield f"experiments: {one.name}: {fault.name} starts after {strangers}, which is no other fault"
        for ring in self.rings:
            if ring.experiment and ring.experiment not in experiments:
                yield f"rings: {ring.name}: there is no experiment {ring.experiment}"
            if ring.steady_state and ring.steady_state not in states:
                yield f"rings: {ring.name}: there is no steady state {ring.steady_state}"
            if ring.experiment and ring.mode == "run" and not ring.steady_state:
                yield f"rings: {ring.name}: steady_state is missing: without one nothing tells whether it survives"
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


def _experiment(one: ExperimentModel) -> Experiment:
    faults = tuple(
        Fault(**{**fault.model_dump(), "filters": tuple(Filter(**it.model_dump()) for it in fault.filters)})
        for fault in one.faults
    )
    return Experiment(**{**one.model_dump(), "faults": faults})
