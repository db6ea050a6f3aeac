"""`python -m emulator`: serve until stopped, or for as long as a command runs."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.account import Account
from emulator.emulator import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Emulator
from emulator.faults import Fault
from emulator.plant import CONTENTS, Plant
from emulator.roles_anywhere import OPERATION as CREATE_SESSION
from emulator.roles_anywhere import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from emulator.faults import Call

PREFIX = "TAP_IOT_SITEWISE_"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SIGNAL_BASE = 128  # what a shell adds to a signal's number for an exit code
_RATES = {
    Fault.INTERNAL_FAILURE: "500, InternalFailureException",
    Fault.UNAVAILABLE: "503, ServiceUnavailableException",
    Fault.BAD_GATEWAY: "502 with an HTML page",
    Fault.THROTTLE: "429, ThrottlingException, whatever the quota",
    Fault.DROP: "connection closed before an answer",
    Fault.DROP_IN_BODY: "connection closed in the middle of the body",
    Fault.SILENCE: "no answer for --silence-seconds",
    Fault.CUT_SHORT: "200 with a JSON body that ends half-way",
    Fault.NOT_JSON: "200 with a body that is no JSON",
    Fault.EMPTY_OBJECT: "200 with {}",
    Fault.EMPTY_PAGE: "a page without entities, with a token to go on",
}


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        message = "must be between 0 and 1"
        raise argparse.ArgumentTypeError(message)
    return value


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description=(
            "A stand-in for AWS IoT SiteWise and IAM Roles Anywhere on 127.0.0.1. "
            "Without a COMMAND it serves until it is interrupted; with one it serves "
            "while the command runs, with the settings of tap-iot-sitewise in its "
            "environment."
        ),
    )
    where = parser.add_argument_group("where it listens (0: any free port)")
    where.add_argument("--port", type=int, default=0, help="SiteWise over plain HTTP")
    where.add_argument("--tls-port", type=int, default=0, help="SiteWise over TLS")
    where.add_argument(
        "--roles-anywhere-port", type=int, default=0, help="IAM Roles Anywhere"
    )
    account = parser.add_argument_group("the account")
    account.add_argument(
        "--plant",
        choices=sorted(CONTENTS),
        default="factory",
        help="a believable factory, or names and dates that are hard to carry",
    )
    account.add_argument("--asset-models", type=int, default=30, metavar="N")
    account.add_argument("--portals", type=int, default=5, metavar="N")
    account.add_argument("--projects-per-portal", type=int, default=4, metavar="N")
    account.add_argument(
        "--seed", type=int, default=7, help="the same seed, the same plant"
    )
    account.add_argument("--region", default=Account().region)
    account.add_argument("--access-key-id", default=ACCESS_KEY_ID)
    account.add_argument("--secret-access-key", default=SECRET_ACCESS_KEY)
    account.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="write a client certificate, its key and the CA bundle there",
    )
    account.add_argument(
        "--intermediate",
        action="store_true",
        help="let an intermediate authority issue the client certificate",
    )
    account.add_argument(
        "--session-seconds",
        type=float,
        metavar="N",
        help="credentials of Roles Anywhere expire after N seconds",
    )
    account.add_argument(
        "--accept-session-name",
        action="store_true",
        help="the Roles Anywhere profile accepts a role session name",
    )
    faults = parser.add_argument_group("faults")
    faults.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    faults.add_argument(
        "--quota", type=float, metavar="N", help="requests a second, then 429"
    )
    faults.add_argument(
        "--create-session-failures",
        type=int,
        default=0,
        metavar="N",
        help="the first N CreateSession requests get a 503",
    )
    faults.add_argument(
        "--deleted-portals",
        type=int,
        default=0,
        metavar="N",
        help="the last N portals are deleted when their projects are first asked for",
    )
    faults.add_argument(
        "--silence-seconds", type=float, default=3600.0, metavar="SECONDS"
    )
    faults.add_argument("--fault-seed", type=int, default=0, help="of the rates below")
    for fault, explanation in _RATES.items():
        faults.add_argument(
            f"--{fault.value}-rate",
            type=_share,
            default=0.0,
            metavar="SHARE",
            help=explanation,
        )
    parser.add_argument("command", nargs="*", metavar="-- COMMAND", help="what to run")
    return parser


def settings(aws: Emulator) -> dict[str, str]:
    """The tap's settings for a running emulator, as environment variables."""
    return {
        f"{PREFIX}AWS_REGION": aws.region,
        f"{PREFIX}AWS_ENDPOINT_URL": aws.endpoint_url,
        f"{PREFIX}AWS_ACCESS_KEY_ID": aws.access_key_id,
        f"{PREFIX}AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
    }


