"""What the identity benchmark runs on: users_service's Django in this process, and accounts in the running platform."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from benchmarks._identity_flood import GATEWAY, PASSWORD
from users_service.accounts.contracts import Device
from users_service.accounts.models import Profile, User
from users_service.accounts.services import log_in

ROOT: Final = Path(__file__).resolve().parent.parent
ACCOUNTS: Final = 100
DEVICE: Final = Device("127.0.0.1", "benchmark")
ME: Final = "query { me { id email profile { firstName } } }"


@contextmanager
def accounts() -> Iterator[list[User]]:
    """Make accounts with one password in the platform's database, and delete them afterwards."""
    hashed, now = make_password(PASSWORD), timezone.now()
    emails = [f"identity-{number:03}-{os.getpid()}@demo.example" for number in range(ACCOUNTS)]
    users = User.objects.bulk_create(User(email=email, password=hashed, email_verified_at=now) for email in emails)
    Profile.objects.bulk_create(Profile(user=user, first_name="Ann", last_name="Lindqvist") for user in users)
    try:
        yield users
    finally:
        User.objects.filter(email__in=emails).delete()


def access_token(user: User) -> str:
    """Sign the account in, and return its access token."""
    return log_in(email=user.email, password=PASSWORD, device=DEVICE).access_token


async def me_latencies(token: str, *, seconds: float, per_second: int) -> list[float]:
    """Ask for `me` through the gateway at an even pace. Return the milliseconds of each answer.

    Each question is sent when it is due, whether earlier ones are answered or not, so a slow answer delays no other.
    An answer counts from the instant when its question was due.
    """
    async with httpx.AsyncClient(timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:

        async def ask(due: float) -> float:
            answer = (await client.post(GATEWAY, json={"query": ME})).json()
            if not (answer.get("data") or {}).get("me"):
                raise SystemExit(f"me was not answered: {answer}")
            return (time.monotonic() - due) * 1_000

        await asyncio.gather(*(ask(time.monotonic()) for _ in range(4)))  # connections are opened before it counts
        began, asked = time.monotonic() + 0.1, []
        for number in range(round(seconds * per_second)):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.append(asyncio.create_task(ask(due)))
        return await asyncio.gather(*asked)
