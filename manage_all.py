#!/usr/bin/env python3
"""Starts, stops and tests the platform: `./manage_all.py up`, `demo`, `status`, `down`, `test`; `--help` lists all
commands.

Needs only Python 3.11. It makes `.venv` from the locked requirements if they have changed, then runs `launcher/`.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the lines up to here must run on an older Python
    version = f"{sys.version.split()[0]} ({sys.executable})"
    sys.stderr.write(
        f"manage_all.py needs Python 3.11 or newer; this is {version}.\nType: python3.11 manage_all.py up\n"
    )
    sys.exit(1)

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "dev.txt"
STAMP = VENV / ".made-from"
LEAST_FREE = 1_500_000_000  # bytes for .venv and the files that its installation unpacks

# pip's settings of its package index, and the variables with the same meaning for uv.
INDEX_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}


def main() -> None:
    """Make .venv if it is missing or outdated, and replace this process with the launcher."""
    if made_from() != wanted():
        try:
            with one_at_a_time():
                if made_from() != wanted():
                    make()
        except (OSError, subprocess.CalledProcessError) as error:
            refuse(str(error))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONTZPATH": ""}  # time zones: the locked tzdata only
    environment.pop("PYTHONHOME", None)
    os.execve(
        PYTHON, [str(PYTHON), "-P", "-m", "launcher", *sys.argv[1:]], environment
    )  # -P: import nothing from the current folder


def wanted() -> str:
    """Return what .venv must be made from: this lock file, this Python, its own folder (a moved .venv is broken)."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{lock} {sys.version_info[0]}.{sys.version_info[1]} {VENV.resolve()}"


def made_from() -> str:
    """Return what the stamp says .venv was made from; "" if it was never finished."""
    try:
        return STAMP.read_text() if PYTHON.exists() else ""
    except OSError:
        return ""


def make() -> None:
    """Install exactly the locked requirements into .venv.

    The stamp is written last, so that an unfinished .venv is made again.
    """
    free = shutil.disk_usage(ROOT).free
    if free < LEAST_FREE:
        refuse(f"the disk of {ROOT} is full: {free // 1_000_000} MB are free, {LEAST_FREE // 1_000_000} MB are needed")
    print("Installing the locked packages into .venv …", flush=True)
    keep = bool(made_from()) and usable()  # an unfinished .venv holds half-written packages that look installed
    STAMP.unlink(missing_ok=True)
    if not keep:
        venv.create(VENV, clear=True, with_pip=True)
    if not installed_by_uv():
        print("uv does not work here. pip installs the packages, which takes longer.", flush=True)
        run(PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", LOCK)
    STAMP.write_text(wanted())


def usable() -> bool:
    """Return whether .venv has this Python and a pip that runs."""
    check = "import sys, pip; print(*sys.version_info[:2])"
    done = subprocess.run([PYTHON, "-c", check], capture_output=True, text=True, check=False)
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def installed_by_uv() -> bool:
    """Install the packages with uv, which pip fetches by its hash in the lock file.

    Return False if one of the two fails.
    """
    pinned = re.search(r"^uv==.*?(?=^\S|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if pinned is None:
        return False
    only_uv = VENV / "uv.txt"
    only_uv.write_text(pinned.group())
    try:
        run(PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", only_uv)
        sync = ("-m", "uv", "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--link-mode", "copy")
        run(PYTHON, *sync, "--python", PYTHON, LOCK, environment=uv_environment())
    except subprocess.CalledProcessError:
        return False
    return True


def uv_environment() -> dict[str, str]:
    """Return the environment, with the index settings of pip's files and variables as variables for uv."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
    settings = subprocess.run(
        [PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for line in settings.splitlines():
        name, _, value = line.partition("=")
        variable = INDEX_SETTINGS.get(name.rpartition(".")[2])
        if variable and variable not in environment:
            environment[variable] = value.strip("'\"").replace("\\n", " ").strip()
    return environment


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a command in the folder of the checkout. Raises CalledProcessError."""
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process at a time make .venv. The others wait until it is made."""
    with open(ROOT / ".venv.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse(problem: str) -> None:
    """Print what is wrong and what to type, and end with exit code 1."""
    sys.stderr.write(f"manage_all.py cannot make .venv: {problem}.\nType: rm -rf .venv && ./manage_all.py doctor\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
