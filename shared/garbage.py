"""The garbage collector of a server, which would otherwise stop every request to look at the imported code again."""

import gc
from typing import Final

_MANY: Final = 100_000


def freeze_imported() -> None:
    """Exempt from garbage collection all objects that exist now. Call it once, when a server has imported its code.

    A full collection looks at every object and stops every thread: 60 to 80 ms with Django, gRPC and the schema, in the
    middle of somebody's request. Almost all of these objects live as long as the process.
    """
    gc.collect()
    gc.freeze()


def expect_many_objects() -> None:
    """Collect garbage seldom, for a process that makes many objects without cycles. Call it once, after the imports.

    Otherwise the collector takes half of the time of such a process: it looks again and again at objects that live.
    """
    freeze_imported()
    gc.set_threshold(_MANY, 50, 50)
