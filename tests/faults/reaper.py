"""`python -m tests.faults.reaper VAR SERVER DATABASE`: clean up when the tests end, even if they are killed.

The program waits for the end of its stdin. The processes under test have sessions of their own, so a killed test run
would leave them running.
"""

import sys
from pathlib import Path

import psycopg
from psycopg import sql

from launcher.platform import Platform
from launcher.stopping import stop


def main() -> None:
    """Wait for the end of stdin, stop the processes whose state is in VAR, and drop DATABASE."""
    var, server, database = sys.argv[1:]
    sys.stdin.read()
    stop(Platform(var=Path(var)))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


if __name__ == "__main__":
    main()
