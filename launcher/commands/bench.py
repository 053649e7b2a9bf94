"""`bench`: run one of benchmarks/ against the platform that is up."""

import os
import subprocess
import sys
from collections.abc import Sequence

from launcher.environment import all_services, public_addresses
from launcher.platform import Platform
from launcher.refusal import Refusal
from launcher.vault import Vault


def bench(platform: Platform, arguments: Sequence[str]) -> int:
    """Run a benchmark (its name, then its options) with the platform's addresses.

    Raises Refusal for an unknown name.
    """
    platform.make_folders()
    folder = platform.root / "benchmarks"
    programs = [*folder.glob("*.py"), *(path.parent for path in folder.glob("*/__main__.py"))]
    known = sorted(path.stem for path in programs if not path.stem.startswith("_"))
    if not arguments or arguments[0] not in known:
        problem = f"There is no benchmark {arguments[0]}." if arguments else "Name a benchmark."
        raise Refusal(f"{problem} The benchmarks are: {', '.join(known)}.", f"./manage_all.py bench {known[0]}")
    environment = {**os.environ, **all_services(platform, Vault(platform)), **public_addresses(platform)}
    program = [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]]
    return subprocess.run(program, cwd=platform.root, env=environment, check=False).returncode
