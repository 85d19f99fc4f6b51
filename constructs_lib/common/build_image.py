"""The image of every build: ARM, Amazon Linux 2023."""

from __future__ import annotations

from aws_cdk import aws_codebuild as codebuild

BUILD_IMAGE = codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0
