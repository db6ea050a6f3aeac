"""The emulator's STS, asked by boto3, by the AWS CLI and by a raw client."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import boto3
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
)
from botocore.parsers import ResponseParserError
from hypothesis import given
from hypothesis import strategies as st

from emulator import Account, Answer, ApiError, Call, Emulator, Fault, PolicyError
from emulator.wildcards import matches, matches_arn
from tests.conftest import ROOT, clean_environment
from tests.test_emulator_roles_anywhere import create_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from botocore.client import BaseClient

OWN = "123456789012"
OTHER = "111122223333"
EXTERNAL_ID = "plant-7/reader"
READER = f"arn:aws:iam::{OWN}:role/PlantReader"
USER = {"access_key_id": "AKIAOTHERACCOUNT0001", "secret": "user's secret"}
ROLE = {"access_key_id": "ASIAOTHERACCOUNT0002", "secret": "role's secret"}
STRANGER = {"access_key_id": "AKIAOTHERACCOUNT0003", "secret": "stranger's secret"}


def policy(**statement: object) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", **statement}],
    }


def trust(principal: object, **more: object) -> dict[str, object]:
    return policy(Principal=principal, Action="sts:AssumeRole", **more)


def role(name: str, document: object, **more: object) -> dict[str, object]:
    return {"RoleName": name, "AssumeRolePolicyDocument": document, **more}


CHAINING = ["sts:AssumeRole", "sts:SetSourceIdentity"]
MAY_ASSUME = policy(Action="sts:AssumeRole", Resource=f"arn:aws:iam::{OWN}:role/*")
CONTENT: dict[str, Any] = {
    "Roles": [
        role(
            "PlantReader",
            trust(
                {"AWS": f"arn:aws:iam::{OTHER}:root"},
                Condition={"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
            ),
            Policies=[policy(Action="iotsitewise:ListPortals", Resource="*")],
            MaxSessionDuration=7200,
        ),
        role("Anything", trust({"AWS": [OTHER, OWN]}), MaxSessionDuration=43200),
        role(
            "Chained",
            policy(Principal={"AWS": [OTHER, OWN]}, Action=CHAINING),
            MaxSessionDuration=43200,
        ),
        role("ForUser", trust({"AWS": f"arn:aws:iam::{OTHER}:user/loader"})),
        role(
            "ForRole",
            trust({"AWS": f"arn:aws:iam::{OTHER}:role/etl/Loader"}),
            Path="/plants/",
        ),
        role(
            "ForSession",
            trust({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/Loader/nightly"}),
        ),
        role("Own", trust({"AWS": f"arn:aws:iam::{OWN}:role/Reader"})),
        role(
            "NamedLike",
            trust(
                "*",
                Condition={
                    "StringLike": {"sts:RoleSessionName": "tap-*"},
                    "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/load*"},
                    "StringNotEquals": {"sts:ExternalId": "wrong"},
                    "StringEqualsIfExists": {"aws:PrincipalTag/team": "plant"},
                    "Null": {"aws:SourceArn": "true"},
                    "Bool": {"aws:SecureTransport": "false"},
                },
            ),
        ),
        role(
            "Denied",
            {
                "Statement": [
                    trust("*")["Statement"][0],  # type: ignore[index]
                    {
                        "Effect": "Deny",
                        "Principal": {"AWS": OTHER},
                        "Action": "sts:*",
                    },
                ]
            },
        ),
        role("ForService", trust({"Service": "rolesanywhere.amazonaws.com"})),
        role(
            "Limited",
            trust({"AWS": OWN}),
            Policies=[
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "NotAction": "iotsitewise:ListPortals",
                            "Resource": ["*", "arn:aws:iotsitewise:*"],
                        },
                        {
                            "Sid": "NoProjects",
                            "Effect": "Deny",
                            "Action": ["IoTSiteWise:list?rojects"],
                            "Resource": f"arn:aws:iotsitewise:*:{OWN}:portal/*",
                        },
                    ],
                }
            ],
        ),
    ],
    "Callers": [
        {
            "Arn": f"arn:aws:iam::{OTHER}:user/loader",
            "AccessKeyId": USER["access_key_id"],
            "SecretAccessKey": USER["secret"],
            "Policies": [
                MAY_ASSUME,
                policy(Action="iotsitewise:*", Resource="*"),
                {
                    "Statement": {
                        "Effect": "Deny",
                        "Action": "sts:AssumeRole",
                        "Resource": f"arn:aws:iam::{OWN}:role/ForService",
                    }
                },
            ],
        },
        {
            "Arn": f"arn:aws:iam::{OTHER}:role/etl/Loader",
            "AccessKeyId": ROLE["access_key_id"],
            "SecretAccessKey": ROLE["secret"],
            "SessionToken": "role's token",
            "RoleSessionName": "nightly",
            "Policies": [MAY_ASSUME],
        },
        {
            "Arn": "arn:aws:iam::444455556666:user/stranger",
            "AccessKeyId": STRANGER["access_key_id"],
            "SecretAccessKey": STRANGER["secret"],
        },
    ],
}


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    with Emulator(portals=3, roles=CONTENT) as emulator:
        yield emulator


@pytest.fixture
def aws(served: Emulator) -> Iterator[Emulator]:
    yield served
    served.faults.clear()
    served.stats.reset()
    served.allow("sts:AssumeRole")
    served.assume_role_lifetime.session_seconds = None
    served.assume_role_lifetime.reported_seconds = None


CONFIG = Config(inject_host_prefix=False, retries={"total_max_attempts": 1})


@contextlib.contextmanager
def client(
    aws: Emulator,
    service: str,
    *,
    access_key_id: str | None = None,
    secret: str | None = None,
    token: str | None = None,
    **options: Any,  # noqa: ANN401 - boto3's
) -> Iterator[Any]:
    """A client of boto3, with the keys of the account's own user if none are given."""
    made: BaseClient = boto3.client(
        service,
        region_name=options.pop("region_name", aws.region),
        endpoint_url=options.pop("endpoint_url", aws.endpoint_url),
        aws_access_key_id=access_key_id or aws.access_key_id,
        aws_secret_access_key=secret or aws.secret_access_key,
        aws_session_token=token,
        config=options.pop("config", CONFIG),
        **options,
    )
    with contextlib.closing(made):
        yield made


