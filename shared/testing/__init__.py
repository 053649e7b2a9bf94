"""What every service's tests share: the pytest plugin, races, patience, and events on a real broker. Never imported by a service."""

from shared.testing.patience import eventually
from shared.testing.races import race

__all__ = ["eventually", "race"]
