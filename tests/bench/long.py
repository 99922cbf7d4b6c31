#!/usr/bin/env python3
"""Runs of 6 to 9 m past many joints, where the suite's are 1 to 3 m long: what only a whole run tells (joints at even
ways, the lens by all of the way), and how time grows with the way.

Each scene is a preset of the simulator driven farther, its lengths of pipe even, uneven by some millimetres each, or
with a short piece between. Simulated, reconstructed with its camera file and nominal diameter, evaluated; prints a
Markdown table. A scene that is there already is not simulated again.

Usage: long.py [--intrados PROGRAM] [--out out/long] [--seeds 1,2] [--scenes a,b] [--no-counter] [--no-camera]
"""
import json
import os
import random
import time

from bends import measured, parser_of, row_of, run, simulated

# Name, preset, way m, speed m/s, length of pipe m, its deviation m, station of a short piece or None.
SCENES = [
    ("plastic-250-even", "plastic-250-operator", 8.0, 0.20, 1.0, 0.0, None),
    ("lined-300-uneven", "lined-300-ovality", 8.0, 0.20, 1.0, 0.004, None),
    ("pushrod-125-piece", "pushrod-125-clay", 6.0, 0.15, 0.5, 0.003, 3.0),
    ("concrete-300-uneven", "straight-concrete-300", 8.0, 0.20, 1.0, 0.005, 4.0),
]
FIGURES = [("posed %", "posed_pct", 1), ("distance error %", "distance_error_pct", 3),
           ("error over 1 m %", "relative_translation_error_pct", 2), ("unroll RMS mm", "unroll_rms_mm", 2),
           ("joints found %", "joints_found_pct", 0), ("false", "joints_false", 0),
           ("joint station, worst mm", "joint_station_local_worst_mm", 1),
           ("roll drift deg over 10 m", "roll_drift_10m_deg", 1), ("focal error %", "focal_error_pct", 2),
           ("corner's angle error %", "angle_error_100_pct", 2), ("station in its 95 % interval %", "station_within_sd_pct", 0),
           ("its error in deviations", "station_error_sds", 2), ("silent failures", "silent_failures", 0)]


def joints_of(scene, way, length, spread, piece, seed):
    """Joints along the whole pipe; the simulator's own are all even."""
    dice = random.Random(seed)
    at, joints = scene["joints"]["first_m"], []
    gap, gap_spread = scene["joints"]["gap_m"], scene["joints"]["gap_spread_m"]
    while at < way + 1.5:
        joints.append({"station_m": round(at, 5), "gap_m": round(gap + gap_spread * dice.uniform(-1, 1), 5),
                       "depth_m": scene["joints"]["depth_m"], "offset_clock_deg": dice.uniform(0, 360),
                       "offset_m": dice.uniform(0, scene["joints"]["offset_max_m"])})
        is_piece = piece is not None and at <= piece < at + length
        at += length * (0.63 if is_piece else 1) + dice.gauss(0, spread)
    return joints


def scene_of(intrados, row, seed):
    _, preset, way, speed, length, spread, piece = row
    scene = json.loads(run([intrados, "simulate", "--print", preset]))
    scene["centreline"] = [dict(scene["centreline"][0], straight_m=way + 2, bend_deg=0.0)]
    scene["joints"] = dict(scene["joints"], spacing_m=0, list=joints_of(scene, way, length, spread, piece, seed))
    scene["video"].update(width=640, height=480)
    scene["laterals"] = []
    phase = scene["motion"]["phases"][0]
    scene["motion"]["phases"] = [dict(phase, action="drive", speed_m_s=speed, distance_m=way, to_m=-1.0)]
    return scene


def main():
    parser = parser_of(__doc__, "long", [row[0] for row in SCENES])
    parser.add_argument("--no-counter", action="store_true", help="the distance counter is not read")
    parser.add_argument("--no-camera", action="store_true", help="without calibration")
    parser.add_argument("--simulate-only", action="store_true")
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    print("| scene | seed | s per m | " + " | ".join(f[0] for f in FIGURES) + " |\n|---|---|---|" + "---|" * len(FIGURES))
    for row in SCENES:
        if row[0] not in a.scenes.split(","):
            continue
        for seed in a.seeds.split(","):
            name = os.path.join(a.out, f"{row[0]}-{seed}")
            simulated(a.intrados, name, scene_of(a.intrados, row, int(seed)), seed)
            if a.simulate_only:
                continue
            with open(os.path.join(name, "truth", "truth.json"), encoding="utf-8") as f:
                diameter = json.load(f)["nominal_diameter_m"]
            lens = [] if a.no_camera else ["--camera", os.path.join(name, "camera.yaml")]
            begun = time.monotonic()
            figures = measured(a.intrados, name, diameter, lens + (["--counter", "off"] if a.no_counter else []))
            took = time.monotonic() - begun
            print(f"| {row[0]} | {seed} | {took / row[2]:.1f} | {row_of(figures, FIGURES)} |", flush=True)


if __name__ == "__main__":
    main()
