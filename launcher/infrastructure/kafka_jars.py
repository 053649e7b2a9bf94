"""Apache Kafka's jars: jgo fetches them from Maven Central. Their checksums are in kafka_jars.sha256.

Run as a module, it fetches them unless all of them are there.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

VERSION: Final = "4.3.1"
ENDPOINT: Final = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:1.7.36"  # without it Kafka logs nothing
)
CHECKSUMS: Final = Path(__file__).with_name("kafka_jars.sha256")


class BadJar(Exception):
    """A jar is missing from Maven Central's answer, or its checksum differs from the one in kafka_jars.sha256."""


def folder() -> Path:
    """Return the folder of the jars: beside the packages, or in the user's cache if .venv is read-only."""
    name = f"kafka-{VERSION}-{sha256(CHECKSUMS)[:8]}"
    share = Path(sys.prefix) / "share"
    if os.access(share if share.exists() else sys.prefix, os.W_OK) or (share / name).exists():
        return share / name
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "travel-platform" / name


def fetched() -> bool:
    """Return whether the jars are there. The folder gets its name only after all of them were checked."""
    return folder().is_dir()


def fetch() -> None:
    """Fetch and check the jars. Raises BadJar if one of them differs from its checksum."""
    if fetched():
        return
    import jgo  # slow to import, and needed only here

    target = folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="kafka-new-") as workplace:
        environment = jgo.build(ENDPOINT, cache_dir=Path(workplace) / "jgo")
        fetched_jars = {jar.name: jar for jar in environment.all_jars}
        draft = Path(workplace) / "jars"
        draft.mkdir()
        for name, checksum in checksums().items():
            if name not in fetched_jars:
                raise BadJar(f"{ENDPOINT} no longer needs {name}: update kafka_jars.sha256")
            if sha256(fetched_jars[name]) != checksum:
                raise BadJar(
                    f"{name} differs from its checksum in kafka_jars.sha256:"
                    " delete it below ~/.m2/repository and try again"
                )
            shutil.copy2(fetched_jars[name], draft / name)
        try:
            draft.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another launcher was first
                raise


def classpath() -> str:
    """Return the class path: exactly the jars of kafka_jars.sha256."""
    return os.pathsep.join(str(folder() / name) for name in checksums())


def checksums() -> dict[str, str]:
    """Return the SHA-256 of every jar, by its file name."""
    pairs = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {name: checksum for checksum, name in pairs}


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    try:
        fetch()
    except (BadJar, OSError) as error:  # requests' errors are OSErrors
        sys.exit(f"Kafka's jars were not fetched: {error}")
