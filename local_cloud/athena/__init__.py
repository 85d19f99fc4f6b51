"""Athena: queries over the catalog's parquet tables, as far as IAM and Lake Formation let the caller read."""

from __future__ import annotations

from local_cloud.athena.registration import register

__all__ = ["register"]
