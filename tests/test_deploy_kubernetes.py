"""The manifests in deploy/kubernetes, and the image that their pods run."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t

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


def pod_project(directory: Path) -> Path:
    """Return a project like the image's: plugins to read, a directory to write to."""
    (directory / ".meltano" / "run").mkdir(parents=True)
    shutil.copy(ROOT / "meltano.yml", directory)
    for plugins in ("extractors", "loaders"):
        (directory / ".meltano" / plugins).symlink_to(ROOT / ".meltano" / plugins)
    return directory


def start(project: Path, variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start the command of the container."""
    return subprocess.Popen(
        [MELTANO, *CONTAINER["args"]],
        cwd=project,
        env=clean_environment(HOME=str(project), **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.usefixtures("meltano_project")
def test_the_pods_together_load_each_record_once(
    aws: Emulator, postgres: Database, tmp_path: Path
) -> None:
    run = [
        MELTANO,
        "--environment=prod",
        "run",
        "--only-install",
        CONTAINER["args"][-1],
    ]
    subprocess.run(
        run,
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
    replaced = {
        "TAP_IOT_SITEWISE_AWS_ENDPOINT_URL": aws.endpoint_url,
        "TAP_IOT_SITEWISE_AWS_REGION": aws.region,
        # The role of the service account: here keys that boto3 finds.
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.secret_access_key,
        "TARGET_POSTGRES_SQLALCHEMY_URL": postgres.settings(schema)["sqlalchemy_url"],
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": schema,
        # Otherwise a record that two pods send would be one row.
        "TARGET_POSTGRES_LOAD_METHOD": "append-only",
        "MELTANO_DATABASE_URI": state.replace("postgresql:", "postgresql+psycopg:"),
    }

    # The first pod makes the tables of Meltano and of the target, which pods that start
    # at the same moment would all try to do.
    for indexes in ([0], range(1, SHARDS)):
        pods = [
            start(pod_project(tmp_path / f"pod-{index}"), environment(index) | replaced)
            for index in indexes
        ]
        for pod in pods:
            output, _ = pod.communicate(timeout=300)
            assert pod.returncode == 0, output

    for stream, expected in records(aws.plant).items():
        key = f"{stream.removesuffix('s')}_id"
        rows = [row[key] for row in postgres.rows(schema, stream)]
        assert sorted(rows) == sorted(record[key] for record in expected)
    with psycopg.connect(state) as connection:
        states = connection.execute("SELECT state_id FROM state").fetchall()
    assert {state_id for (state_id,) in states} == {
        f"prod:tap-iot-sitewise-to-target-postgres:{index}-of-{SHARDS}"
        for index in range(SHARDS)
    }