def session_keys(answer: dict[str, Any]) -> dict[str, str]:
    keys = answer["Credentials"]
    return {
        "access_key_id": keys["AccessKeyId"],
        "secret": keys["SecretAccessKey"],
        "token": keys["SessionToken"],
    }


def assume(
    aws: Emulator, keys: dict[str, str], role_name: str, **parameters: object
) -> dict[str, Any]:
    sent: dict[str, object] = {"RoleSessionName": "tap-test", **parameters}
    with client(aws, "sts", **keys) as sts:
        found: dict[str, Any] = sts.assume_role(
            RoleArn=aws.assumable_roles[role_name], **sent
        )
        return found


def refused(failure: pytest.ExceptionInfo[ClientError]) -> tuple[int, str, str]:
    response = failure.value.response
    error = response["Error"]
    assert error["Type"] == "Sender"
    metadata = response["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    return metadata["HTTPStatusCode"], error["Code"], error["Message"]


AS_ROLE = {**ROLE, "token": "role's token"}


# What succeeds


def test_a_caller_of_another_account_reads_the_plant_through_a_role(
    aws: Emulator,
) -> None:
    before = datetime.now(timezone.utc)
    answer = assume(aws, USER, "PlantReader", ExternalId=EXTERNAL_ID)
    user = answer["AssumedRoleUser"]
    assert user["Arn"] == f"arn:aws:sts::{OWN}:assumed-role/PlantReader/tap-test"
    assert user["AssumedRoleId"].startswith("AROA")
    lifetime = answer["Credentials"]["Expiration"] - before
    assert timedelta(seconds=3599) <= lifetime <= timedelta(seconds=3660)

    session = session_keys(answer)
    with client(aws, "iotsitewise", **session) as sitewise:
        assert len(sitewise.list_portals()["portalSummaries"]) == 3
        with pytest.raises(ClientError) as failure:
            sitewise.list_asset_models()
    assert failure.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"User: {user['Arn']} is not authorized to perform: "
        "iotsitewise:ListAssetModels on resource: * because no identity-based policy "
        "allows the iotsitewise:ListAssetModels action",
    }
    with client(aws, "sts", **session) as sts:
        identity = sts.get_caller_identity()
    assert identity["UserId"] == user["AssumedRoleId"]
    assert (identity["Account"], identity["Arn"]) == (OWN, user["Arn"])
    assert aws.stats.successes == {
        "AssumeRole": 1,
        "ListPortals": 1,
        "GetCallerIdentity": 1,
    }
    [(name, sent), *_] = aws.stats.log
    assert name == "AssumeRole"
    assert f"ExternalId={EXTERNAL_ID.replace('/', '%2F')}" in sent


def test_sts_is_served_over_tls_too(aws: Emulator) -> None:
    options = {"endpoint_url": aws.tls_endpoint_url, "verify": aws.ca_bundle}
    with client(aws, "sts", **USER, **options) as sts:
        identity = sts.get_caller_identity()
        # Its trust policy asks for plain HTTP.
        with pytest.raises(ClientError, match="not authorized"):
            sts.assume_role(
                RoleArn=aws.assumable_roles["NamedLike"], RoleSessionName="tap-test"
            )
    assert identity["Arn"] == f"arn:aws:iam::{OTHER}:user/loader"
    assert identity["UserId"].startswith("AIDA")


