"""Which certificate authorities are trusted."""

from __future__ import annotations

import os

import botocore.session


def ca_bundle() -> str | None:
    """Return the file of the authorities that are trusted, None for botocore's own.

    ``AWS_CA_BUNDLE`` and the shared config come first, then ``REQUESTS_CA_BUNDLE``,
    like in botocore's clients.
    """
    found = botocore.session.Session().get_config_variable("ca_bundle")
    return found or os.environ.get("REQUESTS_CA_BUNDLE") or None
