#!/usr/bin/env bash
# From nothing to a measured pipe: installs what is missing, builds, simulates the preset `demo`, reconstructs it, and
# says how far the result is from the truth. Usage: scripts/demo.sh [FOLDER]   (default: out/demo)
set -euo pipefail
source "$(dirname "$0")/lib.sh"

out=${1:-out/demo}
need_packages build
need_node_modules export/report
# The tests are not built here: the demo needs no test packages.
build_preset release -DBUILD_TESTING=OFF
intrados=build/release/bin/intrados
started=$SECONDS

say "1/3 simulating a pipe inspection: $out/sim"
rm -rf "$out/sim"
"$intrados" simulate demo -o "$out/sim"
video=$(find "$out/sim" -maxdepth 1 -name 'video.*' | head -n 1)
[ -n "$video" ] || die "the simulator left no video in $out/sim"
diameter=$(sed -n 's/.*"nominal_diameter_m"[^0-9]*\([0-9.eE+-]*\).*/\1/p' "$out/sim/truth/truth.json")
[ -n "$diameter" ] || die "no nominal_diameter_m in $out/sim/truth/truth.json"

say "2/3 reconstructing it from the video, the lens and the nominal diameter: $out/result"
status=0
"$intrados" reconstruct "$video" --diameter "${diameter}m" --camera "$out/sim/camera.yaml" --force -o "$out/result" ||
    status=$?
# 3: done, with gaps that the tables name.
[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || exit "$status"

say "3/3 comparing it with the truth"
"$intrados" evaluate "$out/result" --truth "$out/sim"

cat <<EOF

Done in $((SECONDS - started)) s after the build. Look at:
  the video that went in       $video
  the report page              $out/result/report.html    (any browser; or: $intrados view $out/result)
  the model in 3D              $out/result/model.glb      (Windows 3D Viewer, Blender, any glTF viewer; or model.obj)
  the wall, unrolled           $out/result/unrolled.tif   (any picture viewer; QGIS shows metres)
  relief and coverage          $out/result/relief.tif, coverage.tif
  the camera's path            $out/result/trajectory.tum, frames.csv
  sections, diameters, ovality $out/result/profile.csv
  everything in one file       $out/result/project.sqlite
Your own video:
  $intrados reconstruct VIDEO --diameter 300mm --camera CAMERA.yaml -o RESULT
EOF
exit "$status"
