/* Observations in a glTF document: a node each, and the table that tells which texel of the wall belongs to which
 * (EXT_mesh_features, EXT_structural_metadata). Of gltf.c only. */
#ifndef INTRA_EXPORT_GLTF_MARKS_H
#define INTRA_EXPORT_GLTF_MARKS_H

#include "export/gltf_writer.h"
#include "export/marks.h"

/* A node with a mesh for each mark. Errors: INTRA_E_MEM. */
enum intra_status intra_gltf_put_marks(struct intra_gltf_writer *w, const struct intra_mark_list *list,
                                       const struct intra_mark_surface *surface, struct intra_error *err);
/* What a primitive of the wall has as `extensions`: a texture of row numbers of the table, the smallest observation on
 * top, list->n where there is none. *out: NULL where no observation touches the chunk. sampler: nearest neighbour. */
enum intra_status intra_gltf_put_feature_ids(struct intra_gltf_writer *w, const struct intra_mark_list *list,
                                             const struct intra_mesh_plan *plan, int64_t chunk, long long sampler,
                                             struct json_t **out, struct intra_error *err);
/* EXT_structural_metadata of the document: a row for each mark, columns as the nodes' extras. */
enum intra_status intra_gltf_put_table(struct intra_gltf_writer *w, const struct intra_mark_list *list,
                                       struct json_t **out, struct intra_error *err);

#endif
