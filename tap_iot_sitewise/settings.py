"""The settings: what they are, and what is wrong with the ones that were given."""

from __future__ import annotations

import datetime as dt
import difflib
import ipaddress
import os
import re
import stat
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import EMIT_ACTIVATE_VERSION_CONFIG
from singer_sdk.plugin_base import JSONSchemaValidator

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from jsonschema import ValidationError

    Config = Mapping[str, t.Any]

MAX_PAGE_SIZE = 250
"""Most that a List operation of SiteWise returns at once (shape ``MaxResults``)."""

MIN_SESSION_DURATION, MAX_SESSION_DURATION = 900, 43200
"""Seconds that CreateSession of IAM Roles Anywhere takes as ``durationSeconds``."""

_MAX_TIMEOUT = 86_400
"""A day of silence, in seconds; sockets overflow at some more."""

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

_REQUIRED: dict[str | None, tuple[str, ...]] = {
    "static": ("aws_access_key_id", "aws_secret_access_key"),
    "roles_anywhere": (
        "role_arn",
        "profile_arn",
        "trust_anchor_arn",
        "client_certificate",
    ),
    "default": (),
}

_ARNS = {
    "role_arn": re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+"),
    "profile_arn": re.compile(r"arn:[\w-]+:rolesanywhere:[\w-]+:\d{12}:profile/\S+"),
    "trust_anchor_arn": re.compile(
        r"arn:[\w-]+:rolesanywhere:[\w-]+:\d{12}:trust-anchor/\S+"
    ),
}

_LIKE_A_REGION = re.compile(r"[A-Za-z]{2,5}([-_ ][A-Za-z]{2,10}){1,3}[-_ ]?[0-9]{1,2}")

_TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "text",
}


def faults(config: MutableMapping[str, t.Any], schema: Config) -> list[str]:
    """Fill in the defaults, and find what is wrong with the settings.

    Files that settings point to are not opened here, see :mod:`tap_iot_sitewise.auth`.

    Args:
        config: Settings as given; nulls are dropped and defaults are set in place.
        schema: JSON schema of the settings with the SDK's own.

    Returns:
        A clause for each fault, none for settings that will do. No clause holds the
        value of a setting that could be, or could have been meant as, a secret.
    """
    for name in [name for name, value in config.items() if value is None]:
        del config[name]
    errors = list(JSONSchemaValidator(schema).iter_errors(config))
    wrong = {error.absolute_path[0] for error in errors if error.absolute_path}
    sound = {name: value for name, value in config.items() if name not in wrong}
    checks = (
        _missing,
        _region_faults,
        _text_faults,
        _date_faults,
        _timeout_faults,
        _url_faults,
    )
    return [
        *map(_told, errors),
        *(fault for check in checks for fault in check(sound)),
    ]


def _told(error: ValidationError) -> str:
    """Say what a JSON schema error means, without the value: it can be a secret."""
    rule = error.validator
    # Anything that JSON Schema allows there; which it is follows from the rule.
    limit: t.Any = error.validator_value
    schema: t.Any = error.schema
    if rule == "required":
        given: t.Any = error.instance
        missing = next(name for name in limit if name not in given)
        return f"{missing} is missing"
    # The setting, not the place in it: keys in an object can be anything as well.
    name = error.absolute_path[0]
    if rule == "type":
        types = [limit] if isinstance(limit, str) else limit
        wanted = [_TYPE_NAMES[name] for name in types if name != "null"]
        return f"{name} must be {' or '.join(wanted)}"
    if rule == "enum":
        return f"{name} must be one of {', '.join(str(value) for value in limit)}"
    if rule in {"minimum", "maximum"}:
        low, high = schema["minimum"], schema.get("maximum")
        span = f"at least {low}" if high is None else f"{low} to {high}"
        return f"{name} must be {span}, not {error.instance}"
    if rule == "exclusiveMinimum":
        return f"{name} must be more than {limit}, not {error.instance}"
    return f"{name} does not have the form that it must have ({rule})"


