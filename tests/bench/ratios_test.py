import itertools
import unittest

import ratios


def run(a, b, name="1 core"):
    return {"name": name, "cores": 1,
            "rounds": [{"A": {"p50": x, "min": x / 2}, "B": {"p50": y, "min": y}} for x, y in zip(a, b)]}


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def row(*pairs):
    return cells(ratios.table([run(*pairs)], "p50").splitlines()[2])


class MedianInterval(unittest.TestCase):
    def test_is_between_the_ranks_of_the_published_tables(self):
        ranks = {6: (1, 6), 8: (1, 8), 9: (2, 8), 20: (6, 15), 30: (10, 21), 40: (14, 27), 100: (40, 61)}
        for n, expected in ranks.items():
            self.assertEqual(ratios.median_interval(range(n, 0, -1)), expected, n)

    def test_holds_the_median_in_95_of_100_cases_and_is_no_wider_than_that_needs(self):
        for n in range(6, 15):
            below = [sum(case) for case in itertools.product((0, 1), repeat=n)]

            def held(k):
                return sum(k <= each <= n - k for each in below) / len(below)
            k, _ = ratios.median_interval(range(1, n + 1))
            self.assertGreaterEqual(held(k), 0.95, n)
            self.assertLess(held(k + 1), 0.95, n)

    def test_of_fewer_than_six_values_is_none(self):
        for n in range(6):
            self.assertIsNone(ratios.median_interval(range(n)), n)

    def test_does_not_depend_on_the_order_of_the_values(self):
        self.assertEqual(ratios.median_interval([5, 1, 3, 6, 2, 4, 8, 9, 7]), (2, 8))


class Table(unittest.TestCase):
    def test_divides_b_by_a_within_a_round(self):
        """Each machine's speed changes between rounds; B always takes twice as long."""
        self.assertEqual(row([1, 5, 3, 2, 8, 4], [2, 10, 6, 4, 16, 8]),
                         ["1 core", "3.500", "7.000", "2.0000", "2.0000 to 2.0000", "NO"])

    def test_is_of_the_figure_that_is_asked_for(self):
        line = ratios.table([run([2] * 6, [3] * 6)], "min").splitlines()[2]
        self.assertEqual(cells(line)[1:4], ["1.000", "3.000", "3.0000"])

    def test_says_yes_only_if_the_upper_end_is_at_most_the_limit(self):
        self.assertEqual(row([100] * 6, [99, 99, 99, 99, 99, 101])[-2:], ["0.9900 to 1.0100", "yes"])
        self.assertEqual(row([100] * 6, [99, 99, 99, 99, 99, 102])[-2:], ["0.9900 to 1.0200", "NO"])

    def test_of_too_few_rounds_has_no_interval_and_no_verdict(self):
        self.assertEqual(row([1] * 5, [1] * 5)[-3:], ["1.0000", "too few rounds", "-"])

    def test_every_line_has_as_many_cells(self):
        lines = ratios.table([run([1] * 6, [1] * 6), run([1], [1], "2 ranks")], "p50").splitlines()
        self.assertEqual({line.count("|") for line in lines}, {7})


if __name__ == "__main__":
    unittest.main()
