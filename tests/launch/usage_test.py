import unittest

from clone import LAUNCH, CloneTest

SCRIPTS = sorted(path.name for path in LAUNCH.iterdir() if path.suffix == "")


class Usage(CloneTest):
    def test_every_script_tells_its_use(self):
        for name in SCRIPTS:
            with self.subTest(name):
                ended = self.script(name, "--help")
                self.assertEqual((ended.returncode, ended.stderr), (0, ""))
                self.assertIn(f"Use: launch/{name}", ended.stdout)

    def test_an_unknown_option_gets_one_line(self):
        for name in SCRIPTS:
            with self.subTest(name):
                ended = self.script(name, "--no-such")
                self.assertEqual((ended.returncode, ended.stdout), (2, ""))
                self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
                self.assertIn("--no-such", ended.stderr)


if __name__ == "__main__":
    unittest.main()
