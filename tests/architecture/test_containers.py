"""compose.yaml and the images agree with the launcher's table of processes, and give a container no more rights than it
needs.
"""

import re
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import yaml

from launcher import ports
from launcher.environment import LONG_COMMAND_LIMITS, platform_environment
from launcher.imports import with_imports
from launcher.infrastructure.postgres import SILENT
from launcher.platform import Platform
from launcher.processes import SERVICES, TABLE, WITH_DATABASE, Health
from launcher.secret_owners import without_foreign_secrets
from launcher.vault import Vault

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
CONTAINERS = COMPOSE["services"]
INFRASTRUCTURE = {process.name for process in TABLE if not process.is_service}
ONCE = {"topics", *(f"{service}.migrate" for service in WITH_DATABASE), "users.seed", "destinations.seed"}
BUILT = [name for name, container in CONTAINERS.items() if "build" in container]
PROCESSES = [process for process in TABLE if process.is_service]
DOCKERFILES = {"services": ROOT / "deploy" / "Dockerfile", "stand_ins": ROOT / "deploy" / "stand_ins" / "Dockerfile"}
LEFT_OUT = {"RUN_DIR", "MEDIA_ROOT", "SMS_DIR", "PYTHONPATH", "PYTHONUNBUFFERED"}  # the images set them


def in_container(process):
    """Return the table's command as a container runs it: it listens to other containers, and its ports are not shifted."""
    places = {"{port}": str(process.port), "127.0.0.1": "0.0.0.0", "{run}/beat": "/run/travel/beat"}
    return [places.get(word, word) for word in process.command]


