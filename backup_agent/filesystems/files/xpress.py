"""XPRESS with Huffman codes, one chunk of at most 64 KiB.

Source: Microsoft's [MS-XCA] 2.2. First come the lengths of 512 codes, 4 bits each,
low half first; then bits in words of 16, little endian, highest bit first. A symbol
below 256 is a byte; others are a match: 4 bits of how many bits of offset follow,
4 of its length. A length of 15 goes on in a byte, of 255 more in two, and those stand
between the words, wherever the reader of the bits has come to: behind the word that
makes 16 bits after a symbol.
"""

from __future__ import annotations

from backup_agent.filesystems.files.prefix_code import PrefixCode

_TABLE_BYTES = 256
_SHORTEST_MATCH = 3


def decompress(data: bytes, size: int) -> bytes:
    """``size`` is what it must come to. Raises ``ValueError`` for a damaged chunk."""
    if len(data) < _TABLE_BYTES:
        raise ValueError("an XPRESS chunk that was cut short")
    lengths = [half for byte in data[:_TABLE_BYTES] for half in (byte & 15, byte >> 4)]
    code = PrefixCode(lengths)
    # Some encoders leave the last words away where nothing is left to be told.
    padded = data + bytes(4)
    table, width = code.table, code.width
    out = bytearray()
    buffer = count = 0
    place = _TABLE_BYTES
    while len(out) < size:
        while count < 16:
            if place + 2 > len(padded):
                raise ValueError("an XPRESS chunk that was cut short")
            buffer = (buffer << 16 | padded[place] | padded[place + 1] << 8) & 0xFFFFFFFF
            place += 2
            count += 16
        entry = table[buffer >> (count - width) & ((1 << width) - 1)]
        if not entry:
            raise ValueError("an XPRESS symbol that is none")
        count -= entry & 31
        symbol = entry >> 5
        if symbol < 256:
            out.append(symbol)
            continue
        if count < 16:
            if place + 2 > len(padded):
                raise ValueError("an XPRESS chunk that was cut short")
            buffer = (buffer << 16 | padded[place] | padded[place + 1] << 8) & 0xFFFFFFFF
            place += 2
            count += 16
        offset_bits, length = symbol - 256 >> 4, symbol & 15
        count -= offset_bits
        offset = 1 << offset_bits | buffer >> count & ((1 << offset_bits) - 1)
        if length == 15:
            if place + 3 > len(padded):
                raise ValueError("an XPRESS chunk that was cut short")
            length += padded[place]
            place += 1
            if length == 15 + 255:
                length = padded[place] | padded[place + 1] << 8
                place += 2
        length += _SHORTEST_MATCH
        start = len(out) - offset
        if start < 0 or len(out) + length > size:
            raise ValueError("an XPRESS match out of bounds")
        pattern = bytes(out[start : start + length])
        out += (pattern * (length // len(pattern) + 1))[:length]
    return bytes(out)
