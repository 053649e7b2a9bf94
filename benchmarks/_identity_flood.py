"""A flood of sign-ins through the gateway: `python -m benchmarks._identity_flood PER_SECOND SECONDS EMAIL…`."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from typing import Final

from benchmarks.gateway.client import Connection

PASSWORD: Final = "a quiet harbour 42"
GATEWAY: Final = f"{os.environ['GATEWAY_URL']}/graphql"
LOGIN: Final = "mutation ($e: String!, $p: String!) { login(email: $e, password: $p) { accessToken errors { code } } }"


async def flood(emails: list[str], *, per_second: float, seconds: float) -> Counter[str]:
    """Sign in at an even pace, whether earlier sign-ins are answered or not. Return how often each answer came."""
    answers: Counter[str] = Counter()
    idle: list[Connection] = []
    async with asyncio.TaskGroup() as tasks:

        async def sign_in(email: str) -> None:
            connection = idle.pop() if idle else await Connection.open(os.environ["GATEWAY_URL"])
            body = json.dumps({"query": LOGIN, "variables": {"e": email, "p": PASSWORD}})
            answer = json.loads(await connection.post(body.encode()))
            idle.append(connection)
            errors = answer.get("errors") or ((answer.get("data") or {}).get("login") or {}).get("errors") or []
            answers[errors[0].get("code") or errors[0]["extensions"]["code"] if errors else "OK"] += 1

        began = time.monotonic()
        for number in range(round(seconds * per_second)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            tasks.create_task(sign_in(emails[number % len(emails)]))
    return answers


def main() -> None:
    """Flood, and print how often each answer came."""
    per_second, seconds, *emails = sys.argv[1:]
    answers = asyncio.run(flood(emails, per_second=float(per_second), seconds=float(seconds)))
    print(" ".join(f"{code}={count}" for code, count in sorted(answers.items())))


if __name__ == "__main__":
    main()
