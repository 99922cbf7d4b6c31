#!/bin/sh
# check_blender.py inside Blender. check_blender.sh DIR      exit status 77 without Blender
command -v blender >/dev/null || { echo "skipped: no blender; install the Debian package blender"; exit 77; }
exec blender --background --factory-startup --python-exit-code 3 --python "$(dirname "$0")/check_blender.py" -- "$1"
