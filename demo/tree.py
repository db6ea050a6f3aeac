"""Draw the assets of a plant as a tree."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from demo.table import text

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from demo.loaded import Row

_MOST_CHILDREN = 4


def tree(
    assets: Iterable[Row], associations: Iterable[Row], models: Iterable[Row]
) -> Iterator[str]:
    """Draw each asset below its parent, with its model and the number of assets below.

    Assets with the same parent come in the order of their names. Only the first four
    children of an asset are drawn, and a line counts the others. What is below an asset
    with several parents is drawn once.

    Args:
        assets: Rows of the stream ``assets``.
        associations: Rows of the stream ``asset_associations``.
        models: Rows of the stream ``asset_models``.

    Yields:
        Lines.
    """
    names = {model["asset_model_id"]: text(model["name"]) for model in models}
    labels = {
        asset["asset_id"]: f"{text(asset['name'])}"
        f" ({names.get(asset['asset_model_id'], 'unknown model')})"
        for asset in assets
    }
    children: defaultdict[object, list[object]] = defaultdict(list)
    for association in associations:
        children[association["parent_asset_id"]].append(association["child_asset_id"])
    below = {child for group in children.values() for child in group}
    # A table has its rows in any order.
    for group in children.values():
        group.sort(key=lambda child: labels.get(child, ""))
    tops = [asset for asset in labels if asset not in below]
    drawn: set[object] = set()
    for top in sorted(tops, key=labels.__getitem__):
        yield from _lines(top, labels, children, drawn, "", "")


def _lines(  # noqa: PLR0913, PLR0917 - the tree, and the place in it
    asset: object,
    labels: Mapping[object, str],
    children: Mapping[object, list[object]],
    drawn: set[object],
    first: str,
    rest: str,
) -> Iterator[str]:
    """Yield the lines of an asset and those below it.

    Args:
        asset: ID of the asset.
        labels: What to write for each asset.
        children: The children of each asset that has any.
        drawn: The assets whose children were drawn.
        first: Lines of the tree before the asset.
        rest: Lines of the tree before what is below it.
    """
    count = _count(asset, children)
    noun = "asset" if count == 1 else "assets"
    yield first + labels.get(asset, str(asset)) + (f": {count} {noun}" if count else "")
    if asset in drawn:
        return
    drawn.add(asset)
    own = children.get(asset, [])
    shown = own[:_MOST_CHILDREN]
    more = len(own) - len(shown)
    for number, child in enumerate(shown, 1):
        last = number == len(shown) and not more
        branch, continued = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield from _lines(
            child, labels, children, drawn, rest + branch, rest + continued
        )
    if more:
        yield f"{rest}└─ and {more} more"


def _count(asset: object, children: Mapping[object, list[object]]) -> int:
    """Return the number of assets below an asset, at any depth."""
    found: set[object] = set()
    left = [*children.get(asset, [])]
    while left:
        child = left.pop()
        if child not in found:
            found.add(child)
            left += children.get(child, [])
    return len(found)
