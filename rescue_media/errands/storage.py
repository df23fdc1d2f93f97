"""Where backups lie, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backup_agent.errors import RepositoryNotFoundError, WrongPasswordError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.link.vaults import managed_password
from backup_agent.services.open_repository import OpenRepository
from backup_agent.services.repositories import Access, is_vault, opened
from rescue_media.errands.console_link import ConsoleLink
from rescue_media.errands.restore_points import points_by_computer
from rescue_media.flow import answers as a
from rescue_media.flow import wishes as w
from rescue_media.flow.values import Place, Point, Workstation


class Storage:
    """Storage with or without a console. Of all repositories one is open at a time."""

    def __init__(self, link: ConsoleLink) -> None:
        self._link = link
        self.repository = OpenRepository()

    def access(self, place: Place, address: str, password: str) -> Access:
        environment = {**self._link.environment, **dict(place.settings)}
        return Access(address=address, password=lambda: password, environment=environment)

    def kept_password(self, address: str) -> str | None:
        """The one that the console keeps, if it does."""
        return managed_password(address, self._link.environment) if is_vault(address) else None

    def is_there(self, place: Place, emit: Emit, cancel: CancelToken) -> bool:
        """Whether there is a repository, whatever its password."""
        try:
            with opened(self.access(place, place.address, ""), emit=emit, cancel=cancel):
                return True
        except WrongPasswordError:
            return True
        except RepositoryNotFoundError:
            return False

    def find_points(self, wish: w.FindPoints) -> a.PointsFound | a.PasswordWanted:
        """Opens the repository. Raises as ``services.repositories.opened`` does."""
        number = wish.workstation
        address = wish.place.address if number is None else wish.workstations[number].address
        shown = wish.place.shown if number is None else wish.workstations[number].name
        password = wish.password if wish.password is not None else self.kept_password(address)
        if password is None:
            return a.PasswordWanted(shown, wish.place, number)
        try:
            self.repository.open(self.access(wish.place, address, password))
        except WrongPasswordError:
            return a.PasswordWanted(shown, wish.place, number, wrong=wish.password is not None)
        repository, reader = self.repository.parts()
        found = points_by_computer(repository, reader)
        if number is None:
            computers = tuple(
                Workstation(host, wish.place.address, points) for host, (points, _) in found.items()
            )
            return a.PointsFound(computers, 0 if computers else None)
        return a.PointsFound(_unfolded(wish.workstations, number, found), number)


def _unfolded(
    workstations: tuple[Workstation, ...],
    number: int,
    found: Mapping[str, tuple[tuple[Point, ...], int]],
) -> tuple[Workstation, ...]:
    """With the points of one. Only one repository is open: what was unfolded before is opened
    again when asked for.
    """
    points = sorted(
        (point for points, _ in found.values() for point in points),
        key=lambda point: point.time,
        reverse=True,
    )
    unfolded = [replace(computer, points=None) for computer in workstations]
    unfolded[number] = replace(unfolded[number], points=tuple(points))
    return tuple(unfolded)
