"""gunicorn for every web process: one worker by default, as many threads as the pool has connections, and small limits.

`gunicorn -c shared/http/gunicorn_conf.py bookings_service.config.wsgi`
"""

import os
from typing import Any

bind = f"{os.environ.get('HTTP_HOST_ADDRESS', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "shared.http.gunicorn_worker.PatientWorker"
threads = int(os.environ.get("WEB_THREADS", "8"))
preload_app = True  # a wrong environment ends the master at once, with one line
timeout = 30
graceful_timeout = 5
keepalive = 5
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
accesslog = None
errorlog = "-"
loglevel = "warning"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 — the heartbeat file must not wait for a disk
control_socket_disable = True
# By default gunicorn believes X-Forwarded-Proto and SCRIPT_NAME from the loopback. The one list is TRUSTED_PROXIES.
forwarded_allow_ips = ""


def post_fork(server: Any, worker: Any) -> None:
    """Let the worker learn which sessions have ended. A thread that started earlier would not survive the fork."""
    from shared.account_feed import account_feed

    account_feed().start()
