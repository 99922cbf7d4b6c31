#!/usr/bin/env python3
"""Tight bends: pipes that bend by 20 to 60 degrees over 3.3 to 6.7 diameters, beside the suite's clay-225-bend.

Each scene is a preset of the simulator with another bend, diameter and lens. Simulated, reconstructed with its own
camera file and nominal diameter, evaluated; prints a Markdown table. A scene that is there already is not simulated again.

Usage: bends.py [--intrados PROGRAM] [--out out/bends] [--seeds 1,2] [--scenes a,b]
"""
import argparse
import json
import os
import subprocess

# Name, preset, degrees, bend radius m, clock that it turns to, straight before m, diameter m, lens, way m, speed m/s. Set on the first; the others were held out.
SCENES = [
    ("up-300", "straight-concrete-300", 45, 1.0, 0, 0.8, 0.300, None, 2.0, 0.15),
    ("aside-450", "straight-concrete-300", 60, 2.0, 135, 1.2, 0.450, ("brown", 85, -0.2, 0.04), 2.6, 0.20),
    ("left-200", "clay-225-bend", 30, 0.8, 270, 1.0, 0.200, ("brown", 70, -0.1, 0.02), 1.5, 0.12),
    ("down-150-wide", "clay-225-bend", 20, 1.0, 180, 1.2, 0.150, ("kb", 150, -0.02, 0.003), 1.2, 0.12),
]
FIGURES = [("posed %", "posed_pct", 1), ("distance error %", "distance_error_pct", 2),
           ("error over 1 m %", "relative_translation_error_pct", 2), ("unroll RMS mm", "unroll_rms_mm", 1),
           ("coverage %", "coverage_pct", 1), ("roll drift deg over 10 m", "roll_drift_10m_deg", 1),
           ("ovality, points RMS", "ovality_rms_points", 2), ("bends found %", "bends_found_pct", 0)]


REFUSED, INCOMPLETE = 1, 3  # exit statuses


def scene_of(intrados, row):
    _, preset, degrees, radius, clock, straight, diameter, lens, way, speed = row
    scene = json.loads(subprocess.run([intrados, "simulate", "--print", preset], check=True, stdout=subprocess.PIPE).stdout)
    piece = scene["centreline"][0]
    scene["centreline"] = [dict(piece, straight_m=straight, bend_deg=0.0),
                           dict(piece, straight_m=0.0, bend_deg=degrees, radius_m=radius, towards_clock_deg=clock),
                           dict(piece, straight_m=3.0, bend_deg=0.0)]
    scene["pipe"]["diameter_m"] = diameter
    scene["video"].update(width=640, height=480)
    if lens:
        scene["lens"].update(model=lens[0], hfov_deg=lens[1], fx=0.0, fy=0.0, k1=lens[2], k2=lens[3], p1=0.0, p2=0.0, k3=0.0, k4=0.0)
        scene["laterals"] = []
        scene["roots"] = []
    phase = scene["motion"]["phases"][0]
    scene["motion"]["phases"] = [dict(phase, action="drive", speed_m_s=speed, distance_m=way)]
    return scene


def run(command, may_end_with=()):
    """What the command prints; None where it may refuse and does."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0 and done.returncode not in may_end_with:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}")
    return done.stdout if done.returncode != REFUSED else None


def simulated(intrados, name, scene, seed):
    """The simulated scene in folder `name`, unless it is there; an unfinished one never has this name."""
    if os.path.isdir(name):
        return
    with open(name + ".json", "w", encoding="utf-8") as f:
        json.dump(scene, f, indent=1)
    run([intrados, "simulate", name + ".json", "--seed", str(seed), "-o", name + ".part", "--force", "-q"])
    os.rename(name + ".part", name)


def measured(intrados, name, diameter_m, options, may_refuse=False):
    """Figures of the scene in `name`, reconstructed with the options beside its diameter; None: it was refused."""
    video = next(f for f in sorted(os.listdir(name)) if f.startswith("video."))
    said = run([intrados, "reconstruct", os.path.join(name, video), "--diameter", f"{diameter_m}m", *options, "-o",
                name + ".result", "--force", "-q"], (INCOMPLETE, REFUSED) if may_refuse else (INCOMPLETE,))
    if said is None:
        return None
    return json.loads(run([intrados, "evaluate", name + ".result", "--truth", name, "--json"]))["figures"]


def row_of(figures, columns):
    values = [figures.get(key, {}).get("value") for _, key, _ in columns]
    return " | ".join("-" if v is None else f"{v:.{c[2]}f}" for v, c in zip(values, columns))


def parser_of(doc, name, scenes):
    """What the benches of made-up scenes take."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--intrados", default="build/release/bin/intrados")
    parser.add_argument("--out", default="out/" + name)
    parser.add_argument("--seeds", default="1,2")
    if scenes:
        parser.add_argument("--scenes", default=",".join(scenes))
    return parser


def main():
    a = parser_of(__doc__, "bends", [row[0] for row in SCENES]).parse_args()
    os.makedirs(a.out, exist_ok=True)
    print("| scene | seed | " + " | ".join(f[0] for f in FIGURES) + " |\n|---|---|" + "---|" * len(FIGURES))
    for row in SCENES:
        if row[0] not in a.scenes.split(","):
            continue
        for seed in a.seeds.split(","):
            name = os.path.join(a.out, f"{row[0]}-{seed}")
            simulated(a.intrados, name, scene_of(a.intrados, row), seed)
            figures = measured(a.intrados, name, row[6], ["--camera", os.path.join(name, "camera.yaml")])
            print(f"| {row[0]} | {seed} | {row_of(figures, FIGURES)} |", flush=True)


if __name__ == "__main__":
    main()
