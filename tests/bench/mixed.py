#!/usr/bin/env python3
"""Scenes drawn by lot: material, diameter, lens, its middle, ride, joints, water, lateral, noise, codec, overlay.

No scene was chosen, and a seed that nobody has used yet is held out: what the program makes of pipes that it was not
built on. Simulated, reconstructed with its camera file (or, with --no-camera, with the counter alone) and nominal
diameter, evaluated; prints a Markdown table. A scene that is there already is not simulated again.

Usage: mixed.py [--intrados PROGRAM] [--out out/mixed] [--seeds 1,2,3,4] [--no-camera]
"""
import json
import os
import random

from bends import measured, parser_of, row_of, run, simulated

FIGURES = [("posed %", "posed_pct", 1), ("distance error %", "distance_error_pct", 2), ("in deviations", "station_error_sds", 1),
           ("error over 1 m %", "relative_translation_error_pct", 2), ("unroll RMS mm", "unroll_rms_mm", 1),
           ("coverage %", "coverage_pct", 1), ("focal length error %", "focal_error_pct", 2),
           ("centre px", "lens_centre_error_px", 1),
           ("measured diameter error %", "measured_diameter_error_pct", 2), ("ovality, points RMS", "ovality_rms_points", 2),
           ("joints in view", "joints_in_view", 0), ("found %", "joints_found_pct", 0), ("false", "joints_false", 0),
           ("laterals found %", "laterals_found_pct", 0), ("false", "laterals_false", 0),
           ("counter right %", "counter_right_pct", 1), ("silent failures", "silent_failures", 0)]
SIZES = [(640, 480), (720, 576), (768, 576), (720, 480), (1280, 720)]
CODECS = [("h264", 0), ("h264", 0), ("mpeg2", 3.0), ("mjpeg", 0)]
DIAMETERS = [0.125, 0.15, 0.2, 0.25, 0.3, 0.375, 0.45, 0.5, 0.6, 0.7, 0.9, 1.0, 1.2]


