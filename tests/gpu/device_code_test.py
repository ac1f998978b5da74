import struct
import unittest

import device_code


def entry(kind, architecture, code):
    header = struct.pack("<HHIQ", kind, 0x101, 64, len(code)).ljust(28, b"\0")
    return (header + struct.pack("<I", architecture)).ljust(64, b"\0") + code


def container(*entries):
    body = b"".join(entries)
    return device_code.MAGIC + struct.pack("<HHQ", 1, 16, len(body)) + body


class KeepOne(unittest.TestCase):
    def test_blanks_the_code_of_other_architectures_and_nothing_else(self):
        begin, end = b"\x7fELF host code", b"more host code"
        library = bytearray(begin + container(entry(2, 80, b"ampere"), entry(2, 90, b"hopper"),
                                              entry(1, 100, b".ptx")) + end)
        expected = begin + container(entry(2, 80, bytes(6)), entry(2, 90, b"hopper"),
                                     entry(1, 100, bytes(4))) + end
        self.assertEqual(device_code.keep_one(library, 90), len(b"hopper"))
        self.assertEqual(bytes(library), expected)

    def test_goes_through_every_container(self):
        library = bytearray(container(entry(2, 80, b"one")) + container(entry(2, 90, b"two"))
                            + container(entry(2, 80, b"three")))
        self.assertEqual(device_code.keep_one(library, 80), len(b"onethree"))
        self.assertNotIn(b"two", library)

    def test_leaves_bytes_that_look_like_a_container_by_chance(self):
        chance = device_code.MAGIC + b"\xff" * 60
        library = bytearray(chance + container(entry(2, 90, b"hopper")))
        self.assertEqual(device_code.keep_one(library, 90), len(b"hopper"))
        self.assertTrue(library.startswith(chance))

    def test_keeps_nothing_where_nothing_is_built_for_it(self):
        self.assertEqual(device_code.keep_one(bytearray(container(entry(2, 80, b"old"))), 90), 0)


if __name__ == "__main__":
    unittest.main()
