"""docs/troubleshooting.md lists every message of the tap, and no other.

A line of the page is a code span in the first column of a table, after the code span
in the header of that column, if there is one. The scenes below provoke each line. The
texts in the code are all part of a line, except for those in ``NOT_SAID``.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import itertools
import json
import os
import re
import resource
import signal
import subprocess
import typing as t
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from emulator import Answer, Emulator, Plant
from emulator.errors import ApiError
from emulator.faults import Fault
from tap_iot_sitewise.errors import SettingsError, TapError
from tap_iot_sitewise.streams.telemetry import PropertyValues
from tap_iot_sitewise.tap import TapIoTSiteWise
from tests.answering import answering
from tests.conftest import ROOT, TapCommand, clean_environment, static
from tests.documents import page
from tests.test_auth import PASSPHRASE, Forms, anywhere, write

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.faults import Call
    from tests.conftest import Message

TABLES = [
    table for table in page("docs/troubleshooting.md").tables() if "Cause" in table[0]
]


def code_spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def lines_of(table: list[dict[str, str]]) -> Iterator[str]:
    """Return the lines in the first column of a table."""
    header, *_ = table[0]
    assert header.startswith("Message")
    beginning = "".join(f"{span} " for span in code_spans(header))
    for row in table:
        spans = code_spans(row[header])
        assert "<br>".join(f"`{span}`" for span in spans) == row[header]
        yield from (beginning + span for span in spans)


LINES = [line for table in TABLES for line in lines_of(table)]

SHOWN = [
    *LINES,
    # Details of a line, such as its possible reasons.
    *(span for table in TABLES for row in table for span in code_spans(row["Cause"])),
]
NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)
ID = "22222222-2222-4222-8222-222222222222"
NOTHING: Message = {"assetModelSummaries": [], "portalSummaries": []}


@functools.cache
def pattern(line: str) -> re.Pattern[str]:
    pieces = re.split(r"<[^>]+>", line)
    return re.compile(".+".join(map(re.escape, pieces)))


@functools.cache
def entry_of(message: str) -> str | None:
    """Return the page's line for a message, of several the one that says most."""
    fitting = [line for line in LINES if pattern(line).fullmatch(message)]
    return max(fitting, key=lambda line: len(re.sub("<[^>]+>", "", line)), default=None)


# What happens when something is wrong. A scene yields what the tap then says.


class Stage:
    """An emulated account, and the tap in this process."""

    def __init__(
        self, aws: Emulator, directory: Path, environment: pytest.MonkeyPatch
    ) -> None:
        self.aws = aws
        self.directory = directory
        self.environment = environment
        self.command = TapCommand(directory)

    @functools.cached_property
    def catalog(self) -> Message:
        found: Message = json.loads((ROOT / "catalog.json").read_text("utf-8"))
        return found

    def says(
        self, config: Message, catalog: object = None, state: object = None
    ) -> list[str]:
        """Return each problem of the settings, or the one line of another failure."""
        catalog = catalog if catalog is None else json.loads(json.dumps(catalog))
        try:
            tap = TapIoTSiteWise(
                config=config,
                catalog=t.cast("t.Any", catalog),
                state=t.cast("t.Any", state),
            )
            tap.sync_all()
        except SettingsError as error:
            return error.problems
        except TapError as error:
            return [str(error)]
        pytest.fail("Nothing was said.")

    def static(self, **settings: object) -> list[str]:
        return self.says(static(self.aws, **{"max_attempts": 1, **settings}))

    def anywhere(self, **settings: object) -> list[str]:
        directory = self.directory / "good"
        directory.mkdir(exist_ok=True)
        good = Forms(self.aws.issue_certificate(), directory).paths()
        config = anywhere(self.aws, **{"max_attempts": 1, **good, **settings})
        return self.says(config)

    def file(self, name: str, content: bytes) -> str:
        return write(self.directory, name, content)


Scene = t.Callable[[Stage], "Iterator[list[str]]"]
SCENES: list[Scene] = []


def scene(play: Scene) -> Scene:
    SCENES.append(play)
    return play


@scene
def settings_are_wrong(stage: Stage) -> Iterator[list[str]]:
    yield stage.says({})
    yield stage.says({"aws_region": "eu-west-1"})
    yield stage.static(
        page_size="many",
        auth_method="magic",
        session_duration=5,
        max_attempts=0,
        request_timeout=0,
        batch_config={"encoding": {"format": "jsonl"}, "storage": {"root": 5}},
        stream_maps={"portals": {"__key_properties__": 3}},
    )
    yield stage.static(flattening_max_key_length=-1, asset_model_types=["PUMP"])
    yield stage.static(request_timeout=100_000)
    yield stage.static(aws_region="the one in the cellar", start_date="soon")
    yield stage.static(
        aws_region="eu_west_1",
        aws_access_key_id="AKIA IOSFODNN7",
        aws_session_token=PASSPHRASE.replace("horse", "größe").replace(" ", "-"),
        aws_endpoint_url="sitewise.example.com",
    )
    yield stage.static(start_date=(NOW + DAY).isoformat())
    yield stage.anywhere(role_arn="SiteWiseReader")
    yield stage.static(auth_method="default", aws_profile="plnat")


