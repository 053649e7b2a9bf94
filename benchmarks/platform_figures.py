"""What the platform costs to run: the time to start and stop, memory, idle CPU. It asserts nothing.

`./manage_all.py bench platform_figures [--rounds 3] [--idle 30]` needs a platform that is down. It starts and stops the
platform that TRAVEL_VAR and PORT_OFFSET choose. It prints figures beside their targets and writes
benchmarks/results/platform_figures.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.gateway.processes import cpu_seconds

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "platform_figures.md"


def launcher(*arguments: str) -> tuple[float, str]:
    """Run a launcher command. Return its wall time in seconds and its stdout. Exit if the command fails."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, ROOT / "manage_all.py", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - began, done.stdout


def families() -> dict[str, list[psutil.Process]]:
    """Return each process of the platform by name, followed by all its children."""
    status = json.loads(launcher("status", "--json")[1])
    processes = {}
    for row in status["processes"]:
        if row["pid"]:
            parent = psutil.Process(row["pid"])
            processes[row["name"]] = [parent, *parent.children(recursive=True)]
    return processes


def pss_mb(process: psutil.Process) -> float:
    """Return the proportional set size in MB."""
    return float(process.memory_full_info().pss) / 1e6


def is_python(process: psutil.Process) -> bool:
    """Return whether the process is a Python interpreter."""
    return Path(process.exe()).name.startswith("python")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} – {max(values):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often to start and stop")
    parser.add_argument("--idle", type=int, default=30, help="seconds of idling to measure")
    options = parser.parse_args()

    launcher("up", "--detach")
    downs, ups = [], []
    for _ in range(options.rounds):
        downs.append(launcher("down")[0])
        ups.append(launcher("up", "--detach")[0])
    time.sleep(15)
    running = families()
    parents = {name: [members[0].pid] for name, members in running.items()}
    before = cpu_seconds(parents)
    time.sleep(options.idle)
    idle = {name: 100 * (after - before[name]) / options.idle for name, after in cpu_seconds(parents).items()}
    python = {
        f"{name}[{index}]" if index else name: pss_mb(member)
        for name, members in running.items()
        for index, member in enumerate(members)
        if is_python(member)
    }
    without_jvm = sum(pss_mb(member) for name, members in running.items() if name != "kafka" for member in members)
    downs.append(launcher("down")[0])

    heaviest = max(python, key=lambda name: python[name])
    rows = [
        ("warm `up --detach`, s", spread(ups), "≤ 20"),
        ("`down`, s", spread(downs), "≤ 8"),
        ("idle CPU without the JVM, % of a core", f"{sum(idle.values()) - idle.get('kafka', 0):.1f}", "≤ 5"),
        ("idle CPU with the JVM, % of a core", f"{sum(idle.values()):.1f}", "≤ 10"),
        (f"PSS of a Python process, MB (largest: {heaviest})", spread(list(python.values())), "≤ 110"),
        ("PSS in all without the JVM, MB", f"{without_jvm:.0f}", "≤ 2,200"),
    ]
    lines = [
        "# What the platform costs to run",
        "",
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}; "
        f"`benchmarks/platform_figures.py --rounds {options.rounds} --idle {options.idle}`; median (minimum – maximum).",
        "",
        "| figure | measured | target |",
        "|---|---|---|",
        *(f"| {name} | {measured} | {target} |" for name, measured, target in rows),
        "",
        "| process | PSS, MB | idle CPU, % of a core |",
        "|---|---|---|",
        *(
            f"| {name} | {sum(pss for key, pss in python.items() if key.split('[')[0] == name):.0f} | {idle[name]:.2f} |"
            for name in sorted(running)
            if name in python
        ),
    ]
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
