"""Flame graphs of the platform's Python processes under each workload, recorded by py-spy."""

import asyncio
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.gateway.client import closed_loop
from benchmarks.gateway.workloads import Workload

RECORDED: Final = ("gateway.web", "users.rpc", "destinations.rpc", "bookings.rpc")
SAMPLES_PER_SECOND: Final = 200
FEWEST_SAMPLES: Final = 60  # a process with fewer did nothing for this workload
_SAMPLES: Final = re.compile(r'total_samples="(\d+)"')
_FRAME: Final = re.compile(r'<g><title>[^<]*</title><rect x="[^"]*" y="[^"]*" width="([\d.]+)%".*?</g>', re.DOTALL)
_TITLE: Final = re.compile(r'(<text id="title"[^>]*>)[^<]*')
NARROWEST_PERCENT: Final = 0.25


def record(
    url: str, load: Workload, groups: Mapping[str, Sequence[int]], *, py_spy: Path, folder: Path, seconds: float
) -> list[Path]:
    """Load the gateway, and write one SVG for each process of RECORDED that took part. Return their paths.

    Needs the right to trace the processes: on most machines that of root.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(closed_loop(url, load.send, connections=4, seconds=2))
    graphs = {folder / f"{load.mark}-{name}.svg": groups[name][0] for name in RECORDED if groups[name]}
    recorders = [_start(py_spy, pid, path) for path, pid in graphs.items()]
    time.sleep(1)
    asyncio.run(closed_loop(url, load.send, connections=4, seconds=seconds))
    for recorder in recorders:
        recorder.send_signal(signal.SIGINT)
        recorder.wait(60)  # it fails if it saw no sample
    written = [path for path in graphs if path.exists()]
    if not written:
        raise SystemExit("py-spy recorded nothing. Run this as root.")
    for path in written:
        _shrink(path)
    return [path for path in written if path.exists()]


def _start(py_spy: Path, pid: int, path: Path) -> "subprocess.Popen[bytes]":
    # Without --gil, sleeping threads would count as busy where the kernel hides their states, as some containers' do.
    command: list[str | Path] = [py_spy, "record", "--pid", str(pid), "--format", "flamegraph", "--output", path]
    command += ["--rate", str(SAMPLES_PER_SECOND), "--function", "--gil", "--duration", "unlimited"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _shrink(path: Path) -> None:
    """Remove frames that are too narrow to read. Remove the whole graph of a process that did nothing.

    The title becomes the file's name, because py-spy's own title is its command line with the paths of this machine.
    """
    text = path.read_text()
    samples = _SAMPLES.search(text)
    if samples is None or int(samples[1]) < FEWEST_SAMPLES:
        path.unlink()
        return
    text = _TITLE.sub(rf"\g<1>{path.stem}", text)
    path.write_text(_FRAME.sub(lambda frame: frame[0] if float(frame[1]) >= NARROWEST_PERCENT else "", text))
