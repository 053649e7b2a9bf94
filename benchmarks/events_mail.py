"""From an event in the outbox to its mail: CPU of a mail's task, time at 20 confirmations a second, and 1,000 at once.

`./manage_all.py bench events_mail [--rounds 5] [--seconds 20]` needs a running platform, and nothing else that works on
it. It asserts nothing. Events are written into the outbox of bookings_service as its `publish` writes them, each in its
own transaction with a NOTIFY after the commit, so the figures have the relay, Kafka, the consumer, the invoice, Valkey,
the worker, the PDF and the mail server in them, and no seats or payments. The arrival of a mail is the instant at which
its file in the Maildir was complete. It writes benchmarks/results/events_mail.md.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._events_client import NO_OP, Client, cpu_of

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "events_mail.md"
RATE = 20
MANY = 1_000


def cpu_per_task(client: Client, *, rounds: int, size: int = 200) -> dict[str, float]:
    """Return the median CPU milliseconds of the worker for a no-op task, a mail, and a mail with PDF and calendar."""
    client.wait_until_idle()
    taken: dict[str, list[float]] = {"no-op task": [], "mail": [], "confirmation": []}
    for _ in range(rounds):
        before = cpu_of("notifications.worker")
        client.run_no_ops(size)
        taken["no-op task"].append((cpu_of("notifications.worker") - before) / size * 1000)
        for name, kind in (("mail", "renamed"), ("confirmation", "confirmed")):
            before = cpu_of("notifications.worker")
            client.wait_for_mails(client.commit_all(size, kind=kind))
            client.wait_until_idle()
            taken[name].append((cpu_of("notifications.worker") - before) / size * 1000)
    return {name: statistics.median(values) for name, values in taken.items()}


def latencies(client: Client, *, seconds: int) -> list[float]:
    """Commit RATE confirmations a second, each in its own transaction. Return the milliseconds to each mail, sorted."""
    commits = client.commit_at_rate(RATE, seconds=seconds)
    arrived = client.wait_for_mails(list(commits))
    return sorted((arrived[reference] - committed) * 1000 for reference, committed in commits.items())


def at_once(client: Client) -> tuple[float, float]:
    """Return the seconds of MANY no-op tasks, and those from one commit of MANY confirmations to the last mail."""
    client.wait_until_idle()
    no_ops = client.run_no_ops(MANY)
    begun = time.time()
    arrived = client.wait_for_mails(client.commit_all(MANY, kind="confirmed"), seconds=600)
    return no_ops, max(arrived.values()) - begun


def at(ordered: list[float], share: float) -> float:
    """Return the value below which `share` of the ordered values are."""
    return ordered[min(len(ordered) - 1, round(len(ordered) * share))]


def report(cpu: dict[str, float], times: list[float], no_ops: float, last: float) -> str:
    """Return the figures as a Markdown document."""
    ratio = {name: cpu["no-op task"] / cpu[name] for name in ("mail", "confirmation")}
    return (
        "# From an event to its mail\n\n"
        "| CPU of `notifications.worker` per task | ms | no-op ÷ it | target |\n| --- | --- | --- | --- |\n"
        f"| no-op task (`{NO_OP}`) | {cpu['no-op task']:.2f} | 1 | – |\n"
        f"| mail: contact, text, HTML, SMTP, two commits | {cpu['mail']:.2f} | {ratio['mail']:.2f} | ≥ 0.6 |\n"
        f"| confirmation: also PDF and calendar, and the SMS's task | {cpu['confirmation']:.2f} "
        f"| {ratio['confirmation']:.2f} | – |\n\n"
        f"| {len(times)} confirmations at {RATE} a second | measured | target |\n| --- | --- | --- |\n"
        f"| commit → mail accepted, p50 | {at(times, 0.5):.0f} ms | ≤ 60 ms |\n"
        f"| p99 | {at(times, 0.99):.0f} ms | ≤ 300 ms |\n"
        f"| least, most | {times[0]:.0f} ms, {times[-1]:.0f} ms | – |\n\n"
        f"| {MANY:,} at once | measured |\n| --- | --- |\n"
        f"| one commit of {MANY:,} confirmations → last mail accepted | {last:.1f} s ({MANY / last:.0f} a second) |\n"
        f"| {MANY:,} no-op tasks | {no_ops:.1f} s ({MANY / no_ops:.0f} a second) |\n\n"
        f"Taken {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end; embedded "
        "infrastructure on the same machine. The events were written into the outbox, without seats or payments. "
        "Made by `benchmarks/events_mail.py`.\n"
    )


def main() -> int:
    """Measure, print, and write the result. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20, help=f"how long {RATE} confirmations a second are committed")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 1:
        parser.error("--rounds and --seconds must be at least 1")
    with Client.of_platform() as client:
        client.wait_for_mails(client.commit_all(20, kind="confirmed"))  # not measured: it opens connections
        client.wait_until_idle()
        times = latencies(client, seconds=options.seconds)
        cpu = cpu_per_task(client, rounds=options.rounds)
        no_ops, last = at_once(client)
    text = report(cpu, times, no_ops, last)
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
