"""Names through time: which versions there are, since when one is gone, where a name is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services.browse import parse_path
from backup_agent.services.repositories import reading
from backup_agent.services.versions import find_versions, folder_history
from tests.points import back_up, new_repository


@contextmanager
def looked_at(repository: Repository) -> Iterator[tuple[BlobReader, Sequence[Snapshot]]]:
    """A reader, and the restore points newest first."""
    with reading(repository, emit=ignore) as reader:
        found = list(repository.snapshots(on_damage=lambda _file: None))
        yield reader, sorted(found, key=lambda s: s.time, reverse=True)


def three_points(folder: Path) -> Repository:
    """The letter changes once; the plan is gone in the last."""
    repository = new_repository()
    (folder / "sub").mkdir(parents=True)
    (folder / "plan.txt").write_text("one")
    (folder / "sub" / "Letter.txt").write_text("one")
    back_up(repository, folder)
    (folder / "sub" / "Letter.txt").write_text("another")
    back_up(repository, folder)
    (folder / "plan.txt").unlink()
    back_up(repository, folder)
    return repository


def test_a_name_has_as_many_versions_as_contents_and_is_gone_since_the_first_without_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "home"
    with looked_at(three_points(folder)) as (reader, newest_first):
        here = folder_history(reader, newest_first, parse_path(str(folder)), cancel=CancelToken())
        below = folder_history(
            reader, newest_first, parse_path(str(folder / "sub")), cancel=CancelToken()
        )
    assert here.keys() == {b"plan.txt", b"sub"}
    assert here[b"plan.txt"].versions == 1
    assert here[b"plan.txt"].gone_since == newest_first[0]
    assert here[b"plan.txt"].latest.point == newest_first[1].id
    assert below[b"Letter.txt"].versions == 2
    assert below[b"Letter.txt"].gone_since is None


def test_a_search_finds_each_version_once_case_aside(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    with looked_at(three_points(folder)) as (reader, newest_first):
        letters = list(find_versions(reader, newest_first, "letter", cancel=CancelToken()))
        plans = list(find_versions(reader, newest_first, "p?an.*", cancel=CancelToken()))
        nothing = list(find_versions(reader, newest_first, "[letter]", cancel=CancelToken()))
    assert [v.point for v in letters] == [newest_first[0].id, newest_first[2].id]
    assert [(v.path[-1], v.point) for v in plans] == [(b"plan.txt", newest_first[1].id)]
    assert nothing == []
