"""Warnings about settings that are valid, but probably not intended."""

from __future__ import annotations

import difflib
import os
import re
import stat
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from tap_iot_sitewise.settings import SECRETS

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    import boto3

    from tap_iot_sitewise.settings import Config


_MOST_WARNINGS = 10

_SECRET_NAME = re.compile("key|secret|token|passw|credential", re.IGNORECASE)
"""Part of the name of a secret parameter."""

_LIKE_A_NAME = re.compile(r"(?!AKIA|ASIA)(?=.{1,40}\Z)(?:[A-Za-z]{1,16}[_.-]?){1,5}")
"""A name that consists of words. A key or a token is longer, or contains digits."""


def warn(config: Config, session: boto3.Session, logger: logging.Logger) -> None:
    """Warn of settings that may not do what the user expects.

    Args:
        config: Settings, valid.
        session: The session opened with these settings.
        logger: For the warnings.
    """
    region = config["aws_region"]
    if "aws_endpoint_url" not in config and not any(
        region in session.get_available_regions("iotsitewise", partition)
        for partition in session.get_available_partitions()
    ):
        logger.warning(
            "aws_region: botocore does not list AWS IoT SiteWise in %s; the run "
            "continues, because the Region may be newer than botocore",
            region,
        )
    from tap_iot_sitewise.aws.endpoints import is_on_this_machine  # noqa: PLC0415

    url = config.get("aws_endpoint_url", "")
    endpoint = urlsplit(url)
    if endpoint.scheme == "http" and not is_on_this_machine(url):
        logger.warning(
            "aws_endpoint_url: requests to %s and its answers are not encrypted; use "
            "https",
            endpoint.hostname,
        )
    certified = config["auth_method"] == "roles_anywhere"
    for name in ("private_key", "client_certificate"):
        path = config.get(name, "")
        holds_key = name == "private_key" or path.lower().endswith((".p12", ".pfx"))
        if certified and holds_key and path:
            warn_of_readers(name, path, logger)


def warn_of_unknown(
    config: Config, known: Mapping[str, object], logger: logging.Logger
) -> None:
    """Warn of settings that do not exist, with the closest name.

    Args:
        config: Settings as given. The warnings do not contain their values.
        known: The settings that exist.
        logger: For at most ten warnings, and one with the number of the others.
    """
    # The names of Meltano's plugin extras begin with an underscore.
    unknown = sorted(n for n in config if n not in known and not n.startswith("_"))
    for name in unknown[:_MOST_WARNINGS]:
        plain = name.lower().replace("-", "_")
        close = difflib.get_close_matches(plain, known, n=1)
        remedy = f"did you mean {close[0]}?" if close else "remove it"
        logger.warning("%s is not a setting; %s", shown_name(name, known), remedy)
    if len(unknown) > _MOST_WARNINGS:
        logger.warning(
            "%d more settings do not exist; remove them", len(unknown) - _MOST_WARNINGS
        )


def shown_name(name: str, known: Iterable[str]) -> str:
    """Return a name that does not exist, or its length if it can be a secret.

    Somebody may have pasted a secret instead of a name.

    Args:
        name: The name.
        known: The names that exist.
    """
    plain = name.lower().replace("-", "_")
    nearly = difflib.get_close_matches(plain, known, n=1, cutoff=0.9)
    if nearly or _LIKE_A_NAME.fullmatch(name):
        return name
    return f"a name of {len(name)} characters"


def warn_of_readers(what: str, path: str, logger: logging.Logger) -> None:
    """Warn if other users can read a file that contains secrets.

    Args:
        what: Setting or option with the path of the file.
        path: The file. Text that is not a path (a PEM) gives no warning.
        logger: For the warning.
    """
    if _readable_by_others(path):
        logger.warning(
            "%s: other users can read %s, which contains secrets; run chmod 600 on it, "
            "or create it under umask 077",
            what,
            path,
        )


def secret_values(config: Config) -> list[str]:
    """Return the secret values in the settings. The path of a key is not secret.

    Args:
        config: The settings, of any type.
    """
    found = [
        str(config[name])
        for name in SECRETS
        if config.get(name) is not None
        and (name != "private_key" or "-----BEGIN" in str(config[name]))
    ]
    # Parameters of a storage of batch files, for example those of an S3 client.
    return [*found, *_secrets_below("", config.get("batch_config"))]


def _secrets_below(name: str, value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _secrets_below(str(key), member)
    elif isinstance(value, str) and _SECRET_NAME.search(name):
        yield value


def _readable_by_others(path: str) -> bool:
    """Return whether users other than its owner can read a file.

    Args:
        path: The file. Text that is not a path (a PEM) gives False.
    """
    try:
        mode = Path(path).expanduser().stat().st_mode
    except (OSError, ValueError, RuntimeError):
        # RuntimeError: the home directory for ~ is unknown.
        return False
    readable = mode & (stat.S_IRGRP | stat.S_IROTH)
    return os.name == "posix" and stat.S_ISREG(mode) and bool(readable)
