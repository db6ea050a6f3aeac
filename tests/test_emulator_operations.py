"""The operations of a whole plant, seen by boto3, the AWS CLI and a raw client."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from botocore import xform_name

from emulator import Emulator, Plant
from tests.operations import (
    BY_OPERATION,
    CASES,
    CONTENTS,
    DESCRIBE,
    MODEL,
    OPERATIONS,
    Case,
    Record,
    account,
    as_json,
    each_case,
    every,
    ids,
    known,
    parsed,
)
from tests.test_emulator import run_aws_cli, sitewise
from tests.test_emulator_wire import refusal, send

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module", params=CONTENTS)
def aws(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with account(request.param) as emulator:
        yield emulator


@pytest.fixture
def changing(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An account of its own for each test, which changes it."""
    with account(request.param) as emulator:
        yield emulator


of_both = pytest.mark.parametrize("changing", CONTENTS, indirect=True)


def path_of(operation: str, **parameters: object) -> str:
    """Return the path and the query of a request."""
    path = MODEL.operation_model(operation).http["requestUri"]
    for name in re.findall(r"{(\w+)}", path):
        value = quote(str(parameters.pop(name, UNKNOWN)), safe="")
        path = path.replace(f"{{{name}}}", value)
    query = urlencode(parameters, quote_via=quote, safe="")
    return f"{path}?{query}" if query else path


def refused(aws: Emulator, operation: str, **parameters: object) -> str:
    """Return the message of a refusal for an invalid parameter."""
    answer = send(aws, path_of(operation, **parameters))
    assert refusal(answer) == (400, "InvalidRequestException"), answer
    return str(json.loads(answer[2])["message"])


def listed(aws: Emulator, operation: str, **parameters: object) -> list[Any]:
    """Return the records of all pages that a raw client gets."""
    member = BY_OPERATION[operation].member
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        status, _, body = send(aws, path_of(operation, **{**parameters, **token}))
        assert status == 200, body
        page = json.loads(body)
        assert set(page) <= {member, "nextToken"}
        found += page[member]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def valid(aws: Emulator, operation: str) -> dict[str, str]:
    """Return the parameters of a request that AWS answers."""
    if operation == DESCRIBE:
        return {"assetModelId": aws.plant.asset_models[0]["id"]}
    case = BY_OPERATION[operation]
    return case.arguments(case.fullest(aws.plant))


# The whole plant