def scene_of(intrados, seed):
    """The scene of a seed, and in a few words what it is."""
    lot = random.Random(f"mixed {seed}")
    scene = json.loads(run([intrados, "simulate", "--print", "straight-concrete-300"]))
    diameter, material = lot.choice(DIAMETERS), lot.choice(["concrete", "clay", "brick", "plastic", "lined"])
    if material == "brick":
        diameter = max(diameter, 0.5)
    if material == "clay":
        diameter = min(diameter, 0.5)
    radius, (width, height), (codec, rate) = diameter / 2, lot.choice(SIZES), lot.choice(CODECS)
    way = max(1.2, lot.uniform(9, 13) * radius)
    scene["video"].update(width=width, height=height, fps=lot.choice([25.0, 25.0, 30.0]), codec=codec, bitrate_mbit=rate)
    fov = lot.choice([lot.uniform(58, 95), lot.uniform(58, 95), lot.uniform(110, 185)])
    kind = dict(model="kb", k1=lot.uniform(-0.03, 0.01), k2=lot.uniform(-0.004, 0.004)) if fov > 100 else \
        dict(model="brown", k1=lot.uniform(-0.22, 0.02), k2=lot.uniform(0.0, 0.04))
    scene["lens"].update(hfov_deg=fov, fx=0.0, fy=0.0, p1=0.0, p2=0.0, k3=0.0, k4=0.0,
                         cx=(width - 1) / 2 + lot.gauss(0, 0.008) * width, cy=(height - 1) / 2 + lot.gauss(0, 0.008) * width, **kind)
    scene["pipe"].update(diameter_m=diameter, material=material, grade_pct=lot.uniform(-3, 3), dirt=lot.uniform(0.2, 0.9),
                         contrast=lot.uniform(0.7, 1.2))
    scene["joints"].update(spacing_m=max(0.6, lot.uniform(4, 9) * radius), first_m=lot.uniform(0.2, 0.9),
                           gap_m=lot.uniform(0.004, 0.012), offset_max_m=lot.choice([0.0, 0.01, 0.03]) * diameter,
                           deflection_max_deg=lot.choice([0.0, 0.0, 0.5]), list=[])
    if material in ("brick", "plastic"):
        scene["joints"].update(spacing_m=0.0 if material == "brick" else 1.0)
    start = 0.5
    scene["centreline"] = [dict(scene["centreline"][0], straight_m=start + way + 9 * radius)]
    scene["laterals"] = []
    if lot.random() < 0.6:
        scene["laterals"] = [dict(station_m=start + lot.uniform(0.5, 0.9) * way, clock_deg=lot.choice([-1, 1]) * lot.uniform(30, 100),
                                  diameter_m=min(0.15, 0.6 * diameter) if diameter < 0.6 else 0.2, kind=lot.choice(["flush", "protruding"]),
                                  protrusion_m=0.1 * diameter)]
    scene["cracks"], scene["roots"], scene["holes"] = [], [], []
    scene["deposits"] = [] if lot.random() < 0.6 else [
        dict(code="BBC", from_m=start + 0.4 * way, to_m=start + 0.8 * way, clock_deg=lot.uniform(170, 190),
             width_deg=lot.uniform(40, 70), height_m=lot.uniform(0.02, 0.06) * diameter)]
    scene["water"] = [] if lot.random() < 0.7 else [
        dict(from_m=0.0, to_m=start + way + 9 * radius, level_pct=lot.uniform(4, 15), murk=0.7, ripple=0.3)]
    scene["ovality"] = [] if lot.random() < 0.75 else [
        dict(from_m=start + 0.3 * way, to_m=start + 0.9 * way, ovality_pct=lot.uniform(2, 6), min_clock_deg=0.0, ease_m=0.4)]
    scene["image"].update(read_noise=lot.uniform(0.8, 2.5), shot_noise=lot.uniform(1.0, 2.5), sharpen=lot.choice([0.0, 0.0, 0.4]))
    scene["overlay"].update(layout=lot.choice(["corner", "boxes", "header", "yellow", "green", "dark"]),
                            unit=lot.choice(["0.01m", "0.01m", "0.1m", "0.1ft"]))
    scene["light"].update(ring_radius_m=0.2 * radius, beam=lot.uniform(0.6, 0.9), warmth=lot.uniform(-0.2, 0.3))
    speed = lot.uniform(0.7, 1.3) * radius
    drive = dict(scene["motion"]["phases"][0], action="drive", speed_m_s=speed, to_m=-1.0, duration_s=0.0)
    scene["motion"].update(start_m=start, wobble_m=lot.uniform(0.01, 0.04) * radius, wobble_deg=lot.uniform(0.3, 1.2),
                           offset_right_m=lot.gauss(0, 0.08) * radius, offset_up_m=lot.gauss(-0.1, 0.1) * radius,
                           roll_deg=lot.gauss(0, 3), wheelbase_m=1.6 * radius)
    stop = dict(drive, action="stop", duration_s=0.8, distance_m=0.0)
    back = dict(drive, action="reverse", distance_m=1.2 * radius)
    scene["motion"]["phases"] = lot.choice([[dict(drive, distance_m=way)],
                                            [dict(drive, distance_m=0.6 * way), stop, dict(drive, distance_m=0.4 * way)],
                                            [dict(drive, distance_m=0.6 * way), stop, back,
                                             dict(drive, distance_m=0.4 * way + 1.2 * radius)]])
    about = f"{material} {1000 * diameter:.0f}, {fov:.0f} degrees, {width}x{height} {codec}"
    about += ", water" * bool(scene["water"]) + ", deposit" * bool(scene["deposits"]) + ", oval" * bool(scene["ovality"])
    return scene, about


def main():
    parser = parser_of(__doc__, "mixed", [])
    parser.add_argument("--no-camera", action="store_true")
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    print("| seed | scene | " + " | ".join(f[0] for f in FIGURES) + " |\n|---|---|" + "---|" * len(FIGURES))
    for seed in a.seeds.split(","):
        name = os.path.join(a.out, f"mixed-{seed}")
        scene, about = scene_of(a.intrados, seed)
        simulated(a.intrados, name, scene, seed)
        options = [] if a.no_camera else ["--camera", os.path.join(name, "camera.yaml")]
        figures = measured(a.intrados, name, scene["pipe"]["diameter_m"], options, may_refuse=True)
        print(f"| {seed} | {about} | {row_of(figures, FIGURES) if figures else 'refused' + ' |' * (len(FIGURES) - 1)} |", flush=True)


if __name__ == "__main__":
    main()
