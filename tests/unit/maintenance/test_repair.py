"""Repairing the index keeps all that is whole, and deletes no pack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError, RepositoryLockedError
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.ids import PackId
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.inventory import load_index_files, merge_packs
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repository import Repository
from backup_agent.services.repair import preview_repair_index
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend

from .lagging import LaggingBackend
from .workshop import (
    back_up,
    check,
    contents,
    create,
    fill,
    flip_bit,
    keys,
    names,
    prune,
    repair,
    truncate,
)


class Scene:
    """Two restore points with an index file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backend = LaggingBackend()
        self.repository: Repository = create(self.backend)
        fill(folder, "a", "b", "c")
        self.points: list[Snapshot] = [back_up(self.repository, folder)]
        fill(folder, "d")
        self.points.append(back_up(self.repository, folder))
        self.expected = [contents(self.repository, point) for point in self.points]
        self.packs = names(self.backend, FileKind.PACK)

    def data_pack(self) -> ObjectKey:
        """The pack with the most files in it."""
        packs = merge_packs(load_index_files(self.repository)).values()
        data = [pack for pack in packs if pack.blobs[0].kind is BlobKind.DATA]
        return ObjectKey(FileKind.PACK, max(data, key=lambda pack: len(pack.blobs)).id)

    def is_whole(self) -> bool:
        return [contents(self.repository, point) for point in self.points] == self.expected


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "source")


def test_true_index_is_left_alone_once_it_is_in_few_files(scene: Scene) -> None:
    repair(scene.repository)
    state = dict(scene.backend.objects)
    assert repair(scene.repository).is_empty
    assert scene.backend.objects == state


def test_lost_index_is_made_anew_from_the_headers(scene: Scene) -> None:
    for key in keys(scene.backend, FileKind.INDEX):
        scene.backend.remove(key)
    assert len(repair(scene.repository).take_up) == len(scene.packs)
    assert scene.is_whole()
    assert check(scene.repository).findings == ()


@pytest.mark.parametrize("truncated", [True, False])
def test_damaged_index_is_replaced(scene: Scene, truncated: bool) -> None:
    key = keys(scene.backend, FileKind.INDEX)[0]
    if truncated:
        truncate(scene.backend, key)
    else:
        flip_bit(scene.backend, key, 50)
    plan = repair(scene.repository)
    assert plan.damaged_index_files == (key.name,)
    assert [finding.file for finding in plan.findings] == [key.path]
    assert key.name not in names(scene.backend, FileKind.INDEX)
    assert scene.is_whole()
    assert check(scene.repository).findings == ()


def test_dry_run_changes_nothing(scene: Scene) -> None:
    scene.backend.remove(keys(scene.backend, FileKind.INDEX)[0])
    state = dict(scene.backend.objects)
    plan = preview_repair_index(scene.repository, emit=ignore, cancel=CancelToken())
    assert f"packs to take up:            {len(plan.take_up)}" in str(plan)
    assert scene.backend.objects == state


def test_gone_pack_leaves_the_index_and_the_next_backup_heals_it(scene: Scene) -> None:
    key = scene.data_pack()
    scene.backend.remove(key)
    plan = repair(scene.repository)
    assert plan.drop == (key.name,)
    assert check(scene.repository).errors
    back_up_everything(scene)
    assert not check(scene.repository).errors
    assert scene.is_whole()


def back_up_everything(scene: Scene) -> None:
    """Touched files are read again, so that lost blobs are saved again."""
    for path in scene.folder.iterdir():
        path.write_bytes(path.read_bytes())
    back_up(scene.repository, scene.folder)


def test_pack_that_a_listing_leaves_out_stays_in_the_index(scene: Scene) -> None:
    scene.backend.unlisted = set(scene.packs)
    assert repair(scene.repository).drop == ()
    assert scene.is_whole()


def test_whole_blobs_of_a_truncated_pack_are_copied_and_the_pack_is_left(scene: Scene) -> None:
    key = scene.data_pack()
    last = merge_packs(load_index_files(scene.repository))[PackId(key.name)].blobs[-1]
    cut = scene.backend.size(key) - last.offset - last.length // 2
    truncate(scene.backend, key, cut)
    plan = repair(scene.repository)
    assert [len(part.blobs) for part in plan.salvage] == [2]
    (finding,) = plan.findings
    assert finding.file == key.path
    assert "2 of its blobs are whole and are copied, 1 are lost" in finding.message
    assert key.path in scene.backend.objects
    back_up_everything(scene)
    assert not check(scene.repository).errors
    assert scene.is_whole()
    prune(scene.repository)
    assert check(scene.repository).findings == ()


def test_index_that_describes_a_pack_wrongly_is_set_right_by_its_header(scene: Scene) -> None:
    key = scene.data_pack()
    for file in load_index_files(scene.repository):
        wrong = tuple(
            replace(pack, blobs=pack.blobs[:-1]) if pack.id == key.name else pack
            for pack in file.packs
        )
        if wrong != file.packs:
            scene.backend.remove(ObjectKey(FileKind.INDEX, file.name))
            scene.repository.save_index(wrong)
    assert check(scene.repository).errors
    assert [pack.id for pack in repair(scene.repository).take_up] == [key.name]
    assert scene.is_whole()
    assert check(scene.repository).findings == ()