@scene
def settings_of_telemetry_are_wrong(stage: Stage) -> Iterator[list[str]]:
    yield stage.static(extra_streams=["property_aggregates"])
    yield stage.static(
        extra_streams=["telemetry"],
        telemetry_window="PT59S",
        telemetry_lookback="15 minutes",
        telemetry_asset_ids=["Press 1"],
        telemetry_property_ids=["Temperature"],
        telemetry_alias_prefixes=[""],
        aggregate_resolutions=[],
        aggregate_types=[],
    )
    yield stage.static(
        telemetry_window="PT90.5S", start_date="2024-05-31", end_date="2024-05-31"
    )
    yield stage.static(end_date="soon")
    yield stage.static(
        assume_role_external_id="factory-7", max_requests_per_second=float("inf")
    )
    yield stage.static(
        assume_role_arn="arn:aws:iam::111122223333:user/plant",
        assume_role_external_id="factory 7",
        session_name="Werk 7",
    )
    yield stage.anywhere(
        assume_role_arn="arn:aws:iam::111122223333:role/plant", session_duration=7200
    )
    yield stage.static(
        shard_count=2, shard_index=2, emit_activate_version_messages=True
    )
    yield stage.static(shard_index=1)


@scene
def extra_streams_are_wrong(stage: Stage) -> Iterator[list[str]]:
    yield stage.static(extra_streams="plant")
    yield stage.static(extra_streams=["portals", "asset_propertys", "zzz"])
    maps = {"assets": {"name": "name"}}
    yield stage.static(extra_streams=["gateways"], stream_maps=maps)


@scene
def stream_maps_are_wrong(stage: Stage) -> Iterator[list[str]]:
    def mapped(**maps: object) -> list[str]:
        return stage.static(stream_maps=maps)

    yield mapped(
        project=None,
        plants=None,
        portals=5,
        asset_models={"__alias__": "things", "__source__": "portals"},
        __els__=None,
        __else__="x",
    )
    yield mapped(**{"plant*": None})
    yield mapped(sites={"__source__": "portal"})
    yield mapped(
        portals={
            "__fitler__": "name",
            "__odd__": "name",
            "__alias__": 5,
            "__else__": "x",
            "__key_properties__": 5,
            "name": 5,
        }
    )
    yield mapped(portals={"__alias__": "1 + 1"})
    yield mapped(
        portals={"nmae": None, "zzz": None, "status__state": None, "portal_id": None}
    )
    yield mapped(portals={"__else__": None, "name": "name"})
    yield mapped(portals={"__key_properties__": ["nmae"]})


@scene
def expressions_are_wrong(stage: Stage) -> Iterator[list[str]]:
    config = static(stage.aws)
    for expression in (
        "not shown here",
        "",
        "(lambda: name)()",
        "'{}'.format(name)",
        "name.__class__",
        "sha265(name)",
        "len(name)",
        "nmae",
        "hidden",
        "_['nmae']",
        "record['zzz']",
        "status__state",
        "name.uper()",
        "status['stat']",
        "status['zzz']",
        "config['salt']",
        "fake.name()",
        "self",
    ):
        yield stage.static(stream_maps={"portals": {"x": expression}})
    yield stage.static(stream_maps={"portals": {"__filter__": "self"}})
    catalog = json.loads(json.dumps(stage.catalog))
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == ["description"]:
                item["metadata"]["selected"] = False
    config["stream_maps"] = {"projects": {"x": "md5(description)"}}
    yield stage.says(config, catalog=catalog)
    config["stream_maps"] = {"projects": {"description": "md5(self)"}}
    yield stage.says(config, catalog=catalog)


@scene
def expressions_fail(stage: Stage) -> Iterator[list[str]]:
    for portal in list(stage.aws.plant.portals):
        stage.aws.plant.change("portals", portal["id"], name="Werk 7", roleArn=None)
    for expression in (
        "role_arn.upper()",
        "int(name)",
        "9 ** 9 ** 9",
        "name * 1000000",
        "json.dupms(name)",
        "status[name]",
        "name + '\\ud800'",
        "name.upper",
    ):
        yield stage.static(stream_maps={"portals": {"x": expression}})
    yield stage.static(stream_maps={"portals": {"__filter__": "role_arn[0] == 'a'"}})


@scene
def flattening_is_wrong(stage: Stage) -> Iterator[list[str]]:
    yield stage.static(flattening_enabled=True)
    yield stage.static(
        flattening_enabled=True,
        flattening_max_depth=2,
        stream_maps={"portals": {"status__state": "name"}},
    )


@scene
def batch_config_is_wrong(stage: Stage) -> Iterator[list[str]]:
    encoding, storage = {"format": "jsonl"}, {"root": stage.directory.as_uri()}
    wrong: tuple[Message, ...] = (
        {"batch_size": 0},
        {"encoding": {}, "storage": {}},
        {"encoding": {**encoding, "formats": 1}, "storage": storage, "batchsize": 1},
        {"encoding": {"format": "parquet"}, "storage": {"root": "s3://plant"}},
        {"encoding": encoding, "storage": {"root": "gs://plant"}},
        {"encoding": encoding, "storage": {"root": "floppy://plant"}},
        {"encoding": encoding, "storage": {**storage, "params": "key"}},
    )
    for config in wrong:
        yield stage.static(batch_config=config)


