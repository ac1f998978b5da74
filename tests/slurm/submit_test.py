import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Says how it was called, and takes the job.
SBATCH = """#!/bin/sh
[ -z "$REFUSE" ] || { echo "sbatch: error: $REFUSE" >&2; exit 1; }
printf '%s\\n' "$@" >called
echo '12;pretend'
"""


class Submit(unittest.TestCase):
    """cluster/submit with a stand-in for sbatch."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-submit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ["launch", "cluster"]:
            shutil.copytree(ROOT / name, self.folder / name)
        self.executable("build/release/lockstep", "")
        self.executable("bin/sbatch", SBATCH)

    def executable(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def submit(self, *words, path=None, **environment):
        path = path or f"{self.folder}/bin:/usr/bin:/bin"
        return subprocess.run([self.folder / "cluster" / "submit", *map(str, words)],
                              capture_output=True, text=True, cwd=self.folder, timeout=60,
                              env={"PATH": path, **environment})

    def called(self, *words):
        """What sbatch is given for these words, and what is said of it."""
        ended = self.submit(*words)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return (self.folder / "called").read_text().splitlines(), ended.stdout

    def fail_with(self, text, *words, **how):
        ended = self.submit(*words, **how)
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        self.assertTrue(ended.stderr.startswith("submit: "), ended.stderr)
        self.assertIn(text, ended.stderr)

    def test_asks_slurm_for_what_it_was_told(self):
        flags, said = self.called("--nodes", 2, "--ranks", 8, "--time", "1-12:00", "--array",
                                  "1-5%2", "--launcher", "mpirun", "--sbatch", "--partition=long",
                                  "-c", 4, "--", "--seed", "%a", "--out", "runs/two words %a")
        script = flags.index(str(self.folder / "cluster" / "train.sbatch"))
        self.assertEqual(flags[:script], [
            "--parsable", "--nodes", "2", "--ntasks", "8", "--time", "1-12:00", "--array", "1-5%2",
            "--partition=long", "-c", "4"
        ])
        self.assertEqual(flags[script + 1:], [
            str(self.folder), "mpirun", "runs/two words %a", "--seed", "%a", "--out",
            "runs/two words %a"
        ])
        self.assertIn("Job 12: 8 ranks on 2 nodes, at most 1-12:00, for each of 1-5%2", said)
        self.assertIn("log: slurm-12_%a.out", said)

    def test_leaves_to_slurm_what_it_was_not_told(self):
        flags, said = self.called("--", "train", "--epochs", 1)
        self.assertEqual(flags, [
            "--parsable", "--nodes", "1", "--ntasks", "1",
            str(self.folder / "cluster" / "train.sbatch"),
            str(self.folder), "auto", "runs/slurm-%j", "--epochs", "1", "--out", "runs/slurm-%j"
        ])
        self.assertIn("Run folder: runs/slurm-12;", said)

    def test_says_in_one_line_what_is_wrong(self):
        for text, words in [("no --", []), ("no --", ["--nodes", "2"]),
                            ("--nodes needs", ["--nodes", "--"]),
                            ("--nodes '0'", ["--nodes", "0", "--"]),
                            ("--ranks 'x'", ["--ranks", "x", "--"]),
                            ("fewer nodes", ["--nodes", "3", "--ranks", "2", "--"]),
                            ("--time 'soon'", ["--time", "soon", "--"]),
                            ("--array 'a'", ["--array", "a", "--"]),
                            ("--launcher 'ssh'", ["--launcher", "ssh", "--"]),
                            ("option '-n'", ["-n", "2", "--"]),
                            ("--resume", ["--", "--resume=never"]), ("'parity'", ["--", "parity"]),
                            ("can't share --out r", ["--array", "1-2", "--", "--out", "r"])]:
            with self.subTest(words):
                self.fail_with(text, *words)

    def test_says_what_is_missing_here(self):
        few = self.folder / "few"  # what the script itself needs, and no sbatch
        few.mkdir()
        for name in ["bash", "dirname", "basename"]:
            (few / name).symlink_to(shutil.which(name))
        self.fail_with("no sbatch here", "--", path=str(few))
        (self.folder / "build" / "release" / "lockstep").unlink()
        self.fail_with("run launch/build", "--")

    def test_passes_on_why_slurm_refused(self):
        self.fail_with("Slurm did not take it: sbatch: error: invalid partition", "--",
                       REFUSE="invalid partition")


if __name__ == "__main__":
    unittest.main()
