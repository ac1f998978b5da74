import unittest

import comparison


def result(p50, loss=2.5, best=None, peak=None, reached=None):
    made = {"step_ms": {"p50": p50, "min": best or p50}, "first_loss": loss}
    if peak:
        made["fma_peak_gflops"] = peak
    if reached:
        made["to_accuracy"] = reached
    return made


def row(name, *rounds, ours=None, cores=1):
    return {"name": name, "cores": cores, "ours": ours, "rounds": list(rounds)}


def ours():
    """The second round's machine is half as fast."""
    return [row("dense", result(4, peak=100), result(8, peak=50), ours="dense"),
            row("skipping", result(3, peak=100), result(6, peak=50), ours="skipping")]


def of(rows, name):
    return next(each for each in comparison.summarise(rows) if each["name"] == name)


class Comparison(unittest.TestCase):
    def test_a_step_is_392_million_operations(self):
        self.assertAlmostEqual(comparison.STEP_OPERATIONS * 1e-6, 392.1, places=1)

    def test_ratios_are_of_the_same_round(self):
        rows = ours() + [row("peer", result(8), result(16))]
        self.assertEqual(of(rows, "peer")["times_dense"], 2)
        self.assertAlmostEqual(of(rows, "peer")["times_skipping"], 16 / 6)
        self.assertEqual(of(rows, "dense")["times_dense"], 1)

    def test_shares_are_of_the_same_rounds_peak_and_the_same_cores(self):
        rows = ours() + [row("peer", result(8), result(16)),
                         row("two", result(2, peak=200), ours="dense", cores=2),
                         row("peer of two", result(4), cores=2)]
        share = comparison.STEP_OPERATIONS / (8e-3 * 100e9)
        self.assertAlmostEqual(of(rows, "peer")["share_of_peak"], share)
        self.assertAlmostEqual(of(rows, "peer of two")["share_of_peak"], share)
        self.assertEqual(of(rows, "peer of two")["times_dense"], 2)

    def test_the_median_and_the_smallest_of_the_rounds_are_shown(self):
        rows = ours() + [row("peer", result(9, best=7), result(8, best=5), result(20, best=6))]
        for each in rows[:2]:
            each["rounds"].append(result(4, peak=100))
        summary = of(rows, "peer")
        self.assertEqual((summary["p50_ms"], summary["min_ms"]), (9, 5))
        self.assertAlmostEqual(summary["samples_per_second"], 128 / 9e-3)

    def test_the_time_to_the_accuracy_is_that_of_the_round_that_trained_on(self):
        rows = ours() + [row("peer", result(8, reached={"steps": 900, "seconds": 7.25}), result(16))]
        self.assertIn("| 7.2 (900) |", comparison.table(comparison.summarise(rows)))


class Losses(unittest.TestCase):
    def verdict(self, *peers):
        summaries = comparison.summarise(ours() + list(peers))
        return (comparison.agree(summaries), comparison.table(summaries),
                comparison.verdict(summaries))

    def test_agree_to_one_in_a_hundred_thousand(self):
        agreed, table, said = self.verdict(row("peer", result(8, loss=2.5 * (1 + 9e-6))))
        self.assertTrue(agreed)
        self.assertNotIn("NO", table + said)

    def test_a_loss_that_is_off_makes_the_table_say_no(self):
        for off in (1.1e-5, -1.1e-5):
            agreed, table, said = self.verdict(
                row("peer", result(8), result(8, loss=2.5 * (1 + off))), row("good", result(8)))
            self.assertFalse(agreed)
            self.assertIn("NO: off by 1.1e-05", table)
            self.assertIn("NO COMPARISON", said)
            self.assertIn("peer", said)
            self.assertNotIn("good", said)

    def test_that_is_not_a_number_does_not_agree(self):
        agreed, table, said = self.verdict(row("peer", result(8, loss=float("nan"))))
        self.assertFalse(agreed)
        self.assertIn("NO", table)
        self.assertIn("peer", said)


class Failures(unittest.TestCase):
    def test_a_program_that_fails_is_a_row_that_says_why(self):
        failing = row("peer", {"error": "no module jax"}, {"error": "no module jax"})
        summaries = comparison.summarise(ours() + [failing])
        self.assertTrue(comparison.agree(summaries))
        self.assertIn("| peer | 1 | failed: no module jax |", comparison.table(summaries))

    def test_one_that_fails_once_is_measured_by_the_other_rounds(self):
        summaries = comparison.summarise(ours() + [row("peer", {"error": "killed"}, result(16))])
        self.assertEqual(summaries[2]["times_dense"], 2)
        self.assertIn("peer (failed in 1 of 2 rounds: killed)", comparison.table(summaries))

    def test_without_ours_there_is_no_comparison(self):
        rows = [row("dense", {"error": "no build"}, ours="dense"), row("peer", result(8))]
        summaries = comparison.summarise(rows)
        self.assertFalse(comparison.agree(summaries))
        self.assertIn("lockstep did not run", comparison.verdict(summaries))
        self.assertIsNone(summaries[1]["times_dense"])

    def test_every_line_of_the_table_has_as_many_cells(self):
        rows = ours() + [row("a|b", {"error": "one | two"})]
        lines = comparison.table(comparison.summarise(rows)).splitlines()
        self.assertEqual({line.count("|") for line in lines}, {11})


if __name__ == "__main__":
    unittest.main()
