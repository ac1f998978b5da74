import pathlib
import unittest

import program

LDD = f"""\tlinux-vdso.so.1 (0x00007f2ef91d3000)
\tlibmpi.so.40 => {program.ROOT}/build/prefix/lib/libmpi.so.40 (0x00007f2ef8a00000)
\tlibfmt.so.9 => /lib/x86_64-linux-gnu/libfmt.so.9 (0x00007f2ef8de0000)
\tlibstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f2eec800000)
\tlibcrypto.so.3 => /lib/x86_64-linux-gnu/libcrypto.so.3 (0x00007f2eec800000)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f2eed120000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2eeca1e000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f2ef91d5000)
"""


class Libraries(unittest.TestCase):
    def test_are_those_that_a_machine_with_a_compiler_need_not_have(self):
        folder = pathlib.Path("/lib/x86_64-linux-gnu")
        self.assertEqual(program.libraries(LDD), {name: folder / name for name in
                                                  ("libfmt.so.9", "libcrypto.so.3")})

    def test_one_that_is_not_here_is_named(self):
        with self.assertRaisesRegex(program.Missing, "^libpng16.so.16$"):
            program.libraries(LDD + "\tlibpng16.so.16 => not found\n")


class Configuration(unittest.TestCase):
    def test_the_machine_code_is_one_architectures(self):
        self.assertEqual(program.machine_code(90), "90a-real")
        self.assertEqual(program.machine_code(80), "80-real")

    def test_without_nccl_there_is_none(self):
        self.assertIn("-DLOCKSTEP_NCCL_DIR=off", program.configuration(90, None))
        self.assertIn("-DLOCKSTEP_NCCL_DIR=/x", program.configuration(90, "/x"))

    def test_its_libraries_are_looked_for_beside_it_first_and_at_no_fixed_place(self):
        rpath = next(word for word in map(str, program.configuration(90, None)) if "RPATH=$" in word)
        folders = rpath.partition("=")[2].split(";")
        self.assertEqual(folders[0], "$ORIGIN/lib")
        self.assertTrue(all(folder.startswith("$ORIGIN/") for folder in folders), folders)


if __name__ == "__main__":
    unittest.main()
