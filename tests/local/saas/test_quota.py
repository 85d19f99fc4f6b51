"""A quota without room stops new tenants early, with the number that is missing, and nobody else."""

from __future__ import annotations

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import Row
from tests.local.saas.factory import Factory

CROWDED = Row(id="crowded", type="silo", region="us-east-1", ring="general")
PIPELINES = {"ServiceCode": "codepipeline", "QuotaCode": "L-78D200AD"}


def test_what_no_quota_has_room_for_waits_until_it_has(factory: Factory, wave: dict[str, Status]) -> None:
    """Given an account with as many pipelines as it may have, when a row is put, then it says how many are missing.

    When the quota is raised, the sweep takes the row up by itself.
    """
    quotas = factory.granary.client("service-quotas")
    before = quotas.get_service_quota(**PIPELINES)["Quota"]["Value"]
    quotas.request_service_quota_increase(**PIPELINES, DesiredValue=1.0)
    factory.put(CROWDED)
    status = factory.reaches(CROWDED.id, Phase.FAILED, reason="quota")
    assert "pipeline" in status.reason
    assert "is missing" in status.reason
    assert factory.stack(CROWDED.pipeline) is None
    quotas.request_service_quota_increase(**PIPELINES, DesiredValue=before)
    factory.time_passes(CROWDED.id)
    assert factory.sweep()["started"] >= 1
    factory.leaves(CROWDED.id, Phase.FAILED)
    factory.active(CROWDED)