@scene
def the_aws_configuration_is_wrong(stage: Stage) -> Iterator[list[str]]:
    path = stage.directory / "aws-config"
    home = stage.directory / ".aws"
    home.mkdir()
    (home / "config").write_text("region = eu-west-1\n")
    for content in (
        b"region = eu-west-1\n",
        b"[default]\nregion\n",
        b"[default]\n[default]\n",
        b"[default]\ns3 =\n  plant\n",
        b"[default]\nregion = \xff\n",
    ):
        path.write_bytes(content)
        stage.environment.setenv("AWS_CONFIG_FILE", str(path))
        yield stage.static()
    path.write_text("[profile plant]\ndefaults_mode = bogus\n")
    yield stage.static(auth_method="default", aws_profile="plant")
    stage.environment.setenv("AWS_DEFAULTS_MODE", "bogus")
    yield stage.static(auth_method="default")
    stage.environment.delenv("AWS_CONFIG_FILE")
    stage.environment.setenv("HOME", str(stage.directory))
    yield stage.static()


@scene
def a_certificate_will_not_do(stage: Stage) -> Iterator[list[str]]:
    aws = stage.aws
    forms = Forms(aws.issue_certificate(), stage.directory)
    chained = aws.issue_certificate(intermediate=True)
    late = aws.issue_certificate(not_before=NOW - 2 * DAY, not_after=NOW - DAY)
    early = aws.issue_certificate(not_before=NOW + DAY)
    other = ed25519.Ed25519PrivateKey.generate()
    pkcs8 = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    yield stage.anywhere(client_certificate=f"{stage.directory}/no.pem")
    yield stage.anywhere(client_certificate=stage.file("empty.pem", b""))
    yield stage.anywhere(certificate_chain=stage.file("note", b"to be done"))
    yield stage.anywhere(client_certificate=forms.paths()["private_key"])
    for issued in (late, early):
        yield stage.anywhere(**Forms(issued, stage.directory).paths())
    yield stage.anywhere(private_key="")
    head, *_, tail = chained.private_key.decode().splitlines()
    yield stage.anywhere(private_key=f"{head}\nMII\n{tail}")
    yield stage.anywhere(private_key=chained.private_key.decode())
    yield stage.anywhere(
        client_certificate=stage.file("last.pem", chained.chain + chained.certificate),
        private_key=chained.private_key.decode(),
    )
    encrypted = forms.encrypted_key()
    yield stage.anywhere(**{**encrypted, "private_key_passphrase": None})
    yield stage.anywhere(**{**encrypted, "private_key_passphrase": "wrong one"})
    yield stage.anywhere(private_key=pkcs8.decode())
    unknown = pkcs8.replace(b"MC4CAQAwBQYDK2Vw", b"MC4CAQAwBQYDK2Vz")
    yield stage.anywhere(private_key=unknown.decode())


@scene
def a_pkcs12_file_will_not_do(stage: Stage) -> Iterator[list[str]]:
    issued = stage.aws.issue_certificate()
    locked = Forms(issued, stage.directory).pkcs12()
    keyless = stage.file("keyless.p12", issued.pkcs12(PASSPHRASE, with_key=False))
    yield stage.anywhere(**{**locked, "private_key_passphrase": "wrong one"})
    yield stage.anywhere(**{**locked, "private_key_passphrase": None})
    yield stage.anywhere(client_certificate=keyless, private_key_passphrase=PASSPHRASE)
    # A certificate with a friendly name and without a key; and a key alone.
    named = serialization.pkcs12.serialize_key_and_certificates(
        b"tap", _key(issued.private_key), None, None, serialization.NoEncryption()
    )
    yield stage.anywhere(client_certificate=stage.file("key.p12", named))


def _key(pem: bytes) -> t.Any:  # noqa: ANN401 - either of two kinds
    return serialization.load_pem_private_key(pem, None)


@scene
def aws_does_not_take_the_keys(stage: Stage) -> Iterator[list[str]]:
    yield stage.static(aws_access_key_id="AKIAI44QH8DHBEXAMPLE")
    yield stage.static(aws_secret_access_key=PASSPHRASE.replace(" ", "/"))
    expired = stage.aws.issue_session(seconds=-1)
    yield stage.static(
        aws_access_key_id=expired.access_key_id,
        aws_secret_access_key=expired.secret_access_key,
        aws_session_token=expired.session_token,
    )
    stage.aws.clock_offset = 3600
    yield stage.static()
    yield stage.anywhere()
    stage.aws.clock_offset = 0
    for code in (
        "IncompleteSignatureException",
        "MissingAuthenticationTokenException",
        "SubscriptionRequiredException",
        "OptInRequired",
    ):
        stage.aws.faults.fail_next("*", ApiError(code, "No.", 403))
        yield stage.static()
    stage.aws.deny("iotsitewise:ListProjects")
    yield stage.static()
    stage.environment.setenv("AWS_ACCESS_KEY_ID", stage.aws.access_key_id)
    stage.environment.setenv("AWS_SECRET_ACCESS_KEY", stage.aws.secret_access_key)
    for code in (
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
    ):
        stage.aws.faults.clear()
        stage.aws.faults.always("ListAssetModels", ApiError(code, "No.", 403))
        yield stage.static(auth_method="default")
        yield stage.anywhere()


