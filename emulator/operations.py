"""The declaration of an operation of SiteWise, and a request for it."""

from __future__ import annotations

import functools
import json
import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import unquote

from emulator import errors

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from emulator.faults import Fault
    from emulator.records import Records
    from emulator.tokens import PageTokens
    from emulator.values import Values

SERVICE = "iotsitewise"
UUID = (
    "(?!00000000-0000-0000-0000-000000000000)"
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
"""Pattern of the IDs that SiteWise generates."""

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Parameter:
    """A parameter in the path or the query of an operation.

    Args:
        name: Name in the service model, such as ``portalId``.
        values: The allowed values; empty if all are allowed.
        pattern: Regular expression for the allowed values; empty if all are allowed.
        required: Whether a request without it is refused.
        default: The value if a request does not have the parameter.
    """

    name: str
    values: tuple[str, ...] = ()
    pattern: str = ""
    required: bool = False
    default: str = ""

    def check(self, given: list[str]) -> None:
        """Refuse values that the service model does not allow.

        Args:
            given: The values of this parameter in a request.

        Raises:
            ApiError: A value is missing or not allowed.
        """
        if self.required and not given:
            self._refuse(None, "Member must not be null")
        for value in given:
            if self.values and value not in self.values:
                allowed = ", ".join(self.values)
                self._refuse(value, f"Member must satisfy enum value set: [{allowed}]")
            if self.pattern and not re.fullmatch(self.pattern, value):
                rule = "Member must satisfy regular expression pattern"
                self._refuse(value, f"{rule}: ^{self.pattern}$")

    def _refuse(self, value: str | None, rule: str) -> t.NoReturn:
        raise errors.invalid_request(errors.constraint(value, self.name, rule))


@dataclass(frozen=True)
class Operation:
    """An operation of SiteWise, as its service model describes it.

    Args:
        name: Name of the operation and of its IAM action, such as ``ListPortals``.
        path: Path, such as ``/portals``, or with a parameter ``/assets/{assetId}``.
        answer: Returns the body of an answer with status 200, as JSON. It raises
            ApiError if AWS answers with an error.
        parameters: Parameters of the path and the query. They are checked, and a page
            token is valid for the same values only. Others are ignored, as in AWS.
        method: HTTP method.
        resource: The resource that AccessDenied names, such as ``portal/{portalId}``;
            ``*`` for an operation on all resources.
    """

    name: str
    path: str
    answer: Callable[[ApiRequest], bytes]
    parameters: tuple[Parameter, ...] = ()
    method: str = "GET"
    resource: str = "*"

    @property
    def action(self) -> str:
        """The IAM action that the caller needs."""
        return f"{SERVICE}:{self.name}"

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(_PATH_PARAMETER.sub(r"(?P<\1>[^/]+)", self.path))

    def match(self, method: str, path: str) -> list[tuple[str, str]] | None:
        """Return the parameters in a path.

        Args:
            method: HTTP method of the request.
            path: Path of the request, percent-encoded.

        Returns:
            Names and decoded values; None if the path belongs to another operation.
        """
        found = self._pattern.fullmatch(path) if method == self.method else None
        if found is None:
            return None
        return [(name, unquote(value)) for name, value in found.groupdict().items()]


@dataclass(frozen=True)
class ApiRequest:
    """A request for an operation.

    Args:
        operation: The operation.
        parameters: Decoded names and values of the path and the query.
        body: The body, unchanged.
        secure: Whether the request uses TLS.
        plant: The data.
        values: The values of its time series.
        tokens: Issues and reads page tokens.
        now: The time in nanoseconds since 1970-01-01 (UTC).
        denied_series: IDs of time series that nobody may read.
        page_fault: The fault of the page, one of ``faults.PAGE_FAULTS``.
    """

    operation: Operation
    parameters: list[tuple[str, str]]
    body: bytes
    secure: bool
    plant: Records
    values: Values
    tokens: PageTokens
    now: int = 0
    denied_series: Collection[str] = ()
    page_fault: Fault | None = None

    def all(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        return [value for key, value in self.parameters if key == name]

    def one(self, name: str) -> str | None:
        """Return the last value of a parameter; None if there is none."""
        return next(reversed(self.all(name)), None)

    @functools.cached_property
    def content(self) -> t.Any:  # noqa: ANN401 - any JSON value
        """The decoded body of a POST; None without JSON."""
        try:
            return json.loads(self.body) if self.operation.method == "POST" else None
        except ValueError:
            return None

    @property
    def resource(self) -> str:
        """The resource, as type and ID like in an ARN, or ``*``."""
        values = defaultdict(lambda: "*", self.parameters)
        return self.operation.resource.format_map(values)

    @property
    def selection(self) -> str:
        """The parameters' values. A page token is valid only for the same values."""
        return "&".join(
            f"{parameter.name}={value}"
            for parameter in self.operation.parameters
            for value in sorted(set(self.all(parameter.name))) or [parameter.default]
        )

    def check(self) -> None:
        """Refuse parameters that the service model does not allow.

        Raises:
            ApiError: A parameter is missing or not allowed.
        """
        for parameter in self.operation.parameters:
            parameter.check(self.all(parameter.name))
