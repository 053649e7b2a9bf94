"""Apache Kafka's jars: resolved from Maven Central by jgo, held against kafka_jars.sha256, kept beside the packages in .venv.

Run as a module it fetches them; what is fetched already and whole is not touched.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "4.3.1"
ENDPOINT: Final = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"  # Kafka alone logs nothing
CHECKSUMS: Final = Path(__file__).with_name("kafka_jars.sha256")


class BadJar(Exception):
    """A jar is missing from what Maven Central answered, or is not the one that was checked in."""


def folder() -> Path:
    """Return where the jars are, once fetched: beside the packages, or in the user's cache where .venv is read-only."""
    name = f"kafka-{VERSION}-{sha256(CHECKSUMS)[:8]}"
    share = Path(sys.prefix) / "share"
    if os.access(share if share.exists() else sys.prefix, os.W_OK) or (share / name).exists():
        return share / name
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "travel-platform" / name


def fetched() -> bool:
    """Return whether the jars are there; the folder gets its name only when all of them were checked."""
    return folder().is_dir()


def fetch() -> None:
    """Fetch and check the jars. Raises BadJar where one differs from the checked-in sum."""
    if fetched():
        return
    import jgo  # slow to import, and needed once

    target = folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="kafka-new-") as workplace:
        environment = jgo.build(ENDPOINT, cache_dir=Path(workplace) / "jgo")
        found = {jar.name: jar for jar in environment.all_jars}
        draft = Path(workplace) / "jars"
        draft.mkdir()
        for name, checksum in checksums().items():
            if name not in found:
                raise BadJar(f"{name} is not among what {ENDPOINT} needs any more")
            if sha256(found[name]) != checksum:
                raise BadJar(
                    f"{name} is not the file that was checked in: delete it below ~/.m2/repository and try again"
                )
            shutil.copy2(found[name], draft / name)
        try:
            draft.rename(target)
        except OSError:
            if not target.is_dir():  # else another launcher was first
                raise


def classpath() -> str:
    """Return the class path of exactly the jars that were checked in."""
    return os.pathsep.join(str(folder() / name) for name in checksums())


def checksums() -> dict[str, str]:
    """Return the checked-in jars: file name to SHA-256."""
    pairs = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {name: checksum for checksum, name in pairs}


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    fetch()
