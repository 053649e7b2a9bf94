"""The threads that run unary methods, and a limit for the calls that wait for one.

A call goes to the thread that was idle for the shortest time, because that thread's memory and its database connection
are the likeliest to be in the processor's caches. The answer comes back to the event loop in one step.
"""

import asyncio
import atexit
import contextvars
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from shared.errors import RateLimited, Unavailable

THREADS: Final = 8
MAX_WAITING: Final = 128

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Job:
    """A function to run, and the future of the event loop that waits for its answer."""

    function: Callable[[], Any]
    owner: str
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    begun: bool = False

    def expire(self) -> None:
        """Answer TimeoutError, if there is no answer yet."""
        if not self.answer.done():
            self.answer.set_exception(TimeoutError())


class Workers:
    """The threads for unary methods. The number of waiting calls is bounded, so that a slow database sheds load.

    Each thread may use a database connection. `when_full` is what a call gets that may not even wait. If `owner_of`
    names the owner of a request, one owner takes at most half of the places, so that nobody keeps all others out.
    """

    def __init__(
        self,
        threads: int = THREADS,
        waiting: int = MAX_WAITING,
        *,
        when_full: type[Unavailable | RateLimited] = Unavailable,
        owner_of: Callable[[object], str] = lambda _: "",
    ) -> None:
        self.limit = threads + waiting
        self._when_full = when_full
        self._owner_of = owner_of
        self._share = (self.limit + 1) // 2
        self._taken: Counter[str] = Counter()  # by owner
        self._most_threads = threads
        self._threads: list[_Thread] = []
        self._idle: list[_Thread] = []
        self._waiting: deque[_Job] = deque()
        self._ended = False
        self._lock = threading.Lock()
        atexit.register(self.end)

    async def run(self, function: Callable[[], T], *, timeout: float, request: Message | None = None) -> T:
        """Run `function`, which serves `request`, in a thread.

        Raises `when_full` if too many calls wait, or too many of one owner, and TimeoutError after `timeout` seconds.

        A thread cannot be interrupted. After a timeout its transaction still commits or rolls back as a whole.
        """
        owner = self._owner_of(request) if request is not None else ""
        if self._taken.total() >= self.limit or (owner and self._taken[owner] >= self._share):
            raise self._when_full(retry_after=1)
        loop = asyncio.get_running_loop()
        job = _Job(function, owner, contextvars.copy_context(), loop, loop.create_future())
        timer = loop.call_later(timeout, job.expire)
        self._taken[owner] += 1
        self._hand_over(job)
        try:
            answer: T = await job.answer
            return answer
        finally:
            timer.cancel()
            if not job.begun:
                self._give_up(job)

    def next_job(self, thread: "_Thread") -> _Job | None:
        """Return the job that has waited longest. Without one, return None: `thread` then gets its next job itself."""
        with self._lock:
            if self._waiting:
                job = self._waiting.popleft()
                job.begun = True
                return job
            self._idle.append(thread)
            if self._ended:
                thread.inbox.put(None)
            return None

    def finish(self, job: _Job, result: Any, error: BaseException | None) -> None:
        """Give the answer to the event loop that waits for it, and free the job's place there."""
        try:
            job.loop.call_soon_threadsafe(self._answer, job, result, error)
        except RuntimeError:  # the loop is closed: nobody waits
            self._release(job.owner)

    def end(self) -> None:
        """Let the jobs finish, and end the threads. The process calls it when it exits."""
        with self._lock:
            self._ended = True
            for thread in self._idle:
                thread.inbox.put(None)
        for thread in self._threads:
            thread.join()

    def _hand_over(self, job: _Job) -> None:
        """Give `job` to an idle thread or a new one, or let it wait for the next thread that is free."""
        with self._lock:
            if self._idle:
                thread = self._idle.pop()
            elif len(self._threads) < self._most_threads:
                thread = _Thread(self)
                self._threads.append(thread)
                thread.start()
            else:
                self._waiting.append(job)
                return
            job.begun = True
        thread.inbox.put(job)

    def _give_up(self, job: _Job) -> None:
        """Free the place of a job that nobody waits for any longer, unless a thread has just begun it."""
        with self._lock:
            if job.begun:
                return
            self._waiting.remove(job)
        self._release(job.owner)

    def _answer(self, job: _Job, result: Any, error: BaseException | None) -> None:
        self._release(job.owner)
        if job.answer.done():  # the caller has left, or its time is over
            return
        if error is None:
            job.answer.set_result(result)
        else:
            job.answer.set_exception(error)

    def _release(self, owner: str) -> None:
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]


class _Thread(threading.Thread):
    """A thread of Workers. It runs what `inbox` gives it, then what waits, until it gets None."""

    def __init__(self, workers: Workers) -> None:
        super().__init__(name="rpc", daemon=True)
        self.inbox: SimpleQueue[_Job | None] = SimpleQueue()
        self._workers = workers

    def run(self) -> None:
        job = self.inbox.get()
        while job is not None:
            self._run(job)
            job = self._workers.next_job(self) or self.inbox.get()

    def _run(self, job: _Job) -> None:
        try:
            result = job.context.run(job.function)
        except BaseException as error:
            self._workers.finish(job, None, error)
        else:
            self._workers.finish(job, result, None)