def roles_anywhere_settings(
    aws: Emulator,
    directory: Path | None,
    *,
    intermediate: bool = False,
) -> dict[str, str]:
    """What `auth_method` roles_anywhere needs besides, as environment variables.

    Args:
        aws: a running emulator.
        directory: where to write certificate, key and CA bundle; None for not at all.
        intermediate: whether an intermediate authority is to issue the certificate.
    """
    variables = {
        f"{PREFIX}AUTH_METHOD": "roles_anywhere",
        f"{PREFIX}ROLES_ANYWHERE_ENDPOINT_URL": aws.roles_anywhere_url,
        f"{PREFIX}ROLE_ARN": aws.role_arn,
        f"{PREFIX}PROFILE_ARN": aws.profile_arn,
        f"{PREFIX}TRUST_ANCHOR_ARN": aws.trust_anchor_arn,
    }
    bundle = aws.ca_bundle
    if directory is not None:
        directory = directory.absolute()
        files = aws.issue_certificate(intermediate=intermediate).write(directory)
        bundle = str(directory / "ca-bundle.pem")
        Path(bundle).write_bytes(Path(aws.ca_bundle).read_bytes())
        variables[f"{PREFIX}CLIENT_CERTIFICATE"] = str(files.certificate)
        variables[f"{PREFIX}PRIVATE_KEY"] = str(files.private_key)
        if files.chain is not None:
            variables[f"{PREFIX}CERTIFICATE_CHAIN"] = str(files.chain)
    return {**variables, "AWS_CA_BUNDLE": bundle}


def delete_when_asked(aws: Emulator, number: int) -> None:
    """Let a run find portals that are gone by the time it comes to their projects.

    Args:
        aws: the emulator.
        number: how many, counted from the end of ListPortals.
    """
    doomed = {portal["id"] for portal in aws.plant.portals[-number:]}

    def delete(call: Call) -> None:
        portal_id = call.parameter("portalId")
        if portal_id is not None and portal_id in doomed:
            doomed.discard(portal_id)
            aws.plant.delete("portals", portal_id)

    aws.faults.before("ListProjects", delete)


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command to its end, with our signals; returns what a shell would."""
    arrived: list[int] = []
    groups: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        arrived.append(number)
        for group in groups:
            _signal_group(group, number)

    # Before it starts: a signal that we ignore, as a shell's background jobs ignore
    # SIGINT, would be ignored by the command for ever; one that we handle is not.
    for number in _SIGNALS:
        signal.signal(number, forward)
    # In a session of its own, a Ctrl-C does not reach it twice: from the terminal
    # and from us.
    process = subprocess.Popen(  # noqa: S603 - to run what the user asks for
        command,
        env=environment,
        start_new_session=True,
    )
    groups.append(process.pid)
    for early in tuple(arrived):
        _signal_group(process.pid, early)
    code = None
    while code is None:
        # With a bound: a signal that comes just before the wait would be noticed only
        # after it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(timeout=0.5)
    if arrived:
        # A pipeline's other processes must not outlive it.
        _signal_group(process.pid, signal.SIGTERM)
    return _SIGNAL_BASE - code if code < 0 else code


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        # All have ended, which is what the signal was for.
        return


def _stop_at_a_signal() -> threading.Event:
    stop = threading.Event()
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    return stop


def _print_settings(
    aws: Emulator, roles_anywhere: dict[str, str], *, usable: bool
) -> None:
    lines = [
        "# AWS IoT SiteWise (and the same over TLS: " + aws.tls_endpoint_url + ")",
        *(
            f"export {name}={shlex.quote(value)}"
            for name, value in settings(aws).items()
        ),
        "# IAM Roles Anywhere"
        + ("" if usable else " (--directory DIR makes a certificate)"),
        *(
            f"# export {name}={shlex.quote(value)}"
            for name, value in roles_anywhere.items()
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: in the place of the process's own.

    Returns:
        The exit code: 0 after a signal when there was no COMMAND, else the COMMAND's.
    """
    options = parser().parse_args(arguments)
    account = Account(options.region)
    aws = Emulator(
        plant=Plant.make(
            options.plant,
            asset_models=options.asset_models,
            portals=options.portals,
            projects_per_portal=options.projects_per_portal,
            seed=options.seed,
            account=account,
        ),
        account=account,
        access_key_id=options.access_key_id,
        secret_access_key=options.secret_access_key,
        port=options.port,
        tls_port=options.tls_port,
        roles_anywhere_port=options.roles_anywhere_port,
        rules=Rules(
            session_seconds=options.session_seconds,
            accept_role_session_name=options.accept_session_name,
        ),
    )
    faults = aws.faults
    faults.latency = options.latency
    faults.quota = options.quota
    faults.silence_seconds = options.silence_seconds
    shares = {
        fault: vars(options)[f"{fault.value.replace('-', '_')}_rate"]
        for fault in _RATES
    }
    faults.at_random(
        {fault: share for fault, share in shares.items() if share},
        seed=options.fault_seed,
    )
    if options.create_session_failures:
        faults.fail_next(
            CREATE_SESSION, Fault.UNAVAILABLE, times=options.create_session_failures
        )
    if options.deleted_portals:
        delete_when_asked(aws, options.deleted_portals)
    aws.plant.encode()
    with aws:
        roles_anywhere = roles_anywhere_settings(
            aws,
            options.directory,
            intermediate=options.intermediate,
        )
        if options.command:
            return _run(options.command, {**os.environ, **settings(aws)})
        # First, because who reads the settings may send a signal at once.
        stop = _stop_at_a_signal()
        _print_settings(aws, roles_anywhere, usable=options.directory is not None)
        stop.wait()
    return 0
