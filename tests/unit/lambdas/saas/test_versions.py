"""Three versions run at once: each reads what the one before and the one after it have written."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from enum import Enum
from importlib import import_module
from inspect import isclass
from pathlib import Path
from pkgutil import walk_packages
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

import lambdas.common.evidence
import lambdas.saas
from lambdas.common.clock import moment
from lambdas.common.dynamo import read_item, write_value
from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.bundle import Bundle
from lambdas.common.evidence.finding import Finding, Place
from lambdas.common.evidence.kept_report import Head
from lambdas.common.evidence.statement import Statement
from lambdas.common.evidence.verdict import Verdict
from lambdas.common.versioned_json import plain, read
from lambdas.saas.lifecycle.facts import Memory
from lambdas.saas.model.assets import Waits
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Item, ReleasePolicy, item_of, to_items
from lambdas.saas.model.runs import Ring, Run
from lambdas.saas.model.status import ForwardOnly, Status, Unreadable
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.model.task_runs import TaskRun
from lambdas.saas.model.tasks import Declared, Task
from lambdas.saas.release.begin import release_of
from stacks.saas import plan
from stacks.saas.plan import TenantsPlan

Data = dict[str, Any]
_READERS = ("from_json", "from_item", "from_event", "read")
_TIME = "2026-11-25T10:00:00.000+00:00"
_LATER: Mapping[str, Any] = {"later": {"x": [1, {"y": None}]}, "class": "new"}


def _through_a_file(one: TenantsPlan) -> Data:
    with tempfile.TemporaryDirectory() as folder:
        one.write(Path(folder) / "plan.json")
        return dict(json.loads((Path(folder) / "plan.json").read_text(encoding="utf-8")))


def _from_a_file(data: Data) -> TenantsPlan:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "plan.json").write_text(json.dumps(data), encoding="utf-8")
        return TenantsPlan.read(Path(folder) / "plan.json")


def _as_an_item(one: Any) -> Data:
    return read_item({name: write_value(value) for name, value in plain(one).items()})


def _json_of(one: Any) -> Data:
    return dict(json.loads(one.to_json()))


# How each type that versions hand to each other is read and written.
CONTRACTS: dict[str, tuple[type[Any], Callable[[Data], Any], Callable[[Any], Data]]] = {
    "DeploymentRecord": (DeploymentRecord, lambda data: DeploymentRecord.from_json(json.dumps(data)), _json_of),
    "TargetPolicy": (TargetPolicy, lambda data: TargetPolicy.from_json(json.dumps(data)), _json_of),
    "ReleasePolicy": (ReleasePolicy, lambda data: ReleasePolicy.from_json(json.dumps(data)), _json_of),
    "Release": (Release, lambda data: Release.from_json(json.dumps(data)), _json_of),
    "Release of an execution": (Release, release_of, plain),
    "Bundle": (Bundle, lambda data: Bundle.from_json(json.dumps(data)), _json_of),
    "Verdict": (Verdict, lambda data: Verdict.from_json(json.dumps(data)), _json_of),
    "Finding": (Finding, lambda data: Finding.from_json(json.dumps(data)), _json_of),
    "Head of a report": (Head, lambda data: Head.from_json(json.dumps(data)), _json_of),
    "TenantsPlan": (TenantsPlan, _from_a_file, _through_a_file),
    "Item": (Item, item_of, lambda one: dict(json.loads(to_items([one]))[0])),
    "Memory": (Memory, Memory.from_event, lambda one: one.to_event()),
    "Status": (Status, Status.from_item, _as_an_item),
    "Run": (Run, Run.from_item, _as_an_item),
    "Ring": (Ring, Ring.from_item, _as_an_item),
    "Task": (Task, lambda data: Task.from_json(json.dumps(data)), _json_of),
    "Declared": (Declared, lambda data: Declared.from_json(json.dumps(data)), _json_of),
    "Waits": (Waits, lambda data: Waits.from_json(json.dumps(data)), _json_of),
    "TaskRun": (TaskRun, lambda data: TaskRun.from_json(json.dumps(data)), _json_of),
}


def sample(hint: Any, name: str = "") -> Any:
    """A value of a type in which no field is at its default."""
    kind: Any = get_origin(hint)
    of = get_args(hint)
    if kind is Annotated:
        of_a_kind = isinstance(of[1], type)
        return _TIME if of[1] is moment else [*of[1]][-1].value if of_a_kind else sample(of[0], name)
    if NoneType in of:
        return sample(next(one for one in of if one is not NoneType), name)
    if kind in (tuple, frozenset):
        return kind(sample(one, name) for one in of if one is not ...)
    if kind is dict:
        return {"key": sample(of[1], name)}
    if is_dataclass(hint):
        return read(hint, plain({each: sample(one, each) for each, one in hints_of(hint).items()}))  # type: ignore[arg-type]
    return [*hint][-1] if issubclass(hint, Enum) else {str: f"a-{name}", bool: True, int: 7}[hint]


def hints_of(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


def in_a_later_version(hint: Any, data: Any) -> Any:
    """What a later version writes: a field more at every level."""
    if is_dataclass(hint):
        known = hints_of(hint)
        return {**{name: in_a_later_version(known.get(name), value) for name, value in data.items()}, **_LATER}
    if get_origin(hint) is tuple and get_args(hint)[-1] is ...:
        return [in_a_later_version(get_args(hint)[0], one) for one in data]
    if get_origin(hint) is dict:
        return {key: in_a_later_version(get_args(hint)[1], one) for key, one in data.items()}
    inner = next((one for one in get_args(hint) if is_dataclass(one)), None)
    return in_a_later_version(inner, data) if inner and get_origin(hint) is not tuple else data


def reachable(hint: Any) -> Iterator[Any]:
    if is_dataclass(hint):
        yield hint
        for one in hints_of(hint).values():
            yield from reachable(one)
    for one in get_args(hint):
        yield from reachable(one)


TYPES = list(dict.fromkeys(one for cls, _, _ in CONTRACTS.values() for one in reachable(cls)))
FIELDS = [pytest.param(cls, name, id=f"{cls.__name__}-{name}") for cls in TYPES for name in hints_of(cls)]
contracts = pytest.mark.parametrize("name", CONTRACTS)


def test_every_type_that_is_read_has_a_contract() -> None:
    """Given a new type with a reader of its own, then this fails until it is in CONTRACTS."""
    packages = (lambdas.saas, lambdas.common.evidence)
    found_in = [one for package in packages for one in walk_packages(package.__path__, f"{package.__name__}.")]
    modules = [import_module(one.name) for one in found_in]
    found = {
        cls
        for module in (*modules, plan)
        for cls in vars(module).values()
        if isclass(cls) and cls.__module__ == module.__name__ and any(hasattr(cls, reader) for reader in _READERS)
    }
    # What the two kinds of statements share is none by itself.
    assert found - {Statement} == {cls for cls, _, _ in CONTRACTS.values()} - {Item}


@contracts
def test_what_is_written_is_read(name: str) -> None:
    cls, reads, writes = CONTRACTS[name]
    assert reads(writes(sample(cls))) == sample(cls)


@contracts
def test_n_reads_what_n_plus_1_writes(name: str) -> None:
    cls, reads, writes = CONTRACTS[name]
    assert reads(in_a_later_version(cls, writes(sample(cls)))) == sample(cls)


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_a_field_that_was_left_out_has_its_default(cls: Any, name: str) -> None:
    (field,) = (one for one in fields(cls) if one.name == name)
    left = {key: value for key, value in plain(sample(cls)).items() if key != name}
    default = field.default if field.default_factory is MISSING else field.default_factory()
    if default is MISSING:
        with pytest.raises(ValueError, match=f"{name} is missing"):
            read(cls, left)
        return
    without = replace(sample(cls), **{name: default})
    assert read(cls, left) == without
    assert plain(without) == left, "written, it is left out as well"


@pytest.mark.parametrize(("cls", "name"), FIELDS)
def test_a_wrong_type_is_refused_by_name(cls: Any, name: str) -> None:
    hint = hints_of(cls)[name]
    other = {"S": 1} if get_origin(hint) is dict and get_args(hint)[1] is str else {"S": "x"}
    # An object of which every field may be missing is read of any.
    of_any = hint is Place or ForwardOnly in get_args(hint)
    for wrong in (7.5,) if of_any else (7.5, other):
        with pytest.raises(ValueError, match=f"^{name}: "):
            read(cls, {**plain(sample(cls)), name: wrong})


@contracts
def test_the_reader_refuses_by_name_too(name: str) -> None:
    cls, reads, writes = CONTRACTS[name]
    for field in hints_of(cls):
        try:
            found = reads({**writes(sample(cls)), field: 7.5})
        except (ValueError, UnreadableError) as error:
            assert f"{field}: 7.5 is" in str(error)  # noqa: PT017 - one of the two ways
        except Exception as error:
            assert f"{field}: 7.5 is" in str(error.__cause__)  # noqa: PT017 - `release_of` tells people
        else:
            assert isinstance(found, Unreadable)
            assert f"{field}: 7.5 is" in found.why


_SINCE = (
    "Release of an execution",
    "Bundle",
    "Verdict",
    "Finding",
    "Head of a report",
    "Task",
    "Declared",
    "TaskRun",
    "Waits",
)


@pytest.mark.parametrize("name", [name for name in CONTRACTS if name not in _SINCE])
def test_n_plus_1_reads_what_n_wrote(name: str, sample: Callable[[str], Any]) -> None:
    """Given what commit d142659 wrote, then each of its fields is read, and those that came later are at defaults.

    It knew no bundles, verdicts, findings, reports, tasks or assets that are waited for.
    """
    written = sample("written_by_d142659")[name]
    cls, reads, _ = CONTRACTS[name]
    data = read_item(_typed(written)) if cls in (Status, Run, Ring) else written
    _assert_means(reads(data), data)


def test_the_digests_of_todays_rows_stay_what_they_are(sample: Callable[[str], Any]) -> None:
    """Another digest would have the whole fleet provisioned again."""
    deployments = _from_a_file(sample("written_by_d142659")["TenantsPlan"]).deployments
    digests = ["9d43ef14c26a50e4dc938e7b589801d0", "180d6bbd5b6a0927c80347841cf37c4d"]
    assert [record.digest() for record in deployments] == digests


def _typed(item: Data) -> Data:
    """An item of DynamoDB as boto3 gives it: JSON has no sets."""
    return {name: {"SS": set(one["SS"])} if "SS" in one else one for name, one in item.items()}


def _assert_means(one: Any, data: Any) -> None:
    if is_dataclass(one):
        for field in fields(one):
            value = getattr(one, field.name)
            if field.name in data:
                _assert_means(value, data[field.name])
            else:
                assert value == (field.default if field.default_factory is MISSING else field.default_factory())
    elif isinstance(one, tuple):
        # What has become a list was one object.
        for part, written in zip(one, [data] if isinstance(data, Mapping) else data, strict=True):
            _assert_means(part, written)
    else:
        assert one == (frozenset(data) if isinstance(one, frozenset) else data)
