#!/usr/bin/env python3
"""The benchmark: simulated pipes, reconstructed with calibrated lens and nominal diameter, measured against their truth.

For each (scene, seed): intrados simulate, reconstruct, evaluate, and ffmpeg decoding the same file alone with as many
threads. One JSON file a run under OUT/runs keeps the figures, with the program's hash in its name, so that a suite
that was stopped goes on where it was. Prints a Markdown table; OUT/suite.csv has every run.

Usage: suite.py [--scenes a,b] [--seeds 1,2,3] [--threads N] [--out out/bench] [--clean]
                [--simulate-only] [--memory SCENE]
"""
import argparse
import csv
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

SCENES = ["straight-concrete-300", "clay-225-bend", "brick-600-fisheye", "plastic-250-operator", "water-450-blur",
          "interlaced-300-mpeg2", "lined-300-ovality", "concrete-800-wide", "offset-300-kinks", "cut-200-jumps", "pushrod-125-clay",
          "brick-1200-fisheye", "compressed-400-mpeg2"]

# Column, where it stands in the JSON of `evaluate` (or in ours), decimals, the worse direction, target as text.
FIGURES = [
    ("posed %", "eval.figures.posed_pct.value", 2, min, ">= 98"),
    ("distance error %", "eval.figures.distance_error_pct.value", 3, max, "<= 0.5 median, 1.5 worst"),
    ("translation error over 1 m %", "eval.figures.relative_translation_error_pct.value", 3, max, "<= 1 median"),
    ("unroll RMS mm", "eval.figures.unroll_rms_mm.value", 2, max, "<= 3 in DN300"),
    ("coverage %", "eval.figures.coverage_pct.value", 2, min, ">= 99"),
    ("times real time", "real_time_factor", 2, min, ">= 3"),
    ("CPU s per s of video", "cpu_per_s", 2, max, ""),
    ("times decoding", "decode_ratio", 1, max, "stated"),
    ("peak memory MB", "peak_mb", 0, max, "<= 700"),
]

JOINT_FIGURES = [
    ("joints in view", "eval.figures.joints_in_view.value", 0, min, ""),
    ("found %", "eval.figures.joints_found_pct.value", 1, min, ">= 98 median, 95 worst"),
    ("false", "eval.figures.joints_false.value", 0, max, "<= 1 % median, 3 % worst"),
    ("station error mm", "eval.figures.joint_station_error_median_mm.value", 1, max, ""),
    ("without drift mm", "eval.figures.joint_station_local_median_mm.value", 1, max, "<= 5"),
    ("its worst mm", "eval.figures.joint_station_local_worst_mm.value", 1, max, "<= 15"),
    ("offset error mm", "eval.figures.joint_offset_error_median_mm.value", 2, max, "<= 1"),
    ("its worst mm", "eval.figures.joint_offset_error_worst_mm.value", 2, max, "<= 2.5"),
    ("gap error mm", "eval.figures.joint_gap_error_median_mm.value", 1, max, ""),
    ("deflection error deg", "eval.figures.joint_deflection_error_median_deg.value", 2, max, ""),
]

SHAPE_FIGURES = [
    ("ovality error, points RMS", "eval.figures.ovality_rms_points.value", 2, max, "0.2 median, 0.5 worst"),
    ("in its 95 % interval %", "eval.figures.ovality_within_sd_pct.value", 1, min, "93 to 97 median, 90 to 99 worst"),
    ("mean diameter, mm RMS", "eval.figures.diameter_mean_rms_mm.value", 2, max, ""),
    ("in its 95 % interval %", "eval.figures.diameter_mean_within_sd_pct.value", 1, min, "93 to 97 median, 90 to 99 worst"),
    ("relief, mm RMS", "eval.figures.relief_rms_mm.value", 2, max, "1 median, 2.5 worst in DN300"),
    ("relief known %", "eval.figures.relief_known_pct.value", 0, min, ""),
]

LATERAL_FIGURES = [
    ("laterals in view", "eval.figures.laterals_in_view.value", 0, min, ""),
    ("found %", "eval.figures.laterals_found_pct.value", 1, min, ""),
    ("false", "eval.figures.laterals_false.value", 0, max, ""),
    ("station error, worst mm", "eval.figures.lateral_station_local_worst_mm.value", 1, max, "10 median, 20 worst"),
    ("clock error, worst deg", "eval.figures.lateral_clock_error_worst_deg.value", 1, max, "2 median, 5 worst"),
    ("diameter error, worst %", "eval.figures.lateral_diameter_error_worst_pct.value", 1, max, "5 median, 10 worst"),
]

