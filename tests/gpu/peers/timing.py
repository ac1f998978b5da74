"""What every peer does with its trainer: the first loss, warm-up, epochs between two looks at the clock.

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

from job import BATCH, Job

CHUNK = 39
STEPS_PER_EPOCH = 429  # eleven chunks
CHUNKS_PER_EPOCH = STEPS_PER_EPOCH // CHUNK


def parse_options(steps_per_launch=1):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder of the IDX files")
    parser.add_argument("--start", required=True, help="what lockstep bench --export wrote")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--epochs", type=int, default=10, help="to time, after one that is not timed")
    parser.add_argument("--steps-per-launch", type=int, default=steps_per_launch,
                        help=f"in one graph or call; a divisor of {CHUNK}")
    options = parser.parse_args()
    if CHUNK % options.steps_per_launch:
        parser.error(f"--steps-per-launch must divide {CHUNK}")
    return options


def chunk_seconds(trainer):
    begin = time.perf_counter()
    trainer.run(CHUNK)
    trainer.wait()
    return time.perf_counter() - begin


def epoch(trainer):
    """The seconds of its chunks."""
    return [chunk_seconds(trainer) for _ in range(CHUNKS_PER_EPOCH)]


def measure(make_trainer, options):
    begin = time.perf_counter()
    trainer = make_trainer(Job(options.data, options.start), options)
    first_loss = trainer.first_loss()
    epoch(trainer)
    start_up = time.perf_counter() - begin
    epochs = [epoch(trainer) for _ in range(options.epochs)]
    steps = [1e6 * seconds / CHUNK for each in epochs for seconds in each]
    return {
        "versions": trainer.versions,
        "p50_us": statistics.median(steps),
        "min_us": min(steps),
        "epoch_ms": 1e3 * statistics.median(sum(each) for each in epochs),
        "first_loss": first_loss,
        "test_accuracy": trainer.correct() / len(trainer.job.test_labels),
        "epochs": 1 + options.epochs,
        "start_up_seconds": start_up,
    }


def run(make_trainer, options):
    print(json.dumps(measure(make_trainer, options), indent=2))