def test_every_process_has_a_container_and_every_container_a_process():
    assert set(CONTAINERS) == {process.name for process in TABLE} | ONCE


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_container_does_what_the_table_says(process):
    container = CONTAINERS[process.name]

    assert container["command"] == in_container(process)
    assert container["image"] == f"travel/{process.service}:${{TAG:-dev}}"
    needed = {name for name, how in container["depends_on"].items() if how["condition"] == "service_healthy"}
    assert needed == set(process.needs)
    published = [f"127.0.0.1:{process.port}:{process.port}"] if process.health is Health.HTTP else []
    assert container.get("ports", []) == published


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.name)
def test_a_containers_health_check_is_the_launchers(process):
    target = process.name if process.health is Health.HEARTBEAT else str(process.port)

    assert CONTAINERS[process.name]["healthcheck"]["test"] == [
        *("CMD", "python", "deploy/healthy.py", process.health.value, target),
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_containers_environment_has_what_the_launcher_sets(service, tmp_path):
    platform = Platform(var=tmp_path)
    platform.make_folders()
    set_for_all = platform_environment(platform, Vault(platform))

    expected = set(without_foreign_secrets(set_for_all, owner=service)) - LEFT_OUT

    assert expected <= set(CONTAINERS[f"{service}.web"]["environment"])


@pytest.mark.parametrize("name", sorted(ONCE - {"topics"}))
def test_a_migration_or_seed_has_the_limits_of_a_long_command(name):
    service = name.split(".")[0]

    assert CONTAINERS[name]["environment"] == {**CONTAINERS[f"{service}.web"]["environment"], **LONG_COMMAND_LIMITS}


def test_each_service_has_only_its_own_database_and_key():
    for service in SERVICES:
        environment = CONTAINERS[f"{service}.web"]["environment"]
        databases = {name for name in environment if name.endswith("_DATABASE_URL")}
        assert databases == ({f"{service.upper()}_DATABASE_URL"} if service in WITH_DATABASE else set())
        assert environment["SERVICE_PRIVATE_KEY"] == f"${{{service.upper()}_PRIVATE_KEY-}}"
        assert environment["PORT"] == str(ports.HTTP[service])
        assert environment.get("GRPC_PORT") == (str(ports.GRPC[service]) if service in ports.GRPC else None)
        assert environment["DEBUG"] == "${DEBUG:-false}"


def test_the_file_contains_no_secret():
    secret = re.compile(r"(PASSWORD|SECRET|_KEY|PRIVATE)")
    for name, container in CONTAINERS.items():
        for variable, value in (container.get("environment") or {}).items():
            if secret.search(variable) and "REPLICATION" not in variable:
                assert re.fullmatch(r"\$\{[A-Z_]+(-|:\?[^}]*)\}", str(value)), f"{name}: {variable}"


@pytest.mark.parametrize("name", BUILT)
def test_containers_that_we_build_have_no_rights(name):
    container = CONTAINERS[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["init"] is True
    assert "privileged" not in container
    assert (ROOT / container["build"]["dockerfile"]).is_file()


def test_every_port_is_published_on_the_loopback_only():
    published = [port for container in CONTAINERS.values() for port in container.get("ports", [])]

    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", sorted(INFRASTRUCTURE - {"mail", "sandbox"}))
def test_infrastructure_is_pinned(name):
    """To a version, not to whatever is newest."""
    image, _, tag = CONTAINERS[name]["image"].rpartition(":")

    assert image
    assert re.match(r"\d+\.\d+", tag)
    assert "healthcheck" in CONTAINERS[name]


def test_volumes_are_declared_and_mounted():
    mounted = {
        str(volume).split(":")[0]
        for container in CONTAINERS.values()
        for volume in container.get("volumes", [])
        if not str(volume).startswith(".")
    }

    assert mounted == set(COMPOSE["volumes"])


def test_containers_wait_for_existing_containers_and_never_in_a_circle():
    waits = {name: set(container.get("depends_on") or {}) for name, container in CONTAINERS.items()}
    assert all(needed <= set(CONTAINERS) for needed in waits.values())

    started = set()
    while len(started) < len(waits):
        next_ones = {name for name, needed in waits.items() if name not in started and needed <= started}
        assert next_ones, f"a circle among {set(waits) - started}"
        started |= next_ones


# ---------------------------------------------------------------- images


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_built_from_the_one_dockerfile(service):
    for process in PROCESSES:
        if process.service == service:
            assert CONTAINERS[process.name]["build"] == {
                "context": ".", "dockerfile": "deploy/Dockerfile", "args": {"SERVICE": service},
            }  # fmt: skip


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_follows_the_rules(name):
    """What hadolint asks: pinned base, no root, locked dependencies with hashes, exec form, nothing fetched with curl
    or ADD.
    """
    text = DOCKERFILES[name].read_text()
    instructions = re.findall(r"^([A-Z]+) (.*(?:\\\n.*)*)", text, flags=re.MULTILINE)
    words = [word for word, _ in instructions]
    bases = [rest.split()[0] for word, rest in instructions if word == "FROM"]

    assert len(bases) == 2
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+", base) for base in bases)
    assert [rest for word, rest in instructions if word == "USER"] == ["10001"]
    assert words.index("USER") > max(i for i, word in enumerate(words) if word in {"RUN", "COPY"})
    assert "--require-hashes" in text
    assert "ADD" not in words
    assert not re.search(r"\b(curl|wget|sudo|apt-get|latest)\b", text)
    assert all(rest.startswith("[") for word, rest in instructions if word in {"CMD", "ENTRYPOINT"})
    assert not re.search(r"(SECRET|PASSWORD|PRIVATE)", text)


def copied_by(name, service):
    """Return what the Dockerfile copies from the repository into the image of a service."""
    text = DOCKERFILES[name].read_text().replace("${SERVICE}", service)
    lines = re.findall(r"^COPY (?!--from)(.*)$", text, flags=re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


IMAGES = [*(("services", service) for service in SERVICES), ("stand_ins", "")]


@pytest.mark.parametrize(("name", "service"), IMAGES)
def test_what_an_image_copies_exists_and_dockerignore_lets_it_in(name, service):
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    for source in copied_by(name, service):
        assert (ROOT / source).exists(), source
        assert any(source == kept or source.startswith(f"{kept}/") or Path(source).match(kept) for kept in allowed), (
            source
        )


@pytest.mark.parametrize(("name", "service"), IMAGES)
def test_an_image_has_all_that_its_programs_import(name, service):
    """Seen failing for every service without `COPY contracts`, and for the stand-ins without `COPY shared`."""
    copied = [ROOT / source for source in copied_by(name, service)]
    programs = [
        file
        for path in copied
        if path != ROOT / "shared"
        for file in ([path] if path.is_file() else path.rglob("*.py"))
        if file.suffix == ".py" and "tests" not in file.parts
    ]

    missing = [
        str(file.relative_to(ROOT))
        for file in with_imports(programs, root=ROOT)
        if not any(file == path or path in file.parents for path in copied)
    ]

    assert not missing


def test_the_roles_script_is_a_valid_shell_script():
    script = ROOT / "deploy" / "postgres" / "10-databases.sh"

    assert subprocess.run(["sh", "-n", str(script)], capture_output=True, check=False).returncode == 0
    assert "for name in users destinations bookings notifications" in script.read_text()


def test_services_believe_the_gateway_about_a_client_and_the_gateway_only_the_persons_proxies():
    network = COMPOSE["networks"]["default"]["ipam"]["config"][0]
    address = CONTAINERS["gateway.web"]["networks"]["default"]["ipv4_address"]
    default = ip_address(re.search(r":-(.+)}", address)[1])

    trusted = {service: CONTAINERS[f"{service}.web"]["environment"]["TRUSTED_PROXIES"] for service in SERVICES}

    assert trusted.pop("gateway") == "${TRUSTED_PROXIES-}"
    assert set(trusted.values()) == {f"{address},${{TRUSTED_PROXIES-}}"}
    assert default in ip_network(re.search(r":-(.+)}", network["subnet"])[1])
    assert default not in ip_network(re.search(r":-(.+)}", network["ip_range"])[1]), "another container might get it"


def test_postgres_keeps_rows_and_parameters_out_of_its_log_here_too():
    assert {f"-c{name}={value}" for name, value in SILENT.items()} <= set(CONTAINERS["postgres"]["command"])
