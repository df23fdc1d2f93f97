"""What lstat said, as nodes and as the start of their JSON."""

from __future__ import annotations

import os
import stat

from hypothesis import given
from hypothesis import strategies as st

from backup_agent.format.tree import encode_head
from backup_agent.sources.posix import file_head, node_of

numbers = st.integers(0, (1 << 63) - 1)
ids = st.integers(0, (1 << 32) - 1)
# Before 1970, whole seconds and tenths too: those are written shorter.
times = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-50, 50).map(lambda n: n * 10**8)


@given(
    name=st.binary(min_size=1, max_size=20),
    mode=st.integers(0, 0o7777),
    inode=numbers,
    device_id=numbers,
    links=numbers,
    uid=st.sampled_from([0, os.getuid()]) | ids,
    gid=st.sampled_from([0, os.getgid()]) | ids,
    size=numbers,
    mtime_ns=times,
    ctime_ns=times,
)
def test_the_head_of_a_file_is_that_of_its_node(
    name: bytes,
    mode: int,
    inode: int,
    device_id: int,
    links: int,
    uid: int,
    gid: int,
    size: int,
    mtime_ns: int,
    ctime_ns: int,
) -> None:
    facts = (stat.S_IFREG | mode, inode, device_id, links, uid, gid, size, 0, 0, 0)
    found = os.stat_result(facts, {"st_mtime_ns": mtime_ns, "st_ctime_ns": ctime_ns, "st_rdev": 5})

    assert file_head(name, found) == encode_head(node_of(name, found))
