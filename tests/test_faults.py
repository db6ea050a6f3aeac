"""What the tap lives through, what it does not try twice, and what it gives up at."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import typing as t

import pytest

from emulator import Emulator, Fault
from tests import expected
from tests.conftest import static
from tests.soak import PASSING
from tests.test_auth import Forms, anywhere

if t.TYPE_CHECKING:
    from tests.conftest import Run, TapCommand


def check_whole(run: Run, aws: Emulator) -> None:
    """Fail unless the run sent the plant, every record once."""
    run.succeeded()
    for stream, records in expected.records(aws.plant).items():
        assert run.records(stream) == records


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault.value)
def test_a_passing_fault_costs_a_retry_and_no_record(
    tap: TapCommand, aws: Emulator, fault: Fault
) -> None:
    for operation in ("ListAssetModels", "ListPortals", "ListProjects"):
        aws.faults.fail_next(operation, fault, times=2, after=1)

    run = tap(static(aws, page_size=2, request_timeout=0.5))

    check_whole(run, aws)
    retries = sum(
        int(line.split("(")[1].split()[0])
        for line in run.lines("INFO")
        if " retries)" in line
    )
    assert retries == 6


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.INTERNAL_FAILURE, "InternalFailureException"),
        (Fault.UNAVAILABLE, "ServiceUnavailable"),
        (Fault.BAD_GATEWAY, "502"),
        (Fault.THROTTLE, "ThrottlingException"),
        (Fault.DROP, "the connection to"),
        (Fault.SILENCE, "was silent for request_timeout seconds"),
        (Fault.CUT_SHORT, "the answer was cut short"),
        (Fault.NOT_JSON, "the answer was cut short or is not a page"),
        (Fault.EMPTY_OBJECT, "is not a page of portalSummaries"),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_a_fault_that_stays_is_an_error_after_as_many_attempts_as_set(
    tap: TapCommand, aws: Emulator, fault: Fault, words: str
) -> None:
    aws.faults.always("ListPortals", fault)

    run = tap(static(aws, max_attempts=3, request_timeout=0.5))

    assert run.error.startswith("ListPortals: ")
    assert words in run.error
    assert "3 attempts" in run.error
    assert aws.stats.requests["ListPortals"] == 3
    assert not run.of("RECORD", "portals")


@pytest.mark.parametrize("attempts", [1, 2])
def test_attempts_count_the_first_one(
    tap: TapCommand, aws: Emulator, attempts: int
) -> None:
    aws.faults.always("ListAssetModels", Fault.UNAVAILABLE)

    run = tap(static(aws, max_attempts=attempts))

    assert f"{attempts} attempts" in run.error
    assert aws.stats.requests == {"ListAssetModels": attempts}


def test_an_outage_that_eight_listings_meet_takes_no_attempt_from_any(
    tap: TapCommand,
) -> None:
    # botocore 1.44 shares 500 points for retries among all requests of a client, 14
    # a retry: 35 in all. Once it does not, the override of its quota can go.
    with Emulator(asset_models=1, portals=40, projects_per_portal=2) as aws:
        for portal in aws.plant.portals:
            seen: dict[str, int] = {}

            def twice(
                call: t.Any,  # noqa: ANN401
                portal_id: str = portal["id"],
                seen: dict[str, int] = seen,
            ) -> Fault | None:
                if call.parameter("portalId") != portal_id:
                    return None
                seen["times"] = seen.get("times", 0) + 1
                return Fault.UNAVAILABLE if seen["times"] <= 3 else None

            aws.faults.before("ListProjects", twice)

        run = tap(static(aws))

        check_whole(run, aws)
        assert aws.stats.requests["ListProjects"] == 40 * 4


def test_a_quota_slows_the_run_down_and_loses_nothing(tap: TapCommand) -> None:
    with Emulator(asset_models=1, portals=60, projects_per_portal=3) as aws:
        aws.faults.quota = 20

        run = tap(static(aws))

        check_whole(run, aws)
        assert aws.stats.errors["ThrottlingException"] > 0


def test_all_faults_together_at_random_lose_nothing(tap: TapCommand) -> None:
    shares = dict.fromkeys(PASSING, 0.03)
    with Emulator(asset_models=150, portals=10, projects_per_portal=20) as aws:
        aws.faults.at_random(shares, seed=11)

        run = tap(static(aws, page_size=5, request_timeout=0.5))

        check_whole(run, aws)
        assert sum(aws.stats.errors.values()) > 10


@pytest.mark.parametrize("concurrency", [1, 3, 32])
def test_the_order_is_the_same_at_any_concurrency(
    tap: TapCommand, concurrency: int
) -> None:
    with Emulator(asset_models=1, portals=40, projects_per_portal=7) as aws:
        aws.faults.at_random({Fault.UNAVAILABLE: 0.3}, seed=concurrency)
        aws.faults.latency = 0.01

        run = tap(static(aws, page_size=3, max_concurrency=concurrency))

        check_whole(run, aws)
        assert aws.stats.most_in_flight <= concurrency
        if concurrency > 1:
            assert aws.stats.most_in_flight > 1


def test_connections_that_are_refused_for_a_moment_are_tried_again(
    tap: TapCommand,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    aws = Emulator(port=port)
    with contextlib.ExitStack() as stack:

        def late() -> None:
            time.sleep(2.0)
            stack.enter_context(aws)

        thread = threading.Thread(target=late)
        thread.start()
        settings = {
            "aws_region": aws.region,
            "aws_access_key_id": aws.access_key_id,
            "aws_secret_access_key": aws.secret_access_key,
            "aws_endpoint_url": f"http://127.0.0.1:{port}",
        }
        run = tap(settings)
        thread.join()

        check_whole(run, aws)


@pytest.mark.parametrize("operation", ["ListAssetModels", "ListPortals"])
@pytest.mark.parametrize(
    "fault", [Fault.ACCESS_DENIED, Fault.EXPIRED_TOKEN], ids=lambda fault: fault.value
)
def test_a_refusal_is_not_tried_again(
    tap: TapCommand, aws: Emulator, operation: str, fault: Fault
) -> None:
    aws.faults.always(operation, fault)

    error = tap(static(aws)).error

    assert error.startswith(f"{operation}: ")
    assert aws.stats.requests[operation] == 1


def test_a_missing_permission_is_named(tap: TapCommand, aws: Emulator) -> None:
    aws.deny("iotsitewise:ListProjects")

    error = tap(static(aws)).error

    assert "is not authorized to perform: iotsitewise:ListProjects" in error
    assert "allow iotsitewise:ListProjects in a policy of the role" in error


def test_the_first_failure_ends_the_run_at_once(tap: TapCommand) -> None:
    with Emulator(asset_models=1, portals=200, projects_per_portal=3) as aws:
        aws.faults.latency = 0.05
        denied = aws.plant.portals[20]["id"]
        aws.faults.before(
            "ListProjects",
            lambda call: (
                Fault.ACCESS_DENIED if call.parameter("portalId") == denied else None
            ),
        )

        run = tap(static(aws))

        assert "AccessDenied" in run.error
        assert aws.stats.requests["ListProjects"] < 60


def test_a_portal_that_is_deleted_during_the_run_is_a_warning(
    tap: TapCommand, aws: Emulator
) -> None:
    before = expected.records(aws.plant)
    gone = aws.plant.portals[2]["id"]
    aws.faults.before(
        "ListProjects",
        lambda _: (
            aws.plant.delete_portal(gone)
            if any(portal["id"] == gone for portal in aws.plant.portals)
            else None
        ),
    )

    run = tap(static(aws, max_concurrency=1)).succeeded()

    assert run.records("portals") == before["portals"]
    assert run.records("projects") == [
        record for record in before["projects"] if record["portal_id"] != gone
    ]
    (warning,) = run.lines("WARNING")
    assert gone in warning
    assert "was deleted during the run" in warning


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.SAME_TOKEN, "the listing does not end (its token came back)"),
        (Fault.REPEATED_PAGE, "the listing does not end (a page came back)"),
        (Fault.EMPTY_PAGE, "the listing does not end (100 pages in a row were empty)"),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_a_listing_without_an_end_is_an_error(
    tap: TapCommand, aws: Emulator, fault: Fault, words: str
) -> None:
    aws.faults.always("ListPortals", fault, after=1)

    run = tap(static(aws, page_size=2))

    assert words in run.error
    assert aws.stats.requests["ListPortals"] < 110


def test_an_empty_page_with_a_token_is_not_the_end(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.fail_next("ListPortals", Fault.EMPTY_PAGE, times=3)

    check_whole(tap(static(aws, page_size=2)), aws)


SESSION_FAULTS = [
    Fault.INTERNAL_FAILURE,
    Fault.UNAVAILABLE,
    Fault.THROTTLE,
    Fault.BAD_GATEWAY,
    Fault.DROP,
    Fault.DROP_IN_BODY,
    Fault.SILENCE,
    Fault.CUT_SHORT,
    Fault.EMPTY_OBJECT,
]


@pytest.mark.parametrize("fault", SESSION_FAULTS, ids=lambda fault: fault.value)
def test_create_session_is_tried_again(
    tap: TapCommand, aws: Emulator, fault: Fault
) -> None:
    aws.faults.fail_next("CreateSession", fault, times=3)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), request_timeout=0.5),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    check_whole(run, aws)
    assert aws.stats.requests["CreateSession"] == 4


def test_create_session_gives_up_after_as_many_attempts_as_set(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.faults.always("CreateSession", Fault.UNAVAILABLE)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), max_attempts=3),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    assert run.error.startswith("CreateSession: ")
    assert "3 attempts" in run.error
    assert aws.stats.requests == {"CreateSession": 3}


def test_a_session_that_is_refused_is_not_asked_for_again(
    tap: TapCommand, aws: Emulator
) -> None:
    forms = Forms(aws.issue_certificate(trusted=False), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths()),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    assert "trust_anchor_arn must name the trust anchor" in run.error
    assert aws.stats.requests == {"CreateSession": 1}


def test_a_renewal_that_fails_at_first_loses_nothing(
    tap: TapCommand, aws: Emulator
) -> None:
    aws.session_rules.session_seconds = 2
    for number, fault in enumerate((Fault.UNAVAILABLE, Fault.DROP, Fault.THROTTLE)):
        aws.faults.fail_next("CreateSession", fault, times=1, after=2 + number)
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), page_size=5, request_timeout=1),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    check_whole(run, aws)
    assert aws.stats.requests["CreateSession"] > aws.stats.successes["CreateSession"]


def test_credentials_that_die_before_their_time_are_no_loss(
    tap: TapCommand, aws: Emulator
) -> None:
    # They say an hour and are good for a second; as after a clock was set.
    aws.session_rules.session_seconds = 1
    aws.session_rules.told_seconds = 2
    aws.faults.latency = 0.2
    forms = Forms(aws.issue_certificate(), tap.directory)

    run = tap(
        anywhere(aws, **forms.paths(), page_size=5, max_concurrency=4),
        environment={"AWS_CA_BUNDLE": aws.ca_bundle},
    )

    check_whole(run, aws)
