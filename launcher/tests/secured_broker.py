"""A broker for one test that asks clients to sign in. It listens for SASL, for SASL over TLS, and for TLS alone."""

import os
import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from launcher import ports
from launcher.infrastructure import kafka
from launcher.tests.conftest import free_platform

USERNAME: Final = "travel"
PASSWORD: Final = "correct horse"
_JAAS: Final = "org.apache.kafka.common.security"

# The last line of a property counts, so these lines follow those of every embedded broker.
_PROPERTIES: Final = """
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{sasl},SASL_SSL://127.0.0.1:{sasl_ssl},\
SSL://127.0.0.1:{ssl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{sasl},SASL_SSL://127.0.0.1:{sasl_ssl},\
SSL://127.0.0.1:{ssl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,\
CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
"""


@dataclass(frozen=True, slots=True)
class SecuredBroker:
    """Where the broker listens, by security protocol, and the file with the authority of its certificate."""

    listeners: dict[str, str]
    ca_file: Path
    pid: int

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the broker's process during the body: connections stay open, and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def environment(self, protocol: str, **changes: str) -> dict[str, str]:
        """Return the variables with which a process reaches this listener. `changes` replace some of them."""
        variables = {"KAFKA_BOOTSTRAP_SERVERS": self.listeners[protocol], "KAFKA_SECURITY_PROTOCOL": protocol}
        if protocol.startswith("SASL"):
            variables |= {
                "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
                "KAFKA_SASL_USERNAME": USERNAME,
                "KAFKA_SASL_PASSWORD": PASSWORD,
            }
        if protocol.endswith("SSL"):
            variables["KAFKA_CA_FILE"] = str(self.ca_file)
        return variables | changes


@contextmanager
def secured_broker(folder: Path) -> Iterator[SecuredBroker]:
    """Start the broker in `folder`, and stop it at the end."""
    platform = free_platform(folder / "var")
    numbers = {
        "plain": platform.port(ports.KAFKA),
        "controller": platform.port(ports.KAFKA_CONTROLLER),
        "sasl": platform.port(ports.SMTP),
        "sasl_ssl": platform.port(ports.SANDBOX),
        "ssl": platform.port(ports.HTTP["gateway"]),
    }
    keystore = _make_certificate(folder)
    properties = folder / "server.properties"
    _write_properties(properties, numbers, data=folder / "data", keystore=keystore)
    _format(properties)
    with (folder / "kafka.log").open("w") as log:
        command = [*kafka.java(*kafka.JVM), "kafka.Kafka", str(properties)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_start(numbers["plain"], process, folder / "kafka.log")
        names = {"SASL_PLAINTEXT": "sasl", "SASL_SSL": "sasl_ssl", "SSL": "ssl", "PLAINTEXT": "plain"}
        listeners = {protocol: f"127.0.0.1:{numbers[name]}" for protocol, name in names.items()}
        yield SecuredBroker(listeners, folder / "ca.pem", process.pid)
    finally:
        process.kill()
        process.wait()


def _write_properties(path: Path, numbers: dict[str, int], *, data: Path, keystore: Path) -> None:
    users = f'username="{USERNAME}" password="{PASSWORD}" user_{USERNAME}="{PASSWORD}"'
    lines = [
        kafka.PROPERTIES.format(broker=numbers["plain"], controller=numbers["controller"], data=data),
        _PROPERTIES.format(**numbers, keystore=keystore),
    ]
    for listener in ("sasl_plaintext", "sasl_ssl"):
        prefix = f"listener.name.{listener}"
        lines.append(f"{prefix}.plain.sasl.jaas.config={_JAAS}.plain.PlainLoginModule required {users};\n")
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            lines.append(f"{prefix}.{mechanism}.sasl.jaas.config={_JAAS}.scram.ScramLoginModule required;\n")
    path.write_text("".join(lines))


def _format(properties: Path) -> None:
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "a")
    command = [*kafka.java("-Xmx128m"), "kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
    command += ["-c", str(properties)]
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        command += ["--add-scram", f"{mechanism}=[name={USERNAME},password={PASSWORD}]"]
    subprocess.run(command, check=True, capture_output=True)


def _await_start(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 60
    while not kafka.ready({"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"}):
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(log.read_text()[-2_000:])
        time.sleep(0.2)


def _make_certificate(folder: Path) -> Path:
    """Write `ca.pem`, the authority, and return a file with the broker's key and the certificate that it signed."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The test's authority")])
    broker = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)

    def certificate(subject: x509.Name, own_key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(own_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    own = certificate(authority, authority_key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    name = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = certificate(broker, key).add_extension(name, False).sign(authority_key, hashes.SHA256())
    (folder / "ca.pem").write_bytes(own.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    keystore = folder / "broker.pem"
    keystore.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return keystore
