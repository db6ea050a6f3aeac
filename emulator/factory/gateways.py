"""Gateways of a factory, its bulk import jobs and its computation models."""

from __future__ import annotations

import itertools
import typing as t

from emulator.factory.asset_models import models_in
from emulator.factory.products import slug
from emulator.factory.sites import OPENED, dates, sites

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.maker import Source
    from emulator.record import Record

_JOB_STATUSES = (
    "COMPLETED",
    "COMPLETED_WITH_FAILURES",
    "FAILED",
    "CANCELLED",
    "RUNNING",
    "PENDING",
)


def gateways(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate gateways, in turn for two sites; half of them are not in sync."""
    two_sites = tuple(itertools.islice(sites(), 2))
    for index in itertools.count():
        name = f"{two_sites[index % 2]} gateway {index // 2 + 1}"
        device = slug(name)
        platforms: tuple[Record, ...] = (
            {
                "greengrassV2": {
                    "coreDeviceThingName": device,
                    "coreDeviceOperatingSystem": "LINUX_AMD64",
                }
            },
            {"siemensIE": {"iotCoreThingName": device}},
            {
                "greengrass": {
                    "groupArn": source.account.arn("greengrass", f"groups/{device}")
                }
            },
        )
        yield {
            "gatewayId": source.entity_id(),
            "gatewayName": name,
            "gatewayPlatform": platforms[index % len(platforms)],
            "gatewayVersion": "3" if index % len(platforms) == 0 else "2",
            "gatewayCapabilitySummaries": [
                {
                    "capabilityNamespace": "iotsitewise:opcuacollector:3",
                    "capabilitySyncStatus": ("IN_SYNC", "OUT_OF_SYNC")[index % 2],
                },
                {
                    "capabilityNamespace": "iotsitewise:publisher:3",
                    "capabilitySyncStatus": "IN_SYNC",
                },
            ],
            **dates(source, OPENED),
        }


def bulk_import_jobs(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate bulk import jobs, one for each year of history."""
    for index in itertools.count():
        yield {
            "id": source.entity_id(),
            "name": f"history-{2018 + index}",
            "status": _JOB_STATUSES[index % len(_JOB_STATUSES)],
        }


def computation_models(source: Source, _: Record | None) -> Iterator[Record]:
    """Generate a computation model for each type of machine."""
    for index, (thing, _model) in enumerate(models_in(source, "machine")):
        found = source.entity_id()
        status: Record = {"state": "ACTIVE"}
        if index == 1:
            error = {
                "code": "VALIDATION_ERROR",
                "message": "The model has too few values for training.",
                "details": [
                    {
                        "code": "INCOMPATIBLE_FORWARDING_CONFIGURATION",
                        "message": "Measurement 'Temperature' is not forwarded.",
                    }
                ],
            }
            status = {"state": "FAILED", "error": error}
        yield {
            "id": found,
            "arn": source.account.arn("iotsitewise", f"computation-model/{found}"),
            "name": f"Anomalies {thing.name}",
            "description": f"Detects unusual temperatures of {thing.name} assets",
            "type": "ANOMALY_DETECTION",
            **dates(source, OPENED),
            "status": status,
            "version": str(1 + index % 3),
        }
