"""The rows of the demo."""

from __future__ import annotations

from local_cloud.factory.granary import Row

# The post's three rows, each in a ring of its own, so that the release has something to show.
SILO1 = Row(id="silo1", type="silo", region="us-east-1", ring="canary")
POOL1 = Row(id="pool1", type="pool", region="us-east-1", ring="early")
POOL2 = Row(id="pool2", type="pool", region="eu-west-1", ring="general")
ROWS = (SILO1, POOL1, POOL2)
