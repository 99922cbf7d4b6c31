#!/usr/bin/env python3
"""Cuts while the camera drives: straight presets of the simulator, from whose film a piece in the middle is missing.

Each is driven a way, goes on at once some metres ahead and is driven the same way again, at full speed on both sides of
the cut. Simulated, reconstructed with its camera file and nominal diameter, evaluated; prints a Markdown table. A cut
that is noticed makes two segments, the second placed by the distance counter; one that is not makes stations behind it
wrong by metres. A scene that is there already is not simulated again.

Usage: cuts.py [--intrados PROGRAM] [--out out/cuts] [--seeds 1,2] [--scenes a,b]
"""
import json
import os

from bends import measured, parser_of, row_of, run, simulated

SCENES = ["brick-600-fisheye", "compressed-400-mpeg2", "concrete-800-wide", "cut-200-jumps", "demo", "interlaced-300-mpeg2",
          "lined-300-ovality", "offset-300-kinks", "plastic-250-operator", "straight-concrete-300", "water-450-blur"]
FIGURES = [("segments", "segments", 0), ("posed %", "posed_pct", 1), ("station error, worst mm", "station_error_max_mm", 1),
           ("distance error, worst segment %", "distance_error_worst_pct", 2), ("joints found %", "joints_found_pct", 0),
           ("false", "joints_false", 0), ("silent failures", "silent_failures", 0)]


def scene_of(intrados, preset):
    scene = json.loads(run([intrados, "simulate", "--print", preset]))
    radius, drive = scene["pipe"]["diameter_m"] / 2, next(p for p in scene["motion"]["phases"] if p["action"] == "drive")
    way = min(1.5, max(5 * radius, 3.2 * drive["speed_m_s"]))
    there = scene["motion"]["start_m"] + way + max(1.5, 6 * radius)
    drive = dict(drive, distance_m=way, to_m=-1.0, duration_s=0.0)
    scene["motion"].update(accel_m_s2=10.0, phases=[drive, dict(drive, action="jump", distance_m=0.0, to_m=there), drive])
    scene["centreline"] = [dict(scene["centreline"][0], straight_m=there + way + 8 * radius)]
    return scene


def main():
    a = parser_of(__doc__, "cuts", SCENES).parse_args()
    os.makedirs(a.out, exist_ok=True)
    print("| scene | seed | " + " | ".join(f[0] for f in FIGURES) + " |\n|---|---|" + "---|" * len(FIGURES))
    for preset in a.scenes.split(","):
        for seed in a.seeds.split(","):
            name = os.path.join(a.out, f"{preset}-{seed}")
            simulated(a.intrados, name, scene_of(a.intrados, preset), seed)
            with open(os.path.join(name, "truth", "truth.json"), encoding="utf-8") as f:
                diameter = json.load(f)["nominal_diameter_m"]
            figures = measured(a.intrados, name, diameter, ["--camera", os.path.join(name, "camera.yaml")])
            print(f"| {preset} | {seed} | {row_of(figures, FIGURES)} |", flush=True)


if __name__ == "__main__":
    main()
