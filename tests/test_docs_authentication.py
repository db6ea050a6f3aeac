"""docs/authentication.md: its policy, its openssl commands, its AWS commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from cryptography import x509

from emulator import Account, Emulator
from emulator.plant import SIZES
from tap_iot_sitewise.streams import ALL_STREAMS, STREAMS
from tap_iot_sitewise.streams.monitor import Projects
from tests import expected, openssl, permissions
from tests.conftest import ROOT, Run, TapCommand, clean_environment, select, static
from tests.documents import page
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PAGE = page("docs/authentication.md")

THEIRS = "Create the role of the plant"
OURS = "Allow the tap to assume the role"

# How the page says that the files are to be set.
FORMS = {
    "EC": {"client_certificate": "client.pem", "private_key": "client.key"},
    "RSA": {"client_certificate": "client-rsa.pem", "private_key": "client-rsa.key"},
    "PKCS#12": {
        "client_certificate": "client.p12",
        "private_key_passphrase": openssl.PASSPHRASE,
    },
    "encrypted": {
        "client_certificate": "client.pem",
        "private_key": "client-encrypted.key",
        "private_key_passphrase": openssl.PASSPHRASE,
    },
    "chain beside it": {
        "client_certificate": "client-of-line.pem",
        "private_key": "client.key",
        "certificate_chain": "line.pem",
    },
    "chain in the same file": {
        "client_certificate": "client-chain.pem",
        "private_key": "client.key",
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which somebody followed the page."""
    directory = tmp_path_factory.mktemp("openssl")
    openssl.make(directory)
    return directory


@pytest.fixture(scope="module")
def account(made: Path) -> Iterator[Emulator]:
    """An account whose trust anchor is the authority of the page."""
    with Emulator(asset_models=1, portals=1, projects_per_portal=1) as emulator:
        emulator.trust_authority((made / "ca.pem").read_bytes())
        yield emulator


# Permissions


@pytest.fixture(scope="module")
def plant() -> Iterator[Emulator]:
    """An account with records of all kinds."""
    with Emulator(
        asset_models=6, portals=2, projects_per_portal=2, sizes=SIZES["hostile"]
    ) as emulator:
        yield emulator


def run_with(
    tap: TapCommand, aws: Emulator, actions: Iterable[str], *streams: str
) -> Run:
    """Run streams with a key that only allows some actions."""
    key = aws.issue_session(actions=actions)
    extra = [name for name in streams if name not in {each.name for each in STREAMS}]
    settings = static(
        aws,
        extra_streams=extra,
        # The streams of values need a start. The others ignore it.
        start_date=(datetime.now(timezone.utc) - timedelta(hours=6)).isoformat(),
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
    )
    catalog = json.loads(tap(settings, "--discover").succeeded().output)
    aws.stats.reset()
    return tap(settings, catalog=select(catalog, *streams))


def called(aws: Emulator) -> list[str]:
    return sorted(f"iotsitewise:{operation}" for operation in aws.stats.requests)


def test_the_permissions_are_made_from_the_streams() -> None:
    assert permissions.rewritten(PAGE.text) == PAGE.text, (
        "a stream has changed: run `python -m tests.permissions`"
    )


@pytest.mark.parametrize("heading", permissions.POLICIES)
def test_a_policy_allows_what_its_streams_call_and_nothing_else(
    tap: TapCommand, plant: Emulator, heading: str
) -> None:
    (statement,) = json.loads(PAGE.block(heading, "json"))["Statement"]
    streams = [stream.name for stream in permissions.POLICIES[heading]]

    run = run_with(tap, plant, statement["Action"], *streams).succeeded()

    assert statement["Effect"] == "Allow"
    assert called(plant) == statement["Action"]
    for stream in streams:
        assert run.records(stream)


def test_every_group_has_a_policy() -> None:
    headings = {block.section for block in PAGE.blocks("json")}

    assert headings == {*permissions.POLICIES, "Create the AWS resources", THEIRS, OURS}


TOLD = {row["stream"].strip("`"): row["actions"] for row in PAGE.tables()[0]}


@pytest.mark.parametrize("stream", [stream.name for stream in ALL_STREAMS])
def test_a_stream_calls_the_actions_of_the_table_and_no_others(
    tap: TapCommand, plant: Emulator, stream: str
) -> None:
    actions = re.findall(r"`([^`]+)`", TOLD[stream])

    run = run_with(tap, plant, actions, stream).succeeded()

    assert called(plant) == sorted(actions)
    assert run.records(stream)


def test_a_missing_action_fails_a_trial_run_although_nobody_selected_its_stream(
    tap: TapCommand, plant: Emulator
) -> None:
    assert "`--test` reads every stream" in PAGE.section("Permissions")
    actions = [a for a in permissions.actions(Projects) if "Projects" not in a]
    key = plant.issue_session(actions=["iotsitewise:ListAssetModels", *actions])
    settings = static(
        plant,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        aws_session_token=key.session_token,
    )
    catalog = json.loads(tap(settings, "--discover").succeeded().output)

    run = tap(settings, "--test", catalog=select(catalog, "portals"))

    assert "allow iotsitewise:ListProjects" in run.error


