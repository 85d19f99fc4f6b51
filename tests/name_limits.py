"""How long names may be in AWS; those of buckets are checked when the configuration is read."""

# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
PIPELINE_NAME_LIMIT = 100
STACK_NAME_LIMIT = 128
PROJECT_NAME_LIMIT = 150
ROLE_NAME_LIMIT = 64
