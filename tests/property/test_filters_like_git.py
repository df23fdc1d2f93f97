"""Random patterns, and what the real Git says to them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backup_agent.errors import UsageError
from backup_agent.sources.filters import Filters

# Few letters and few names, so that many patterns match something.
FOLDERS = ("a", "a/b", "a/b/a", "ab", "ab/c", "b", "b/a-b", "c]")
NAMES = ("a", "b", "ab", "abc", "a.b", "c]", "a b", "[a]", "!a", "-", "B", "0")
FILES = tuple(f"{folder}/{name}.x" for folder in ("", *FOLDERS) for name in NAMES)

PLAIN = ("a", "b", "c", "ab", ".x", "-", "]", "!", "0", " ", r"\*", r"\a")
WILD = ("*", "?", "*.x", "[a-")
BRACKETS = (
    "[ab]",
    "[!a]",
    "[^b-c]",
    "[]a]",
    "[a-c-b]",
    r"[\]]",
    "[+-9]",
    "[[:alpha:]]",
    "[![:punct:]x]",
)
PIECES = st.sampled_from(PLAIN + WILD + BRACKETS)
# Asterisks next to each other in a longer component are plain ones by the manual, but not always
# to Git 2.39, so its answer is no measure there.
COMPONENTS = st.just("**") | st.lists(PIECES, min_size=1, max_size=3).map("".join).filter(
    lambda component: "**" not in component
)
PATTERNS = st.builds(
    lambda negation, start, components, end: negation + start + "/".join(components) + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(COMPONENTS, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)


@pytest.fixture(scope="module")
def repository() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        root = Path(name)
        git(root, "init", "-q")
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for file in FILES:
            (root / file.lstrip("/")).touch()
        yield root


def git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(root), "LC_ALL": "C"}
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env=environment,
        input=given,
        capture_output=True,
        check=False,
    )
    # check-ignore says 1 when nothing is ignored.
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def git_ignores(root: Path, patterns: list[str]) -> set[str]:
    (root / ".gitignore").write_text("".join(f"{pattern}\n" for pattern in patterns))
    paths = [*FOLDERS, *(file.lstrip("/") for file in FILES)]
    output = git(
        root, "check-ignore", "-z", "--stdin", "--no-index", given="\0".join(paths).encode()
    )
    return {path for path in output.decode().split("\0") if path}


def we_exclude(filters: Filters) -> set[str]:
    """As a walk finds it: what stands in an excluded folder is never asked for."""
    excluded: set[str] = set()
    for path in sorted([*FOLDERS, *(file.lstrip("/") for file in FILES)]):
        above = {str(parent) for parent in PurePosixPath(path).parents}
        if above & excluded or filters.excludes(f"/{path}".encode(), path in FOLDERS):
            excluded.add(path)
    return excluded


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(patterns=st.lists(PATTERNS, min_size=1, max_size=4))
@example(patterns=["*", "!*/", "!ab.x"])
@example(patterns=["/a[!x]b"])
@example(patterns=["a/**", "!a/b/"])
@example(patterns=["**/b/**"])
def test_we_exclude_what_git_ignores(repository: Path, patterns: list[str]) -> None:
    # What we refuse has a test of its own below.
    patterns = [pattern for pattern in patterns if is_fine(pattern)]
    assert we_exclude(Filters(patterns=patterns)) == git_ignores(repository, patterns)


@pytest.mark.parametrize("pattern", ["[a", "[]a", "[!", "[a-", "a[[:alpha:]", "[[:no:]a]", "a\\"])
def test_what_we_refuse_matches_nothing_for_git(repository: Path, pattern: str) -> None:
    assert not is_fine(pattern)
    assert git_ignores(repository, [pattern]) == set()


def is_fine(pattern: str) -> bool:
    try:
        Filters(patterns=[pattern])
    except UsageError:
        return False
    return True
