"""The requests of a stream: one, one per parent, or one per batch of parents.

A stream declares one of the classes below, which creates requests from the settings and
the parents. Paging, prefetching, retries and counting work on requests only.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, field

from tap_iot_sitewise.aws.paging import Request

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_iot_sitewise.settings import Config
    from tap_iot_sitewise.streams.entity import Entity, Record


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
        columns: Further columns of the parent that the records have.
        parameters: Parameters with a constant value.
        settings: Parameters whose values come from settings. A parameter is omitted if
            its setting is not set.
    """

    operation: str
    result: str
    parent: type[t.Any] | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, t.Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def parent_columns(self) -> tuple[str, ...]:
        """Columns of each parent that the requests need."""
        return (*self.by.values(), *self.columns)

    def requests(
        self, entity: Entity, config: Config, parents: Iterable[Record]
    ) -> Iterator[Request]:
        """Yield the requests.

        Args:
            entity: Entity of the items in the answer.
            config: Settings.
            parents: Columns of the parents. Not used without a parent stream.
        """
        always = self._parameters_without_parent(config)
        for record in parents if self.parent else ({},):
            yield Request(
                operation=self.operation,
                result=self.result,
                parameters={
                    **always,
                    **{name: record[column] for name, column in self.by.items()},
                },
                identity=entity.identity,
                columns={column: record[column] for column in self.parent_columns},
            )

    def _parameters_without_parent(self, config: Config) -> dict[str, t.Any]:
        set_ones = {
            parameter: config[setting]
            for parameter, setting in self.settings.items()
            if config.get(setting)
        }
        return {**self.parameters, **set_ones}


@dataclass(frozen=True)
class Batch(Listing):
    """One request per batch of parents, with an entry for each parent.

    The member ``entryId`` of an item names its entry. An entry can have any number of
    items.

    Args:
        size: Maximum entries of one request.
        entries: Parameter of the operation for the list of entries. ``by`` names the
            members of an entry.
    """

    size: int = 16
    entries: str = "entries"

    def requests(
        self, entity: Entity, config: Config, parents: Iterable[Record]
    ) -> Iterator[Request]:
        """Yield the requests, see :meth:`Listing.requests`."""
        del entity
        always = self._parameters_without_parent(config)
        left = iter(parents)
        while batch := list(itertools.islice(left, self.size)):
            numbered = {str(number): record for number, record in enumerate(batch)}
            yield Request(
                operation=self.operation,
                result=self.result,
                parameters={
                    **always,
                    self.entries: [
                        {
                            "entryId": number,
                            **{name: record[col] for name, col in self.by.items()},
                        }
                        for number, record in numbered.items()
                    ],
                },
                entries=numbered,
            )
