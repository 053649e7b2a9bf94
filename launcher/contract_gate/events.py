"""The gate of the events: types, topics, golden samples and what consumers say of them."""

from collections.abc import Iterator

from google.protobuf import descriptor_pb2

from launcher.contract_gate import consumers, samples, types
from launcher.contract_gate.baseline import COMMITTED, Baseline, Baselines
from launcher.event_catalogue.declarations import read_declarations
from shared.events import CONSUMERS, EVENTS, TOPICS


def check() -> int:
    """Print what is new, in the order to deploy it, and every complaint. Return 1 for a complaint. Raises Refusal."""
    complaints = [*breaks(), *_unclear()]
    for line in (*new_since_the_release(), *complaints):
        print(line)
    return 1 if complaints else 0


def breaks(baselines: Baselines = COMMITTED) -> Iterator[str]:
    """Yield a complaint for each promise of the last release that is broken."""
    baseline = Baseline.read(baselines.events)
    yield from types.broken_types(baseline, EVENTS)
    yield from types.broken_topics(baseline, TOPICS)
    yield from samples.broken_samples(baseline)


def new_since_the_release(baselines: Baselines = COMMITTED) -> Iterator[str]:
    """Yield which consumers must be deployed first, for each new type and value."""
    protos = descriptor_pb2.FileDescriptorSet.FromString(baselines.protos.read_bytes())
    yield from consumers.deploy_order(Baseline.read(baselines.events), protos, EVENTS, read_declarations())


def _unclear() -> Iterator[str]:
    declarations = read_declarations()
    yield from consumers.unsaid(EVENTS, declarations, CONSUMERS)
    yield from consumers.required_of_nobody(EVENTS, declarations)
