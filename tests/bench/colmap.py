#!/usr/bin/env python3
"""General structure from motion on a simulated pipe, for comparison: COLMAP 3.8 as Debian has it, on the CPU.

Takes a folder of `intrados simulate`, every n-th frame, the known lens (not refined) and sequential matching; runs the
mapper twice: with COLMAP's defaults, and with its limit on forward motion in the first pair lifted. Reports frames
registered, the error after alignment of scale, rotation and position (COLMAP knows no scale), and the time.

Usage: colmap.py SIM_DIR --out FOLDER [--every 5] [--threads 2]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np

VARIANTS = {"defaults": [], "forward motion allowed": ["--Mapper.init_max_forward_motion", "1"]}


def read_camera(path):
    """COLMAP's model name and parameters from the camera file that the simulator writes (OpenCV YAML)."""
    text = open(path, encoding="utf-8").read()
    numbers = lambda key: [float(x) for x in re.search(key + r":.*?data:\s*\[([^\]]*)\]", text, re.S)[1].split(",")]
    k = numbers("camera_matrix")
    d = numbers("distortion_coefficients")
    d += [0.0] * (12 - len(d))
    # COLMAP counts from the corner of the first pixel, OpenCV from its centre.
    pinhole = [k[0], k[4], k[2] + 0.5, k[5] + 0.5]
    if re.search(r"equidistant|fisheye", text):
        return "OPENCV_FISHEYE", pinhole + d[:4]
    if any(d[8:]):
        sys.exit(f"{path}: COLMAP has no lens model with thin prism")
    return ("FULL_OPENCV", pinhole + d[:8]) if any(d[4:8]) else ("OPENCV", pinhole + d[:4])


def read_tum(path):
    rows = np.array([[float(x) for x in line.split()] for line in open(path) if line.strip() and line[0] != "#"])
    return rows[:, 0], rows[:, 1:4]


def camera_centres(images_txt):
    """Name -> centre, from COLMAP's images.txt (world to camera)."""
    centres = {}
    lines = [line for line in open(images_txt) if not line.startswith("#")]
    for line in lines[::2]:
        f = line.split()
        w, x, y, z = (float(v) for v in f[1:5])
        r = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                      [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                      [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
        centres[f[9]] = -r.T @ np.array([float(v) for v in f[5:8]])
    return centres


def align(source, target):
    """Sim(3) of least squares (Umeyama 1991): target ~ s R source + t. Returns the moved source."""
    ms, mt = source.mean(0), target.mean(0)
    u, d, vt = np.linalg.svd((target - mt).T @ (source - ms) / len(source))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    r = u @ sign @ vt
    s = np.trace(np.diag(d) @ sign) / ((source - ms) ** 2).sum(1).mean()
    return mt + s * (source - ms) @ r.T


def relative_error_per_metre(estimate, truth):
    """Median over all starts of |displacement error| over the stretch in which the truth moves 1 m, as a share of it."""
    travelled = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(truth, axis=0), axis=1))])
    errors = []
    for i in range(len(truth)):
        j = int(np.searchsorted(travelled, travelled[i] + 1.0))
        if j < len(truth):
            wrong = (estimate[j] - estimate[i]) - (truth[j] - truth[i])
            errors.append(np.linalg.norm(wrong) / (travelled[j] - travelled[i]))
    return float(np.median(errors)) if errors else float("nan")


