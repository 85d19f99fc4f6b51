"""IAM of PutEvents: what an event is called, and who says that it comes from there."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import REGION, Workbench, allow


def test_a_role_says_what_it_may_say_and_nothing_else(workbench: Workbench) -> None:
    workbench.client("events").create_event_bus(Name="news")
    bus = f"arn:aws:events:{REGION}:{workbench.account}:event-bus/news"
    may = {**allow("events:PutEvents", resource=bus)}
    may["Condition"] = {"StringEquals": {"events:detail-type": "Stopped", "events:source": "ours"}}
    role = workbench.role("speaker", principal={"AWS": workbench.account}, statements=[may])
    events = workbench.client("events", workbench.assume(role))
    entry = {"EventBusName": "news", "Source": "ours", "DetailType": "Stopped", "Detail": "{}"}
    assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    for other in ({"DetailType": "Deployment Failed"}, {"Source": "theirs"}):
        for entries in ([{**entry, **other}], [entry, {**entry, **other}]):
            with pytest.raises(ClientError, match="AccessDenied"):
                events.put_events(Entries=entries)
