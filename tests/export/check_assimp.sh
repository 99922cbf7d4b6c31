#!/bin/sh
# The mesh files of export_outputs through Assimp, a reader that is not ours: they open, and hold what was written.
# check_assimp.sh DIR      exit status 77 without assimp
dir=$1
command -v assimp >/dev/null || { echo "skipped: no assimp; install the Debian package assimp-utils"; exit 77; }
failures=0
expect() { # FILE PATTERN
    if assimp info "$dir/$1" 2>&1 | grep -q -- "$2"; then echo "ok     $1: $2"; else
        echo "FAILED $1: $2 not in what assimp says"; failures=$((failures + 1)); fi
}
wall=$(sed -n 's/^element face //p' "$dir/model.ply" | head -1)
whole=$(grep -c '^f ' "$dir/model.obj") # with the observations
[ "$(sed '/^o observation_/,$d' "$dir/model.obj" | grep -c '^f ')" = "$wall" ] || { echo "FAILED the OBJ's wall is not the PLY's"; failures=$((failures + 1)); }
[ "$whole" -gt "$wall" ] || { echo "FAILED no observations in the OBJ"; failures=$((failures + 1)); }
for file in model.glb model.obj model.ply "apart.gltf" foreign.dae foreign.fbx foreign.stl; do
    case $file in *.ply | *.stl) triangles=$wall ;; *) triangles=$whole ;; esac
    expect "$file" "^Faces: *$triangles\$"
    expect "$file" 'Primitive Types: *triangles'
done
expect model.glb 'wall 0.00-1.00 m'
expect model.obj 'wall_2.00-2.30_m'
expect model.obj "'model_003.jpg'"
expect model.obj 'BAC_severity_4_patch'
expect model.glb '^Meshes: *25$' # 4 chunks, 7 observations of 3 materials
expect model.ply '^Meshes: *1$'
# Where the pipe lies says whether units and axes came through: Y up but for PLY and STL.
extent() { # FILE: smallest and largest corner, to the centimetre
    assimp info "$dir/$1" 2>&1 | sed -n 's/^M[a-z]*imum point *(\(.*\))/\1/p' | while read -r x y z; do printf '%.2f %.2f %.2f ' "$x" "$y" "$z"; done | sed 's/-0\.00/0.00/g'
}
for file in "apart.gltf" model.obj foreign.dae foreign.fbx; do
    [ "$(extent "$file")" = "$(extent model.glb)" ] || { echo "FAILED $file lies elsewhere than model.glb"; failures=$((failures + 1)); }
done
[ "$(extent foreign.stl)" = "$(extent model.ply)" ] || { echo "FAILED foreign.stl lies elsewhere than model.ply"; failures=$((failures + 1)); }
for texture in foreign_000.jpg foreign_003.jpg; do
    for file in foreign.dae foreign.fbx foreign.x3d; do
        grep -q "$texture" "$dir/$file" || { echo "FAILED $file does not name $texture"; failures=$((failures + 1)); }
    done
    [ -s "$dir/$texture" ] || { echo "FAILED $texture is missing"; failures=$((failures + 1)); }
done
ls -d "$dir"/*.part >/dev/null 2>&1 && { echo "FAILED scratch was left"; failures=$((failures + 1)); }
exit $((failures > 0))
