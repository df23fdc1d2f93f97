r"""Names as Go quotes them. The table's right column is what ``strconv.Quote`` gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.names import quote_name, unquote_name

GO_QUOTES = [
    (b"plain.txt", "plain.txt"),
    (b"with space", "with space"),
    ("grüße".encode(), "grüße"),
    ("\U0001f600".encode(), "\U0001f600"),
    (b'say "hi"', r"say \"hi\""),
    (b"back\\slash", r"back\\slash"),
    (b"it's", "it's"),
    (b"\a\b\t\n\v\f\r", r"\a\b\t\n\v\f\r"),
    (b"\x00\x01\x1f\x7f", r"\x00\x01\x1f\x7f"),
    (b"\xff\xfe", r"\xff\xfe"),
    (b"a\xe2\x82z", r"a\xe2\x82z"),
    (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ("soft\u00adhyphen".encode(), r"soft\u00adhyphen"),
    ("no\u00a0break".encode(), r"no\u00a0break"),
    ("line\u2028end".encode(), r"line\u2028end"),
    ("\ufffd".encode(), "\ufffd"),
    ("\ue000".encode(), r"\ue000"),
    ("\U000e0001".encode(), r"\U000e0001"),
]


@pytest.mark.parametrize(("raw", "quoted"), GO_QUOTES)
def test_names_are_quoted_as_go_does(raw: bytes, quoted: str) -> None:
    assert quote_name(raw) == quoted
    assert unquote_name(quoted) == raw


@pytest.mark.parametrize(
    ("quoted", "raw"),
    [
        (r"\101", b"A"),
        (r"\377", b"\xff"),
        (r"\u00e9", "é".encode()),
        (r"\U0001F600", "\U0001f600".encode()),
        (r"\xFF", b"\xff"),
    ],
)
def test_other_escapes_go_reads_are_read(quoted: str, raw: bytes) -> None:
    assert unquote_name(quoted) == raw


@pytest.mark.parametrize(
    "quoted", ["\\", r"\q", r"\x", r"\xg0", r"\u12", r"\U00110000", r"\400", r"\8", "abc\\"]
)
def test_escapes_go_does_not_know_are_damage(quoted: str) -> None:
    with pytest.raises(IntegrityError):
        unquote_name(quoted)


@given(st.binary(max_size=255))
def test_any_bytes_survive_as_a_name(raw: bytes) -> None:
    quoted = quote_name(raw)

    assert unquote_name(quoted) == raw
    # What is stored must be a string that JSON can hold.
    quoted.encode("utf-8")


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_survives_as_a_name_or_is_damage(text: str) -> None:
    try:
        raw = unquote_name(text)
    except IntegrityError:
        assert "\\" in text
    else:
        assert unquote_name(quote_name(raw)) == raw
