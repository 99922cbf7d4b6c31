#!/usr/bin/env python3
"""General structure from motion on a simulated pipe, for comparison: COLMAP 3.8 as Debian has it, on the CPU.

Simulates a scene without its burnt-in text (which would need a mask), takes every n-th frame, the known lens (not refined)
and sequential matching; runs the mapper twice: with COLMAP's defaults, and with its limit on forward motion in the first
pair lifted. Reports frames registered, the error after alignment of scale, rotation and position (COLMAP knows no scale),
and seconds of CPU; then the same for intrados on the same video, all of its frames, scale not aligned.

Usage: colmap.py SCENE --out FOLDER [--intrados PROGRAM] [--seed 1] [--every 5] [--threads 2]
"""
import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys

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


def align(source, target, is_scaled=True):
    """Sim(3), or SE(3), of least squares (Umeyama 1991): target ~ s R source + t. Returns the moved source."""
    ms, mt = source.mean(0), target.mean(0)
    u, d, vt = np.linalg.svd((target - mt).T @ (source - ms) / len(source))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    r = u @ sign @ vt
    s = np.trace(np.diag(d) @ sign) / ((source - ms) ** 2).sum(1).mean() if is_scaled else 1.0
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
    """Exit status and seconds of CPU: the clock would tell what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(log, "a", encoding="utf-8") as f:
        code = subprocess.call(command, stdout=f, stderr=f, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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


def simulate(a):
    """The scene without text, simulated once; its folder."""
    sim = os.path.join(a.out, "sim")
    if not os.path.exists(os.path.join(sim, "truth", "truth.json")):
        shutil.rmtree(sim, ignore_errors=True)
        scene = json.loads(subprocess.run([a.intrados, "simulate", "--print", a.scene], stdout=subprocess.PIPE, check=True).stdout)
        scene["overlay"] = {"layout": "none"}
        path = os.path.join(a.out, "scene.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(scene, f, indent=1)
        subprocess.run([a.intrados, "simulate", path, "--seed", str(a.seed), "--threads", str(a.threads), "-q", "-o", sim],
                       check=True)
    return sim


def ours(a, sim, video, times, truth, log):
    """What intrados makes of the same video: rigid alignment only, since its scale is part of the result."""
    with open(os.path.join(sim, "truth", "truth.json"), encoding="utf-8") as f:
        diameter = json.load(f)["nominal_diameter_m"]
    out = os.path.join(a.out, "intrados")
    code, seconds = run([a.intrados, "reconstruct", video, "--diameter", f"{diameter}m", "--camera",
                         os.path.join(sim, "camera.yaml"), "--threads", str(a.threads), "--force", "-o", out], log)
    if code not in (0, 3):
        return {"variant": "intrados", "exit": code, "cpu_s": seconds}
    t, posed = read_tum(os.path.join(out, "trajectory.tum"))
    # Times in the table are rounded; a frame is the nearest one.
    target = truth[np.abs(times[None, :] - t[:, None]).argmin(1)]
    moved = align(posed, target, is_scaled=False)
    error = np.linalg.norm(moved - target, axis=1)
    return {"variant": "intrados", "exit": code, "cpu_s": seconds, "images": len(times), "registered": len(t),
            "ate_rmse_m": float(np.sqrt((error ** 2).mean())), "ate_max_m": float(error.max()),
            "relative_error_per_m": relative_error_per_metre(moved, target)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scene")
    parser.add_argument("--out", required=True)
    parser.add_argument("--intrados", default="build/release/bin/intrados")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    sim = simulate(a)
    video = os.path.join(sim, next(n for n in sorted(os.listdir(sim)) if n.startswith("video.")))
    times, truth = read_tum(os.path.join(sim, "truth", "trajectory.tum"))
    model, params = read_camera(os.path.join(sim, "camera.yaml"))
    work = os.path.join(a.out, "colmap")
    shutil.rmtree(work, ignore_errors=True)
    images, database, log = (os.path.join(work, n) for n in ("images", "database.db", "colmap.log"))
    os.makedirs(images)
    # -start_number 0: picture k of the folder is frame k * every of the video.
    must(["ffmpeg", "-nostdin", "-v", "error", "-i", video, "-vf",
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
        out = os.path.join(work, name.replace(" ", "_"))
        os.makedirs(out)
        code, seconds = run(["colmap", "mapper", "--database_path", database, "--image_path", images, "--output_path", out,
                             "--Mapper.num_threads", threads, "--Mapper.ba_refine_focal_length", "0",
                             "--Mapper.ba_refine_principal_point", "0", "--Mapper.ba_refine_extra_params", "0", *options], log)
        models = sorted(m for m in os.listdir(out) if os.path.isdir(os.path.join(out, m)))
        judged = [judge(os.path.join(out, m), os.path.join(out, m), times, truth, a.every, log) for m in models]
        best = max(judged, key=lambda j: j["registered"], default=None)
        results.append({"variant": name, "exit": code, "images": given, "models": len(models), "best": best,
                        "features_and_matching_cpu_s": round(before, 1), "mapper_cpu_s": round(seconds, 1)})

    own = ours(a, sim, video, times, truth, log)
    with open(os.path.join(a.out, "colmap.json"), "w", encoding="utf-8") as f:
        json.dump(results + [own], f, indent=2)
    print("| program | models | frames registered (largest model) | ATE RMSE | ATE max | error over 1 m, median | CPU time |")
    print("|---|---|---|---|---|---|---|")
    for r in results:
        row(f"COLMAP, {r['variant']}", r["models"], given, r["best"], r["features_and_matching_cpu_s"] + r["mapper_cpu_s"])
    row("intrados, every frame, scale its own", 1, len(times), own if "ate_rmse_m" in own else None, own["cpu_s"])


def row(name, models, given, judged, seconds):
    figures = f"0 of {given} | - | - | -"
    if judged:
        figures = (f"{judged['registered']} of {given} | {1e3 * judged['ate_rmse_m']:.1f} mm | "
                   f"{1e3 * judged['ate_max_m']:.1f} mm | {100 * judged['relative_error_per_m']:.2f} %")
    print(f"| {name} | {models} | {figures} | {seconds:.0f} s |")


if __name__ == "__main__":
    main()
