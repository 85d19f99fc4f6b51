"""Whatever somebody wrote into the tables, no command ends in a fault of the program."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cli.common.exits import Exit
from lambdas.common.versioned_json import plain
from lambdas.saas.model.runs import ring_id, run_id, run_name
from tests.unit.cli.saas.factory import NAMES, REGION, RELEASE, Factory
from tests.unit.lambdas.saas.strategies import dynamo_leaves, items
from tests.unit.lambdas.saas.test_readers import RING, RUN, STATUS

_RUN = run_name(RELEASE)
_ROW = {"id": "acme", "type": "silo", "account": "222222222222", "region": "eu-west-1", "tags": {"a": "b"}}
_KEPT = {"release": RELEASE.to_json(), "published_at": RELEASE.published_at}
COMMANDS = (
    ("list",), ("list", "--json"), ("status", "acme"), ("status", "acme", "--json"), ("plan", "reconcile"),
    ("plan", "release"), ("plan", "release", "--json"), ("plan", "retire", "acme"), ("release", "--no-follow"),
    ("approve",), ("retry", "acme"), ("suspend", "acme"), ("repair", "acme", "--yes"), ("repair", "--release", "--yes"),
    ("logs", "acme"),
)  # fmt: skip
# moto does not keep what is nested as it was written.
spoilt = partial(items, wrong=dynamo_leaves)
tables = st.fixed_dictionaries(
    {
        NAMES.deployments_table: st.tuples(spoilt(_ROW)),
        NAMES.status_table: st.tuples(spoilt(plain(STATUS))),
        NAMES.releases_table: st.tuples(
            spoilt({**plain(RUN), "id": run_id(_RUN), "run": _RUN}),
            spoilt({**plain(RING), "id": ring_id(_RUN, 0), "run": _RUN}),
            spoilt({"id": f"release/{RELEASE.revision}", **_KEPT}),
            spoilt({"id": "current", "run": _RUN, "revision": RELEASE.revision}),
        ),
    }
)


@pytest.mark.slow
@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes a second: to shrink one takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tables, st.sampled_from(["garbage", RELEASE.to_json(), "{}"]))
def test_no_command_fails_at_what_the_tables_hold(
    factory: Factory, found: dict[str, tuple[dict[str, Any], ...]], parameter: str
) -> None:
    keys: dict[str, tuple[str, ...]] = dict.fromkeys(found, ("acme",))
    keys[NAMES.releases_table] = (run_id(_RUN), ring_id(_RUN, 0), f"release/{RELEASE.revision}", "current")
    for table, written in found.items():
        for item, key in zip(written, keys[table], strict=True):
            factory.db.put_item(TableName=table, Item={**item, "id": {"S": key}})
    ssm = boto3.client("ssm", region_name=REGION)
    ssm.put_parameter(Name=NAMES.release_parameter, Value=parameter, Type="String", Overwrite=True)
    factory.monkeypatch.setattr("lambdas.saas.store.builds.ProvisioningBuilds.ended", lambda _self, ids: set(ids))
    for words in COMMANDS:
        answer = factory.granary(*words)
        assert answer.code != Exit.FAULT, (words, answer.stderr)
        assert "Traceback" not in answer.stderr
