"""Physical names of what every room shares, as pure functions of the prefix and the place; pure.

The names are a contract between the stacks (whose policies name them) and what bears them, so they are derived in one
place: here, and for a room in its own `model/names.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

BUCKET_NAME_LIMIT = 63
# CodePipeline begins the key of an artifact with so much of the pipeline's name.
_ARTIFACT_KEY_LETTERS = 20

# Every stack of a tenant's pipeline bears it, with the prefix of its factory, and every stack of a component.
FACTORY_TAG = "granary:factory"
# SSM parameter with the prefix of the one factory of an account and Region.
FACTORY_PARAMETER = "/granary-factory"
# Every stack of a room bears them: whose it is, as `<prefix>/<room>`, and its place in the order of deployment.
ROOM_TAG = "granary:room"
ORDER_TAG = "granary:order"
# What belongs to a deployment bears it, with the deployment's id; in its own account, that may be experimented with.
DEPLOYMENT_TAG = "granary:deployment"
# What costs of a deployment arise in the toolchain's account bears it, with the deployment's type.
TYPE_TAG = "granary:type"
# The one ring of the strategies of a release that have no others.
WHOLE_FLEET = "all"
# IAM path of the roles in workload accounts: policies name those below it, and no role that somebody else made.
WORKLOAD_ROLE_PATH = "/granary/"
# The name under which the README publishes config/policies/workload-execution.json in each workload account.
WORKLOAD_EXECUTION_POLICY = "granary-workload-execution"
# What the keys of components' assets begin with in the bootstrap buckets of workload accounts. Who publishes them
# writes nothing else there: what the CDK CLI finds under a template's key, it deploys as whoever runs it.
COMPONENT_ASSETS = "components/"
# Where the README's commands write the bootstrap template of workload accounts.
BOOTSTRAP_TEMPLATE = "workload-bootstrap.json"


def bootstrap_role(kind: str, *, qualifier: str, account: str, region: str) -> str:
    """Path and name of a role of the workload accounts' bootstrap stack, as ARNs have them after `role/`.

    `kind` is `deploy`, `lookup`, `file-publishing`, `image-publishing` or `cfn-exec`.
    """
    return f"{WORKLOAD_ROLE_PATH[1:]}cdk-{qualifier}-{kind}-role-{account}-{region}"


def execution_policy_name(part: int) -> str:
    """Name of a part of what CloudFormation may do in workload accounts; the first is 1, and mostly the only one."""
    return WORKLOAD_EXECUTION_POLICY if part == 1 else f"{WORKLOAD_EXECUTION_POLICY}-{part}"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of the factory's shared resources; a room's own names are a subclass of this."""

    prefix: str

    @property
    def toolchain_stack(self) -> str:
        return f"{self.prefix}-toolchain"

    @property
    def cicd_pipeline(self) -> str:
        return f"{self.prefix}-cicd"

    @property
    def event_bus(self) -> str:
        """Bus on which every room publishes."""
        return f"{self.prefix}-lifecycle"

    @property
    def dead_letter_queue(self) -> str:
        """Queue with what no function could handle."""
        return f"{self.prefix}-dead-letters"

    @property
    def artifacts_alias(self) -> str:
        return f"alias/{self.prefix}-artifacts"

    @property
    def artifacts_key_parameter(self) -> str:
        """SSM parameter, one in each Region used, with the ARN of that Region's artifact key."""
        return f"/{self.prefix}/artifacts/key-arn"

    @property
    def data_key_parameter(self) -> str:
        """SSM parameter, in the toolchain's Region, with the ARN of the key for tables, logs, queues and messages."""
        return f"/{self.prefix}/data/key-arn"

    @property
    def failures_topic(self) -> str:
        """Topic of those who are told by e-mail."""
        return f"{self.prefix}-failures"

    @property
    def chat_topic(self) -> str:
        """Topic of those who are told in chat."""
        return f"{self.prefix}-chat"

    @property
    def tenants_function(self) -> str:
        """Function that answers what other rooms want to know of tenants."""
        return f"{self.prefix}-tenants"

    @property
    def cicd_assets_role(self) -> str:
        """Role of the builds that publish the assets of rooms' stacks."""
        return f"{self.cicd_pipeline}-assets"

    @property
    def cicd_artifacts_prefix(self) -> str:
        """What the keys of CI/CD's artifacts begin with."""
        return f"{self.cicd_pipeline[:_ARTIFACT_KEY_LETTERS]}/"

    def room_stack(self, room: str, part: str = "") -> str:
        """Stack of a room; one that has several gives each a part of its own."""
        return "-".join(filter(None, (self.prefix, room, part)))

    def room_function(self, room: str, job: str) -> str:
        """Function of a room."""
        return f"{self.prefix}-{room}-{job.replace('_', '-')}"

    def room_role(self, room: str, purpose: str) -> str:
        """Role of a room: in the toolchain's account, or below WORKLOAD_ROLE_PATH in a workload account."""
        return f"{self.prefix}-{room}-{purpose}"

    def catalog_prefix(self, room: str) -> str:
        """What the names of a room's databases in a Glue catalog begin with; Athena knows no hyphens there."""
        return f"{self.prefix}_{room}_".replace("-", "_")

    def room_artifacts_prefix(self, room: str) -> str:
        """What the keys of the artifacts of a room's pipelines (`<prefix>-<room>-*`) begin with."""
        return f"{self.prefix}-{room}-"[:_ARTIFACT_KEY_LETTERS]

    def workload_roles_stack(self, account: str = "") -> str:
        """Stack with the factory's own roles in a workload account; without an account, the one for any of them."""
        return "-".join(filter(None, (self.prefix, "workload-roles", account)))

    def roles_advice(self, account: str, *, of_organization: bool | None = None) -> str:
        """What to do where a role of that stack lacks; None where nobody knows which of both stacks it is."""
        own, any_ = (f"`npx cdk deploy {self.workload_roles_stack(one)}`" for one in (account, ""))
        both = f"{own} (with an organization_id: {any_})"
        command = both if of_organization is None else any_ if of_organization else own
        return f"the administrator of account {account} deploys the factory's roles there, again if need be: {command}"

    def artifacts_stack(self, region: str) -> str:
        """Stack with the artifact bucket and key of a Region other than the toolchain's own."""
        return f"{self.prefix}-artifacts-{region}"

    def artifacts_bucket(self, account: str, region: str) -> str:
        return f"{self.prefix}-artifacts-{account}-{region}"

    def access_logs_bucket(self, account: str, region: str) -> str:
        return f"{self.prefix}-access-logs-{account}-{region}"

    def releases_bucket(self, account: str, region: str) -> str:
        """Bucket with the source of every release that CI/CD has checked."""
        return f"{self.prefix}-releases-{account}-{region}"

    def source_bucket(self, account: str, region: str) -> str:
        """Bucket that the S3 source provider reads the committed source from."""
        return f"{self.prefix}-source-{account}-{region}"

    def reports_bucket(self, account: str, region: str) -> str:
        """Bucket with what gates have found."""
        return f"{self.prefix}-reports-{account}-{region}"

    def function(self, job: str) -> str:
        return f"{self.prefix}-{job}"
