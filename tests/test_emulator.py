"""The emulator, held to the truth by boto3 and the AWS CLI."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.operations import UUID, Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.operations import ApiRequest

REPOSITORY = Path(__file__).parents[1]
UNKNOWN_PORTAL = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with Emulator(asset_models=130, portals=24, projects_per_portal=9) as emulator:
        yield emulator


@contextlib.contextmanager
def sitewise(aws: Emulator, **changes: str | None) -> Iterator[Any]:
    arguments: dict[str, Any] = {
        "region_name": aws.region,
        "endpoint_url": aws.endpoint_url,
        "aws_access_key_id": aws.access_key_id,
        "aws_secret_access_key": aws.secret_access_key,
        **changes,
    }
    config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1})
    with contextlib.closing(
        boto3.client("iotsitewise", config=config, **arguments),
    ) as client:
        yield client


def as_boto3_has_it(record: dict[str, Any]) -> dict[str, Any]:
    dates: dict[str, Any] = {
        name: datetime.fromtimestamp(record[name], timezone.utc)
        for name in ("creationDate", "lastUpdateDate")
        if name in record
    }
    return {**record, **dates}


def error_code(failure: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = failure.value.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


@pytest.mark.parametrize("page_size", [1, 7, 50, 250])
def test_boto3_lists_the_whole_plant(aws: Emulator, page_size: int) -> None:
    paging: dict[str, int] = {"PageSize": page_size}
    with sitewise(aws) as client:
        models = [
            model
            for page in client.get_paginator("list_asset_models").paginate(
                PaginationConfig=paging,
            )
            for model in page["assetModelSummaries"]
        ]
        portals = [
            portal
            for page in client.get_paginator("list_portals").paginate(
                PaginationConfig=paging,
            )
            for portal in page["portalSummaries"]
        ]
        projects = {
            portal["id"]: [
                project
                for page in client.get_paginator("list_projects").paginate(
                    portalId=portal["id"],
                    PaginationConfig=paging,
                )
                for project in page["projectSummaries"]
            ]
            for portal in portals
        }
    assert models == list(map(as_boto3_has_it, aws.plant.asset_models))
    assert portals == list(map(as_boto3_has_it, aws.plant.portals))
    assert projects == {
        portal_id: list(map(as_boto3_has_it, records))
        for portal_id, records in aws.plant.projects.items()
    }
    assert (len(models), len(portals)) == (130, 24)
    assert sum(map(len, projects.values())) == 24 * 9


def aws_cli() -> str:
    found = os.environ.get("TAP_TEST_AWSCLI") or str(
        REPOSITORY / ".tools" / "awscli" / "bin" / "aws",
    )
    if not Path(found).is_file():
        pytest.fail(
            f"The AWS CLI is not at {found}: run `make test`, which installs it, or "
            "set TAP_TEST_AWSCLI to an `aws` executable.",
        )
    return found


def run_aws_cli(
    aws: Emulator,
    *arguments: str,
    secret: str | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [aws_cli(), "iotsitewise", *arguments, "--output", "json"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONUTF8": "1",
            "AWS_ACCESS_KEY_ID": aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret or aws.secret_access_key,
            "AWS_DEFAULT_REGION": aws.region,
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_the_aws_cli_lists_the_whole_plant(aws: Emulator) -> None:
    models = run_aws_cli(aws, "list-asset-models", "--page-size", "50")
    portals = run_aws_cli(aws, "list-portals", "--page-size", "7")
    portal = aws.plant.portals[3]["id"]
    projects = run_aws_cli(aws, "list-projects", "--portal-id", portal)
    assert [models.stderr, portals.stderr, projects.stderr] == ["", "", ""]
    assert json.loads(models.stdout) == {
        "assetModelSummaries": list(aws.plant.asset_models),
    }
    assert json.loads(portals.stdout) == {"portalSummaries": list(aws.plant.portals)}
    assert json.loads(projects.stdout) == {
        "projectSummaries": list(aws.plant.projects[portal]),
    }


def test_the_aws_cli_is_refused_with_a_wrong_secret(aws: Emulator) -> None:
    refused = run_aws_cli(aws, "list-portals", secret="wrong")  # noqa: S106 - made up
    assert refused.returncode != 0
    assert "(InvalidSignatureException)" in refused.stderr


def test_sitewise_is_served_over_tls_too(aws: Emulator) -> None:
    with sitewise(
        aws, endpoint_url=aws.tls_endpoint_url, verify=aws.ca_bundle
    ) as client:
        assert len(client.list_portals()["portalSummaries"]) == 24


def test_a_page_has_fifty_entities_when_no_size_is_asked_for(aws: Emulator) -> None:
    with sitewise(aws) as client:
        page = client.list_asset_models()
    assert len(page["assetModelSummaries"]) == 50
    assert "nextToken" in page


def test_the_last_page_has_no_token_even_when_it_is_full(aws: Emulator) -> None:
    with sitewise(aws) as client:
        page = client.list_portals(maxResults=24)
    assert len(page["portalSummaries"]) == 24
    assert "nextToken" not in page


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        (["ASSET_MODEL"], {"ASSET_MODEL", None}),
        (["COMPONENT_MODEL", "INTERFACE"], {"COMPONENT_MODEL", "INTERFACE"}),
        (["INTERFACE"], {"INTERFACE"}),
    ],
)
def test_asset_models_are_listed_by_type(
    aws: Emulator,
    kinds: list[Any],
    wanted: set[str | None],
) -> None:
    with sitewise(aws) as client:
        listed = [
            model["id"]
            for page in client.get_paginator("list_asset_models").paginate(
                assetModelTypes=kinds,
                PaginationConfig={"PageSize": 3},
            )
            for model in page["assetModelSummaries"]
        ]
    assert listed == [
        model["id"]
        for model in aws.plant.asset_models
        if model.get("assetModelType") in wanted
    ]


def test_a_token_is_good_for_its_own_listing_only(aws: Emulator) -> None:
    first, second = (portal["id"] for portal in aws.plant.portals[:2])
    with sitewise(aws) as client:
        token = client.list_projects(portalId=first, maxResults=2)["nextToken"]
        other = client.list_asset_models(maxResults=2)["nextToken"]
        assert client.list_projects(portalId=first, nextToken=token)
        with pytest.raises(ClientError) as another_portal:
            client.list_projects(portalId=second, nextToken=token)
        with pytest.raises(ClientError) as another_operation:
            client.list_portals(nextToken=token)
        with pytest.raises(ClientError) as another_filter:
            client.list_asset_models(nextToken=other, assetModelTypes=["INTERFACE"])
    for failure in (another_portal, another_operation, another_filter):
        assert error_code(failure) == ("InvalidRequestException", 400)


def test_a_token_of_another_emulator_is_refused(aws: Emulator) -> None:
    with Emulator(plant=aws.plant) as other, sitewise(other) as client:
        token = client.list_portals(maxResults=1)["nextToken"]
    with sitewise(aws) as client, pytest.raises(ClientError) as failure:
        client.list_portals(nextToken=token)
    assert error_code(failure) == ("InvalidRequestException", 400)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(token=st.text(min_size=1, max_size=60))
def test_any_made_up_token_is_refused_as_such(aws: Emulator, token: str) -> None:
    """Botocore's encoding of any text verifies, so it is the token that is refused."""
    with sitewise(aws) as client:
        encodable = token.encode(errors="replace").decode()
        with pytest.raises(ClientError, match="nextToken") as failure:
            client.list_portals(nextToken=encodable)
    assert error_code(failure) == ("InvalidRequestException", 400)


