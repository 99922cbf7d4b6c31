#!/usr/bin/env python3
"""Boxes of a made-up detector on the simulated pipes of defects.py, joined by `intrados import`, against the truth.

The true defects and connections are projected with the true camera into every third frame in which they lie before the
camera. The detector (seeded) is as detectors are: edges off by 3 px and 4 % of the box, one box in six missing, one in
forty drawn twice, and a false box in one frame of five. The boxes go in as COCO, by `import` into a copy of the project,
whose trajectory is the reconstructed one. Counted: defects with boxes in ten frames or more whose boxes are all in one
observation, and observations that hold boxes of two defects. Beside that: the place against the truth.

Usage: merge.py [--bin build/release/bin] [--out out/defects] [--seed 1] [--scenes 1,2,3,4,5]
Wants the scenes that `defects.py --prepare-only` makes there. Prints a Markdown table.
"""
import argparse
import csv
import json
import math
import os
import random
import shutil
import sqlite3
import statistics
import subprocess

import defects as d

NEAR_M, FAR_M, LEAST_PX = 0.06, 1.2, 10


def rows(path):
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f))


def rotate(q, v):
    """v by the quaternion (x, y, z, w)"""
    x, y, z, w = q
    t = [2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])]
    return [v[0] + w * t[0] + y * t[2] - z * t[1], v[1] + w * t[1] + z * t[0] - x * t[2], v[2] + w * t[2] + x * t[1] - y * t[0]]


class Camera:
    def __init__(self, sim):
        with open(os.path.join(sim, "truth", "truth.json"), encoding="utf-8") as f:
            truth = json.load(f)
        lens = truth["lens"]
        assert lens["model"] == "brown"
        self.f, self.cx, self.cy, self.k = lens["fx"], lens["cx"], lens["cy"], lens["k"]
        self.width, self.height = truth["width"], truth["height"]
        self.poses = []
        with open(os.path.join(sim, "truth", "trajectory.tum"), encoding="utf-8") as f:
            for line in f:
                n = [float(x) for x in line.split()]
                self.poses.append((n[1:4], n[4:8]))

    def pixel(self, frame, point):
        t, q = self.poses[frame]
        x, y, z = rotate([-q[0], -q[1], -q[2], q[3]], [point[i] - t[i] for i in range(3)])
        if z < 0.02:
            return None
        x, y = x / z, y / z
        r2 = x * x + y * y
        if r2 > 1.6:  # beyond what the polynomial of the lens is good for
            return None
        m = 1 + self.k[0] * r2 + self.k[1] * r2 * r2
        return self.cx + self.f * x * m, self.cy + self.f * y * m


class Pipe:
    def __init__(self, sim, diameter):
        self.line = rows(os.path.join(sim, "truth", "centreline.csv"))
        self.radius = diameter / 2

    def point(self, station, clock_deg):
        c = self.line[max(0, min(len(self.line) - 1, round(station * 100)))]
        p, t = [float(c[k]) for k in ("x", "y", "z")], [float(c[k]) for k in ("tx", "ty", "tz")]
        right = [t[1], -t[0], 0]  # t x up
        n = math.hypot(right[0], right[1])
        right = [v / n for v in right]
        up = [right[1] * t[2] - right[2] * t[1], right[2] * t[0] - right[0] * t[2], right[0] * t[1] - right[1] * t[0]]
        a = math.radians(clock_deg)
        return [p[i] + self.radius * (math.cos(a) * up[i] + math.sin(a) * right[i]) for i in range(3)]


def true_box(camera, pipe, frame, defect):
    """Of the defect's patch of wall, cut to the picture; None where the camera does not see enough of it."""
    at = rows_of_frames[frame]
    if not NEAR_M < defect["s0"] - at < FAR_M:
        return None
    span = (defect["c1"] - defect["c0"]) % 360
    edge = []
    for i in range(9):
        s = defect["s0"] + (defect["s1"] - defect["s0"]) * i / 8
        edge += [(s, defect["c0"] + span * k / 8) for k in range(9)]
    seen = [p for p in (camera.pixel(frame, pipe.point(*e)) for e in edge) if p]
    inside = [p for p in seen if 0 <= p[0] < camera.width and 0 <= p[1] < camera.height]
    if len(inside) < 0.7 * len(edge):
        return None
    x0, y0 = min(p[0] for p in inside), min(p[1] for p in inside)
    x1, y1 = max(p[0] for p in inside), max(p[1] for p in inside)
    return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= LEAST_PX / 3 and max(x1 - x0, y1 - y0) >= LEAST_PX else None


def unsteady(r, box):
    w, h = box[2] - box[0], box[3] - box[1]
    x0, y0 = box[0] + r.gauss(0, 3 + 0.04 * w), box[1] + r.gauss(0, 3 + 0.04 * h)
    x1, y1 = box[2] + r.gauss(0, 3 + 0.04 * w), box[3] + r.gauss(0, 3 + 0.04 * h)
    return [min(x0, x1), min(y0, y1), max(4.0, abs(x1 - x0)), max(4.0, abs(y1 - y0))]


