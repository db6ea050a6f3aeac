"""The options of ``python -m emulator``."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
from pathlib import Path

from cryptography import x509

from emulator.account import Account
from emulator.emulator import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from emulator.families import KINDS_BY_NAME
from emulator.faults import Fault
from emulator.plant import CONTENTS

RATES = {
    Fault.INTERNAL_FAILURE: "500, InternalFailureException",
    Fault.UNAVAILABLE: "503, ServiceUnavailableException",
    Fault.BAD_GATEWAY: "502 with an HTML page",
    Fault.THROTTLE: "429, ThrottlingException, independently of the quota",
    Fault.DROP: "connection closed before an answer",
    Fault.DROP_IN_BODY: "connection closed in the middle of the body",
    Fault.SILENCE: "no answer for --silence-seconds",
    Fault.CUT_SHORT: "200 with a JSON body that ends early",
    Fault.NOT_JSON: "200 with a body that is not valid JSON",
    Fault.EMPTY_OBJECT: "200 with {}",
    Fault.EMPTY_PAGE: "a page without entities, with a token to go on",
}


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        msg = "must be between 0 and 1"
        raise argparse.ArgumentTypeError(msg)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        msg = "must be 0 or more"
        raise argparse.ArgumentTypeError(msg)
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:  # noqa: PLR2004 - ports have 16 bits
        msg = "must be between 0 and 65535"
        raise argparse.ArgumentTypeError(msg)
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not (value >= 0 and math.isfinite(value)):
        msg = "must be a number of seconds, 0 or more"
        raise argparse.ArgumentTypeError(msg)
    return value


def _quota(text: str) -> float:
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        msg = "must be more than 0"
        raise argparse.ArgumentTypeError(msg)
    return value


def _date(text: str) -> dt.datetime:
    date = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return date if date.tzinfo else date.replace(tzinfo=dt.timezone.utc)


def _size(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("=")
    if kind not in KINDS_BY_NAME:
        msg = f"{kind} is unknown; use {', '.join(KINDS_BY_NAME)}"
        raise argparse.ArgumentTypeError(msg)
    return kind, _count(number)


def _certificate(path: str) -> bytes:
    try:
        content = Path(path).read_bytes()
        x509.load_pem_x509_certificate(content)
    except (OSError, ValueError) as error:
        msg = f"{path} is not a PEM certificate: {error}"
        raise argparse.ArgumentTypeError(msg) from error
    return content


def _json(path: str) -> object:
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        msg = f"{path} is not a JSON file: {error}"
        raise argparse.ArgumentTypeError(msg) from error


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description=(
            "Emulates AWS IoT SiteWise, STS and IAM Roles Anywhere on 127.0.0.1. "
            "Without COMMAND, it runs until you interrupt it. With COMMAND, it runs "
            "the command with the settings of tap-iot-sitewise in the environment, and "
            "stops when the command ends."
        ),
    )
    ports = parser.add_argument_group("ports (default: any free port)")
    for option, protocol in (("--port", "plain HTTP"), ("--tls-port", "TLS")):
        ports.add_argument(
            option, type=_port, default=0, help=f"SiteWise and STS over {protocol}"
        )
    ports.add_argument(
        "--roles-anywhere-port", type=_port, default=0, help="IAM Roles Anywhere"
    )
    account = parser.add_argument_group("the account")
    account.add_argument(
        "--plant",
        choices=sorted(CONTENTS),
        default="factory",
        help=(
            "factory: sites with lines, machines and components. hostile: for tests, "
            "with names in many scripts, quotes, line breaks, missing members and "
            "dates in the future (default: %(default)s)"
        ),
    )
    account.add_argument(
        "--asset-models",
        type=_count,
        default=30,
        metavar="N",
        help="number of asset models (default: %(default)s)",
    )
    account.add_argument(
        "--portals",
        type=_count,
        default=5,
        metavar="N",
        help="number of portals (default: %(default)s)",
    )
    account.add_argument(
        "--projects-per-portal",
        type=_count,
        default=4,
        metavar="N",
        help="number of projects of each portal (default: %(default)s)",
    )
    account.add_argument(
        "--size",
        type=_size,
        action="append",
        default=[],
        metavar="KIND=N",
        help=(
            "maximum number of records of another kind, for each parent, such as "
            "assets=10; a kind has the name of its stream (can be repeated)"
        ),
    )
    account.add_argument(
        "--without-extra-streams",
        action="store_true",
        help="generate only asset models, portals and projects",
    )
    account.add_argument(
        "--seed",
        type=int,
        default=7,
        help="the same seed and sizes make the same plant (default: %(default)s)",
    )
    account.add_argument(
        "--values-until",
        type=_date,
        metavar="DATE",
        help="date of the last values, in UTC (default: now)",
    )
    account.add_argument(
        "--region",
        default=Account().region,
        help="AWS Region of the account (default: %(default)s)",
    )
    account.add_argument(
        "--access-key-id",
        default=ACCESS_KEY_ID,
        help="access key ID that SiteWise accepts (default: %(default)s)",
    )
    account.add_argument(
        "--secret-access-key",
        default=SECRET_ACCESS_KEY,
        help="secret access key of that ID (default: %(default)s)",
    )
    account.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="write a client certificate, its key and the CA bundle there",
    )
    issuer = account.add_mutually_exclusive_group()
    issuer.add_argument(
        "--trust-anchor",
        type=_certificate,
        metavar="FILE",
        help="PEM certificate of your own CA, which issues the client certificates",
    )
    issuer.add_argument(
        "--intermediate",
        action="store_true",
        help="let an intermediate CA issue the client certificate",
    )
    account.add_argument(
        "--session-seconds",
        type=_seconds,
        metavar="N",
        help=(
            "credentials of Roles Anywhere and AssumeRole expire after N seconds "
            "(default: the duration in the request)"
        ),
    )
    account.add_argument(
        "--roles",
        type=_json,
        default={},
        metavar="FILE",
        help="JSON file with roles to assume, and callers of other accounts",
    )
    account.add_argument(
        "--accept-session-name",
        action="store_true",
        help="the Roles Anywhere profile accepts a role session name",
    )
    faults = parser.add_argument_group(
        "faults",
        "A rate is the share of requests with that fault, 0 to 1 (default: 0).",
    )
    faults.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="seconds that each answer takes longer (default: %(default)s)",
    )
    faults.add_argument(
        "--quota",
        type=_quota,
        metavar="N",
        help="maximum requests a second; above it SiteWise answers 429 (default: none)",
    )
    faults.add_argument(
        "--create-session-failures",
        type=_count,
        default=0,
        metavar="N",
        help="the first N CreateSession requests get a 503 (default: %(default)s)",
    )
    faults.add_argument(
        "--deleted-portals",
        type=_count,
        default=0,
        metavar="N",
        help=(
            "the last N portals are deleted at the first request for their projects "
            "(default: %(default)s)"
        ),
    )
    faults.add_argument(
        "--silence-seconds",
        type=_seconds,
        default=3600.0,
        metavar="SECONDS",
        help=(
            "seconds until the fault silence closes the connection "
            "(default: %(default)s)"
        ),
    )
    faults.add_argument(
        "--fault-seed",
        type=int,
        default=0,
        help="seed of the random faults (default: %(default)s)",
    )
    for fault, explanation in RATES.items():
        faults.add_argument(
            f"--{fault.value}-rate",
            type=_share,
            default=0.0,
            metavar="SHARE",
            help=explanation,
        )
    parser.add_argument(
        "command", nargs="*", metavar="-- COMMAND", help="command to run"
    )
    return parser
