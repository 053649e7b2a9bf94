"""A server's full garbage collections do not look at the code that it has imported."""

import subprocess
import sys
from typing import Final

LOOKED_AT: Final = """
import gc, graphql
from shared.garbage import freeze_imported
freeze_imported()
print(len(gc.get_objects()), gc.get_freeze_count())
"""


def test_imported_objects_are_exempt_from_collections():
    """In a process of its own, because it lasts. Seen failing (21,000 objects, none exempt) without the freeze."""
    printed = subprocess.run([sys.executable, "-c", LOOKED_AT], capture_output=True, text=True, check=True).stdout

    looked_at, exempt = map(int, printed.split())
    assert looked_at < 2_000 < exempt


MANY: Final = """
import gc
from shared.garbage import expect_many_objects
expect_many_objects()
collections = sum(each["collections"] for each in gc.get_stats())
kept = [[] for _ in range(90_000)]
print(sum(each["collections"] for each in gc.get_stats()) - collections, gc.isenabled())
"""


def test_a_process_of_many_objects_seldom_collects():
    """Seen failing (more than 100 collections) without the threshold."""
    printed = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True).stdout

    assert printed.split() == ["0", "True"]
