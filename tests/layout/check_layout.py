#!/usr/bin/env python3
"""Reads who includes whom and fails on a wrong arrow.

Proves: rooms include only the rooms they may; the simulator takes only what docs/architecture.md allows from core, so
that an error in the reconstruction cannot cancel itself; headers of other projects stand in the files named below and in
no header; every header that is included exists; names of files are unique.
Does not prove: that no code was written twice.

Usage: check_layout.py ROOT           checks the tree
       check_layout.py --self-test    checks that wrong trees are found wrong
"""
import os
import re
import sys
import tempfile

# Room -> rooms that it may include. tools/sim is a room of its own.
ARROWS = {
    "core": {"core"},
    "recon": {"core", "recon"},
    "export": {"core", "export"},
    "tools/sim": {"core", "tools/sim"},
    "tools": {"core", "recon", "export", "tools", "tools/sim"},
    "tests": {"core", "recon", "export", "tools", "tools/sim", "tests"},
}

# What the simulator may take from core: vectors, pictures, video out, files, numbers; no lens, no wall, no section.
SIM_MAY_USE = {"fileio", "geom", "image", "log", "mem", "progress", "raster", "status", "units", "video"}

# Headers of other projects -> the .c files that may include them. A second file for one header needs a reason here.
FOREIGN = [
    # in, hash, out: three ideas, three files
    (r"libav\w+/|libsw\w+/", {"core/video.c", "core/video_hash.c", "core/video_writer.c"}),
    (r"sqlite3\.h", {"core/store.c"}),
    (r"png\.h|jpeglib\.h|turbojpeg\.h", {"core/image.c"}),
    # written with overviews, read back for the evaluation, and the simulator's own truth
    (r"tiffio\.h", {"export/tiff.c", "export/tiff_read.c", "tools/sim/sim_truth_raster.c"}),
    (r"yaml\.h", {"core/camera_file.c"}),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    parts = path.split("/")
    return "tools/sim" if parts[:2] == ["tools", "sim"] else parts[0]


def sources(root):
    for room in ("core", "recon", "export", "tools", "tests"):
        for folder, folders, files in os.walk(os.path.join(root, room)):
            folders[:] = sorted(f for f in folders if f != "node_modules")
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check(root):
    faults, names = [], {}
    for path in sources(root):
        room, name = room_of(path), os.path.basename(path)
        if names.setdefault(name, path) != path:
            faults.append(f"{path}: has the same name as {names[name]}")
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        for mark, header in INCLUDE.findall(text):
            if mark == '"':
                faults += check_own(root, path, room, header)
            else:
                faults += check_foreign(path, room, header)
    return faults


def check_own(root, path, room, header):
    if not os.path.exists(os.path.join(root, header)):
        # Tests keep helpers beside themselves; everything else is named from the root.
        if room == "tests" and os.path.exists(os.path.join(root, os.path.dirname(path), header)):
            return []
        return [f'{path}: includes "{header}", which is no file of this tree; name it from the root']
    target = room_of(header)
    if target not in ARROWS[room]:
        return [f"{path}: {room} may not include {header}"]
    if room == "tools/sim" and target == "core" and os.path.basename(header)[:-2] not in SIM_MAY_USE:
        return [f"{path}: the simulator may not use {header}"]
    if header.endswith("_internal.h") and room != "tests" and target != room:
        return [f"{path}: {header} is for the files of {target} only"]
    return []


def check_foreign(path, room, header):
    if room == "tests":
        return []
    for pattern, allowed in FOREIGN:
        if re.match(pattern, header) and path not in allowed and not path.endswith("_internal.h"):
            return [f"{path}: <{header}> belongs into {', '.join(sorted(allowed))} only"]
    return []


def self_test():
    """Each tree has one fault, named by a word of the message; the last one has none."""
    good = {"core/geom.h": "", "core/camera.h": "", "recon/tube.h": '#include "core/geom.h"\n', "export/mesh.h": "",
            "tools/sim/sim_wall.c": '#include "core/geom.h"\n'}
    cases = [
        ({"core/a.c": '#include "recon/tube.h"\n'}, "core may not include"),
        ({"recon/a.c": '#include "export/mesh.h"\n'}, "recon may not include"),
        ({"export/a.c": '  #  include "recon/tube.h"\n'}, "export may not include"),
        ({"tools/sim/a.c": '#include "recon/tube.h"\n'}, "may not include"),
        ({"tools/sim/a.c": '#include "core/camera.h"\n'}, "the simulator may not use"),
        ({"core/a.c": "#include <sqlite3.h>\n"}, "belongs into"),
        ({"core/a.h": "#include <libavcodec/avcodec.h>\n"}, "belongs into"),
        ({"core/a.c": '#include "geom.h"\n'}, "no file of this tree"),
        ({"recon/x_internal.h": "", "export/a.c": '#include "recon/x_internal.h"\n'}, "may not include"),
        ({"core/x_internal.h": "", "recon/a.c": '#include "core/x_internal.h"\n'}, "is for the files of core only"),
        ({"tools/geom.h": ""}, "same name"),
        ({}, None),
    ]
    for extra, word in cases:
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**good, **extra}.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                    f.write(text)
            faults = check(root)
        if word is None and faults or word is not None and not any(word in fault for fault in faults):
            sys.exit(f"self-test: {extra} gave {faults}, expected {word}")
    print(f"{len(cases)} trees judged right")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    faults = check(sys.argv[1])
    for fault in faults:
        print(fault)
    count = sum(1 for _ in sources(sys.argv[1]))
    print(f"{count} files read, {len(faults)} faults")
    sys.exit(1 if faults or count == 0 else 0)


if __name__ == "__main__":
    main()
