"""Settings of destinations_service, one module per concern; every value comes from the environment."""

from destinations_service.config.settings.api import *  # noqa: F403
from destinations_service.config.settings.core import *  # noqa: F403
from destinations_service.config.settings.data import *  # noqa: F403
from destinations_service.config.settings.security import *  # noqa: F403
from destinations_service.config.settings.own import *  # noqa: F403
