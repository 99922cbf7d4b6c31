#!/usr/bin/env python3
"""Plain monocular visual odometry on the suite's videos, for comparison: what a textbook does with the same frames and the known lens.

Corners (Shi-Tomasi) are followed from keyframe to keyframe by pyramidal Lucas-Kanade with a forward-backward check; what does not move is
taken for burnt-in text and left out. Points are undistorted with the known lens; the motion between two keyframes is the essential matrix
(five points, RANSAC) and its pose in front of which most points lie; the length of a step is that which makes points seen in the step before keep
their depth (median ratio). The whole has one unknown scale: a cylinder is fitted to all triangulated points (Gauss-Newton, Cauchy weights),
and its radius is set to the nominal one. No map, no loop closure, no adjustment, no knowledge of the pipe but its diameter.

The lens of OpenCV's functions must see less than 180 degrees: fisheye scenes lose what lies beyond 75 degrees from the axis.

Usage: odometry.py DIR... [--flow 12]     DIR: folders of `intrados simulate` (video, camera.yaml, truth)
Needs Debian's python3-opencv and python3-numpy; prints a row of a table for each.
"""
import argparse
import glob
import json
import os
import re
import resource

import cv2
import numpy as np

from colmap import align, read_tum, relative_error_per_metre

LEAST_POINTS, MOST_POINTS = 60, 1500
STILL_PX, CHECK_PX = 0.5, 0.7
WIDEST = np.tan(np.radians(75))


def read_lens(path):
    """Function from pixels (n, 2) to directions in front, as x / z and y / z; NaN where the lens looks too far to the side."""
    text = open(path, encoding="utf-8").read()
    numbers = lambda key: [float(x) for x in re.search(key + r":.*?data:\s*\[([^\]]*)\]", text, re.S)[1].split(",")]
    k, d = np.array(numbers("camera_matrix")).reshape(3, 3), np.array(numbers("distortion_coefficients"))
    is_fisheye = bool(re.search(r"equidistant|fisheye", text))

    def undistort(px):
        px = np.asarray(px, np.float64).reshape(-1, 1, 2)
        out = cv2.fisheye.undistortPoints(px, k, d[:4]) if is_fisheye else cv2.undistortPoints(px, k, d)
        out = out.reshape(-1, 2)
        out[np.hypot(*out.T) > WIDEST] = np.nan
        if is_fisheye:  # beyond a right angle the function mirrors
            out[np.hypot(*((px.reshape(-1, 2) - k[:2, 2]) / k[0, 0]).T) > np.radians(75)] = np.nan
        return out

    return undistort, k[0, 0]


def triangulate(r, t, a, b):
    """Points in the first camera's frame; x_b = r x_a + t."""
    p = cv2.triangulatePoints(np.eye(3, 4), np.hstack([r, t.reshape(3, 1)]), a.T, b.T)
    return (p[:3] / p[3]).T


class Odometry:
    def __init__(self, undistort, focal, flow_px):
        self.undistort, self.focal, self.flow_px = undistort, focal, flow_px
        self.key = None           # grey picture of the last keyframe
        self.r, self.t = np.eye(3), np.zeros(3)  # world from camera, of the keyframe
        self.step = 1.0
        self.before = {}          # points of the step before that ended here: pixel in the keyframe -> depth there
        self.points, self.poses, self.lost = [], [], 0

    def corners(self, grey):
        self.start = cv2.goodFeaturesToTrack(grey, MOST_POINTS, 0.005, 6)
        self.start = self.start.reshape(-1, 2) if self.start is not None else np.zeros((0, 2), np.float32)
        self.where, self.alive = self.start.copy(), np.arange(len(self.start))
        self.key = self.last = grey

    def follow(self, grey):
        lk = dict(winSize=(21, 21), maxLevel=3)
        there, ok, _ = cv2.calcOpticalFlowPyrLK(self.last, grey, self.where, None, **lk)
        back, ok2, _ = cv2.calcOpticalFlowPyrLK(grey, self.last, there, None, **lk)
        good = (ok.ravel() == 1) & (ok2.ravel() == 1) & (np.hypot(*(back - self.where).T) < CHECK_PX)
        self.where, self.alive, self.last = there[good], self.alive[good], grey

    def add(self, time, grey):
        if self.key is None:
            self.corners(grey)
            self.poses.append((time, self.t.copy()))
            return
        if len(self.where):
            self.follow(grey)
        flow = np.hypot(*(self.where - self.start[self.alive]).T) if len(self.where) else np.zeros(0)
        moving = flow > STILL_PX
        if moving.sum() < LEAST_POINTS:
            if len(flow) < LEAST_POINTS:  # too few left: begin anew from here, the step is lost
                self.lost += 1
                self.before = {}
                self.corners(grey)
            return
        if np.median(flow[moving]) < self.flow_px and len(flow) > 0.3 * len(self.start):
            return
        self.end_step(time, grey, moving)

    def end_step(self, time, grey, moving):
        ids = self.alive[moving]
        a, b = self.undistort(self.start[ids]), self.undistort(self.where[moving])
        seen = np.isfinite(a).all(1) & np.isfinite(b).all(1)
        ids, a, b, px = ids[seen], a[seen], b[seen], self.where[moving][seen]
        e, mask = cv2.findEssentialMat(a, b, np.eye(3), cv2.RANSAC, 0.999, 1.0 / self.focal) if len(a) >= LEAST_POINTS else (None, None)
        if e is not None and e.shape == (3, 3):
            _, r, t, mask = cv2.recoverPose(e, a, b, np.eye(3), mask=mask)
        if e is None or e.shape != (3, 3) or np.count_nonzero(mask) < 8:
            self.lost += 1
            self.before = {}
            self.corners(grey)
            return
        keep = mask.ravel() > 0
        x = triangulate(r, t, a[keep], b[keep])
        self.scale_step(self.start[ids[keep]], x)
        x, t = x * self.step, t.ravel() * self.step
        ahead = (x[:, 2] > 0) & (np.linalg.norm(x, axis=1) < 60 * self.step)
        self.points.append(x[ahead] @ self.r.T + self.t)
        self.r, self.t = self.r @ r.T, self.t - self.r @ r.T @ t
        self.poses.append((time, self.t.copy()))
        ends = x @ r.T + t
        self.corners(grey)
        self.before = {}
        if len(self.start):  # a new corner within a pixel and a half of an old one's end is the same point
            for p, depth in zip(px[keep], ends[:, 2]):
                d = np.hypot(*(self.start - p).T)
                i = int(d.argmin())
                if d[i] < 1.5 and depth > 0:
                    self.before[i] = depth
        self.where, self.alive = self.start.copy(), np.arange(len(self.start))

    def scale_step(self, start, x):
        index = {tuple(p): i for i, p in enumerate(self.start)}
        ratios = [self.before[i] / z for p, z in zip(start, x[:, 2]) if z > 0 and (i := index[tuple(p)]) in self.before]
        if len(ratios) >= 8:
            self.step = float(np.median(ratios))


