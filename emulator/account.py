"""The emulated AWS account, and the ARNs of its resources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """An AWS account in one Region.

    Args:
        region: The Region. Signatures for other Regions are refused.
        account_id: The account ID, twelve digits.
    """

    region: str = "eu-west-1"
    account_id: str = "123456789012"

    @property
    def partition(self) -> str:
        """The partition of the Region, which is the second part of its ARNs."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource.

        Args:
            service: The service, such as ``iotsitewise``.
            resource: The type and the ID of the resource, such as ``portal/1a2b...``.
        """
        # IAM and STS are global services. Their ARNs contain no Region.
        region = "" if service in {"iam", "sts"} else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"
