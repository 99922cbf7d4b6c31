#!/usr/bin/env python3
"""Defects on simulated pipes, recorded carelessly, found again on the wall and measured, against the simulator's truth.

Five small scenes with cracks from 1.5 mm, holes, deposits, roots and laterals. From their truth a record is made as a hurried
inspector would make it (seeded): the distance off by up to 0.3 m, the clock position rounded to the hour. It is put on the
reconstructed wall by `intrados measure --record`, and the outcome is compared with the truth.

Areas of roots: the wall that the strands cover, as if they lay on it, crossings counted once.
Last rows: how many truths lie within 1.96 of the deviations that the program states.
Clock positions are also compared less the roll of the scene (median of its cracks).

Usage: defects.py [--bin build/release/bin] [--out out/defects] [--seed 1,2,3] [--scenes 1,2] [--prepare-only]
Prints a Markdown table, a column for each seed and one for all; OUT/defects.csv has every defect.
"""
import argparse
import csv
import json
import math
import os
import random
import shutil
import statistics
import subprocess

# material, diameter, hue of the scene
PIPES = [("concrete", 0.3), ("clay", 0.3), ("concrete", 0.25), ("clay", 0.4), ("concrete", 0.3)]
START_M, END_M = 0.35, 4.6


def scene(number, seed):
    """A pipe with nine defects, none over another: each kind has its own metre, or its own side of the wall."""
    r = random.Random(1000 * seed + number)
    material, diameter = PIPES[number - 1]
    cracks, holes, deposits, roots, laterals = [], [], [], [], []
    slots = [0.95, 1.35, 1.75, 2.15, 2.55, 2.95, 3.35]
    r.shuffle(slots)
    for width in (0.0015, 0.002, 0.0025, 0.003):
        direction = r.choice([0, 5, -8, 90, 82, 45])
        at = slots.pop()
        cracks.append({"station_m": at, "clock_deg": r.uniform(240, 480) % 360, "width_m": width,
                       "length_m": round(r.uniform(0.18, 0.3), 3), "direction_deg": direction, "wander": 0.4})
    for _ in range(2):
        at = slots.pop()
        holes.append({"station_m": at, "clock_deg": r.uniform(210, 510) % 360, "length_m": r.uniform(0.05, 0.1),
                      "width_m": r.uniform(0.04, 0.08), "depth_m": 0.05})
    at = slots.pop()
    roots.append({"station_m": at, "clock_deg": r.uniform(270, 450) % 360, "spread_deg": 80, "length_m": 0.12,
                  "thickness_m": 0.006, "strands": 24})
    deposits.append({"from_m": 3.62, "to_m": 4.0, "clock_deg": r.uniform(165, 195), "width_deg": r.uniform(50, 80),
                     "height_m": r.uniform(0.015, 0.03)})
    laterals.append({"station_m": 3.8, "clock_deg": r.choice([r.uniform(40, 80), r.uniform(280, 320)]),
                     "diameter_m": r.choice([0.1, 0.125]),
                     "kind": r.choice(["flush", "protruding"]), "protrusion_m": r.uniform(0.015, 0.03)})
    return {
        "name": f"defects-{number}", "about": f"{material} with cracks, holes, a deposit, roots and a lateral",
        "seed": 100 * seed + number,
        "video": {"width": 640, "height": 480},
        "lens": {"hfov_deg": 80, "k1": -0.2, "k2": 0.035},
        "pipe": {"diameter_m": diameter, "material": material, "dirt": 0.2},
        "centreline": [{"straight_m": 6}],
        "joints": {"spacing_m": 1.2, "first_m": 0.55, "gap_m": 0.008},
        "laterals": laterals, "cracks": cracks, "holes": holes, "deposits": deposits, "roots": roots,
        "motion": {"start_m": START_M, "phases": [{"action": "drive", "to_m": END_M, "speed_m_s": 0.3}]},
        "overlay": {"layout": "corner"},
    }


