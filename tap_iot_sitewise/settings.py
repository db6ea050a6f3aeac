"""The settings: what they are."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import EMIT_ACTIVATE_VERSION_CONFIG

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    Config = Mapping[str, t.Any]

MAX_PAGE_SIZE = 250
"""Most that a List operation of SiteWise returns at once (shape ``MaxResults``)."""

MIN_SESSION_DURATION, MAX_SESSION_DURATION = 900, 43200
"""Seconds that CreateSession of IAM Roles Anywhere takes as ``durationSeconds``."""

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
            "Where the credentials come from: static, the access key set here; "
            "roles_anywhere, a certificate traded for temporary credentials; "
            "default, boto3's own chain (environment, shared profile, SSO, web "
            "identity, container or instance role)."
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
            "Session token, with auth_method static and temporary keys that were "
            "made elsewhere."
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
        description="ARN of the role to take on, with auth_method roles_anywhere.",
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
            "ARN of the IAM Roles Anywhere trust anchor that vouches for the "
            "certificate, with auth_method roles_anywhere."
        ),
    ),
    th.Property(
        "client_certificate",
        th.StringType,
        title="Client certificate",
        description=(
            "Path to a PEM file, the PEM text itself, or path to a PKCS#12 file "
            "(.p12, .pfx) that also holds the key and the chain, with auth_method "
            "roles_anywhere. Of several certificates in a PEM the first is the "
            "client's, the others are its chain."
        ),
    ),
    th.Property(
        "private_key",
        th.StringType,
        secret=True,
        title="Private key",
        description=(
            "Path or PEM text of the certificate's private key, RSA or EC, "
            "encrypted or not."
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
            "Seconds that temporary credentials are good for before they are "
            "renewed, 900 to 43200, with auth_method roles_anywhere."
        ),
    ),
    th.Property(
        "session_name",
        th.StringType,
        title="Session name",
        description=(
            "Name of the role session, with auth_method roles_anywhere. Only for a "
            "profile that accepts one."
        ),
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=MAX_PAGE_SIZE),
        default=MAX_PAGE_SIZE,
        title="Page size",
        description="Records asked for in one request (maxResults), 1 to 250.",
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
            "Kinds of asset models to list: ASSET_MODEL, COMPONENT_MODEL, INTERFACE. "
            "All when not set."
        ),
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description=(
            "First bookmark of a stream that is replicated incrementally; UTC where "
            "no time zone is given."
        ),
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=32),
        default=8,
        title="Concurrency",
        description="Portals whose projects are listed at once, 1 to 32.",
    ),
    th.Property(
        "max_attempts",
        th.IntegerType(minimum=1),
        default=10,
        title="Attempts",
        description="Tries of one request, the first included.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=30,
        title="Request timeout",
        description="Seconds that one request may be silent before it is tried again.",
    ),
    th.Property(
        "aws_endpoint_url",
        th.StringType,
        title="SiteWise endpoint",
        description=(
            "Another SiteWise endpoint: a VPC endpoint, a proxy, the emulator. No "
            "api. or monitor. is put before it."
        ),
    ),
    th.Property(
        "roles_anywhere_endpoint_url",
        th.StringType,
        title="IAM Roles Anywhere endpoint",
        description="Another IAM Roles Anywhere endpoint, https only.",
    ),
).to_dict()
# A capability that the SDK's tap has and its configuration does not tell of.
SCHEMA["properties"].update(EMIT_ACTIVATE_VERSION_CONFIG["properties"])

SECRETS = tuple(n for n, s in SCHEMA["properties"].items() if s.get("secret"))
"""Settings whose values no log, state, catalog or message may show."""
