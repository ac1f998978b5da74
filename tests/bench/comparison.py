"""From the programs' results, round by round, to one table.

A row is {"name", "cores", "ours": None | "dense" | "skipping", "rounds": [result or {"error": text}]}.
A result has step_ms {p50, min}, first_loss, and where known to_accuracy {steps,
seconds} and (ours) fma_peak_gflops. Machines drift, so every ratio and share is taken within a
round, and the median over the rounds is shown.
"""
from math import isnan
from statistics import median

ROWS, COLUMNS, HIDDEN, CLASSES, BATCH = 28, 28, 128, 10, 128
INPUT, RECURRENT, HEAD = ROWS * COLUMNS * HIDDEN, (ROWS - 1) * HIDDEN * HIDDEN, HIDDEN * CLASSES
# Forward, gradient of the states (not of the input), gradient of the weights; a product is two.
STEP_OPERATIONS = 2 * BATCH * (2 * INPUT + 3 * RECURRENT + 3 * HEAD)  # 392.1 million
LOSS_TOLERANCE = 1e-5


def ran(row):
    return [result for result in row["rounds"] if "error" not in result]


def peak(rows, cores, number):
    """The FMA peak of so many cores in a round, GFLOP/s: the median of what our runs measured."""
    peaks = [row["rounds"][number].get("fma_peak_gflops") for row in rows
             if row["ours"] and row["cores"] == cores]
    peaks = [value for value in peaks if value]
    return median(peaks) if peaks else None


def baseline(rows, cores, kind):
    for row in rows:
        if row["ours"] == kind and row["cores"] == cores:
            return row
    return None


def median_over_rounds(row, figure):
    """The median of figure(round's number, its result), where it has a value; else None."""
    values = [figure(number, result) for number, result in enumerate(row["rounds"])
              if "error" not in result]
    values = [value for value in values if value is not None]
    return median(values) if values else None


def share_of_peak(rows, row):
    def share(number, result):
        gflops = peak(rows, row["cores"], number)
        return gflops and STEP_OPERATIONS / (1e6 * result["step_ms"]["p50"] * gflops)
    return median_over_rounds(row, share)


def ratio(rows, row, kind):
    """How many times our step this row's takes."""
    ours = baseline(rows, row["cores"], kind)
    if ours is None:
        return None

    def times(number, result):
        other = ours["rounds"][number]
        return None if "error" in other else result["step_ms"]["p50"] / other["step_ms"]["p50"]
    return median_over_rounds(row, times)


def loss_error(rows, row):
    """The largest relative difference between the row's first losses and ours."""
    ours = [result["first_loss"] for r in rows if r["ours"] for result in ran(r)]
    if not ours or not ran(row):
        return None
    errors = [abs(result["first_loss"] / ours[0] - 1) for result in ran(row)]
    return max(errors, key=lambda error: (isnan(error), error))


def summarise(rows):
    """The rows' figures, for the table and for JSON."""
    return [summary(rows, row) for row in rows]


def summary(rows, row):
    errors = [result["error"] for result in row["rounds"] if "error" in result]
    reached = [result["to_accuracy"] for result in ran(row) if result.get("to_accuracy")]
    p50 = median_over_rounds(row, lambda _, result: result["step_ms"]["p50"])
    return {
        "name": row["name"],
        "cores": row["cores"],
        "p50_ms": p50,
        "min_ms": min((result["step_ms"]["min"] for result in ran(row)), default=None),
        "share_of_peak": share_of_peak(rows, row),
        "samples_per_second": p50 and BATCH / p50 * 1e3,
        "times_dense": ratio(rows, row, "dense"),
        "times_skipping": ratio(rows, row, "skipping"),
        "to_accuracy": min(reached, key=lambda each: each["seconds"], default=None),
        "loss_error": loss_error(rows, row),
        "errors": errors,
        "rounds": len(row["rounds"]),
    }


def agree(summaries):
    """True if every program that ran started from the same loss, and lockstep ran."""
    errors = [each["loss_error"] for each in summaries if each["p50_ms"] is not None]
    return bool(errors) and all(e is not None and e <= LOSS_TOLERANCE for e in errors)


def cell(value, form):
    return "-" if value is None else format(value, form)


def loss_cell(error):
    if error is None:
        return "-"
    return "agrees" if error <= LOSS_TOLERANCE else f"NO: off by {error:.1e}"


def cells(each):
    if each["p50_ms"] is None:
        return [each["name"], str(each["cores"]), f"failed: {each['errors'][0]}"] + [""] * 7
    name = each["name"]
    if each["errors"]:
        name += f" (failed in {len(each['errors'])} of {each['rounds']} rounds: {each['errors'][0]})"
    reached = each["to_accuracy"]
    return [name, str(each["cores"]), cell(each["p50_ms"], ".2f"), cell(each["min_ms"], ".2f"),
            cell(each["share_of_peak"], ".0%"), cell(each["samples_per_second"], ",.0f"),
            cell(each["times_dense"], ".2f"), cell(each["times_skipping"], ".2f"),
            f"{reached['seconds']:.1f} ({reached['steps']})" if reached else "-",
            loss_cell(each["loss_error"])]


def table(summaries, accuracy=0.95):
    """Markdown."""
    heads = ["program", "cores", "p50 ms", "min ms", "of peak", "samples/s", "x dense", "x skipping",
             f"s to {accuracy:.0%} (steps)" if accuracy else "s to accuracy", "first loss"]
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 2) + ["---"]]
    lines += [cells(each) for each in summaries]
    return "".join("| " + " | ".join(c.replace("|", "/") for c in line) + " |\n" for line in lines)


def verdict(summaries):
    if agree(summaries):
        return f"All programs start from the same loss, to {LOSS_TOLERANCE:.0e}.\n"
    wrong = [each["name"] for each in summaries
             if each["loss_error"] is not None and not each["loss_error"] <= LOSS_TOLERANCE]
    reason = ", ".join(wrong) if wrong else "lockstep did not run"
    return f"NO COMPARISON: the first losses do not agree to {LOSS_TOLERANCE:.0e}: {reason}.\n"
