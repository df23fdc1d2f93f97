r"""File names in trees: restic stores the inside of a Go-quoted string.

So a name of any bytes survives JSON: what is no UTF-8, or not printable, is
written as ``\\xff`` or ``\\u00ad`` (Go: ``strconv.Quote``), and a backslash or
quote is escaped once here and once more by JSON.
"""

from __future__ import annotations

import re

import msgspec

from backup_agent.errors import IntegrityError

_PLAIN = re.compile(rb"[ !#-%'-;=?-\[\]-~]*\Z")
"""Neither quoted nor escaped by Go or JSON: printable ASCII but for ``" \\ < > &``."""
_SIMPLE = re.compile(rb"[ !#-\[\]-~]*\Z")
_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_UNESCAPES = {
    "a": 7,
    "b": 8,
    "t": 9,
    "n": 10,
    "v": 11,
    "f": 12,
    "r": 13,
    "\\": 92,
    '"': 34,
    "'": 39,
}
_SEQUENCE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)


def quote_name(name: bytes) -> str:
    """The name as text that Go's ``strconv.Unquote`` turns back into the same bytes."""
    if _SIMPLE.match(name):
        return name.decode("ascii")
    return "".join(_quoted(char) for char in name.decode("utf-8", "surrogateescape"))


def json_name(name: bytes) -> str:
    """The quoted name as JSON, with its quotation marks."""
    # Nearly every name is such: spare them two rounds of escaping.
    if _PLAIN.match(name):
        return f'"{name.decode("ascii")}"'
    return json_text(quote_name(name))


def json_text(text: str) -> str:
    """A JSON string with the five characters escaped that Go escapes for HTML's sake."""
    json = msgspec.json.encode(text).decode()
    if "<" in json or ">" in json or "&" in json or not json.isascii():
        for char in "<>&\u2028\u2029":
            json = json.replace(char, f"\\u{ord(char):04x}")
    return json


def unquote_name(text: str) -> bytes:
    """The raw bytes of a stored name. Raises ``IntegrityError`` for an escape Go has not."""
    if "\\" not in text:
        return _utf8(text)
    parts: list[bytes] = []
    position = 0
    for match in _SEQUENCE.finditer(text):
        parts.append(_utf8(text[position : match.start()]))
        parts.append(_unescaped(match))
        position = match.end()
    rest = text[position:]
    if "\\" in rest:
        raise IntegrityError(f"The stored name {text!r} ends in an open escape.")
    parts.append(_utf8(rest))
    return b"".join(parts)


def _quoted(char: str) -> str:
    code = ord(char)
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    if code in _ESCAPES:
        return _ESCAPES[code]
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescaped(match: re.Match[str]) -> bytes:
    byte, short, long, octal, single = match.groups()
    if byte:
        return bytes([int(byte, 16)])
    if short or long:
        code = int(short or long, 16)
        if code > 0x10FFFF:
            raise IntegrityError(f"A stored name has the impossible character {code:#x}.")
        return _utf8(chr(code))
    if octal and int(octal, 8) < 256:
        return bytes([int(octal, 8)])
    if single in _UNESCAPES:
        return bytes([_UNESCAPES[single]])
    raise IntegrityError(f"A stored name has the unknown escape {match.group()!r}.")


def _utf8(text: str) -> bytes:
    # Lone surrogates come from Windows names; they are stored as the three bytes Go gives them.
    return text.encode("utf-8", "surrogatepass")