def test_the_answers_have_the_members_of_the_service_model(aws: Emulator) -> None:
    model = botocore.session.get_session().get_service_model("sts")
    with client(aws, "sts", **USER) as sts:
        answers = {
            "AssumeRole": assume(aws, USER, "ForUser"),
            "GetCallerIdentity": sts.get_caller_identity(),
        }
    for name, answer in answers.items():
        shape = model.operation_model(name).output_shape
        del answer["ResponseMetadata"]
        assert set(answer) <= set(shape.members)
        for member, value in answer.items():
            if isinstance(value, dict):
                assert set(value) == set(shape.members[member].required_members)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (USER, "Anything"),
        (USER, "ForUser"),
        (USER, "NamedLike"),
        (AS_ROLE, "ForRole"),
        (AS_ROLE, "ForSession"),
        ({}, "Anything"),
    ],
)
def test_a_principal_that_the_trust_policy_means_is_let_in(
    aws: Emulator, keys: dict[str, str], name: str
) -> None:
    answer = assume(aws, keys, name)
    with client(aws, "iotsitewise", **session_keys(answer)) as sitewise:
        assert len(sitewise.list_portals()["portalSummaries"]) == 3
    # The path of a role is not in the ARN of its sessions.
    assert answer["AssumedRoleUser"]["Arn"].endswith(f":assumed-role/{name}/tap-test")


def test_a_trust_policy_that_names_a_role_of_the_account_is_enough(
    aws: Emulator,
) -> None:
    own = aws.issue_session(actions=["iotsitewise:ListPortals"])
    keys = {
        "access_key_id": own.access_key_id,
        "secret": own.secret_access_key,
        "token": str(own.session_token),
    }
    assert assume(aws, keys, "Own")
    # This one names the account, which has not allowed it.
    with pytest.raises(ClientError) as failure:
        assume(aws, keys, "Anything")
    assert refused(failure)[:2] == (403, "AccessDenied")


def test_policies_of_a_role_can_deny_and_are_matched_with_wildcards(
    aws: Emulator,
) -> None:
    portal = aws.plant.portals[0]["id"]
    with client(
        aws, "iotsitewise", **session_keys(assume(aws, {}, "Limited"))
    ) as sitewise:
        assert sitewise.list_asset_models()
        with pytest.raises(ClientError, match="because no identity-based policy"):
            sitewise.list_portals()
        with pytest.raises(ClientError) as failure:
            sitewise.list_projects(portalId=portal)
    message = failure.value.response["Error"]["Message"]
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_in_its_own_account_a_caller_finds_nothing(aws: Emulator) -> None:
    with client(aws, "iotsitewise", **USER) as sitewise:
        assert sitewise.list_portals()["portalSummaries"] == []
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            sitewise.list_projects(portalId=aws.plant.portals[0]["id"])
    with (
        client(aws, "iotsitewise", **STRANGER) as sitewise,
        pytest.raises(ClientError, match="AccessDeniedException") as failure,
    ):
        sitewise.list_projects(portalId=aws.plant.portals[0]["id"])
    resource = f"arn:aws:iotsitewise:{aws.region}:444455556666:portal/"
    assert resource in failure.value.response["Error"]["Message"]


