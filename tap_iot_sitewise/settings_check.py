"""Checks the settings."""

from __future__ import annotations

import copy
import datetime as dt
import math
import typing as t

from singer_sdk.plugin_base import JSONSchemaValidator

from tap_iot_sitewise import (
    extra_streams,
    redaction,
    settings_authentication,
    settings_telemetry,
)
from tap_iot_sitewise.dates import parse_moment, rfc3339
from tap_iot_sitewise.errors import SettingsError
from tap_iot_sitewise.settings_warnings import secret_values, warn_of_unknown
from tap_iot_sitewise.singer import batches, stream_maps

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Container, Iterator, MutableMapping

    from jsonschema import ValidationError

    from tap_iot_sitewise.settings import Config

_MAX_TIMEOUT = 86_400
"""A day, in seconds. Much more is out of range for a socket."""

_TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "text",
}


def check(
    config: dict[str, t.Any],
    schema: Config,
    logger: logging.Logger,
) -> None:
    """Fill in the defaults, and check the settings.

    Args:
        config: Settings as given. Changed in place.
        schema: JSON schema of the settings, including those of the SDK.
        logger: For the warnings.

    Raises:
        SettingsError: With all problems, and without the value of a secret.
    """
    redaction.register(secret_values(config))
    redaction.register_environment()
    for name, value in config.items():
        if name.endswith("_url"):
            redaction.register_url(str(value))
    warn_of_unknown(config, schema["properties"], logger)
    found = problems(config, schema)
    found += batches.problems(config.get("batch_config"))
    tables = extra_streams.tables(config)
    disabled = extra_streams.disabled_maps(config)
    found += [
        f"stream_maps: {name} is an extra stream; add it to extra_streams"
        for name in disabled.values()
    ]
    maps = config.get("stream_maps")
    if disabled and isinstance(maps, dict):
        maps = {name: given for name, given in maps.items() if name not in disabled}
    found += stream_maps.problems({**config, "stream_maps": maps}, tables)
    # Only an extraction needs boto3; --version and --discover start without it.
    from tap_iot_sitewise.aws import session  # noqa: PLC0415

    found += session.problems(config)
    if found:
        raise SettingsError(found)
    likely = stream_maps.misspelled(config, tables)
    for clause in dict.fromkeys(likely):
        logger.warning("%s", clause)
    for name in ("start_date", "end_date"):
        if name in config:
            # The SDK 0.54 compares dates with bookmarks, and accepts fewer formats.
            config[name] = rfc3339(parse_moment(config[name]))
    if config.get("batch_config") and config.get("emit_activate_version_messages"):
        logger.warning(
            "emit_activate_version_messages: no ACTIVATE_VERSION is sent, because "
            "batch_config is set and the rows of a batch carry no version: the target "
            "would delete them all"
        )


def check_extra_streams(config: Config, schema: Config) -> None:
    """Check the one setting that ``--discover`` depends on.

    Args:
        config: Settings as given.
        schema: JSON schema of the settings.

    Raises:
        SettingsError: ``extra_streams`` is not a list of extra streams.
    """
    name = "extra_streams"
    if config.get(name) is None:
        return
    given = {name: config[name]}
    part = {"properties": {name: schema["properties"][name]}}
    errors = list(JSONSchemaValidator(part).iter_errors(given))
    if found := [*map(_clause, errors)] or [*extra_streams.problems(given)]:
        raise SettingsError(found)


def problems(config: MutableMapping[str, t.Any], schema: Config) -> list[str]:
    """Fill in the defaults, and find what is wrong with the settings.

    This does not open the files that settings name, see
    :func:`tap_iot_sitewise.aws.session.problems`.

    Args:
        config: Settings as given. Removes nulls and sets defaults in place.
        schema: JSON schema of the settings, including those of the SDK.

    Returns:
        A clause for each problem. No clause contains the value of a setting that is, or
        that somebody could have mistaken for, a secret.
    """
    for name in [name for name, value in config.items() if value is None]:
        del config[name]
    errors = list(JSONSchemaValidator(_checked_here(schema)).iter_errors(config))
    wrong = {error.absolute_path[0] for error in errors if error.absolute_path}
    sound = {name: value for name, value in config.items() if name not in wrong}
    checks = (
        _region_problems,
        settings_authentication.problems,
        _date_problems,
        _number_problems,
        _shard_problems,
        _url_problems,
        extra_streams.problems,
        settings_telemetry.problems,
    )
    return [
        *map(_clause, errors),
        *_missing(sound, wrong),
        *_flattening_problems(sound),
        *(problem for check in checks for problem in check(sound)),
    ]