@scene
def the_default_chain_finds_nothing(stage: Stage) -> Iterator[list[str]]:
    yield stage.static(auth_method="default")
    shared = stage.directory / "aws-config"
    shared.write_text(
        "[profile plant]\nsso_start_url = https://plant.example.com/start\n"
        "sso_region = eu-west-1\nsso_account_id = 123456789012\n"
        "sso_role_name = Reader\n"
    )
    with answering(lambda: b"{}") as url:
        stage.environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        yield stage.static(auth_method="default")
    stage.environment.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    refused = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    identity = {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Reader",
        "AWS_WEB_IDENTITY_TOKEN_FILE": stage.file("identity", b"of the plant"),
    }
    with answering(lambda: refused, status=403) as url:
        for name, value in {**identity, "AWS_ENDPOINT_URL_STS": url}.items():
            stage.environment.setenv(name, value)
        yield stage.static(auth_method="default")
    for name in identity:
        stage.environment.delenv(name)
    stage.environment.setenv("AWS_CONFIG_FILE", str(shared))
    stage.environment.setenv("HOME", str(stage.directory))
    yield stage.static(auth_method="default", aws_profile="plant")


@scene
def create_session_is_refused(stage: Stage) -> Iterator[list[str]]:
    aws, faults = stage.aws, stage.aws.faults
    stranger = aws.issue_certificate(trusted=False)
    yield stage.anywhere(**Forms(stranger, stage.directory).paths())
    yield stage.anywhere(session_name="night")
    aws.session_rules.role_maximum = 1800
    yield stage.anywhere()
    aws.session_rules.role_maximum = 43200
    for setting in ("trust_anchor_arn", "profile_arn", "role_arn"):
        yield stage.anywhere(**{setting: getattr(aws, setting)[:-1] + "9"})
    faults.fail_next("CreateSession", ApiError("OddException", "Not today", 400))
    yield stage.anywhere()
    faults.fail_next("CreateSession", Fault.UNAVAILABLE)
    yield stage.anywhere()
    stage.environment.delenv("AWS_CA_BUNDLE")
    yield stage.anywhere()


@scene
def assume_role_is_refused(stage: Stage) -> Iterator[list[str]]:
    faults = stage.aws.faults
    role = {"assume_role_arn": "arn:aws:iam::123456789012:role/PlantReader"}
    role["sts_endpoint_url"] = stage.aws.endpoint_url
    yield stage.static(**role)
    yield stage.static(**role, assume_role_external_id="factory-7")
    for code, message in (
        ("ValidationError", f"{_EXCEEDS} MaxSessionDuration set for this role."),
        ("ValidationError", f"{_EXCEEDS} 1 hour session limit for roles assumed by"),
        ("ValidationError", "Request ARN is invalid"),
        ("RegionDisabledException", "STS is not activated in this region for account:"),
        ("InvalidClientTokenId", "No."),
        ("AccessDenied", "User: U is not authorized to perform: sts:SetSourceIdentity"),
    ):
        faults.fail_next("AssumeRole", ApiError(code, message, 400))
        yield stage.static(**role)
    for answer in (Fault.UNAVAILABLE, Answer(200, b"<html></html>")):
        faults.fail_next("AssumeRole", answer)
        yield stage.static(**role)


_EXCEEDS = "The requested DurationSeconds exceeds the"


@scene
def the_network_fails(stage: Stage) -> Iterator[list[str]]:
    aws, port = stage.aws, stage.aws.endpoint_url.rpartition(":")[2]
    yield stage.static(aws_endpoint_url="https://sitewise.invalid")
    yield stage.static(aws_endpoint_url="http://127.0.0.1:9")
    yield stage.static(aws_endpoint_url=f"https://127.0.0.1:{port}")
    stage.environment.setenv("AWS_CA_BUNDLE", stage.file("own.pem", _stranger()))
    yield stage.static(aws_endpoint_url=aws.tls_endpoint_url)
    aws.faults.fail_next("*", Fault.DROP)
    yield stage.static()
    aws.faults.fail_next("*", Fault.SILENCE)
    yield stage.static(request_timeout=2)
    stage.environment.setenv("AWS_CA_BUNDLE", aws.ca_bundle)
    stage.environment.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    yield stage.static()
    stage.environment.setenv("HTTP_PROXY", "socks5://127.0.0.1:9")
    yield stage.static()
    # CreateSession alone is called by https here.
    stage.environment.delenv("HTTP_PROXY")
    stage.environment.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    yield stage.anywhere()


def _stranger() -> bytes:
    """The certificate of an authority that signed nothing here."""
    with_key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Stranger")])
    built = x509.CertificateBuilder(
        name, name, with_key.public_key(), 1, NOW - DAY, NOW + DAY
    )
    signed = built.sign(with_key, None)
    return signed.public_bytes(serialization.Encoding.PEM)