def test_the_aws_cli_assumes_a_role(aws: Emulator) -> None:
    done = subprocess.run(
        [
            ROOT / ".tools" / "awscli" / "bin" / "aws",
            *("sts", "assume-role", "--output", "json"),
            *("--role-arn", READER, "--role-session-name", "from-cli"),
            *("--external-id", EXTERNAL_ID),
        ],
        env=clean_environment(
            AWS_ACCESS_KEY_ID=USER["access_key_id"],
            AWS_SECRET_ACCESS_KEY=USER["secret"],
            AWS_DEFAULT_REGION=aws.region,
            AWS_ENDPOINT_URL=aws.endpoint_url,
        ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    arn = json.loads(done.stdout)["AssumedRoleUser"]["Arn"]
    assert arn.endswith("/from-cli")


# What is refused


@pytest.mark.parametrize(
    ("keys", "name", "parameters"),
    [
        (USER, "PlantReader", {}),
        (USER, "PlantReader", {"ExternalId": EXTERNAL_ID.upper()}),
        (USER, "ForRole", {}),
        (USER, "ForSession", {}),
        (USER, "NamedLike", {"RoleSessionName": "nightly"}),
        (USER, "NamedLike", {"ExternalId": "wrong"}),
        (AS_ROLE, "ForUser", {}),
        (AS_ROLE, "NamedLike", {}),
        (STRANGER, "Anything", {}),
        (STRANGER, "Denied", {}),
        ({}, "ForUser", {}),
        ({}, "ForService", {}),
    ],
)
def test_what_is_not_allowed_is_refused_with_one_message(
    aws: Emulator, keys: dict[str, str], name: str, parameters: dict[str, str]
) -> None:
    with client(aws, "sts", **keys) as sts:
        caller = sts.get_caller_identity()["Arn"]
    with pytest.raises(ClientError) as failure:
        assume(aws, keys, name, **parameters)
    assert refused(failure) == (
        403,
        "AccessDenied",
        (
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: "
            f"{aws.assumable_roles[name]}"
        ),
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("Denied", "a resource"), ("ForService", "an identity")]
)
def test_an_explicit_deny_is_named(aws: Emulator, name: str, kind: str) -> None:
    with pytest.raises(ClientError) as failure:
        assume(aws, USER, name)
    assert refused(failure)[2].endswith(f"with an explicit deny in {kind}-based policy")


def test_a_role_that_does_not_exist_or_is_denied_to_all_is_refused_alike(
    aws: Emulator,
) -> None:
    with client(aws, "sts", **USER) as sts, pytest.raises(ClientError) as failure:
        sts.assume_role(RoleArn=f"{READER}s", RoleSessionName="tap-test")
    unknown = refused(failure)
    assert unknown[:2] == (403, "AccessDenied")
    aws.deny("sts:AssumeRole")
    with pytest.raises(ClientError) as failure:
        assume(aws, USER, "PlantReader", ExternalId=EXTERNAL_ID)
    assert refused(failure) == (*unknown[:2], unknown[2].removesuffix("s"))


TOO_LONG = "The requested DurationSeconds exceeds the"


@pytest.mark.parametrize(
    ("keys", "name", "seconds", "message"),
    [
        (
            USER,
            "PlantReader",
            7201,
            f"{TOO_LONG} MaxSessionDuration set for this role.",
        ),
        (
            AS_ROLE,
            "Anything",
            3601,
            f"{TOO_LONG} 1 hour session limit for roles assumed by role chaining.",
        ),
    ],
)
def test_a_session_that_would_last_too_long_is_refused(
    aws: Emulator, keys: dict[str, str], name: str, seconds: int, message: str
) -> None:
    with pytest.raises(ClientError) as failure:
        assume(aws, keys, name, DurationSeconds=seconds, ExternalId=EXTERNAL_ID)
    assert refused(failure) == (400, "ValidationError", message)
    assert assume(aws, keys, name, DurationSeconds=seconds - 1, ExternalId=EXTERNAL_ID)


def test_a_session_of_roles_anywhere_is_chained(aws: Emulator) -> None:
    _, _, answer = create_session(aws, aws.issue_certificate())
    found = answer["credentialSet"][0]["credentials"]
    keys = {
        "access_key_id": found["accessKeyId"],
        "secret": found["secretAccessKey"],
        "token": found["sessionToken"],
    }
    with pytest.raises(ClientError, match="role chaining"):
        assume(aws, keys, "Chained", DurationSeconds=3601)
    session = session_keys(assume(aws, keys, "Chained"))
    # The role of this session allows nothing of STS, and the trust policy of the next
    # one names its account only.
    with pytest.raises(ClientError) as failure:
        assume(aws, session, "Chained")
    assert refused(failure)[1] == "AccessDenied"


def test_a_source_identity_needs_a_permission_in_both_policies() -> None:
    may_chain = policy(Action=CHAINING, Resource="*")
    deny = {"Effect": "Deny", "Action": CHAINING[1], "Resource": "*"}
    allow = {"Effect": "Allow", "Action": CHAINING, "Resource": "*"}
    denied: dict[str, object] = {"Statement": [allow, deny]}
    for own, name, may in (
        (may_chain, "Chained", True),
        (may_chain, "Anything", False),
        (MAY_ASSUME, "Chained", False),
        (denied, "Chained", False),
    ):
        reader = role(
            "SiteWiseReader",
            trust({"Service": "rolesanywhere.amazonaws.com"}),
            Policies=[own],
        )
        # The principal of the role. In one account, that is enough for AssumeRole.
        principal = {"AWS": f"arn:aws:iam::{OWN}:role/SiteWiseReader"}
        others = [
            role("Anything", trust(principal)),
            role(
                "Chained",
                policy(Principal=principal, Action=CHAINING),
                Policies=[may_chain],
            ),
            role("Next", trust({"AWS": OWN})),
        ]
        with Emulator(portals=1, roles={"Roles": [reader, *others]}) as aws:
            _, _, answer = create_session(aws, aws.issue_certificate())
            found = answer["credentialSet"][0]["credentials"]
            keys = {
                "access_key_id": found["accessKeyId"],
                "secret": found["secretAccessKey"],
                "token": found["sessionToken"],
            }
            refusal = pytest.raises(ClientError, match="perform: sts:SetSourceIdentity")
            with contextlib.nullcontext() if may else refusal:
                session = session_keys(assume(aws, keys, name))
            if may:
                # The identity stays with the next session.
                with refusal:
                    assume(aws, session, "Next")


def test_a_session_of_roles_anywhere_has_the_permissions_of_its_role() -> None:
    document = trust(
        {"Service": "rolesanywhere.amazonaws.com"},
        Condition={"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "tap"}},
    )
    reader = role(
        "SiteWiseReader",
        document,
        Policies=[policy(Action=CHAINING, Resource="arn:aws:iam::*")],
    )
    chained = role("Anything", policy(Principal={"AWS": OWN}, Action=CHAINING))
    content = {"Roles": [reader, chained]}
    with Emulator(portals=1, roles=content) as aws:
        _, _, answer = create_session(aws, aws.issue_certificate())
        found = answer["credentialSet"][0]["credentials"]
        keys = {
            "access_key_id": found["accessKeyId"],
            "secret": found["secretAccessKey"],
            "token": found["sessionToken"],
        }
        with (
            client(aws, "iotsitewise", **keys) as sitewise,
            pytest.raises(ClientError, match="not authorized"),
        ):
            sitewise.list_portals()
        assumed = session_keys(assume(aws, keys, "Anything"))
        with client(aws, "iotsitewise", **assumed) as sitewise:
            assert len(sitewise.list_portals()["portalSummaries"]) == 1


WRONG = [
    ({"DurationSeconds": 899}, "Value '899' at 'durationSeconds'", "equal to 900"),
    ({"DurationSeconds": 43201}, "'43201' at 'durationSeconds'", "equal to 43200"),
    ({"DurationSeconds": "1h"}, "'1h' at 'durationSeconds'", "integer"),
    ({"RoleSessionName": None}, "Value null at 'roleSessionName'", "not be null"),
    ({"RoleSessionName": "a b"}, "Value 'a b' at", r"pattern: [\w+=,.@-]*"),
    ({"RoleSessionName": "é" * 3}, "at 'roleSessionName'", "pattern"),
    ({"ExternalId": "a;b"}, "Value 'a;b' at", r"pattern: [\w+=,.@:\/-]*"),
    ({"RoleArn": None}, "Value null at 'roleArn'", "not be null"),
    ({"RoleArn": "arn:x"}, "Value 'arn:x' at 'roleArn'", "equal to 20"),
    ({"RoleArn": "PlantReader of 123456789012"}, "Request ARN is invalid", ""),
    ({"RoleArn": f"arn:aws:iam::{OWN}:user/loader"}, "Request ARN is invalid", ""),
    ({"RoleArn": "", "RoleSessionName": ""}, "3 validation errors detected: ", "; "),
    ({"Policy": "{}"}, "does not support the parameter Policy", ""),
    ({"Tags.member.1.Key": "a"}, "does not support the parameter Tags", ""),
]


@pytest.mark.parametrize(("changed", "words", "rule"), WRONG)
def test_a_wrong_parameter_is_refused(
    aws: Emulator, changed: dict[str, object], words: str, rule: str
) -> None:
    sent = {"RoleArn": READER, "RoleSessionName": "tap", **changed}
    answer = post(aws, {"Action": "AssumeRole", "Version": "2011-06-15", **sent})
    status, code, message = raw_refusal(answer)
    assert (status, code) == (400, "ValidationError")
    assert words in message
    assert rule in message


@pytest.mark.parametrize("name", ["RoleArn", "RoleSessionName", "ExternalId"])
def test_the_limits_are_those_of_the_service_model(aws: Emulator, name: str) -> None:
    model = botocore.session.get_session().get_service_model("sts")
    shape = model.operation_model("AssumeRole").input_shape
    limits = shape.members[name].metadata
    required = name in shape.required_members
    for value, words in (
        ("a" * (limits["min"] - 1), f"greater than or equal to {limits['min']}"),
        ("a" * (limits["max"] + 1), f"less than or equal to {limits['max']}"),
        ("\0" * limits["min"], limits["pattern"]),
        (None, "not be null" if required else "not authorized"),
    ):
        sent = {"RoleArn": READER, "RoleSessionName": "tap", name: value}
        answer = post(aws, {"Action": "AssumeRole", "Version": "2011-06-15", **sent})
        assert words in raw_refusal(answer)[2]


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        (
            {"Action": "AssumeRoot", "Version": "2011-06-15"},
            "InvalidAction",
            "Could not find operation AssumeRoot for version 2011-06-15",
        ),
        (
            {"Action": "AssumeRole"},
            "InvalidAction",
            "Could not find operation AssumeRole for version NO_VERSION_SPECIFIED",
        ),
        ({"Version": "2011-06-15"}, "MissingAction", "Missing Action"),
    ],
)
def test_an_unknown_action_is_refused(
    aws: Emulator, parameters: dict[str, object], code: str, message: str
) -> None:
    assert raw_refusal(post(aws, parameters)) == (400, code, message)
    assert aws.stats.errors == {code: 1}


