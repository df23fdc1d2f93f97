"""Folders in the order in which people look for something in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from backup_agent.format.tree import TreeListing
from backup_agent.model.node import Node, NodeKind


def folders_first(nodes: Sequence[Node]) -> Sequence[Node]:
    """Folders first, then by name, whatever its case. Of a stored folder, those nodes alone are
    made that somebody asks for; asking may raise ``IntegrityError``.
    """
    if isinstance(nodes, TreeListing):
        names, kinds = nodes.names, nodes.kinds
    else:
        names, kinds = tuple(n.name for n in nodes), tuple(n.kind for n in nodes)
    keys = [
        (kind is not NodeKind.FOLDER, name.lower(), name)
        for name, kind in zip(names, kinds, strict=True)
    ]
    return _Ordered(nodes, sorted(range(len(keys)), key=keys.__getitem__))


class _Ordered(Sequence[Node]):
    def __init__(self, nodes: Sequence[Node], order: Sequence[int]) -> None:
        self._nodes = nodes
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Node: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Node]: ...

    def __getitem__(self, index: int | slice) -> Node | Sequence[Node]:
        if isinstance(index, slice):
            return tuple(self._nodes[number] for number in self._order[index])
        return self._nodes[self._order[index]]
