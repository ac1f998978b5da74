"""tests/gpu's commands as they are typed, where there is no GPU."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import correctness
import machine
import runs
from packed import Packed
from processes import children, started_by

HERE = pathlib.Path(__file__).resolve().parent
PRESET = os.environ["LOCKSTEP_PRESET"]
MNIST = runs.ROOT / "data/mnist"
without_gpu = unittest.skipIf(machine.gpu(), "this machine has a GPU")
needs_mnist = unittest.skipUnless((MNIST / "train-images-idx3-ubyte").exists(),
                                  f"no MNIST in {MNIST}; run launch/fetch-mnist")


def command(name, *words, **variables):
    return subprocess.run([HERE / name, *map(str, words)], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=100, env=os.environ | variables)


class Command(unittest.TestCase):
    def test_both_tell_their_use(self):
        for name in ("pack", "run"):
            ended = command(name, "--help")
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            self.assertIn("--out DIR", ended.stdout)

    @without_gpu
    def test_a_machine_without_a_gpu_gets_one_line_and_nothing_is_done(self):
        with tempfile.TemporaryDirectory() as folder:
            ended = command("run", "--out", pathlib.Path(folder, "report"))
            self.assertEqual((ended.returncode, ended.stdout), (2, ""))
            self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
            self.assertIn("no GPU answers here", ended.stderr)
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [])

    def test_a_rehearsal_of_the_pack_needs_one(self):
        with tempfile.TemporaryDirectory() as folder:
            packed = Packed(pathlib.Path(folder, "pack"))
            ended = command("run", "--rehearse", "gpu", "--pack", packed.pack, "--only", "^none$",
                            "--out", folder)
        if packed.built_here:
            self.assertEqual(ended.returncode, 0, ended.stderr)
        else:
            self.assertEqual((ended.returncode, ended.stdout), (2, ""))
            self.assertIn("run tests/gpu/pack", ended.stderr)

    def test_the_time_is_less_than_a_machine_is_lent_for(self):
        for number in (0, 571):
            ended = command("run", "--rehearse", PRESET, "--seconds", number)
            self.assertEqual((ended.returncode, ended.stdout), (2, ""))
            self.assertIn("not from 1 to 570", ended.stderr)

    def test_a_rehearsal_needs_a_build(self):
        ended = command("run", "--rehearse", "no-such")
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertIn("run launch/build no-such", ended.stderr)

    def test_a_driver_that_is_not_there_shows_no_gpu(self):
        self.assertIsNone(machine.gpu("libcuda-that-is-nowhere.so"))

    def test_the_published_hash_is_found(self):
        self.assertRegex(correctness.published_hash(), "^[0-9a-f]{64}$")


@needs_mnist
class Rehearsal(unittest.TestCase):
    """The stages on the CPU, with this build."""

    def rehearse(self, only):
        with tempfile.TemporaryDirectory() as folder:
            ended = command("run", "--rehearse", PRESET, "--only", only, "--out", folder)
            self.assertNotIn("Traceback", ended.stderr)
            content = json.loads(pathlib.Path(folder, "report.json").read_text())
            self.assertEqual(pathlib.Path(folder, "report.md").read_text() in ended.stdout, True)
            return ended.returncode, {stage["stage"]: stage for stage in content["stages"]}, content

    def test_stages_pass_on_the_cpu_and_those_of_a_gpu_are_not_run(self):
        code, stages, _ = self.rehearse("1 epoch|killed|refusal|racecheck|--device auto")
        outcomes = {name: stage["outcome"] for name, stage in stages.items()}
        self.assertEqual(code, 0, stages)
        self.assertEqual(outcomes["bits: 1 epoch"], "passed")
        self.assertEqual(outcomes["no GPU visible: --device auto"], "passed")
        for name, outcome in outcomes.items():
            if re.search("NCCL|refusal|sanitizer", name):
                self.assertEqual(outcome, "not run", name)

    def test_a_run_that_is_ended_leaves_what_was_found_and_no_process(self):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.Popen([HERE / "run", "--rehearse", PRESET, "--only", "^bits: (1|default)",
                                    "--out", folder], stdout=subprocess.PIPE, text=True)
            self.assertIn("passed", run.stdout.readline())
            time.sleep(0.5)  # the next stage's command runs
            begun = started_by(run.pid)
            run.terminate()
            run.communicate(timeout=30)
            stages = json.loads(pathlib.Path(folder, "report.json").read_text())["stages"]
        self.assertEqual(stages[0]["stage"], correctness.REFERENCE)
        self.assertEqual(stages[0]["commands"][0]["code"], 0)
        self.assertGreater(len(begun), 1)
        living = {number for numbers in children().values() for number in numbers}
        self.assertFalse(set(begun) & living)

    def test_where_a_steps_time_goes_is_a_table(self):
        _, stages, _ = self.rehearse("where a step's time goes")
        self.assertIn("a step, p50", [row["part"] for stage in stages.values() for row in stage["rows"]])

    def test_a_stage_that_has_nothing_to_be_compared_with_does_not_pass(self):
        _, stages, _ = self.rehearse("^bits: 1 epoch$")
        self.assertEqual(stages["bits: 1 epoch"]["outcome"], "not run")


@needs_mnist
class SmallData(unittest.TestCase):
    def test_is_one_step_of_the_first_pictures(self):
        with tempfile.TemporaryDirectory() as folder:
            small = runs.write_small_data(MNIST, pathlib.Path(folder))
            name = "train-images-idx3-ubyte"
            images = (small / name).read_bytes()
            self.assertEqual(len(images), 16 + 140 * 784)
            self.assertEqual(images[16:], (MNIST / name).read_bytes()[16:len(images)])
            program = runs.ROOT / "build" / PRESET / "lockstep"
            said = subprocess.run([program, "train", "--data", small, "--epochs", "1", "--out",
                                   small / "run", "--device", "cpu"], text=True, capture_output=True)
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertEqual(json.loads((small / "run/summary.json").read_text())["steps"], 1)


class Peers(unittest.TestCase):
    """Those of the speed's table, on the CPU."""

    PYTHON = runs.ROOT / "build/peers/bin/python"

    @needs_mnist
    @unittest.skipUnless(PYTHON.exists(), "no build/peers: run tests/bench/peers/setup")
    def test_all_do_the_same_job(self):
        with tempfile.TemporaryDirectory() as folder:
            program = runs.ROOT / "build" / PRESET / "lockstep"
            subprocess.run([program, "bench", "--export", folder, "--steps", "156",
                            "--data", MNIST], check=True, capture_output=True)
            results = []
            for script, *words in (("eager.py",), ("graph.py", "--steps-per-launch", "13"),
                                   ("jitted.py", "--steps-per-launch", "39")):
                ended = subprocess.run(
                    [self.PYTHON, HERE / "peers" / script, "--data", MNIST, "--start", folder,
                     "--device", "cpu", "--chunks", "2", *words], text=True, capture_output=True)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                results.append(json.loads(ended.stdout))
            for result in results[1:]:
                self.assertAlmostEqual(result["first_loss"], results[0]["first_loss"], places=5)
                self.assertAlmostEqual(result["test_accuracy"], results[0]["test_accuracy"],
                                       delta=0.02)


if __name__ == "__main__":
    unittest.main()