def run(words, log):
    with open(log, "a", encoding="utf-8") as f:
        code = subprocess.call([str(w) for w in words], stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if code not in (0, 3):
        raise RuntimeError(f"{' '.join(map(str, words))} failed with {code}; see {log}")


def prepare(a, number, seed):
    """Simulate and reconstruct one scene, once."""
    base = os.path.join(a.out, f"{number}-{seed}")
    sim, project, log = base + "-sim", base + ".intrados", base + ".log"
    if not os.path.exists(os.path.join(sim, "truth", "truth.json")):
        shutil.rmtree(sim, ignore_errors=True)
        with open(base + ".json", "w", encoding="utf-8") as f:
            json.dump(scene(number, seed), f, indent=1)
        run([os.path.join(a.bin, "intrados"), "simulate", base + ".json", "-o", sim + ".unfinished"], log)
        os.rename(sim + ".unfinished", sim)
    if not os.path.exists(os.path.join(project, "project.sqlite")):
        run([os.path.join(a.bin, "intrados"), "reconstruct", os.path.join(sim, "video.mp4"), "--diameter", f"{PIPES[number - 1][1]}m", "--camera",
             os.path.join(sim, "camera.yaml"), "--counter", "off", "-o", project, "--force"], log)
    return sim, project


def truth(sim, diameter):
    """Defects and connections of a scene, in one form."""
    out = []
    with open(os.path.join(sim, "truth", "defects.csv"), encoding="utf-8") as f:
        for d in csv.DictReader(f):
            out.append({"code": d["code"], "kind": d["kind"], "s0": float(d["station_from_m"]), "s1": float(d["station_to_m"]),
                        "c0": float(d["clock_from_deg"]), "c1": float(d["clock_to_deg"]), "length": float(d["length_m"]),
                        "width": float(d["width_m"]), "depth": float(d["depth_m"]), "area": float(d["area_m2"])})
    with open(os.path.join(sim, "truth", "laterals.csv"), encoding="utf-8") as f:
        for d in csv.DictReader(f):
            s, c, width = float(d["station_m"]), float(d["clock_deg"]), float(d["diameter_m"])
            half = math.degrees(math.asin(width / diameter))
            out.append({"code": "BCA", "kind": "lateral", "s0": s - width / 2, "s1": s + width / 2, "c0": (c - half) % 360,
                        "c1": (c + half) % 360, "length": width, "width": width, "depth": float(d["protrusion_m"]),
                        "area": math.nan})
    return out


def careless(defects, seed, path):
    """A hurried record of them, in the program's own table."""
    r = random.Random(seed)
    with open(path, "w", encoding="utf-8") as f:
        f.write("id,code,station_m,station_to_m,clock_from,clock_to\n")
        for i, d in enumerate(defects):
            off = r.uniform(-0.3, 0.3)
            long = d["kind"] == "deposit"
            at = (d["s0"] if long else (d["s0"] + d["s1"]) / 2) + off
            to = f"{d['s1'] + off:.2f}" if long else ""
            hours = [(round(d[k] / 30) - 1) % 12 + 1 for k in ("c0", "c1")]
            f.write(f"{i},{d['code']},{at:.2f},{to},{hours[0]},{hours[1] if hours[1] != hours[0] else ''}\n")


def middle(c0, c1):
    return c0 + ((c1 - c0) % 360) / 2


def number_of(value, scale=1.0):
    return math.nan if value is None else value * scale


def compare(a, number, seed):
    sim, project = prepare(a, number, seed)
    defects = truth(sim, PIPES[number - 1][1])
    record = os.path.join(a.out, f"{number}-{seed}-record.csv")
    careless(defects, 7 * seed + number, record)
    # The model's zero is where the camera stood at first.
    out = subprocess.run([os.path.join(a.bin, "intrados"), "measure", project, "--record", record, "--station-offset",
                          f"{-START_M}m", "--json"], check=True, text=True, capture_output=True).stdout
    rows = []
    for d, g in zip(defects, json.loads(out)["observations"]):
        station = (number_of(g["station_from_m"]) + number_of(g["station_to_m"]) - d["s0"] - d["s1"]) / 2 + START_M
        clock = middle(30 * number_of(g["clock_from"]), 30 * number_of(g["clock_to"])) - middle(d["c0"], d["c1"])
        row = {"seed": seed, "scene": number, "kind": d["kind"], "refined": int(g["is_refined"]), "reason": g["placed"],
               "station_mm": 1e3 * station, "sd_station_mm": 1e3 * number_of(g["station_sd_m"]), "clock_deg": (clock + 180) % 360 - 180}
        for key, scale in (("length", 1e-3), ("width", 1e-3), ("area", 1e-6), ("depth", 1e-3)):
            row[key], row["true_" + key], row["sd_" + key] = number_of(g[key]["value"], scale), d[key], number_of(g[key]["sd"], scale)
        if d["kind"] == "lateral":
            row["length"], row["sd_length"] = number_of(g["diameter"]["value"], 1e-3), number_of(g["diameter"]["sd"], 1e-3)
        rows.append(row)
    roll = [r["clock_deg"] for r in rows if r["refined"] and r["kind"] == "crack"]
    roll = statistics.median(roll) if roll else 0
    for r in rows:
        r["clock_less_roll_deg"] = r["clock_deg"] - roll
        # The right thing: what was found is what was recorded.
        r["right"] = int(r["refined"] and abs(r["station_mm"]) < 60 and abs(r["clock_less_roll_deg"]) < 15)
    return rows


def median(values):
    values = [v for v in values if math.isfinite(v)]
    return statistics.median(values) if values else math.nan


# Figures whose deviations are looked at: words, kinds, key.
HONEST = [("crack length", ("crack",), "length"), ("crack width", ("crack",), "width"), ("area of holes", ("hole",), "area"),
          ("area of deposits", ("deposit",), "area"), ("area of roots", ("root",), "area"), ("diameter of connections", ("lateral",), "length"),
          ("station of connections", ("lateral",), "station_mm"), ("intrusion, height", ("lateral", "deposit"), "depth")]


def honesty(rows, kinds, key):
    """Truths within 1.96 stated deviations, of how many."""
    within = many = 0
    for r in rows:
        off = r[key] if key == "station_mm" else r[key] - r["true_" + key]
        if r["kind"] in kinds and math.isfinite(off) and math.isfinite(r["sd_" + key]):
            many += 1
            within += abs(off) <= 1.96 * r["sd_" + key]
    return f"{within} of {many}"


def figures(rows):
    right = [r for r in rows if r["right"]]
    cracks = [r for r in right if r["kind"] == "crack"]
    wide = [r for r in cracks if r["true_width"] >= 0.002]
    lines = [("defects", str(len(rows)), ">= 40"),
             ("refined; of these the right thing", f"{sum(r['refined'] for r in rows)}; {len(right)}", "all"),
             ("station error of the refined, median mm", f"{median(abs(r['station_mm']) for r in rows if r['refined']):.1f}", "<= 10"),
             ("clock error of the refined, median deg", f"{median(abs(r['clock_deg']) for r in rows if r['refined']):.2f}", "<= 2"),
             ("the same less the roll of the scene", f"{median(abs(r['clock_less_roll_deg']) for r in rows if r['refined']):.2f}", ""),
             ("crack length, median error", f"{median(100 * abs(r['length'] / r['true_length'] - 1) for r in cracks):.1f} %, "
              f"{median(1e3 * abs(r['length'] - r['true_length']) for r in cracks):.1f} mm", "3 % or 5 mm")]
    bias = statistics.mean(1e3 * (r["width"] - r["true_width"]) for r in wide) if wide else math.nan
    rms = math.sqrt(statistics.mean((1e3 * (r["width"] - r["true_width"])) ** 2 for r in wide)) if wide else math.nan
    lines.append(("width of cracks of 2 mm and more, RMS (mean) mm", f"{rms:.2f} ({bias:+.2f})", "0.5"))
    for kind in ("hole", "deposit", "root"):
        some = [r for r in right if r["kind"] == kind]
        lines.append((f"area of {kind}s, median error (mean) %",
                      f"{median(100 * abs(r['area'] / r['true_area'] - 1) for r in some):.0f} "
                      f"({statistics.mean(100 * (r['area'] / r['true_area'] - 1) for r in some) if some else math.nan:+.0f}) of {len(some)}", "8"))
    some = [r for r in right if r["kind"] == "lateral"]
    lines.append(("diameter of connections, median error mm",
                  f"{median(1e3 * abs(r['length'] - r['true_length']) for r in some):.0f} of {len(some)}", ""))
    stubs = [r for r in some if r["true_depth"] > 0]
    some = [r for r in stubs if math.isfinite(r["depth"])]
    lines.append(("connections that stand in: intrusion, median error mm",
                  f"{median(1e3 * abs(r['depth'] - r['true_depth']) for r in some):.1f} of {len(some)} in {len(stubs)}", "3"))
    lines.append(("their station, median (worst) error mm",
                  f"{median(abs(r['station_mm']) for r in stubs):.0f} ({max((abs(r['station_mm']) for r in stubs), default=math.nan):.0f}) of {len(stubs)}", ""))
    some = [r for r in right if r["kind"] == "deposit"]
    lines.append(("height of deposits, median error mm",
                  f"{median(1e3 * abs(r['depth'] - r['true_depth']) for r in some):.1f} of {len(some)}", "3"))
    return lines + [(f"within 1.96 deviations: {words}", honesty(right, kinds, key), "95 %") for words, kinds, key in HONEST]


def table(rows):
    seeds = sorted({r["seed"] for r in rows})
    columns = [figures([r for r in rows if r["seed"] == seed]) for seed in seeds]
    if len(seeds) > 1:
        columns.append(figures(rows))
    names = [f"seed {seed}" for seed in seeds] + ["all"] * (len(seeds) > 1)
    print("| figure | " + " | ".join(names) + " | target |\n|" + "---|" * (len(names) + 2))
    for i, (words, _, target) in enumerate(columns[0]):
        print("| " + " | ".join([words] + [c[i][1] for c in columns] + [target]) + " |")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--out", default="out/defects")
    p.add_argument("--seed", default="1")
    p.add_argument("--scenes", default="1,2,3,4,5")
    p.add_argument("--prepare-only", action="store_true")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    rows = []
    for seed in map(int, a.seed.split(",")):
        for number in map(int, a.scenes.split(",")):
            if a.prepare_only:
                prepare(a, number, seed)
            else:
                rows += compare(a, number, seed)
    if rows:
        with open(os.path.join(a.out, "defects.csv"), "w", encoding="utf-8", newline="") as f:
            writer = csv.DictWriter(f, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        table(rows)


if __name__ == "__main__":
    main()
