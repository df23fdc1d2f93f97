"""Disks and volumes back to where they were mapped: planned, shown, and done as it was shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from backup_agent.errors import EverbootError, IntegrityError, StorageError, TargetError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.qtkit import words
from backup_agent.services.open_repository import OpenRepository
from backup_agent.services.restore_disk import (
    DiskRestore,
    Wishes,
    execute_disk_restore,
    plan_disk_restore,
    refuse_double_targets,
)
from rescue_media.boot_repair.execute import Result
from rescue_media.boot_repair.restart import RestartPlan
from rescue_media.errands.boot import Repaired, promised_repairs, repair_disks, restart_after
from rescue_media.errands.hints import hint_in_the_window
from rescue_media.errands.machine import Machine
from rescue_media.errands.work_log import WorkLog
from rescue_media.flow import answers as a
from rescue_media.flow.values import Options, Report, Restart, Row, RowPlan


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was planned last, of which restore point."""

    point: str = ""
    rows: tuple[Row, ...] = ()
    options: Options = field(default_factory=Options)
    jobs: tuple[DiskRestore, ...] = ()


class DiskRestores:
    """Keeps what was planned last. ``restart_plan`` is what came of the restore, if one is due."""

    def __init__(self, repository: OpenRepository, machine: Machine, log: WorkLog) -> None:
        self._repository = repository
        self._machine = machine
        self._log = log
        self._kept = _Kept()
        self.restart_plan: RestartPlan | None = None

    def make_plans(self, point: str, rows: tuple[Row, ...], options: Options) -> a.Planned:
        jobs: list[DiskRestore] = []
        plans: list[RowPlan] = []
        for row in rows:
            target = Path(row.destination.path) if row.destination else Path()
            try:
                job = self._plan(point, row, options)
                refuse_double_targets([*(done.target for done in jobs), target])
            except (StorageError, IntegrityError):
                raise
            except EverbootError as error:
                plans.append(
                    RowPlan(
                        row.source,
                        str(target),
                        refused=error.message,
                        hint=hint_in_the_window(error.hint),
                    )
                )
                continue
            jobs.append(job)
            repairs = promised_repairs(job.stored.volumes) if self._has_to_start(row) else ()
            plans.append(_shown_plan(row, job, repairs))
        self._kept = _Kept(point, rows, options, tuple(jobs))
        return a.Planned(tuple(plans))

    def _plan(self, point: str, row: Row, options: Options) -> DiskRestore:
        assert row.destination is not None
        repository, _ = self._repository.parts()
        return plan_disk_restore(
            self._repository.browse(point),
            row.source,
            Path(row.destination.path),
            wishes=Wishes(grow=options.grow and row.is_disk, new_ids=options.new_guids),
            repository=repository.location,
        )

    def restore(self, options: Options, emit: Emit, cancel: CancelToken) -> a.Finished:
        done: list[str] = []
        not_done: list[str] = []
        for row, shown in zip(self._kept.rows, self._kept.jobs, strict=True):
            job = self._once_more(row, shown)
            emit(Notice(f"Restoring {row.shown} to {job.target}."))
            execute_disk_restore(job, verify=options.verify, emit=emit, cancel=cancel)
            compared = ", read back and equal" if options.verify else ""
            done.append(
                f"{row.shown} is on {job.target}: {words.size(job.plan.stored_bytes)} "
                f"written{compared}."
            )
            not_done += [gap.words for gap in job.gaps]
        for sentence in (*done, *not_done):
            self._log.add(sentence)
        repaired = self._repair(emit, cancel)
        restart = self._plan_restart(repaired) if options.automatic_restart else None
        return a.Finished(_report(done, not_done, repaired, restart))

    def _once_more(self, row: Row, shown: DiskRestore) -> DiskRestore:
        """Storage may have been opened anew since the plan was shown, and disks changed.

        Raises ``TargetError`` where the plan would be another one now.
        """
        job = self._plan(self._kept.point, row, self._kept.options)
        if job.plan.fingerprint != shown.plan.fingerprint:
            raise TargetError(
                f"{job.target} is not what it was when the plan was made.",
                hint="Nothing was written to it. Go back, and look at the new plan.",
            )
        return job

    def _has_to_start(self, row: Row) -> bool:
        """Whole disks of this computer; a single volume leaves the start to the disk it is on."""
        place = row.destination
        return self._machine.on_medium and row.is_disk and place is not None and not place.is_image

    def _repair(self, emit: Emit, cancel: CancelToken) -> Repaired:
        disks = [
            row.destination.path
            for row in self._kept.rows
            if row.destination is not None and self._has_to_start(row)
        ]
        return repair_disks(
            disks, self._machine.repair, lambda sentence: emit(Notice(sentence)), cancel
        )

    def _plan_restart(self, repaired: Repaired) -> Restart | None:
        if not self._machine.on_medium:
            return None
        self.restart_plan = restart_after(repaired)
        return Restart(self.restart_plan.seconds, self.restart_plan.request)

    def write_plan(self, file: Path) -> a.PlanSaved:
        lines: list[str] = []
        for job in self._kept.jobs:
            lines += [f"{job.source} -> {job.target} ({words.size(job.size)})"]
            lines += [f"  {line}" for line in job.lines()]
            lines += [f"  Note: {note}" for note in job.plan.notes]
        try:
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as exc:
            raise TargetError(
                f"The plan cannot be saved to {file}: {exc.strerror}.", hint="Name another file."
            ) from exc
        return a.PlanSaved(str(file))


def _report(
    done: list[str], not_done: list[str], repaired: Repaired, restart: Restart | None
) -> Report:
    title = "Everything is back" if not not_done else "Back, but not everything was in it"
    if failed := tuple(repaired.sentences(Result.FAILED)):
        title = f"{title}; it may not start by itself"
    return Report(
        title,
        (*done, *repaired.sentences(Result.DONE)),
        (*not_done, *failed),
        tuple(repaired.sentences(Result.LEFT_OUT)),
        repaired.warnings,
        is_complete=not not_done and not failed,
        restart=restart,
    )


def _shown_plan(row: Row, job: DiskRestore, repairs: tuple[str, ...]) -> RowPlan:
    assert row.destination is not None
    return RowPlan(
        row.source,
        str(job.target),
        job.plan.before,
        job.plan.after,
        tuple(job.lines()),
        job.plan.notes,
        row.destination.holds,
        job.plan.stored_bytes,
        repairs,
    )
