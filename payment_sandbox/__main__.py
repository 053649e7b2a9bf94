"""`python -m payment_sandbox`: serve until SIGTERM."""

import logging
import os

import uvicorn

from payment_sandbox.app import make_app
from payment_sandbox.config import Config


def main() -> None:
    """Serve with the configuration of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = Config.from_environment(os.environ)
    uvicorn.run(
        make_app(config),
        host=config.host,
        port=config.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )


if __name__ == "__main__":
    main()