@scene
def answers_are_not_what_they_should_be(stage: Stage) -> Iterator[list[str]]:
    for fault in (
        Fault.THROTTLE,
        Fault.INTERNAL_FAILURE,
        Fault.CUT_SHORT,
        Fault.SAME_TOKEN,
        Fault.REPEATED_PAGE,
        Fault.EMPTY_PAGE,
    ):
        stage.aws.faults.always("ListPortals", fault)
        yield stage.static(page_size=1)
        stage.aws.faults.clear()
    stage.aws.faults.fail_next("ListPortals", Answer(407, b"Who are you?"))
    yield stage.static()
    stage.aws.faults.fail_next("ListPortals", Answer(404, b""))
    yield stage.static()
    with answering(_turning_in_circles()) as url:
        yield stage.static(aws_endpoint_url=url)


def _turning_in_circles() -> Callable[[], bytes]:
    """A second page that leads to a third, and that one to the second."""
    numbers = itertools.count(1)

    def page() -> bytes:
        number = next(numbers)
        model, token = {"id": str(number)}, f"page-{number % 2}"
        return json.dumps({"assetModelSummaries": [model], "nextToken": token}).encode()

    return page


@scene
def entities_are_not_what_they_should_be(stage: Stage) -> Iterator[list[str]]:
    plant = stage.aws.plant
    model = plant.asset_models[0]
    for change in (
        {"name": 5},
        {"creationDate": "yesterday"},
        {"creationDate": 1e15},
        {"status": "fine"},
        {"status": {"state": "FAILED", "error": {"details": 5}}},
    ):
        plant.change("asset_models", model["id"], **change)
        yield stage.static()
        plant.change("asset_models", model["id"], **model)
    with Emulator(plant=Plant(asset_models=[{**model, "id": None}])) as aws:
        yield stage.says(static(aws))


@scene
def entities_of_extra_streams_are_not_what_they_should_be(
    stage: Stage,
) -> Iterator[list[str]]:
    with Emulator(plant=Plant.make(asset_models=2, assets=1, portals=1)) as aws:
        (portal,) = aws.plant.portals
        both = {"user": {"id": ID}, "group": {"id": ID}}
        for identity in (both, {"user": 5}, 5):
            policy = {"id": ID, "identity": identity}
            aws.plant.add("access_policies", policy, parent=portal["id"])
            yield stage.says(static(aws, extra_streams=["access_policies"]))
            aws.plant.delete("access_policies", ID)
        for assets in aws.plant.by_parent("assets").values():
            for asset in assets:
                hierarchies = [{"name": "Machines"}]
                aws.plant.change("assets", asset["id"], hierarchies=hierarchies)
        yield stage.says(static(aws, extra_streams=["asset_associations"]))


@scene
def the_catalog_cannot_be_used(stage: Stage) -> Iterator[list[str]]:
    (entry, *_) = stage.catalog["streams"]
    own: Message = entry["schema"]["properties"]
    root = {"breadcrumb": [], "metadata": {"selected": True}}

    def of(*entries: object) -> list[str]:
        config = static(stage.aws)
        return stage.says(config, catalog={"streams": list(entries)})

    def changed(**columns: object) -> list[str]:
        properties = {**own, **columns}
        return of({**entry, "schema": {**entry["schema"], "properties": properties}})

    def described(**metadata: object) -> list[str]:
        with_metadata = {**root["metadata"], **metadata}  # type: ignore[dict-item]
        return of({**entry, "metadata": [{**root, "metadata": with_metadata}]})

    yield stage.says(static(stage.aws), catalog={"stream": []})
    yield of({})
    yield of(entry, entry)
    yield of({**entry, "schema": None})
    yield of({**entry, "metadata": [5]})
    yield of({**entry, "key_properties": [5]})
    yield of({**entry, "key_properties": ["serial_number"]})
    yield changed(serial_number={"type": "string"})
    yield changed(name={"type": "integer"})
    yield changed(name={**own["name"], "minLength": "three"})
    yield described(**{"replication-method": "LOG_BASED"})
    yield described(
        **{"replication-method": "INCREMENTAL", "replication-key": "creation_date"}
    )


@scene
def a_stream_without_dates_cannot_be_incremental(stage: Stage) -> Iterator[list[str]]:
    entry = {
        "tap_stream_id": "property_values",
        "schema": PropertyValues.entity.schema,
        "replication_method": "INCREMENTAL",
    }
    config = static(stage.aws, extra_streams=["property_values"])
    yield stage.says(config, catalog={"streams": [entry]})


@scene
def the_state_cannot_be_used(stage: Stage) -> Iterator[list[str]]:
    bookmark = {"replication_key": "last_update_date"}
    states: tuple[Message, ...] = (
        {"bookmarks": []},
        {"bookmarks": {"portals": 5}},
        {"bookmarks": {"portals": {**bookmark, "replication_key_value": "soon"}}},
        {"bookmarks": {"portals": {**bookmark, "replication_key_value": "3024-01-01"}}},
        {"shard": "0 of 4"},
    )
    for state in states:
        yield stage.says(static(stage.aws), state=state)


