"""A destinations_service in a process of its own, which a test can stop (SIGSTOP) and continue.

Started as a program it prints its port. It answers health checks, and BatchGetTrips after the seconds in the slug.
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from contracts.travel.bookings.v1 import bookings_pb2 as b
from contracts.travel.bookings.v1 import bookings_pb2_grpc
from contracts.travel.destinations.v1 import destinations_pb2 as d
from contracts.travel.destinations.v1 import destinations_pb2_grpc


class Destinations(destinations_pb2_grpc.DestinationsServiceServicer):
    async def BatchGetTrips(self, request, context):  # type: ignore[no-untyped-def]
        await asyncio.sleep(float(request.slugs[0]))
        return d.BatchGetTripsResponse(trips=[d.Trip(slug=request.slugs[0])])


class Bookings(bookings_pb2_grpc.BookingsServiceServicer):
    async def CreateBooking(self, request, context):  # type: ignore[no-untyped-def]
        await asyncio.sleep(2.5)
        return b.CreateBookingResponse(booking=b.Booking(reference="BOOKED"))


async def main(port: int) -> None:
    server = grpc.aio.server(ThreadPoolExecutor(1))
    healthy = health.aio.HealthServicer()
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    destinations_pb2_grpc.add_DestinationsServiceServicer_to_server(Destinations(), server)
    bookings_pb2_grpc.add_BookingsServiceServicer_to_server(Bookings(), server)
    sys.stdout.write(f"{server.add_insecure_port(f'127.0.0.1:{port}')}\n")
    sys.stdout.flush()
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
