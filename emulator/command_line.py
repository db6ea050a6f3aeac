"""``python -m emulator``: serve until a signal, or as long as a command runs."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import typing as t
from pathlib import Path

from emulator.account import Account
from emulator.certificates import PASSPHRASE
from emulator.conditions import PolicyError
from emulator.emulator import Emulator
from emulator.faults import Fault
from emulator.options import RATES, parser
from emulator.plant import SIZES, Plant
from emulator.roles_anywhere import OPERATION as CREATE_SESSION
from emulator.roles_anywhere import Rules
from emulator.running import SIGNALS, run

if t.TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from emulator.faults import Call

PREFIX = "TAP_IOT_SITEWISE_"


def settings(aws: Emulator) -> dict[str, str]:
    """Return the tap's settings for ``auth_method`` ``static``.

    Args:
        aws: A running emulator.

    Returns:
        The settings as environment variables.
    """
    return {
        f"{PREFIX}AWS_REGION": aws.region,
        f"{PREFIX}AWS_ENDPOINT_URL": aws.endpoint_url,
        f"{PREFIX}AWS_ACCESS_KEY_ID": aws.access_key_id,
        f"{PREFIX}AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
    }


def roles_anywhere_settings(aws: Emulator) -> dict[str, str]:
    """Return the tap's settings for ``auth_method`` ``roles_anywhere``, without files.

    Args:
        aws: A running emulator.

    Returns:
        The settings as environment variables.
    """
    return {
        f"{PREFIX}AUTH_METHOD": "roles_anywhere",
        f"{PREFIX}ROLES_ANYWHERE_ENDPOINT_URL": aws.roles_anywhere_url,
        f"{PREFIX}ROLE_ARN": aws.role_arn,
        f"{PREFIX}PROFILE_ARN": aws.profile_arn,
        f"{PREFIX}TRUST_ANCHOR_ARN": aws.trust_anchor_arn,
    }


def write_files(
    aws: Emulator, directory: Path, *, certificate: bool, intermediate: bool
) -> dict[str, str]:
    """Write the files that a client of IAM Roles Anywhere needs.

    Args:
        aws: A running emulator.
        directory: The directory. It is created if necessary.
        certificate: Whether to issue a client certificate.
        intermediate: Whether an intermediate CA issues it.

    Returns:
        The settings for these files, as environment variables.
    """
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    bundle = directory / "ca-bundle.pem"
    bundle.write_bytes(Path(aws.ca_bundle).read_bytes())
    variables = {}
    if certificate:
        files = aws.issue_certificate(intermediate=intermediate).write(directory)
        variables[f"{PREFIX}CLIENT_CERTIFICATE"] = str(files.certificate)
        variables[f"{PREFIX}PRIVATE_KEY"] = str(files.private_key)
        if files.chain is not None:
            variables[f"{PREFIX}CERTIFICATE_CHAIN"] = str(files.chain)
    return {**variables, "AWS_CA_BUNDLE": str(bundle)}


def delete_portals(aws: Emulator, number: int) -> None:
    """Delete each portal at the first request for its projects.

    Args:
        aws: The emulator.
        number: Number of portals, the last ones of ListPortals.
    """
    to_delete = {portal["id"] for portal in aws.plant.portals[-number:]}

    def delete(call: Call) -> None:
        portal_id = call.parameter("portalId")
        if portal_id is not None and portal_id in to_delete:
            to_delete.discard(portal_id)
            aws.plant.delete("portals", portal_id)

    aws.faults.before("ListProjects", delete)


def _stop_event() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    return stop


def _print_settings(
    aws: Emulator, roles_anywhere: dict[str, str], certificate: str
) -> None:
    lines = [
        f"# AWS IoT SiteWise (and the same over TLS: {aws.tls_endpoint_url})",
        *(
            f"export {name}={shlex.quote(value)}"
            for name, value in settings(aws).items()
        ),
        f"# IAM Roles Anywhere ({certificate})",
        *(
            f"# export {name}={shlex.quote(value)}"
            for name, value in roles_anywhere.items()
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _emulator(options: argparse.Namespace) -> Emulator:
    account = Account(options.region)
    sizes = {
        **({} if options.without_extra_streams else SIZES[options.plant]),
        "asset_models": options.asset_models,
        "portals": options.portals,
        "projects": options.projects_per_portal,
        **dict(options.size),
    }
    plant = Plant.make(options.plant, seed=options.seed, account=account, **sizes)
    if options.values_until:
        plant.values.end(int(options.values_until.timestamp()))
    aws = Emulator(
        plant=plant,
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
        roles=options.roles,
    )
    aws.assume_role_lifetime.session_seconds = options.session_seconds
    return aws


def _switch_on_faults(aws: Emulator, options: argparse.Namespace) -> None:
    faults = aws.faults
    faults.latency = options.latency
    faults.quota = options.quota
    faults.silence_seconds = options.silence_seconds
    shares = {
        fault: vars(options)[f"{fault.value.replace('-', '_')}_rate"] for fault in RATES
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
        delete_portals(aws, options.deleted_portals)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments; None for those of the process.

    Returns:
        The exit code of COMMAND; without COMMAND, 0 after a signal.

    Raises:
        SystemExit: An option is wrong, a port is in use, or COMMAND can't be started.
    """
    command_line = parser()
    options = command_line.parse_args(arguments)
    if options.intermediate and options.directory is None:
        command_line.error("--intermediate needs --directory")
    try:
        return _serve(options)
    except PolicyError as error:
        command_line.error(f"argument --roles: {error}")
    except OSError as error:
        cause = ": ".join(filter(None, (error.filename, error.strerror or str(error))))
        command_line.exit(1, f"{command_line.prog}: {cause}\n")


def _serve(options: argparse.Namespace) -> int:
    aws = _emulator(options)
    _switch_on_faults(aws, options)
    if options.trust_anchor is not None:
        aws.trust_authority(options.trust_anchor)
    with aws:
        files = {"AWS_CA_BUNDLE": aws.ca_bundle}
        certificate = "--directory DIR makes a certificate"
        if options.trust_anchor is not None:
            certificate = "set client_certificate and private_key to your own"
        elif options.directory is not None:
            certificate = f"passphrase of the encrypted files: {PASSPHRASE}"
        if options.directory is not None:
            files = write_files(
                aws,
                options.directory,
                certificate=options.trust_anchor is None,
                intermediate=options.intermediate,
            )
        if options.command:
            return run(options.command, {**os.environ, **settings(aws)})
        # Before the settings are printed: their reader may send a signal at once.
        stop = _stop_event()
        roles_anywhere = {**roles_anywhere_settings(aws), **files}
        _print_settings(aws, roles_anywhere, certificate)
        stop.wait()
    return 0
