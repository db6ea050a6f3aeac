"""An emulator of AWS IoT SiteWise, STS and IAM Roles Anywhere on the loopback address.

Use it as a context manager in a test, or run ``python -m emulator``::

    with Emulator(asset_models=30, portals=5, projects_per_portal=4) as aws:
        client = boto3.client("iotsitewise", endpoint_url=aws.endpoint_url, ...)
"""

from emulator.account import Account
from emulator.authorities import Authority
from emulator.certificates import ClientCertificate
from emulator.conditions import PolicyError
from emulator.emulator import Emulator
from emulator.errors import ApiError
from emulator.faults import Answer, Call, Fault, Faults
from emulator.keys import AccessKey, Lifetime
from emulator.plant import Plant
from emulator.roles_anywhere import Rules
from emulator.stats import Stats

__all__ = [
    "AccessKey",
    "Account",
    "Answer",
    "ApiError",
    "Authority",
    "Call",
    "ClientCertificate",
    "Emulator",
    "Fault",
    "Faults",
    "Lifetime",
    "Plant",
    "PolicyError",
    "Rules",
    "Stats",
]
