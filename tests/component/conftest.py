"""Fixtures of the zone's tests: an AWS of moto's, and the assemblies of the cases of `tests/synth`."""

from tests.synth.conftest import assembly_of, cache, templates_of
from tests.unit.lambdas.conftest import aws

__all__ = ["assembly_of", "aws", "cache", "templates_of"]
