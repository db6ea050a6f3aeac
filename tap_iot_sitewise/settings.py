"""The settings of the tap."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import EMIT_ACTIVATE_VERSION_CONFIG

from tap_iot_sitewise import settings_telemetry

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Config = Mapping[str, t.Any]

MAX_PAGE_SIZE = 250
"""Most records on a page of a List operation of SiteWise (shape ``MaxResults``)."""

MIN_SESSION_DURATION, MAX_SESSION_DURATION = 900, 43200
"""Seconds that CreateSession of IAM Roles Anywhere accepts (``durationSeconds``)."""

SCHEMA: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "aws_region",
        th.StringType,
        required=True,
        title="AWS Region",
        description="Region to read, for example eu-west-1.",
        examples=["eu-west-1"],
    ),
    th.Property(
        "auth_method",
        th.StringType,
        default="static",
        allowed_values=["static", "roles_anywhere", "default"],
        title="Authentication method",
        description=(
            "Source of the credentials. static: the access key in the settings. "
            "roles_anywhere: temporary credentials for a client certificate. default: "
            "boto3's default chain (environment, shared profile, SSO, web identity, "
            "container or instance role)."
        ),
    ),
    th.Property(
        "aws_access_key_id",
        th.StringType,
        secret=True,
        title="AWS access key ID",
        description="Access key ID, with auth_method static.",
    ),
    th.Property(
        "aws_secret_access_key",
        th.StringType,
        secret=True,
        title="AWS secret access key",
        description="Secret access key, with auth_method static.",
    ),
    th.Property(
        "aws_session_token",
        th.StringType,
        secret=True,
        title="AWS session token",
        description=(
            "Session token of temporary keys that you created yourself, with "
            "auth_method static."
        ),
    ),
    th.Property(
        "aws_profile",
        th.StringType,
        title="AWS profile",
        description="Profile of the shared AWS config, with auth_method default.",
    ),
    th.Property(
        "role_arn",
        th.StringType,
        title="Role ARN",
        description="ARN of the role to assume, with auth_method roles_anywhere.",
    ),
    th.Property(
        "profile_arn",
        th.StringType,
        title="Profile ARN",
        description=(
            "ARN of the IAM Roles Anywhere profile, with auth_method roles_anywhere."
        ),
    ),
    th.Property(
        "trust_anchor_arn",
        th.StringType,
        title="Trust anchor ARN",
        description=(
            "ARN of the IAM Roles Anywhere trust anchor for the certificate's CA, with "
            "auth_method roles_anywhere."
        ),
    ),
    th.Property(
        "client_certificate",
        th.StringType,
        title="Client certificate",
        description=(
            "Path to a PEM file, the PEM text itself, or path to a PKCS#12 file "
            "(.p12, .pfx) that also contains the private key and the chain, with "
            "auth_method roles_anywhere. If a PEM contains several certificates, the "
            "first is the client's and the others are the chain."
        ),
    ),
    th.Property(
        "private_key",
        th.StringType,
        secret=True,
        title="Private key",
        description=(
            "Path or PEM text of the certificate's private key, RSA or EC, "
            "encrypted or unencrypted."
        ),
    ),
    th.Property(
        "certificate_chain",
        th.StringType,
        title="Certificate chain",
        description=(
            "Path or PEM text of the certificates between the client certificate "
            "and the trust anchor."
        ),
    ),
    th.Property(
        "private_key_passphrase",
        th.StringType,
        secret=True,
        title="Private key passphrase",
        description="Passphrase of an encrypted private key or of a PKCS#12 file.",
    ),
    th.Property(
        "session_duration",
        th.IntegerType(minimum=MIN_SESSION_DURATION, maximum=MAX_SESSION_DURATION),
        default=3600,
        title="Session duration",
        description=(
            "Lifetime of the temporary credentials in seconds, 900 to 43200, with "
            "auth_method roles_anywhere. The tap renews them during a run."
        ),
    ),
    th.Property(
        "session_name",
        th.StringType,
        title="Session name",
        description=(
            "Name of the role session, with auth_method roles_anywhere. Set it only if "
            "the profile accepts a session name."
        ),
    ),
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
    *settings_telemetry.PROPERTIES,
).to_dict()
# The SDK's Tap supports this setting and does not declare it.
SCHEMA["properties"].update(EMIT_ACTIVATE_VERSION_CONFIG["properties"])

SECRETS = tuple(n for n, s in SCHEMA["properties"].items() if s.get("secret"))
"""Settings whose values must not appear in a log, state, catalog or message."""
