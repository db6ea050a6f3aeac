"""Gateways, which send data from a plant to SiteWise."""

from __future__ import annotations

from tap_iot_sitewise.streams.attribute import key, text, timestamp
from tap_iot_sitewise.streams.entity import Entity, ListOf, nested
from tap_iot_sitewise.streams.request import Listing
from tap_iot_sitewise.streams.stream import SiteWiseStream

GREENGRASS = Entity(
    "Greengrass",
    text("group_arn", "ARN of the Greengrass group."),
)

GREENGRASS_V2 = Entity(
    "GreengrassV2",
    text("core_device_thing_name", "IoT thing of the Greengrass core device."),
    text(
        "core_device_operating_system",
        "Operating system of the core device.",
        "LINUX_AARCH64",
        "LINUX_AMD64",
        "WINDOWS_AMD64",
    ),
)

SIEMENS_IE = Entity(
    "SiemensIE",
    text("iot_core_thing_name", "IoT thing of the Siemens Industrial Edge device."),
)

GATEWAY_PLATFORM = Entity(
    "GatewayPlatform",
    nested("greengrass", "AWS IoT Greengrass V1.", GREENGRASS),
    nested("greengrass_v2", "AWS IoT Greengrass V2.", GREENGRASS_V2),
    nested("siemens_ie", "Siemens Industrial Edge.", SIEMENS_IE, member="siemensIE"),
)

GATEWAY_CAPABILITY = Entity(
    "GatewayCapabilitySummary",
    text("capability_namespace", "Name and version of the capability."),
    text(
        "capability_sync_status",
        "Whether the gateway has the capability's latest configuration.",
        "IN_SYNC",
        "OUT_OF_SYNC",
        "SYNC_FAILED",
        "UNKNOWN",
        "NOT_APPLICABLE",
    ),
)


class Gateways(SiteWiseStream):
    """Gateways of the Region."""

    name = "gateways"
    entity = Entity(
        "GatewaySummary",
        key("gateway_id", "ID of the gateway."),
        text("name", "Name of the gateway.", member="gatewayName"),
        text("gateway_version", "Version of the gateway."),
        nested(
            "platform",
            "Platform that the gateway runs on, one of the members.",
            GATEWAY_PLATFORM,
            member="gatewayPlatform",
        ),
        nested(
            "capabilities",
            "Capabilities of the gateway, such as an OPC UA source.",
            ListOf(GATEWAY_CAPABILITY),
            member="gatewayCapabilitySummaries",
        ),
        timestamp("creation_date", "When the gateway was created, in UTC."),
        timestamp(
            "last_update_date",
            "When the gateway was last updated, in UTC.",
            marks_change=True,
        ),
    )
    request = Listing("ListGateways", "gatewaySummaries")
