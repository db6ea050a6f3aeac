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
    """Print everything, one JSON object a line."""
    sitewise = client()

    def listed(operation: str, member: str, **parameters: str) -> t.Iterator[t.Any]:
        paginator = sitewise.get_paginator(operation)
        pages = paginator.paginate(PaginationConfig={"PageSize": 250}, **parameters)
        for page in pages:
            yield from page[member]

    for model in listed("list_asset_models", "assetModelSummaries"):
        sys.stdout.write(json.dumps(model, default=str) + "\n")
    for portal in listed("list_portals", "portalSummaries"):
        sys.stdout.write(json.dumps(portal, default=str) + "\n")
        for project in listed(
            "list_projects", "projectSummaries", portalId=portal["id"]
        ):
            sys.stdout.write(json.dumps(project, default=str) + "\n")


if __name__ == "__main__":
    main()