def detect(sim, diameter, truth, seed, path):
    """COCO of the detector; which truth (-1: none) each annotation is of."""
    global rows_of_frames
    r, camera, pipe = random.Random(seed), Camera(sim), Pipe(sim, diameter)
    rows_of_frames = [float(f["station_m"]) for f in rows(os.path.join(sim, "truth", "frames.csv"))]
    codes = sorted({t["code"] for t in truth})
    images, annotations, of = [], [], {}
    for frame in range(0, len(rows_of_frames), 3):
        images.append({"id": frame, "file_name": f"frame_{frame:06d}.jpg", "width": camera.width, "height": camera.height})
        found = []
        for i, t in enumerate(truth):
            box = true_box(camera, pipe, frame, t)
            if box and r.random() > 1 / 6:
                found.append((i, t["code"], unsteady(r, box)))
                if r.random() < 1 / 40:
                    found.append((i, t["code"], unsteady(r, box)))
        if r.random() < 0.2:
            w, h = r.uniform(10, 80), r.uniform(10, 80)
            found.append((-1, r.choice(codes), [r.uniform(0, camera.width - w), r.uniform(0, camera.height - h), w, h]))
        for i, code, box in found:
            number = len(annotations) + 1
            of[str(number)] = i
            annotations.append({"id": number, "image_id": frame, "category_id": codes.index(code) + 1,
                                "bbox": [round(v, 1) for v in box], "score": round(r.uniform(0.4, 0.95), 3)})
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"images": images, "annotations": annotations,
                   "categories": [{"id": i + 1, "name": c} for i, c in enumerate(codes)]}, f)
    return of, {a["id"]: a["image_id"] for a in annotations}


def compare(a, number):
    base = os.path.join(a.out, f"{number}-1")
    sim, project, copy = base + "-sim", base + ".intrados", f"{base}-merge{a.seed}.intrados"
    diameter = d.PIPES[number - 1][1]
    truth = d.truth(sim, diameter)
    coco = f"{base}-merge{a.seed}.json"
    of, frame_of = detect(sim, diameter, truth, 100 * a.seed + number, coco)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(project, copy)
    subprocess.run([os.path.join(a.bin, "intrados"), "import", copy, coco, "--quiet"], check=True)
    db = sqlite3.connect(os.path.join(copy, "project.sqlite"))
    holds = []  # truths of each observation, how many boxes of each; its place
    columns = "id, source_id, recorded_from_m, recorded_to_m, recorded_sd_m, recorded_clock_from_rad, recorded_clock_to_rad, is_refined"
    for o in db.execute(f"SELECT {columns} FROM observation ORDER BY id"):
        joined = db.execute("SELECT value FROM source_field WHERE observation = ? AND name = 'joined'", (o[0],)).fetchone()
        ids = joined[0].split() if joined else [o[1]]
        count = {}
        for i in ids:
            count[of[i]] = count.get(of[i], 0) + 1
        holds.append((count, o))
    db.close()
    result = []
    for i, t in enumerate(truth):
        frames = len({frame_of[int(k)] for k, v in of.items() if v == i})
        its = [(c, o) for c, o in holds if i in c]
        row = {"scene": number, "code": t["code"], "frames": frames, "observations": len(its), "joined_with": 0}
        if its:
            c, o = max(its, key=lambda x: x[0][i])
            row["share"] = c[i] / sum(x[0][i] for x in its)
            row["joined_with"] = sum(1 for x, _ in its for k in x if k not in (i, -1))
            row["station_mm"] = 1e3 * ((o[2] + o[3]) / 2 + d.START_M - (t["s0"] + t["s1"]) / 2)
            row["sd_mm"] = 1e3 * o[4]
            row["clock_deg"] = (d.middle(math.degrees(o[5]), math.degrees(o[6])) - d.middle(t["c0"], t["c1"]) + 180) % 360 - 180
            row["is_refined"] = o[7]
            row["length_mm"] = 1e3 * (o[3] - o[2])
            row["true_length_mm"] = 1e3 * (t["s1"] - t["s0"])
        result.append(row)
    false = [c for c, _ in holds if set(c) == {-1}]
    with_false = sum(1 for c, _ in holds if -1 in c and len(c) > 1)
    return result, len(of), len(holds), len(false), with_false


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--out", default="out/defects")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--scenes", default="1,2,3,4,5")
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args()
    every, boxes, observations, false, with_false = [], 0, 0, 0, 0
    for number in map(int, a.scenes.split(",")):
        result, n, m, f, w = compare(a, number)
        every += result
        boxes, observations, false, with_false = boxes + n, observations + m, false + f, with_false + w
    if a.verbose:
        for r in every:
            print(r)
    some = [r for r in every if r["frames"] >= 10]
    one = sum(r["observations"] == 1 for r in some)
    print("| figure | here | target |\n|---|---|---|")
    print(f"| boxes in, observations out (of these of false boxes only) | {boxes}, {observations} ({false}) | |")
    print(f"| defects; with boxes in ten frames or more | {len(every)}; {len(some)} | >= 40 |")
    print(f"| of these: all boxes in one observation | {one} ({100 * one / len(some):.1f} %) | 95 % |")
    print(f"| observations with boxes of two defects | {sum(r['joined_with'] > 0 for r in every)} | 0 |")
    print(f"| observations of a defect that a false box went into | {with_false} | |")
    off = [r["station_mm"] for r in some]
    print(f"| station of the middle: median error (mean), mm | {statistics.median(map(abs, off)):.1f} ({statistics.mean(off):+.1f}) | |")
    print(f"| within two stated deviations | {100 * sum(abs(r['station_mm']) < 2 * r['sd_mm'] for r in some) / len(some):.0f} % | |")


if __name__ == "__main__":
    main()