@scene
def an_answer_with_values_is_not_valid(stage: Stage) -> Iterator[list[str]]:
    streams = ["property_values", "property_aggregates"]
    day = {"start_date": "2024-05-31", "end_date": "2024-06-01"}
    series = {
        "timeSeriesId": "speed",
        "dataType": "DOUBLE",
        **dict.fromkeys(("assetId", "propertyId"), ID),
    }

    def says(value: object, entry: Message | None = None, stream: int = 0) -> list[str]:
        member = ("assetPropertyValue", "aggregatedValues")[stream]
        found = {"entryId": "0", member: value, **(entry or {})}
        body = {
            **NOTHING,
            "TimeSeriesSummaries": [series],
            "successEntries": [found],
        }
        with answering(lambda: json.dumps(body).encode()) as url:
            return stage.static(
                aws_endpoint_url=url, extra_streams=[streams[stream]], **day
            )

    moment = {"timeInSeconds": 1}
    yield says({"value": {"doubleValue": 1}, "timestamp": moment}, {"entryId": "none"})
    yield says({"value": {"doubleValue": True}, "timestamp": moment})
    yield says({"value": {"doubleValue": "one"}, "timestamp": moment})
    yield says({"value": {"arrayValue": []}, "timestamp": moment})
    yield says({"value": {"doubleValue": 1}, "timestamp": {"timeInSeconds": 10**12}})
    yield says(
        {
            "value": {"doubleValue": 1},
            "timestamp": {"timeInSeconds": 1, "offsetInNanos": 10**9},
        }
    )
    yield says([{"timestamp": 1, "value": {"sum": "much"}}], stream=1)
    yield says([{"timestamp": 1, "value": {"sum": 10**400}}], stream=1)


@scene
def time_series_are_refused(stage: Stage) -> Iterator[list[str]]:
    series = [
        {"timeSeriesId": f"series {number}", "dataType": "DOUBLE", "alias": "/speed"}
        for number in range(2)
    ]

    def says(code: str) -> list[str]:
        failed = {"entryId": "1", "errorCode": code, "errorMessage": "No."}
        body = {
            **NOTHING,
            "TimeSeriesSummaries": series,
            "errorEntries": [failed],
        }
        with answering(lambda: json.dumps(body).encode()) as url:
            return stage.static(aws_endpoint_url=url, extra_streams=["property_values"])

    yield says("AccessDeniedException")
    yield says("InvalidRequestException")
    yield stage.static(extra_streams=["property_values"], telemetry_asset_ids=[ID])


# Scenes that take the command


@scene
def the_temporary_file_is_full(stage: Stage) -> Iterator[list[str]]:
    plant = stage.aws.plant
    for number in range(3):
        # What the tap keeps of three of these is more than 1 MiB.
        plant.add("portals", {"id": f"{number}" * 400_000, "name": "Werk 7"})
    done = subprocess.run(
        stage.command.arguments(static(stage.aws)),
        # Python 3.11 would cut off its compiled modules at the limit, too.
        env=clean_environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9999, 9999)),
    )
    yield [
        line.split("|", 3)[3].strip()
        for line in done.stderr.splitlines()
        if "ERROR" in line
    ]


@scene
def the_command_is_given_files_that_are_none(stage: Stage) -> Iterator[list[str]]:
    yield stage.command(None, "--config", "none.json").errors
    yield stage.command(static(stage.aws), catalog="{").errors
    # Memory at address 0 is not to be read.
    yield stage.command(static(stage.aws), "--state", "/proc/self/mem").errors
    levels = {"TAP_IOT_SITEWISE_LOGLEVEL": "LOUD"}
    yield stage.command(static(stage.aws), environment=levels).errors


@scene
def files_cannot_be_written(stage: Stage) -> Iterator[list[str]]:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            stage.command.arguments(static(stage.aws)),
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
            text=True,
        )
    lines = done.stderr.splitlines()
    yield [line.split("|", 3)[3].strip() for line in lines if "ERROR" in line]
    encoding = {"format": "jsonl", "compression": "gzip"}
    missing = {"encoding": encoding, "storage": {"root": "file:///dev/null/batches"}}
    yield stage.command(static(stage.aws, batch_config=missing)).errors
    copied = {"sites": {"__source__": "portals"}}
    config = static(stage.aws, batch_config=missing, stream_maps=copied)
    config["batch_config"] = {**missing, "storage": {"root": stage.directory.as_uri()}}
    yield stage.command(config).errors


@scene
def libraries_of_the_extras_refuse(stage: Stage) -> Iterator[list[str]]:
    """The extras are not installed here. A module takes the place of Faker."""
    modules = {
        "faker/__init__.py": (
            "def Faker(locale=None):\n"
            "    raise AttributeError('Invalid configuration for faker locale')\n"
        ),
    }
    for name, source in modules.items():
        path = stage.directory / "modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    def command(packages: Path, **settings: object) -> list[str]:
        environment = {"PYTHONPATH": str(packages)}
        config = static(stage.aws, **settings)
        line = stage.command(config, environment=environment).error
        return [line.removeprefix("Settings: ")]

    yield command(
        stage.directory / "modules",
        faker_config={"locale": "xx_XX"},
        stream_maps={"portals": {"x": "name"}},
    )
    (pyarrow,) = (ROOT / ".tools" / "pyarrow").glob("lib/*/site-packages")
    storage = {"root": stage.directory.as_uri()}
    batches = {"encoding": {"format": "parquet"}, "storage": storage}
    mixed = {"portals": {"mixed": "1 if name > 'N' else name"}}
    yield command(pyarrow, batch_config=batches, stream_maps=mixed)


