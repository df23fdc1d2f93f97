"""What is said over the local socket between faces and the service, as bytes.

Each message is JSON behind its length (4 bytes, little endian). First both ends send a
:class:`Hello`, the service first. Then the face sends one request and gets one answer, and the
connection ends; after :class:`Subscribe` it gets :class:`News` instead, until one of them closes.

``PROTOCOL`` grows when an older end would misunderstand a newer one. What is merely added (a
request, a field with a default) does not count: who does not know a request says so, and who
does not know a field leaves it. Plans are the exception, for a field that is left out of a plan
is lost: their version travels in ``Hello``, and a face gives no plan to a service that does not
know all of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, TypeVar

import msgspec

from backup_agent import __version__
from backup_agent.agent.desk import AgentSettings, Secrets, Told
from backup_agent.agent.plan import Plan
from backup_agent.agent.plan_file import PLANS_VERSION
from backup_agent.agent.ran import RunQuery
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import HostError, HungUpError
from backup_agent.host.local_door import Line

PROTOCOL = 1
_LARGEST = 64 << 20
"""Bytes of one message: a page of history with all that was left out is far below."""
_PREFIX = 4


class Hello(msgspec.Struct, frozen=True):
    """``version`` is for people."""

    protocol: int = PROTOCOL
    plans: int = PLANS_VERSION
    version: str = __version__


class GetState(msgspec.Struct, frozen=True, tag="state"):
    pass


class SavePlan(msgspec.Struct, frozen=True, tag="save_plan"):
    plan: Plan
    secrets: Secrets | None = None


class RemovePlan(msgspec.Struct, frozen=True, tag="remove_plan"):
    plan_id: str


class RunNow(msgspec.Struct, frozen=True, tag="run_now"):
    plan_id: str


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    run_id: str


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    when: datetime | None
    plan_id: str = ""


class GetRuns(msgspec.Struct, frozen=True, tag="runs"):
    query: RunQuery


class Preview(msgspec.Struct, frozen=True, tag="preview_retention"):
    plan: Plan


class LookAt(msgspec.Struct, frozen=True, tag="look_at"):
    location: StorageLocation
    secrets: Secrets


class Create(msgspec.Struct, frozen=True, tag="create_repository"):
    location: StorageLocation
    secrets: Secrets


class GetReach(msgspec.Struct, frozen=True, tag="reach"):
    plan_id: str


class GetSettings(msgspec.Struct, frozen=True, tag="settings"):
    pass


class ChangeSettings(msgspec.Struct, frozen=True, tag="change_settings"):
    settings: AgentSettings


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    pass


Question: TypeAlias = GetState | GetRuns | Preview | LookAt | GetReach | GetSettings | Subscribe
Wish: TypeAlias = SavePlan | RemovePlan | RunNow | Stop | Pause | Create | ChangeSettings
Request: TypeAlias = Question | Wish


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The value that the desk's method returned."""

    result: msgspec.Raw


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """The error that it raised."""

    code: str
    message: str
    hint: str = ""


class News(msgspec.Struct, frozen=True, tag="news"):
    """For subscribers."""

    told: Told


Reply: TypeAlias = Answer | Failure | News

_Message = TypeVar("_Message")


def send(line: Line, message: object) -> None:
    """Raises ``HungUpError``."""
    content = msgspec.json.encode(message)
    try:
        line.send(len(content).to_bytes(_PREFIX, "little") + content)
    except OSError as exc:
        raise HungUpError("The other end has closed the line.") from exc


def receive(line: Line, kind: type[_Message]) -> _Message:
    """The next message. Raises ``HungUpError``, and ``HostError`` for one that is not
    understood.
    """
    try:
        prefix = line.receive(_PREFIX)
        size = int.from_bytes(prefix, "little")
        if size > _LARGEST:
            raise HostError(f"A message of {size:,} bytes is not believed.")
        content = line.receive(size)
    except OSError as exc:
        raise HungUpError("The other end has closed the line.") from exc
    if len(prefix) < _PREFIX or len(content) < size:
        raise HungUpError("The other end has closed the line.")
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as exc:
        raise HostError(
            "The other end said something that is not understood.",
            hint="It may be of another version: update both.",
        ) from exc