def cylinder_radius(points, centres):
    """Radius of the cylinder through the points; its axis starts as the line through the way's ends. Straight pipes only."""
    rng = np.random.default_rng(1)
    points = points[rng.choice(len(points), min(len(points), 20000), replace=False)]
    z = centres[-1] - centres[0]
    z /= np.linalg.norm(z)
    x = np.cross(z, [0, 1, 0])
    x /= np.linalg.norm(x)
    frame = np.stack([x, np.cross(z, x), z])
    q = (points - centres.mean(0)) @ frame.T
    u = np.array([0, 0, 0, 0, np.median(np.hypot(q[:, 0], q[:, 1]))])  # foot x, y; slope x, y; radius
    for _ in range(30):
        d = q[:, :2] - u[:2] - q[:, 2:] * u[2:4]
        r = np.hypot(*d.T) + 1e-12
        e = r - u[4]
        s = 1.48 * np.median(np.abs(e)) + 1e-9
        w = 1 / (1 + (e / (2 * s)) ** 2)
        n = d / r[:, None]
        j = np.column_stack([-n, -n * q[:, 2:], -np.ones(len(q))])
        step = np.linalg.lstsq(j * np.sqrt(w)[:, None], -e * np.sqrt(w), rcond=None)[0]
        u = u + step
        if np.abs(step).max() < 1e-9 * abs(u[4]):
            break
    return abs(u[4])


def judge(folder, flow_px):
    truth = json.load(open(os.path.join(folder, "truth", "truth.json"), encoding="utf-8"))
    times, centres = read_tum(os.path.join(folder, "truth", "trajectory.tum"))
    undistort, focal = read_lens(os.path.join(folder, "camera.yaml"))
    odometry = Odometry(undistort, focal, flow_px)
    video = cv2.VideoCapture(glob.glob(os.path.join(folder, "video.*"))[0])
    before = resource.getrusage(resource.RUSAGE_SELF)
    index = 0
    while True:
        ok, frame = video.read()
        if not ok:
            break
        odometry.add(index / truth["fps"], cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
        index += 1
    if len(odometry.poses) < 4 or not odometry.points:
        return None
    ours = np.array([p for _, p in odometry.poses])
    at = np.array([t for t, _ in odometry.poses])
    scale = truth["nominal_diameter_m"] / 2 / cylinder_radius(np.concatenate(odometry.points), ours)
    after = resource.getrusage(resource.RUSAGE_SELF)
    target = np.column_stack([np.interp(at, times, centres[:, i]) for i in range(3)])
    moved = align(ours * scale, target, is_scaled=False)
    free = align(ours, target)
    way = lambda p: np.linalg.norm(np.diff(p, axis=0), axis=1).sum()
    return {"keyframes": len(at), "lost": odometry.lost, "distance_pct": 100 * (np.linalg.norm(moved[-1] - moved[0]) / np.linalg.norm(target[-1] - target[0]) - 1),
            "ate_mm": 1e3 * np.sqrt(((moved - target) ** 2).sum(1).mean()), "ate_scaled_mm": 1e3 * np.sqrt(((free - target) ** 2).sum(1).mean()),
            "per_m_pct": 100 * relative_error_per_metre(moved, target), "way_m": way(target),
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--flow", type=float, default=12, help="a keyframe when the points have moved so far in the median, pixels")
    a = parser.parse_args()
    cv2.setNumThreads(1)
    cv2.setRNGSeed(1)
    print("| scene | keyframes | steps lost | distance error % | error over 1 m % | ATE mm | ATE mm, scale aligned | CPU s |\n|---|---|---|---|---|---|---|---|")
    for folder in a.folders:
        name = os.path.basename(folder.rstrip("/")).rsplit("-", 1)[0]
        r = judge(folder, a.flow)
        print(f"| {name} | no motion found |  |  |  |  |  |  |" if r is None else
              f"| {name} | {r['keyframes']} | {r['lost']} | {r['distance_pct']:+.1f} | {r['per_m_pct']:.1f} | {r['ate_mm']:.0f} | "
              f"{r['ate_scaled_mm']:.0f} | {r['cpu_s']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
