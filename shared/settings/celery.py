"""Celery on Valkey: only JSON, and a task is acknowledged when it has finished."""

from typing import Any

from shared.settings.env import env


def celery(service: str) -> dict[str, Any]:
    """Return the settings of a Celery app, without a namespace. Its queue has the service's name."""
    return {
        "broker_url": env.str("REDIS_URL"),
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "visibility_timeout": 120,
            "global_keyprefix": f"{env.str('KAFKA_TOPIC_PREFIX', default='')}{service}.",
            "socket_connect_timeout": 2,
        },
        "task_default_queue": service,
        "task_create_missing_queues": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": 60,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "timezone": "UTC",
    }
