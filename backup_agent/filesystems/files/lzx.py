"""LZX as Windows stores files with it (``compact /exe:lzx``): chunks of 32 KiB, each for itself.

Source: Microsoft's "LZX DELTA Compression and Decompression" [MS-PATCH] 2, with
what Windows imaging does differently: no chunk needs another one, a block of the
usual 32768 bytes says so in one bit, and calls in x86 code are always translated,
as if the file had 12,000,000 bytes.

The bits of a chunk come in words of 16, little endian, highest bit first::

    block   := kind:3, usual:1, [size:16 unless usual], body
    body    := [aligned: 8 lengths of 3 bits], main and length trees, symbols    kind 1 and 2
             | padding to 16 bits (at least one), 3 offsets of 32 bits, bytes    kind 3

A main symbol below 256 is a byte; others are a match: 3 bits of length (7: more
in a length symbol) below the slot of its offset. Slots 0 to 2 are the last
three offsets used.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate

from backup_agent.filesystems.files.prefix_code import PrefixCode

CHUNK_SIZE = 32768

_VERBATIM, _ALIGNED, _UNCOMPRESSED = 1, 2, 3
_SLOTS = 30
_MAIN_SYMBOLS = 256 + 8 * _SLOTS
_LENGTH_SYMBOLS = 249
_PRE_SYMBOLS = 20
_LONGEST_CODE = 16
_EXTRA_BITS = tuple(max(0, slot // 2 - 1) for slot in range(_SLOTS))
_FIRST_OFFSETS = tuple(
    base - 2 for base in accumulate((1 << bits for bits in _EXTRA_BITS[:-1]), initial=0)
)
_TRANSLATED_SIZE = 12_000_000
_UNTRANSLATED_TAIL = 10


def decompress(data: bytes, size: int) -> bytes:
    """One chunk; ``size`` is what it must come to. Raises ``ValueError`` for a damaged one."""
    out = bytearray()
    bits = _Bits(data)
    main, lengths = [0] * _MAIN_SYMBOLS, [0] * _LENGTH_SYMBOLS
    recent = [1, 1, 1]
    while len(out) < size:
        kind = bits.take(3)
        block_size = CHUNK_SIZE if bits.take(1) else bits.take(16)
        end = len(out) + block_size
        if not block_size or end > size:
            raise ValueError("an LZX block longer than its chunk")
        if kind == _UNCOMPRESSED:
            recent[:] = bits.offsets()
            out += bits.plain(block_size)
        elif kind in (_VERBATIM, _ALIGNED):
            aligned = PrefixCode([bits.take(3) for _ in range(8)]) if kind == _ALIGNED else None
            _read_lengths(bits, main, 0, 256)
            _read_lengths(bits, main, 256, _MAIN_SYMBOLS)
            _read_lengths(bits, lengths, 0, _LENGTH_SYMBOLS)
            _decode_block(bits, out, end, (PrefixCode(main), PrefixCode(lengths), aligned), recent)
        else:
            raise ValueError("an LZX block of unknown kind")
    _restore_calls(out)
    return bytes(out)


class _Bits:
    """The chunk's bits, in order. Behind its end there are 64 zeros, and then no more."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        even = data + bytes(8 + len(data) % 2)
        self.words: Sequence[int] = struct.unpack(f"<{len(even) // 2}H", even)
        self.next = 0
        self.buffer = 0
        self.count = 0

    def take(self, count: int) -> int:
        while self.count < count:
            self._more()
        self.count -= count
        value = self.buffer >> self.count
        self.buffer &= (1 << self.count) - 1
        return value

    def symbol(self, code: PrefixCode) -> int:
        while self.count < code.width:
            self._more()
        entry = code.table[self.buffer >> (self.count - code.width)]
        if not entry:
            raise ValueError("an LZX symbol that is none")
        self.count -= entry & 31
        self.buffer &= (1 << self.count) - 1
        return entry >> 5

    def offsets(self) -> tuple[int, int, int]:
        """Pad to a word, by a whole one if need be; then the three offsets."""
        if not self.count:
            self._more()
        self.next -= self.count // 16
        self.buffer = self.count = 0
        first, second, third = struct.unpack("<III", self.plain(12))
        return first, second, third

    def plain(self, size: int) -> bytes:
        """Bytes as they are, and one more if that makes it even."""
        start = 2 * self.next
        self.next += (size + 1) // 2
        if start + size > len(self._data):
            raise ValueError("an LZX chunk that was cut short")
        return self._data[start : start + size]

    def _more(self) -> None:
        try:
            self.buffer = self.buffer << 16 | self.words[self.next]
        except IndexError:
            raise ValueError("an LZX chunk that was cut short") from None
        self.next += 1
        self.count += 16


