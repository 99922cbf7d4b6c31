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
textures = {n.image.name for o in walls for m in o.data.materials for n in m.node_tree.nodes if n.type == "TEX_IMAGE"}
expect(len(textures) == len(walls), "one texture a wall object")
expect(all(m.use_backface_culling for o in walls for m in o.data.materials), "single-sided materials")
joints = [o for o in bpy.context.scene.objects if o.type == "EMPTY" and o.name.startswith("joint")]
expect(sorted(o["station_m"] for o in joints) == [1, 2, 3], f"joints as empties: {[o.name for o in joints]}")
observations = [o for o in bpy.context.scene.objects if o.get("kind") == "observation"]
expect(len(observations) == 7 and all(o.type == "MESH" for o in observations), f"{len(observations)} observations: {[o.name for o in observations]}")
hole = next(o for o in observations if o["code"] == "BAC")
expect(abs(hole["station_from_m"] - 3) < 1e-6 and hole["grade_scale"] == "DWA" and hole["grade"] == 0, "an observation's properties arrive")
expect([s.material.name for s in hole.material_slots] == ["observation severity 4, patch", "observation severity 4", "observation number, light"],
       f"its materials: {[s.material.name for s in hole.material_slots]}")
patches = [o.matrix_world @ o.data.vertices[v].co for o in observations for p in o.data.polygons
           if o.material_slots[p.material_index].material.name.endswith("patch") for v in p.vertices]
gaps = [on_surface(walls, p) for p in patches[::37] if not 2.2 < p.x < 2.9]
expect(len(gaps) > 50 and all(0.001 < d < 0.007 and facing > 0.9 for d, facing in gaps),
       f"{len(gaps)} corners of patches float {1000 * min(g[0] for g in gaps):.1f} to {1000 * max(g[0] for g in gaps):.1f} mm off the wall")
for mark in json.load(open(folder + "/marks.json")):
    x, y, z = mark["at"]
    distance, facing = on_surface(walls, Vector((x, -z, y)))  # the importer turns Y-up into Blender's Z-up
    expect(distance < 0.0006, f"{mark['name']}: the surface is {1000 * distance:.2f} mm from where it was made")
    expect(facing > 0.95, f"{mark['name']}: the face looks inside ({facing:.3f})")
print("failures:", failures)
sys.exit(1 if failures else 0)
