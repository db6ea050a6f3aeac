"""What AWS IoT SiteWise answers with: each entity once, attribute by attribute.

The JSON schema of a stream and the mapping from the API's answer to a record both
follow from the declarations below; nothing else in the package names a column.

Sources: the ``iotsitewise`` service model of botocore (API version 2019-12-02) for
names, types and enumerated values; the AWS IoT SiteWise API Reference for meanings.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from singer_sdk import typing as th

if t.TYPE_CHECKING:
    from collections.abc import Callable

    Record = dict[str, t.Any]
    JSONSchema = dict[str, t.Any]


class UnexpectedValueError(ValueError):
    """The API sent a value that the entity has no room for."""


def rfc3339(moment: dt.datetime) -> str:
    """Write a moment as every date in a record, a bookmark and a state is written.

    The form is that of the Singer SDK: in UTC, to the microsecond. Such texts sort in
    order of time.

    Args:
        moment: With a time zone.
    """
    return moment.astimezone(dt.timezone.utc).isoformat("T", "microseconds")


@dataclass(frozen=True)
class Text:
    """A string. ``values`` are the ones known today, for the description only.

    AWS adds values to its enumerations, and a target that validates would refuse
    a whole load over one that the schema does not list.
    """

    values: tuple[str, ...] = ()

    json_type: t.ClassVar = th.StringType
    plain: t.ClassVar[type | None] = str
    """Type whose values go into the record as they came."""

    def convert(self, value: object) -> str:
        """Return ``value``, or raise :class:`UnexpectedValueError`."""
        if isinstance(value, str):
            return value
        msg = f"text was expected, not {type(value).__name__}"
        raise UnexpectedValueError(msg)


@dataclass(frozen=True)
class Timestamp:
    """A moment: epoch seconds on the wire, RFC 3339 in UTC in the record.

    A double holds today's epoch seconds to a quarter of a microsecond, so the
    fraction that the API sent comes out as it was.
    """

    json_type: t.ClassVar = th.DateTimeType
    plain: t.ClassVar[type | None] = None

    def convert(self, value: object) -> str:
        """Return ``value`` as RFC 3339, or raise :class:`UnexpectedValueError`."""
        # bool is an int to Python; AWS never means one here.
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                moment = dt.datetime.fromtimestamp(value, dt.timezone.utc)
            except (OverflowError, ValueError, OSError):
                msg = f"epoch seconds {value!r} lie outside the years 1 to 9999"
                raise UnexpectedValueError(msg) from None
            # As `rfc3339` has it, less its conversion.
            return moment.isoformat("T", "microseconds")
        msg = f"epoch seconds were expected, not {type(value).__name__}"
        raise UnexpectedValueError(msg)


@dataclass(frozen=True)
class ListOf:
    """A list of entities."""

    entity: Entity

    plain: t.ClassVar[type | None] = None

    @property
    def json_type(self) -> th.ArrayType[t.Any]:
        """Type of the list in the JSON schema."""
        return th.ArrayType(self.entity.json_type)

    def convert(self, value: object) -> list[Record]:
        """Return ``value`` as records, or raise :class:`UnexpectedValueError`."""
        if isinstance(value, list):
            return [self.entity.convert(item) for item in value]
        msg = f"a list was expected, not {type(value).__name__}"
        raise UnexpectedValueError(msg)


@dataclass(frozen=True)
class Attribute:
    """One attribute of an entity.

    Args:
        column: Its name in the record.
        member: Its name on the wire. None where it does not come from the summary
            itself, as ``portal_id`` in a project, which comes from the request.
        kind: What it holds.
        description: One sentence for the reader of the table.
        required: Whether no record can be without it: the key, and the parent's key.
    """

    column: str
    member: str | None
    kind: Text | Timestamp | ListOf | Entity
    description: str
    required: bool = False

    @property
    def described(self) -> str:
        """The description, with the known values of an enumeration."""
        values = self.kind.values if isinstance(self.kind, Text) else ()
        if not values:
            return self.description
        return f"{self.description} Known values: {', '.join(values)}."


class Entity:
    """A structure of the API: its name there, and its attributes in column order."""

    plain: t.ClassVar[type | None] = None

    def __init__(self, name: str, *attributes: Attribute) -> None:
        """Declare an entity.

        Args:
            name: Shape name in botocore's service model.
            attributes: In the order in which the columns are to appear.
        """
        self.name = name
        self.attributes = attributes
        self._conversions: list[
            tuple[str, str | None, type | None, Callable[[t.Any], t.Any], bool]
        ] = [
            (a.column, a.member, a.kind.plain, a.kind.convert, a.required)
            for a in attributes
        ]

    @property
    def key(self) -> str:
        """Column that identifies a record: the first attribute of a summary."""
        return self.attributes[0].column

    @property
    def properties(self) -> th.PropertiesList:
        """The attributes as properties of the SDK's JSON schema helper."""
        return th.PropertiesList(
            *(
                th.Property(
                    attribute.column,
                    attribute.kind.json_type,
                    required=attribute.required,
                    description=attribute.described,
                )
                for attribute in self.attributes
            )
        )

    @property
    def json_type(self) -> th.ObjectType:
        """Type of the entity inside of another one's schema."""
        return th.ObjectType(*self.properties)

    @property
    def schema(self) -> JSONSchema:
        """JSON schema of the entity's records."""
        return self.properties.to_dict()

    def convert(self, summary: object, **given: str) -> Record:
        """Turn the API's JSON object into a record.

        Args:
            summary: The object as decoded from JSON; members unknown here are left
                out, members that are missing or null become null.
            given: Columns that the request, not the answer, decides.

        Returns:
            A record with every column, dates as RFC 3339 in UTC.

        Raises:
            UnexpectedValueError: A value is of another type than the API states, or
                a key is missing. The text names the entity and the member.
        """
        if not isinstance(summary, dict):
            msg = f"{self.name}: an object was expected, not {type(summary).__name__}"
            raise UnexpectedValueError(msg)
        record: Record = {}
        for column, member, plain, convert, required in self._conversions:
            value = given[column] if member is None else summary.get(member)
            if value is None:
                if required:
                    msg = f"{self.name}.{member}: missing, though every record has one"
                    raise UnexpectedValueError(msg)
            # Most values are as they should be; the call is spared for them.
            elif type(value) is not plain:
                try:
                    value = convert(value)
                except UnexpectedValueError as error:
                    msg = f"{self.name}.{member}: {error}"
                    raise UnexpectedValueError(msg) from None
            record[column] = value
        return record


