#!/bin/sh
# crack_scene.sh INTRADOS SCENE DIR: a small simulated pipe with one crack, reconstructed with a careless record of it; the
# video lies beside the result.
set -eu
rm -rf "$3"
mkdir -p "$3"
printf 'station_m,code,clock_from,clock_to,remark\n1.2,BAB,3,,as the inspector wrote it\n' >"$3/record.csv"
"$1" simulate "$2" -o "$3/sim" -q
"$1" reconstruct "$3/sim/video.mp4" --camera "$3/sim/camera.yaml" -d 300mm --counter off --start-station 0.3m --no-mesh \
  --record "$3/record.csv" -o "$3/sim/out" -q
