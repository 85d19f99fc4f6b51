"""`granary lake try`: both jobs in Spark, on this machine, without a cloud."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.lake_data import trips


def test_a_file_is_tried_with_its_counts_and_its_bad_rows(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes(trips(5, bad={"type": 1}))
    words = ["--config", "config/examples/all", "lake", "try", "green_trips", str(file), "--json"]
    result = subprocess.run(
        [sys.executable, "-m", "cli", *words], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stderr
    told = json.loads(result.stdout)
    counts = {it["table"]: (it["granary_read"], it["granary_good"], it["granary_quarantined"]) for it in told["tables"]}
    assert counts == {"green_trips": ("6", "5", "1"), "trips_by_payment": ("5", "5", "0")}
    (row,) = told["quarantined"]
    assert row["rules"] == ["pickup_at: type timestamp"]
    assert "yesterday" in row["row"]
