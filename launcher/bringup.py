"""The order in which a platform comes up: which part waits for which. Parts that wait for nothing run side by side."""

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from launcher import catalogue, stamps
from launcher.environment import long_command_environment, service_environment, stand_in_environment
from launcher.infrastructure import kafka, kafka_jars, postgres, valkey
from launcher.processes import BY_NAME, TABLE, WITH_DATABASE, Kind, Process, package
from launcher.report import State
from launcher.runner import Runner, Stopped

SEEDED: Final = ("users", "destinations")
CATALOGUE_SECONDS: Final = 240.0

JARS, CLUSTER, DATABASES, TOPICS, CATALOGUE = "Kafka's jars", "PostgreSQL's cluster", "databases", "topics", "catalogue"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a platform to bring up. `may_create` lets the roles of the services create databases, as tests do."""

    embedded: bool = True
    services: bool = True
    may_create: bool = False

    def processes(self) -> list[Process]:
        """Return the processes of the table that this platform has."""
        return [
            process
            for process in TABLE
            if (self.services or not process.is_service)
            and (self.services or process.name != "sandbox")
            and (self.embedded or process.name == "sandbox" or process.kind is not Kind.INFRASTRUCTURE)
        ]

    def steps(self) -> list[str]:
        """Return the names of the steps of the set-up, in the order in which they are shown."""
        steps = [JARS, CLUSTER, DATABASES] if self.embedded else []
        if self.services:
            steps += [
                *(f"migrate {name}" for name in WITH_DATABASE),
                TOPICS,
                *(f"seed {name}" for name in SEEDED),
                CATALOGUE,
            ]
        return steps


def declared_topics(prefix: str) -> dict[str, int]:
    """Return the partitions of every topic that the services need, dead-letter topics included, by its full name."""
    from shared import events

    return {prefix + topic.name: topic.partitions for topic in (*events.TOPICS, *events.DEAD_LETTER_TOPICS)}


@dataclass(slots=True)
class BringUp:
    """Brings a platform up once. Every part is a future that waits for the parts it needs."""

    runner: Runner
    extent: Extent
    _futures: dict[str, "Future[None]"] = field(default_factory=dict)

    def run(self) -> None:
        """Return when everything is ready. Raises the first Refusal, or Stopped."""
        self.runner.reporter.expect(
            steps=self.extent.steps(), processes=[process.name for process in self.extent.processes()]
        )
        plan = self._plan()
        with ThreadPoolExecutor(max_workers=len(plan)) as pool:
            for name, (needs, action) in plan.items():
                waits = [self._futures[need] for need in needs if need in self._futures]
                self._futures[name] = pool.submit(self._after, waits, action)
            done, _ = wait(self._futures.values(), return_when=FIRST_EXCEPTION)
            for future in done:
                if (error := future.exception()) is not None and not isinstance(error, Stopped):
                    self.runner.reporter.note(str(error).splitlines()[0])
            wait(self._futures.values())
        errors = [error for future in self._futures.values() if (error := future.exception())]
        for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
            raise error

    def _plan(self) -> dict[str, tuple[tuple[str, ...], Callable[[], None]]]:
        """Return every part by name: the parts it waits for, which stand before it, and what it does."""
        plan: dict[str, tuple[tuple[str, ...], Callable[[], None]]] = {}
        names = {process.name for process in self.extent.processes()}

        def start(name: str, *needs: str) -> None:
            if name in names:
                plan[name] = (needs, lambda: self.runner.bring_up(BY_NAME[name]))

        if self.extent.embedded:
            plan[JARS] = ((), self._step(JARS, self._fetch_jars))
            plan[CLUSTER] = ((), self._step(CLUSTER, self._make_cluster))
        start("mail")
        start("sandbox")
        if self.extent.embedded:
            start("postgres", CLUSTER)
            start("valkey", CLUSTER)
            start("kafka", JARS)
            plan[DATABASES] = (("postgres",), self._step(DATABASES, self._make_databases))
        if not self.extent.services:
            return plan
        for name in WITH_DATABASE:
            step = f"migrate {name}"
            plan[step] = ((DATABASES,), self._step(step, partial(self._migrate, name)))
        plan[TOPICS] = (("kafka",), self._step(TOPICS, self._make_topics))
        for name in SEEDED:
            step = f"seed {name}"
            plan[step] = ((f"migrate {name}", "valkey"), self._step(step, partial(self._seed, name)))
        # If the topics exist, consumers and relays start together with the broker, and wait for it themselves.
        kafka_needs = () if self._topics_exist() else (TOPICS,)
        for process in self.extent.processes():
            if process.is_service:
                needs = [need for need in process.needs if need not in ("postgres", "kafka")]
                needs += kafka_needs if "kafka" in process.needs else ()
                start(process.name, f"migrate {process.service}", *needs)
        plan[CATALOGUE] = (
            (*(f"seed {name}" for name in SEEDED), "destinations.relay", "bookings.consumer", "destinations.consumer"),
            self._step(CATALOGUE, self._wait_for_catalogue),
        )
        return plan

    @staticmethod
    def _after(waits: list["Future[None]"], action: Callable[[], None]) -> None:
        for future in waits:
            if future.exception() is not None:
                raise Stopped  # the part that failed reports the problem
        action()

    def _step(self, name: str, action: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            with self.runner.reporter.step(name):
                action()

        return run

    def _skip(self, name: str, why: str) -> None:
        self.runner.reporter.show(name, State.SKIPPED, why)

    def _fetch_jars(self) -> None:
        if kafka_jars.fetched():
            self._skip(JARS, "already fetched")
        else:
            environment = stand_in_environment("jars", self.runner.platform, self.runner.vault)
            self.runner.run_helper("jars", [sys.executable, "-m", "launcher.infrastructure.kafka_jars"], environment)
        if not self._runs("kafka"):
            kafka.prepare(self.runner.platform)

    def _make_cluster(self) -> None:
        postgres.prepare(self.runner.platform, self.runner.vault)
        valkey.prepare(self.runner.platform, self.runner.vault)

    def _make_databases(self) -> None:
        postgres.make_databases(self.runner.platform, self.runner.vault, may_create=self.extent.may_create)

    def _make_topics(self) -> None:
        topics = declared_topics(self.runner.urls["KAFKA_TOPIC_PREFIX"])
        kafka.make_topics(self.runner.urls, topics)
        if self.extent.embedded:
            kafka.note_topics(self.runner.platform, topics)

    def _topics_exist(self) -> bool:
        topics = declared_topics(self.runner.urls["KAFKA_TOPIC_PREFIX"])
        return kafka.noted_topics(self.runner.platform) == topics

    def _migrate(self, service: str) -> None:
        environment, url = self._database(service)
        wanted = stamps.migrations_of(service)
        if stamps.read(url).get(stamps.MIGRATIONS) == wanted:
            return self._skip(f"migrate {service}", "nothing has changed")
        self._manage(service, "migrate", "--no-input", "--verbosity", "1", environment=environment)
        stamps.write(url, **{stamps.MIGRATIONS: wanted})
        return None

    def _seed(self, service: str) -> None:
        environment, url = self._database(service)
        wanted = stamps.seed_of(service, secret=environment.get("ADMIN_PASSWORD", ""))
        if stamps.read(url).get(stamps.SEED) == wanted:
            return self._skip(f"seed {service}", "already seeded")
        self._manage(service, "seed", environment=environment)
        stamps.write(url, **{stamps.SEED: wanted})
        return None

    def _wait_for_catalogue(self) -> None:
        """Wait until bookings sells the seats of every seeded departure and destinations shows how many are free."""
        deadline = time.monotonic() + CATALOGUE_SECONDS
        while True:
            arrived = catalogue.departures_arrived(self._database("destinations")[1], self._database("bookings")[1])
            if arrived.everywhere:
                return self.runner.reporter.show(CATALOGUE, State.READY, f"{arrived.departures} departures")
            self.runner.reporter.show(CATALOGUE, State.STARTING, arrived.progress())
            if time.monotonic() > deadline:
                raise catalogue.incomplete(arrived)
            if self.runner.stopping.wait(0.3):
                raise Stopped

    def _database(self, service: str) -> tuple[Mapping[str, str], str]:
        """Return the environment of a service and the URL of its database."""
        environment = service_environment(
            service, self.runner.platform, self.runner.vault, external=not self.extent.embedded
        )
        return environment, environment[f"{service.upper()}_DATABASE_URL"]

    def _manage(self, service: str, *arguments: str, environment: Mapping[str, str]) -> None:
        command = [sys.executable, f"{package(service)}/manage.py", *arguments]
        self.runner.run_helper(f"{arguments[0]}-{service}", command, long_command_environment(environment))

    def _runs(self, name: str) -> bool:
        from launcher.children import running

        return running(self.runner.platform, name) is not None
