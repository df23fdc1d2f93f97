from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.storage.webdav_listing import Entry, parse_listing

LISTING = b"""<?xml version="1.0" encoding="utf-8"?>
<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
  <d:response>
    <d:href>/dav/keys/</d:href>
    <d:propstat>
      <d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>
      <d:status>HTTP/1.1 200 OK</d:status>
    </d:propstat>
    <d:propstat>
      <d:prop><d:getcontentlength/></d:prop>
      <d:status>HTTP/1.1 404 Not Found</d:status>
    </d:propstat>
  </d:response>
  <d:response>
    <d:href>
      https://example.org/dav/keys/a%20file
    </d:href>
    <d:propstat>
      <d:prop>
        <d:getcontentlength>431</d:getcontentlength>
        <d:getlastmodified>Thu, 01 Jan 1970 02:00:00 GMT</d:getlastmodified>
        <d:resourcetype/>
      </d:prop>
      <d:status>HTTP/1.1 200 OK</d:status>
    </d:propstat>
  </d:response>
</d:multistatus>"""

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE multistatus [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<multistatus xmlns="DAV:"><response><href>&b;</href></response></multistatus>"""

OUTSIDE_FILE = b"""<?xml version="1.0"?>
<!DOCTYPE multistatus [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<multistatus xmlns="DAV:"><response><href>&a;</href></response></multistatus>"""


def test_a_listing_tells_files_with_sizes_from_folders() -> None:
    assert parse_listing(LISTING) == [
        Entry("keys", 0, is_folder=True),
        Entry("a file", 431, is_folder=False, changed=7200.0),
    ]


def test_another_prefix_for_the_same_namespace_makes_no_difference() -> None:
    plain = LISTING.replace(b"<d:", b"<").replace(b"</d:", b"</").replace(b"xmlns:d=", b"xmlns=")
    assert parse_listing(plain) == parse_listing(LISTING)


@pytest.mark.parametrize("document", [BILLION_LAUGHS, OUTSIDE_FILE])
def test_a_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match="document type"):
        parse_listing(document)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html/>",
        b"<html>",
        b"not xml",
        LISTING + b"<more/>",
        b'<multistatus xmlns="other:"/>',
    ],
)
def test_what_is_no_listing_never_looks_like_an_empty_one(document: bytes) -> None:
    with pytest.raises(ValueError, match="this is no"):
        parse_listing(document)


@given(st.integers(min_value=0, max_value=len(LISTING) - 2))
def test_a_listing_that_breaks_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="complete"):
        parse_listing(LISTING[:length])


@pytest.mark.parametrize("date", [b"", b"yesterday", b"Thu, 99 Jan 1970 02:00:00 GMT"])
def test_a_file_of_unknown_age_is_as_young_as_can_be(date: bytes) -> None:
    listing = LISTING.replace(b"Thu, 01 Jan 1970 02:00:00 GMT", date)
    assert parse_listing(listing)[1].changed == float("inf")
