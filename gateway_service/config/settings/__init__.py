"""The gateway's settings, one module per concern; everything comes from the environment."""

from gateway_service.config.settings.base import *  # noqa: F403
from gateway_service.config.settings.limits import *  # noqa: F403
from gateway_service.config.settings.services import *  # noqa: F403
