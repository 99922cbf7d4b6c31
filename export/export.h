/* From the scene to the files of the output contract. Each function writes beside and renames; none leaves a
 * half-written file under its final name. Errors: INTRA_E_IO naming the file (disk full, not writable), INTRA_E_MEM. */
#ifndef INTRA_EXPORT_EXPORT_H
#define INTRA_EXPORT_EXPORT_H

#include "core/inspection.h"
#include "core/progress.h"
#include "core/scene.h"

#include <stddef.h>

/* trajectory.tum: `t tx ty tz qx qy qz qw`, camera to world, one line per posed frame. */
enum intra_status intra_export_trajectory(const struct intra_scene *scene, const char *path, struct intra_error *err);
/* frames.csv, profile.csv: columns as in docs/outputs.md. */
enum intra_status intra_export_frames(const struct intra_scene *scene, const char *path, struct intra_error *err);
enum intra_status intra_export_profile(const struct intra_scene *scene, const char *path, struct intra_error *err);
/* observations.csv with its header: what was found as rows of source "found", then the observations of n inspections (0:
 * none), placed or not, as rows of kind "recorded". */
enum intra_status intra_export_observations(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                            int64_t n, const char *path, struct intra_error *err);

/* The code of EN 13508-2 for what the program found; "" where it is no defect. */
const char *intra_feature_code(const struct intra_feature *feature);

/* Drawings in millimetres: the profile over the station; the unrolled wall as a strip, station downwards, with what was
 * found and the placed observations of n inspections on it (needs the colour raster). INTRA_E_NO_RESULT where nothing
 * was measured. */
enum intra_status intra_export_profile_svg(const struct intra_scene *scene, const char *path, struct intra_error *err);
enum intra_status intra_export_strip_svg(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                         int64_t n, const char *path, struct intra_error *err);

enum intra_tiff_layer { INTRA_TIFF_COLOUR, INTRA_TIFF_RELIEF, INTRA_TIFF_COVERAGE };
/* Tiled TIFF with overviews and GeoTIFF tags in metres (x = station, y = arc length, 0 at the bottom edge, the
 * perimeter at the top), BigTIFF when needed; streams strip by strip. */
enum intra_status intra_export_tiff(const struct intra_scene *scene, enum intra_tiff_layer layer, const char *path,
                                    const struct intra_progress *progress, struct intra_error *err);

struct intra_mesh_options {
    double station_from_m, station_to_m; /* stretch; from >= to: everything */
    double chunk_m;                      /* longest chunk; default 2 m; cut at joints where they are known */
    double step_m;                       /* along the axis; 0: from the size budget */
    int segments;                        /* around; 0: from the size budget */
    double texel_m;                      /* texture; 0: from the size budget, never finer than the wall */
    size_t max_bytes;                    /* size budget of a GLB; default 25e6 */
    int max_texture_px;                  /* default 2048 */
    int jpeg_quality;                    /* default 85 */
    const struct intra_inspection *inspections; /* borrowed; their placed observations go onto the wall; NULL: none */
    int64_t n_inspections;
    const char
        *kept; /* a model of the same format, scene and stretch written before, maybe the one that is replaced: its
                * wall (OBJ), its textures and densities (GLB) are taken where they fit. NULL: none. Borrowed */
};
struct intra_mesh_options intra_mesh_defaults(void);
/* One node a chunk ("wall 0.00-1.00 m", extras: stations, texel, seen share), one a joint, one an observation that is
 * placed in the stretch; assumptions as extras of the scene. A path that ends in .gltf gets the JSON, and the binary part stands beside it as .bin. What options leave at 0 comes from max_bytes; INTRA_E_ARG when even the coarsest does not fit. Joins bin
 * and JSON from PATH.bin.part. Errors also: INTRA_E_NO_RESULT when no wall was seen in the stretch. The same for OBJ
 * and PLY, whose density is that of a GLB of max_bytes. */
enum intra_status intra_export_glb(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   const char *path, struct intra_error *err);
/* path is the .obj; .mtl and textures stand beside with the same stem. */
enum intra_status intra_export_obj(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   const char *path, struct intra_error *err);
enum intra_status intra_export_ply(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                   const char *path, struct intra_error *err);

/* For programs that read none of these, through Assimp 5.2: the same chunks with their textures beside as DAE, X3D or FBX (text
 * form, since Assimp cannot read back its own binary form), Y-up like the OBJ that they are made from; STL (binary) is one welded
 * surface without colour in the pipe's own world (Z-up), since CAD programs take STL so. Metres. Needs the memory of the whole mesh.
 * Errors also: INTRA_E_UNSUPPORTED with Assimp's reason. */
enum intra_foreign_format { INTRA_FOREIGN_DAE, INTRA_FOREIGN_FBX, INTRA_FOREIGN_STL, INTRA_FOREIGN_X3D };
enum intra_status intra_export_foreign(const struct intra_scene *scene, const struct intra_mesh_options *options,
                                       enum intra_foreign_format format, const char *path, struct intra_error *err);

#endif
