"""From the stages' results and the speed's rows to tables, JSON and an exit code."""
import json
import os
from statistics import median

BATCH, STEPS_PER_EPOCH = 128, 429
LOSS_TOLERANCE = 1e-5
SHOWN = 1500  # characters of a failed command's output
# What is asked for on a Hopper GPU, as multiples of our step or in microseconds.
GOALS = {"step": 25.0, "eager": 15.0, "graph": 3.0}
HOW_TIMED = """\
lockstep's step is that of `lockstep bench`, its epoch a training's, evaluation and files included. The
peers are waited for every 39 steps only, and their epochs are steps alone.
"""


def count(results, outcome):
    return sum(result["outcome"] == outcome for result in results)


def exit_code(results, rows):
    """1 if a stage failed or a program did another job; else 0: what was not run is only said."""
    return int(count(results, "failed") > 0 or any(not each["agrees"] for each in compared(rows)))


def compared(rows):
    """The rows, those of one program in one, with their ratio to our step and whether they do the same
    job as ours."""
    merged = [merge([row for row in rows if row["program"] == name])
              for name in dict.fromkeys(row["program"] for row in rows)]
    ours = next((row for row in merged if row["kind"] == "ours"), None)
    for row in merged:
        row["times"] = row["p50_us"] / ours["p50_us"] if ours else None
        row["agrees"] = ours is not None and same_loss(row["first_loss"], ours["first_loss"])
        row["samples_per_second"] = 1e3 * BATCH * STEPS_PER_EPOCH / row["epoch_ms"]
    return merged


def merge(rows):
    """Of several measurements of one program the medians, and the smallest minimum."""
    return rows[0] | {"p50_us": median(row["p50_us"] for row in rows),
                      "epoch_ms": median(row["epoch_ms"] for row in rows),
                      "min_us": min(row["min_us"] for row in rows),
                      "measurements": len(rows)}


def same_loss(loss, ours):
    return abs(loss / ours - 1) <= LOSS_TOLERANCE  # which no NaN is


def markdown(heads, lines):
    rule = ["---"] + ["---:"] * (len(heads) - 2) + ["---"]
    return "".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |\n"
                   for line in [heads, rule, *lines])


def stage_table(results):
    return markdown(["stage", "s", "outcome"],
                    [[r["stage"], f"{r['seconds']:.1f}",
                      r["outcome"] + (f": {r['detail']}" if r["detail"] else "")] for r in results])


def speed_table(rows):
    heads = ["program", "step p50 us", "min us", "x lockstep", "epoch ms", "samples/s",
             "test accuracy", "first loss"]
    return markdown(heads, [speed_cells(row) for row in compared(rows)])


def speed_cells(row):
    return [row["program"], f"{row['p50_us']:.1f}", f"{row['min_us']:.1f}",
            "-" if row["times"] is None else f"{row['times']:.1f}", f"{row['epoch_ms']:.1f}",
            f"{row['samples_per_second']:,.0f}", f"{row['test_accuracy']:.3f}",
            "agrees" if row["agrees"] else f"NO: {row['first_loss']}"]


def goal_table(rows):
    """Asked and reached; of what was not measured, that."""
    rows = compared(rows)
    ours = next((row for row in rows if row["kind"] == "ours"), None)

    def least_times(kind):
        times = [row["times"] for row in rows if row["kind"] == kind and row["times"] is not None]
        return f"{min(times):.1f} x" if times else "not measured"
    return markdown(["goal", "asked", "reached"], [
        ["a step", f"<= {GOALS['step']:.0f} us",
         f"{ours['p50_us']:.1f} us" if ours else "not measured"],
        ["eager PyTorch's step", f">= {GOALS['eager']:.0f} x ours", least_times("eager")],
        ["the best graph-captured peer's step", f">= {GOALS['graph']:.0f} x ours",
         least_times("graph")]])


def verdict(results):
    return (f"{count(results, 'passed')} stages passed, {count(results, 'failed')} failed, "
            f"{count(results, 'not run')} not run\n")


def rows_table(result):
    """What a stage has measured."""
    heads = list(result["rows"][0])
    cells = [[row[head] for head in heads] for row in result["rows"]]
    return f"{result['stage']}:\n\n{markdown(heads, cells)}"


def last_words(result):
    """What the last command of a failed stage printed, its end."""
    if not result["commands"]:
        return ""
    last = result["commands"][-1]
    words = "\n".join(part.strip() for part in (last["out"], last["err"]) if part.strip())
    return (f"{result['stage']} failed, last command (exit code {last['code']}):\n\n"
            f"```\n{last['command']}\n{words[-SHOWN:]}\n```\n")


def text(here, results, rows):
    gpu = here["gpu"]
    name = f"{gpu['name']} ({gpu['capability']})" if gpu else "no GPU here"
    parts = [f"{name}; {here['driver']}; nvcc {here['nvcc']}; {here['processor']}\n",
             stage_table(results)]
    if rows:
        parts += [speed_table(rows), HOW_TIMED, goal_table(rows)]
    parts += [rows_table(result) for result in results if result["rows"]]
    parts += [last_words(result) for result in results if result["outcome"] == "failed"]
    return "\n".join([*parts, verdict(results)])


def write(folder, here, results, rows):
    """As text and as JSON, each at once, so that a killed run leaves whole files. Returns the text."""
    folder.mkdir(parents=True, exist_ok=True)
    told = text(here, results, rows)
    everything = {"machine": here, "stages": results, "speed": compared(rows)}
    for name, content in (("report.json", json.dumps(everything, indent=2) + "\n"),
                          ("report.md", told)):
        new = folder / f"{name}.new"
        new.write_text(content)
        os.replace(new, folder / name)
    return told
