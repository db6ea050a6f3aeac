"""A record of a plant."""

from __future__ import annotations

import typing as t

Record = dict[str, t.Any]
"""An entity in *wire form*: the JSON object that the API sends for it."""
