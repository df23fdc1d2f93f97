"""The plans of this device: one JSON file, complete at every moment.

``$EVERBOOT_PLANS_FILE``, else ``everboot/plans.json`` in the folder for settings. Secrets are
never in it. A new field of a plan is a new version of the file: an agent that does not know it
would drop it when it saves, so it refuses the file instead and leaves it as it is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from backup_agent.agent.plan import Plan
from backup_agent.agent.schedule import EveryHours
from backup_agent.errors import UsageError

PLANS_VERSION = 2
"""Grows with every field that a plan gets."""


class _Versioned(msgspec.Struct, frozen=True):
    version: int = 1


class _File(msgspec.Struct, frozen=True):
    plans: tuple[Plan, ...] = ()
    version: int = PLANS_VERSION


class _FirstPlan(msgspec.Struct, frozen=True):
    """What version 1 had in another form."""

    every_hours: int = 0


class _FirstFile(msgspec.Struct, frozen=True):
    plans: tuple[_FirstPlan, ...] = ()


def plans_file(environment: Mapping[str, str]) -> Path:
    if file := environment.get("EVERBOOT_PLANS_FILE"):
        return Path(file)
    home = environment.get("XDG_CONFIG_HOME")
    base = Path(home) if home else Path(environment.get("HOME") or Path.home()) / ".config"
    return base / "everboot" / "plans.json"


def load_plans(file: Path) -> tuple[Plan, ...]:
    """All plans, none where there is no file. Raises ``UsageError`` for a damaged one, and for
    one of a newer Everboot.
    """
    try:
        return _decode(file.read_bytes(), file)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as exc:
        raise UsageError(
            f"The plans in {file} cannot be read.", hint="Mend the file, or remove it and add anew."
        ) from exc


def save_plans(plans: Sequence[Plan], file: Path) -> None:
    """Complete or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with draft.open("wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(_File(tuple(plans)))))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def find_plan(plans: Sequence[Plan], name: str) -> Plan:
    """By name, case aside, or by id. Raises ``UsageError``."""
    for plan in plans:
        if name == plan.id or name.casefold() == plan.name.casefold():
            return plan
    known = ", ".join(plan.name for plan in plans) or "none"
    raise UsageError(f"There is no plan called {name!r}.", hint=f"There are: {known}.")


def _decode(content: bytes, file: Path) -> tuple[Plan, ...]:
    version = msgspec.json.decode(content, type=_Versioned).version
    if version > PLANS_VERSION:
        raise UsageError(
            f"The plans in {file} were written by a newer Everboot.",
            hint="Update this one, or end the older agent that still runs. The plans are kept.",
        )
    plans = msgspec.json.decode(content, type=_File).plans
    if version == 1:
        first = msgspec.json.decode(content, type=_FirstFile).plans
        plans = tuple(map(_from_first, plans, first))
    return plans


def _from_first(plan: Plan, first: _FirstPlan) -> Plan:
    if not first.every_hours:
        return plan
    return replace(plan, schedule=EveryHours(first.every_hours))
