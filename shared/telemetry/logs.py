"""One logging configuration for every process: JSON lines in production, readable lines in development.

It handles the events of structlog and of the standard library's loggers (Django, gunicorn, Celery, grpc). Each entry
has the service and the request id, contains no secrets, and is one line whatever its values are. A traceback follows in
indented lines.
"""

import json
import re
import sys
import traceback
from typing import Any, Final

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.telemetry.context import current_request_id, current_traceparent
from shared.telemetry.redaction import REDACTED, is_secret, redact, redact_text
from shared.telemetry.writing import WritingHandler

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Fields that the platform sets, never a person's data.
_OWN_FIELDS: Final = frozenset({"event", "level", "logger", "service", "timestamp", "request_id", "trace", "exception"})
_LEVELS: Final = {"debug": "·", "info": " ", "warning": "!", "error": "✗", "critical": "✗"}


def logging_config(service: str, *, json_lines: bool, level: str = "INFO") -> dict[str, Any]:
    """Return Django's LOGGING (a dictConfig) for a process of `service`, and configure structlog to use it.

    Entries go to stderr. The process's parent decides where stderr goes.
    """
    renderer = _json_line if json_lines else _readable_line
    shared_processors: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _context(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared_processors,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [_drop_internals, _exception, _without_secrets, renderer],
                "foreign_pre_chain": [*shared_processors, _extra],
            }
        },
        "handlers": {"stderr": {"()": WritingHandler, "formatter": "line", "stream": sys.stderr}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            name: {"handlers": [], "level": own_level, "propagate": True}
            for name, own_level in {
                "django": level,
                "django.server": "WARNING",
                "gunicorn": level,
                "gunicorn.error": level,
                "gunicorn.access": "CRITICAL",  # shared.http writes the access line, with the request id
                "uvicorn": level,
                "uvicorn.error": level,
                "uvicorn.access": "CRITICAL",
                "celery": level,
                "httpx": "WARNING",
                "httpcore": "WARNING",
                "faker": "WARNING",
                "PIL": "WARNING",
                "asyncio": "WARNING",
            }.items()
        },
    }


def _context(service: str) -> Processor:
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def add(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["service"] = service
        if request_id := current_request_id():
            event.setdefault("request_id", request_id)
        if trace := current_traceparent():
            event.setdefault("trace", trace[3:35])
        return stamp(logger, method, event)

    return add


_extra: Final = structlog.stdlib.ExtraAdder(allow=("status_code",))


def _drop_internals(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event


def _exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put the traceback's lines, without secrets and without local variables, under `exception`."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = redact_text("".join(traceback.format_exception(*info))).splitlines()
    return event


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {
        key: value if key in {"timestamp", "exception"} else redact(value) if key in _OWN_FIELDS else _field(key, value)
        for key, value in event.items()
    }


def _field(key: str, value: Any) -> Any:
    return REDACTED if is_secret(key) else redact(value)


def _json_line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Return one line of ASCII, so that no character of a value can act on a terminal or begin a line."""
    first = {key: event.pop(key, None) for key in ("timestamp", "level", "service", "event")}
    try:
        line = orjson.dumps({**first, **event}, default=str)
    except TypeError:  # half of a surrogate pair, or a whole number beyond 64 bits
        line = b""
    if line and line.isascii():
        return line.decode()
    return json.dumps({**first, **event}, ensure_ascii=True, default=str, separators=(",", ":"))


def _readable_line(_: WrappedLogger, __: str, event: EventDict) -> str:
    time = str(event.pop("timestamp", ""))[11:23]
    level = str(event.pop("level", "info"))
    service, message = event.pop("service", ""), event.pop("event", "")
    request_id = str(event.pop("request_id", ""))[-8:]
    lines = event.pop("exception", [])
    event.pop("trace", None)
    event.pop("logger", None)
    fields = " ".join(f"{_one_line(key)}={_one_line(value)}" for key, value in event.items())
    head = f"{time} {_LEVELS.get(level, '?')} {service} {request_id or '-':<8} {_one_line(message)}"
    return "\n".join([f"{head} {fields}".rstrip(), *(f"    | {_one_line(line)}" for line in lines)])


def _one_line(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
