"""Settings of notifications_service, one module per concern; every value comes from the environment."""

from notifications_service.config.settings.api import *  # noqa: F403
from notifications_service.config.settings.core import *  # noqa: F403
from notifications_service.config.settings.data import *  # noqa: F403
from notifications_service.config.settings.delivery import *  # noqa: F403
from notifications_service.config.settings.security import *  # noqa: F403
from notifications_service.config.settings.work import *  # noqa: F403
