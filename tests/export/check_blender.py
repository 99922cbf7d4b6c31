"""Runs inside Blender: opens the GLB of export_outputs and checks what arrived. Proves that Blender's importer takes it,
with names, stations, textures, places and normals. blender --background --python check_blender.py -- DIR"""
import json
import sys

import numpy

numpy.bool = bool  # Blender 3.4's glTF importer uses a name that numpy 1.24 dropped

import bpy
from mathutils import Vector

folder = sys.argv[sys.argv.index("--") + 1]
failures = 0


def expect(is_true, text):
    global failures
    print("ok     " if is_true else "FAILED ", text)
    failures += not is_true


def on_surface(objects, point):
    """Distance from a world point to the nearest surface, and the cosine between the face's normal and the way inside."""
    best = (1e9, 0)
    for o in objects:
        hit, place, normal, _ = o.closest_point_on_mesh(o.matrix_world.inverted() @ point)
        place = o.matrix_world @ place
        if hit and (place - point).length < best[0]:
            axis = Vector((place.x, 0.02 * place.x**2, 0))  # the made pipe's bend, 25 m radius
            inward = (axis - place).normalized()
            best = ((place - point).length, normal.dot(inward))
    return best


bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=folder + "/model.glb")
walls = [o for o in bpy.context.scene.objects if o.type == "MESH" and o.name.startswith("wall")]
expect(len(walls) == 4, f"{len(walls)} wall objects: {[o.name for o in walls]}")
expect(all(o["station_to_m"] > o["station_from_m"] for o in walls), "stations arrive as custom properties")
expect(all(i.size[0] > 0 and i.has_data for i in bpy.data.images if i.source == "FILE"), "textures load")
expect(len([i for i in bpy.data.images if i.source == "FILE"]) == len(walls), "one texture a wall object")
expect(all(m.use_backface_culling for m in bpy.data.materials), "single-sided materials")
joints = [o for o in bpy.context.scene.objects if o.type == "EMPTY" and o.name.startswith("joint")]
expect(sorted(o["station_m"] for o in joints) == [1, 2, 3], f"joints as empties: {[o.name for o in joints]}")
for mark in json.load(open(folder + "/marks.json")):
    x, y, z = mark["at"]
    distance, facing = on_surface(walls, Vector((x, -z, y)))  # the importer turns Y-up into Blender's Z-up
    expect(distance < 0.0006, f"{mark['name']}: the surface is {1000 * distance:.2f} mm from where it was made")
    expect(facing > 0.95, f"{mark['name']}: the face looks inside ({facing:.3f})")
print("failures:", failures)
sys.exit(1 if failures else 0)
