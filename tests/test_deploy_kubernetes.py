"""The manifests in deploy/kubernetes, and the image that their pods run."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t
import zlib

import kubernetes_validate
import psycopg
import pytest
import yaml

from tests.conftest import ROOT, clean_environment
from tests.expected import records
from tests.test_meltano import MELTANO

if t.TYPE_CHECKING:
    from pathlib import Path

    from emulator import Emulator
    from tests.conftest import TapCommand
    from tests.expected import Record
    from tests.targets import Database

    Manifest = dict[str, t.Any]

DIRECTORY = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = "kustomization.yaml"
FIRST_VERSION = "1.33"
"""The oldest Kubernetes that the manifests are for."""

MANIFESTS: dict[str, Manifest] = {
    path.name: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted(DIRECTORY.glob("*.yaml"))
}
JOB = MANIFESTS["cronjob.yaml"]["spec"]["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]
(CONTAINER,) = POD["containers"]
SHARDS = JOB["completions"]
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))


def environment(index: int) -> dict[str, str]:
    """Return the container's own variables, as the kubelet makes them for an index."""
    variables: dict[str, str] = {}
    for source in CONTAINER["envFrom"]:
        ((kind, reference),) = source.items()
        file = {"configMapRef": "configmap.yaml", "secretRef": "secret.yaml"}[kind]
        assert MANIFESTS[file]["metadata"]["name"] == reference["name"]
        variables |= MANIFESTS[file].get("data") or MANIFESTS[file]["stringData"]
    path = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    for variable in CONTAINER["env"]:
        if "valueFrom" in variable:
            assert variable["valueFrom"] == {"fieldRef": {"fieldPath": path}}
            variables[variable["name"]] = str(index)
        else:
            # A reference to a variable that comes later stays as it is.
            variables[variable["name"]] = re.sub(
                r"\$\((\w+)\)",
                lambda found: variables.get(found[1], found[0]),
                variable["value"],
            )
    return variables


@pytest.mark.parametrize("version", [FIRST_VERSION, None])
@pytest.mark.parametrize("name", sorted(MANIFESTS.keys() - {KUSTOMIZATION}))
def test_a_manifest_is_valid(name: str, version: str | None) -> None:
    version = version or kubernetes_validate.latest_version()

    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_the_kustomization_holds_all_manifests_but_the_example_of_the_secret() -> None:
    assert {*MANIFESTS[KUSTOMIZATION]["resources"]} == MANIFESTS.keys() - {
        KUSTOMIZATION,
        "secret.yaml",
    }


def test_the_manifests_name_each_other() -> None:
    name = MANIFESTS["serviceaccount.yaml"]["metadata"]["name"]

    assert POD["serviceAccountName"] == name
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {
        volume["name"] for volume in POD["volumes"]
    }


def test_the_job_has_a_pod_for_each_shard() -> None:
    assert MANIFESTS["cronjob.yaml"]["spec"]["concurrencyPolicy"] == "Forbid"
    assert JOB["completionMode"] == "Indexed"
    assert JOB["parallelism"] == SHARDS
    assert {environment(0)["TAP_IOT_SITEWISE_SHARD_COUNT"]} == {str(SHARDS)}


def test_a_pod_has_no_rights_that_it_does_not_need() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for owner in (POD, MANIFESTS["serviceaccount.yaml"]):
        assert owner["automountServiceAccountToken"] is False
    assert {*CONTAINER["resources"]["requests"]} == {"cpu", "memory"}
    assert "memory" in CONTAINER["resources"]["limits"]
    assert all("sizeLimit" in volume["emptyDir"] for volume in POD["volumes"])


def test_the_secret_holds_placeholders_only_and_the_config_map_no_secret() -> None:
    sensitive = {
        f"{plugin['name'].replace('-', '_').upper()}_{setting['name'].upper()}"
        for plugins in PROJECT["plugins"].values()
        for plugin in plugins
        for setting in plugin["settings"]
        if setting.get("sensitive")
    }

    assert "TARGET_POSTGRES_PASSWORD" in sensitive
    assert not sensitive & MANIFESTS["configmap.yaml"]["data"].keys()
    for value in MANIFESTS["secret.yaml"]["stringData"].values():
        assert "REPLACE_ME" in value