def test_an_unknown_portal_is_not_found(aws: Emulator) -> None:
    with sitewise(aws) as client, pytest.raises(ClientError) as failure:
        client.list_projects(portalId=UNKNOWN_PORTAL)
    assert error_code(failure) == ("ResourceNotFoundException", 404)
    assert UNKNOWN_PORTAL in str(failure.value)


def test_wrong_keys_are_refused(aws: Emulator) -> None:
    with (
        sitewise(aws, aws_access_key_id="AKIAUNKNOWN000000000") as client,
        pytest.raises(ClientError) as unknown,
    ):
        client.list_portals()
    with (
        sitewise(aws, aws_secret_access_key="wrong") as client,  # noqa: S106 - made up
        pytest.raises(ClientError) as wrong,
    ):
        client.list_portals()
    assert error_code(unknown) == ("UnrecognizedClientException", 403)
    assert error_code(wrong) == ("InvalidSignatureException", 403)
    assert "signature we calculated does not match" in str(wrong.value)


def test_a_signature_for_another_region_is_refused(aws: Emulator) -> None:
    with (
        sitewise(aws, region_name="us-east-1") as client,
        pytest.raises(ClientError, match="valid region") as failure,
    ):
        client.list_portals()
    assert error_code(failure) == ("InvalidSignatureException", 403)


@pytest.mark.parametrize(
    ("sign", "words"),
    [(1, "Signature expired: "), (-1, "Signature not yet current: ")],
)
def test_a_clock_that_is_five_minutes_off_is_refused(sign: int, words: str) -> None:
    # A minute from the limit, for what a request takes counts as well; the limit itself
    # is in test_emulator_wire.py.
    with Emulator(portals=1) as aws, sitewise(aws) as client:
        aws.clock_offset = sign * 240
        assert client.list_portals()
        aws.clock_offset = sign * 360
        with pytest.raises(ClientError, match=words) as failure:
            client.list_portals()
        assert error_code(failure) == ("InvalidSignatureException", 403)


