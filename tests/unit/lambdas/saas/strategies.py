"""Hypothesis strategies for rows, records and statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from lambdas.common.dynamo import read_item, write_value
from lambdas.common.versioned_json import plain
from lambdas.saas.model.names import DEPLOYMENT_ID_LIMIT, DEPLOYMENT_TYPES
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.target_policy import TargetPolicy

ACCOUNTS = ("222222222222", "333333333333")
REGIONS = ("eu-west-1", "us-east-1")
POLICY = TargetPolicy(partition="aws", regions=frozenset(REGIONS), accounts=frozenset(ACCOUNTS))

ids = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True).filter(lambda text: len(text) <= DEPLOYMENT_ID_LIMIT)
types = st.sampled_from(DEPLOYMENT_TYPES)
records = st.builds(
    DeploymentRecord,
    id=ids,
    type=types,
    account=st.sampled_from(ACCOUNTS),
    region=st.sampled_from(REGIONS),
)

# Any value that DynamoDB keeps, as its JSON has it: numbers have 38 digits, and 1E-130 is the smallest one.
_numbers = st.one_of(
    st.integers(-(10**37), 10**37).map(str),
    st.builds(
        lambda first, rest, power: f"{first}.{rest}E{power}",
        st.integers(1, 9),
        st.text("0123456789", min_size=1, max_size=37),
        st.integers(-130, 125),
    ),
)
_binaries = st.binary(max_size=20)
dynamo_leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"NULL": True}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.text(max_size=60).map(lambda value: {"S": value}),
    _numbers.map(lambda value: {"N": value}),
    _binaries.map(lambda value: {"B": value}),
    st.sets(st.text(max_size=9), min_size=1, max_size=4).map(lambda value: {"SS": list(value)}),
    st.sets(st.integers().map(str), min_size=1, max_size=4).map(lambda value: {"NS": list(value)}),
    st.sets(_binaries, min_size=1, max_size=4).map(lambda value: {"BS": list(value)}),
)
dynamo_values: st.SearchStrategy[dict[str, Any]] = st.recursive(
    dynamo_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda value: {"L": value}),
        st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda value: {"M": value}),
    ),
    max_leaves=8,
)
# The same as boto3 reads it.
_values = dynamo_values.map(lambda value: read_item({"it": value})["it"])


def items(
    sound: Mapping[str, Any], wrong: st.SearchStrategy[dict[str, Any]] = dynamo_values
) -> st.SearchStrategy[dict[str, Any]]:
    """An item that somebody wrote by hand: of a sound one, some attributes are gone or hold whatever DynamoDB keeps."""
    spoilt = st.dictionaries(st.sampled_from(sorted(sound)), st.one_of(st.none(), wrong), max_size=3)
    strange = st.dictionaries(st.text(max_size=8).map("x{}".format), wrong, max_size=2)
    typed = {name: write_value(plain(value)) for name, value in sound.items()}
    return st.builds(
        lambda wrong, more: {name: one for name, one in {**more, **typed, **wrong}.items() if one is not None},
        spoilt,
        strange,
    )


_nearly: dict[str, st.SearchStrategy[Any]] = {
    "id": st.one_of(ids, _values, st.text("abz09-_$`;'\"|&<> \n", max_size=50)),
    "type": st.one_of(types, _values),
    "account": st.one_of(st.sampled_from(ACCOUNTS), _values, st.from_regex(r"[0-9]{11,13}\n?")),
    "region": st.one_of(st.sampled_from(REGIONS), _values, st.sampled_from(("cn-north-1", "eu-west-1\n", "x"))),
}
# Rows with some of our attributes, right or wrong, and with others'.
rows = st.builds(
    lambda ours, others: {**others, **ours},
    st.fixed_dictionaries({}, optional=_nearly),
    st.dictionaries(st.text(max_size=8), _values, max_size=3),
)
