"""Lake Formation: grants, tags and data cells filters, and the decision whether somebody may read a column."""

from __future__ import annotations

from local_cloud.lakeformation.registration import register

__all__ = ["register"]
