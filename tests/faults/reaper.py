"""`python -m tests.faults.reaper VAR SERVER DATABASE`: waits for its stdin to end, which it does however the tests end; then nothing is left.

The processes under test have sessions of their own: a test run that is killed would leave them running.
"""

import sys
from pathlib import Path

import psycopg
from psycopg import sql

from launcher.platform import Platform
from launcher.stopping import stop


def main() -> None:
    """Wait, stop the processes whose state is in VAR, drop DATABASE."""
    var, server, database = sys.argv[1:]
    sys.stdin.read()
    stop(Platform(var=Path(var)))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


if __name__ == "__main__":
    main()
