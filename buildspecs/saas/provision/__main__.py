"""`python -m buildspecs.saas.provision`: reconciles the deployments in DEPLOYMENT_IDS with the release in RELEASE."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection, Sequence
from functools import cache, partial
from pathlib import Path

from buildspecs.artifact_keys import artifact_keys
from buildspecs.saas.build_steps import make_ready
from buildspecs.saas.provision.adopting import Adopting
from buildspecs.saas.provision.component_stacks import stack_is_gone
from buildspecs.saas.provision.pipelines import TenantPipelines
from buildspecs.saas.provision.place import unpublished
from buildspecs.saas.provision.provisioning import Provisioning, Refusals
from buildspecs.saas.provision.quota_preflight import Preflight
from buildspecs.saas.provision.quota_usage import AccountUsage
from buildspecs.saas.provision.quotas import Demand, QuotaCheck
from buildspecs.saas.provision.strangers import Strangers
from buildspecs.saas.provision.support_stacks import DeployedSupport
from buildspecs.synthesis import synthesize
from component import SPEC
from config.loader import load
from config.models import Configuration
from config.policy import target_policy
from constructs_lib.saas.component_spec import Place
from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.cross_account import LookupRoles
from lambdas.common.written import visible
from lambdas.saas.model.defaults import filled
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.store.change_sets import ChangeSets
from lambdas.saas.store.tables import DeploymentsTable, StatusTable
from stacks.saas.plan import TenantsPlan


def provisioning(configuration: Configuration, *, build_id: str, release: Release) -> Provisioning:
    """Put together what the build needs."""
    toolchain = configuration.toolchain
    published = configuration.workloads.place.parameters
    names = SaasNames(prefix=toolchain.prefix)
    lookup = LookupRoles(sts=client("sts"), qualifier=configuration.workloads.bootstrap_qualifier)

    @cache
    def missing(account: str, region: str) -> str | None:
        if problem := lookup.bootstrap_problem(account=account, region=region):
            return problem
        if problem := unpublished(lookup, account=account, region=region, parameters=published):
            return problem
        place = Place(
            account=account,
            region=region,
            prefix=toolchain.prefix,
            roles_advice=names.roles_advice(account, of_organization=configuration.workloads.of_organization),
            lookup=lookup,
            published=frozenset(configuration.workloads.place.model_dump(exclude_none=True)),
        )
        return SPEC.place_problem(place, configuration.workloads.component)

    def synthesize_records(records: Sequence[DeploymentRecord], out: Path) -> None:
        keys = artifact_keys([toolchain.region, *(region for one in records for _, region in one.places)], names=names)
        make_ready()
        synthesize(TenantsPlan(artifact_keys=keys, deployments=tuple(records)), out=out)

    strangers = _strangers(configuration, lookup)
    return Provisioning(
        build_id=build_id,
        release=release,
        policy=target_policy(configuration),
        deployments=DeploymentsTable(client=client("dynamodb"), name=names.deployments_table),
        statuses=StatusTable(client=client("dynamodb"), name=names.status_table),
        pipelines=TenantPipelines(
            s3=client("s3"),
            cloudformation=client("cloudformation"),
            codepipeline=client("codepipeline"),
            codebuild=client("codebuild"),
            releases_bucket=names.releases_bucket(toolchain.account, toolchain.region),
            account=toolchain.account,
            region=toolchain.region,
            support=DeployedSupport(cloudformation=partial(client, "cloudformation"), account=toolchain.account).of,
        ),
        missing=missing,
        refusals=_refusals(configuration, strangers, lookup),
        adopt=_adopting(configuration, strangers),
        gone=partial(stack_is_gone, lookup),
        synthesize=synthesize_records,
        concurrency=toolchain.provisioning.deploy_concurrency,
        clock=clock.now,
        say=_say,
    )


def _strangers(configuration: Configuration, lookup: LookupRoles) -> Strangers:
    toolchain = configuration.toolchain
    names = SaasNames(prefix=toolchain.prefix)
    factory = names.factory(account=toolchain.account, region=toolchain.region)
    return Strangers(factory=factory, names=names, own=client, lookup=lookup)


def _adopting(configuration: Configuration, strangers: Strangers) -> Adopting:
    workloads, names = configuration.workloads, strangers.names
    change_sets = ChangeSets(
        sts=client("sts"),
        names=names,
        qualifier=workloads.bootstrap_qualifier,
        session_name=names.provisioning_role,
        roles_advice=partial(names.roles_advice, of_organization=workloads.of_organization),
    )
    return Adopting(strangers=strangers, change_sets=change_sets, clock=clock.now)


def _refusals(configuration: Configuration, strangers: Strangers, lookup: LookupRoles) -> Refusals:
    """What is asked before anything is synthesized: whose the stacks of that name are, then the quotas."""
    quotas, policy = _quotas(configuration, lookup), target_policy(configuration)

    def refusals(records: Sequence[DeploymentRecord], moving: Collection[str]) -> dict[str, str]:
        theirs = strangers.refusals(records, moving)
        ours = [filled(record, policy) for record in records if record.id not in theirs]
        return theirs | quotas.refusals(ours, moving)

    return refusals


def _quotas(configuration: Configuration, lookup: LookupRoles) -> Preflight:
    toolchain = configuration.toolchain
    return Preflight(
        usage=AccountUsage(account=toolchain.account, region=toolchain.region, own=client, lookup=lookup),
        demand=Demand(
            account=toolchain.account,
            region=toolchain.region,
            needs=partial(SPEC.needs, configuration.workloads.component),
        ),
        check=QuotaCheck(toolchain.provisioning.quota_check),
        say=_say,
    )


def _say(text: str) -> None:
    print(visible(text), flush=True)


def _given() -> tuple[list[str], Release]:
    """What the build is told; whoever starts one by hand may have written it.

    Raises:
        SystemExit: it cannot be read; the text says why.
    """
    try:
        ids = json.loads(os.environ.get("DEPLOYMENT_IDS", ""))
    except (ValueError, RecursionError):
        ids = None
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise SystemExit('DEPLOYMENT_IDS is no list of ids: write it as ["acme", "acme2"]')
    try:
        return ids, Release.from_json(os.environ.get("RELEASE", ""))
    except ValueError as error:
        told = "give it what the parameter of the current release holds"
        raise SystemExit(visible(f"RELEASE cannot be read ({error}): {told}")) from None


def main() -> None:
    """Reconcile."""
    logging.basicConfig(level=logging.INFO)
    ids, release = _given()
    provisioning(load(), build_id=os.environ["CODEBUILD_BUILD_ID"], release=release).run(ids)


main()