LENS_FIGURES = [
    ("distance error %", "eval.figures.distance_error_pct.value", 3, max, "calibrated 0.3 median, 1 worst; else 0.2, 0.7"),
    ("focal error %", "eval.figures.focal_error_pct.value", 2, max, "1 median, 3 worst"),
    ("angle error % at 25 % of the half diagonal", "eval.figures.angle_error_25_pct.value", 2, max, ""),
    ("50 %", "eval.figures.angle_error_50_pct.value", 2, max, ""),
    ("75 %", "eval.figures.angle_error_75_pct.value", 2, max, ""),
    ("corner", "eval.figures.angle_error_100_pct.value", 2, max, ""),
    ("centre px", "eval.figures.lens_centre_error_px.value", 1, max, ""),
    ("measured diameter %", "eval.figures.measured_diameter_error_pct.value", 2, max, "0.5 median, 1 worst"),
    ("counter given %", "eval.figures.counter_given_pct.value", 1, min, "98 median, 90 worst"),
    ("right %", "eval.figures.counter_right_pct.value", 2, min, "99.9 median, 99 worst"),
    ("roll drift deg over 10 m", "eval.figures.roll_drift_10m_deg.value", 2, max, "1 median, 3 worst"),
    ("roll against gravity deg", "eval.figures.roll_error_gravity_deg.value", 2, max, ""),
    ("station in its 95 % interval %", "eval.figures.station_within_sd_pct.value", 1, min, "93 to 97 median, 90 to 99 worst"),
    ("station at the far end, deviations", "eval.figures.station_error_sds.value", 2, max, "1 RMS"),
    ("silent failures", "eval.figures.silent_failures.value", 0, max, "0"),
]

# Things in their 95 % interval: too few a run for a median of runs, so they are counted over all runs.
INTERVALS = [("joints, station", "joint_station_within_sd_pct"), ("joints, offset", "joint_offset_within_sd_pct"),
             ("laterals, station", "lateral_station_within_sd_pct"), ("laterals, clock", "lateral_clock_within_sd_pct"),
             ("laterals, diameter", "lateral_diameter_within_sd_pct")]


