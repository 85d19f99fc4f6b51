"""Brings the tenant's database to what this version needs; safe to repeat, and while the former version runs."""

from __future__ import annotations

import json
import os

import psycopg

# Each adds; what is not needed any more is taken away by a later release, when nothing reads it.
STEPS = (
    "CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, placed timestamptz NOT NULL DEFAULT now())",
    "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text",
)


def main() -> None:
    """Run the steps in one transaction; a failure leaves the database as it was, and the task fails."""
    secret = json.loads(os.environ["DATABASE_LOGIN"])
    with psycopg.connect(
        host=os.environ["DATABASE_HOST"],
        port=os.environ["DATABASE_PORT"],
        dbname=os.environ["DATABASE_NAME"],
        user=secret["username"],
        password=secret["password"],
        sslmode="require",
    ) as connection:
        for step in STEPS:
            connection.execute(step)


if __name__ == "__main__":
    main()