def _checked_here(schema: Config) -> dict[str, t.Any]:
    """Return the JSON schema without the members of ``stream_maps``.

    The SDK's schema of them (0.54) is not a valid JSON schema.
    """
    copied = copy.deepcopy(dict(schema))
    if "stream_maps" in copied["properties"]:
        copied["properties"]["stream_maps"] = {"type": ["object", "null"]}
    return copied


def _clause(error: ValidationError) -> str:
    """Describe a JSON schema error, without the value: it can be a secret."""
    rule = error.validator
    # Their types follow from the rule.
    limit: t.Any = error.validator_value
    schema: t.Any = error.schema
    if rule == "required":
        given: t.Any = error.instance
        missing = next(name for name in limit if name not in given)
        return f"{missing} is missing"
    # Names of the schema only: other keys can contain anything.
    name = ".".join(part for part in error.absolute_path if isinstance(part, str))
    if rule in {"type", "oneOf"}:
        return f"{name} must be {_listed(rule, limit)}"
    if rule == "enum":
        return f"{name} must be one of {', '.join(str(value) for value in limit)}"
    if rule in {"minimum", "maximum"}:
        low, high = schema["minimum"], schema.get("maximum")
        span = f"at least {low}" if high is None else f"{low} to {high}"
        return f"{name} must be {span}, not {error.instance}"
    # The only other rule in the settings' schema is exclusiveMinimum.
    return f"{name} must be more than {limit}, not {error.instance}"


def _listed(rule: str, limit: t.Any) -> str:  # noqa: ANN401
    types = [option["type"] for option in limit] if rule == "oneOf" else [limit]
    names = [n for some in types for n in ([some] if isinstance(some, str) else some)]
    return " or ".join(_TYPE_NAMES[name] for name in names if name != "null")


def _missing(config: Config, wrong: Container[object]) -> Iterator[str]:
    """Find what is missing, apart from what is there with a wrong value."""
    yield from settings_authentication.missing(config, wrong)

    start = "start_date"
    if start not in config and start not in wrong:
        windowed = [s.name for s in extra_streams.windowed_streams(config)]
        if windowed:
            require = "requires" if len(windowed) == 1 else "require"
            yield f"{start} is missing ({' and '.join(windowed)} {require} it)"

    depth = "flattening_max_depth"
    if config.get("flattening_enabled") and depth not in config and depth not in wrong:
        yield f"{depth} is missing (flattening_enabled requires it)"


def _flattening_problems(config: Config) -> Iterator[str]:
    for name, least in (("flattening_max_depth", 0), ("flattening_max_key_length", 1)):
        if config.get(name, least) < least:
            yield f"{name} must be at least {least}, not {config[name]}"


def _region_problems(config: Config) -> Iterator[str]:
    # Only an extraction needs botocore; --version and --discover start without it.
    from tap_iot_sitewise.aws import regions  # noqa: PLC0415

    if "aws_region" in config:
        yield from regions.problems(config["aws_region"])


def _date_problems(config: Config) -> Iterator[str]:
    if "start_date" in config:
        try:
            start = parse_moment(config["start_date"])
        except ValueError:
            yield "start_date is not a date and time such as 2024-05-31T00:00:00Z"
            return
        if start > dt.datetime.now(dt.timezone.utc):
            yield f"start_date is in the future ({start}); set an earlier date"


def _number_problems(config: Config) -> Iterator[str]:
    timeout = _number(config.get("request_timeout", 1))
    if not timeout <= _MAX_TIMEOUT:
        yield f"request_timeout must be at most {_MAX_TIMEOUT}, not {timeout}"
    rate = _number(config.get("max_requests_per_second", 1))
    if not math.isfinite(rate):
        yield (
            f"max_requests_per_second must be a finite number, not {rate}; remove it "
            "for a run without a limit"
        )


def _number(value: t.Any) -> float:  # noqa: ANN401
    """Return a number. JSON and the environment accept "nan", "inf" and any size."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shard_problems(config: Config) -> Iterator[str]:
    count, index = config.get("shard_count", 1), config.get("shard_index", 0)
    if index >= count:
        yield f"shard_index must be less than shard_count ({count}), not {index}"
    if count > 1 and config.get("emit_activate_version_messages"):
        yield (
            "emit_activate_version_messages must be false with shard_count "
            f"{count}: the message of one shard would delete the rows of the others"
        )


def _url_problems(config: Config) -> Iterator[str]:
    from tap_iot_sitewise.aws.endpoints import endpoint_problems  # noqa: PLC0415

    yield from endpoint_problems(config)
