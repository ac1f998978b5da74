"""What every peer does with its trainer: a first step, warm-up, timed steps, training to an accuracy.

A trainer has
    versions            for the report
    reset()             back to the first weights
    step(pictures)      a whole step, its batch gathered from the bytes included; the batch's mean loss
    correct()           how many test pictures are right
"""
import argparse
import json
import statistics
import time

from job import BATCH, Job

WARM_UP = 60
STEPS_BETWEEN_EVALUATIONS = 100


def parse_options(**more):
    """`more`: whole numbers of single peers, with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder of the IDX files")
    parser.add_argument("--start", required=True, help="what lockstep bench --export wrote")
    parser.add_argument("--steps", type=int, default=300, help="steps to time")
    parser.add_argument("--to-accuracy", type=float, default=0, help="then train until it is reached")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


def timed_step(trainer, job, step):
    begin = time.perf_counter()
    loss = trainer.step(job.order[step % len(job.order)])
    return time.perf_counter() - begin, loss


def seconds_to(accuracy, trainer, job):
    """From the first weights, compiled already; evaluation is not counted."""
    trainer.reset()
    seconds = 0
    for step in range(len(job.order)):
        seconds += timed_step(trainer, job, step)[0]
        if (step + 1) % STEPS_BETWEEN_EVALUATIONS == 0:
            if trainer.correct() >= accuracy * len(job.test_labels):
                return {"steps": step + 1, "seconds": seconds}
    return None


def measure(make_trainer, options):
    begin = time.perf_counter()
    job = Job(options.data, options.start)
    trainer = make_trainer(job)
    first_loss = timed_step(trainer, job, 0)[1]
    start_up = time.perf_counter() - begin
    for step in range(1, WARM_UP):
        timed_step(trainer, job, step)
    times = [timed_step(trainer, job, WARM_UP + step)[0] for step in range(options.steps)]
    p50 = statistics.median(times)
    result = {
        "versions": trainer.versions,
        "step_ms": {"p50": 1e3 * p50, "min": 1e3 * min(times),
                    "p90": 1e3 * statistics.quantiles(times, n=10)[-1]},
        "samples_per_second": BATCH / p50,
        "first_loss": first_loss,
        "start_up_seconds": start_up,
    }
    if options.to_accuracy > 0:
        result["to_accuracy"] = seconds_to(options.to_accuracy, trainer, job)
    return result


def run(make_trainer, options):
    print(json.dumps(measure(make_trainer, options), indent=2))
