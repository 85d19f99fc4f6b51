"""KICS: a finding for each place of a query; pure."""

from __future__ import annotations

from lambdas.gates.model.formats import Format, Shape, as_told

# What a key is and should be is not taken: it may be a password.
_PLACE = as_told(
    "rule=^query_id! title=^query_name! severity=^severity description=^description resource=resource_name "
    "path=file_name! line=line inside=search_key url=^query_url"
)
_QUERY = ("query_id", "query_name", "severity", "description?", "query_url?")
FORMAT = Format(
    tool="kics",
    shapes=(
        Shape(
            records={"queries[].files[]": _PLACE},
            keeps=tuple(f"queries[].{name}" for name in _QUERY),
            version="kics_version?",
            scanned=("files_parsed",),
            counts=("total_counter",),
            errors={
                "files_failed_to_scan?": "KICS could not scan all files",
                "queries_failed_to_execute?": "KICS could not ask all queries",
            },
        ),
    ),
)
