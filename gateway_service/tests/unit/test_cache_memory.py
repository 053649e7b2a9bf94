"""The cache's memory stays within its bound, measured in a process of its own."""

import subprocess
import sys

FILL = """
import asyncio, gc, sys
from contracts.travel.destinations.v1 import destinations_pb2 as d
from gateway_service.gateway.operation.catalogue_cache import CatalogueCache, Kind
from shared.deadline import Deadline

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

async def main():
    size, words = int(sys.argv[1]), int(sys.argv[2])

    async def read(ids):
        answer = d.BatchGetDestinationsResponse()
        for id in ids:
            row = answer.destinations.add(id=id, slug="slug-" + id, time_zone="Europe/Paris", ancestor_ids=["x" * 36] * 2)
            row.description.en, row.description.fr = "word " * words, "mots " * words
        answer = d.BatchGetDestinationsResponse.FromString(answer.SerializeToString())
        return {row.id: row for row in answer.destinations}

    cache = CatalogueCache(most_bytes=size)
    cache.set_current(True)
    await cache.rows(Kind.PLACE, ["warm"], read, Deadline.after(5))
    gc.collect()
    before = resident()
    for start in range(0, 40_000, 100):
        await cache.rows(Kind.PLACE, [f"{id:036}" for id in range(start, start + 100)], read, Deadline.after(60))
    gc.collect()
    assert size * 0.9 < cache.size_bytes <= size
    print((resident() - before) / size)

asyncio.run(main())
"""


def test_the_resident_memory_stays_within_the_bound() -> None:
    """40,000 places come in answers of 100, several times what 8 MB hold."""
    for words in (10, 300):
        filled = subprocess.run(
            [sys.executable, "-c", FILL, "8000000", str(words)], capture_output=True, text=True, check=True, timeout=120
        )
        assert float(filled.stdout) < 1.25