def test_stray_file_among_the_packs_is_told_and_left_alone(scene: Scene) -> None:
    stray = ObjectKey(FileKind.PACK, "ef" * 32)
    scene.backend.save(stray, b"no pack at all")
    plan = repair(scene.repository)
    assert [finding.file for finding in plan.findings] == [stray.path]
    assert stray.path in scene.backend.objects
    assert scene.is_whole()


def test_damaged_index_stays_while_a_listed_pack_is_withheld(scene: Scene) -> None:
    """That pack may be known to the damaged file alone."""
    index = keys(scene.backend, FileKind.INDEX)[0]
    truncate(scene.backend, index)
    scene.backend.ghosts.add(ObjectKey(FileKind.PACK, "ab" * 32))
    state = dict(scene.backend.objects)
    with pytest.raises(IntegrityError, match=index.name):
        repair(scene.repository)
    assert scene.backend.objects == state


def test_repair_is_refused_beside_another_run(scene: Scene) -> None:
    with RepositoryLock(scene.repository), pytest.raises(RepositoryLockedError):
        repair(scene.repository)


def test_empty_repository_needs_no_repair() -> None:
    assert repair(create(MemoryBackend())).is_empty


class Rotten(Scene):
    """The scene with one bit turned over in the pack that holds a, b and c."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pack = self.data_pack()
        first = self.blobs_of(self.pack)[0]
        self.position = first.offset + first.length // 2
        flip_bit(self.backend, self.pack, self.position)

    def blobs_of(self, pack: ObjectKey) -> tuple[PackedBlob, ...]:
        return merge_packs(load_index_files(self.repository))[PackId(pack.name)].blobs


@pytest.fixture
def rotten(tmp_path: Path) -> Rotten:
    return Rotten(tmp_path / "source")


def test_a_bit_that_turned_over_costs_one_blob_and_the_next_backup_heals_it(
    rotten: Rotten,
) -> None:
    assert repair(rotten.repository).findings == ()  # headers tell nothing of it
    plan = repair(rotten.repository, read_packs=True)
    assert [len(part.blobs) for part in plan.salvage] == [2]
    (finding,) = plan.findings
    assert finding.file == rotten.pack.path
    assert "1 of its 3 blobs are broken" in finding.message
    assert rotten.pack.path in rotten.backend.objects
    assert rotten.pack.name not in merge_packs(load_index_files(rotten.repository))
    back_up_everything(rotten)
    assert not check(rotten.repository).errors
    assert rotten.is_whole()
    prune(rotten.repository)
    assert rotten.pack.path not in rotten.backend.objects
    assert check(rotten.repository).findings == ()


def test_repair_that_reads_names_the_restore_points_that_lack_something(rotten: Rotten) -> None:
    fill(rotten.folder, "a", seed=1)
    (rotten.folder / "a").unlink()
    without = back_up(rotten.repository, rotten.folder)
    plan = repair(rotten.repository, read_packs=True)
    touched = {point.snapshot.id: point for point in plan.touched}
    broken = {point.first.rpartition("/")[2] for point in plan.touched}
    assert len(broken) == 1
    expected = {point.id for point in rotten.points}
    assert touched.keys() == (expected if broken == {"a"} else {*expected, without.id})
    assert all(point.items == 1 for point in plan.touched)
    assert all(f"restore point {point.short_id} lacks /" in str(plan) for point in rotten.points)


def test_a_lost_folder_touches_every_restore_point_that_has_it(scene: Scene) -> None:
    packs = merge_packs(load_index_files(scene.repository)).values()
    tree = scene.points[0].tree
    (pack,) = [p for p in packs if tree in {blob.id for blob in p.blobs}]
    for blob in pack.blobs:
        flip_bit(scene.backend, ObjectKey(FileKind.PACK, pack.id), blob.offset + 20)
    plan = repair(scene.repository, read_packs=True)
    touched = {point.snapshot.id: point.first for point in plan.touched}
    assert touched[scene.points[0].id] == "/"


def test_repair_that_reads_settles_down(rotten: Rotten) -> None:
    repair(rotten.repository, read_packs=True)
    repair(rotten.repository, read_packs=True)
    state = dict(rotten.backend.objects)
    again = repair(rotten.repository, read_packs=True)
    assert again.is_empty
    assert rotten.backend.objects == state
    assert len(again.touched) == len(rotten.points)


def test_reading_that_was_at_fault_costs_nothing(rotten: Rotten) -> None:
    """The pack stays where it is: a repair that believes its header takes it up again."""
    repair(rotten.repository, read_packs=True)
    flip_bit(rotten.backend, rotten.pack, rotten.position)
    repair(rotten.repository)
    assert rotten.is_whole()


def test_repair_that_reads_shows_its_plan_and_leaves_all_as_it_is(rotten: Rotten) -> None:
    state = dict(rotten.backend.objects)
    plan = preview_repair_index(
        rotten.repository, read_packs=True, emit=ignore, cancel=CancelToken()
    )
    assert plan.salvage
    assert plan.touched
    assert rotten.backend.objects == state


def test_repair_that_reads_leaves_a_whole_repository_alone(scene: Scene) -> None:
    repair(scene.repository)
    state = dict(scene.backend.objects)
    plan = repair(scene.repository, read_packs=True)
    assert plan.is_empty
    assert (plan.findings, plan.touched) == ((), ())
    assert scene.backend.objects == state