def secrets_in(config: Config) -> list[str]:
    """Return the settings whose values are secret; the path of a key is none."""
    return [
        name
        for name in SECRETS
        if config.get(name) is not None
        and (name != "private_key" or "-----BEGIN" in str(config[name]))
    ]


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def readable_by_others(path: str) -> bool:
    """Return whether users other than its owner may read a file.

    Args:
        path: The file; text that names none (a PEM) gives False.
    """
    try:
        mode = Path(path).expanduser().stat().st_mode
    except (OSError, ValueError, RuntimeError):
        # RuntimeError: the home directory that a ~ stands for is not known.
        return False
    readable = mode & (stat.S_IRGRP | stat.S_IROTH)
    return os.name == "posix" and stat.S_ISREG(mode) and bool(readable)


def _missing(config: Config) -> Iterator[str]:
    method = config.get("auth_method")
    for name in _REQUIRED.get(method, ()):
        if not config.get(name):
            yield f"{name} is missing, auth_method {method} needs it"
    if config.get("flattening_enabled") and "flattening_max_depth" not in config:
        yield f"{'flattening_max_depth'} is missing"


def region_pattern() -> str:
    """Return a regular expression for the Regions of all partitions known to botocore.

    New Regions appear in AWS before botocore lists them, but follow the pattern.
    """
    # Only an extraction needs botocore; --version and --discover start without it.
    from botocore.loaders import create_loader  # noqa: PLC0415

    partitions = create_loader().load_data("partitions")["partitions"]
    return "|".join(f"(?:{partition['regionRegex']})" for partition in partitions)


def _region_faults(config: Config) -> Iterator[str]:
    if "aws_region" not in config:
        return
    region, pattern = config["aws_region"], region_pattern()
    if re.fullmatch(pattern, region, re.ASCII):
        return
    hint = "for example eu-west-1"
    respelled = re.sub(r"[_\s]+", "-", region.strip().lower())
    if re.fullmatch(pattern, respelled, re.ASCII):
        hint = f"did you mean {respelled}?"
    else:
        from botocore.session import get_session  # noqa: PLC0415

        known = get_session().get_available_regions("iotsitewise")
        if close := difflib.get_close_matches(respelled, known, n=1):
            hint = f"did you mean {close[0]}?"
    # A key that was pasted into the wrong field is not to stand in a log.
    shown = region if _LIKE_A_REGION.fullmatch(region) else "this"
    yield f"aws_region: {shown!r} is no AWS Region, {hint}"


def _text_faults(config: Config) -> Iterator[str]:
    # White space comes along when a key is pasted or read from a file; AWS would
    # answer that the signature does not match, which sends people the wrong way.
    for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"):
        if re.search(r"\s", config.get(name, "")):
            yield f"{name} has white space in it"
        elif not config.get(name, "").isascii():
            yield f"{name} has characters in it that are not ASCII"
    if config.get("auth_method") == "roles_anywhere":
        for name, pattern in _ARNS.items():
            if config.get(name) and not pattern.fullmatch(config[name]):
                yield f"{name} is not the ARN of a {name[:-4].replace('_', ' ')}"


def _date_faults(config: Config) -> Iterator[str]:
    if "start_date" in config:
        from tap_iot_sitewise.bookmarks import parse_moment  # noqa: PLC0415

        try:
            start = parse_moment(config["start_date"])
        except ValueError:
            yield "start_date is not a date and time such as 2024-05-31T00:00:00Z"
            return
        if start > dt.datetime.now(dt.timezone.utc):
            yield f"start_date is in the future ({start})"


def _timeout_faults(config: Config) -> Iterator[str]:
    # JSON and the environment let "nan" and "inf" through as numbers.
    timeout = float(config.get("request_timeout", 1))
    if not timeout <= _MAX_TIMEOUT:
        yield f"request_timeout must be 0 to {_MAX_TIMEOUT}, not {timeout}"


def _url_faults(config: Config) -> Iterator[str]:
    schemes = {
        "aws_endpoint_url": ("http", "https"),
        # The request carries the certificate, and its answer the credentials.
        "roles_anywhere_endpoint_url": ("https",),
    }
    for name, allowed in schemes.items():
        if name not in config:
            continue
        try:
            # A variable can hold bytes that are not UTF-8.
            url = urlsplit(config[name].encode().decode())
            usable = url.scheme in allowed and bool(url.hostname) and url.port != 0
        except ValueError:
            usable = False
        if not usable:
            begin = " or ".join(f"{scheme}://" for scheme in allowed)
            yield f"{name} must be a URL that begins with {begin}"