def test_wrong_keys_are_refused(aws: Emulator) -> None:
    issued = session_keys(assume(aws, USER, "ForUser"))
    aws.expire_sessions()
    for keys, status, code, words in (
        ({**USER, "secret": "wrong"}, 403, "SignatureDoesNotMatch", "does not match"),
        ({**USER, "access_key_id": "AKIA" + "A" * 16}, 403, "InvalidClientTokenId", ""),
        (ROLE, 403, "InvalidClientTokenId", "is invalid."),
        ({**USER, "token": "none"}, 403, "InvalidClientTokenId", "is invalid."),
        (issued, 403, "ExpiredToken", "is expired"),
        ({**USER, "region_name": "us-east-1"}, 403, "SignatureDoesNotMatch", "region"),
    ):
        with client(aws, "sts", **keys) as sts, pytest.raises(ClientError) as failure:
            sts.get_caller_identity()
        assert refused(failure)[:2] == (status, code)
        assert words in refused(failure)[2]
    # The keys of a caller do not expire with those that the emulator issued.
    assert assume(aws, AS_ROLE, "ForRole")
    with (
        client(aws, "iotsitewise", **issued) as sitewise,
        pytest.raises(ClientError, match="ExpiredTokenException"),
    ):
        sitewise.list_portals()