def test_temporary_credentials_work_until_they_expire(aws: Emulator) -> None:
    begin = time.time()
    session = aws.issue_session(seconds=600)
    assert session.expires_at is not None
    assert begin + 600 <= session.expires_at <= time.time() + 600
    keys = {
        "aws_access_key_id": session.access_key_id,
        "aws_secret_access_key": session.secret_access_key,
        "aws_session_token": session.session_token,
    }
    with sitewise(aws, **keys) as client:
        assert client.list_portals()
        aws.expire_sessions()
        with pytest.raises(ClientError) as failure:
            client.list_portals()
    assert error_code(failure) == ("ExpiredTokenException", 403)


@pytest.mark.parametrize("token", [None, "another"])
def test_temporary_credentials_need_their_own_token(
    aws: Emulator,
    token: str | None,
) -> None:
    session = aws.issue_session()
    keys = {
        "aws_access_key_id": session.access_key_id,
        "aws_secret_access_key": session.secret_access_key,
        "aws_session_token": token,
    }
    with sitewise(aws, **keys) as client, pytest.raises(ClientError) as failure:
        client.list_portals()
    assert error_code(failure) == ("UnrecognizedClientException", 403)


def test_a_missing_permission_is_named(aws: Emulator) -> None:
    session = aws.issue_session(actions=["iotsitewise:ListPortals"])
    keys = {
        "aws_access_key_id": session.access_key_id,
        "aws_secret_access_key": session.secret_access_key,
        "aws_session_token": session.session_token,
    }
    portal = aws.plant.portals[0]["id"]
    with sitewise(aws, **keys) as client:
        assert client.list_portals()
        with pytest.raises(ClientError) as failure:
            client.list_projects(portalId=portal)
    assert error_code(failure) == ("AccessDeniedException", 403)
    message = failure.value.response["Error"]["Message"]
    assert message.startswith(
        f"User: {session.principal_arn} is not authorized to perform: "
        "iotsitewise:ListProjects on resource: "
        f"arn:aws:iotsitewise:{aws.region}:123456789012:portal/{portal}",
    )


def test_an_action_can_be_denied_to_everybody_and_allowed_again() -> None:
    with Emulator(portals=1) as aws, sitewise(aws) as client:
        aws.deny("iotsitewise:ListPortals")
        with pytest.raises(ClientError, match="iotsitewise:ListPortals"):
            client.list_portals()
        assert client.list_asset_models()
        aws.allow("iotsitewise:ListPortals")
        assert client.list_portals()


def test_a_listing_is_steady_while_the_plant_changes() -> None:
    with Emulator(asset_models=10) as aws, sitewise(aws) as client:
        before = [model["id"] for model in aws.plant.asset_models]
        page = client.list_asset_models(maxResults=4)
        seen = [model["id"] for model in page["assetModelSummaries"]]
        for gone in (before[0], before[3], before[4]):
            aws.plant.delete("asset_models", gone)
        added = aws.plant.add("asset_models")["id"]
        touched = aws.plant.touch("asset_models", before[6], at=1.5e9)
        assert touched["id"] == before[6]
        rest = client.list_asset_models(nextToken=page["nextToken"])
        seen += [model["id"] for model in rest["assetModelSummaries"]]
    assert seen == [*before[:4], *before[5:], added]
    [found] = [m for m in rest["assetModelSummaries"] if m["id"] == before[6]]
    assert found["lastUpdateDate"].timestamp() == 1.5e9


def test_a_portal_deleted_between_two_calls_is_not_found() -> None:
    with Emulator(portals=2, projects_per_portal=3) as aws, sitewise(aws) as client:
        portal = client.list_portals()["portalSummaries"][0]["id"]
        token = client.list_projects(portalId=portal, maxResults=1)["nextToken"]
        aws.plant.delete("portals", portal)
        assert len(client.list_portals()["portalSummaries"]) == 1
        with pytest.raises(ClientError) as failure:
            client.list_projects(portalId=portal, nextToken=token)
    assert error_code(failure) == ("ResourceNotFoundException", 404)


def test_requests_are_counted() -> None:
    with Emulator(portals=3, projects_per_portal=1) as aws, sitewise(aws) as client:
        client.list_portals(maxResults=2)
        with pytest.raises(ClientError):
            client.list_projects(portalId=UNKNOWN_PORTAL)
        for portal in aws.plant.portals:
            client.list_projects(portalId=portal["id"])
        assert aws.stats.requests == {"ListPortals": 1, "ListProjects": 4}
        assert aws.stats.successes == {"ListPortals": 1, "ListProjects": 3}
        assert aws.stats.errors == {"ResourceNotFoundException": 1}
        assert aws.stats.log[0] == ("ListPortals", "maxResults=2")
        assert aws.stats.total == 5
        aws.stats.reset()
        assert aws.stats.total == 0