@pytest.mark.parametrize("size", [1, 7, None])
@each_case
def test_boto3_lists_exactly_the_records_of_each_parent(
    aws: Emulator, case: Case, size: int | None
) -> None:
    paging: dict[str, Any] = {} if size is None else {"PageSize": size}
    shape, some = case.shape, False
    with sitewise(aws) as client:
        paginator = client.get_paginator(xform_name(case.operation))
        for parent in case.parents(aws.plant):
            pages = [
                page[case.member]
                for page in paginator.paginate(
                    **case.arguments(parent), PaginationConfig=paging
                )
            ]
            expected = [parsed(shape, each) for each in case.listed(aws.plant, parent)]
            assert list(itertools.chain.from_iterable(pages)) == expected
            assert all(len(page) == (size or 50) for page in pages[:-1])
            assert len(pages) == max(1, -(-len(expected) // (size or 50)))
            some = some or bool(expected)
    assert some


@each_case
def test_every_member_is_on_the_wire(aws: Emulator, case: Case) -> None:
    for parent in case.parents(aws.plant):
        found = listed(aws, case.operation, **case.arguments(parent), maxResults=250)
        assert found == as_json(case.listed(aws.plant, parent))


@each_case
def test_fifty_records_are_on_a_page_unless_a_size_is_given(case: Case) -> None:
    plant = Plant()
    numbers = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(1, 999))
    model, asset, portal, project = (next(numbers) for _ in range(4))
    plant.add("asset_models", {"id": model})
    plant.add("assets", {"id": asset, "hierarchies": []}, parent=model)
    plant.add("portals", {"id": portal})
    plant.add("projects", {"id": project}, parent=portal)
    parents = {
        "assetModelId": model,
        "assetId": asset,
        "portalId": portal,
        "projectId": project,
        "resourceId": portal if case.among == "portals" else project,
    }
    parent = None if case.by is None else parents[case.by]
    key = plant.listing(case.kind, parent).key
    missing = 51 - len(plant.listing(case.kind, parent))
    others = {"id": asset, "assetId": asset, "hierarchyId": model}
    for number in itertools.islice(numbers, missing):
        plant.add(case.kind, {**others, key: number}, parent=parent)
    with Emulator(plant=plant) as aws:
        _, _, body = send(aws, path_of(case.operation, **case.arguments(parent)))
        page = json.loads(body)
        assert len(page[case.member]) == 50
        more = {**case.arguments(parent), "nextToken": page["nextToken"]}
        _, _, body = send(aws, path_of(case.operation, **more))
    assert len(json.loads(body)[case.member]) == 1
    assert "nextToken" not in json.loads(body)


@each_case
@pytest.mark.parametrize("aws", ["hostile"], indirect=True)
def test_the_aws_cli_lists_the_records_of_a_parent(aws: Emulator, case: Case) -> None:
    parent = case.fullest(aws.plant)
    options = [
        part
        for name, value in case.arguments(parent).items()
        for part in (f"--{xform_name(name, '-')}", value)
    ]
    done = run_aws_cli(aws, xform_name(case.operation, "-"), *options)
    assert done.stderr == ""
    records = [known(case.shape, each) for each in case.listed(aws.plant, parent)]
    assert len(records) > 1
    found = json.loads(done.stdout)
    # The AWS CLI adds it to ListTimeSeries: the member is optional, and not sent.
    assert found.pop("workspaceName", None) is None
    assert found == {case.member: as_json(records)}


def description(plant: Plant, model: Record) -> Record:
    """Return what DescribeAssetModel answers, without the dates' parsing."""
    own = {f"assetModel{name[0].upper()}{name[1:]}": model[name] for name in model}
    own["assetModelType"] = model.get("assetModelType")
    own.pop("assetModelAssetModelType", None)
    kinds = ("properties", "hierarchies", "composite_models")
    properties, hierarchies, composites = (
        plant.listing(f"asset_model_{kind}", model["id"]).records for kind in kinds
    )
    return {
        **own,
        "assetModelProperties": [
            each for each in properties if "assetModelCompositeModelId" not in each
        ],
        "assetModelHierarchies": hierarchies,
        "assetModelCompositeModelSummaries": composites,
    }


def test_each_asset_model_is_described_as_it_is_listed(aws: Emulator) -> None:
    shape = MODEL.operation_model(DESCRIBE).output_shape
    with sitewise(aws) as client:
        for model in aws.plant.asset_models:
            found = client.describe_asset_model(assetModelId=model["id"])
            del found["ResponseMetadata"]
            assert found == parsed(shape, description(aws.plant, model))


def test_the_aws_cli_describes_an_asset_model(aws: Emulator) -> None:
    model = aws.plant.asset_models[7]
    done = run_aws_cli(aws, "describe-asset-model", "--asset-model-id", model["id"])
    assert done.stderr == ""
    shape = MODEL.operation_model(DESCRIBE).output_shape
    expected = known(shape, description(aws.plant, model))
    assert json.loads(done.stdout) == as_json(expected)


def test_a_description_without_properties_has_all_the_rest(aws: Emulator) -> None:
    model = next(
        model["id"]
        for model in aws.plant.asset_models
        if len(aws.plant.listing("asset_model_hierarchies", model["id"]))
    )
    with sitewise(aws) as client:
        full, same, short = (
            client.describe_asset_model(assetModelId=model, **changes)
            for changes in (
                {},
                {"excludeProperties": False, "assetModelVersion": "ACTIVE"},
                {"excludeProperties": True},
            )
        )
    for found in (full, same, short):
        del found["ResponseMetadata"]
    assert full["assetModelProperties"]
    assert full["assetModelHierarchies"]
    assert same == full
    assert short == {**full, "assetModelProperties": []}


# Refusals


def inputs() -> Iterator[tuple[str, str, Any]]:
    """Yield each parameter of each operation, with its shape."""
    for operation in OPERATIONS:
        members = MODEL.operation_model(operation).input_shape.members
        for name, shape in members.items():
            yield operation, name, shape


MALFORMED = (
    "x",
    UNKNOWN.replace("1", "A"),
    f"{UNKNOWN}0",
    UNKNOWN.replace("-", ""),
    f"{UNKNOWN}\n",
    "00000000-0000-0000-0000-000000000000",
)
PATTERN = "satisfy regular expression pattern"
ENUM = "satisfy enum value set"
OTHER_VALUES: dict[str, list[tuple[str, str]]] = {
    "maxResults": [
        *((value, "greater than or equal to 1") for value in ("0", "-1")),
        *((value, "less than or equal to 250") for value in ("251", "9999999999")),
        *((value, "be an integer") for value in ("many", "", "1.5", "0x1", "٣")),
    ],
    "nextToken": [(value, "nextToken") for value in ("", "x", "bm9uZQ==", "é")],
    "assetModelVersion": [(value, PATTERN) for value in ("latest", "1", "")],
    "workspaceName": [(value, PATTERN) for value in ("a b", "x" * 65, "")],
    "aliasPrefix": [(value, PATTERN) for value in ("\n", "a\x7f", "")],
    "identityId": [(value, PATTERN) for value in ("a b", "x" * 257, "")],
    "iamArn": [
        (value, PATTERN)
        for value in ("x", "arn:aws-x:iam::1:user/x", "arn:aws:iam::1:user/*", "")
    ],
    "excludeProperties": [(value, ENUM) for value in ("yes", "1", "")],
}


def wrong_values(name: str, shape: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yield wrong values of a parameter, with words of the refusal."""
    yield from OTHER_VALUES.get(name, ())
    if shape.name in {"ID", "CustomID"}:
        for value in MALFORMED:
            yield value, PATTERN
    values = allowed(shape)
    if values:
        for value in ("UNKNOWN", values[0].lower(), f"{values[0]},", ""):
            yield value, ENUM


def allowed(shape: Any) -> list[str]:  # noqa: ANN401 - botocore has no types
    """Return the values that botocore knows for a parameter; none if it is free."""
    inner = shape.member if shape.type_name == "list" else shape
    return list(getattr(inner, "enum", ()))


@pytest.mark.parametrize(
    ("operation", "name", "wrong"),
    [(each, name, list(wrong_values(name, shape))) for each, name, shape in inputs()],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_wrong_value_is_refused(
    aws: Emulator, operation: str, name: str, wrong: list[tuple[str, str]]
) -> None:
    assert wrong
    for value, words in wrong:
        message = refused(aws, operation, **{**valid(aws, operation), name: value})
        assert words in message, value
        assert name in message, value


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        (operation, name, value)
        for operation, name, shape in inputs()
        for value in allowed(shape)
    ],
)
def test_every_value_that_botocore_knows_is_allowed(
    aws: Emulator, operation: str, name: str, value: str
) -> None:
    identity = {"identityId": "x", "iamArn": "arn:aws:iam::123456789012:user/x"}
    parameters = {**valid(aws, operation), name: value}
    if name == "identityType":
        parameters |= identity
    if name == "resourceType":
        case = next(case for case in CASES if case.fixed.get(name) == value)
        parameters = case.arguments(case.fullest(aws.plant))
    status, _, body = send(aws, path_of(operation, **parameters))
    assert status == 200, body


@pytest.mark.parametrize(
    ("operation", "name"),
    [("ListProjects", "portalId"), ("ListDashboards", "projectId")],
)
def test_a_missing_parameter_is_refused(
    aws: Emulator, operation: str, name: str
) -> None:
    expected = f"Value null at '{name}'"
    assert expected in refused(aws, operation)
    assert expected in refused(aws, operation, maxResults=1)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (operation, name)
        for operation, name, shape in inputs()
        if shape.name in {"ID", "CustomID"}
    ],
)
def test_what_does_not_exist_is_not_found(
    aws: Emulator, operation: str, name: str
) -> None:
    answer = send(aws, path_of(operation, **{**valid(aws, operation), name: UNKNOWN}))
    assert refusal(answer) == (404, "ResourceNotFoundException")
    assert UNKNOWN in json.loads(answer[2])["message"]


def test_assets_are_listed_by_asset_model_or_at_the_top_level(aws: Emulator) -> None:
    for parameters in ({}, {"filter": "ALL"}):
        assert "assetModelId" in refused(aws, "ListAssets", **parameters)
    assert listed(aws, "ListAssets", filter="TOP_LEVEL")


def test_time_series_are_listed_by_asset_or_by_alias(aws: Emulator) -> None:
    asset = every(aws.plant, "assets")[0]["id"]
    both = {"assetId": asset, "aliasPrefix": "/"}
    assert "can't be used together" in refused(aws, "ListTimeSeries", **both)


PORTAL = {"resourceType": "PORTAL"}


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({}, "identity"),
        ({"maxResults": 1}, "identity"),
        (PORTAL, "resourceId"),
        ({"resourceId": UNKNOWN}, "resourceType"),
        ({"identityType": "USER", "resourceId": UNKNOWN}, "resourceType"),
        ({"identityType": "USER"}, "identityId"),
        ({"identityType": "GROUP"}, "identityId"),
        ({"identityType": "IAM"}, "iamArn"),
        ({"identityType": "IAM", "identityId": "x"}, "iamArn"),
        ({"identityType": "USER", "iamArn": "arn:aws:iam::1:user/x"}, "identityId"),
        ({"identityId": "x"}, "identity"),
    ],
)
def test_policies_are_listed_for_one_identity_or_resource(
    aws: Emulator, parameters: dict[str, object], word: str
) -> None:
    assert word in refused(aws, "ListAccessPolicies", **parameters)


def test_an_identity_is_checked_though_nothing_would_be_listed() -> None:
    with Emulator(portals=1) as aws:
        portal = {"resourceType": "PORTAL", "resourceId": aws.plant.portals[0]["id"]}
        assert listed(aws, "ListAccessPolicies", **portal) == []
        for incomplete, word in (
            ({"identityType": "USER"}, "identityId"),
            ({"identityType": "IAM"}, "iamArn"),
            ({"identityId": "x"}, "identityType"),
        ):
            for resource in ({}, portal):
                parameters = {**resource, **incomplete}
                assert word in refused(aws, "ListAccessPolicies", **parameters)


def token_of(aws: Emulator, operation: str, **parameters: object) -> str:
    path = path_of(operation, **parameters, maxResults=1)
    token: str = json.loads(send(aws, path)[2])["nextToken"]
    return token


@each_case
def test_a_token_is_good_for_its_own_operation_only(aws: Emulator, case: Case) -> None:
    arguments = case.arguments(case.fullest(aws.plant))
    token = token_of(aws, case.operation, **arguments)
    # Another size of page is the same listing.
    path = path_of(case.operation, **arguments, nextToken=token, maxResults=2)
    assert send(aws, path)[0] == 200
    for other in BY_OPERATION:
        if other != case.operation:
            parameters = {**valid(aws, other), "nextToken": token}
            assert "nextToken" in refused(aws, other, **parameters)


@pytest.mark.parametrize("case", [case for case in CASES if case.by], ids=str)
def test_a_token_is_good_for_its_own_parent_only(aws: Emulator, case: Case) -> None:
    parent = case.fullest(aws.plant)
    token = token_of(aws, case.operation, **case.arguments(parent))
    for other in case.parents(aws.plant):
        if other != parent:
            parameters = {**case.arguments(other), "nextToken": token}
            assert "nextToken" in refused(aws, case.operation, **parameters)


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("ListAssetModels", {"assetModelTypes": "ASSET_MODEL"}),
        ("ListAssetModels", {"assetModelVersion": "ACTIVE"}),
        ("ListAssetModelProperties", {"filter": "BASE"}),
        ("ListAssetModelProperties", {"assetModelVersion": "ACTIVE"}),
        ("ListAssetModelCompositeModels", {"assetModelVersion": "ACTIVE"}),
        ("ListAssets", {"filter": "TOP_LEVEL"}),
        ("ListAssociatedAssets", {"traversalDirection": "PARENT"}),
        ("ListAssetProperties", {"filter": "BASE"}),
        ("ListTimeSeries", {"timeSeriesType": "ASSOCIATED"}),
        ("ListTimeSeries", {"aliasPrefix": "/"}),
        ("ListTimeSeries", {"workspaceName": "w"}),
        ("ListAccessPolicies", {"identityType": "USER", "identityId": "x"}),
        ("ListBulkImportJobs", {"filter": "PENDING"}),
        ("ListBulkImportJobs", {"workspaceName": "w"}),
        ("ListComputationModels", {"computationModelType": "ANOMALY_DETECTION"}),
    ],
)
def test_a_token_is_good_for_its_own_parameters_only(
    aws: Emulator, operation: str, changes: dict[str, str]
) -> None:
    parameters = valid(aws, operation)
    token = token_of(aws, operation, **parameters)
    changed = {**parameters, **changes, "nextToken": token}
    assert "nextToken" in refused(aws, operation, **changed)


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("ListAssetModelProperties", {"assetModelVersion": "LATEST"}),
        ("ListAssociatedAssets", {"traversalDirection": "CHILD"}),
        ("ListAssets", {"filter": "ALL"}),
        ("ListBulkImportJobs", {"filter": "ALL"}),
    ],
)
def test_a_default_that_is_spelled_out_is_the_same_listing(
    aws: Emulator, operation: str, changes: dict[str, str]
) -> None:
    parameters = valid(aws, operation)
    token = token_of(aws, operation, **parameters)
    path = path_of(operation, **{**parameters, **changes, "nextToken": token})
    assert send(aws, path)[0] == 200


RESOURCES = {
    "assetModelId": "asset-model",
    "assetId": "asset",
    "portalId": "portal",
    "projectId": "project",
}
"""Resource types of the Service Authorization Reference, by the parameter."""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_denied_action_is_named_with_its_resource(
    aws: Emulator, operation: str
) -> None:
    parameters = valid(aws, operation)
    if operation == "ListTimeSeries":
        parameters["assetId"] = every(aws.plant, "assets")[0]["id"]
    arns = [
        f"arn:aws:iotsitewise:{aws.region}:123456789012:{RESOURCES[name]}/{value}"
        for name, value in parameters.items()
        if name in RESOURCES
    ] or ["*"]
    action = f"iotsitewise:{operation}"
    aws.deny(action)
    try:
        answer = send(aws, path_of(operation, **parameters))
    finally:
        aws.allow(action)
    assert refusal(answer) == (403, "AccessDeniedException")
    expected = f"not authorized to perform: {action} on resource: {arns[0]} because"
    assert expected in json.loads(answer[2])["message"]


# Filters


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("ListAssetModelProperties", "assetModelCompositeModelId"),
        ("ListAssetProperties", "assetCompositeModelId"),
    ],
)
def test_properties_of_composite_models_are_listed_on_request(
    aws: Emulator, operation: str, member: str
) -> None:
    case, hidden = BY_OPERATION[operation], 0
    for parent in case.parents(aws.plant):
        arguments = case.arguments(parent)
        of_all = as_json(case.listed(aws.plant, parent))
        of_base = [each for each in of_all if member not in each]
        hidden += len(of_all) - len(of_base)
        assert listed(aws, operation, **arguments, maxResults=2) == of_all
        del arguments["filter"]
        assert listed(aws, operation, **arguments, maxResults=2) == of_base
        assert listed(aws, operation, **arguments, filter="BASE") == of_base
    assert hidden


def test_assets_at_the_top_level_have_no_parent(aws: Emulator) -> None:
    children = {each["id"] for each in every(aws.plant, "asset_associations")}
    assets = every(aws.plant, "assets")
    top = [asset for asset in assets if asset["id"] not in children]
    assert 0 < len(top) < len(assets)
    assert listed(aws, "ListAssets", filter="TOP_LEVEL", maxResults=3) == top
    for model, of_model in aws.plant.by_parent("assets").items():
        found = listed(aws, "ListAssets", filter="TOP_LEVEL", assetModelId=model)
        assert found == [asset for asset in of_model if asset in top]


def test_associated_assets_are_listed_upwards_and_downwards(aws: Emulator) -> None:
    above: dict[str, list[tuple[str, str]]] = {}
    below = aws.plant.by_parent("asset_associations")
    for parent, associations in below.items():
        for each in associations:
            above.setdefault(each["id"], []).append((parent, each["hierarchyId"]))
    assert above
    for asset in every(aws.plant, "assets"):
        asked = {"assetId": asset["id"], "maxResults": 1}
        parents = above.get(asset["id"], [])
        for hierarchy in [None, *{hierarchy for _, hierarchy in parents}]:
            wanted = {} if hierarchy is None else {"hierarchyId": hierarchy}
            found = listed(
                aws,
                "ListAssociatedAssets",
                traversalDirection="PARENT",
                **asked,
                **wanted,
            )
            assert found == [
                aws.plant.find("assets", parent)
                for parent in dict.fromkeys(
                    parent for parent, by in parents if hierarchy in {None, by}
                )
            ]
        for each in asset["hierarchies"]:
            hierarchy = each["id"]
            found = listed(aws, "ListAssociatedAssets", hierarchyId=hierarchy, **asked)
            assert ids(found) == [
                child["id"]
                for child in below[asset["id"]]
                if child["hierarchyId"] == hierarchy
            ]


def test_a_hierarchy_of_another_asset_is_not_found(aws: Emulator) -> None:
    with_some = [asset for asset in every(aws.plant, "assets") if asset["hierarchies"]]
    first, other = with_some[0], with_some[-1]
    hierarchy = other["hierarchies"][0]["id"]
    assert hierarchy not in ids(first["hierarchies"])
    path = path_of("ListAssociatedAssets", assetId=first["id"], hierarchyId=hierarchy)
    assert refusal(send(aws, path)) == (404, "ResourceNotFoundException")


def test_time_series_are_listed_by_asset_alias_and_type(aws: Emulator) -> None:
    series = aws.plant.listing("time_series").records
    aliases = [each["alias"] for each in series if "alias" in each]
    prefixes = {aliases[0][:5], aliases[-1], "/", "none", "%", "*", "&a=b"}
    for prefix in prefixes:
        found = listed(aws, "ListTimeSeries", aliasPrefix=prefix, maxResults=250)
        assert found == [
            each for each in series if each.get("alias", "").startswith(prefix)
        ]
    for asset in every(aws.plant, "assets"):
        found = listed(aws, "ListTimeSeries", assetId=asset["id"], maxResults=4)
        assert found == [each for each in series if each.get("assetId") == asset["id"]]
    for kind, associated in (("ASSOCIATED", True), ("DISASSOCIATED", False)):
        found = listed(aws, "ListTimeSeries", timeSeriesType=kind, maxResults=250)
        assert found == [each for each in series if ("assetId" in each) is associated]
        assert found
        found = listed(aws, "ListTimeSeries", timeSeriesType=kind, aliasPrefix="/")
        assert found == [
            each
            for each in series
            if ("assetId" in each) is associated
            and each.get("alias", "").startswith("/")
        ]


def test_policies_are_listed_by_identity(aws: Emulator) -> None:
    policies = every(aws.plant, "access_policies")
    arguments = {
        "user": ("USER", "identityId", "id"),
        "group": ("GROUP", "identityId", "id"),
        "iamUser": ("IAM", "iamArn", "arn"),
        "iamRole": ("IAM", "iamArn", "arn"),
    }
    asked = set()
    for identity in (policy["identity"] for policy in policies):
        for kind, value in identity.items():
            identity_type, parameter, member = arguments[kind]
            if re.search(r"\s", value[member]):
                continue
            asked.add(kind)
            who = {"identityType": identity_type, parameter: value[member]}
            expected = [each for each in policies if each["identity"] == identity]
            assert listed(aws, "ListAccessPolicies", **who, maxResults=2) == expected
            resource_type, resource = next(iter(expected[-1]["resource"].items()))
            where = {
                "resourceType": resource_type.upper(),
                "resourceId": resource["id"],
            }
            found = listed(aws, "ListAccessPolicies", **who, **where)
            assert found == [
                each for each in expected if resource in each["resource"].values()
            ]
    assert asked >= {"iamUser", "iamRole"}
    # A user is not a group, though the name is the same.
    group = next(
        each["identity"]["group"] for each in policies if "group" in each["identity"]
    )
    name = re.sub(r"\s", "", group["id"])
    assert listed(aws, "ListAccessPolicies", identityType="USER", identityId=name) == []


def test_jobs_and_computation_models_are_listed_by_status_and_type(
    aws: Emulator,
) -> None:
    jobs = aws.plant.listing("bulk_import_jobs").records
    for status in MODEL.shape_for("JobStatus").enum:
        found = listed(aws, "ListBulkImportJobs", filter=status)
        assert found == [job for job in jobs if job["status"] == status]
        assert found
    models = aws.plant.listing("computation_models").records
    kind = "ANOMALY_DETECTION"
    found = listed(aws, "ListComputationModels", computationModelType=kind)
    assert found == [model for model in models if model["type"] == kind]


# Changes


def group_by(plant: Plant, kind: str) -> dict[str | None, tuple[Record, ...]]:
    if kind in {"time_series", "asset_models", "portals"}:
        return {None: plant.listing(kind).records}
    return dict(plant.by_parent(kind).items())


KINDS_OF_ASSETS = ("assets", "asset_properties", "asset_associations", "time_series")
KINDS_OF_MODELS = ("asset_models", *(case.kind for case in CASES[1:3]))
KINDS_OF_PROJECTS = ("projects", "project_assets", "dashboards", "access_policies")


def family(plant: Plant) -> str:
    """Return an asset with a parent, children, time series and a project."""
    below = plant.by_parent("asset_associations")
    children = Counter(each["id"] for each in every(plant, "asset_associations"))
    in_project = {each["assetId"] for each in every(plant, "project_assets")}
    measured = {each.get("assetId") for each in plant.listing("time_series").records}
    return next(
        asset
        for asset, associations in below.items()
        if {each["id"] for each in associations} - {asset}
        and children[asset]
        and asset in in_project & measured
    )


@of_both
def test_a_deleted_asset_is_gone_with_all_that_belongs_to_it(
    changing: Emulator,
) -> None:
    plant = changing.plant
    asset = family(plant)
    kinds = (*KINDS_OF_ASSETS, "project_assets")
    before = {kind: group_by(plant, kind) for kind in kinds}
    child = next(
        each["id"]
        for each in before["asset_associations"][asset]
        if each["id"] != asset
    )
    parent = next(
        parent
        for parent, associations in before["asset_associations"].items()
        if parent != asset and asset in ids(list(associations))
    )
    plant.delete("assets", asset)
    # Everything else stays.
    for kind in kinds:
        members = {"id"} if kind in {"assets", "asset_associations"} else {"assetId"}
        assert group_by(plant, kind) == {
            of: tuple(
                record
                for record in records
                if asset not in {record.get(name) for name in members}
            )
            for of, records in before[kind].items()
            if of != asset
        }
    for operation in ("ListAssetProperties", "ListAssociatedAssets"):
        answer = send(changing, path_of(operation, assetId=asset))
        assert refusal(answer) == (404, "ResourceNotFoundException")
    up = {"assetId": child, "traversalDirection": "PARENT"}
    assert asset not in ids(listed(changing, "ListAssociatedAssets", **up))
    assert asset not in ids(listed(changing, "ListAssociatedAssets", assetId=parent))
    series = listed(changing, "ListTimeSeries", maxResults=250)
    assert asset not in {each.get("assetId") for each in series}
    for project in plant.by_parent("project_assets"):
        assert asset not in listed(changing, "ListProjectAssets", projectId=project)


@of_both
def test_an_asset_without_a_parent_comes_to_the_top_level(changing: Emulator) -> None:
    children = every(changing.plant, "asset_associations")
    times = Counter(each["id"] for each in children)
    parent, child = next(
        (parent, each["id"])
        for parent, associations in changing.plant.by_parent(
            "asset_associations"
        ).items()
        for each in associations
        if times[each["id"]] == 1 and each["id"] != parent
    )
    before = ids(listed(changing, "ListAssets", filter="TOP_LEVEL"))
    changing.plant.delete("assets", parent)
    after = ids(listed(changing, "ListAssets", filter="TOP_LEVEL"))
    assert child not in before
    assert child in after


@of_both
def test_a_deleted_asset_model_is_gone_with_its_assets(changing: Emulator) -> None:
    plant = changing.plant
    model = plant.find("assets", family(plant))["assetModelId"]
    assets = ids(list(plant.by_parent("assets")[model]))
    assert assets
    plant.delete("asset_models", model)
    assert model not in ids(list(plant.asset_models))
    for kind in (*KINDS_OF_ASSETS, *KINDS_OF_MODELS, "project_assets"):
        groups = group_by(plant, kind)
        assert not {model, *assets} & groups.keys()
        for record in itertools.chain.from_iterable(groups.values()):
            belongs_to = {record.get(name) for name in ("assetId", "assetModelId")}
            if kind in {"assets", "asset_associations"}:
                belongs_to.add(record["id"])
            assert not {model, *assets} & belongs_to
    for operation in (DESCRIBE, "ListAssetModelProperties", "ListAssets"):
        answer = send(changing, path_of(operation, assetModelId=model))
        assert refusal(answer) == (404, "ResourceNotFoundException")


@of_both
def test_a_deleted_project_is_gone_with_its_children(changing: Emulator) -> None:
    plant = changing.plant
    project = max(
        plant.by_parent("project_assets").items(), key=lambda each: len(each[1])
    )[0]
    before = {kind: group_by(plant, kind) for kind in KINDS_OF_PROJECTS}
    assert all(before[kind][project] for kind in KINDS_OF_PROJECTS[1:])
    plant.delete("projects", project)
    for kind in KINDS_OF_PROJECTS[1:]:
        del before[kind][project]
        assert group_by(plant, kind) == before[kind]
    for operation in ("ListDashboards", "ListProjectAssets"):
        answer = send(changing, path_of(operation, projectId=project))
        assert refusal(answer) == (404, "ResourceNotFoundException")
    resource = {"resourceType": "PROJECT", "resourceId": project}
    answer = send(changing, path_of("ListAccessPolicies", **resource))
    assert refusal(answer) == (404, "ResourceNotFoundException")


@of_both
@pytest.mark.parametrize(
    "operation", ["ListAssets", "ListAssociatedAssets", "ListAccessPolicies"]
)
def test_a_listing_of_several_parents_is_steady_while_the_plant_changes(
    changing: Emulator, operation: str
) -> None:
    plant = changing.plant
    below = plant.by_parent("asset_associations")
    kind, asked = {
        "ListAssets": ("assets", {"filter": "TOP_LEVEL"}),
        "ListAssociatedAssets": (
            "assets",
            {"assetId": max(below, key=lambda asset: len(below[asset]))},
        ),
        "ListAccessPolicies": (
            "access_policies",
            {
                "identityType": "IAM",
                "iamArn": next(
                    each["identity"]["iamUser"]["arn"]
                    for each in every(plant, "access_policies")
                    if "iamUser" in each["identity"]
                ),
            },
        ),
    }[operation]
    before = ids(listed(changing, operation, **asked))
    token = token_of(changing, operation, **asked)
    gone = before.pop(0)
    assert before
    plant.delete(kind, gone)
    after = ids(listed(changing, operation, **asked, nextToken=token))
    assert gone not in after
    assert [each for each in after if each in before] == [
        each for each in before if each != gone
    ]