def test_a_signature_is_good_for_its_body_and_service(aws: Emulator) -> None:
    parameters = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    assert post(aws, parameters)[0] == 200
    changed = post(aws, parameters, sent={**parameters, "More": "x"})
    assert raw_refusal(changed)[:2] == (403, "SignatureDoesNotMatch")
    other = post(aws, parameters, service="iotsitewise")
    assert raw_refusal(other)[:2] == (403, "SignatureDoesNotMatch")
    assert "service: 'sts'" in raw_refusal(other)[2]
    unsigned = post(aws, parameters, signed=False)
    assert raw_refusal(unsigned)[:2] == (403, "MissingAuthenticationToken")


Raw = tuple[int, dict[str, str], bytes]


def post(
    aws: Emulator,
    parameters: Mapping[str, object],
    *,
    sent: Mapping[str, object] | None = None,
    service: str = "sts",
    signed: bool = True,
) -> Raw:
    """Send what botocore would not send."""
    kept = {name: value for name, value in parameters.items() if value is not None}
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest(
        "POST", f"{aws.endpoint_url}/", headers=headers, data=urlencode(kept)
    )
    if signed:
        credentials = Credentials(USER["access_key_id"], USER["secret"])
        SigV4Auth(credentials, service, aws.region).add_auth(request)
    host = aws.endpoint_url.removeprefix("http://")
    body = urlencode(kept if sent is None else sent)
    with contextlib.closing(http.client.HTTPConnection(host, timeout=60)) as line:
        line.request("POST", "/", body, dict(request.headers.items()))
        response = line.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return response.status, names, response.read()


def raw_refusal(answer: Raw) -> tuple[int, str, str]:
    status, headers, body = answer
    assert headers["content-type"].startswith("text/xml")
    root = ET.fromstring(body)  # noqa: S314 - the emulator's
    space = "{https://sts.amazonaws.com/doc/2011-06-15/}"
    assert root.tag == f"{space}ErrorResponse"
    assert root.findtext(f"{space}RequestId") == headers["x-amzn-requestid"]
    error = {each.tag.removeprefix(space): each.text or "" for each in root[0]}
    assert list(error) == ["Type", "Code", "Message"]
    return status, error["Code"], error["Message"]


# Faults and lifetimes


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.THROTTLE, 400, "Throttling"),
        (Fault.UNAVAILABLE, 503, "ServiceUnavailable"),
        (Fault.INTERNAL_FAILURE, 500, "InternalFailure"),
        (Fault.ACCESS_DENIED, 403, "AccessDenied"),
        (Fault.EXPIRED_TOKEN, 403, "ExpiredToken"),
        (ApiError("NewException", "never <seen>", 418), 418, "NewException"),
    ],
)
def test_assume_role_fails_on_demand(
    aws: Emulator, fault: Fault | ApiError, status: int, code: str
) -> None:
    aws.faults.fail_next("AssumeRole", fault)
    with pytest.raises(ClientError) as failure:
        assume(aws, USER, "ForUser")
    response = failure.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["Error"]["Code"] == code
    sender = "Receiver" if status >= 500 else "Sender"
    assert response["Error"]["Type"] == sender
    assert aws.stats.errors == {code: 1}
    assert assume(aws, USER, "ForUser")


