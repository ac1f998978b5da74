"""From the step times of two builds, A and B, round by round, to the ratio of B's to A's.

A run is {"name", "cores", "rounds": [{"A": step_ms, "B": step_ms}]}, with step_ms as of lockstep bench,
{"p50", "min"}. Machines drift, so a ratio is of one round, and the median over the rounds is shown.
"""
from math import comb
from statistics import median

LIMIT = 1.01


def median_interval(values):
    """A confidence interval of at least 95 % for the median, whatever the distribution; None if there are
    too few values for one.

    Every value is as likely below the median as above, so how many are below is binomial. The median is
    below the k-th smallest value, or above the k-th largest, only if fewer than k are on that side. The
    largest k for which both together have a probability of at most 1/20 is taken.
    """
    ordered = sorted(values)
    n = len(ordered)
    k = fewer = 0  # `fewer`: in how many of 2^n cases fewer than k values are below the median
    while 20 * 2 * (fewer + comb(n, k)) <= 2**n:
        fewer += comb(n, k)
        k += 1
    return (ordered[k - 1], ordered[n - k]) if k > 0 else None


def summary(run, figure):
    """Of a figure of step_ms: the medians of each build, of their ratio, and the ratio's interval."""
    ratios = [each["B"][figure] / each["A"][figure] for each in run["rounds"]]
    return {
        "A_ms": median(each["A"][figure] for each in run["rounds"]),
        "B_ms": median(each["B"][figure] for each in run["rounds"]),
        "ratio": median(ratios),
        "interval": median_interval(ratios),
    }


def cells(name, each):
    if each["interval"] is None:
        interval, verdict = "too few rounds", "-"
    else:
        low, high = each["interval"]
        interval, verdict = f"{low:.4f} to {high:.4f}", "yes" if high <= LIMIT else "NO"
    return [name, f"{each['A_ms']:.3f}", f"{each['B_ms']:.3f}", f"{each['ratio']:.4f}", interval, verdict]


def table(runs, figure):
    """Markdown."""
    lines = [["run", "A ms", "B ms", "B / A", "95 % interval", f"upper end <= {LIMIT}"],
             ["---"] + ["---:"] * 4 + ["---"]]
    lines += [cells(run["name"], summary(run, figure)) for run in runs]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