def _read_lengths(bits: _Bits, lengths: list[int], start: int, end: int) -> None:
    """Code lengths, told as differences to those of the block before."""
    code = PrefixCode([bits.take(4) for _ in range(_PRE_SYMBOLS)])
    place = start
    while place < end:
        symbol = bits.symbol(code)
        if symbol < 17:
            run, value = 1, (lengths[place] - symbol) % 17
        elif symbol == 17:
            run, value = 4 + bits.take(4), 0
        elif symbol == 18:
            run, value = 20 + bits.take(5), 0
        else:
            run = 4 + bits.take(1)
            value = (lengths[place] - bits.symbol(code)) % 17
        if place + run > end or value > _LONGEST_CODE:
            raise ValueError("LZX code lengths that run over")
        lengths[place : place + run] = [value] * run
        place += run


def _decode_block(
    bits: _Bits,
    out: bytearray,
    end: int,
    codes: tuple[PrefixCode, PrefixCode, PrefixCode | None],
    recent: list[int],
) -> None:
    main, lengths, aligned = codes
    words, table, width = bits.words, main.table, main.width
    # The bits stay in local names as long as only the main code is read: it is most of the time.
    buffer, count, place = bits.buffer, bits.count, bits.next
    last = len(words)
    while len(out) < end:
        while count < width:
            if place >= last:
                raise ValueError("an LZX chunk that was cut short")
            buffer = (buffer << 16 | words[place]) & 0xFFFFFFFF
            place += 1
            count += 16
        entry = table[buffer >> (count - width) & ((1 << width) - 1)]
        if not entry:
            raise ValueError("an LZX symbol that is none")
        count -= entry & 31
        symbol = entry >> 5
        if symbol < 256:
            out.append(symbol)
            continue
        bits.buffer, bits.count, bits.next = buffer & ((1 << count) - 1), count, place
        length = (symbol & 7) + 2
        if length == 9:
            length += bits.symbol(lengths)
        offset = _offset(bits, symbol - 256 >> 3, aligned, recent)
        buffer, count, place = bits.buffer, bits.count, bits.next
        _copy_match(out, offset, min(length, CHUNK_SIZE), end)
    bits.buffer, bits.count, bits.next = buffer & ((1 << count) - 1), count, place


def _offset(bits: _Bits, slot: int, aligned: PrefixCode | None, recent: list[int]) -> int:
    if slot < 3:
        recent[0], recent[slot] = recent[slot], recent[0]
        return recent[0]
    extra = _EXTRA_BITS[slot]
    if aligned is not None and extra >= 3:
        low = bits.take(extra - 3) << 3
        offset = _FIRST_OFFSETS[slot] + low + bits.symbol(aligned)
    else:
        offset = _FIRST_OFFSETS[slot] + bits.take(extra)
    recent[:] = offset, recent[0], recent[1]
    return offset


def _copy_match(out: bytearray, offset: int, length: int, end: int) -> None:
    start = len(out) - offset
    if start < 0 or offset < 1 or len(out) + length > end:
        raise ValueError("an LZX match out of bounds")
    if offset >= length:
        out += out[start : start + length]
    else:
        pattern = bytes(out[start:])
        out += (pattern * (length // offset + 1))[:length]


def _restore_calls(out: bytearray) -> None:
    """Make the targets of x86 calls relative again; they were absolute to compress better.

    Not in the last ten bytes, although a call may begin in the eleventh from the end.
    """
    last = len(out) - _UNTRANSLATED_TAIL
    place = out.find(0xE8, 0, max(last, 0))
    while place >= 0:
        (target,) = struct.unpack_from("<i", out, place + 1)
        if 0 <= target < _TRANSLATED_SIZE:
            struct.pack_into("<i", out, place + 1, target - place)
        elif -place <= target < 0:
            struct.pack_into("<i", out, place + 1, target + _TRANSLATED_SIZE)
        place = out.find(0xE8, place + 5, max(last, 0))
