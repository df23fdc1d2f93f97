"""The one who does what the flow wishes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import assert_never

from backup_agent.errors import (
    EverbootError,
    IntegrityError,
    RepositoryNotFoundError,
    StorageError,
    TargetError,
    UsageError,
    WrongPasswordError,
)
from backup_agent.host.command import run
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.qtkit import words
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.browse import parse_path
from backup_agent.services.inventory import DiskView, inspect_disks
from backup_agent.services.link.vaults import managed_password
from backup_agent.services.machine_disks import MachineDisks, choose_disks
from backup_agent.services.open_repository import OpenRepository
from backup_agent.services.repositories import (
    Access,
    create,
    is_vault,
    local_folder,
    opened,
)
from backup_agent.services.restore import restore_files
from backup_agent.services.restore_disk import (
    DiskRestore,
    Wishes,
    execute_disk_restore,
    plan_disk_restore,
    refuse_double_targets,
)
from backup_agent.services.sources import DiskSelection, disks_source
from rescue_media.boot_repair.execute import Result
from rescue_media.boot_repair.restart import RestartPlan, restart
from rescue_media.errands.boot import (
    RepairDisk,
    Repaired,
    promised_repairs,
    repair_disk,
    repair_disks,
    restart_after,
)
from rescue_media.errands.console_link import ConsoleLink
from rescue_media.errands.destinations import disks_found, image_destination
from rescue_media.errands.disk_health import ask_disk
from rescue_media.errands.restore_points import disks_in, items_in, points_by_computer
from rescue_media.errands.settings import grant_setting, status, use_keyboard
from rescue_media.errands.work_log import WorkLog
from rescue_media.flow import moves as m
from rescue_media.flow import wishes as w
from rescue_media.flow.values import (
    Options,
    Place,
    Report,
    Restart,
    Row,
    RowPlan,
    Status,
    Workstation,
)

_COMMAND_SECONDS = 30
_RESCUE_TERMINAL = "2"


def _own_disks(repository: Path | None) -> MachineDisks:
    return choose_disks(current_host(), repository=repository)


def _views(repository: str) -> Iterable[DiskView]:
    return inspect_disks(repository=repository)


@dataclass(frozen=True, slots=True)
class Machine:
    """The computer, as the errands ask it. ``views`` takes the repository's location.

    On the medium a restored disk is made to start here, and a restart is one of the computer.
    """

    views: Callable[[str], Iterable[DiskView]] = _views
    own_disks: Callable[[Path | None], MachineDisks] = _own_disks
    on_medium: bool = False
    repair: RepairDisk = repair_disk
    restart: Callable[[RestartPlan], None] = restart
    status: Callable[[], Status] = status
    lasting: Path = Path("/run/everboot")


@dataclass(slots=True)
class _Kept:
    """What was planned last, for which restore point."""

    point: str = ""
    rows: tuple[Row, ...] = ()
    options: Options = field(default_factory=Options)
    jobs: tuple[DiskRestore, ...] = ()


class Errands:
    """Does one wish at a time, in whatever thread; :meth:`stop` may come from another."""

    def __init__(self, environment: Mapping[str, str], machine: Machine | None = None) -> None:
        self._link = ConsoleLink(environment)
        self._machine = machine or Machine()
        self._repository = OpenRepository()
        self._kept = _Kept()
        self._restart: RestartPlan | None = None
        self._log = WorkLog()

    def close(self) -> None:
        try:
            self._repository.close()
        finally:
            # The device's key goes, whatever becomes of the storage.
            self._link.close()

    def stop(self) -> None:
        """Beside cancelling the job: wake who waits for storage."""
        self._repository.stop()

    def perform(self, wish: w.Wish, emit: Emit, cancel: CancelToken) -> m.Answer:
        """Raises ``EverbootError`` of every kind; the window shows what it says."""
        emit = self._log.listening(emit)
        self._repository.emit = emit
        try:
            return self._grant(wish, emit, cancel)
        except EverbootError as error:
            self._log.add(f"{error.message} {error.hint}".rstrip())
            raise

    def _grant(self, wish: w.Wish, emit: Emit, cancel: CancelToken) -> m.Answer:
        match wish:
            case w.AskForCode():
                return self._link.ask(wish)
            case w.WaitForApproval():
                return self._link.wait(cancel)
            case w.OpenPlace(place):
                return m.PasswordWanted(place.shown, place)
            case w.FindPoints():
                return self._find_points(wish)
            case w.ReadContents(point):
                self._kept = _Kept(point)
                return m.ContentsFound(tuple(disks_in(self._repository.browse(point))))
            case w.FindDisks(place):
                folder = local_folder(place.address)
                return disks_found(self._machine.views(str(folder) if folder else ""))
            case w.MakePlans(rows, options):
                return self._make_plans(rows, options)
            case w.LookAtImage(path, size):
                return self._look_at_image(path, size)
            case w.WritePlan(path):
                return self._write_plan(Path(path))
            case w.Restore(options):
                return self._restore(options, emit, cancel)
            case w.PlanBackUp(place):
                chosen = self._machine.own_disks(local_folder(place.address))
                return m.BackUpPlanned(place, chosen.paths, chosen.remarks)
            case w.BackUp():
                return self._back_up(wish, emit, cancel)
            case w.ListFolder(path):
                items = items_in(self._repository.browse(self._kept.point), path)
                return m.FolderListed(path, tuple(items))
            case w.CopyFiles(paths, folder):
                return self._copy(paths, Path(folder), emit, cancel)
            case w.AskDisks():
                return m.HealthFound(tuple(ask_disk(disk) for disk in current_host().disks()))
            case w.ShowTerminal():
                run(["chvt", _RESCUE_TERMINAL], timeout_seconds=_COMMAND_SECONDS)
                return m.Left()
            case w.EndSession(turn_off):
                return self._end(turn_off=turn_off)
            case w.UseKeyboard(layout):
                use_keyboard(layout, self._machine.lasting)
                return m.Left()
            case w.SaveLog(path):
                self._log.save(Path(path))
                return m.LogSaved(path)
            case w.LookAround():
                return m.LookedAround(self._machine.status())
            case (
                w.FindNetwork()
                | w.JoinWifi()
                | w.UseAddress()
                | w.UseGivenAddress()
                | w.UseProxy()
                | w.AskTimeServers()
                | w.SetTime()
            ):
                return grant_setting(wish)
            case _:
                assert_never(wish)

    # Opening

    def _access(self, place: Place, address: str, password: str) -> Access:
        environment = {**self._link.environment, **dict(place.settings)}
        return Access(address=address, password=lambda: password, environment=environment)

    def _kept_password(self, address: str) -> str | None:
        return managed_password(address, self._link.environment) if is_vault(address) else None

    def _find_points(self, wish: w.FindPoints) -> m.Answer:
        number = wish.workstation
        address = wish.place.address if number is None else wish.workstations[number].address
        shown = wish.place.shown if number is None else wish.workstations[number].name
        password = wish.password if wish.password is not None else self._kept_password(address)
        if password is None:
            return m.PasswordWanted(shown, wish.place, number)
        try:
            self._repository.open(self._access(wish.place, address, password))
        except WrongPasswordError:
            return m.PasswordWanted(shown, wish.place, number, wrong=wish.password is not None)
        repository, reader = self._repository.parts()
        found = points_by_computer(repository, reader)
        if number is None:
            computers = tuple(
                Workstation(host, wish.place.address, points) for host, (points, _) in found.items()
            )
            return m.PointsFound(computers, 0 if computers else None)
        # Only one repository is open: what was unfolded before is opened again when asked for.
        points = tuple(
            sorted(
                (point for points, _ in found.values() for point in points),
                key=lambda point: point.time,
                reverse=True,
            )
        )
        unfolded = [replace(computer, points=None) for computer in wish.workstations]
        unfolded[number] = replace(unfolded[number], points=points)
        return m.PointsFound(tuple(unfolded), number)

    # Planning and restoring

    def _make_plans(self, rows: tuple[Row, ...], options: Options) -> m.Planned:
        jobs: list[DiskRestore] = []
        plans: list[RowPlan] = []
        for row in rows:
            target = Path(row.destination.path) if row.destination else Path()
            try:
                job = self._plan(row, options)
                refuse_double_targets([*(done.target for done in jobs), target])
            except (StorageError, IntegrityError):
                raise
            except EverbootError as error:
                plans.append(
                    RowPlan(row.source, str(target), refused=error.message, hint=error.hint)
                )
                continue
            jobs.append(job)
            repairs = promised_repairs(job.stored.volumes) if self._has_to_start(row) else ()
            plans.append(_shown_plan(row, job, repairs))
        self._kept = _Kept(self._kept.point, rows, options, tuple(jobs))
        return m.Planned(tuple(plans))

    def _plan(self, row: Row, options: Options) -> DiskRestore:
        assert row.destination is not None
        repository, _ = self._repository.parts()
        return plan_disk_restore(
            self._repository.browse(self._kept.point),
            row.source,
            Path(row.destination.path),
            wishes=Wishes(grow=options.grow and row.is_disk, new_ids=options.new_guids),
            repository=repository.location,
        )

    def _restore(self, options: Options, emit: Emit, cancel: CancelToken) -> m.Finished:
        done: list[str] = []
        not_done: list[str] = []
        for row, shown in zip(self._kept.rows, self._kept.jobs, strict=True):
            # Once more: storage may have been opened anew since, and disks changed.
            job = self._plan(row, self._kept.options)
            if job.plan.fingerprint != shown.plan.fingerprint:
                raise TargetError(
                    f"{job.target} is not what it was when the plan was made.",
                    hint="Nothing was written to it. Go back, and look at the new plan.",
                )
            emit(Notice(f"Restoring {row.shown} to {job.target}."))
            execute_disk_restore(job, verify=options.verify, emit=emit, cancel=cancel)
            compared = ", read back and equal" if options.verify else ""
            done.append(
                f"{row.shown} is on {job.target}: {words.size(job.plan.stored_bytes)} "
                f"written{compared}."
            )
            not_done += [gap.words for gap in job.gaps]
        title = "Everything is back" if not not_done else "Back, but not everything was in it"
        for sentence in (*done, *not_done):
            self._log.add(sentence)
        repaired = self._repair(emit, cancel)
        done += repaired.sentences(Result.DONE)
        if failed := tuple(repaired.sentences(Result.FAILED)):
            title = f"{title}; it may not start by itself"
            not_done += failed
        return m.Finished(
            Report(
                title,
                tuple(done),
                tuple(not_done),
                tuple(repaired.sentences(Result.LEFT_OUT)),
                repaired.warnings,
                is_complete=not not_done,
                restart=self._plan_restart(repaired) if options.automatic_restart else None,
            )
        )

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
        self._restart = restart_after(repaired)
        return Restart(self._restart.seconds, self._restart.request)

    def _look_at_image(self, path: str, size: int) -> m.ImageFound:
        file = Path(path).expanduser()
        if not path or not file.is_absolute():
            raise UsageError("Name the file with its whole path.", hint="For instance /mnt/pc.img")
        if not file.parent.is_dir():
            raise UsageError(f"There is no folder {file.parent}.", hint="Make it first.")
        return m.ImageFound(image_destination(file, size))

    def _write_plan(self, file: Path) -> m.PlanSaved:
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
        return m.PlanSaved(str(file))

    # Backing up and copying

    def _back_up(self, wish: w.BackUp, emit: Emit, cancel: CancelToken) -> m.Answer:
        place = wish.place
        password = wish.password
        if password is None:
            password = self._kept_password(place.address)
        if password is None:
            is_new = not self._is_there(place, emit, cancel)
            return m.PasswordWanted(place.shown, place, is_new=is_new)
        access = self._access(place, place.address, password)
        folder = local_folder(place.address)
        selection = DiskSelection(wish.disks, repository=folder)
        try:
            open_it = partial(opened, access, emit=emit, cancel=cancel)
            try:
                with open_it():
                    pass
            except RepositoryNotFoundError:
                create(access, emit=emit, cancel=cancel).backend.close()
            chosen = disks_source(selection)
            with closing(chosen.source), open_it() as repository:
                for remark in chosen.remarks:
                    emit(Notice(remark))
                result = run_backup(
                    repository, chosen.source, BackupSettings(), emit=emit, cancel=cancel
                )
        except WrongPasswordError:
            return m.PasswordWanted(place.shown, place, wrong=True)
        left_out = tuple(f"{os.fsdecode(o.path)}: {o.reason}" for o in result.omissions)
        read = words.size(result.summary.total_bytes_processed)
        return m.Finished(
            Report(
                "This computer is backed up" if result.complete else "Backed up with gaps",
                (f"{read} of {', '.join(wish.disks)} are in {place.shown}.",),
                (*left_out, *chosen.remarks),
                is_complete=result.complete,
            )
        )

    def _is_there(self, place: Place, emit: Emit, cancel: CancelToken) -> bool:
        """Whether there is a repository, whatever its password."""
        try:
            with opened(self._access(place, place.address, ""), emit=emit, cancel=cancel):
                return True
        except WrongPasswordError:
            return True
        except RepositoryNotFoundError:
            return False

    def _copy(
        self, paths: tuple[str, ...], folder: Path, emit: Emit, cancel: CancelToken
    ) -> m.Finished:
        browser = self._repository.browse(self._kept.point)
        _, reader = self._repository.parts()
        result = restore_files(
            reader,
            browser,
            folder,
            selection=[parse_path(path) for path in paths],
            verify=True,
            emit=emit,
            cancel=cancel,
        )
        lost = [f"{path} is damaged in the backup and was not copied." for path in result.damaged]
        if result.skipped:
            lost.append(f"{result.skipped} items could not be written as they were.")
        return m.Finished(
            Report(
                "The files are copied" if not lost else "Not everything was copied",
                (f"{result.files} files, {words.size(result.bytes)}, are in {folder}.",),
                tuple(lost),
                is_complete=not lost,
            )
        )

    def _end(self, *, turn_off: bool) -> m.Left:
        self._repository.close()
        if not self._machine.on_medium:
            return m.Left()
        if self._restart is not None and not turn_off:
            self._machine.restart(self._restart)
        else:
            what = "poweroff" if turn_off else "reboot"
            run(["systemctl", what], timeout_seconds=_COMMAND_SECONDS)
        return m.Left()


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
