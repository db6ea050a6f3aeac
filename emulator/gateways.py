"""Gateways: the kind of record and its operation."""

from __future__ import annotations

from emulator.kinds import Kind
from emulator.operations import Operation
from emulator.paging import Page

KINDS = (Kind("gateways", key="gatewayId"),)

OPERATIONS = (
    Operation(
        "ListGateways", "/20200301/gateways", Page("gatewaySummaries", "gateways")
    ),
)
