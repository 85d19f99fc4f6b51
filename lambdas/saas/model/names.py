"""Physical names of the tenants and of what deploys them, as pure functions of the prefix and the record; pure.

The toolchain stack's policies name what the tenants' stacks bear: `DEPLOYMENT_TYPES` is the one list of the words that
those names begin with.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.common.names import Names

# What a deployment is, and what every name of a tenant begins with.
DEPLOYMENT_TYPES = ("silo", "pool")

# Roles have the shortest names: `silo-<id>-` leaves 18 of their 64 characters to what a component calls its own.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
DEPLOYMENT_ID_LIMIT = 40

# What the build projects of a tenant's pipeline do; the last two are those of pipelines of before contract 8.
TENANT_JOBS = ("synth", "self-mutate", "assets", "image-assets")
# Their quota, for they are ARM/Small: "Adjustable" in https://docs.aws.amazon.com/general/latest/gr/codebuild.html
TENANT_BUILDS_QUOTA = "L-5ED1D25B"

# Where in workload accounts' bootstrap buckets templates lie while it is asked what they would change.
ADOPTION_FOLDER = "adoption/"
# What asks that. One name: what a build that died has left, the next one removes; and the role makes no other.
ADOPTION_CHANGE_SET = "granary-adoption"


def pipeline_name(deployment_type: str, deployment_id: str) -> str:
    """Name of a tenant's pipeline and of the stack that holds it."""
    return f"{deployment_type}-{deployment_id}-pipeline"


def component_stack_name(deployment_type: str, deployment_id: str) -> str:
    """Name of the stack with a tenant's component, in the workload account."""
    return f"{deployment_type}-{deployment_id}-resources"


def deployment_of_pipeline(name: str) -> tuple[str, str] | None:
    """Take a pipeline's name apart into (type, id); None when it is not the name of a tenant's pipeline."""
    deployment_type, _, rest = name.partition("-")
    if deployment_type not in DEPLOYMENT_TYPES or not rest.endswith("-pipeline"):
        return None
    deployment_id = rest.removesuffix("-pipeline")
    return (deployment_type, deployment_id) if deployment_id else None


@dataclass(frozen=True, kw_only=True)
class SaasNames(Names):
    """Names of the tenants' tables, functions, roles and machines."""

    def room_function(self, room: str, job: str) -> str:
        """Function of this room, whose functions are older than the rooms: it has no room in its name."""
        return self.function(job.replace("_", "-"))

    def factory(self, *, account: str, region: str) -> str:
        """What components' stacks bear as FACTORY_TAG: in their accounts, the prefix alone may be another factory's."""
        return f"{self.prefix}/{account}/{region}"

    @property
    def deployments_table(self) -> str:
        return f"{self.prefix}-deployments"

    @property
    def status_table(self) -> str:
        return f"{self.prefix}-deployment-status"

    @property
    def releases_table(self) -> str:
        """Table with the releases and their runs: see `runs`."""
        return f"{self.prefix}-releases"

    @property
    def release_machine(self) -> str:
        """State machine that takes a release from ring to ring."""
        return f"{self.prefix}-release"

    @property
    def lifecycle_machine(self) -> str:
        """State machine that suspends, brings back, retires, and clears up after a move."""
        return f"{self.prefix}-lifecycle"

    @property
    def lifecycle_role(self) -> str:
        """Role of the lifecycle function: the archive roles of workload accounts trust it by name."""
        return f"{self.prefix}-lifecycle"

    @property
    def provisioning_role(self) -> str:
        """Role of the provisioning builds: the lookup roles of workload accounts trust it by name, as the watch's."""
        return f"{self.prefix}-provisioning"

    @property
    def pipeline_watch_role(self) -> str:
        return f"{self.prefix}-pipeline-watch"

    @property
    def pipeline_watch_function(self) -> str:
        """Function that tenants' pipelines ask, before they deploy, whose the stacks are."""
        return self.room_function("saas", "pipeline_watch")

    @property
    def archive_role(self) -> str:
        """Role, in each workload account, with which archives are taken before a retirement."""
        return f"{self.prefix}-archive"

    @property
    def adoption_role(self) -> str:
        """Role, in each workload account, with which is asked what taking over a stack would change."""
        return f"{self.prefix}-adoption"

    @property
    def tasks_function(self) -> str:
        """Function that tenants' pipelines invoke to run what components declare around a deployment."""
        return self.room_function("saas", "tasks")

    @property
    def tasks_role(self) -> str:
        """Role of the function that runs tenants' tasks: the roles of workload accounts trust it by name."""
        return f"{self.prefix}-tasks"

    @property
    def assets_function(self) -> str:
        """Function that tenants' pipelines invoke to have the assets of their components published."""
        return self.room_function("saas", "assets")

    @property
    def assets_role(self) -> str:
        """Role of that function."""
        return f"{self.prefix}-assets"

    @property
    def assets_project(self) -> str:
        """Project whose builds publish them, for all tenants."""
        return f"{self.prefix}-assets"

    @property
    def task_runner_role(self) -> str:
        """Role, in each workload account, with which tasks run; below the path of such roles."""
        return f"{self.prefix}-task-runner"

    @property
    def provisioning_project(self) -> str:
        return f"{self.prefix}-provisioning"

    @property
    def release_parameter(self) -> str:
        """SSM parameter with the release that is current: see `releases.Release`."""
        return f"/{self.prefix}/release/current"

    @property
    def tenant_pipeline_role(self) -> str:
        return f"{self.prefix}-tenant-pipeline"

    @property
    def tenant_synth_role(self) -> str:
        return f"{self.prefix}-tenant-synth"

    @property
    def self_mutation_role(self) -> str:
        return f"{self.prefix}-self-mutation"

    @property
    def asset_publishing_role(self) -> str:
        return f"{self.prefix}-asset-publishing"

    @property
    def tenant_deploy_role(self) -> str:
        """Role that deploys and deletes the stacks with tenants' pipelines."""
        return f"{self.prefix}-tenant-deploy"

    @property
    def tenant_execution_role(self) -> str:
        """Role that CloudFormation acts with in those stacks."""
        return f"{self.prefix}-tenant-execution"

    def tenant_project(self, deployment_type: str, deployment_id: str, job: str) -> str:
        """CodeBuild project of a tenant's pipeline; `job` is one of TENANT_JOBS.

        `acme-image` with its `assets` is not `acme` with its `image-assets`: no id has two hyphens in a row.
        """
        hyphens = "--" if job == "assets" and deployment_id.endswith("-image") else "-"
        return f"{self.prefix}-{deployment_type}-{deployment_id}{hyphens}{job}"

    @property
    def tenant_builds_log_group(self) -> str:
        """Log group of all tenants' builds; each stream begins with its project's name."""
        return f"/aws/codebuild/{self.prefix}-tenants"
