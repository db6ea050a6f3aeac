"""Opens a boto3 session with static keys, Roles Anywhere, or boto3's own chain."""

from __future__ import annotations

import configparser
import os
import re
import typing as t
from pathlib import Path

import boto3
import botocore.session
from botocore.exceptions import ConfigParseError, ProfileNotFound

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws.endpoints import proxy_problems, variable_problems
from tap_iot_sitewise.aws.tls import ca_bundle
from tap_iot_sitewise.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config


def problems(config: Config) -> list[str]:
    """Find what is wrong with the files that the settings name.

    Args:
        config: Settings, valid or not.

    Returns:
        A clause for each problem, without secrets.
    """
    if unreadable := _unreadable():
        return [unreadable]
    return [
        *_environment_problems(),
        *(() if _unknown_profile() else variable_problems(config)),
        *proxy_problems(config),
        *_method_problems(config),
    ]


def _unreadable() -> str | None:
    """Return why the shared AWS config cannot be read, None if it can."""
    session = botocore.session.Session()
    try:
        session.full_config  # noqa: B018 - reads both files
    except ConfigParseError as error:
        path, cause = error.kwargs["path"], error.kwargs.get("error")
        credentials = Path(session.get_config_variable("credentials_file"))
        name = "AWS_CONFIG_FILE"
        if Path(path) == credentials.expanduser():
            name = "AWS_SHARED_CREDENTIALS_FILE"
        set_one = f"{name}: " if os.environ.get(name) else ""
        other = "" if set_one else f", or set {name} to another file"
        return (
            f"{set_one}the shared AWS config {path} cannot be read "
            f"({_place(cause)}); correct the file{other}"
        )
    return None


def _place(cause: object) -> str:
    """Return where a file is wrong, without the line: it can contain a secret."""
    if isinstance(cause, configparser.MissingSectionHeaderError):
        return f"line {cause.lineno} comes before any section such as [default]"
    if errors := getattr(cause, "errors", None):
        lines = ", ".join(str(line) for line, _ in errors)
        return f"line {lines} does not have the form name = value"
    if isinstance(
        cause, (configparser.DuplicateOptionError, configparser.DuplicateSectionError)
    ):
        return f"line {cause.lineno} repeats a name"
    if isinstance(cause, UnicodeError):
        return "the file is not encoded in UTF-8"
    return "the format of the file is not valid"


def _environment_problems() -> Iterator[str]:
    """Check the variables of AWS that botocore reads with every ``auth_method``."""
    if unknown := _unknown_profile():
        yield unknown
        return
    bundle = ca_bundle()
    # Path.exists raises an error if a permission is missing.
    if bundle and not os.path.exists(bundle):  # noqa: PTH110
        yield "AWS_CA_BUNDLE: cannot read the file that it names (no such file)"


def _unknown_profile() -> str | None:
    """Return what is wrong with ``AWS_PROFILE``, None if nothing is."""
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    if profile and profile not in botocore.session.Session().available_profiles:
        return _unknown("AWS_PROFILE", profile)
    return None


def configured_by(error: Exception, config: Config) -> str:
    """Return the source of the value that botocore refuses when a client is created.

    botocore 1.44 reports the value (for example, of ``AWS_DEFAULTS_MODE``), but not its
    source.

    Args:
        error: What botocore raised.
        config: Settings, valid.

    Returns:
        A variable of AWS, a value of the shared AWS config, or ``auth_method``.
    """
    text = str(error)
    for name, value in os.environ.items():
        if name.startswith("AWS_") and value and re.search(_word(value), text):
            return name
    session = botocore.session.Session(profile=config.get("aws_profile") or None)
    for name, value in session.get_scoped_config().items():
        if isinstance(value, str) and value and re.search(_word(value), text):
            return f"{name} in the shared AWS config"
    return "auth_method"


def _word(value: str) -> str:
    return rf"(?<!\w){re.escape(value)}(?!\w)"


def _unknown(name: str, profile: str) -> str:
    return f"{name}: the shared AWS config has no profile {profile!r}"


def _method_problems(config: Config) -> list[str]:
    method = config.get("auth_method")
    if method == "roles_anywhere":
        # Only this method needs cryptography, which takes long to import.
        from tap_iot_sitewise.aws import certificates  # noqa: PLC0415

        return certificates.load(config)[1] if certificates.are_named(config) else []
    if method == "default":
        profile = config.get("aws_profile")
        known = botocore.session.get_session().available_profiles
        if profile and profile not in known:
            return [_unknown("aws_profile", profile)]
    return []


def open_session(config: Config) -> boto3.Session:
    """Open the session that the settings ask for.

    Args:
        config: Settings, valid and without problems.

    Returns:
        A session. Create its clients for ``aws_region``. The next signature renews
        temporary credentials that are about to expire.

    Raises:
        SettingsError: The certificate or its files changed after :func:`problems`
            checked them.
        NoCredentialsError: There is a role to assume, but boto3 finds no credentials.
    """
    session = _signed_in(config)
    if config.get("assume_role_arn"):
        # Only needed with this setting.
        from tap_iot_sitewise.aws.assume_role import assume_role  # noqa: PLC0415

        return assume_role(session, config)
    return session


def _signed_in(config: Config) -> boto3.Session:
    """Return the session of ``auth_method``."""
    if config["auth_method"] == "roles_anywhere":
        from tap_iot_sitewise.aws import roles_anywhere  # noqa: PLC0415 - as above

        return roles_anywhere.open_session(config)
    if config["auth_method"] == "default":
        profiles = botocore.session.Session().full_config.get("profiles", {})
        for profile in profiles.values():
            redaction.register_file(profile.get("web_identity_token_file") or "")
        try:
            return boto3.Session(
                region_name=config["aws_region"],
                profile_name=config.get("aws_profile") or None,
            )
        except ProfileNotFound as error:
            raise SettingsError([f"aws_profile: {error}"]) from error
    return boto3.Session(
        region_name=config["aws_region"],
        aws_access_key_id=config["aws_access_key_id"],
        aws_secret_access_key=config["aws_secret_access_key"],
        aws_session_token=config.get("aws_session_token"),
    )
