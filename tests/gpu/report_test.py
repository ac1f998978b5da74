import json
import pathlib
import tempfile
import unittest

import report


HERE = {"gpu": None, "driver": None, "nvcc": "V13.0.88", "processor": "any"}


def stage(name, outcome="passed", detail="", rows=(), commands=()):
    return {"stage": name, "outcome": outcome, "detail": detail, "seconds": 1.25, "rows": rows,
            "commands": commands}


def row(program, p50, kind="graph", loss=2.3, least=None, epoch=None):
    return {"program": program, "kind": kind, "p50_us": p50, "min_us": least or p50,
            "epoch_ms": epoch or p50 * 0.429, "first_loss": loss, "test_accuracy": 0.97}


def ours(p50=20.0, **more):
    return row("lockstep", p50, kind="ours", **more)


def cells(table, first):
    line = next(line for line in table.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


class ExitCode(unittest.TestCase):
    def test_is_0_where_no_stage_failed(self):
        self.assertEqual(report.exit_code([stage("a"), stage("b", "not run", "no JAX")], [ours()]), 0)

    def test_is_1_where_one_failed(self):
        self.assertEqual(report.exit_code([stage("a"), stage("b", "failed")], []), 1)

    def test_is_1_where_a_program_did_another_job(self):
        self.assertEqual(report.exit_code([stage("a")], [ours(), row("peer", 60, loss=2.4)]), 1)
        self.assertEqual(report.exit_code([stage("a")], [ours(), row("peer", 60, loss=float("nan"))]), 1)

    def test_is_1_where_peers_have_nothing_to_be_compared_with(self):
        self.assertEqual(report.exit_code([stage("a")], [row("peer", 60)]), 1)


class Compared(unittest.TestCase):
    def test_a_peers_time_is_given_in_multiples_of_ours(self):
        rows = report.compared([ours(20), row("peer", 70)])
        self.assertEqual([each["times"] for each in rows], [1, 3.5])

    def test_measurements_of_one_program_are_one_row(self):
        rows = report.compared([ours(20, least=18), row("peer", 66), ours(24, least=19)])
        self.assertEqual([each["program"] for each in rows], ["lockstep", "peer"])
        self.assertEqual((rows[0]["p50_us"], rows[0]["min_us"], rows[0]["measurements"]), (22, 18, 2))
        self.assertEqual(rows[1]["times"], 3)

    def test_samples_a_second_are_those_of_an_epoch(self):
        rows = report.compared([ours(20, epoch=10.0)])
        self.assertAlmostEqual(rows[0]["samples_per_second"], 429 * 128 / 10e-3)

    def test_first_losses_agree_to_one_in_a_hundred_thousand(self):
        for off, agrees in ((9e-6, True), (-9e-6, True), (1.1e-5, False), (-1.1e-5, False)):
            rows = report.compared([ours(), row("peer", 60, loss=2.3 * (1 + off))])
            self.assertEqual(rows[1]["agrees"], agrees, off)


class Tables(unittest.TestCase):
    def test_every_stage_is_a_line_with_its_outcome(self):
        table = report.stage_table([stage("bits", detail="9ced3b961684"),
                                    stage("JAX", "not run", "No module named 'jax'")])
        self.assertEqual(cells(table, "bits"), ["bits", "1.2", "passed: 9ced3b961684"])
        self.assertEqual(cells(table, "JAX")[2], "not run: No module named 'jax'")

    def test_every_line_has_as_many_cells(self):
        for table in (report.stage_table([stage("a|b", "failed", "one | two")]),
                      report.speed_table([ours(), row("a|b", 60, loss=1)])):
            self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1, table)

    def test_another_first_loss_is_said(self):
        table = report.speed_table([ours(), row("peer", 60, loss=2.4), row("good", 60)])
        self.assertEqual(cells(table, "peer")[-1], "NO: 2.4")
        self.assertEqual(cells(table, "good")[-1], "agrees")

    def test_goals_are_asked_of_the_best_peer_of_a_kind(self):
        table = report.goal_table([ours(20), row("eager", 400, kind="eager"), row("a", 90), row("b", 70)])
        self.assertEqual(cells(table, "a step")[1:], ["<= 25 us", "20.0 us"])
        self.assertEqual(cells(table, "eager PyTorch's step")[2], "20.0 x")
        self.assertEqual(cells(table, "the best graph-captured peer's step")[2], "3.5 x")

    def test_what_was_not_measured_is_not_reached(self):
        self.assertEqual(report.goal_table([ours()]).count("not measured"), 2)
        self.assertEqual(report.goal_table([row("a", 90)]).count("not measured"), 3)

    def test_the_verdict_counts_what_was_not_run_by_itself(self):
        results = [stage("a"), stage("b", "failed"), stage("c", "not run"), stage("d", "not run")]
        self.assertEqual(report.verdict(results), "1 stages passed, 1 failed, 2 not run\n")


class Whole(unittest.TestCase):
    COMMAND = {"command": "lockstep train", "code": "killed", "out": "Epoch: 1\n", "err": "no word\n"}

    def test_what_a_stage_has_measured_is_a_table(self):
        rows = [{"part": "Adam", "us": 1.5}, {"part": "clip", "us": 0.5}]
        self.assertEqual(cells(report.text(HERE, [stage("kernels", rows=rows)], []), "Adam"),
                         ["Adam", "1.5"])

    def test_what_a_failed_stages_last_command_printed_is_shown(self):
        commands = [self.COMMAND | {"out": "earlier"}, self.COMMAND]
        text = report.text(HERE, [stage("bits", "failed", "late", commands=commands)], [])
        self.assertIn("exit code killed", text)
        self.assertIn("lockstep train\nEpoch: 1\nno word\n", text)
        self.assertNotIn("earlier", text)
        self.assertNotIn("Epoch", report.text(HERE, [stage("bits", commands=commands)], []))

    def test_is_in_two_files_and_replaces_the_one_before(self):
        with tempfile.TemporaryDirectory() as folder:
            for count in (1, 2):
                results = [stage("bits", commands=[self.COMMAND])] * count
                text = report.write(pathlib.Path(folder), HERE, results, [])
                self.assertEqual(pathlib.Path(folder, "report.md").read_text(), text)
                self.assertEqual({path.name for path in pathlib.Path(folder).iterdir()},
                                 {"report.md", "report.json"})
            kept = json.loads(pathlib.Path(folder, "report.json").read_text())["stages"]
            self.assertEqual([each["commands"] for each in kept], [[self.COMMAND]] * 2)


if __name__ == "__main__":
    unittest.main()
