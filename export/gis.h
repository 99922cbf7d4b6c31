/* The pipe and its observations for geographic information systems: GeoPackage, GeoJSON, Esri file geodatabase,
 * Shapefile. Layers and columns: docs/outputs.md, "observations.gpkg". */
#ifndef INTRA_EXPORT_GIS_H
#define INTRA_EXPORT_GIS_H

#include "core/inspection.h"
#include "core/scene.h"

enum intra_gis_format { INTRA_GIS_GPKG, INTRA_GIS_GEOJSON, INTRA_GIS_FGDB, INTRA_GIS_SHP };

/* inspections (n of them, 0: none): their placed observations, and where the pipe lies: the first one with start_xyz
 * and end_xyz known puts the model's start on start_xyz and its end towards end_xyz (turned, not stretched), in its
 * `crs`; without one coordinates are the model's own metres. GeoPackage and GeoJSON are files, the others folders.
 * Writes beside and renames; a folder that is there is not replaced. Errors: INTRA_E_IO with GDAL's words,
 * INTRA_E_UNSUPPORTED (a driver this GDAL lacks), INTRA_E_EXISTS. */
enum intra_status intra_export_gis(const struct intra_scene *scene, const struct intra_inspection *inspections,
                                   int64_t n, enum intra_gis_format format, const char *path, struct intra_error *err);

/* "3.6.2" */
const char *intra_gis_library_version(void);

#endif
