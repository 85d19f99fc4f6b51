"""A step before a stack of a room is deployed: one whose first creation has failed takes no update, and is deleted."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws, pipelines
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam

from lambdas.common.names import WORKLOAD_ROLE_PATH
from lambdas.common.stack_states import NEVER_STOOD

# What its deletion left is left by this one, too: then the build fails, and shows CloudFormation's words.
CLEARED = (NEVER_STOOD, "ROLLBACK_FAILED")
# In a shell of its own, whose end is not that of the build.
SCRIPT = r"""(
set -euo pipefail
credentials=$(aws sts assume-role --role-arn "$DEPLOY_ROLE" --role-session-name clear --output text \
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<< "$credentials"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
cloudformation() { aws cloudformation "$1" --region "$STACK_REGION" --output text --stack-name "${@:2}"; }
look() { cloudformation describe-stacks "$1" --query "Stacks[0].[$2]"; }
told=$(look "$STACK" StackStatus,StackId 2> refused) || { cat refused; grep -q 'does not exist' refused; exit; }
read -r status id <<< "$told"
echo "$STACK is $status"
[[ " $CLEARED " == *" $status "* ]] || exit 0
echo "it never stood, and is deleted"
cloudformation delete-stack "$id" --role-arn "$EXECUTION_ROLE"
while read -r status reason <<< "$(look "$id" StackStatus,StackStatusReason)"; [[ $status == DELETE_IN_PROGRESS ]]; do
  sleep 3
done
echo "$status $reason"
[[ $status == DELETE_COMPLETE ]]
)"""


def clear_step(stack: cdk.Stack, *, role: iam.IRole, deploy: str, execution: str) -> pipelines.Step:
    """Look at a stack as the role that deploys it, whose name `deploy` is, and `execution` CloudFormation's.

    It runs as the role that publishes assets: that may assume the other one already, and runs nothing of the source's.
    """

    def arn(name: str) -> str:
        return f"arn:{Aws.PARTITION}:iam::{stack.account}:role{WORKLOAD_ROLE_PATH}{name}"

    return pipelines.CodeBuildStep(
        f"Clear {stack.stack_name}",
        project_name=f"{stack.stack_name}-clear",
        role=role,
        commands=[SCRIPT],
        partial_build_spec=codebuild.BuildSpec.from_object({"env": {"shell": "bash"}}),
        env={
            "STACK": stack.stack_name,
            "STACK_REGION": stack.region,
            "CLEARED": " ".join(CLEARED),
            "DEPLOY_ROLE": arn(deploy),
            "EXECUTION_ROLE": arn(execution),
        },
    )