@scene
def settings_are_probably_not_meant(stage: Stage) -> Iterator[list[str]]:
    config = static(stage.aws, page_sise=5, AKIAIOSFODNN7EXAMPLE=5)
    config["stream_maps"] = {"portals": {"roleArn": "'hidden'"}}
    yield stage.command(config).lines("WARNING")
    many = {letter * 4: 1 for letter in "abcdefghijklm"}
    yield stage.command(static(stage.aws, **many)).lines("WARNING")


@scene
def rows_have_no_version(stage: Stage) -> Iterator[list[str]]:
    batches = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": stage.directory.as_uri()},
    }
    config = static(stage.aws, emit_activate_version_messages=True)
    yield stage.command({**config, "batch_config": batches}).lines("WARNING")
    things = {"__alias__": "things"}
    maps = {"portals": things, "projects": things}
    catalog = json.loads(json.dumps(stage.catalog))
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "projects":
            entry["replication_method"] = "INCREMENTAL"
            entry["replication_key"] = "last_update_date"
    warnings_of = stage.command({**config, "stream_maps": maps}, catalog=catalog)
    # The SDK warns of an incremental stream.
    yield warnings_of.lines("WARNING")[-1:]


@scene
def a_portal_is_deleted_while_it_is_listed(stage: Stage) -> Iterator[list[str]]:
    plant = stage.aws.plant
    gone = plant.portals[0]["id"]
    plant.add("projects", parent=gone)

    def delete(call: Call) -> None:
        if call.parameter("portalId") == gone and call.parameter("nextToken"):
            plant.delete("portals", gone)

    stage.aws.faults.before("ListProjects", delete)
    yield stage.command(static(stage.aws, page_size=1)).lines("WARNING")


@scene
def many_parents_are_deleted(stage: Stage) -> Iterator[list[str]]:
    plant = stage.aws.plant
    for _ in range(9):
        plant.add("portals")

    def delete(_: Call) -> None:
        for portal in list(plant.portals):
            plant.delete("portals", portal["id"])

    stage.aws.faults.before("ListProjects", delete)
    warned = stage.command(static(stage.aws)).lines("WARNING")
    assert len(warned) == 11
    yield warned


@scene
def the_reader_goes_away(stage: Stage) -> Iterator[list[str]]:
    process = stage.command.start(static(stage.aws))
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    log = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=120) == 1
    yield [
        line.split("|", 3)[3].strip() for line in log.splitlines() if "ERROR" in line
    ]


@scene
def the_run_is_stopped(stage: Stage) -> Iterator[list[str]]:
    stats = stage.aws.stats
    stage.aws.faults.always("ListPortals", Fault.SILENCE)
    process = stage.command.start(static(stage.aws))
    stats.wait_for(lambda: stats.requests.get("ListPortals", 0) > 0)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=120)
    assert process.returncode == 143
    lines = log.decode().splitlines()
    yield [line.split("|", 3)[3].strip() for line in lines if "ERROR" in line]


@scene
def the_run_goes_on_without_time_series(stage: Stage) -> Iterator[list[str]]:
    series = {"timeSeriesId": "speed", "dataType": "DOUBLE", "alias": "/speed"}
    gone = "ResourceNotFoundException"
    body = {
        **NOTHING,
        "TimeSeriesSummaries": [series],
        "errorEntries": [{"entryId": "0", "errorCode": gone, "errorMessage": "No."}],
    }
    for settings in ({}, {"telemetry_alias_prefixes": ["/no-such-line/"]}):
        with answering(lambda: json.dumps(body).encode()) as url:
            config = {
                **static(stage.aws),
                "aws_endpoint_url": url,
                "extra_streams": ["property_values"],
                **settings,
            }
            done = subprocess.run(
                stage.command.arguments(config),
                env=clean_environment(),
                capture_output=True,
                check=True,
                timeout=120,
                text=True,
            )
        warned = [line for line in done.stderr.splitlines() if "WARNING" in line]
        said = [line.split("|", 3)[3].strip() for line in warned]
        yield [text for text in said if "--config" not in text]


@scene
def the_run_goes_on_with_warnings(stage: Stage) -> Iterator[list[str]]:
    aws = stage.aws
    forms = Forms(aws.issue_certificate(), stage.directory)
    paths = forms.paths()
    Path(paths["private_key"]).chmod(0o644)
    last = aws.plant.portals[-1]["id"]

    def delete(_: Call) -> None:
        with contextlib.suppress(KeyError):
            aws.plant.delete("portals", last)

    aws.faults.before("ListProjects", delete)
    config = anywhere(aws, **paths, private_key_passphrase=PASSPHRASE)
    arguments = stage.command.arguments(
        config,
        catalog={
            "streams": [
                *stage.catalog["streams"],
                {"tap_stream_id": "dashboards"},
                {"tap_stream_id": "alarms"},
            ]
        },
        state={"bookmarks": {"alarms": {}}},
    )
    (stage.directory / "config.json").chmod(0o644)
    done = subprocess.run(
        arguments,
        env=clean_environment(AWS_CA_BUNDLE=aws.ca_bundle),
        capture_output=True,
        check=True,
        timeout=120,
        text=True,
    )
    yield [
        line.split("|", 3)[3].strip()
        for line in done.stderr.splitlines()
        if "WARNING" in line
    ]


