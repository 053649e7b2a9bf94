"""A client of the benchmark rpc_floor: `bare` calls with a plain stub of grpc.aio, `gateway` as the gateway does.

`python -m benchmarks._rpc_floor_client bare|gateway PORT USER TOKEN`. Each line of its input is a method, the number of
calls, and how many it makes at a time. It answers with the CPU seconds that it used.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import grpc

from contracts.travel.users.v1 import users_pb2 as pb
from contracts.travel.users.v1.users_pb2_grpc import UsersServiceStub

Ask = Callable[[str], Awaitable[object]]


def request_for(method: str, user_id: str) -> object:
    """Return the request with which `method` is measured."""
    if method == "BatchGetUsers":
        return pb.BatchGetUsersRequest(ids=[user_id])
    if method == "CheckTraveller":
        return pb.CheckTravellerRequest(traveller_id=user_id)
    return pb.DescribeLinkRequest(token=user_id)


def bare(port: int, user_id: str, _: str) -> Ask:
    """Return a function that calls with nothing but grpc.aio."""
    stub = UsersServiceStub(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))

    async def ask(method: str) -> object:
        return await getattr(stub, method)(request_for(method, user_id))

    return ask


def gateway(port: int, user_id: str, token: str) -> Ask:
    """Return a function that calls as the gateway does, for a signed-in traveller."""
    from shared.rpc import AioChannel, CallContext, aio_call

    stub = UsersServiceStub(AioChannel("users", address=f"127.0.0.1:{port}"))

    async def ask(method: str) -> object:
        context = CallContext(token=token, request_id="rpc-floor")
        return await aio_call(getattr(stub, method), request_for(method, user_id), context=context)

    return ask


async def measured(ask: Ask, method: str, calls: int, at_once: int) -> float:
    """Call `method` this often, with `at_once` calls at a time. Return the CPU seconds of this process."""
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            await ask(method)

    started = time.process_time()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return time.process_time() - started


async def main() -> None:
    """Measure what the input says, until it ends."""
    kind, port, user_id, token = sys.argv[1:]
    ask = {"bare": bare, "gateway": gateway}[kind](int(port), user_id, token)
    print("ready", flush=True)
    for line in sys.stdin:
        method, calls, at_once = line.split()
        print(await measured(ask, method, int(calls), int(at_once)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
