"""The tap: its settings, its streams, and the order of a run."""

from __future__ import annotations

import functools
import sys
import typing as t
from dataclasses import dataclass
from graphlib import TopologicalSorter

from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_iot_sitewise import settings, settings_check, settings_warnings
from tap_iot_sitewise.catalog import check_catalog
from tap_iot_sitewise.command_line import CommandLineTap
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.extra_streams import enabled_streams
from tap_iot_sitewise.singer.limit import LIMIT_REACHED
from tap_iot_sitewise.state import SHARD, check_shard, check_state
from tap_iot_sitewise.streams import ALL_STREAMS, SiteWiseStream
from tap_iot_sitewise.streams.parents import Parents
from tap_iot_sitewise.streams.shard import Shard

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Stream

    from tap_iot_sitewise.aws.client import Client
    from tap_iot_sitewise.streams.entity import Entity


class TapIoTSiteWise(CommandLineTap):
    """Singer tap for AWS IoT SiteWise."""

    name = "tap-iot-sitewise"
    config_jsonschema = settings.SCHEMA

    def __init__(self, **arguments: t.Any) -> None:  # noqa: ANN401
        """Create the tap. It sends no request yet.

        Args:
            arguments: Arguments of the SDK's tap: config, catalog, state and so on.

        Raises:
            SettingsError: With ``validate_config`` (the default): the settings, or the
                files that they name, have problems.
            TapError: The catalog or the state is not valid.
        """
        self._given_catalog = arguments.pop("catalog", None)
        self._given_state = arguments.pop("state", None)
        super().__init__(**arguments)
        state = check_state(self._given_state, self._known(), self.logger)
        self.load_state(state)

    @override
    def check_settings(self, settings: dict[str, t.Any]) -> None:
        settings_check.check(settings, self.config_jsonschema, self.logger)

    @functools.cached_property
    @override
    def input_catalog(self) -> Catalog | None:
        """The catalog of the user, checked. It depends on ``extra_streams``."""
        given = self._given_catalog
        if given is None:
            return None
        if isinstance(given, Catalog):
            given = given.to_dict()
        checked = check_catalog(given, self._known(), self.logger)
        return Catalog.from_dict(checked)

    def _known(self) -> dict[str, Entity | None]:
        """Return the entities by stream; None for a stream that is not enabled."""
        enabled = enabled_streams(self.config)
        return {s.name: s.entity if s in enabled else None for s in ALL_STREAMS}

    @override
    def discover_streams(self) -> list[SiteWiseStream]:
        settings_check.check_extra_streams(self.config, self.config_jsonschema)
        return [self._stream(stream) for stream in enabled_streams(self.config)]

    def _stream(self, stream: type[SiteWiseStream]) -> SiteWiseStream:
        return stream(self, lambda: self.client)

    @functools.cached_property
    def client(self) -> Client:
        """Client of SiteWise, created when the first stream needs it."""
        # Importing boto3 and cryptography would slow down --version and --discover.
        from tap_iot_sitewise.aws.client import Client  # noqa: PLC0415
        from tap_iot_sitewise.aws.errors import explain  # noqa: PLC0415
        from tap_iot_sitewise.aws.session import (  # noqa: PLC0415
            configured_by,
            open_session,
        )

        try:
            session = open_session(self.config)
            settings_warnings.warn(self.config, session, self.logger)
            return Client(session, self.config)
        except TapError:
            raise
        except Exception as error:
            raise explain(
                configured_by(error, self.config),
                error,
                attempts=1,
                auth_method=self.config["auth_method"],
            ) from error

    # The order of a run

    @override  # type: ignore[misc]  # final in the SDK
    def sync_all(self) -> None:
        """Run the selected streams.

        The SDK 0.54 runs a child stream once for each record of its parent, each time
        with five log lines, a SCHEMA and a STATE, at which a target flushes.
        """
        self._begin()
        trees = list(self._trees())
        for tree in trees:
            with tree:
                for stream in tree.streams:
                    # SCHEMA, records, a STATE per 10,000 records, the summary.
                    stream.sync()
                for stream in tree.streams:
                    if stream.selected:
                        # From here on, its bookmark is valid.
                        stream.finalize_state_progress_markers()
            if tree is not trees[-1]:
                self.write_message(StateMessage(value=self.state))
        # A failed run does not get here: the lines above raise.
        activations = self.activations()
        state = StateMessage(value=self.state)
        self.message_writer.write_last([*activations, state])

    @override  # type: ignore[misc]  # final in the SDK
    def run_sync_dry_run(
        self,
        dry_run_record_limit: int | None = 1,
        streams: Iterable[Stream] | None = None,
    ) -> bool:
        """Read the first records of every stream (``--test``), and report each stream.

        Args:
            dry_run_record_limit: Maximum records of a stream.
            streams: Not used: a child stream needs its parent.

        Returns:
            True.

        Raises:
            TapError: A stream failed. The other streams were tried too.
        """
        del streams
        self._begin()
        failures: dict[str, TapError] = {}
        for stream in self.streams.values():
            stream.selected = True
        verdicts = []
        for tree in self._trees():
            with tree:
                for stream in tree.streams:
                    stream.ABORT_AT_RECORD_COUNT = dry_run_record_limit
                    failed = [
                        parent.name
                        for parent in stream.parent_streams()
                        if parent.name in failures
                    ]
                    if failed:
                        failures[stream.name] = failures[failed[0]]
                        verdicts.append(
                            f"{stream.name}: not tried, because {failed[0]} failed"
                        )
                        continue
                    try:
                        stream.sync()
                    except LIMIT_REACHED:
                        pass
                    except TapError as error:
                        failures[stream.name] = error
                        verdicts.append(f"{stream.name}: {error}")
                        continue
                    if stream.selected:
                        count = stream.sent
                        seen = "1 record" if count == 1 else f"{count} records"
                        verdicts.append(f"{stream.name}: {seen} seen")
        self.write_message(StateMessage(value=self.state))
        self.message_writer.flush()
        for verdict in verdicts:
            self.logger.info("--test: %s", verdict)
        if failures:
            raise next(iter(failures.values()))
        return True

    def _begin(self) -> None:
        shard = Shard.of(self.config)
        check_shard(self._given_state, shard)
        if shard.count > 1:
            self.logger.info("this run is shard %s", shard)
            t.cast("dict[str, t.Any]", self.state)[SHARD] = str(shard)

    def _trees(self) -> Iterator[_Tree]:
        """Yield each top-level stream that is needed, with its needed descendants.

        A stream is needed if it is selected, or if one of its child streams is needed.
        That can be a stream that is not enabled, and so not in ``streams``.
        """
        enabled = t.cast("dict[str, SiteWiseStream]", self.streams)
        needed = {
            type(stream): stream for stream in enabled.values() if stream.selected
        }
        parents: dict[type[SiteWiseStream], list[type[SiteWiseStream]]] = {}
        found = list(needed)
        for stream in found:
            parents[stream] = stream.parent_streams()
            found += [each for each in parents[stream] if each not in found]
        for stream in found:
            if stream not in needed:
                needed[stream] = enabled.get(stream.name) or self._hidden(stream)
        trees: dict[type[SiteWiseStream], _Tree] = {}
        for stream in TopologicalSorter(parents).static_order():
            above = parents[stream]
            tree = trees[above[0]] if above else _Tree([])
            tree.streams.append(needed[stream])
            trees[stream] = tree
        tops = [stream for stream in trees if not parents[stream]]
        for top in sorted(tops, key=lambda stream: stream.name):
            yield trees[top]

    def _hidden(self, stream: type[SiteWiseStream]) -> SiteWiseStream:
        """Return a stream that is not enabled and that a child stream needs."""
        hidden = self._stream(stream)
        hidden.selected = False
        return hidden


@dataclass
class _Tree:
    """A top-level stream and its descendants, each after its parents.

    In a ``with`` statement, parents keep the columns that their children need.
    """

    streams: list[SiteWiseStream]

    def __enter__(self) -> None:
        for stream in self.streams:
            listings = [
                listing
                for child in self.streams
                for listing in child.request.listings
                if listing.parent is type(stream)
            ]
            columns = [column for each in listings for column in each.parent_columns]
            # A top-level stream is one listing, in which each record comes once.
            key = stream.entity.key if stream.parent_streams() else ()
            if listings:
                # The key also divides the parents among shards.
                stream.for_children = Parents((*columns, *stream.entity.key), key)
        for stream in self.streams:
            stream.parents = {
                type(parent): parent.for_children
                for parent in self.streams
                if parent.for_children is not None
                and type(parent) in stream.parent_streams()
            }

    def __exit__(self, *_: object) -> None:
        for stream in self.streams:
            if stream.for_children is not None:
                stream.for_children.close()
