"""What a device tells, as values that are checked where they come in.

The API takes these very classes, so its description for programs shows their limits. Texts come
from computers that may be in other hands: none is longer than its column, and none holds the
NUL that PostgreSQL refuses.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Discriminator, Field

_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2200
_LARGEST = 2**63 - 1
_NAME_LENGTH, _TEXT_LENGTH, _PATH_LENGTH = 100, 500, 1000
MOST_OMISSIONS = 100
_MOST_PATHS = 100
_MOST_PLANS = 100
_MOST_EVENTS = 100
_HOURS_OF_A_YEAR = 8784


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("no text here may hold NUL")
    return text


def _in_our_times(moment: datetime) -> datetime:
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise ValueError(f"the year must be between {_EARLIEST_YEAR} and {_LATEST_YEAR}")
    return moment


Name: TypeAlias = Annotated[str, Field(max_length=_NAME_LENGTH), AfterValidator(_without_nul)]
Text: TypeAlias = Annotated[str, Field(max_length=_TEXT_LENGTH), AfterValidator(_without_nul)]
Path: TypeAlias = Annotated[str, Field(max_length=_PATH_LENGTH), AfterValidator(_without_nul)]
Moment: TypeAlias = Annotated[AwareDatetime, AfterValidator(_in_our_times)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=_LARGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPlan:
    """One plan of the device. ``every_hours`` 0: only when asked."""

    key: uuid.UUID
    name: Name
    what: Text = ""
    every_hours: Annotated[int, Field(ge=0, le=_HOURS_OF_A_YEAR)] = 0
    next_run_at: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A sign of life, and all the device's plans."""

    agent_version: Annotated[str, Field(max_length=40), AfterValidator(_without_nul)] = ""
    plans: Annotated[tuple[ToldPlan, ...], Field(max_length=_MOST_PLANS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOmission:
    """Something that a run left out."""

    path: Path
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPoint:
    """The restore point that a run made."""

    snapshot: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made_at: Moment
    kind: Literal["files", "disk"] = "files"
    paths: Annotated[tuple[Path, ...], Field(max_length=_MOST_PATHS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """``run`` is a name that the device makes up: told twice, it counts once."""

    kind: Literal["run_started"]
    run: uuid.UUID
    at: Moment
    plan: uuid.UUID | None = None
    plan_name: Name = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """``omissions`` are the first of ``omitted``."""

    kind: Literal["run_ended"]
    run: uuid.UUID
    at: Moment
    started_at: Moment
    outcome: Literal["done", "incomplete", "failed", "stopped", "broken_off"]
    plan: uuid.UUID | None = None
    plan_name: Name = ""
    files: Count = 0
    bytes_read: Count = 0
    bytes_added: Count = 0
    omitted: Count = 0
    omissions: Annotated[tuple[ToldOmission, ...], Field(max_length=MOST_OMISSIONS)] = ()
    message: Text = ""
    hint: Text = ""
    point: ToldPoint | None = None


Event: TypeAlias = Annotated[RunStarted | RunEnded, Discriminator("kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """In the order in which they happened."""

    events: Annotated[tuple[Event, ...], Field(max_length=_MOST_EVENTS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldProgress:
    """How far a run is; totals are 0 while unknown."""

    run: uuid.UUID
    phase: Annotated[str, Field(max_length=40), AfterValidator(_without_nul)] = ""
    files_done: Count = 0
    files_total: Count = 0
    bytes_done: Count = 0
    bytes_total: Count = 0
