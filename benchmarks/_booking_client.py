"""A client process of bookings' gRPC API: `python -m benchmarks._booking_client ADDRESS CARDS AT_ONCE SECONDS [RATE]`.

CARDS is a JSON file with a service credential, and with quotes and the tokens of their travellers. Without RATE,
AT_ONCE loops book one quote after another. With RATE, calls begin at random times, RATE per second on average, whether
or not earlier calls are answered. A call that the server sheds is repeated with its idempotency key after the pause
that the server asks for.

The process starts at a line on its stdin. It prints, as JSON, how many bookings it made, how many calls were shed, how
long it ran, and the latencies in milliseconds.
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import grpc

from benchmarks._stage import as_uuid
from contracts.travel.bookings.v1 import bookings_pb2 as pb
from contracts.travel.bookings.v1.bookings_pb2_grpc import BookingsServiceStub
from shared.rpc.status import refusal_of

PARTY = [pb.PassengerInput(first_name=n, last_name="Lindqvist", kind=pb.PASSENGER_KIND_ADULT) for n in ("Ann", "Anna")]


async def run(address: str, cards: dict[str, Any], *, at_once: int, seconds: int, rate: float) -> None:
    """Book until the time is over or every quote is used."""
    credential = ("x-service-credential", cards["credential"])
    quotes = [(number, (credential, ("authorization", f"Bearer {token}"))) for number, token in cards["quotes"]]
    arrivals, latencies = random.Random(cards["quotes"][0][0]), list[float]()
    shed = 0
    async with grpc.aio.insecure_channel(address) as channel:
        stub = BookingsServiceStub(channel)
        await channel.channel_ready()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.perf_counter()
        end, pending = began + seconds, iter(quotes)

        async def book(due: float | None = None) -> None:
            nonlocal shed
            number, metadata = next(pending)
            request = pb.CreateBookingRequest(
                quote_id=as_uuid(number), passengers=PARTY, idempotency_key=f"key-{number}"
            )
            sent = due if due is not None else time.perf_counter()
            while True:
                try:
                    await stub.CreateBooking(request, metadata=metadata, timeout=10)
                except grpc.aio.AioRpcError as error:
                    pause = getattr(refusal_of(error), "retry_after", None)
                    if pause is None:
                        raise
                    shed += 1
                    if time.perf_counter() + pause > end:
                        return
                    await asyncio.sleep(pause)
                else:
                    latencies.append((time.perf_counter() - sent) * 1_000)
                    return

        async def loop() -> None:
            while time.perf_counter() < end:
                try:
                    await book()
                except (StopIteration, RuntimeError):
                    return

        if rate:
            tasks, due = [], began
            while due < end:
                due += arrivals.expovariate(rate)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.append(asyncio.create_task(book(due)))
            await asyncio.gather(*tasks)
        else:
            await asyncio.gather(*(loop() for _ in range(at_once)))
        took = time.perf_counter() - began
    print(
        json.dumps({"booked": len(latencies), "shed": shed, "took": took, "latencies": sorted(latencies)}), flush=True
    )


def main() -> None:
    """Read the arguments and the cards, then run."""
    address, cards, at_once, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rate = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    asyncio.run(run(address, json.loads(Path(cards).read_text()), at_once=at_once, seconds=seconds, rate=rate))


if __name__ == "__main__":
    main()
