#!/usr/bin/env python3
"""Everything about the platform: `./manage_all.py up`, `demo`, `status`, `down`, `test`, … (`--help` tells all).

Needs Python 3.11 and nothing else. It makes `.venv` from the locked requirements when they changed, then hands over to
`launcher/`, which does the rest.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - nothing above this line, nor its syntax, may need more
    found = f"{sys.version.split()[0]} ({sys.executable})"
    sys.stderr.write(f"manage_all.py needs Python 3.11 or newer; this is {found}.\nType: python3.11 manage_all.py up\n")
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
LEAST_FREE = 1_500_000_000  # bytes: .venv and what is unpacked on the way

# What pip was told about its index, as uv wants to hear it.
INDEX_SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}


def main() -> None:
    """Make .venv if it must be, and become the launcher."""
    if made_from() != wanted():
        try:
            with one_at_a_time():
                if made_from() != wanted():
                    make()
        except (OSError, subprocess.CalledProcessError) as error:
            refuse(str(error))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONTZPATH": ""}  # time zones: the locked tzdata only
    environment.pop("PYTHONHOME", None)
    os.execve(PYTHON, [str(PYTHON), "-P", "-m", "launcher", *sys.argv[1:]], environment)  # -P: not what lies in the cwd


def wanted() -> str:
    """Return what .venv must be made from: this lock, this Python, this place (a moved .venv is broken)."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    return f"{lock} {sys.version_info[0]}.{sys.version_info[1]} {VENV}"


def made_from() -> str:
    """Return what .venv says it was made from; "" where it was never finished."""
    try:
        return STAMP.read_text() if PYTHON.exists() else ""
    except OSError:
        return ""


def make() -> None:
    """Install exactly the locked requirements into .venv. The stamp is written last: a half-made one is made again."""
    free = shutil.disk_usage(ROOT).free
    if free < LEAST_FREE:
        refuse(f"the disk of {ROOT} is full: {free // 1_000_000} MB are free, {LEAST_FREE // 1_000_000} MB are needed")
    print("Installing the locked packages into .venv …", flush=True)
    whole = (
        bool(made_from()) and usable()
    )  # one that was killed half-way holds half-written packages that look installed
    STAMP.unlink(missing_ok=True)
    if not whole:
        venv.create(VENV, clear=True, with_pip=True)
    if not installed_by_uv():
        print("uv cannot be used here; pip does it, which takes longer.", flush=True)
        run(PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", LOCK)
    STAMP.write_text(wanted())


def usable() -> bool:
    """Return whether .venv has this Python and a pip that runs."""
    check = "import sys, pip; print(*sys.version_info[:2])"
    done = subprocess.run([PYTHON, "-c", check], capture_output=True, text=True, check=False)
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def installed_by_uv() -> bool:
    """Install with uv, which pip fetches by its hash in the lock; False where either cannot."""
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
    """Return the environment with pip's index settings, from its files and variables, added for uv."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
    told = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    for line in told.splitlines():
        name, _, value = line.partition("=")
        variable = INDEX_SETTINGS.get(name.rpartition(".")[2])
        if variable and variable not in environment:
            environment[variable] = value.strip("'\"").replace("\\n", " ").strip()
    return environment


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a command from the checkout. Raises CalledProcessError."""
    subprocess.run(command, check=True, cwd=ROOT, env=environment)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process at a time make .venv; the others wait, and find it made."""
    with open(ROOT / ".venv.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse(problem: str) -> None:
    """End with one line that says what is wrong and one that says what to type."""
    sys.stderr.write(f"manage_all.py cannot make .venv: {problem}.\nType: rm -rf .venv && ./manage_all.py doctor\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