def measured(command, log):
    """Exit status, seconds on the clock, CPU seconds and peak memory in MB of a command."""
    started = time.monotonic()
    with open(log, "w", encoding="utf-8") as f:
        process = subprocess.Popen(command, stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return (process.returncode, time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def sha(paths):
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        # Layout changes no picture.
        digest.update(b"".join(data.split()) if path.endswith((".c", ".h", ".json")) else data)
    return digest.hexdigest()[:12]


def simulator_version(root, scene):
    """Hash of what the pictures and the truth of a scene depend on: the simulator's code and the scene's own file."""
    own = scene if os.path.isfile(scene) else os.path.join(root, "tools", "sim", "presets", scene + ".json")
    paths = [os.path.join(root, "core", "video_writer.c"), own]
    for folder, folders, files in os.walk(os.path.join(root, "tools", "sim")):
        folders.sort()
        paths += [os.path.join(folder, n) for n in sorted(files) if not n.endswith(".json")]
    return sha(paths)


def pick(figures, path):
    for key in path.split("."):
        figures = figures.get(key) if isinstance(figures, dict) else None
    # Errors come with their sign; how large they are is what counts here.
    return abs(float(figures)) if isinstance(figures, (int, float)) and not isinstance(figures, bool) else None


class Bench:
    def __init__(self, a):
        self.a = a
        self.root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.program = sha([a.intrados])
        for name in ("sim", "runs", "logs"):
            os.makedirs(os.path.join(a.out, name), exist_ok=True)

    def simulate(self, scene, name, seed):
        """Folder of a simulated inspection; an unfinished one never has this name."""
        folder = os.path.join(self.a.out, "sim", f"{name}-{seed}-{simulator_version(self.root, scene)}")
        if not os.path.exists(os.path.join(folder, "truth", "truth.json")):
            shutil.rmtree(folder, ignore_errors=True)
            part = folder + ".unfinished"
            shutil.rmtree(part, ignore_errors=True)
            log = os.path.join(self.a.out, "logs", f"{name}-{seed}-simulate.log")
            code, wall, _, _ = measured([self.a.intrados, "simulate", scene, "--seed", str(seed), "--threads",
                                         str(self.a.threads), "-o", part], log)
            if code:
                raise RuntimeError(f"simulate {scene} seed {seed} failed with {code}; see {log}")
            with open(os.path.join(part, "simulate_s"), "w", encoding="utf-8") as f:
                f.write(f"{wall:.2f}\n")
            os.rename(part, folder)
        return folder

    def run(self, scene, seed, name=None):
        """Figures of one (scene, seed), from the cache where they are there."""
        name = name or scene
        mode = "-no-camera" if self.a.no_camera else ""
        simulator = simulator_version(self.root, scene)
        cached = os.path.join(self.a.out, "runs", f"{name}-{seed}-{simulator}-{self.program}-t{self.a.threads}{mode}.json")
        if os.path.exists(cached):
            with open(cached, encoding="utf-8") as f:
                return json.load(f)
        sim = self.simulate(scene, name, seed)
        with open(os.path.join(sim, "truth", "truth.json"), encoding="utf-8") as f:
            truth = json.load(f)
        video = next((os.path.join(sim, n) for n in sorted(os.listdir(sim)) if n.startswith("video.")),
                     os.path.join(sim, "frames"))
        result = os.path.join(self.a.out, "result", f"{name}-{seed}{mode}")
        shutil.rmtree(result, ignore_errors=True)
        log = lambda step: os.path.join(self.a.out, "logs", f"{name}-{seed}{mode}-{step}.log")
        threads = str(self.a.threads)
        figures = {"scene": name, "seed": seed, "program": self.program, "simulator": simulator, "threads": self.a.threads,
                   "frames": truth["frames"], "length_m": truth["length_m"]}

        load = os.getloadavg()[0]  # what else the machine does makes the clock tell less
        lens = [] if self.a.no_camera else ["--camera", os.path.join(sim, "camera.yaml")]
        code, wall, cpu, peak = measured([self.a.intrados, "reconstruct", video, "--diameter", f"{truth['nominal_diameter_m']}m",
                                          *lens, "--threads", threads, "-o", result], log("reconstruct"))
        seconds = truth["frames"] / truth["fps"]
        figures.update(exit=code, reconstruct_s=wall, reconstruct_cpu_s=cpu, peak_mb=peak, real_time_factor=seconds / wall,
                       cpu_per_s=cpu / seconds, load_before=load)
        if os.path.isfile(video):
            dcode, dwall, _, _ = measured(["ffmpeg", "-nostdin", "-v", "error", "-threads", threads, "-i", video, "-f", "null",
                                           "-"], log("decode"))
            if dcode == 0:
                figures.update(decode_s=dwall, decode_ratio=wall / dwall)
        if code in (0, 3):
            with open(log("evaluate"), "w", encoding="utf-8") as err:
                done = subprocess.run([self.a.intrados, "evaluate", result, "--truth", sim, "--json"], stderr=err,
                                      stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
            figures["evaluate_exit"] = done.returncode
            if done.returncode == 0:
                figures["eval"] = json.loads(done.stdout)
        if self.a.clean:
            shutil.rmtree(sim, ignore_errors=True)
            shutil.rmtree(result, ignore_errors=True)
        with open(cached + ".part", "w", encoding="utf-8") as f:
            json.dump(figures, f, indent=1)
        os.rename(cached + ".part", cached)
        return figures


def cell(value, decimals):
    return "-" if value is None else f"{value:.{decimals}f}"


def write_table(runs, figures, to):
    """One line a scene: the median of its seeds, and in brackets the worst; then all runs together."""
    to.write("| scene | runs | " + " | ".join(f[0] for f in figures) + " |\n|---|---|" + "---|" * len(figures) + "\n")
    scenes = list(dict.fromkeys(r["scene"] for r in runs))
    for scene in scenes + ["all: median (worst)"]:
        chosen = [r for r in runs if r["scene"] == scene] if scene in scenes else runs
        line = [scene, str(len(chosen))]
        for _, path, decimals, worst, _ in figures:
            values = [pick(r, path) for r in chosen]
            known = [v for v in values if v is not None]
            text = f"{statistics.median(known):.{decimals}f} ({worst(known):.{decimals}f})" if known else "-"
            missing = len(values) - len(known)
            line.append(text + (f", {missing} without" if missing and known else ""))
        to.write("| " + " | ".join(line) + " |\n")
    to.write("| target | | " + " | ".join(f[4] for f in figures) + " |\n")


def write_intervals(runs, to):
    """Of all things of a kind, the share that is in its own stated interval."""
    to.write("| in its 95 % interval | things | % |\n|---|---|---|\n")
    for label, key in INTERVALS:
        found = [f for f in (r.get("eval", {}).get("figures", {}).get(key, {}) for r in runs) if f.get("value") is not None]
        n = sum(f["n"] for f in found)
        inside = round(sum(f["value"] * f["n"] / 100 for f in found))
        to.write(f"| {label} | {n} | {cell(100 * inside / n if n else None, 1)} |\n")
    to.write("| target | | 93 to 97 |\n")


def write_tables(runs, to):
    write_table(runs, FIGURES, to)
    to.write("\nJoints:\n\n")
    write_table(runs, JOINT_FIGURES, to)
    to.write("\nSections and relief:\n\n")
    write_table(runs, SHAPE_FIGURES, to)
    to.write("\nLaterals:\n\n")
    write_table(runs, LATERAL_FIGURES, to)
    to.write("\nLens, diameter, counter, deviations:\n\n")
    write_table(runs, LENS_FIGURES, to)
    to.write("\nJoints and laterals in their intervals:\n\n")
    write_intervals(runs, to)


def write_csv(runs, path):
    with open(path + ".part", "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        out.writerow(["scene", "seed", "exit", "frames", "length_m", "reconstruct_s", "decode_s", "load before"] + [x[0] for x in FIGURES])
        for r in runs:
            out.writerow([r["scene"], r["seed"], r["exit"], r["frames"], r["length_m"], cell(r["reconstruct_s"], 2),
                          cell(r.get("decode_s"), 2), cell(r["load_before"], 1)] +
                         [cell(pick(r, x[1]), x[2] + 1) for x in FIGURES])
    os.rename(path + ".part", path)


def longer(bench, scene, times):
    """A scene file with the same pipe `times` as long, driven through to its end."""
    # The resolved scene of the short one names every value, so nothing but the length changes.
    with open(os.path.join(bench.simulate(scene, scene, 1), "scene.json"), encoding="utf-8") as f:
        resolved = json.load(f)
    for stretch in resolved["centreline"]:
        stretch["straight_m"] = stretch.get("straight_m", 0) * times
    for phase in resolved["motion"]["phases"]:
        for key in ("distance_m", "to_m"):
            if phase.get(key, 0) > 0:  # negative: not given
                phase[key] *= times
    path = os.path.join(bench.a.out, f"{scene}-x{times}.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(resolved, f, indent=1)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--intrados", default="build/release/bin/intrados")
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", default="out/bench")
    parser.add_argument("--clean", action="store_true", help="remove each video and result once it is measured")
    parser.add_argument("--simulate-only", action="store_true", help="only make the videos that are not there yet")
    parser.add_argument("--no-camera", action="store_true", help="without calibration: the lens is estimated from the counter")
    parser.add_argument("--memory", metavar="SCENE", help="only: peak memory of SCENE against the same four times as long")
    a = parser.parse_args()
    bench = Bench(a)

    if a.memory:
        short = bench.run(a.memory, 1)
        long = bench.run(longer(bench, a.memory, 4), 1, a.memory + "-x4")
        print("| pipe | length m | frames | peak memory MB |\n|---|---|---|---|")
        for r in (short, long):
            print(f"| {r['scene']} | {r['length_m']:.1f} | {r['frames']} | {r['peak_mb']:.0f} |")
        more = long["peak_mb"] - short["peak_mb"]
        print(f"\nFour times the length takes {more:+.0f} MB (target: at most +50).")
        return 0 if more <= 50 and short["exit"] in (0, 3) and long["exit"] in (0, 3) else 1

    if a.simulate_only:
        for seed in a.seeds.split(","):
            for scene in a.scenes.split(","):
                print(bench.simulate(scene, scene, int(seed)))
        return 0

    runs, failed = [], 0
    for scene in a.scenes.split(","):
        for seed in a.seeds.split(","):
            try:
                runs.append(bench.run(scene, int(seed)))
                bad = runs[-1]["exit"] not in (0, 3) or runs[-1].get("evaluate_exit") != 0
                print(f"{scene} seed {seed}: " + ("FAILED" if bad else f"{runs[-1]['reconstruct_s']:.1f} s"), file=sys.stderr)
                failed += bad
            except RuntimeError as fault:
                print(fault, file=sys.stderr)
                failed += 1
    if runs:
        write_csv(runs, os.path.join(a.out, "suite.csv"))
        write_tables(runs, sys.stdout)
        with open(os.path.join(a.out, "suite.md"), "w", encoding="utf-8") as f:
            write_tables(runs, f)
    print(f"{len(runs)} runs, {failed} failed", file=sys.stderr)
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
