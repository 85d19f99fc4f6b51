"""Hypothesis strategies for rows, records and statuses."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from lambdas.saas.model.names import DEPLOYMENT_ID_LIMIT, DEPLOYMENT_TYPES
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.target_policy import TargetPolicy

ACCOUNTS = ("222222222222", "333333333333")
REGIONS = ("eu-west-1", "us-east-1")
POLICY = TargetPolicy(partition="aws", regions=frozenset(REGIONS), accounts=frozenset(ACCOUNTS))

ids = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(
    lambda text: len(text) <= DEPLOYMENT_ID_LIMIT
)
types = st.sampled_from(DEPLOYMENT_TYPES)
records = st.builds(
    DeploymentRecord,
    id=ids,
    type=types,
    account=st.sampled_from(ACCOUNTS),
    region=st.sampled_from(REGIONS),
)

_scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(), st.binary(max_size=20), st.text(max_size=60)
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=5), st.binary(max_size=3)), inner, max_size=3),
    ),
    max_leaves=8,
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
