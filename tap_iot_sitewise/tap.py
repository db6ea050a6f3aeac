"""The tap: its settings, its streams, and the order of a run."""

from __future__ import annotations

import functools
import sys
import typing as t
from dataclasses import dataclass

from singer_sdk.singerlib.encoding.simple import StateMessage

from tap_iot_sitewise import settings, settings_check, settings_warnings
from tap_iot_sitewise.catalog import check_catalog
from tap_iot_sitewise.command_line import CommandLineTap
from tap_iot_sitewise.errors import TapError
from tap_iot_sitewise.singer.limit import LIMIT_REACHED
from tap_iot_sitewise.singer.stream_maps import Table
from tap_iot_sitewise.state import check_state
from tap_iot_sitewise.streams import STREAMS, SiteWiseStream
from tap_iot_sitewise.streams.parents import Parents

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Stream

    from tap_iot_sitewise.aws.client import Client


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
        catalog, state = arguments.pop("catalog", None), arguments.pop("state", None)
        entities = {stream.name: stream.entity for stream in STREAMS}
        if catalog is not None:
            given = catalog.to_dict() if hasattr(catalog, "to_dict") else catalog
            catalog = check_catalog(given, entities, self.logger)
        super().__init__(
            catalog=catalog,
            state=check_state(state, entities, self.logger),
            **arguments,
        )

    @override
    def check_settings(self, settings: dict[str, t.Any]) -> None:
        tables = {
            stream.name: Table(stream.entity.schema["properties"], stream.entity.key)
            for stream in STREAMS
        }
        settings_check.check(settings, self.config_jsonschema, tables, self.logger)

    @override
    def discover_streams(self) -> list[SiteWiseStream]:
        return [stream(self, lambda: self.client) for stream in STREAMS]

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
        trees = list(self._trees())
        for tree in trees:
            with tree:
                for stream in tree.streams:
                    # SCHEMA, records, a STATE per 10,000 records, the summary.
                    stream.sync()
                for stream in tree.streams:
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
        failures: dict[str, TapError] = {}
        for stream in self.streams.values():
            stream.ABORT_AT_RECORD_COUNT = dry_run_record_limit
            stream.selected = True
        verdicts = []
        for tree in self._trees():
            with tree:
                for stream in tree.streams:
                    parent = stream.request.parent
                    if parent is not None and parent.name in failures:
                        failures[stream.name] = failures[parent.name]
                        verdicts.append(
                            f"{stream.name}: not tried, because {parent.name} failed"
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
                    seen = "1 record" if stream.sent == 1 else f"{stream.sent} records"
                    verdicts.append(f"{stream.name}: {seen} seen")
        self.write_message(StateMessage(value=self.state))
        self.message_writer.flush()
        for verdict in verdicts:
            self.logger.info("--test: %s", verdict)
        if failures:
            raise next(iter(failures.values()))
        return True

    def _trees(self) -> Iterator[_Tree]:
        """Yield each top-level stream that is needed, with its needed descendants.

        A stream is needed if it is selected, or if one of its child streams is needed.
        """
        streams = t.cast("dict[str, SiteWiseStream]", self.streams)
        for top in streams.values():
            if top.request.parent is None:
                tree = [top]
                for parent in tree:
                    children = (s for s in streams.values() if s.is_child_of(parent))
                    tree.extend(child for child in children if child not in tree)
                needed: list[SiteWiseStream] = []
                for stream in reversed(tree):
                    if stream.selected or any(s.is_child_of(stream) for s in needed):
                        needed.insert(0, stream)
                if needed:
                    yield _Tree(needed)


@dataclass
class _Tree:
    """A top-level stream and its descendants, each after its parent.

    In a ``with`` statement, parents keep the columns that their children need.
    """

    streams: list[SiteWiseStream]

    def __enter__(self) -> None:
        for stream in self.streams:
            children = [s for s in self.streams if s.is_child_of(stream)]
            columns = [c for s in children for c in s.request.parent_columns]
            stream.for_children = Parents(columns) if children else None
            for child in children:
                child.parents = stream.for_children or ()

    def __exit__(self, *_: object) -> None:
        for stream in self.streams:
            if stream.for_children is not None:
                stream.for_children.close()
