"""The catalogue of config/resilience.yaml: experiments, and the words that texts may say of a tenant."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from config.models.saas import AlarmName
from config.models.types import Integer, Model, Name, Word
from lambdas.resilience.model.plan import ACTIONS, OUTPUT, STARTS_AGAIN, WORDS, Experiment, Fault, Filter, words_in


def words(text: str) -> str:
    """Refuse a text with words that nobody fills in; raises ValueError."""
    return known_words(text, outputs=False)


def known_words(text: str, *, outputs: bool) -> str:
    """Refuse it as `words` does, but for outputs of the component's stack where those are filled in, too."""
    known = WORDS | {word for word in words_in(text) if outputs and word.startswith(OUTPUT)}
    if strangers := sorted({*words_in(text)} - known):
        told = ", ".join(f"{{{word}}}" for word in (*sorted(WORDS), *([f"{OUTPUT}NAME"] if outputs else [])))
        raise ValueError(f"nobody fills in {{{'}, {'.join(strangers)}}}: use {told}")
    return text


def _of_the_tenant(arn: str) -> str:
    if "id" not in words_in(arn):
        raise ValueError("would be the same for all tenants: name the tenant in it by {id}, or choose by tags")
    return arn


def _known_action(action: str) -> str:
    if action not in ACTIONS:
        raise ValueError(f"there is no action {action} that the role of experiments may do: use {', '.join(ACTIONS)}")
    return action


Text = Annotated[Word, Field(max_length=1011), AfterValidator(words)]
Texts = dict[Annotated[Word, Field(max_length=128)], Annotated[str, AfterValidator(words)]]


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
    stop_alarms: tuple[Annotated[AlarmName, AfterValidator(words)], ...] = Field(
        (), max_length=5, description="Alarms of the tenant's account and Region that end it, by name."
    )
    log_group: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/.#{}-]{0,512}$"), AfterValidator(words)] = Field(
        "", description="Log group of the tenant's account and Region that FIS writes to; it is there."
    )

    def experiment(self) -> Experiment:
        """The entry as the function has it."""
        faults = tuple(
            Fault(**{**fault.model_dump(), "filters": tuple(Filter(**it.model_dump()) for it in fault.filters)})
            for fault in self.faults
        )
        return Experiment(**{**self.model_dump(), "faults": faults})
