"""A restore into a place in use: what becomes of what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services.browse import PointBrowser, parse_path
from backup_agent.services.existing import Existing
from backup_agent.services.repositories import reading
from backup_agent.services.restore import restore_files
from tests.points import back_up, new_repository


@pytest.mark.parametrize(
    ("existing", "content", "names"),
    [
        (Existing.REPLACE, "old", ["plan.txt"]),
        (Existing.KEEP, "new", ["plan.txt"]),
        (Existing.BESIDE, "new", ["plan (restored *).txt", "plan.txt"]),
    ],
)
def test_what_stands_there_is_replaced_kept_or_left_beside(
    tmp_path: Path, existing: Existing, content: str, names: list[str]
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "plan.txt").write_text("old")
    repository = new_repository()
    snapshot = back_up(repository, folder).snapshot
    (folder / "plan.txt").write_text("new")
    folder.chmod(0o710)
    with reading(repository, emit=ignore) as reader:
        restore_files(
            reader,
            PointBrowser(reader, snapshot),
            Path("/"),
            selection=[parse_path(str(folder / "plan.txt"))],
            existing=existing,
            emit=ignore,
            cancel=CancelToken(),
        )
    assert (folder / "plan.txt").read_text() == content
    found = sorted(path.name for path in folder.iterdir())
    assert len(found) == len(names)
    assert all(any(Path(name).match(pattern) for pattern in names) for name in found)
    assert folder.stat().st_mode & 0o777 == 0o710, "nobody asked for the folder on the way"


def test_a_name_that_is_taken_beside_gets_a_number(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "plan.txt").write_text("old")
    repository = new_repository()
    snapshot = back_up(repository, folder).snapshot
    for _ in range(2):
        with reading(repository, emit=ignore) as reader:
            restore_files(
                reader,
                PointBrowser(reader, snapshot),
                Path("/"),
                selection=[parse_path(str(folder / "plan.txt"))],
                existing=Existing.BESIDE,
                emit=ignore,
                cancel=CancelToken(),
            )
    assert len(list(folder.glob("plan (restored *).txt"))) == 2
    assert len(list(folder.glob("plan (restored * 2).txt"))) == 1
