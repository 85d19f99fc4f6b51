"""Personal data that schemas of datasets declare."""

from __future__ import annotations

from dataclasses import replace

from lambdas.lake.model.datasets import Column, Dataset, ProductTable
from lambdas.lake.model.governance.declared import declared_pii

_TRIPS = Dataset(
    name="trips",
    prefix="tlc/trips/",
    table="trips",
    columns=(Column(name="id"), Column(name="email", pii="contact"), Column(name="zone", pii="location")),
    products=(ProductTable(name="by_zone", columns=(Column(name="zone", pii="location"), Column(name="trips"))),),
)


def test_columns_are_of_their_class_in_every_environment_and_rows_in_quarantine_of_all() -> None:
    assert declared_pii([_TRIPS], prefix="acme-one") == {
        "contact": {"acme_one_lake_*_conformed.trips.email", "acme_one_lake_*_conformed.trips_quarantine.row"},
        "location": {
            "acme_one_lake_*_conformed.trips.zone",
            "acme_one_lake_*_conformed.trips_quarantine.row",
            "acme_one_lake_*_purpose_built.by_zone.zone",
        },
    }


def test_nothing_is_declared_of_what_has_no_personal_data() -> None:
    assert declared_pii([Dataset(name="a", prefix="b/c/", table="d", columns=(Column(name="e"),))], prefix="f") == {}


def test_a_product_that_says_nothing_of_its_columns_has_the_personal_data_of_its_dataset() -> None:
    found = declared_pii([replace(_TRIPS, products=(ProductTable(name="latest"),))], prefix="acme")
    assert "acme_lake_*_purpose_built.latest.email" in found["contact"]
    assert "acme_lake_*_purpose_built.latest.zone" in found["location"]
