"""Running an operator's command: its exit code and what it said."""

from io import StringIO

from django.core.management import CommandError, call_command


def run(*command: str) -> tuple[int, str]:
    """Return the exit code and what was said on stdout."""
    said = StringIO()
    try:
        call_command(*command, stdout=said, stderr=StringIO())
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, said.getvalue()


def last(said: str) -> str:
    return said.strip().splitlines()[-1]
