"""Commands as processes of their own, over the database of the tests."""

import os
import subprocess
import sys

from django.db import connection


def command(*arguments, **environment):
    """Run a management command as a process of its own, over the database of the tests."""
    settings = connection.settings_dict
    address = f"{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    url = f"postgres://{settings['USER']}:{settings['PASSWORD']}@{address}"
    return subprocess.run(
        [sys.executable, "destinations_service/manage.py", *arguments],
        env={**os.environ, "DESTINATIONS_DATABASE_URL": url, **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
