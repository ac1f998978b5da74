"""Leaves a CUDA library the machine code of one architecture, so that it compresses to a tenth.

nvcc puts a library's device code into containers ("fatbins"): a header of 16 bytes (magic number,
version, own length, length of what follows), then entries, each with a header of its own (kind: 1 is
PTX, 2 is machine code; own length; length of the code; at byte 28 the architecture) and the code.
"""
import struct

MAGIC = struct.pack("<I", 0xBA55ED50)
PTX, MACHINE_CODE = 1, 2


def containers(library):
    """Begin and end of each container's entries."""
    at = library.find(MAGIC)
    while at >= 0:
        _, version, header, size = struct.unpack_from("<IHHQ", library, at)
        end = at + header + size
        if version == 1 and header == 16 and end <= len(library):
            yield at + header, end
            at = library.find(MAGIC, end)
        else:  # the same bytes by chance
            at = library.find(MAGIC, at + len(MAGIC))


def keep_one(library, architecture):
    """Blanks the code for all others in a bytearray; returns how many bytes it kept."""
    kept = 0
    for entry, end in containers(library):
        while entry < end:
            kind, _, header, size = struct.unpack_from("<HHIQ", library, entry)
            (built_for,) = struct.unpack_from("<I", library, entry + 28)
            begin = entry + header
            entry = begin + size
            if kind in (PTX, MACHINE_CODE) and built_for != architecture:
                library[begin:entry] = bytes(size)
            else:
                kept += size
    return kept
