"""Runs a command for operators and returns its exit code and output."""

from io import StringIO

from django.core.management import CommandError, call_command


def run(*command: str) -> tuple[int, str]:
    """Return the exit code, and the text on stdout or of the error."""
    output = StringIO()
    try:
        call_command(*command, stdout=output, stderr=StringIO())
    except SystemExit as end:
        return int(end.code or 0), output.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, output.getvalue()


def last(output: str) -> str:
    """Return the last line of the output."""
    return output.strip().splitlines()[-1]