DETAILED_ERROR = Entity(
    "DetailedError",
    Attribute(
        "code",
        "code",
        Text(
            (
                "INCOMPATIBLE_COMPUTE_LOCATION",
                "INCOMPATIBLE_FORWARDING_CONFIGURATION",
            )
        ),
        "Code of the detailed error.",
    ),
    Attribute("message", "message", Text(), "Message of the detailed error."),
)

ERROR_DETAILS = Entity(
    "ErrorDetails",
    Attribute(
        "code",
        "code",
        Text(("VALIDATION_ERROR", "INTERNAL_FAILURE")),
        "Code of the error.",
    ),
    Attribute("message", "message", Text(), "Message of the error."),
    Attribute(
        "details",
        "details",
        ListOf(DETAILED_ERROR),
        "The single errors behind this one.",
    ),
)

ASSET_MODEL_STATUS = Entity(
    "AssetModelStatus",
    Attribute(
        "state",
        "state",
        Text(("CREATING", "ACTIVE", "UPDATING", "PROPAGATING", "DELETING", "FAILED")),
        "State that the asset model is in.",
    ),
    Attribute("error", "error", ERROR_DETAILS, "What went wrong, if anything did."),
)

ASSET_MODEL_SUMMARY = Entity(
    "AssetModelSummary",
    Attribute("asset_model_id", "id", Text(), "ID of the asset model.", required=True),
    Attribute("arn", "arn", Text(), "ARN of the asset model."),
    Attribute("name", "name", Text(), "Name of the asset model."),
    Attribute("description", "description", Text(), "Description of the asset model."),
    Attribute(
        "asset_model_type",
        "assetModelType",
        Text(("ASSET_MODEL", "COMPONENT_MODEL", "INTERFACE")),
        "Kind of asset model.",
    ),
    Attribute(
        "external_id",
        "externalId",
        Text(),
        "ID that the asset model has in the system of the one who made it.",
    ),
    # Not `version`: the SDK's SQL targets bind a parameter of that name when they
    # soft-delete, and a column so called makes them fail.
    Attribute(
        "asset_model_version",
        "version",
        Text(),
        "Version number of the asset model.",
    ),
    Attribute(
        "creation_date",
        "creationDate",
        Timestamp(),
        "When the asset model was created, in UTC.",
    ),
    Attribute(
        "last_update_date",
        "lastUpdateDate",
        Timestamp(),
        "When the asset model was last updated, in UTC.",
    ),
    Attribute(
        "status",
        "status",
        ASSET_MODEL_STATUS,
        "Current status of the asset model.",
    ),
)

