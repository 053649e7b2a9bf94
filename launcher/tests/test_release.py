"""`release` moves the three baselines together, and only while nothing breaks."""

import json
import shutil
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from launcher.commands.release import release
from launcher.contract_gate.baseline import COMMITTED, Baselines
from launcher.refusal import Refusal

EXTRA = "travel.users.user.closed.v1"


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    """Return copies of the committed baselines, from which a release differs in one new event type."""
    copies = Baselines(
        protos=Path(shutil.copy(COMMITTED.protos, tmp_path)),
        events=Path(shutil.copy(COMMITTED.events, tmp_path)),
        graphql=Path(shutil.copy(COMMITTED.graphql, tmp_path)),
    )
    content = json.loads(copies.events.read_text())
    del content["types"]["travel.users.user.link_requested.v1"]
    copies.events.write_text(json.dumps(content))
    return copies


def contents(baselines: Baselines) -> list[bytes]:
    return [path.read_bytes() for path in (baselines.protos, baselines.events, baselines.graphql)]


def break_events(baselines: Baselines) -> None:
    content = json.loads(baselines.events.read_text())
    content["types"][EXTRA] = content["types"]["travel.users.user.registered.v1"]
    baselines.events.write_text(json.dumps(content))


def break_graphql(baselines: Baselines) -> None:
    baselines.graphql.write_text(
        baselines.graphql.read_text().replace("type Trip", "type Gone { a: Int }\n\ntype Trip", 1)
    )


def break_protos(baselines: Baselines) -> None:
    protos = descriptor_pb2.FileDescriptorSet.FromString(baselines.protos.read_bytes())
    users = next(file for file in protos.file if file.name == "travel/events/v1/users.proto")
    users.message_type.add(name="UserForgotten")
    baselines.protos.write_bytes(protos.SerializeToString())


def test_a_release_moves_every_baseline_and_prints_what_comes_first(
    baselines: Baselines, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(accept_breaks=False, baselines=baselines) == 0

    printed = capsys.readouterr().out
    assert "link_requested.v1 is new and required: deploy notifications before users" in printed
    assert "travel.users.user.link_requested.v1" in json.loads(baselines.events.read_text())["types"]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (break_events, f"{EXTRA} was released"),
        (break_graphql, "Gone was removed"),
        (break_protos, 'Previously present message "UserForgotten" was deleted'),
    ],
)
def test_a_break_is_named_and_moves_nothing(damage, complaint, baselines, capsys) -> None:  # type: ignore[no-untyped-def]
    """Seen failing without the refusal: the break became the new baseline, and lint was silent."""
    damage(baselines)
    before = contents(baselines)

    with pytest.raises(Refusal, match="1 changes break a reader or a client"):
        release(accept_breaks=False, baselines=baselines)

    assert complaint in capsys.readouterr().out
    assert contents(baselines) == before


def test_a_break_can_be_accepted(baselines: Baselines) -> None:
    break_events(baselines)

    assert release(accept_breaks=True, baselines=baselines) == 0

    assert EXTRA not in baselines.events.read_text()
