"""The figures of `bench identity`, taken inside users_service's Django by `benchmarks._in_django`."""

import argparse
import asyncio
import base64
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import grpc
import jwt
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection

from benchmarks._identity_flood import PASSWORD
from benchmarks._identity_stage import DEVICE, ROOT, access_token, accounts, me_latencies
from contracts.travel.users.v1 import users_pb2
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub
from shared.auth import tokens
from shared.auth.credentials import sign
from users_service.accounts import passwords
from users_service.accounts.models import User
from users_service.accounts.services import log_in

RESULT: Final = ROOT / "benchmarks" / "results" / "identity.md"
BARE_TOKEN, TOKEN, NEW_TOKEN = "PyJWT alone, key in hand", "verify_access_token", "verify_access_token, first time"
ONE, HUNDRED = "BatchGetContacts of 1", "BatchGetContacts of 100"
BARE_HASH, SIGN_IN = "Argon2id alone", "log_in"
ME_PER_SECOND: Final = 20
TURNS: Final = 4  # of each side of a ratio in a round: short ones, so that another program disturbs both alike


@dataclass(slots=True)
class Figures:
    """Per measure, the rate and the CPU milliseconds of this process per operation, round by round."""

    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rest: list[list[float]] = field(default_factory=list)
    flood: list[list[float]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def ratios(self, a: str, b: str) -> list[float]:
        """Return rate of `a` ÷ rate of `b`, round by round."""
        return [x / y for x, y in zip(self.rates[a], self.rates[b], strict=True)]

    def measure(self, name: str, work: Callable[[], object], *, seconds: float, threads: int = 1) -> None:
        """Repeat `work` in threads for some seconds, and note what it took."""
        end = time.monotonic() + seconds

        def repeat() -> int:
            done = 0
            while time.monotonic() < end:
                work()
                done += 1
            return done

        began, used = time.monotonic(), time.process_time()
        with ThreadPoolExecutor(threads) as pool:
            done = sum(future.result() for future in [pool.submit(_and_disconnect, repeat) for _ in range(threads)])
        self.rates[name].append(done / (time.monotonic() - began))
        self.cpu[name].append((time.process_time() - used) / done * 1_000)
        print(f"  {name:<34} {self.rates[name][-1]:9.0f} /s  {self.cpu[name][-1]:8.3f} ms CPU", flush=True)


def _and_disconnect(work: Callable[[], int]) -> int:
    try:
        return work()
    finally:
        connection.close()


def measure_tokens(figures: Figures, token: str, *, seconds: float) -> None:
    """Compare the verification of a token with PyJWT's own, by one thread."""
    key = tokens.key_set().key(jwt.get_unverified_header(token)["kid"])
    assert key is not None
    options = {"algorithms": [tokens.ALGORITHM], "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE}
    figures.measure(BARE_TOKEN, lambda: jwt.decode(token, key, **options), seconds=seconds)
    figures.measure(NEW_TOKEN, lambda: tokens._verify(token), seconds=seconds)
    figures.measure(TOKEN, lambda: tokens.verify_access_token(token), seconds=seconds)


def measure_reads(figures: Figures, users: list[User], *, seconds: float) -> None:
    """Compare reading a hundred accounts with reading one, as notifications_service, over gRPC."""
    ids = [str(user.id) for user in users]
    seed = base64.b64decode(json.loads(os.environ["SERVICE_PRIVATE_KEYS"])["notifications"])
    key = Ed25519PrivateKey.from_private_bytes(seed)
    credential = sign(name="notifications", key=key, audience="users", now=time.time())
    with grpc.insecure_channel(os.environ["USERS_GRPC"]) as channel:
        stub = UsersServiceStub(channel)

        def read(count: int) -> None:
            request = users_pb2.BatchGetContactsRequest(ids=ids[:count])
            answer = stub.BatchGetContacts(request, metadata=[("x-service-credential", credential)], timeout=10)
            if len(answer.contacts) != count:
                raise SystemExit(f"{len(answer.contacts)} contacts were answered, not {count}")

        figures.measure(ONE, lambda: read(1), seconds=seconds)
        figures.measure(HUNDRED, lambda: read(100), seconds=seconds)


def measure_sign_ins(figures: Figures, users: list[User], *, seconds: float) -> None:
    """Compare sign-ins, as many at a time as have a place, with hashing alone in as many threads as hash."""
    encoded, emails = make_password(PASSWORD), iter([user.email for user in users] * 10_000)
    for _ in range(TURNS):
        figures.measure(
            BARE_HASH, lambda: check_password(PASSWORD, encoded), seconds=seconds, threads=settings.HASHES_AT_ONCE
        )
        figures.measure(
            SIGN_IN, lambda: log_in(email=next(emails), password=PASSWORD, device=DEVICE),
            seconds=seconds, threads=passwords.most_at_once(),
        )  # fmt: skip


def capacity(figures: Figures) -> float:
    """Return how many passwords a process can hash in a second on a machine that does nothing else.

    It follows from the CPU time of a hash, so other programs do not make it smaller.
    """
    return settings.HASHES_AT_ONCE * 1_000 / statistics.median(figures.cpu[BARE_HASH])


def measure_me(figures: Figures, users: list[User], token: str, *, seconds: float) -> None:
    """Ask for `me` at rest, then during a flood of sign-ins at twice the capacity of hashing."""
    asking = partial(me_latencies, token, seconds=seconds, per_second=ME_PER_SECOND)
    figures.rest.append(asyncio.run(asking()))
    rate = 2 * capacity(figures)
    command = [sys.executable, "-m", "benchmarks._identity_flood", str(rate), str(seconds + 2)]
    flooding = subprocess.Popen([*command, *(user.email for user in users[1:])], stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    figures.flood.append(asyncio.run(asking()))
    answers = flooding.communicate(timeout=60)[0].strip()
    if flooding.returncode != 0:
        raise SystemExit("the flood has failed")
    figures.answers.append(f"{rate:.0f} a second: {answers}")
    rest, flood = p99(figures.rest[-1:]), p99(figures.flood[-1:])
    print(f"  me: p99 {rest:.1f} ms, in a flood of {rate:.0f}/s {flood:.1f} ms; {figures.answers[-1]}", flush=True)


def p99(rounds: list[list[float]]) -> float:
    """Return the 99th percentile of all rounds together."""
    return statistics.quantiles([value for each in rounds for value in each], n=100)[98]


def report(figures: Figures, *, load: float, options: argparse.Namespace) -> str:
    """Return the figures as a Markdown document."""
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    per_core = [1_000 / cost for cost in figures.cpu[TOKEN]]
    cost = [1 / ratio for ratio in figures.ratios(HUNDRED, ONE)]
    cpu = [a / b for a, b in zip(figures.cpu[BARE_HASH], figures.cpu[SIGN_IN], strict=True)]
    beside = [b - a for a, b in zip(figures.cpu[BARE_HASH], figures.cpu[SIGN_IN], strict=True)]
    slowdown = [p99([a]) / p99([b]) for a, b in zip(figures.flood, figures.rest, strict=True)]
    rows = [
        ("tokens verified a second of CPU", per_core, "≥ 5,000", 0),
        ("verify_access_token ÷ PyJWT alone, rate", figures.ratios(TOKEN, BARE_TOKEN), "", 1),
        ("first verification ÷ PyJWT alone, rate", figures.ratios(NEW_TOKEN, BARE_TOKEN), "", 2),
        ("time of 100 contacts ÷ 1", cost, "≤ 4", 2),
        ("sign-ins ÷ Argon2id alone, rate", figures.ratios(SIGN_IN, BARE_HASH), "≥ 0.90", 2),
        ("Argon2id alone ÷ sign-in, CPU", cpu, "", 2),
        ("CPU of a sign-in beside its hash, ms", beside, "", 1),
        ("p99 of `me` in a flood ÷ at rest, round by round", slowdown, "", 2),
        ("p99 of `me` in a flood ÷ at rest, all rounds together", [p99(figures.flood) / p99(figures.rest)], "≤ 3", 2),
    ]
    lines = [
        "# Tokens, accounts and sign-ins",
        "",
        f"{datetime.date.today()}, {machine}, Python {platform.python_version()}, load {load:.1f} before it began;"
        f" `./manage_all.py bench identity --rounds {options.rounds} --seconds {options.seconds}`;"
        " median (minimum – maximum) over the rounds.",
        "",
        "| what | a second | CPU of the measuring process each, ms |",
        "|---|---|---|",
        *(f"| {name} | {_range(rates, 0)} | {_range(figures.cpu[name], 3)} |" for name, rates in figures.rates.items()),
        "",
        "| figure | measured | target |",
        "|---|---|---|",
        *(f"| {title} | {_range(values, digits)} | {target} |" for title, values, target, digits in rows),
        f"| p99 of `me`, all rounds: at rest, in a flood | {p99(figures.rest):.1f} ms, {p99(figures.flood):.1f} ms | |",
        "",
        f"The floods, round by round: {'; '.join(figures.answers)}. A flood is twice as many sign-ins as the hashing"
        " threads of a process could verify if the machine did nothing else. Everything runs on the same cores: the"
        " platform, its database, and the clients. The CPU time does not contain that of PostgreSQL, Valkey and the"
        " server of a read.",
        "",
    ]
    return "\n".join(lines)


def _range(values: list[float], digits: int) -> str:
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({least:,.{digits}f} – {most:,.{digits}f})"


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(prog="bench identity")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    figures, load = Figures(), os.getloadavg()[0]
    with accounts() as users:
        token = access_token(users[0])
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            measure_tokens(figures, token, seconds=options.seconds / 2)
            measure_reads(figures, users, seconds=options.seconds)
            measure_sign_ins(figures, users, seconds=options.seconds)
            measure_me(figures, users, token, seconds=options.seconds * 8)
    text = report(figures, load=load, options=options)
    print(text)
    Path(RESULT).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
