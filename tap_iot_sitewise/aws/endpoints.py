"""Checks the endpoints of the services that the tap calls, and their proxies."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import typing as t
from urllib.parse import unquote, urlsplit

from botocore.utils import (
    get_environ_proxies,
    is_valid_endpoint_url,
    is_valid_ipv6_endpoint_url,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_iot_sitewise.settings import Config


_SERVICES = {
    "aws_endpoint_url": "iotsitewise",
    "roles_anywhere_endpoint_url": "rolesanywhere",
    "sts_endpoint_url": "sts",
}
"""Services that the tap calls, by the setting of their endpoint."""


def endpoint_problems(config: Config) -> Iterator[str]:
    """Find out whether botocore can call the endpoints in the settings.

    Args:
        config: Settings whose values have the types of the JSON schema.

    Yields:
        A clause for each endpoint that it cannot call.
    """
    for setting, service in _SERVICES.items():
        if setting in config:
            yield from _problems(setting, config[setting], service)


def variable_problems(config: Config) -> Iterator[str]:
    """Find out whether botocore can call the endpoints in the environment.

    Args:
        config: Settings, valid or not.

    Yields:
        A clause for each variable whose endpoint it cannot call.
    """
    found = {
        name: problem
        for setting, service in _called(config).items()
        if setting not in config and (name := _endpoint_variable(service))
        for problem in _problems(name, os.environ[name], service)
    }
    # One for each variable: that of several services can have several problems.
    yield from found.values()


def _problems(name: str, url: str, service: str) -> Iterator[str]:
    """Yield a clause if botocore cannot call the endpoint of a setting or variable."""
    schemes = ["http", "https"]
    # CreateSession sends the certificate. Both services answer with credentials.
    if service == "rolesanywhere" or (service == "sts" and not is_on_this_machine(url)):
        schemes = ["https"]
    if not _is_endpoint(url, schemes):
        begin = " or ".join(f"{scheme}://" for scheme in schemes)
        yield f"{name} must be a URL that begins with {begin}, followed by a host name"


def is_on_this_machine(url: str) -> bool:
    """Return whether the host of a URL is this machine.

    Args:
        url: The URL. Text that is not a URL gives False.
    """
    try:
        host = urlsplit(url).hostname
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _is_endpoint(url: str, schemes: list[str]) -> bool:
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


def proxy_problems(config: Config) -> Iterator[str]:
    """Find out whether botocore can use the proxies of the endpoints.

    botocore 1.44 puts ``http://`` before a proxy of another type. In a URL, the host
    ends at the first ``/``, ``?`` or ``#``, even if that is a part of the password.

    Args:
        config: Settings, valid or not.

    Yields:
        A clause for each proxy that it cannot use.
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