def test_the_most_requests_in_flight_are_counted() -> None:
    with Emulator(portals=1) as aws, sitewise(aws) as client:
        aws.faults.hold = lambda: aws.stats.most_in_flight < 4
        threads = [threading.Thread(target=client.list_portals) for _ in range(4)]
        begin = int(time.monotonic())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = int(time.monotonic()) - begin + 1
        assert aws.stats.successes == {"ListPortals": 4}
        assert aws.stats.most_in_flight == 4
        # All of them in one second, if none passed meanwhile.
        assert 4 / seconds <= aws.stats.peak_per_second <= 4


def test_latency_makes_an_answer_late() -> None:
    with Emulator(portals=1) as aws, sitewise(aws) as client:
        aws.faults.latency = 0.1
        begin = time.monotonic()
        client.list_portals()
        assert time.monotonic() - begin >= 0.1


def broken_off(client: Any) -> None:  # noqa: ANN401 - botocore has no types
    with pytest.raises(ConnectionClosedError):
        client.list_portals()


def test_it_stops_whatever_is_in_flight_and_leaves_nothing_behind() -> None:
    threads = threading.enumerate()
    with Emulator() as aws:
        bundle = Path(aws.ca_bundle)
        assert bundle.read_text().startswith("-----BEGIN CERTIFICATE-----")
        aws.faults.latency = 3600
        with sitewise(aws) as client:
            hanging = threading.Thread(target=broken_off, args=(client,))
            hanging.start()
            aws.stats.wait_for(lambda: aws.stats.in_flight == 1)
            begin = time.monotonic()
    hanging.join(timeout=60)
    assert not hanging.is_alive()
    assert time.monotonic() - begin < 60
    assert not bundle.exists()
    assert set(threading.enumerate()) <= set(threads)


def test_a_port_that_is_taken_is_an_error() -> None:
    with Emulator() as first:
        port = int(first.endpoint_url.rpartition(":")[2])
        with pytest.raises(OSError, match=str(port)), Emulator(port=port):
            pytest.fail("The port was taken.")


def describe(request: ApiRequest) -> bytes:
    model = request.plant.find("asset_models", request.one("assetModelId") or "")
    answer = {"assetModelId": model["id"], "assetModelName": model["name"]}
    return json.dumps(answer).encode()


def latest_values(request: ApiRequest) -> bytes:
    asked = json.loads(request.body)
    entries = [{"entryId": entry["entryId"]} for entry in asked["entries"]]
    answer = {"skippedEntries": [], "errorEntries": [], "successEntries": entries}
    return json.dumps({**answer, "nextToken": asked.get("nextToken")}).encode()


def test_a_new_operation_needs_its_declaration_and_what_answers_it() -> None:
    declared = (
        Operation(
            "DescribeAssetModel",
            "/asset-models/{assetModelId}",
            describe,
            parameters=(Parameter("assetModelId", pattern=UUID),),
            resource="asset-model/{assetModelId}",
        ),
        Operation(
            "BatchGetAssetPropertyValue",
            "/properties/batch/latest",
            latest_values,
            method="POST",
        ),
    )
    with Emulator(operations=declared) as aws, sitewise(aws) as client:
        model = aws.plant.asset_models[3]
        described = client.describe_asset_model(assetModelId=model["id"])
        assert described["assetModelName"] == model["name"]
        values = client.batch_get_asset_property_value(
            entries=[{"entryId": "speed", "propertyAlias": "/line/1/speed"}],
            nextToken="next",
        )
        assert values["successEntries"] == [{"entryId": "speed"}]
        assert values["nextToken"] == "next"
        with pytest.raises(ClientError) as invalid:
            client.describe_asset_model(assetModelId="1" * 36)
        assert error_code(invalid) == ("InvalidRequestException", 400)
        # A parameter of the query does not replace that of the path.
        client.meta.events.register_first(
            "before-sign.iotsitewise.DescribeAssetModel",
            lambda request, **_: request.params.update(assetModelId="0" * 36),
        )
        described = client.describe_asset_model(assetModelId=model["id"])
        assert described["assetModelName"] == model["name"]
        aws.deny("iotsitewise:DescribeAssetModel")
        with pytest.raises(ClientError, match=f":asset-model/{model['id']} ") as denied:
            client.describe_asset_model(assetModelId=model["id"])
        assert error_code(denied) == ("AccessDeniedException", 403)
        with pytest.raises(ClientError) as unknown:
            client.list_portals()
        assert error_code(unknown) == ("UnknownOperationException", 404)
        assert aws.stats.successes == {
            "DescribeAssetModel": 2,
            "BatchGetAssetPropertyValue": 1,
        }
