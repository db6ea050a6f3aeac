"""Gateways, bulk import jobs and computation models of a hostile plant."""

from __future__ import annotations

import typing as t

from emulator.hostile.asset_models import ERRORS
from emulator.hostile.values import dates, describe, each, name, status

if t.TYPE_CHECKING:
    from emulator.maker import Source
    from emulator.record import Record

_SYNC_STATUSES = (
    *("IN_SYNC", "OUT_OF_SYNC", "SYNC_FAILED", "UNKNOWN", "NOT_APPLICABLE"),
    # A value that this version of botocore does not know.
    "PAUSED",
)
_JOB_STATUSES = (
    *("PENDING", "CANCELLED", "RUNNING"),
    *("COMPLETED", "FAILED", "COMPLETED_WITH_FAILURES", "ARCHIVED"),
)
_STATES = ("ACTIVE", "CREATING", "FAILED", "UPDATING", "DELETING")


def _gateway(source: Source, index: int) -> Record:
    created, updated = dates(source.rng, index)
    platforms: tuple[Record | None, ...] = (
        {"greengrassV2": {"coreDeviceThingName": "core"}},
        {"greengrass": {"groupArn": source.account.arn("greengrass", "groups/1")}},
        {"siemensIE": {"iotCoreThingName": "edge:1"}},
        {
            "greengrassV2": {
                "coreDeviceThingName": "core-2",
                "coreDeviceOperatingSystem": "LINUX_AARCH64",
            }
        },
        {},
        None,
    )
    gateway: Record = {
        "gatewayId": source.entity_id(),
        "gatewayName": name(source.rng, index),
        "creationDate": created,
        "lastUpdateDate": updated,
    }
    platform = platforms[index % len(platforms)]
    if platform is not None:
        gateway["gatewayPlatform"] = platform
    if index % 3 != 1:
        gateway["gatewayVersion"] = str(2 + index % 2)
    if index % 4:
        gateway["gatewayCapabilitySummaries"] = [
            {
                "capabilityNamespace": f"iotsitewise:opcuacollector:{number}",
                "capabilitySyncStatus": _SYNC_STATUSES[number % len(_SYNC_STATUSES)],
            }
            for number in range(index, index + index % 4 - 1)
        ]
    return gateway


def _job(source: Source, index: int) -> Record:
    return {
        "id": source.entity_id(),
        "name": name(source.rng, index),
        "status": _JOB_STATUSES[index % len(_JOB_STATUSES)],
    }


def _computation_model(source: Source, index: int) -> Record:
    created, updated = dates(source.rng, index)
    model_id = source.entity_id()
    model: Record = {
        "id": model_id,
        "arn": source.account.arn("iotsitewise", f"computation-model/{model_id}"),
        "name": f"Model #{index} $*!@.",
        "type": ("ANOMALY_DETECTION", "FORECAST")[index % 2],
        "creationDate": created,
        "lastUpdateDate": updated,
        "status": status(source.rng, _STATES, ERRORS, index),
        "version": str(index),
    }
    describe(model, index)
    return model


gateways = each(_gateway)
"""Generates gateways."""

bulk_import_jobs = each(_job)
"""Generates bulk import jobs."""

computation_models = each(_computation_model)
"""Generates computation models."""
