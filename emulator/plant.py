"""What the emulated account holds: asset models, portals and their projects."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from emulator import factory, hostile
from emulator.listing import Listing
from emulator.maker import Maker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from emulator.account import Account
    from emulator.maker import Make

CONTENTS: Mapping[str, Mapping[str, Make]] = {
    "factory": factory.RECORDS,
    "hostile": hostile.RECORDS,
}
"""What a made-up plant can hold: a believable factory, or what is hard to carry."""


class Plant:
    """Asset models, portals and projects in *wire form*: dicts with AWS's member names.

    Dates are epoch seconds (UTC) as floats. A test may put anything else in as well:
    new members, nulls, values out of range. A plant may be read and changed from any
    thread while it is being served.

    Args:
        asset_models: records as ListAssetModels sends them.
        portals: records as ListPortals sends them.
        projects: by portal id, records as ListProjects sends them. A portal without
            an entry has no projects.
        maker: where `add_...` takes its records from when it is given none.
    """

    def __init__(
        self,
        asset_models: Iterable[dict[str, Any]] = (),
        portals: Iterable[dict[str, Any]] = (),
        projects: Mapping[str, Iterable[dict[str, Any]]] | None = None,
        *,
        maker: Maker | None = None,
    ) -> None:
        """Take over the records."""
        self.asset_model_listing = Listing(asset_models)
        self.portal_listing = Listing(portals)
        given = projects or {}
        self.project_listings = {
            portal["id"]: Listing(given.get(portal["id"], ()))
            for portal in self.portal_listing.records
        }
        # Additions continue after what `make` took, from sources of their own.
        self._maker = maker or Maker(CONTENTS["hostile"])
        self._more_asset_models: Iterator[dict[str, Any]] | None = None
        self._more_portals: Iterator[dict[str, Any]] | None = None

    @classmethod
    def make(  # noqa: PLR0913 - the three sizes and what is made up
        cls,
        contents: str = "hostile",
        *,
        asset_models: int = 30,
        portals: int = 5,
        projects_per_portal: int = 4,
        seed: int = 7,
        account: Account | None = None,
    ) -> Plant:
        """Make up a plant.

        Args:
            contents: What it holds, one of ``CONTENTS``.
            asset_models: How many.
            portals: How many.
            projects_per_portal: How many in each portal.
            seed: The same seed and sizes make the same plant, on any machine.
            account: The account that it belongs to.
        """
        maker = Maker(CONTENTS[contents], seed=seed, account=account)
        model_source = maker.records("asset_models")
        portal_source = maker.records("portals")
        made = list(itertools.islice(portal_source, portals))
        plant = cls(
            itertools.islice(model_source, asset_models),
            made,
            {
                portal["id"]: itertools.islice(
                    maker.records("projects", portal), projects_per_portal
                )
                for portal in made
            },
            maker=maker,
        )
        plant._more_asset_models = model_source
        plant._more_portals = portal_source
        return plant

    def encode(self) -> None:
        """Put all entities into JSON now, so that a benchmark does not wait for it."""
        for listing in (
            self.asset_model_listing,
            self.portal_listing,
            *self.project_listings.values(),
        ):
            listing.encode()

    @property
    def asset_models(self) -> tuple[dict[str, Any], ...]:
        """All asset models, in the order of ListAssetModels. Not to be altered."""
        return self.asset_model_listing.records

    @property
    def portals(self) -> tuple[dict[str, Any], ...]:
        """All portals, in the order of ListPortals. Not to be altered."""
        return self.portal_listing.records

    @property
    def projects(self) -> dict[str, tuple[dict[str, Any], ...]]:
        """The projects of each portal by its id, in the order of ListPortals."""
        return {
            key: listing.records
            for key, listing in tuple(self.project_listings.items())
        }

    def add_asset_model(self, record: dict[str, Any] | None = None) -> dict[str, Any]:
        """Add an asset model, a made-up one when none is given; returns it."""
        if record is None:
            self._more_asset_models = self._more_asset_models or self._maker.records(
                "asset_models"
            )
            record = next(self._more_asset_models)
        self.asset_model_listing.add(record)
        return record

    def delete_asset_model(self, asset_model_id: str) -> None:
        """Delete an asset model. Raises KeyError when there is none."""
        self.asset_model_listing.delete(asset_model_id)

    def change_asset_model(
        self, asset_model_id: str, **members: object
    ) -> dict[str, Any]:
        """Set members of an asset model, not its dates; returns the new record."""
        return _change(self.asset_model_listing, asset_model_id, members)

    def touch_asset_model(
        self, asset_model_id: str, at: float | None = None
    ) -> dict[str, Any]:
        """Set `lastUpdateDate`, in epoch seconds or now; returns the new record."""
        return _touch(self.asset_model_listing, asset_model_id, at)

    def add_portal(
        self,
        record: dict[str, Any] | None = None,
        projects: Iterable[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """Add a portal, a made-up one when none is given; returns it."""
        if record is None:
            self._more_portals = self._more_portals or self._maker.records("portals")
            record = next(self._more_portals)
        self.project_listings[record["id"]] = Listing(projects)
        self.portal_listing.add(record)
        return record

    def delete_portal(self, portal_id: str) -> None:
        """Delete a portal with its projects. Raises KeyError when there is none."""
        self.portal_listing.delete(portal_id)
        del self.project_listings[portal_id]

    def change_portal(self, portal_id: str, **members: object) -> dict[str, Any]:
        """Set members of a portal, its dates as they are; returns the new record."""
        return _change(self.portal_listing, portal_id, members)

    def touch_portal(self, portal_id: str, at: float | None = None) -> dict[str, Any]:
        """Set `lastUpdateDate`, in epoch seconds or now; returns the new record."""
        return _touch(self.portal_listing, portal_id, at)

    def add_project(
        self,
        portal_id: str,
        record: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add a project to a portal, a made-up one when none is given; returns it."""
        listing = self.project_listings[portal_id]
        if record is None:
            known = {project["id"] for project in listing.records}
            source = self._maker.records(
                "projects", self.portal_listing.find(portal_id)
            )
            record = next(project for project in source if project["id"] not in known)
        listing.add(record)
        return record

    def delete_project(self, project_id: str) -> None:
        """Delete a project. Raises KeyError when there is none."""
        self._listing_of(project_id).delete(project_id)

    def change_project(self, project_id: str, **members: object) -> dict[str, Any]:
        """Set members of a project, its dates as they are; returns the new record."""
        return _change(self._listing_of(project_id), project_id, members)

    def touch_project(self, project_id: str, at: float | None = None) -> dict[str, Any]:
        """Set `lastUpdateDate`, in epoch seconds or now; returns the new record."""
        return _touch(self._listing_of(project_id), project_id, at)

    def _listing_of(self, project_id: str) -> Listing:
        for listing in tuple(self.project_listings.values()):
            if any(project.get("id") == project_id for project in listing.records):
                return listing
        raise KeyError(project_id)


def _change(
    listing: Listing, entity_id: str, members: Mapping[str, object]
) -> dict[str, Any]:
    record = {**listing.find(entity_id), **members}
    listing.replace(entity_id, record)
    return record


def _touch(listing: Listing, entity_id: str, at: float | None) -> dict[str, Any]:
    moment = round(time.time(), 3) if at is None else at
    return _change(listing, entity_id, {"lastUpdateDate": moment})
