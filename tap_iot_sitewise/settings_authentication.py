"""The settings for signing in, and what is wrong with the ones given."""

from __future__ import annotations

import re
import typing as t

from singer_sdk import typing as th

if t.TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    Config = Mapping[str, t.Any]

MIN_SESSION_DURATION, MAX_SESSION_DURATION = 900, 43200
"""Seconds that CreateSession of IAM Roles Anywhere accepts (``durationSeconds``)."""

PROPERTIES: tuple[th.Property[t.Any], ...] = (
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
            "auth_method roles_anywhere or assume_role_arn, and at most 3600 with "
            "both. The tap renews them during a run."
        ),
    ),
    th.Property(
        "session_name",
        th.StringType,
        title="Session name",
        description=(
            "Name of the role session. With auth_method roles_anywhere, set it only if "
            "the profile accepts a session name. With assume_role_arn, the default is "
            "tap-iot-sitewise."
        ),
    ),
    th.Property(
        "assume_role_arn",
        th.StringType,
        title="Role to assume",
        description=(
            "ARN of a role that the tap assumes after signing in with auth_method, for "
            "example a role of another account."
        ),
    ),
    th.Property(
        "assume_role_external_id",
        th.StringType,
        secret=True,
        title="External ID",
        description="External ID that the trust policy of assume_role_arn requires.",
    ),
)
"""The settings in the order in which ``--about`` lists them."""

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

_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+")
_ROLES_ANYWHERE_ARNS = {
    "role_arn": _ROLE,
    "profile_arn": re.compile(r"arn:[\w-]+:rolesanywhere:[\w-]+:\d{12}:profile/\S+"),
    "trust_anchor_arn": re.compile(
        r"arn:[\w-]+:rolesanywhere:[\w-]+:\d{12}:trust-anchor/\S+"
    ),
}

_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""Shape ``externalIdType`` of STS."""

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
"""Shape ``roleSessionNameType`` of STS."""

_LONGEST_CHAINED_SESSION = 3600
"""Seconds that STS allows if the credentials of one role assume another role."""


def missing(config: Config, wrong: Container[object]) -> Iterator[str]:
    """Find out which of these settings are required and missing.

    Args:
        config: Settings whose values have the types of the JSON schema.
        wrong: Names of settings with values of another type.

    Yields:
        A clause for each. It begins with the name of the setting.
    """
    method = config.get("auth_method")
    for name in _REQUIRED.get(method, ()):
        if not config.get(name) and name not in wrong:
            yield f"{name} is missing (auth_method {method} requires it)"
    role, external_id = "assume_role_arn", "assume_role_external_id"
    if config.get(external_id) and not config.get(role) and role not in wrong:
        # Without the role, the tap would read the wrong account.
        yield f"{role} is missing ({external_id} requires it)"


def problems(config: Config) -> Iterator[str]:
    """Find what is wrong with these settings.

    Args:
        config: Settings whose values have the types of the JSON schema.

    Yields:
        A clause for each problem. It begins with the name of the setting, and does not
        contain a secret.
    """
    # A key that was pasted or read from a file can contain white space. AWS would
    # answer that the signature does not match, which is misleading.
    for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"):
        if re.search(r"\s", config.get(name, "")):
            yield f"{name} contains white space; remove it"
        elif not config.get(name, "").isascii():
            yield f"{name} contains characters that are not ASCII; copy it again"
    if config.get("auth_method") == "roles_anywhere":
        for name, pattern in _ROLES_ANYWHERE_ARNS.items():
            yield from _arn_problems(config, name, pattern)
    if config.get("assume_role_arn"):
        yield from _arn_problems(config, "assume_role_arn", _ROLE)
        yield from _assume_role_problems(config)


def _arn_problems(config: Config, name: str, pattern: re.Pattern[str]) -> Iterator[str]:
    if config.get(name) and not pattern.fullmatch(config[name]):
        resource = name.removesuffix("_arn").removeprefix("assume_").replace("_", " ")
        yield f"{name} is not the ARN of a {resource}; copy the complete ARN"


def _assume_role_problems(config: Config) -> Iterator[str]:
    external_id = config.get("assume_role_external_id")
    if external_id and not _EXTERNAL_ID.fullmatch(external_id):
        yield (
            "assume_role_external_id must be 2 to 1224 letters, digits and +=,.@:/_-; "
            "copy it again"
        )
    name = config.get("session_name")
    if name and not _SESSION_NAME.fullmatch(name):
        yield (
            "session_name must be 2 to 64 letters, digits and +=,.@_- (assume_role_arn "
            "requires it)"
        )
    duration = config.get("session_duration", 0)
    chained = config.get("auth_method") == "roles_anywhere"
    if chained and duration > _LONGEST_CHAINED_SESSION:
        yield (
            f"session_duration must be at most {_LONGEST_CHAINED_SESSION} with "
            f"assume_role_arn and auth_method roles_anywhere, not {duration}: AWS "
            "allows one hour if a role assumes another role"
        )
