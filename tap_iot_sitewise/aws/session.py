"""Opens a boto3 session with static keys, Roles Anywhere, or boto3's own chain."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import typing as t
from pathlib import Path
from urllib.parse import unquote, urlsplit

import boto3
import botocore.session
from botocore.exceptions import ConfigParseError, ProfileNotFound
from botocore.utils import (
    get_environ_proxies,
    is_valid_endpoint_url,
    is_valid_ipv6_endpoint_url,
)

from tap_iot_sitewise import redaction
from tap_iot_sitewise.aws.tls import ca_bundle
from tap_iot_sitewise.errors import SettingsError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config


_SERVICES = {
    "aws_endpoint_url": "iotsitewise",
    "roles_anywhere_endpoint_url": "rolesanywhere",
    "sts_endpoint_url": "sts",
}
"""Services that the tap calls, by the setting of their endpoint."""


def endpoint_problems(
    name: str, url: str, schemes: tuple[str, ...] = ("http", "https")
) -> Iterator[str]:
    """Find out whether botocore can call an endpoint.

    Args:
        name: Setting or variable of the endpoint.
        url: The endpoint.
        schemes: Allowed schemes.

    Yields:
        A clause if it cannot.
    """
    if not _is_endpoint(url, schemes):
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        yield f"{name} must be a URL that begins with {begin}, followed by a host name"


def _is_endpoint(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        # A variable can hold bytes that are not UTF-8.
        parts = urlsplit(url.encode().decode())
        return (
            parts.scheme in schemes
            and parts.port != 0
            and bool(is_valid_endpoint_url(url) or is_valid_ipv6_endpoint_url(url))
        )
    except ValueError:
        return False


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
        *_environment_problems(config),
        *_proxy_problems(config),
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


def _environment_problems(config: Config) -> Iterator[str]:
    """Check the variables of AWS that botocore reads with every ``auth_method``."""
    session = botocore.session.Session()
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    if profile and profile not in session.available_profiles:
        yield _unknown("AWS_PROFILE", profile)
        return
    bundle = ca_bundle()
    # Path.exists raises an error if a permission is missing.
    if bundle and not os.path.exists(bundle):  # noqa: PTH110
        yield "AWS_CA_BUNDLE: cannot read the file that it names (no such file)"
    names = {
        name
        for setting, service in _called(config).items()
        if setting not in config and (name := _endpoint_variable(service))
    }
    for name in sorted(names):
        yield from endpoint_problems(name, os.environ[name])


def _called(config: Config) -> dict[str, str]:
    """Return the services that a run calls, by the setting of their endpoint."""
    used = {
        "aws_endpoint_url": True,
        "roles_anywhere_endpoint_url": config.get("auth_method") == "roles_anywhere",
        "sts_endpoint_url": bool(config.get("assume_role_arn")),
    }
    return {name: service for name, service in _SERVICES.items() if used[name]}


def _endpoint_variable(service: str) -> str | None:
    """Return the variable with which botocore finds another endpoint."""
    # The Roles Anywhere library takes no notice of them.
    names = (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL")
    if service == "rolesanywhere":
        return None
    return next((name for name in names if os.environ.get(name)), None)


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


def _proxy_problems(config: Config) -> Iterator[str]:
    """Check the proxies of the endpoints.

    botocore 1.44 puts ``http://`` before a proxy of another type. In a URL, the host
    ends at the first ``/``, ``?`` or ``#``, even if that is a part of the password.
    """
    region = config.get("aws_region")
    found = {}
    for setting, service in _called(config).items():
        usual = f"https://{service}.{region}.amazonaws.com"
        endpoint = str(config.get(setting) or usual)
        with contextlib.suppress(ValueError):
            scheme = urlsplit(endpoint).scheme
            found[scheme] = get_environ_proxies(endpoint).get(scheme)
    for scheme, proxy in found.items():
        if proxy and not _is_usable(proxy):
            yield (
                f"{scheme.upper()}_PROXY must be the URL of an http or https proxy, "
                "with special characters in its user name and password percent-encoded"
            )


def _is_usable(proxy: str) -> bool:
    try:
        url = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        in_its_place = "@" not in f"{url.path}{url.query}{url.fragment}"
        user, password = unquote(url.username or ""), unquote(url.password or "")
        return (
            url.scheme in {"", "http", "https"}
            and bool(url.hostname)
            and url.port != 0
            and in_its_place
            # botocore 1.44 encodes them as ASCII.
            and f"{user}{password}".isascii()
        )
    except ValueError:
        return False


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
