"""One database per service, reached through a small pool, and never waited for longer than a request lives."""

import warnings
from typing import Any

from shared.settings.env import env, refuse

POOL_SIZE = 8


def database(service: str, *, threads: int = POOL_SIZE) -> dict[str, Any]:
    """Return DATABASES from `<SERVICE>_DATABASE_URL`.

    Limits, in ms, each with a variable of its own: a statement 10,000 (a request's own deadline), a lock 2,000, a
    transaction that waits for its next statement 15,000. 0 means no limit; migrations and seeds run without the first.
    PostgreSQL plans for SSDs: a page read at random costs little more than the next one. It plans a prepared statement
    once, for any parameters.
    The native psycopg pool holds at most as many connections as a process has `threads`.
    """
    name = f"{service.upper()}_DATABASE_URL"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the check below reports a malformed URL in one line
        settings: dict[str, Any] = env.db_url(name)
    if not settings.get("NAME") or not settings.get("ENGINE", "").endswith("postgresql"):
        refuse(f"{name} is malformed: postgres://USER:PASSWORD@HOST:PORT/NAME is expected")
    statement = env.whole_number("DATABASE_STATEMENT_TIMEOUT_MS", default=10_000)
    lock = env.whole_number("DATABASE_LOCK_TIMEOUT_MS", default=2_000)
    idle = env.whole_number("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS", default=15_000)
    settings["CONN_MAX_AGE"] = 0
    settings["CONN_HEALTH_CHECKS"] = False
    settings["TEST"] = {}
    settings["OPTIONS"] = {
        "application_name": f"travel-{service}",
        "connect_timeout": 3,
        "prepare_threshold": 5,  # Django's None would have PostgreSQL plan each execution of shared.statement anew
        "options": (
            "-c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan"
            f" -c statement_timeout={statement} -c lock_timeout={lock} -c idle_in_transaction_session_timeout={idle}"
        ),
        "pool": {
            "min_size": 0,
            "max_size": env.whole_number("DATABASE_POOL_SIZE", default=threads),
            "timeout": 2,
            "max_idle": 120,
            "num_workers": 1,
        },
    }
    return {"default": settings}
