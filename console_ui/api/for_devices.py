"""What devices tell, and what they fetch: the agent's side of the API."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Body, Query, Router, Schema
from pydantic import Field

from console_ui.accounts.visitor import visitor_of
from console_ui.activity import commands, live, reports
from console_ui.activity.models import CommandState
from console_ui.activity.told import Events, Heartbeat, Text, ToldProgress
from console_ui.api.callers import AGENTS, device_of
from console_ui.api.refusals import REFUSALS, Refused
from console_ui.api.shapes import CommandList, command_shape
from console_ui.devices.models import Device

router = Router(auth=list(AGENTS), tags=["device"])

HEARTBEAT_SECONDS = 60
_LONGEST_WAIT_SECONDS = 50


class HeartbeatAnswer(Schema):
    """When the next sign of life is expected, in seconds."""

    interval_seconds: int


class Taken(Schema):
    """How much of what was told is kept now."""

    taken: int


class CommandAnswer(Schema):
    """What a device made of a command."""

    state: Literal["taken", "refused"]
    message: Text = ""


@router.post("/heartbeat", response={200: HeartbeatAnswer, **REFUSALS})
def heartbeat(request: HttpRequest, told: Annotated[Heartbeat, Body()]) -> HeartbeatAnswer:
    """A sign of life, with all of the device's plans."""
    address = visitor_of(request).address
    reports.take_heartbeat(device_of(request), told, address=address, now=timezone.now())
    return HeartbeatAnswer(interval_seconds=HEARTBEAT_SECONDS)


@router.post("/events", response={200: Taken, **REFUSALS})
def events(request: HttpRequest, told: Annotated[Events, Body()]) -> Taken:
    """Runs that began or ended, oldest first. What is known already counts as taken."""
    reports.take_events(device_of(request), told.events, now=timezone.now())
    return Taken(taken=len(told.events))


@router.put("/progress", response={200: Taken, **REFUSALS})
def progress(request: HttpRequest, told: Annotated[ToldProgress, Body()]) -> Taken:
    """How far a run is; of one that is not known or has ended nothing is taken."""
    taken = reports.take_progress(device_of(request), told, now=timezone.now())
    return Taken(taken=int(taken))


@router.get("/commands", response={200: CommandList, **REFUSALS})
def waiting(
    request: HttpRequest,
    wait: Annotated[int, Query(), Field(ge=0, le=_LONGEST_WAIT_SECONDS)] = 0,
) -> HttpResponseBase:
    """What the device is asked to do. With ``wait``, the answer comes when there is something,
    or after so many seconds.
    """
    device = device_of(request)
    if not wait:
        return JsonResponse(_commands(device))
    return StreamingHttpResponse(_later(device, wait), content_type="application/json")


@router.post("/commands/{uuid:command_id}", response={200: Taken, **REFUSALS})
def answer(request: HttpRequest, command_id: uuid.UUID, told: CommandAnswer) -> Taken:
    """The device has taken or refused what it was asked."""
    state = CommandState(told.state)
    if not commands.answer(device_of(request), command_id, state, told.message):
        raise Refused(404, "not_found", "There is no such command for this device.")
    return Taken(taken=1)


async def _later(device: Device, seconds: int) -> AsyncIterator[bytes]:
    await live.let_go_of_database()
    await live.board.wait_for_command(device.pk, seconds)
    found = await live.asked_database(lambda: _commands(device))
    yield JsonResponse(found).content


def _commands(device: Device) -> dict[str, object]:
    now = timezone.now()
    if not Device.objects.linked(now).filter(pk=device.pk).exists():
        # It was removed while it waited.
        return {"commands": []}
    found = commands.waiting(device, now=now)
    return CommandList(commands=[command_shape(each) for each in found]).model_dump()
