"""The commit that changes the factory, what a synth runs, a tenant's pipeline and the components, all at once."""

from __future__ import annotations

from local_cloud.factory.workspace import Workspace
from local_cloud.factory.zone import parameter
from tests.local.saas.wave import BREAKS, MOVES

TOOLCHAIN_PARAMETER = "/granary/generation"
# Its value is the key of the asset that the component of `moves` gets: a copy of a file of the project.
COMPONENT_PARAMETER = "/moves/generation"
ASSET_FILE = "cdk.json"
# What the component of `breaks` gets; somebody has made one of that name by hand.
OBSTACLE = "/breaks/obstacle"
# What CloudFormation needs for them in the workload account.
PARAMETER_ACTIONS = ("ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:PutParameter")
# What a command says that only this commit has.
CHECKED = "the synth was looked at"
STAGE = "Consent"
VARIABLE = "GENERATION"

_TOOLCHAIN = "stacks/saas/toolchain.py"
_CICD = "constructs_lib/common/cicd_pipeline.py"
_TENANT = "constructs_lib/saas/tenant_pipeline.py"
_JOB = "buildspecs/saas/tenant_synth"


def change_everything(workspace: Workspace) -> None:
    """Edit and commit."""
    _add_to_the_toolchain(workspace)
    _add_a_stage(workspace)
    _change_what_a_synth_runs(workspace)
    _change_one_tenants_pipeline(workspace)
    change_components(workspace)
    workspace.commit("The second generation")


def _add_to_the_toolchain(workspace: Workspace) -> None:
    line = "        self.observability = Observability(\n"
    parameter = f'parameter_name="{TOOLCHAIN_PARAMETER}", string_value="second"'
    workspace.replace(_TOOLCHAIN, line, f'        ssm.StringParameter(self, "Generation", {parameter})\n{line}')


def _add_a_stage(workspace: Workspace) -> None:
    line = '        self.pipeline.add_wave("Release", pre=self._before_release, post=[self.publish])\n'
    step = 'pipelines.ManualApprovalStep("Agree")'
    workspace.replace(_CICD, line, f'        self.pipeline.add_wave("{STAGE}", post=[{step}])\n{line}')


def _change_what_a_synth_runs(workspace: Workspace) -> None:
    """The module has another name, and a command is added: projects that stand know neither."""
    job = workspace.root / _JOB
    (job / "synth.py").rename(job / "synthesize.py")
    (job / "look.py").write_text(f'print("{CHECKED}")\n', encoding="utf-8")
    line = "      - python -m buildspecs.saas.tenant_synth."
    workspace.replace(f"{_JOB}/buildspec.yaml", f"{line}synth\n", f"{line}synthesize\n{line}look\n")


def _change_one_tenants_pipeline(workspace: Workspace) -> None:
    line = '        "DEPLOYMENT_REGION": record.region,\n'
    extra = f'**({{"{VARIABLE}": "second"}} if record.id == "{MOVES.id}" else {{}}),\n'
    workspace.replace(_TENANT, line, f"{line}        {extra}")


def change_components(workspace: Workspace) -> None:
    """One tenant gets a file and a parameter that names it, another a parameter whose name is taken."""
    moves = parameter("Generation", name=f'"{COMPONENT_PARAMETER}"', value="asset.s3_object_key")
    breaks = parameter("Obstacle", name=f'"{OBSTACLE}"', value='"made by the component"')
    workspace.add_to_components(
        "from aws_cdk import aws_s3_assets as s3_assets\n"
        f'if tenant.name == "{MOVES.type}-{MOVES.id}":\n'
        f'    asset = s3_assets.Asset(stack, "File", path="{ASSET_FILE}")\n'
        f"    {moves}"
        f'if tenant.name == "{BREAKS.type}-{BREAKS.id}":\n'
        f"    {breaks}"
    )
