"""`release`: move the baselines of the contract gate to the contracts as they are now."""

import shutil
import subprocess
import sys
from pathlib import Path

from launcher.contract_gate import events, graphql
from launcher.contract_gate.baseline import COMMITTED, Baseline, Baselines
from launcher.platform import ROOT
from launcher.refusal import Refusal
from shared.events import EVENTS


def release(*, accept_breaks: bool, baselines: Baselines = COMMITTED) -> int:
    """Write the three baselines, and print the order in which to deploy what is new.

    Raises Refusal, and writes nothing, if a reader or client of the last release breaks and `accept_breaks` is false.
    """
    broken = [*events.breaks(baselines), *graphql.breaks(baselines.graphql), *_proto_breaks(baselines)]
    for complaint in broken:
        print(complaint)
    if broken and not accept_breaks:
        raise Refusal(
            f"The baselines are as they were: {len(broken)} changes break a reader or a client of the last release.",
            "./manage_all.py release --accept-breaks",
        )
    for line in events.new_since_the_release(baselines):
        print(line)
    shutil.copyfile(graphql.SCHEMA, baselines.graphql)
    baselines.events.write_text(Baseline.of(EVENTS).text(), encoding="utf-8")
    _buf("build", "proto", "-o", str(baselines.protos))
    print("The contracts as they are now are what lint compares with from now on. Commit the three baselines.")
    return 0


def _proto_breaks(baselines: Baselines) -> list[str]:
    done = _buf("breaking", "proto", "--against", str(baselines.protos), fails=True)
    return done.stdout.splitlines() + done.stderr.splitlines()


def _buf(*arguments: str, fails: bool = False) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).parent / "buf"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and not fails:
        raise Refusal(f"buf failed:\n{done.stderr.strip()}")
    return done
