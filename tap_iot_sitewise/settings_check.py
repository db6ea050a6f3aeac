"""What is wrong with the settings that were given."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import typing as t
from urllib.parse import urlsplit

from singer_sdk.plugin_base import JSONSchemaValidator

from tap_iot_sitewise import redaction
from tap_iot_sitewise.dates import parse_moment, rfc3339
from tap_iot_sitewise.errors import SettingsError
from tap_iot_sitewise.settings_warnings import secrets_in

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, MutableMapping

    from jsonschema import ValidationError

    from tap_iot_sitewise.settings import Config

_MAX_TIMEOUT = 86_400
"""A day of silence, in seconds; sockets overflow at some more."""

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


def check(config: dict[str, t.Any], schema: Config, logger: logging.Logger) -> None:
    """Fill in the defaults, and refuse settings that are wrong.

    Args:
        config: Settings as given; changed in place.
        schema: JSON schema of the settings with the SDK's own.
        logger: For what is worth a warning.

    Raises:
        SettingsError: Every problem at once, and no value of a secret.
    """
    redaction.register(str(config[name]) for name in secrets_in(config))
    redaction.register_environment()
    for name, value in config.items():
        if name.endswith("_url"):
            redaction.register_url(str(value))
    found = problems(config, schema)
    # Only an extraction needs boto3; --version and --discover start without it.
    from tap_iot_sitewise.aws import session  # noqa: PLC0415

    found += session.problems(config)
    if found:
        raise SettingsError(found)
    if "start_date" in config:
        # The SDK 0.54 compares it with bookmarks, and reads fewer forms than this.
        config["start_date"] = rfc3339(parse_moment(config["start_date"]))
    if config.get("batch_config") and config.get("emit_activate_version_messages"):
        logger.warning(
            "emit_activate_version_messages: no ACTIVATE_VERSION is sent, because "
            "batch_config is set and the rows of a batch carry no version: the target "
            "would delete them all"
        )


def problems(config: MutableMapping[str, t.Any], schema: Config) -> list[str]:
    """Fill in the defaults, and find what is wrong with the settings.

    Files that settings point to are not opened here, see
    :func:`tap_iot_sitewise.aws.session.problems`.

    Args:
        config: Settings as given; nulls are dropped and defaults are set in place.
        schema: JSON schema of the settings with the SDK's own.

    Returns:
        A clause for each problem, none for settings that will do. No clause holds the
        value of a setting that could be, or could have been meant as, a secret.
    """
    for name in [name for name, value in config.items() if value is None]:
        del config[name]
    errors = list(JSONSchemaValidator(schema).iter_errors(config))
    wrong = {error.absolute_path[0] for error in errors if error.absolute_path}
    sound = {name: value for name, value in config.items() if name not in wrong}
    checks = (
        _missing,
        _region_problems,
        _text_problems,
        _date_problems,
        _timeout_problems,
        _url_problems,
    )
    return [
        *map(_told, errors),
        *(problem for check in checks for problem in check(sound)),
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


def _region_problems(config: Config) -> Iterator[str]:
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


def _text_problems(config: Config) -> Iterator[str]:
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


def _date_problems(config: Config) -> Iterator[str]:
    if "start_date" in config:
        try:
            start = parse_moment(config["start_date"])
        except ValueError:
            yield "start_date is not a date and time such as 2024-05-31T00:00:00Z"
            return
        if start > dt.datetime.now(dt.timezone.utc):
            yield f"start_date is in the future ({start})"


def _timeout_problems(config: Config) -> Iterator[str]:
    # JSON and the environment let "nan" and "inf" through as numbers.
    timeout = float(config.get("request_timeout", 1))
    if not timeout <= _MAX_TIMEOUT:
        yield f"request_timeout must be 0 to {_MAX_TIMEOUT}, not {timeout}"


def _url_problems(config: Config) -> Iterator[str]:
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
