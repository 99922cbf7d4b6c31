#!/bin/sh
# The three mesh files of export_outputs through Assimp, a reader that is not ours: they open, and hold what was written.
# check_assimp.sh DIR      exit status 77 without assimp
dir=$1
command -v assimp >/dev/null || { echo "skipped: no assimp; install the Debian package assimp-utils"; exit 77; }
failures=0
expect() { # FILE PATTERN
    if assimp info "$dir/$1" 2>&1 | grep -q -- "$2"; then echo "ok     $1: $2"; else
        echo "FAILED $1: $2 not in what assimp says"; failures=$((failures + 1)); fi
}
for file in model.glb model.obj model.ply; do
    triangles=$(sed -n 's/^element face //p' "$dir/model.ply" | head -1)
    expect $file "^Faces: *$triangles\$"
    expect $file 'Primitive Types: *triangles'
done
expect model.glb 'wall 0.00-1.00 m'
expect model.obj 'wall_2.00-2.30_m'
expect model.obj "'model_003.jpg'"
expect model.glb '^Meshes: *4$'
expect model.ply '^Meshes: *1$'
exit $((failures > 0))
