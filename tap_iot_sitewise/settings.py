"""The settings of the tap."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import EMIT_ACTIVATE_VERSION_CONFIG

from tap_iot_sitewise import settings_authentication, settings_telemetry

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Config = Mapping[str, t.Any]

MAX_PAGE_SIZE = 250
"""Most records on a page of a List operation of SiteWise (shape ``MaxResults``)."""

SCHEMA: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "aws_region",
        th.StringType,
        required=True,
        title="AWS Region",
        description="Region to read, for example eu-west-1.",
        examples=["eu-west-1"],
    ),
    *settings_authentication.PROPERTIES,
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=MAX_PAGE_SIZE),
        default=MAX_PAGE_SIZE,
        title="Page size",
        description="Records per request (maxResults), 1 to 250.",
    ),
    th.Property(
        "asset_model_types",
        th.ArrayType(
            th.StringType(
                allowed_values=["ASSET_MODEL", "COMPONENT_MODEL", "INTERFACE"]
            )
        ),
        title="Asset model types",
        description=(
            "Types of asset models to list: ASSET_MODEL, COMPONENT_MODEL, INTERFACE. "
            "Lists all types if not set."
        ),
    ),
    th.Property(
        "extra_streams",
        th.ArrayType(th.StringType),
        title="Extra streams",
        description=(
            "Streams to add to asset_models, portals and projects: their names, plant "
            "(asset_model_properties, asset_model_hierarchies, "
            "asset_model_composite_models, assets, asset_associations, "
            "asset_properties, time_series, project_assets, dashboards, "
            "access_policies, gateways, bulk_import_jobs, computation_models) or "
            "telemetry (property_values, property_value_history, "
            "property_aggregates)."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "First bookmark of a stream with incremental replication. Required for "
            "property_value_history and property_aggregates, which begin after this "
            "date. The default time zone is UTC."
        ),
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=32),
        default=8,
        title="Maximum concurrency",
        description=(
            "Requests that are sent at the same time, 1 to 32: for parents, such as "
            "portals, or for batches of time series."
        ),
    ),
    th.Property(
        "max_attempts",
        th.IntegerType(minimum=1),
        default=10,
        title="Maximum attempts",
        description="Maximum attempts of one request, including the first.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=30,
        title="Request timeout",
        description=(
            "Seconds to wait for a connection or for data before a request is retried."
        ),
    ),
    th.Property(
        "aws_endpoint_url",
        th.StringType,
        title="SiteWise endpoint",
        description=(
            "Custom SiteWise endpoint: a VPC endpoint, a proxy or the emulator. The "
            "tap adds no api. or monitor. prefix to it."
        ),
    ),
    th.Property(
        "roles_anywhere_endpoint_url",
        th.StringType,
        title="IAM Roles Anywhere endpoint",
        description="Custom IAM Roles Anywhere endpoint, https only.",
    ),
    th.Property(
        "sts_endpoint_url",
        th.StringType,
        title="STS endpoint",
        description=(
            "Custom STS endpoint, with assume_role_arn. https only, except on this "
            "machine. The default is the endpoint of aws_region."
        ),
    ),
    th.Property(
        "max_requests_per_second",
        th.NumberType(exclusive_minimum=0),
        title="Maximum requests per second",
        description=(
            "Limit for the requests of this run to SiteWise, including retries. It "
            "leaves the rest of the account's quota to other applications. Not limited "
            "if not set."
        ),
    ),
    th.Property(
        "shard_count",
        th.IntegerType(minimum=1),
        default=1,
        title="Number of shards",
        description=(
            "Number of runs that share the work. Each needs its own shard_index and "
            "its own state."
        ),
    ),
    th.Property(
        "shard_index",
        th.IntegerType(minimum=0),
        default=0,
        title="Shard index",
        description="Number of this run among those of shard_count, beginning with 0.",
    ),
    *settings_telemetry.PROPERTIES,
).to_dict()
# The SDK's Tap supports this setting and does not declare it.
SCHEMA["properties"].update(EMIT_ACTIVATE_VERSION_CONFIG["properties"])

SECRETS = tuple(n for n, s in SCHEMA["properties"].items() if s.get("secret"))
"""Settings whose values must not appear in a log, state, catalog or message."""
