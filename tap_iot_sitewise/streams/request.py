"""The requests of a stream: one, one per parent, or one per batch of parents.

A stream declares one of the classes below, which creates requests from the settings and
the parents. Paging, prefetching, retries and counting work on requests only.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field

import msgspec

from tap_iot_sitewise.aws.paging import Request
from tap_iot_sitewise.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from tap_iot_sitewise.settings import Config
    from tap_iot_sitewise.streams.entity import Entity, Record

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Listing:
    """One request, or one for each parent.

    Args:
        operation: Operation of the API; its IAM action is ``iotsitewise:<operation>``.
        result: Member of the answer with the list of items, objects or plain strings.
            A Describe operation can have such a member too.
        parent: Stream class whose records are the parents. None for one request.
        by: Parameters of the operation whose values come from columns of the parent.
            The records have these columns too.
        each: Column of the parent with a list of objects. Then there is one request for
            each object. ``by`` can name its members, for example ``hierarchies.id``.
        columns: Further columns of the parent that the records have.
        renamed: Columns of the parent that have another name in the records.
        constants: Columns of the records that have the same value in all of them.
        parameters: Parameters with a constant value.
        settings: Parameters whose values come from settings. A parameter is omitted if
            its setting is not set.
    """

    operation: str
    result: str
    parent: type[t.Any] | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    each: str | None = None
    columns: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, t.Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def listings(self) -> tuple[Listing, ...]:
        """This listing, see :class:`Listings`."""
        return (self,)

    @property
    def parent_columns(self) -> tuple[str, ...]:
        """Columns of each parent that the requests need."""
        return tuple(name.partition(".")[0] for name in self._taken)

    @property
    def _taken(self) -> tuple[str, ...]:
        return (*self.by.values(), *self.columns)

    def requests(
        self, entity: Entity, config: Config, parents: Iterable[Record]
    ) -> Iterator[Request]:
        """Yield the requests.

        Args:
            entity: Entity of the items in the answer.
            config: Settings.
            parents: Columns of the parents. Not used without a parent stream.

        Raises:
            TapError: An object in the column ``each`` of a parent lacks a value.
        """
        always = self._parameters_without_parent(config)
        for parent in parents if self.parent else ({},):
            label = next((f"{c} {parent[c]}" for c in self._taken if c in parent), None)
            for record in self._parts(parent):
                yield Request(
                    operation=self.operation,
                    result=self.result,
                    parameters={
                        **always,
                        **{name: record[column] for name, column in self.by.items()},
                    },
                    identity=entity.identity,
                    columns={
                        **self.constants,
                        **{self.renamed.get(c, c): record[c] for c in self._taken},
                    },
                    parent=label,
                )

    def _parts(self, parent: Record) -> Iterable[Record]:
        """Return the parent once for each object of a column, without repetitions."""
        if self.each is None:
            return (parent,)
        members = [c for c in self._taken if c.startswith(f"{self.each}.")]
        parts = {}
        for item in parent[self.each] or ():
            values = tuple(item.get(name.partition(".")[2]) for name in members)
            if None in values:
                msg = (
                    f"{self.operation}: {', '.join(members)} is missing in a record of "
                    "the parent stream; report this line as an issue of the tap"
                )
                raise TapError(msg)
            parts[values] = {**parent, **dict(zip(members, values, strict=True))}
        return parts.values()

    def _parameters_without_parent(self, config: Config) -> dict[str, t.Any]:
        set_ones = {
            parameter: config[setting]
            for parameter, setting in self.settings.items()
            if config.get(setting)
        }
        return {**self.parameters, **set_ones}


class Listings:
    """Several listings of one operation, each with a parent stream of its own."""

    def __init__(self, *listings: Listing) -> None:
        """Declare them, in the order in which they run."""
        self.listings = listings
        self.operation = listings[0].operation
        self.result = listings[0].result


class Entry(t.NamedTuple):
    """An entry of a batch request.

    Args:
        members: Members of the entry, without ``entryId`` and the dates.
        columns: Columns of the records that come from the request.
        interval: Length of the aggregates in seconds. None for values.
    """

    members: dict[str, t.Any]
    columns: Record
    interval: int | None = None


@dataclass(frozen=True)
class Batch:
    """One request per batch of entries, and one or several entries per parent.

    The member ``entryId`` of an item of the answer names its entry: its number in the
    request, because the ID of a time series is too long for it. An entry can have any
    number of items.

    Args:
        operation: Operation of the API.
        result: Member of a success entry that contains its values.
        parent: Stream class whose records are the parents.
        columns: Columns of each parent that the requests need.
        entries: Returns the entries for a parent.
        size: Maximum entries of one request.
        page_size: Maximum values of one answer, None if the operation decides.
        filters_quality: Whether an entry can ask for one quality.
    """

    operation: str
    result: str
    parent: type[t.Any]
    columns: tuple[str, ...]
    entries: Callable[[Record, Config], Iterable[Entry]]
    size: int
    page_size: int | None = None
    filters_quality: bool = True

    @property
    def listings(self) -> tuple[Batch, ...]:
        """This batch, see :class:`Listings`."""
        return (self,)

    @property
    def parent_columns(self) -> tuple[str, ...]:
        """Columns of each parent that the requests need."""
        return self.columns

    def requests(
        self, entries: Iterable[tuple[Entry, Record]], most: int | None = None
    ) -> Iterator[Request]:
        """Yield the requests. All but the last are full.

        Args:
            entries: Entries, each with further members for it.
            most: Maximum values of one answer, if that is less than ``page_size``.
        """
        size = {}
        if self.page_size is not None:
            size["maxResults"] = min(self.page_size, most or self.page_size)
        left = iter(entries)
        while batch := list(itertools.islice(left, self.size)):
            numbered = {str(number): entry for number, entry in enumerate(batch)}
            yield Request(
                operation=self.operation,
                result="successEntries",
                parameters={
                    "entries": [
                        {"entryId": number, **entry.members, **further}
                        for number, (entry, further) in numbered.items()
                    ],
                    **size,
                },
                identity=_identity,
                entries={n: entry.columns for n, (entry, _) in numbered.items()},
            )


def _identity(item: Record) -> Hashable:
    """Return what differs from all other items of the answers to a request.

    So the values of a page that comes twice are sent once.
    """
    return _encoder.encode(item)
