"""Large folders: what is made of them for a page, a preview or a search, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.format import tree
from backup_agent.format.tree import TreeListing, encode_tree
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import Found, PointBrowser, Unreachable, parse_path
from backup_agent.services.find import NamePattern, find_files
from backup_agent.services.folder_order import folders_first
from tests.points import back_up, new_repository, reopen

FILE, FILE_MODE = go_mode(0o100644)
FOLDER, FOLDER_MODE = go_mode(0o40755)


class Making:
    """Counts the nodes that are made one by one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._decode = tree.decode_node
        monkeypatch.setattr(tree, "decode_node", self._counted)

    def _counted(self, stored: bytes) -> Node:
        self.count += 1
        return self._decode(stored)


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> Making:
    return Making(monkeypatch)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A thousand files, and two folders of which one has a file."""
    source = tmp_path / "source"
    (source / "Folder").mkdir(parents=True)
    (source / "another").mkdir()
    (source / "Folder" / "file 0042 again").touch()
    for number in range(1000):
        (source / f"file {number:04}").touch()
    return source


@pytest.fixture
def browser(source: Path) -> Iterator[PointBrowser]:
    repository = new_repository()
    point = back_up(repository, source).snapshot
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        yield PointBrowser(reader, point)


def test_a_page_makes_the_nodes_that_it_shows_and_no_others(
    browser: PointBrowser, source: Path, making: Making
) -> None:
    folder = browser.list_folder(parse_path(str(source)))
    making.count = 0

    page = folders_first(folder)[2:52]

    assert [node.name for node in page] == [b"file %04d" % number for number in range(50)]
    assert making.count == 50


def test_one_file_is_found_without_making_its_neighbours(
    browser: PointBrowser, source: Path, making: Making
) -> None:
    path = parse_path(f"{source}/file 0500")

    assert browser.find(path).name == b"file 0500"
    assert making.count == len(path)


def test_a_search_makes_the_nodes_of_folders_and_of_what_is_sought(
    browser: PointBrowser, source: Path, making: Making
) -> None:
    pattern = NamePattern("*FILE 0042*", ignore_case=True)

    steps = find_files(browser.walk_named(pattern.may_fit), pattern, cancel=CancelToken())
    found = [step.path[-1] for step in steps]

    assert found == [b"file 0042 again", b"file 0042"]
    folders_on_the_way = len(parse_path(str(source)))
    assert making.count == folders_on_the_way + 2 + len(found)


@pytest.mark.parametrize("pattern", ["file 0?42", "*/Folder/*", "another", "*"])
def test_a_walk_by_name_finds_what_a_whole_walk_finds(browser: PointBrowser, pattern: str) -> None:
    sought = NamePattern(pattern, ignore_case=False)

    by_name = find_files(browser.walk_named(sought.may_fit), sought, cancel=CancelToken())
    by_all = find_files(browser.walk(), sought, cancel=CancelToken())

    assert list(by_name) == (all_found := list(by_all))
    assert all_found


def test_folders_come_first_and_capitals_do_not_count() -> None:
    def node(name: bytes, kind: NodeKind = FILE) -> Node:
        return Node(name=name, kind=kind, mode=FILE_MODE if kind is FILE else FOLDER_MODE)

    nodes = [node(b"B"), node(b"a"), node(b"z", FOLDER), node(b"Y", FOLDER), node(b"b")]
    for listed in (nodes, TreeListing(encode_tree(nodes))):
        assert [each.name for each in folders_first(listed)] == [b"Y", b"z", b"a", b"B", b"b"]


def test_a_walk_by_name_tells_of_a_damaged_node_and_goes_on(
    browser: PointBrowser, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = BlobReader.list_tree

    def damaged(reader: BlobReader, tree_id: BlobId) -> TreeListing:
        listing = whole(reader, tree_id)
        if listing.names != (b"file 0042 again",):
            return listing
        text = b'{"nodes":[{"name":"file 0042","type":"file","size":"big"}]}'
        return TreeListing(text)

    monkeypatch.setattr(BlobReader, "list_tree", damaged)
    pattern = NamePattern("file 004*", ignore_case=False)
    steps = list(find_files(browser.walk_named(pattern.may_fit), pattern, cancel=CancelToken()))

    hurt = [step for step in steps if isinstance(step, Unreachable)]
    assert [step.path for step in hurt] == [parse_path(f"{source}/Folder")]
    assert isinstance(hurt[0].error, IntegrityError)
    assert sum(isinstance(step, Found) for step in steps) == 10
