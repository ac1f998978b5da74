import subprocess
import unittest

from program import LOCKSTEP, ProgramTest, needs_mpi

COMMANDS = ["train", "evaluate", "predict", "parity", "data", "inspect", "bench"]


class Help(ProgramTest):
    def test_the_program_names_its_commands(self):
        text = self.succeed("--help")
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", text)

    def test_every_command_has_its_own(self):
        for command in COMMANDS:
            text = self.succeed(command, "--help")
            self.assertIn(f"Usage: lockstep {command} [options]", text)

    def test_of_train_has_groups_and_defaults(self):
        text = self.succeed("train", "-h")
        for part in ["\nFiles:", "\nRecipe", "\nMachine", "\nOutput:", "--batch-size N", "[128]",
                     "--recipe article|tuned", "[article]"]:
            self.assertIn(part, text)
        self.assertNotIn("--model", text)

    def test_version_is_one_line(self):
        self.assertRegex(self.succeed("--version"), r"\Alockstep \d+\.\d+\.\d+\n\Z")

    @needs_mpi
    def test_is_shown_once_by_several_ranks(self):
        self.assertEqual(self.succeed("--help", ranks=2).count("Usage:"), 1)

    def test_fails_where_nobody_can_read_it(self):
        with open("/dev/full", "w") as full:
            ended = subprocess.run([LOCKSTEP, "--help"], stdout=full, stderr=subprocess.PIPE,
                                   text=True)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("standard output can't be written: No space left", ended.stderr)


if __name__ == "__main__":
    unittest.main()
