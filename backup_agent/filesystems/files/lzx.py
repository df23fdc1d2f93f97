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
import sys
from array import array
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
    try:
        out = _blocks(_Bits(data), size)
    except IndexError:
        raise ValueError("an LZX chunk that was cut short") from None
    _restore_calls(out)
    return bytes(out)


def _blocks(bits: _Bits, size: int) -> bytearray:
    out = bytearray()
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
    return out


class _Bits:
    """The chunk's bits, in order. Behind its end there are 64 zeros, and then ``IndexError``.

    ``windows[i]`` are the 32 bits from word ``i`` on: wherever in that word the
    ``position`` is, at least 17 bits can be seen at once, and nobody takes more than 16.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        words = array("H", data + bytes(10 + len(data) % 2))
        # Highest bit first: as numbers that begin with the first word's upper byte.
        if sys.byteorder == "little":
            words.byteswap()
        swapped = words.tobytes()
        self.windows = [0] * (len(words) - 1)
        pairs = len(words) // 2
        self.windows[::2] = struct.unpack_from(f">{pairs}I", swapped)
        pairs = (len(words) - 1) // 2
        self.windows[1::2] = struct.unpack_from(f">{pairs}I", swapped, 2)
        self.position = 0

    def take(self, count: int) -> int:
        position = self.position
        self.position += count
        window = self.windows[position >> 4]
        return window >> (32 - count - (position & 15)) & ((1 << count) - 1)

    def symbol(self, code: PrefixCode) -> int:
        window = self.windows[self.position >> 4]
        place = window >> (32 - code.width - (self.position & 15)) & ((1 << code.width) - 1)
        entry = code.table[place]
        if not entry:
            raise ValueError("an LZX symbol that is none")
        self.position += entry & 31
        return entry >> 5

    def offsets(self) -> tuple[int, int, int]:
        """Pad to a word, by a whole one if need be; then the three offsets."""
        self.position = (self.position // 16 + 1) * 16
        first, second, third = struct.unpack("<III", self.plain(12))
        return first, second, third

    def plain(self, size: int) -> bytes:
        """Bytes as they are, and one more if that makes it even."""
        start = self.position // 8
        self.position += (size + 1) // 2 * 16
        if start + size > len(self._data):
            raise ValueError("an LZX chunk that was cut short")
        return self._data[start : start + size]


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
    """All symbols of a block. One function, with all it needs in local names and the reading of
    bits written out: calls would take longer than everything else.
    """
    main, lengths, aligned = codes
    windows, position = bits.windows, bits.position
    table, shift, mask = main.table, 32 - main.width, (1 << main.width) - 1
    more, more_shift, more_mask = lengths.table, 32 - lengths.width, (1 << lengths.width) - 1
    low_width = aligned.width if aligned else 0
    low, low_mask = aligned.table if aligned else (), (1 << low_width) - 1
    first, second, third = recent
    here = len(out)
    append = out.append
    while here < end:
        entry = table[windows[position >> 4] >> (shift - (position & 15)) & mask]
        symbol = entry >> 5
        position += entry & 31
        if symbol < 256:
            if not entry:
                raise ValueError("an LZX symbol that is none")
            append(symbol)
            here += 1
            continue
        length = (symbol & 7) + 2
        if length == 9:
            window = windows[position >> 4]
            entry = more[window >> (more_shift - (position & 15)) & more_mask]
            if not entry:
                raise ValueError("an LZX symbol that is none")
            position += entry & 31
            length += entry >> 5
        slot = (symbol - 256) >> 3
        if slot > 2:
            extra = _EXTRA_BITS[slot]
            third, second = second, first
            first = _FIRST_OFFSETS[slot]
            window = windows[position >> 4] << (position & 15)
            if aligned is None or extra < 3:
                first += window >> (32 - extra) & ((1 << extra) - 1)
                position += extra
            else:
                # Seven bits at most: they lie within the window behind the others.
                first += (window >> (35 - extra) & ((1 << extra - 3) - 1)) << 3
                entry = low[window >> (35 - extra - low_width) & low_mask]
                if not entry:
                    raise ValueError("an LZX symbol that is none")
                position += extra - 3 + (entry & 31)
                first += entry >> 5
        elif slot == 1:
            first, second = second, first
        elif slot == 2:
            first, third = third, first
        start = here - first
        here += length
        if start < 0 or first < 1 or here > end:
            raise ValueError("an LZX match out of bounds")
        if first >= length:
            out += out[start : start + length]
        else:
            pattern = bytes(out[start:])
            out += (pattern * (length // first + 1))[:length]
    bits.position = position
    recent[:] = first, second, third


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
