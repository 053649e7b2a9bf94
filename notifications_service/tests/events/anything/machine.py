"""Steps in any order, drawn by hypothesis: writes, the relay, the broker, the consumer, workers, and every fault."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifications_service.tests.events.anything import checks
from notifications_service.tests.events.anything.worker import ANSWERS, PLACES
from notifications_service.tests.events.anything.world import World
from shared.outbox import delivery as relay

PICK = st.integers(0, 1_000)
FAULT = st.sampled_from(
    [*[("", "")] * 2, *(("dies", place) for place in PLACES), *(("freezes", place) for place in PLACES)]
)


class RelayDied(BaseException):
    """Stands for SIGKILL of the relay between a delivery report and its mark."""


class AnyFailure(RuleBasedStateMachine):
    """One run. After each step, and at the end, everything that must be true is checked."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.world = World()

    # ------------------------------------------------------------------ the outbox and its relay

    @rule(
        key=PICK, commits=st.sampled_from([True, True, True, False]), is_refused=st.sampled_from([False] * 5 + [True])
    )
    def write(self, key: int, commits: bool, is_refused: bool) -> None:
        """An aggregate changes, or its transaction is rolled back. The broker may never take the event."""
        self.world.write(self.world.keys[key % 3], commits=commits, is_refused=is_refused)

    @rule(rounds=st.integers(1, 3))
    def relay(self, rounds: int) -> None:
        """The relay works, and the broker does all that it is asked for."""
        for _ in range(rounds):
            self.world.relay.step()
            while self.world.producer.waiting:
                self.world.producer.answer(0, "written")

    @rule()
    def relay_sends(self) -> None:
        """The relay works, and the broker has not answered yet."""
        self.world.relay.step()

    @precondition(lambda self: self.world.producer.waiting)
    @rule(number=PICK, outcome=st.sampled_from(("written", "written", "unreported", "late")))
    def broker_answers(self, number: int, outcome: str) -> None:
        """The broker decides about one request, in any order."""
        self.world.producer.answer(number, outcome)

    @rule(after_reports=st.booleans())
    def relay_dies(self, after_reports: bool) -> None:
        """The relay is killed, with or without reports that it has not written down. Another one takes over."""

        def die(_: str) -> None:
            raise RelayDied

        before = relay.failpoint
        relay.failpoint = die if after_reports else before
        try:
            self.world.relay.step()
        except RelayDied:
            pass
        finally:
            relay.failpoint = before
        self.world.start_relay()

    @precondition(lambda self: self.world.strays)
    @rule(number=PICK)
    def dead_relay_still_sends(self, number: int) -> None:
        """What a dead or frozen relay had given to its client reaches the broker late."""
        self.world.stray(number)

    # ------------------------------------------------------------------ the consumer

    @rule(batches=st.sampled_from((0, 1, 3, 20)), commits=st.booleans())
    def consume(self, batches: int, commits: bool) -> None:
        """The consumer takes what came and works on some of it."""
        self.world.group.poll()
        self.world.group.work(batches)
        if commits:
            self.world.group.commit()

    @rule(is_killed=st.booleans())
    def partitions_move(self, is_killed: bool) -> None:
        """The consumer is killed, or it loses its partitions and gets them back."""
        if is_killed:
            self.world.group.restart()
        else:
            self.world.group.lose()

    @rule()
    def handlers_break_or_are_mended(self) -> None:
        """A release with a defect is deployed, or the release that mends it."""
        self.world.broken = not self.world.broken

    @rule()
    def letters_are_retried(self) -> None:
        """Staff retry what waits for them, and the consumer does it."""
        self.world._staff_retry()

    # ------------------------------------------------------------------ the workers

    @precondition(lambda self: self.world.deliverable())
    @rule(number=PICK, fault=FAULT, answer=st.sampled_from(ANSWERS))
    def deliver(self, number: int, fault: tuple[str, str], answer: str) -> None:
        """A worker delivers a notification; it may die or freeze on its way."""
        waiting = self.world.deliverable()
        kind, place = fault
        how = {kind: place} if kind else {}
        self.world.work(waiting[number % len(waiting)], answer=answer, **how)

    @precondition(lambda self: self.world.frozen)
    @rule(number=PICK)
    def thaw(self, number: int) -> None:
        """A frozen worker goes on."""
        self.world.frozen.pop(number % len(self.world.frozen)).thaw()

    @rule()
    def time_passes(self) -> None:
        """Every pause and every lease ends."""
        self.world.pass_time()

    # ------------------------------------------------------------------ what must be true

    @invariant()
    def nothing_is_broken_now(self) -> None:
        """Holds after every step."""
        assert checks.broken_now(self.world) == {}

    def teardown(self) -> None:
        """Mend every fault, wait until everything rests, and check the whole."""
        if not hasattr(self, "world"):
            return
        try:
            self.world.mend()
            assert checks.broken_at_rest(self.world) == {}
        finally:
            self.world.close()