def test_the_body_of_assume_role_can_be_spoiled(aws: Emulator) -> None:
    for fault, failure in (
        (Fault.CUT_SHORT, ResponseParserError),
        (Fault.NOT_JSON, ResponseParserError),
        (Answer(200, b"<html>", "text/html"), ResponseParserError),
        (Answer(503, b"<h1>Busy</h1>", "text/html"), ClientError),
        (Fault.BAD_GATEWAY, ClientError),
        (Fault.DROP, ConnectionClosedError),
        (Fault.DROP_IN_BODY, ResponseParserError),
    ):
        aws.faults.fail_next("AssumeRole", fault)
        with pytest.raises(failure):
            assume(aws, USER, "ForUser")
    assert aws.stats.requests == {"AssumeRole": 7}


def test_a_hook_sees_the_parameters_of_assume_role(aws: Emulator) -> None:
    calls: list[Call] = []
    aws.faults.before("AssumeRole", calls.append)
    assume(aws, USER, "ForUser", DurationSeconds=900)
    [call] = calls
    assert call.parameter("RoleSessionName") == "tap-test"
    assert call.parameter("DurationSeconds") == "900"


def test_credentials_can_end_sooner_than_asked_for_and_than_reported(
    aws: Emulator,
) -> None:
    aws.assume_role_lifetime.session_seconds = 300
    aws.assume_role_lifetime.reported_seconds = 1800
    answer = assume(aws, USER, "ForUser")
    left = answer["Credentials"]["Expiration"] - datetime.now(timezone.utc)
    assert timedelta(seconds=1700) < left <= timedelta(seconds=1800)
    assert (aws.issued_sessions[-1].expires_at or 0) <= time.time() + 300


# Policies and files


def changed(place: list[str | int], value: object) -> dict[str, Any]:
    """The content with another value at a place; None removes what is there."""
    content = copy.deepcopy(CONTENT)
    within: Any = content
    for each in place[:-1]:
        within = within[each]
    if value is None:
        del within[place[-1]]
    else:
        within[place[-1]] = value
    return content


FIRST: list[str | int] = ["Roles", 0]
TRUST: list[str | int] = [*FIRST, "AssumeRolePolicyDocument", "Statement", 0]
RULE: list[str | int] = [*FIRST, "Policies", 0, "Statement", 0]
CALLER: list[str | int] = ["Callers", 0]
AT = "Roles[0].AssumeRolePolicyDocument.Statement[0]"


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (["Users"], [], "The file has unknown members: Users"),
        (["Roles"], {}, "Roles must be a list"),
        ([*FIRST, "RoleName"], None, "Roles[0].RoleName is missing or malformed"),
        ([*FIRST, "RoleName"], "Any thing", "Roles[0].RoleName"),
        ([*FIRST, "RoleName"], "ANYTHING", "RoleName anything must be unique"),
        ([*FIRST, "Path"], "plants", "Roles[0].Path"),
        ([*FIRST, "MaxSessionDuration"], 3599, "from 3600 to 43200"),
        ([*FIRST, "AssumeRolePolicyDocument"], None, "is missing"),
        ([*TRUST[:3], "Version"], "2012-10-18", "Version: use 2012-10-17"),
        ([*TRUST[:3], "Statement"], [], "Statement must not be empty"),
        ([*TRUST, "Sid"], "a b", "the Sid 'a b' must be unique"),
        ([*TRUST, "Effect"], "allow", f"{AT}.Effect must be Allow or Deny"),
        ([*TRUST, "Resource"], "*", "a trust policy must not have Resource"),
        ([*TRUST, "Action"], "iam:GetRole", "actions of STS only: iam:GetRole"),
        ([*TRUST, "Principal"], None, "Principal must be an object"),
        ([*TRUST, "Principal"], {}, "Principal must not be empty"),
        ([*TRUST, "Principal"], {"Aws": "*"}, "Aws is unknown; use AWS"),
        ([*TRUST, "Principal"], {"AWS": "12345"}, "'12345' is not a principal"),
        ([*TRUST, "Principal"], {"AWS": f"arn:aws-cn:iam::{OTHER}:root"}, "partition"),
        ([*TRUST, "Principal"], {"AWS": f"arn:aws:iam::{OTHER}:user/*"}, "not a princ"),
        ([*TRUST, "Condition"], {"StringSame": {}}, f"{AT}.Condition.StringSame: the"),
        (
            [*TRUST, "Condition"],
            {"StringEquals": {"sts:ExternalID": "a", "sts:External": "a"}},
            f"{AT}.Condition.StringEquals: the key sts:External is unknown",
        ),
        (
            [*TRUST, "Condition"],
            {"Bool": {"aws:SecureTransport": "yes"}},
            "true or fal",
        ),
        (
            [*TRUST, "Condition"],
            {"StringLike": {"sts:ExternalId": "${x}"}},
            "variables",
        ),
        ([*RULE, "Principal"], "*", "has unknown members: Principal"),
        ([*RULE, "Resource"], None, "must have either Resource or NotResource"),
        ([*RULE, "Resource"], "portal/*", "must be an ARN or *"),
        ([*RULE, "Resource"], "arn:aws:iot*:*", "wildcard for the service"),
        ([*RULE, "Action"], "ListPortals", "is not an action"),
        ([*RULE, "Action"], [], "must be a string or a list of strings"),
        ([*RULE, "NotAction"], "sts:*", "must have either Action or NotAction"),
        ([*CALLER, "Arn"], f"arn:aws:iam::{OWN}:user/a", "another account than"),
        (
            [*CALLER, "Arn"],
            f"arn:aws:iam::{OTHER}:role/a",
            "SessionToken is for a role",
        ),
        ([*CALLER, "AccessKeyId"], ROLE["access_key_id"], "must be unique"),
        ([*CALLER, "AccessKeyId"], "AKIAIOSFODNN7EXAMPLE", "must be unique"),
        ([*CALLER, "SecretAccessKey"], "", "Callers[0].SecretAccessKey is missing"),
    ],
)
def test_a_malformed_file_is_refused_with_the_place(
    place: list[str | int], value: object, words: str
) -> None:
    with pytest.raises(PolicyError) as failure:
        Emulator(asset_models=0, portals=0, roles=changed(place, value))
    assert words in str(failure.value)


