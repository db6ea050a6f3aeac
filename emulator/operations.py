"""What an operation of SiteWise is: its declaration, and a request for it."""

from __future__ import annotations

import functools
import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import unquote

from emulator import errors

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from emulator.faults import Fault
    from emulator.plant import Plant
    from emulator.tokens import TokenMint

SERVICE = "iotsitewise"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""Pattern of the IDs that SiteWise gives out."""

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Parameter:
    """A parameter in an operation's path or query, and what its values may be.

    Attributes:
        name: As in the service model, such as ``portalId``.
        values: The values that it may have; empty for any.
        pattern: Regular expression that its values match; empty for any.
        required: Whether a request without it is refused.
        default: What a request without it means.
    """

    name: str
    values: tuple[str, ...] = ()
    pattern: str = ""
    required: bool = False
    default: str = ""

    def check(self, given: list[str]) -> None:
        """Refuse values that the service model does not allow.

        Args:
            given: The values that a request has for this parameter.

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

    Attributes:
        name: Such as ``ListPortals``, which is also the name of its IAM action.
        path: Such as ``/portals``, or with a parameter in it ``/assets/{assetId}``.
        answer: Makes the JSON of a 200. It raises ApiError where AWS answers an error.
        parameters: Those of the path and the query that are checked, and that a page
            token belongs to. Others are ignored, as AWS ignores them.
        method: HTTP method.
        resource: The resource that AccessDenied names, such as ``portal/{portalId}``;
            ``*`` for an operation without one.
    """

    name: str
    path: str
    answer: Callable[[ApiRequest], bytes]
    parameters: tuple[Parameter, ...] = ()
    method: str = "GET"
    resource: str = "*"

    @property
    def action(self) -> str:
        """The IAM action that a caller needs."""
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
            Names and decoded values; None for a path of another operation.
        """
        found = self._pattern.fullmatch(path) if method == self.method else None
        if found is None:
            return None
        return [(name, unquote(value)) for name, value in found.groupdict().items()]


@dataclass(frozen=True)
class ApiRequest:
    """A request for an operation, with all that its answer is made from.

    Attributes:
        operation: What is asked for.
        parameters: Names and values of the path and the query, decoded.
        body: As it came in.
        plant: What there is to ask for.
        tokens: Makes and reads page tokens.
        twist: What is to be wrong with the page, one of ``faults.TWISTED_PAGES``.
    """

    operation: Operation
    parameters: list[tuple[str, str]]
    body: bytes
    plant: Plant
    tokens: TokenMint
    twist: Fault | None = None

    def all(self, name: str) -> list[str]:
        """Return the values of a parameter that may come more than once."""
        return [value for key, value in self.parameters if key == name]

    def one(self, name: str) -> str | None:
        """Return the value of a parameter, the last one given; None without one."""
        return next(reversed(self.all(name)), None)

    @property
    def resource(self) -> str:
        """What the request is for: type and ID as in an ARN, or ``*``."""
        values = defaultdict(lambda: "*", self.parameters)
        return self.operation.resource.format_map(values)

    @property
    def selection(self) -> str:
        """The values of the operation's parameters: what a page token belongs to."""
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
