"""Faces in other processes reach the service through a local socket, and nobody else does."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest

from backup_agent.agent import nearest_desk, wire
from backup_agent.agent.desk import AgentSettings, Desk, LocationState, Secrets, Told, Verdict
from backup_agent.agent.front_door import open_front_door
from backup_agent.agent.nearest_desk import own_door
from backup_agent.agent.ran import Outcome, RunQuery
from backup_agent.agent.remote_desk import RemoteDesk
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import HostError, HungUpError, PrivilegeError, UsageError
from backup_agent.host.local_door import Line, Peer
from backup_agent.host.select import local_doors
from backup_agent.model.retention import RetentionPolicy
from tests.unit.agent.workplace import SECRETS, START, Ear, Workplace


@contextmanager
def service(place: Workplace) -> Iterator[Desk]:
    """Its desk as another process reaches it."""
    path = own_door(place.environment)
    with (
        place.portable() as own,
        open_front_door(own, local_doors(), path, to_administrators=False),
    ):
        yield RemoteDesk(partial(local_doors().knock, path))


def test_everything_at_the_desk_works_through_the_socket(place: Workplace) -> None:
    plan = place.plan(retention=RetentionPolicy(daily=7))
    with service(place) as desk:
        ear = Ear(desk)
        assert desk.look_at(plan.location, SECRETS).state is LocationState.EMPTY
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        runs = ear.until_idle(runs=2)

        assert [run.ran and run.ran.outcome for run in runs] == [Outcome.DONE] * 2
        state = desk.state()
        assert state.verdict is Verdict.PROTECTED
        assert state.plans[0].plan == plan
        assert len(desk.preview_retention(plan).keep) == 1
        assert desk.reach(plan.id).secrets == Secrets("correct horse")
        desk.change_settings(AgentSettings(obeys_console=False))
        assert not desk.settings().obeys_console
        desk.pause_until(START.replace(year=2031), plan_id=plan.id)
        assert desk.state().plans[0].paused_until == START.replace(year=2031)
        desk.remove_plan(plan.id)
        assert desk.state().plans == ()
        assert len(desk.runs(RunQuery(limit=1)).runs) == 1
        ear.unsubscribe()


def test_an_error_keeps_its_class_and_words_on_the_way(place: Workplace) -> None:
    with service(place) as desk, pytest.raises(UsageError, match="no plan called") as caught:
        desk.run_now("nobody")

    assert "There are: none" in caught.value.hint


def test_the_socket_is_closed_to_other_users(place: Workplace) -> None:
    with service(place):
        mode = own_door(place.environment).stat().st_mode

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert not own_door(place.environment).exists()


class StrangerLine:
    """A line whose other end belongs to somebody else."""

    peer = Peer(4711, is_own_user=False, is_administrator=False)

    def __init__(self) -> None:
        self.closed = False
        self.sent = b""

    def send(self, data: bytes) -> None:
        self.sent += data

    def receive(self, size: int) -> bytes:
        return b""

    def close(self) -> None:
        self.closed = True


class OneGuest:
    """Doors at which somebody stands already."""

    def __init__(self, guest: Line) -> None:
        self._guests = [guest]

    def open(self, path: Path, *, to_administrators: bool) -> OneGuest:
        return self

    def knock(self, path: Path) -> Line:
        raise HungUpError("Nobody is there.")

    def accept(self) -> Line | None:
        return self._guests.pop() if self._guests else None

    def close(self) -> None:
        pass


def test_a_stranger_is_shown_out_without_a_word(place: Workplace) -> None:
    guest = StrangerLine()
    with (
        place.portable() as own,
        open_front_door(own, OneGuest(guest), Path("/door"), to_administrators=True),
    ):
        pass

    assert guest.closed
    assert guest.sent == b""


def test_a_face_tells_nothing_to_a_service_of_somebody_else() -> None:
    stranger = StrangerLine()

    with pytest.raises(PrivilegeError, match="Another user"):
        RemoteDesk(lambda: stranger).look_at(StorageLocation(address="/srv"), Secrets("secret"))

    assert stranger.sent == b""
    assert stranger.closed


class Said:
    """A line at whose other end a service has said this."""

    peer = Peer(os.geteuid(), is_own_user=True, is_administrator=False)

    def __init__(self, *messages: object) -> None:
        self.sent = b""
        self._to_come = b"".join(
            len(content).to_bytes(4, "little") + content
            for content in map(msgspec.json.encode, messages)
        )

    def send(self, data: bytes) -> None:
        self.sent += data

    def receive(self, size: int) -> bytes:
        data, self._to_come = self._to_come[:size], self._to_come[size:]
        return data

    def close(self) -> None:
        pass


def test_an_older_service_is_given_no_plan_that_it_would_cut(place: Workplace) -> None:
    line = Said(wire.Hello(plans=1, version="0.0.9"))

    with pytest.raises(HostError, match=r"0\.0\.9.*does not know all"):
        RemoteDesk(lambda: line).save_plan(place.plan())

    assert b"save_plan" not in line.sent


def test_a_service_of_another_protocol_is_named_and_left_alone() -> None:
    line = Said(wire.Hello(protocol=99, version="9.0"))

    with pytest.raises(HostError, match=r"9\.0.*another language"):
        RemoteDesk(lambda: line).state()

    assert line.sent == b""


def test_an_error_that_only_a_newer_service_knows_is_still_an_error() -> None:
    line = Said(wire.Hello(), wire.Failure("brand.new", "Something is wrong.", "Try this."))

    with pytest.raises(Exception, match=r"Something is wrong\.") as caught:
        RemoteDesk(lambda: line).state()

    assert getattr(caught.value, "hint", "") == "Try this."


def test_nonsense_on_the_socket_does_not_end_the_service(place: Workplace) -> None:
    with service(place) as desk:
        for nonsense in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"\x02\0\0\0{}" * 2):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
                folder = os.open(place.home / "state", os.O_PATH)
                caller.connect(f"/proc/self/fd/{folder}/agent.sock")
                os.close(folder)
                caller.sendall(nonsense)
        assert desk.state().verdict is Verdict.UNPROTECTED


def test_who_asks_something_unknown_hears_that_it_is_not_understood(place: Workplace) -> None:
    with service(place):
        line = local_doors().knock(own_door(place.environment))
        wire.receive(line, wire.Hello)
        wire.send(line, wire.Hello())
        wire.send(line, {"type": "dance"})
        reply = wire.receive(line, wire.Failure)
        line.close()

    assert "not understood" in reply.message


def test_a_window_finds_the_service_again_after_it_was_started_anew(place: Workplace) -> None:
    with service(place) as desk:
        ear = Ear(desk)
        assert ear.told() is Told.CHANGED
    while ear.told() is not Told.GONE:
        pass
    with pytest.raises(HungUpError):
        desk.state()

    with service(place):
        while ear.told() is not Told.CHANGED:
            pass
        assert desk.state().verdict is Verdict.UNPROTECTED
    ear.unsubscribe()


def test_two_windows_without_a_service_share_one_agent(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(nearest_desk, "SYSTEM_DOOR", tmp_path / "no-such-door")
    plan = place.plan()
    with (
        nearest_desk.nearest_desk(place.outside()) as first,
        nearest_desk.nearest_desk(place.outside()) as second,
    ):
        assert type(first) is not type(second)
        first.create_repository(plan.location, SECRETS)
        second.save_plan(plan, SECRETS)
        ear = Ear(first)
        second.run_now(plan.id)
        ear.until_idle(runs=1)
        assert first.state().last_good == second.state().last_good

        second.save_plan(replace(plan, name="Renamed"))
        assert [view.plan.name for view in first.state().plans] == ["Renamed"]