def run(command, log):
    started = time.monotonic()
    with open(log, "a", encoding="utf-8") as f:
        code = subprocess.call(command, stdout=f, stderr=f, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    return code, time.monotonic() - started


def must(command, log):
    code, seconds = run(command, log)
    if code:
        sys.exit(f"{' '.join(command[:2])} failed with {code}; see {log}")
    return seconds


def judge(model, out, times, truth, every, log):
    """Frames registered and errors of one model folder."""
    text = os.path.join(out, "text")
    os.makedirs(text, exist_ok=True)
    must(["colmap", "model_converter", "--input_path", model, "--output_path", text, "--output_type", "TXT"], log)
    centres = camera_centres(os.path.join(text, "images.txt"))
    names = sorted(centres)
    index = [int(os.path.splitext(n)[0]) * every for n in names]
    source, target = np.array([centres[n] for n in names]), truth[index]
    moved = align(source, target)
    with open(os.path.join(out, "aligned.tum"), "w", encoding="utf-8") as f:
        for i, p in zip(index, moved):
            f.write(f"{times[i]:.6f} {p[0]:.6f} {p[1]:.6f} {p[2]:.6f} 0 0 0 1\n")
    error = np.linalg.norm(moved - target, axis=1)
    return {"registered": len(names), "ate_rmse_m": float(np.sqrt((error ** 2).mean())), "ate_max_m": float(error.max()),
            "relative_error_per_m": relative_error_per_metre(moved, target),
            "length_m": float(np.linalg.norm(np.diff(target, axis=0), axis=1).sum())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sim")
    parser.add_argument("--out", required=True)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()

    videos = [n for n in os.listdir(a.sim) if n.startswith("video.")]
    if not videos:
        sys.exit(f"{a.sim}: no video in it; give a folder that intrados simulate wrote")
    times, truth = read_tum(os.path.join(a.sim, "truth", "trajectory.tum"))
    model, params = read_camera(os.path.join(a.sim, "camera.yaml"))
    shutil.rmtree(a.out, ignore_errors=True)
    images, database, log = (os.path.join(a.out, n) for n in ("images", "database.db", "colmap.log"))
    os.makedirs(images)
    # -start_number 0: picture k of the folder is frame k * every of the video.
    must(["ffmpeg", "-nostdin", "-v", "error", "-i", os.path.join(a.sim, videos[0]), "-vf",
          f"select=not(mod(n\\,{a.every}))", "-vsync", "0", "-start_number", "0", os.path.join(images, "%06d.png")], log)
    given = len(os.listdir(images))

    threads = str(a.threads)
    before = must(["colmap", "feature_extractor", "--database_path", database, "--image_path", images,
                   "--ImageReader.single_camera", "1", "--ImageReader.camera_model", model, "--ImageReader.camera_params",
                   ",".join(repr(p) for p in params), "--SiftExtraction.use_gpu", "0",
                   "--SiftExtraction.num_threads", threads], log)
    before += must(["colmap", "sequential_matcher", "--database_path", database, "--SiftMatching.use_gpu", "0",
                    "--SiftMatching.num_threads", threads], log)
    results = []
    for name, options in VARIANTS.items():
        out = os.path.join(a.out, name.replace(" ", "_"))
        os.makedirs(out)
        code, seconds = run(["colmap", "mapper", "--database_path", database, "--image_path", images, "--output_path", out,
                             "--Mapper.num_threads", threads, "--Mapper.ba_refine_focal_length", "0",
                             "--Mapper.ba_refine_principal_point", "0", "--Mapper.ba_refine_extra_params", "0", *options], log)
        models = sorted(m for m in os.listdir(out) if os.path.isdir(os.path.join(out, m)))
        judged = [judge(os.path.join(out, m), os.path.join(out, m), times, truth, a.every, log) for m in models]
        best = max(judged, key=lambda j: j["registered"], default=None)
        results.append({"variant": name, "exit": code, "images": given, "models": len(models), "best": best,
                        "features_and_matching_s": round(before, 1), "mapper_s": round(seconds, 1)})

    with open(os.path.join(a.out, "colmap.json"), "w", encoding="utf-8") as f:
        json.dump(results, f, indent=2)
    print("| first pair | models | frames registered (largest) | ATE RMSE | ATE max | relative error per metre | time |")
    print("|---|---|---|---|---|---|---|")
    for r in results:
        total, b = r["features_and_matching_s"] + r["mapper_s"], r["best"]
        errors = (f"{b['registered']} of {given} | {1e3 * b['ate_rmse_m']:.1f} mm | {1e3 * b['ate_max_m']:.1f} mm | "
                  f"{100 * b['relative_error_per_m']:.2f} %" if b else f"0 of {given} | - | - | -")
        print(f"| {r['variant']} | {r['models']} | {errors} | {total:.0f} s |")


if __name__ == "__main__":
    main()
