"""The AWS account that is emulated: what its ARNs are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An AWS account in one Region.

    Attributes:
        region: Region that is served; a signature for another one is refused.
        number: The account's twelve digits.
    """

    region: str = "eu-west-1"
    number: str = "123456789012"

    @property
    def partition(self) -> str:
        """The Region's partition: the second part of its ARNs."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource.

        Args:
            service: Service that the resource belongs to, such as ``iotsitewise``.
            resource: Its type and ID, such as ``portal/1a2b...``.
        """
        # IAM and STS are global: their ARNs name no Region.
        region = "" if service in {"iam", "sts"} else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.number}:{resource}"
