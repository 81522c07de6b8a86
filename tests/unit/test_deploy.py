"""What is in `.deploy/`, and the Dockerfile, fit what they deploy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from prometheus_client import CollectorRegistry, ProcessCollector

from bot.config import VARIABLES
from bot.endpoints.metrics import METRICS

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / ".deploy"
KNOWN: Final = {variable.name for variable in VARIABLES}
#: Variables that hold secrets, or may.
SECRET: Final = re.compile(r"TOKEN|KEY|PASSWORD|DATABASE_URL|SIGNING")
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: Final = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OBJECTS: Final = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))


def named(kind: str, name: str = "linesman") -> Any:
    """Return the one Kubernetes object of that kind and name."""
    [found] = [each for each in OBJECTS if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pods() -> list[Any]:
    """Return what each sort of pod is made from."""
    return [each["spec"]["template"]["spec"] for each in OBJECTS if each["kind"] in {"Deployment", "StatefulSet"}]


def given() -> dict[str, set[str]]:
    """Return the variables that each file gives to Linesman."""
    [container] = named("Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "linesman"}}, {"configMapRef": {"name": "linesman"}}]
    return {
        "kubernetes": {*named("Secret")["stringData"], *named("ConfigMap")["data"]},
        "compose": {*COMPOSE["services"]["linesman"]["environment"]},
        "image": {*re.findall(r"^(?:ENV|   ) +([A-Z_]+)=", DOCKERFILE, re.MULTILINE)} - {"PATH"},
    }


@pytest.mark.parametrize("where", ["kubernetes", "compose", "image"])
def test_every_variable_is_one_that_linesman_reads(where: str) -> None:
    """A misspelt or former name would be refused at the start, or worse, not be read."""
    ours = {name for name in given()[where] if not name.startswith("PYTHON")}

    assert len(ours) > 1
    assert ours - KNOWN == set()


@pytest.mark.parametrize("where", ["kubernetes", "compose"])
def test_what_is_required_is_asked_for(where: str) -> None:
    """Whoever fills in what is there has a configuration that starts, and someone who may do something."""
    wanted = {variable.name for variable in VARIABLES if variable.required}

    assert wanted | {"DATABASE_URL", "SLACK_APP_TOKEN", "HOST", "LINESMAN_APPROVERS"} <= given()[where]


def test_secrets_are_in_secrets_and_empty() -> None:
    """Nothing secret is in a ConfigMap, and no value is in the repository."""
    assert [name for name in named("ConfigMap")["data"] if SECRET.search(name)] == []
    for each in OBJECTS:
        if each["kind"] == "Secret":
            assert {*each["stringData"].values()} == {""}
            assert [name for name in each["stringData"] if not SECRET.search(name)] == []
    for name, value in COMPOSE["services"]["linesman"]["environment"].items():
        assert not SECRET.search(name) or "${" in value


@pytest.mark.parametrize("pod", pods(), ids=["linesman", "postgres"])
def test_nothing_runs_with_more_rights_than_it_needs(pod: Any) -> None:
    """Not as root, on a file system that nobody can write to, without capabilities or a token of the cluster."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_two_replicas_that_stop_gently() -> None:
    """There is always one; probes ask what is served; requests end before the process does."""
    deployment = named("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]

    assert deployment["spec"]["replicas"] == COMPOSE["services"]["linesman"]["deploy"]["replicas"] == 2
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert named("PodDisruptionBudget")["spec"] == {"minAvailable": 1, "selector": {"matchLabels": labels}}
    assert named("Service")["spec"]["selector"].items() <= labels.items()
    assert container["startupProbe"]["httpGet"]["path"] == container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    [_, pause] = container["lifecycle"]["preStop"]["exec"]["command"]
    assert int(pause) + 10 < pod["terminationGracePeriodSeconds"]
    assert pod["enableServiceLinks"] is False


def test_the_compose_file_is_as_strict() -> None:
    """The same user, root file system and capabilities."""
    linesman = COMPOSE["services"]["linesman"]

    assert (linesman["user"], linesman["read_only"], linesman["cap_drop"]) == ("10001", True, ["ALL"])
    assert f"USER {linesman['user']}" in DOCKERFILE
    assert linesman["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert (DEPLOY / linesman["build"]["context"] / "Dockerfile").exists()


def expressions() -> list[str]:
    """Return every expression of the dashboard and of the alert rules."""
    board = json.loads((DEPLOY / "dashboard.json").read_text(encoding="utf-8"))
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]] + [
        rule["expr"] for group in rules["groups"] for rule in group["rules"]
    ]