MONITOR_ERROR_DETAILS = Entity(
    "MonitorErrorDetails",
    Attribute(
        "code",
        "code",
        Text(("INTERNAL_FAILURE", "VALIDATION_ERROR", "LIMIT_EXCEEDED")),
        "Code of the error.",
    ),
    Attribute("message", "message", Text(), "Message of the error."),
)

PORTAL_STATUS = Entity(
    "PortalStatus",
    Attribute(
        "state",
        "state",
        Text(("CREATING", "PENDING", "UPDATING", "DELETING", "ACTIVE", "FAILED")),
        "State that the portal is in.",
    ),
    Attribute(
        "error",
        "error",
        MONITOR_ERROR_DETAILS,
        "What went wrong, if anything did.",
    ),
)

PORTAL_SUMMARY = Entity(
    "PortalSummary",
    Attribute("portal_id", "id", Text(), "ID of the portal.", required=True),
    Attribute("name", "name", Text(), "Name of the portal."),
    Attribute("description", "description", Text(), "Description of the portal."),
    Attribute("start_url", "startUrl", Text(), "URL at which the portal is opened."),
    Attribute(
        "role_arn",
        "roleArn",
        Text(),
        "ARN of the service role through which the portal's users reach SiteWise.",
    ),
    Attribute(
        "portal_type",
        "portalType",
        Text(("SITEWISE_PORTAL_V1", "SITEWISE_PORTAL_V2")),
        "Generation of the portal: V1 is the classic one, V2 the AI-aware one.",
    ),
    Attribute(
        "creation_date",
        "creationDate",
        Timestamp(),
        "When the portal was created, in UTC.",
    ),
    Attribute(
        "last_update_date",
        "lastUpdateDate",
        Timestamp(),
        "When the portal was last updated, in UTC.",
    ),
    Attribute("status", "status", PORTAL_STATUS, "Current status of the portal."),
)

PROJECT_SUMMARY = Entity(
    "ProjectSummary",
    Attribute("project_id", "id", Text(), "ID of the project.", required=True),
    Attribute(
        "portal_id",
        None,
        Text(),
        "ID of the portal that the project belongs to.",
        required=True,
    ),
    Attribute("name", "name", Text(), "Name of the project."),
    Attribute("description", "description", Text(), "Description of the project."),
    Attribute(
        "creation_date",
        "creationDate",
        Timestamp(),
        "When the project was created, in UTC.",
    ),
    Attribute(
        "last_update_date",
        "lastUpdateDate",
        Timestamp(),
        "When the project was last updated, in UTC.",
    ),
)
