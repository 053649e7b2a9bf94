"""`bench`: which benchmarks there are, and which answers the gateway's benchmark refuses to measure."""

import json

import pytest

from benchmarks.gateway.workloads import Read, WrongAnswer, complete
from launcher.commands.bench import bench
from launcher.platform import Platform
from launcher.refusal import Refusal


def test_a_benchmark_may_be_a_module_or_a_package(tmp_path):
    """Seen failing (no `gateway`) with a search for modules only."""
    with pytest.raises(Refusal, match=r"There is no benchmark hotels.* gateway, .*platform_figures"):
        bench(Platform(var=tmp_path / "var"), ["hotels"])


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"message": "refused"}], "data": {"rows": {"edges": [{"node": {"id": 1}}]}}},
        {"data": {"rows": {"edges": [{"node": None}]}}},
        {"data": {"rows": {"edges": []}}},
    ],
    ids=["errors", "null", "too few rows"],
)
def test_an_incomplete_answer_is_not_measured(answer):
    """Seen failing (nothing raised) without each of the checks in `complete`."""
    with pytest.raises(WrongAnswer):
        complete(json.dumps(answer).encode(), rows=1)


class Answering:
    """A connection with given answers."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def post(self, body, token):
        return json.dumps(self.answers.pop(0)).encode()


async def test_two_gateways_must_answer_with_the_same_data():
    """Seen failing (nothing raised) without the comparison in `Read.send`."""
    read = Read("a", "me", [b"{}"], token="", rows=0)
    await read.send(Answering({"data": {"me": 1}}))

    with pytest.raises(WrongAnswer, match="two answers differ"):
        await read.send(Answering({"data": {"me": 2}}))
