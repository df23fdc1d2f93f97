"""Choices that fit most people, so that nobody must know the words of the field to begin."""

from __future__ import annotations

from collections.abc import Mapping

from backup_agent.model.retention import RetentionPolicy

RETENTION: Mapping[str, RetentionPolicy] = {
    "short": RetentionPolicy(daily=14),
    "balanced": RetentionPolicy(daily=30, monthly=12),
    "long": RetentionPolicy(daily=90, monthly=24, yearly=7),
}
"""How long restore points are kept, by the name that people see; a day keeps its newest."""

EXCLUDES: Mapping[str, tuple[str, ...]] = {
    "caches": (".cache/", "__pycache__/", "node_modules/", "*/AppData/Local/Temp/"),
    "trash": ("$RECYCLE.BIN/", ".Trash-*/", "*/.local/share/Trash/"),
    "downloads": ("Downloads/",),
    "virtual-machines": ("*.vdi", "*.vmdk", "*.qcow2", "*.vhdx"),
}
"""What many leave out, as gitignore patterns."""
