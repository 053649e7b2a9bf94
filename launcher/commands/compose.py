"""`--infra compose`: the same servers as containers of compose.yaml, on the platform's ports."""

import os
import shutil
import subprocess

from launcher import ports
from launcher.environment import infrastructure
from launcher.platform import Platform
from launcher.processes import WITH_DATABASE
from launcher.refusal import Refusal
from launcher.vault import Vault


def start(platform: Platform) -> None:
    """Start the infrastructure with Docker Compose, and set the variables that `--infra external` reads.

    Raises Refusal.
    """
    if shutil.which("docker") is None:
        raise Refusal("--infra compose needs Docker, which is not installed.", "./manage_all.py up")
    vault = Vault(platform)
    urls = infrastructure(platform, vault)
    environment = {
        **os.environ,
        **urls,
        "COMPOSE_PROJECT_NAME": f"travel-{platform.offset}",
        "POSTGRES_PASSWORD": vault.secret("postgres"),
        "POSTGRES_PORT": str(platform.port(ports.POSTGRES)),
        "VALKEY_PASSWORD": vault.secret("valkey"),
        "VALKEY_PORT": str(platform.port(ports.VALKEY)),
        "KAFKA_PORT": str(platform.port(ports.KAFKA)),
        "SMTP_PORT": str(platform.port(ports.SMTP)),
        **{f"{name.upper()}_DATABASE_PASSWORD": vault.secret(f"postgres-{name}") for name in WITH_DATABASE},
    }
    command = ["docker", "compose", "up", "--detach", "--wait", "postgres", "valkey", "kafka", "mail"]
    if subprocess.run(command, cwd=platform.root, env=environment, check=False).returncode:
        raise Refusal(
            "Docker Compose could not start the infrastructure: see its messages above.", "docker compose logs"
        )
    os.environ.update(urls)
