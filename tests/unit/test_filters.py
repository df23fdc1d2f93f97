"""Excludes: the table of what matches what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_agent.errors import UsageError
from backup_agent.sources.filters import Filters, is_cache_tag


@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        (["*.tmp"], "/home/a.tmp", True),
        (["*.tmp"], "/home/a.tmp.txt", False),
        (["*.tmp"], "/home/x.tmp/", True),
        (["a.tmp"], "/deep/down/here/a.tmp", True),
        (["/home"], "/home/", True),
        (["/home"], "/srv/home/", False),
        (["var/tmp"], "/var/tmp", True),
        (["var/tmp"], "/x/var/tmp", False),
        (["**/var/tmp"], "/x/var/tmp", True),
        (["**/var/tmp"], "/var/tmp", True),
        (["cache/"], "/x/cache/", True),
        (["cache/"], "/x/cache", False),
        (["/a/*"], "/a/b/", True),
        (["/a/*"], "/a/", False),
        (["/a/*"], "/a/b/c", False),
        (["/a/**"], "/a/b/c", True),
        (["/a/**"], "/a/", False),
        (["/a/**/z"], "/a/z", True),
        (["/a/**/z"], "/a/b/c/z", True),
        (["/a/**/z"], "/a/bz", False),
        (["/a**z"], "/abz", True),
        (["/a**/z"], "/a/b/z", False),
        (["a?c"], "/abc", True),
        (["a?c"], "/a\u00fcc", True),
        (["a[!b]c"], "/adc", True),
        (["/a[!b]c"], "/a/c", False),
        (["/a[+-9]c"], "/a/c", False),
        (["a[]-]c"], "/a]c", True),
        (["a[]-]c"], "/a-c", True),
        (["v[[:digit:]]"], "/v7", True),
        (["v[[:digit:]]"], "/vx", False),
        (["[z-a]"], "/m", False),
        ([r"\*"], "/*", True),
        ([r"\*"], "/x", False),
        ([r"\!important"], "/!important", True),
        (["#recycle"], "/#recycle", True),
        (["trailing  "], "/trailing", True),
        (["trailing\\ "], "/trailing ", True),
        (["*.log", "!keep.log"], "/x/keep.log", False),
        (["!keep.log", "*.log"], "/x/keep.log", True),
        (["*", "!*/", "!*.c"], "/src/", False),
        (["*", "!*/", "!*.c"], "/src/a.c", False),
        (["*", "!*/", "!*.c"], "/src/a.h", True),
        (["(a|b)+.$^{2}"], "/(a|b)+.$^{2}", True),
        (["(a|b)"], "/a", False),
        (["name"], "/name\n", False),
        (["*"], "/\n", True),
        (["*"], "/", False),
    ],
)
def test_patterns(patterns: list[str], path: str, excluded: bool) -> None:
    """A path that ends in a slash is a folder."""
    filters = Filters(patterns=patterns)
    assert filters.excludes(path.encode(), path.endswith("/")) is excluded


def test_names_that_are_not_utf8_match() -> None:
    filters = Filters(patterns=["caf?", os.fsdecode(b"\xff*")])
    assert filters.excludes(b"/x/caf\xe9", False)
    assert filters.excludes(b"/x/\xffyes", False)
    assert not filters.excludes(b"/x/\xfeno", False)


def test_without_patterns_nothing_is_excluded() -> None:
    assert not Filters().excludes(b"/any/thing", True)


def test_files_of_patterns_have_comments_and_windows_line_ends(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"\xef\xbb\xbf*.tmp\r\n\r\n# a comment\r\n\\#real\r\n  \n*.bak\r\n")
    second.write_bytes(b"!b.bak\n\xff.bin")
    filters = Filters(patterns=["!c.bak"], pattern_files=[first, second])
    for name in (b"a.tmp", b"#real", b"a.bak", b"\xff.bin"):
        assert filters.excludes(b"/x/" + name, False)
    for name in (b"b.bak", b"c.bak", b"# a comment", b"# a comment\r"):
        assert not filters.excludes(b"/x/" + name, False)


@pytest.mark.parametrize("pattern", ["[abc", "a\\", "[[:nonsense:]]", "!", "/", "", "!/", "[a/b]"])
def test_what_can_match_nothing_is_refused_naming_file_and_line(
    tmp_path: Path, pattern: str
) -> None:
    with pytest.raises(UsageError, match="--exclude"):
        Filters(patterns=[pattern])
    if pattern:
        file = tmp_path / "patterns"
        file.write_text(f"fine\n\n{pattern}\n")
        with pytest.raises(UsageError, match="patterns, line 3"):
            Filters(pattern_files=[file])


def test_a_missing_file_of_patterns_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        Filters(pattern_files=[tmp_path / "absent"])


SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"


@pytest.mark.parametrize(
    ("content", "is_cache"),
    [
        (SIGNATURE, True),
        (SIGNATURE + b"\n# made by a test\n", True),
        (SIGNATURE[:-1], False),
        (b"", False),
        (SIGNATURE.lower(), False),
    ],
)
def test_tagged_caches(tmp_path: Path, content: bytes, is_cache: bool) -> None:
    (tmp_path / "CACHEDIR.TAG").write_bytes(content)
    folder = os.fsencode(tmp_path)
    assert Filters(exclude_caches=True).excludes_content_of(folder) is is_cache
    assert not Filters().excludes_content_of(folder)


def test_a_folder_or_fifo_called_like_the_tag_is_no_tag(tmp_path: Path) -> None:
    filters = Filters(exclude_caches=True)
    for name in ("folder", "fifo", "nothing"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder/CACHEDIR.TAG").mkdir()
    os.mkfifo(tmp_path / "fifo/CACHEDIR.TAG")
    for name in ("folder", "fifo", "nothing"):
        assert not filters.excludes_content_of(os.fsencode(tmp_path / name))


def test_the_tag_itself_is_kept() -> None:
    assert is_cache_tag(b"CACHEDIR.TAG")
    assert not is_cache_tag(b"cachedir.tag")
