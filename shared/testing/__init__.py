"""What the tests of all services share: the pytest plugin, races, waiting, and events on a real broker.

Services never import it.
"""

from shared.testing.patience import always, eventually
from shared.testing.races import race

__all__ = ["always", "eventually", "race"]
