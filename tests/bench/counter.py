#!/usr/bin/env python3
"""Reads the counter of simulated videos and holds it against the truth: tests/bench/counter.py INTRADOS DIR...

DIR: folders of `intrados simulate`. Prints for each how many frames were due (one each 0.2 s), how many were looked at (without those put aside and never read),
the share of the due ones with a reading, and the share of those that is right (the number as printed). Frames without a counter (title pages) count as wrong when read."""
import csv
import glob
import os
import subprocess
import sys


def truth_of(folder):
    with open(os.path.join(folder, "truth", "frames.csv")) as stream:
        return [(float(r["t"]), r["shows_pipe"] == "1" and r["counter_m"], r["counter_m"]) for r in csv.DictReader(stream)]


def due_of(truth):
    last, due = -1, 0
    for t, has, _ in truth:
        if t >= last + 0.2 - 1e-3:
            last = t
            due += bool(has)
    return due


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
    return due_of(truth), looked, given, right


def show(name, counts):
    due, looked, given, right = counts
    print("| %s | %d | %d | %.1f | %.2f |" % (name, due, looked, 100 * given / max(due, 1), 100 * right / max(given, 1)), flush=True)


def main():
    total = [0, 0, 0, 0]
    print("| scene | due | looked | given of those due % | right % |\n|---|---|---|---|---|")
    for folder in sys.argv[2:]:
        counts = compare(sys.argv[1], folder)
        total = [a + b for a, b in zip(total, counts)]
        show(os.path.basename(folder.rstrip("/")).rsplit("-", 1)[0], counts)
    show("all", total)


if __name__ == "__main__":
    main()
