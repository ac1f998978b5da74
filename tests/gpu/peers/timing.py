"""What every peer does with its trainer: the first loss, warm-up, and chunks of steps, timed.

A trainer has
    versions       for the report
    first_loss()   the mean loss of the first step's batch, before any step
    run(steps)     asks the device for that many next steps, their gathers from the bytes included
    wait()         returns when they are done
    correct()      how many test pictures are right
The host looks at the clock every CHUNK steps, and waits for the device only then: a step's time is
a chunk's over CHUNK.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench/peers"))

from job import Job

CHUNK = 39
CHUNKS_PER_EPOCH = 11  # of 429 steps


def parse_options(**flags):
    """`flags`: of single peers, with their help."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder of the IDX files")
    parser.add_argument("--start", required=True, help="what lockstep bench --export wrote")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--chunks", type=int, default=10 * CHUNKS_PER_EPOCH,
                        help=f"how often to time {CHUNK} steps, after some that are not timed")
    parser.add_argument("--steps-per-launch", type=int, default=1,
                        help=f"in one graph or call; a divisor of {CHUNK}")
    for name, text in flags.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=text)
    options = parser.parse_args()
    if CHUNK % options.steps_per_launch:
        parser.error(f"--steps-per-launch must divide {CHUNK}")
    return options


def chunk_seconds(trainer):
    begin = time.perf_counter()
    trainer.run(CHUNK)
    trainer.wait()
    return time.perf_counter() - begin


def measure(make_trainer, options):
    begin = time.perf_counter()
    trainer = make_trainer(Job(options.data, options.start), options)
    first_loss = trainer.first_loss()
    for _ in range(min(CHUNKS_PER_EPOCH, options.chunks)):
        chunk_seconds(trainer)
    start_up = time.perf_counter() - begin
    steps = [1e6 * chunk_seconds(trainer) / CHUNK for _ in range(options.chunks)]
    return {
        "versions": trainer.versions,
        "p50_us": statistics.median(steps),
        "min_us": min(steps),
        "epoch_ms": 1e-3 * statistics.mean(steps) * CHUNK * CHUNKS_PER_EPOCH,
        "first_loss": first_loss,
        "test_accuracy": trainer.correct() / len(trainer.job.test_labels),
        "start_up_seconds": start_up,
    }


def run(make_trainer, options):
    print(json.dumps(measure(make_trainer, options), indent=2))