def test_roles_are_of_the_partition_of_the_region() -> None:
    document = trust({"AWS": f"arn:aws-cn:iam::{OTHER}:root"})
    aws = Emulator(
        portals=0, account=Account("cn-north-1"), roles={"Roles": [role("A", document)]}
    )
    assert aws.assumable_roles == {"A": f"arn:aws-cn:iam::{OWN}:role/A"}


TEXTS = st.text(alphabet="ab*?:/é\n", max_size=8)


@given(text=TEXTS, start=st.integers(0, 8), end=st.integers(0, 8))
def test_a_wildcard_stands_for_any_text(text: str, start: int, end: int) -> None:
    start, end = sorted((start, end))
    assert matches(text[:start] + "*" + text[end:], text)
    assert matches(text[:start] + "?" * len(text[start:end]) + text[end:], text)
    plain = text.replace("*", "").replace("?", "")
    assert matches(plain, text) == (plain == text)
    assert not matches(text + "?" + "*", text.replace("*", "")[:0])


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*", True),
        ("arn:aws:iotsitewise", True),
        ("arn:aws:iotsitewise:*", True),
        ("arn:aws:iotsitewise:eu-*:1:portal/x", True),
        ("arn:aws:iotsitewise:*:*:portal/?", True),
        ("arn:aws:iotsitewise:e*1:1:portal/x", True),
        ("arn:aws:iotsitewise:e*l/x", False),
        ("arn:aws:iotsitewise:eu-west-?:?:PORTAL/x", False),
        ("arn:aws:iotsitewise:eu-west-1:1:portal", False),
    ],
)
def test_a_wildcard_within_a_part_of_an_arn_stays_there(
    pattern: str,
    matched: bool,  # noqa: FBT001 - pytest's parameter
) -> None:
    assert matches_arn(pattern, "arn:aws:iotsitewise:eu-west-1:1:portal/x") is matched
    assert matches_arn(pattern, "*") is (pattern == "*")


def emulator(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "emulator", "--without-extra-streams"),
            *("--portals", "1", *arguments),
        ],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_roles_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "roles.json"
    file.write_text(json.dumps(CONTENT))
    code = (
        "import boto3, os\n"
        "url = os.environ['TAP_IOT_SITEWISE_AWS_ENDPOINT_URL']\n"
        "sts = boto3.client('sts', 'eu-west-1', endpoint_url=url,\n"
        f"    aws_access_key_id={USER['access_key_id']!r},\n"
        f"    aws_secret_access_key={USER['secret']!r})\n"
        f"answer = sts.assume_role(RoleArn={READER!r}, RoleSessionName='ab',\n"
        f"    ExternalId={EXTERNAL_ID!r})\n"
        "print(answer['AssumedRoleUser']['Arn'])\n"
    )
    done = emulator("--roles", str(file), "--", sys.executable, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"arn:aws:sts::{OWN}:assumed-role/PlantReader/ab\n"

    file.write_text(json.dumps(changed([*TRUST, "Effect"], "Maybe")))
    done = emulator("--roles", str(file), "--", "true")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"argument --roles: {AT}.Effect must be Allow or Deny" in done.stderr