@scene
def the_region_is_new_and_the_endpoint_plain(stage: Stage) -> Iterator[list[str]]:
    away = static(stage.aws, aws_endpoint_url="http://sitewise.invalid", max_attempts=1)
    yield stage.command(away).lines("WARNING")
    new = {**away, "aws_region": "eu-west-99"}
    del new["aws_endpoint_url"]
    yield stage.command(new).lines("WARNING")


@functools.cache
def _read_once(path: str) -> object:
    """Read a model of botocore's, which every new session reads anew otherwise."""
    return _READ(JSONFileLoader(), path)


_READ = JSONFileLoader.load_file


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What was said in each scene."""
    # The command leaves it to the end of its process to close connections.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        said = _play(tmp_path_factory)
        gc.collect()
    return said


def _play(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    handlers = {number: signal.getsignal(number) for number in (2, 15)}
    for play in SCENES:
        with (
            Emulator(asset_models=3, portals=3, projects_per_portal=1) as aws,
            pytest.MonkeyPatch.context() as environment,
        ):
            for name in set(os.environ) - set(clean_environment()):
                environment.delenv(name)
            for name, value in clean_environment().items():
                environment.setenv(name, value)
            environment.setenv("AWS_CA_BUNDLE", aws.ca_bundle)
            environment.setattr(
                JSONFileLoader, "load_file", lambda _, path: _read_once(path)
            )
            stage = Stage(aws, tmp_path_factory.mktemp("scene"), environment)
            said[play.__name__] = [text for texts in play(stage) for text in texts]
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return said


@pytest.mark.parametrize("play", SCENES, ids=lambda play: str(play.__name__))
def test_what_is_said_stands_on_the_page(
    told: dict[str, list[str]], play: Callable[..., object]
) -> None:
    messages = told[play.__name__]

    assert messages
    assert [message for message in messages if entry_of(message) is None] == []


@pytest.mark.parametrize("line", LINES)
def test_what_stands_on_the_page_is_said(told: dict[str, list[str]], line: str) -> None:
    said = [message for messages in told.values() for message in messages]

    assert line in {entry_of(message) for message in said}


# The other way round: what the code can say


NOT_SAID = {
    # Parts of descriptions of columns.
    " Known values: ",
    # A note in the state of a run that goes on.
    "Progress is not resumable if interrupted.",
    # Texts that the code looks for in the messages of others.
    "1 hour session limit",
    "sts is not activated in this region",
    "request arn is invalid",
    "Python 3\\.\\d+ .*end of life",
    "NameResolution|Name or service|getaddrinfo|Errno -[235]",
    "signature expired",
    "signature not yet current",
    "role session name",
    "expired: |not yet current",
    ":broken page",
    "trust anchor",
    # Details that the page shows as <...>.
    "the endpoint",
    "an error",
    "no message",
    "no such file",
    "true or false",
    "a number",
    "a whole number",
    "an empty answer",
    "the JSON is nested too deeply",
    "%Y-%m-%d %H:%M:%S",
    # Errors that the code catches and replaces.
    " is outside the years 1 to 9999 in UTC",
    " is not a date and time",
    "a date and time must be text, not ",
    ": a record lacks its ",
    " is not a duration",
    "the answer has no ",
    "the answer has no entries",
    "an entry that failed has no errorCode",
    " is not a list, or the token is not text",
    "the entries are not valid: ",
    "the token is empty",
    # A type.
    "str | tuple[str, ...]",
    # The verdicts of --test, at INFO.
    ": not tried, because ",
    "1 record",
}
"""Texts in the code that are not part of a line of the page."""

PACKAGE = ROOT / "tap_iot_sitewise"
MODULES = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py"))

DECLARATIONS = {
    *("Property", "Attribute", "Entity", "Listing", "Listings", "Batch"),
    *("key", "parent_key", "parent_id", "text", "timestamp", "nested", "member_name"),
    *("PropertyValue", "AggregatedValue", "parent_text", "_event_timestamp"),
    *("double", "integer", "boolean"),
}
"""Calls that take descriptions of settings and columns, not messages."""


def _texts(module: str) -> Iterator[str]:
    """Return the texts in a module that a message can contain: more than a word."""
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            # A docstring.
            silent.add(id(node.value))
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in {*DECLARATIONS, "compile", "info", "debug", "cast"}:
                silent.update(id(inner) for inner in ast.walk(node))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
            and " " in node.value.strip()
        ):
            yield node.value


@pytest.mark.parametrize("module", MODULES)
def test_what_the_code_can_say_stands_on_the_page(module: str) -> None:
    shown = " ".join(SHOWN)

    missing = [
        text
        for text in _texts(module)
        if text not in NOT_SAID
        and not (len(text) > 15 and entry_of(text))
        and not all(
            piece.strip(" ;:,.()'") in shown
            for piece in re.split(r"%[sdr]", text)
            if " " in piece.strip()
        )
    ]

    assert missing == []


def test_what_is_not_said_is_in_the_code() -> None:
    assert {text for module in MODULES for text in _texts(module)} >= NOT_SAID
