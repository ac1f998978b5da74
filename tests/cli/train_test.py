import re
import resource
import unittest

from program import ProgramTest, needs_mpi, read_json

SMALL = ["--data", "synthetic", "--epochs", "1", "--hidden", "8", "--engine", "reference"]


def small_files():
    """A disk that is full after 64 KiB a file, as far as the program can tell."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


class Train(ProgramTest):
    def test_ends_with_the_sum_of_the_weights(self):
        out = self.succeed("train", *SMALL, "--out", self.folder / "run")
        self.assertIn("[synthetic] Epoch: 1, Train Loss: ", out)
        self.assertRegex(out, r"Test Loss: \d\.\d{3}, Test Acc: \d\.\d{3}\n")
        last = re.fullmatch(r"(\[synthetic\] )?Weights SHA-256: ([0-9a-f]{64})",
                            out.splitlines()[-1])
        self.assertTrue(last, out)
        summary = read_json(self.folder / "run" / "summary.json")
        self.assertEqual(last[2], summary["weights_sha256"])

    def test_quiet_leaves_one_line(self):
        out = self.succeed("train", *SMALL, "--quiet", "--out", self.folder / "run")
        self.assertEqual(len(out.splitlines()), 1)
        self.assertIn("Weights SHA-256: ", out)

    def test_says_that_it_takes_the_cpu_where_no_gpu_answers(self):
        text = self.succeed("train", *SMALL[:-2], "--out", self.folder / "run",
                            mca={"CUDA_VISIBLE_DEVICES": ""})
        self.assertRegex(text, r"lockstep: .*, on the CPU: \w.*, 16 shards, ")

    def test_echoes_all_options(self):
        self.succeed("train", *SMALL, "--seed", "7", "--recipe", "tuned", "--clip-norm", "2",
                     "--out", self.folder / "run")
        echo = read_json(self.folder / "run" / "config.json")
        expected = {"command": "train", "seed": 7, "hidden": 8, "shards": 16, "clip-norm": 2,
                    "decay": "cosine", "recurrent-init": "identity", "no-progress": False}
        self.assertEqual({key: echo[key] for key in expected}, expected)

    def test_without_out_makes_a_folder_in_runs(self):
        self.succeed("train", *SMALL, cwd=self.folder)
        (name,) = self.files("runs")
        self.assertRegex(name, r"\A\d{8}-\d{6}-\d+\Z")
        self.assertIn("summary.json", self.files(f"runs/{name}"))

    def test_a_config_file_says_the_same_as_options(self):
        config = self.folder / "run.conf"
        config.write_text("data = synthetic\nepochs = 1\nhidden = 8\nengine = reference\n"
                          "quiet = true\n")
        by_file = self.succeed("train", "--config", config, "--out", self.folder / "a")
        by_options = self.succeed("train", *SMALL, "--quiet", "--out", self.folder / "b")
        self.assertEqual(by_file, by_options)


class BadRun(ProgramTest):
    def test_a_folder_with_a_finished_run_is_left_alone(self):
        run = self.folder / "run"
        self.succeed("train", *SMALL, "--out", run)
        before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
        self.fail_with(6, "holds a finished run", "train", *SMALL, "--out", run)
        self.assertEqual({path: path.stat().st_mtime_ns for path in run.rglob("*")}, before)

    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        self.fail_with(6, "file/run", "train", *SMALL, "--out", self.folder / "file" / "run")
        self.assertEqual(self.files(), ["file"])

    @needs_mpi
    def test_several_ranks_say_it_once(self):
        (self.folder / "file").write_text("")
        self.fail_with(6, "file/run", "train", *SMALL, "--out", self.folder / "file" / "run",
                       ranks=3)

    def test_a_full_disk_is_told_at_once_ends_the_run_at_its_end_and_leaves_no_half_file(self):
        run = self.folder / "run"
        ended = self.fail_with(6, "model.safetensors", "train", *SMALL, "--hidden", "256",
                               "--epochs", "30", "--engine", "auto", "--out", run,
                               preexec_fn=small_files)
        self.assertEqual(self.files("run"), ["checkpoints", "config.json", "lock", "metrics.csv",
                                             "metrics.jsonl"])
        self.assertEqual(self.files("run/checkpoints"), [])
        warnings = re.findall(r"Warning: (\w+) not being saved", ended.stdout)
        self.assertEqual(sorted(warnings), ["checkpoints", "metrics"])
        self.assertRegex(ended.stdout, r"Weights SHA-256: [0-9a-f]{64}\n\Z")
        for name in ["metrics.csv", "metrics.jsonl"]:
            self.assertRegex((run / name).read_text(), r"\n\Z")

    @needs_mpi
    def test_metrics_that_cannot_be_written_do_not_end_the_run(self):
        # Not by a file limit: Open MPI's own files would meet it first.
        run = self.folder / "run"
        run.mkdir()
        (run / "metrics.jsonl").symlink_to("/dev/full")
        out = self.succeed("train", *SMALL, "--out", run, ranks=3)
        self.assertEqual(out.count("Warning: metrics not being saved"), 1, out)
        self.assertIn("summary.json", self.files("run"))

    @needs_mpi
    def test_a_model_that_cannot_be_written_is_the_failure_of_all_ranks(self):
        run = self.folder / "run"
        (run / "model.safetensors").mkdir(parents=True)
        self.fail_with(6, "model.safetensors", "train", *SMALL, "--out", run, ranks=3, timeout=60)
        self.assertNotIn("summary.json", self.files("run"))

    def test_training_that_is_no_longer_finite_names_step_and_tensor(self):
        ended = self.fail_with(4, "step ", "train", *SMALL, "--learning-rate", "1e38",
                               "--out", self.folder / "run")
        self.assertRegex(ended.stderr, r"kernel|bias|loss")
        self.assertNotIn("summary.json", self.files("run"))

    @needs_mpi
    def test_several_ranks_say_that_it_is_not_finite_once(self):
        self.fail_with(4, "step ", "train", *SMALL, "--learning-rate", "1e38",
                       "--out", self.folder / "run", ranks=3)


if __name__ == "__main__":
    unittest.main()