# Certificates


@pytest.fixture(scope="module")
def runs(
    account: Emulator, made: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """A run with each form of the certificate."""

    def run(form: str) -> Run:
        files = {
            name: value if name == "private_key_passphrase" else str(made / value)
            for name, value in FORMS[form].items()
        }
        return TapCommand(tmp_path_factory.mktemp("run"))(
            anywhere(account, **files), environment={"AWS_CA_BUNDLE": account.ca_bundle}
        )

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(FORMS, pool.map(run, FORMS), strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_made_as_the_page_says_signs_in(
    runs: dict[str, Run], form: str
) -> None:
    run = runs[form].succeeded()

    assert len(run.records("projects")) == 1
    # The page's umask is to spare the reader this warning.
    assert run.lines("WARNING") == []


def test_an_intermediate_that_is_not_sent_along_is_missed(
    tap: TapCommand, account: Emulator, made: Path
) -> None:
    files = {
        "client_certificate": str(made / "client-of-line.pem"),
        "private_key": str(made / "client.key"),
    }

    run = tap(
        anywhere(account, **files), environment={"AWS_CA_BUNDLE": account.ca_bundle}
    )

    assert "certificate_chain must contain the intermediate CAs" in run.error


def test_the_recording_is_of_the_commands_on_the_page() -> None:
    recorded = openssl.recording()

    assert recorded["commands"] == openssl.commands(), (
        "the commands have changed: run `python -m tests.openssl` where openssl is"
    )


def test_the_recording_holds_what_the_commands_make(made: Path, tmp_path: Path) -> None:
    openssl.unpack(tmp_path)

    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {
        value
        for form in FORMS.values()
        for name, value in form.items()
        if name != "private_key_passphrase"
    }
    for name in sorted(name for name in names if name.endswith(".pem")):
        recorded, fresh = (
            x509.load_pem_x509_certificate((directory / name).read_bytes())
            for directory in (tmp_path, made)
        )
        assert recorded.subject == fresh.subject
        assert recorded.issuer == fresh.issuer


# What AWS has to know: the commands are run by the AWS CLI, against one that listens


class _Listener(BaseHTTPRequestHandler):
    """Notes what it is asked for, and answers as little as the AWS CLI takes."""

    heard: t.ClassVar[dict[str, t.Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            action = form["Action"]
            self.heard[action] = form
            answer = f"<{action}Response><{action}Result/></{action}Response>"
        else:
            self.heard[self.path] = json.loads(body)
            answer = "{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def typed_in(
    sections: Iterable[str], directory: Path, documents: dict[str, str]
) -> dict[str, t.Any]:
    """Return what AWS is asked for when somebody types in the commands of sections."""
    for name, document in documents.items():
        (directory / name).write_text(document, "utf-8")
    blocks = [each.text for each in PAGE.blocks("sh") if each.section in sections]
    lines = re.sub(r"\\\n *", "", "".join(blocks)).splitlines()

    class Listener(_Listener):
        heard: t.ClassVar[dict[str, t.Any]] = {}

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = clean_environment(
            PATH=f"{ROOT / '.tools' / 'awscli' / 'bin'}:{os.environ['PATH']}",
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.server_port}",
            AWS_DEFAULT_REGION="eu-west-1",
            AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
            AWS_SECRET_ACCESS_KEY="made up",  # noqa: S106 - for nobody
        )
        running = [
            subprocess.Popen(
                ["/bin/sh", "-e", "-c", line],
                cwd=directory,
                env=environment,
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
            for line in lines
        ]
        for command in running:
            _, complaint = command.communicate(timeout=120)
            assert command.returncode == 0, complaint
        server.shutdown()
    return Listener.heard


@pytest.fixture(scope="module")
def heard(made: Path) -> dict[str, t.Any]:
    """What AWS is asked for with the commands for Roles Anywhere."""
    section = "Create the AWS resources"
    documents = {
        "policy.json": PAGE.block("Permissions", "json"),
        "trust.json": PAGE.block(section, "json"),
    }
    return typed_in([section], made, documents)


def test_the_trust_anchor_is_the_authority(heard: dict[str, t.Any], made: Path) -> None:
    source = heard["/trustanchors"]["source"]

    assert source["sourceType"] == "CERTIFICATE_BUNDLE"
    assert source["sourceData"]["x509CertificateData"] == (made / "ca.pem").read_text(
        "ascii"
    ).rstrip("\n")


def test_the_role_is_for_the_trust_anchor_and_the_name_in_the_certificate(
    heard: dict[str, t.Any], made: Path, account: Emulator
) -> None:
    (statement,) = json.loads(heard["CreateRole"]["AssumeRolePolicyDocument"])[
        "Statement"
    ]
    certificate = x509.load_pem_x509_certificate((made / "client.pem").read_bytes())
    (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)

    assert statement["Principal"] == {"Service": "rolesanywhere.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": account.trust_anchor_arn},
        "StringEquals": {"aws:PrincipalTag/x509Subject/CN": name.value},
    }


def test_the_role_gets_the_policy_and_the_profile_the_role(
    heard: dict[str, t.Any], account: Emulator
) -> None:
    policy = json.loads(heard["PutRolePolicy"]["PolicyDocument"])

    assert policy["Statement"][0]["Sid"] == "ReadSiteWise"
    assert heard["PutRolePolicy"]["RoleName"] == heard["CreateRole"]["RoleName"]
    assert heard["/profiles"]["roleArns"] == [account.role_arn]
    assert account.role_arn.endswith(f"/{heard['CreateRole']['RoleName']}")


# Another account


@pytest.mark.parametrize("kind", ["user", "role", "roles_anywhere"])
def test_the_policies_of_the_page_let_the_tap_read_another_account(
    tap: TapCommand, kind: str
) -> None:
    lines = PAGE.block("Set the role", "dotenv").splitlines()
    shown = {
        name.removeprefix("TAP_IOT_SITEWISE_").lower(): value
        for name, value in (line.split("=", 1) for line in lines)
    }
    trust, own = PAGE.block(THEIRS, "json"), PAGE.block(OURS, "json")
    account = Account(account_id=shown["assume_role_arn"].split(":")[4])
    user = caller = json.loads(trust)["Statement"][0]["Principal"]["AWS"]
    if kind == "role":
        (caller,) = re.findall(r"`(arn:aws:iam::\d+:role/Loader)`", PAGE.prose)
    if kind == "roles_anywhere":
        # The emulator has only one account.
        caller = account.arn("iam", "role/SiteWiseReader")
        change = re.search("replace `(.+)` by `(.+)`", PAGE.section("Role chaining"))
        assert change
        trust, own = (text.replace(change[1], change[2]) for text in (trust, own))
    reader = {
        "RoleName": "PlantReader",
        "AssumeRolePolicyDocument": json.loads(trust.replace(user, caller)),
        "Policies": [json.loads(PAGE.block("Permissions", "json"))],
    }
    first = {
        "RoleName": "SiteWiseReader",
        "AssumeRolePolicyDocument": json.loads(
            PAGE.block("Create the AWS resources", "json")
        ),
        "Policies": [json.loads(own)],
    }
    loader = {
        "Arn": caller,
        "AccessKeyId": "AKIAI44QH8DHBEXAMPLE",
        "SecretAccessKey": "of-the-loader",
        **({"SessionToken": "of-the-role"} if kind == "role" else {}),
        "Policies": [json.loads(own)],
    }
    chained = kind == "roles_anywhere"
    roles: dict[str, object] = {
        "Roles": [reader, first] if chained else [reader],
        "Callers": [] if chained else [loader],
    }
    with Emulator(
        asset_models=2, portals=2, projects_per_portal=1, account=account, roles=roles
    ) as aws:
        keys = static(
            aws,
            sts_endpoint_url=aws.endpoint_url,
            aws_access_key_id=loader["AccessKeyId"],
            aws_secret_access_key=loader["SecretAccessKey"],
            aws_session_token=loader.get("SessionToken"),
        )
        if chained:
            files = Forms(aws.issue_certificate(), tap.directory).paths()
            keys = anywhere(aws, sts_endpoint_url=aws.endpoint_url, **files)
        environment = {"AWS_CA_BUNDLE": aws.ca_bundle}

        run = tap({**keys, **shown}, environment=environment).succeeded()
        del shown["assume_role_external_id"]
        without = tap({**keys, **shown}, environment=environment)

        assert shown["assume_role_arn"] == aws.assumable_roles["PlantReader"]
        for stream, records in expected.records(aws.plant).items():
            assert run.records(stream) == records
        assert "whether the role requires an external ID" in without.error


def test_the_commands_of_the_page_create_its_role_and_its_policies(
    tmp_path: Path,
) -> None:
    documents = {
        "policy.json": PAGE.block("Permissions", "json"),
        "trust-account.json": PAGE.block(THEIRS, "json"),
        "assume.json": PAGE.block(OURS, "json"),
    }

    asked = typed_in([THEIRS, OURS], tmp_path, documents)

    def document(action: str, member: str = "PolicyDocument") -> str:
        return str(asked[action][member]).strip()

    assert document("CreateRole", "AssumeRolePolicyDocument") == (
        documents["trust-account.json"].strip()
    )
    assert document("PutRolePolicy") == documents["policy.json"].strip()
    assert document("PutUserPolicy") == documents["assume.json"].strip()
    (statement,) = json.loads(documents["assume.json"])["Statement"]
    for action in ("CreateRole", "PutRolePolicy"):
        assert statement["Resource"].endswith(f":role/{asked[action]['RoleName']}")
    (trust,) = json.loads(documents["trust-account.json"])["Statement"]
    user = trust["Principal"]["AWS"]
    assert user.endswith(f":user/{asked['PutUserPolicy']['UserName']}")