def test_every_variable_is_a_setting() -> None:
    plugins = PROJECT["plugins"]["extractors"] + PROJECT["plugins"]["loaders"]
    settings = {
        f"{plugin['name']}_{setting['name']}".replace("-", "_").upper()
        for plugin in plugins
        for setting in plugin["settings"]
    }
    (of_meltano,) = MELTANO.parents[1].glob("lib/*/site-packages/meltano/core/bundle")
    settings |= {
        f"MELTANO_{setting['name'].replace('.', '_').upper()}"
        for setting in yaml.safe_load((of_meltano / "settings.yml").read_text("utf-8"))[
            "settings"
        ]
    }
    usage = subprocess.run(
        [MELTANO, "run", "--help"],
        cwd=ROOT,
        env=clean_environment(COLUMNS="200"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    settings |= {*re.findall(r"MELTANO_RUN_\w+", usage)}

    assert environment(0).keys() - settings == set()
    *options, job = CONTAINER["args"]
    assert [option for option in options if option not in usage] == []
    assert job in {each["name"] for each in PROJECT["jobs"]}


def of_emulator(aws: Emulator) -> dict[str, str]:
    """Return what replaces the values of the manifests."""
    return {
        "TAP_IOT_SITEWISE_AWS_ENDPOINT_URL": aws.endpoint_url,
        "TAP_IOT_SITEWISE_AWS_REGION": aws.region,
        # The role of the service account: here keys that boto3 finds.
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        # Not years of telemetry.
        "TAP_IOT_SITEWISE_EXTRA_STREAMS": "[]",
    }


def pod_project(directory: Path) -> Path:
    """Return a project like the image's: plugins to read, a directory to write to."""
    (directory / ".meltano" / "run").mkdir(parents=True)
    shutil.copy(ROOT / "meltano.yml", directory)
    for plugins in ("extractors", "loaders"):
        (directory / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
    return directory


@pytest.mark.usefixtures("meltano_project")
def test_a_pod_loads_its_shard_and_keeps_a_state_of_its_own(
    aws: Emulator, postgres: Database, tmp_path: Path
) -> None:
    job = CONTAINER["args"][-1]
    install = [MELTANO, "--environment=prod", "run", "--only-install", job]
    subprocess.run(
        install,
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        check=True,
        timeout=300,
    )
    schema = postgres.new_schema()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE meltano")
    state = postgres.url.replace("/postgres?", "/meltano?")
    last = SHARDS - 1
    replaced = {
        **of_emulator(aws),
        "TARGET_POSTGRES_SQLALCHEMY_URL": postgres.settings(schema)["sqlalchemy_url"],
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
        "MELTANO_DATABASE_URI": state.replace("postgresql:", "postgresql+psycopg:"),
    }

    pod = subprocess.run(
        [MELTANO, *CONTAINER["args"]],
        cwd=pod_project(tmp_path),
        env=clean_environment(HOME=str(tmp_path), **environment(last) | replaced),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )

    assert pod.returncode == 0, pod.stdout
    assert f"this run is shard {last} of {SHARDS}" in pod.stdout
    loaded = [row["project_id"] for row in postgres.rows(schema, "projects")]
    own = [
        record["project_id"]
        for record in records(aws.plant)["projects"]
        if zlib.crc32(record["portal_id"].encode()) % SHARDS == last
    ]
    assert sorted(loaded) == sorted(own)
    assert own
    with psycopg.connect(state) as connection:
        ((state_id,),) = connection.execute("SELECT state_id FROM state").fetchall()
    assert state_id == f"prod:tap-iot-sitewise-to-target-postgres:{last}-of-{SHARDS}"


def test_the_pods_together_send_each_record_once(
    tap: TapCommand, aws: Emulator
) -> None:
    sent: dict[str, list[Record]] = {}
    for index in range(SHARDS):
        variables = environment(index) | of_emulator(aws)
        run = tap(None, "--config", "ENV", environment=variables).succeeded()
        for stream in records(aws.plant):
            sent.setdefault(stream, []).extend(run.records(stream))

    for stream, expected in records(aws.plant).items():
        key = f"{stream.removesuffix('s')}_id"
        assert sorted(r[key] for r in sent[stream]) == sorted(r[key] for r in expected)
