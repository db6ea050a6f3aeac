"""A peer: a loop over boto3 that prints JSON lines, as one writes it ad hoc."""

from __future__ import annotations

import json
import os
import sys
import typing as t

import boto3
from botocore.config import Config


def client() -> t.Any:  # noqa: ANN401 - botocore has no types
    """Make a client from the environment that the emulator gives."""
    prefix = "TAP_IOT_SITEWISE_"
    return boto3.client(
        "iotsitewise",
        region_name=os.environ[f"{prefix}AWS_REGION"],
        aws_access_key_id=os.environ[f"{prefix}AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ[f"{prefix}AWS_SECRET_ACCESS_KEY"],
        endpoint_url=os.environ[f"{prefix}AWS_ENDPOINT_URL"],
        config=Config(inject_host_prefix=False),
    )


def main() -> None:
    """Print everything, one JSON object a line; with --assets the assets as well."""
    sitewise = client()

    def listed(operation: str, member: str, **parameters: str) -> t.Iterator[t.Any]:
        paginator = sitewise.get_paginator(operation)
        pages = paginator.paginate(PaginationConfig={"PageSize": 250}, **parameters)
        for page in pages:
            for item in page[member]:
                sys.stdout.write(json.dumps(item, default=str) + "\n")
                yield item

    def listed_all(operation: str, member: str, **parameters: str) -> None:
        for _ in listed(operation, member, **parameters):
            pass

    for model in listed("list_asset_models", "assetModelSummaries"):
        if "--assets" in sys.argv:
            for asset in listed(
                "list_assets", "assetSummaries", assetModelId=model["id"]
            ):
                listed_all(
                    "list_asset_properties",
                    "assetPropertySummaries",
                    assetId=asset["id"],
                    filter="ALL",
                )
    for portal in listed("list_portals", "portalSummaries"):
        listed_all("list_projects", "projectSummaries", portalId=portal["id"])


if __name__ == "__main__":
    main()