def test_every_metric_that_is_asked_for_exists() -> None:
    """Each name, with the ending that its sort has, is one that `/metrics` gives; the labels are its own."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    endings = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
    labels = {
        metric.name + ending: {*metric.labels, "le"} for metric in METRICS for ending in endings.get(metric.sort, ("",))
    } | {sample.name: {"job"} for family in registry.collect() for sample in family.samples}
    asked = {name for text in expressions() for name in re.findall(r"\b(?:linesman|process)_\w+", text)}

    assert asked - labels.keys() == set()
    assert {metric.name for metric in METRICS if not any(name.startswith(metric.name) for name in asked)} == set()
    for text in expressions():
        own = set().union(*(labels[name] for name in re.findall(r"\b(?:linesman|process)_\w+", text)))
        used = {label.strip() for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(",")}
        used |= {*re.findall(r"[{,]\s*(\w+)[=!]~?", text)}
        assert used <= own, text


def test_every_alert_says_what_to_do() -> None:
    """A name, how bad it is, what happened, and what to do about it."""
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]

    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert {*rule["annotations"]} == {"summary", "action"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed here")
def test_prometheus_reads_the_rules() -> None:
    """As its own tool does."""
    subprocess.run(["promtool", "check", "rules", DEPLOY / "alerts.yaml"], check=True)  # noqa: S603, S607 - our own words


def test_the_image_has_the_python_of_the_tests() -> None:
    """What runs is what was tested, here and in the workflow."""
    [python] = re.findall(r"^ARG BASE=python:([\d.]+)-slim@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))

    assert workflow["jobs"]["run"]["steps"][1]["with"]["python-version"] == python
    assert python == f"{sys.version_info.major}.{sys.version_info.minor}"


def closure(name: str, extras: frozenset[str] = frozenset(), but: frozenset[str] = frozenset()) -> set[str]:
    """Return a package and all that it requires on this machine, ``but`` some and what only they require."""
    found, left = {canonicalize_name(name)}, [(name, extras)]
    while left:
        package, wanted = left.pop()
        for text in distribution(package).requires or ():
            requirement = Requirement(text)
            own = canonicalize_name(requirement.name)
            asked = any(
                (requirement.marker is None or requirement.marker.evaluate({"extra": e})) for e in wanted or {""}
            )
            if asked and own not in found | but:
                found.add(own)
                left.append((requirement.name, frozenset(requirement.extras)))
    return found


def test_the_image_keeps_what_a_server_needs_and_nothing_else() -> None:
    """What is taken out again is what only builds packages or draws the demo, with all that only that requires."""
    removed = {*re.search(r"pip uninstall (?:--\S+ )*\\\n +(.+)", DOCKERFILE)[1].split()}  # type: ignore[index]
    needed = closure("linesman", frozenset({"", "postgres"}), but=frozenset({"rich"}))
    pinned = (ROOT / ".ci" / "requirements.txt").read_text(encoding="utf-8")
    here = {
        canonicalize_name(line.split("==")[0])
        for line in pinned.splitlines()
        if "==" in line and not line.startswith(("#", " ")) and ";" not in line
    }

    assert removed & needed == set()
    assert removed - {"pip", "setuptools"} == here - needed
    assert "bot/sandbox" in (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
