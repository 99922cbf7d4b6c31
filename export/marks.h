/* Observations as shapes that float a little inside the wall: a patch over the region, a ribbon around it, a pin with
 * the observation's number. What the model formats share; the report page draws the same regions in the same colours
 * under the same numbers. Maths: docs/methods.md, "Observations on the model". */
#ifndef INTRA_EXPORT_MARKS_H
#define INTRA_EXPORT_MARKS_H

#include "core/inspection.h"
#include "export/mesh.h"

/* Colours as on the report page (export/report/colours.js): severity 0 to 1 in five steps that differ in lightness, and
 * one for what has no grade, or none whose scale has a direction. */
enum { INTRA_MARK_STEPS = 5, INTRA_MARK_UNGRADED = INTRA_MARK_STEPS, INTRA_MARK_COLOURS };
extern const uint8_t intra_mark_colours[INTRA_MARK_COLOURS][3]; /* sRGB */
/* The grade that colours an observation: the worst whose scale has a direction, else the first; NULL: none. */
const struct intra_grade *intra_mark_grade(const struct intra_observation *seen);
int intra_mark_colour(const struct intra_observation *seen);
/* Whether text on that colour is dark. */
bool intra_mark_is_ink_dark(int colour);

struct intra_mark {
    const struct intra_inspection *inspection; /* borrowed */
    const struct intra_observation *seen;      /* borrowed */
    int64_t number;                            /* on its pin; that of the report page of the whole pipe */
    int colour;
    bool is_whole_ring;     /* the region goes around; the polygon is a rectangle from 0 to 2 pi */
    double (*polygon)[2];   /* of the patch: station, unwrapped clock angle; closed implicitly */
    int n_polygon;          /* at least 3 */
    double low[2], high[2]; /* bounds of the polygon */
    double pin_at[2];       /* station and clock angle of the pin's foot */
    double area_m2;
};

struct intra_mark_list {
    const struct intra_scene *scene; /* borrowed */
    struct intra_mark *marks;        /* by number */
    int64_t n;
    int64_t n_not_placed, n_left_out;    /* without a place on the wall; too many for the size budget */
    double station_from_m, station_to_m; /* patches end there */
    int vertex_limit;                    /* aimed at, of a patch */
    double bytes;                        /* about what they cost in a GLB */
};

/* The placed observations of options->inspections in the stretch. They may take a quarter of options->max_bytes: with
 * very many the least severe are left out. Errors: INTRA_E_MEM. */
enum intra_status intra_mark_list_init(struct intra_mark_list *list, const struct intra_scene *scene,
                                       const struct intra_mesh_options *options, struct intra_error *err);
void intra_mark_list_fini(struct intra_mark_list *list);

/* The surface of the mesh under the marks: relief on its lattice, where marks need it. */
struct intra_mark_surface {
    const struct intra_mesh_plan *plan; /* borrowed */
    double station_m, step_m;           /* of lattice column 0; from one to the next */
    int64_t n_blocks;
    float **blocks; /* block_cols x segments each, NULL where no mark is */
};
enum intra_status intra_mark_surface_init(struct intra_mark_surface *surface, const struct intra_mark_list *list,
                                          const struct intra_mesh_plan *plan, struct intra_error *err);
void intra_mark_surface_fini(struct intra_mark_surface *surface);

/* Triangles, counter-clockwise seen from the inside. Z-up world, metres, relative to the body's origin. */
enum intra_mark_part { INTRA_MARK_PATCH, INTRA_MARK_SOLID, INTRA_MARK_INK, INTRA_MARK_PARTS };
struct intra_mark_body {
    double origin[3];
    struct intra_mark_triangles {
        float *positions; /* 3 a vertex */
        uint32_t *indices;
        int64_t n_vertices, n_indices, cap_vertices, cap_indices;
    } parts[INTRA_MARK_PARTS]; /* patch; ribbon, stem and plate; digits */
};
/* Where the polygon leaves nothing in the stretch, the patch is empty. Errors: INTRA_E_MEM. */
enum intra_status intra_mark_body_init(struct intra_mark_body *body, const struct intra_mark_list *list, int64_t i,
                                       const struct intra_mark_surface *surface, struct intra_error *err);
void intra_mark_body_turn_y_up(struct intra_mark_body *body);
void intra_mark_body_fini(struct intra_mark_body *body);

/* Spans of clock angle that the polygon covers at a station, [from, to] each, unwrapped; returns how many (at most
 * `most`; the rest is dropped). Non-zero winding: overlaps of an outline with itself are covered. */
int intra_mark_spans(const struct intra_mark *mark, double station_m, double (*out)[2], int most);

#endif
