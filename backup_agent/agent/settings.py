"""What people have set, beside the plans themselves: kept in the agent's database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from backup_agent.agent.database import Database
from backup_agent.agent.desk import AgentSettings

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Pauses:
    """Until when all plans pause, and single ones by their ids."""

    everything: datetime | None = None
    plans: Mapping[str, datetime] = field(default_factory=dict)

    def of(self, plan_id: str, *, now: datetime) -> datetime | None:
        """Until when that plan pauses; None where it does not any more."""
        both = (self.everything, self.plans.get(plan_id))
        return max((each for each in both if each is not None and each > now), default=None)


class Settings:
    """Several threads may share one. What an older version left out has its default."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def agent(self) -> AgentSettings:
        return self._get("agent", AgentSettings, AgentSettings())

    def change_agent(self, settings: AgentSettings) -> None:
        self._set("agent", settings)

    def pauses(self) -> Pauses:
        return self._get("pauses", Pauses, Pauses())

    def pause(self, when: datetime | None, *, plan_id: str, now: datetime) -> None:
        """As ``Desk.pause_until``. Pauses that are over are forgotten."""
        pauses = self.pauses()
        if not plan_id:
            pauses = replace(pauses, everything=when)
        plans = {plan: until for plan, until in pauses.plans.items() if until > now}
        if plan_id and when is not None:
            plans[plan_id] = when
        elif plan_id:
            plans.pop(plan_id, None)
        self._set("pauses", replace(pauses, plans=plans))

    def _get(self, name: str, kind: type[_Value], default: _Value) -> _Value:
        rows = self._database.rows("SELECT value FROM setting WHERE name = ?", (name,))
        return msgspec.json.decode(rows[0][0], type=kind) if rows else default

    def _set(self, name: str, value: object) -> None:
        with self._database.transaction() as database:
            database.execute(
                "INSERT INTO setting VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, msgspec.json.encode(value)),
            )
