"""The certificate authorities that the tap trusts."""

from __future__ import annotations

import os

import botocore.session


def ca_bundle() -> str | None:
    """Return the file of the trusted authorities, or None for botocore's own file.

    Like in botocore's clients, ``AWS_CA_BUNDLE`` and the shared config come first, then
    ``REQUESTS_CA_BUNDLE``.
    """
    found = botocore.session.Session().get_config_variable("ca_bundle")
    return found or os.environ.get("REQUESTS_CA_BUNDLE") or None
