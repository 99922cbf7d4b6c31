#!/usr/bin/env python3
"""Reads the counter of simulated videos and holds it against the truth: tests/bench/counter.py INTRADOS DIR...

DIR: folders of `intrados simulate`. Prints for each how many frames were looked at (without those put aside and never read),
the share of them with a reading, and the share of those that is right (the number as printed). Frames without a counter (title pages) count as wrong when read."""
import csv
import glob
import os
import subprocess
import sys


def truth_of(folder):
    with open(os.path.join(folder, "truth", "frames.csv")) as stream:
        return [(float(r["t"]), r["shows_pipe"] == "1" and r["counter_m"], r["counter_m"]) for r in csv.DictReader(stream)]


def compare(program, folder):
    truth = truth_of(folder)
    video = glob.glob(os.path.join(folder, "video.*"))[0]
    out = subprocess.run([program, "info", "--counter", video], check=True, capture_output=True, text=True).stdout
    looked = given = right = 0
    for row in csv.DictReader(out.splitlines()):
        _, has, metres = min(truth, key=lambda t: abs(t[0] - float(row["time_s"])))
        looked += bool(has)
        if row["counter_m"]:
            given += 1
            right += bool(has) and abs(float(row["counter_m"]) - float(metres)) < 0.0005
    return looked, given, right


def main():
    total = [0, 0, 0]
    for folder in sys.argv[2:]:
        counts = compare(sys.argv[1], folder)
        total = [a + b for a, b in zip(total, counts)]
        print("%-40s looked %5d  given %6.1f %%  right %6.2f %%" % (os.path.basename(folder.rstrip("/")), counts[0],
              100 * counts[1] / max(counts[0], 1), 100 * counts[2] / max(counts[1], 1)), flush=True)
    print("%-40s looked %5d  given %6.1f %%  right %6.2f %%" % ("all", total[0], 100 * total[1] / max(total[0], 1),
          100 * total[2] / max(total[1], 1)))


if __name__ == "__main__":
    main()
