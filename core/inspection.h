/* An inspection record: the one model that every exchange format maps into and out of.
 *
 * A record (one file) holds inspections; an inspection is one drive through one pipe with its header, observations and
 * media. Every number exists twice: as it stood in the source (`source`, verbatim names and values, in the order of the
 * file) and parsed, in SI. Writers take the parsed values, and from `source` of the same format what has no parsed
 * place, so that nothing is lost on a round trip. Unknown numbers are NaN, unknown text is NULL. Text is UTF-8, owned
 * by the struct that holds it (core/mem).
 *
 * Distances are those of the record: metres from the record's own zero, in the direction of that survey. Where an
 * observation lies on the reconstructed wall stands in `place` (filled by recon/locate), what was measured there in
 * `extent`. Clock angles: radians from the crown, clockwise looking the way that the camera travels, as every record
 * has them. */
#ifndef INTRA_CORE_INSPECTION_H
#define INTRA_CORE_INSPECTION_H

#include "core/geom.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum intra_record_format {
    INTRA_RECORD_NONE,
    INTRA_RECORD_OWN_CSV,
    INTRA_RECORD_OWN_JSON,
    INTRA_RECORD_PACP_MDB,
    INTRA_RECORD_PACP_CSV, /* one file a table, in a folder */
    INTRA_RECORD_PACP_SQLITE,
    INTRA_RECORD_WINCAN_DB3,
    INTRA_RECORD_EN_TEXT,
    INTRA_RECORD_ISYBAU,
    INTRA_RECORD_DWA_M150,
    INTRA_RECORD_RIBX,
    INTRA_RECORD_WSAA,
    INTRA_RECORD_MSCC,
    INTRA_RECORD_COCO,
    INTRA_RECORD_YOLO,
    INTRA_RECORD_CVAT,
    INTRA_RECORD_SEWERAI,
    INTRA_RECORD_N_FORMATS
};
const char *
intra_record_format_name(enum intra_record_format format); /* "pacp-mdb", "isybau", ... as on the command line */

enum intra_code_system {
    INTRA_CODES_UNKNOWN,
    INTRA_CODES_PACP,
    INTRA_CODES_EN13508_2, /* also ISYBAU since 2006, DWA-M 150 with EN codes, RIBX, WSAA's layout */
    INTRA_CODES_MSCC,
    INTRA_CODES_WSAA,
    INTRA_CODES_OWN /* free words: labels of a detector, codes of older national systems */
};
const char *intra_code_system_name(enum intra_code_system system);

/* Which end of a scale is bad differs; a grade without its scale means nothing. */
enum intra_grade_scale {
    INTRA_SCALE_NONE,
    INTRA_SCALE_PACP,   /* 1 to 5, 5 worst */
    INTRA_SCALE_ISYBAU, /* 0 to 5, 5 worst */
    INTRA_SCALE_DWA,    /* 0 to 5, 0 worst */
    INTRA_SCALE_VSA,    /* 0 to 4, 0 worst */
    INTRA_SCALE_WRC,    /* 1 to 5, 5 worst */
    INTRA_SCALE_WSAA,   /* 1 to 5, 5 worst */
    INTRA_SCALE_OTHER   /* as the source names it, direction unknown */
};
const char *intra_grade_scale_name(enum intra_grade_scale scale);
/* 0 (as new) to 1 (worst) for colours and sorting across scales; NaN when the scale's direction is not known. */
double intra_grade_severity(enum intra_grade_scale scale, double value);

enum intra_grade_aspect {
    INTRA_ASPECT_OVERALL,
    INTRA_ASPECT_STRUCTURAL, /* PACP structural, DWA/ISYBAU stability, WinCan S */
    INTRA_ASPECT_OPERATION,  /* PACP O&M, DWA/ISYBAU operation */
    INTRA_ASPECT_TIGHTNESS,  /* DWA/ISYBAU only */
    INTRA_ASPECT_HYDRAULIC   /* WinCan H */
};
const char *intra_grade_aspect_name(enum intra_grade_aspect aspect);

struct intra_grade {
    enum intra_grade_scale scale;
    enum intra_grade_aspect aspect;
    double value;
    bool is_computed; /* by this program from its tables; else as imported */
};
enum { INTRA_MAX_GRADES = 6 };

/* Verbatim fields of the source, in its order; names may repeat. */
struct intra_fields {
    struct intra_field {
        char *name, *value;
    } * items;
    int n, cap;
};

struct intra_media {
    enum intra_media_kind { INTRA_MEDIA_VIDEO, INTRA_MEDIA_PICTURE, INTRA_MEDIA_DOCUMENT } kind;
    char *file;
    struct intra_fields source;
};

const char *intra_media_kind_name(enum intra_media_kind kind); /* "video", "picture", "document" */

/* A region of a frame, from a detector or a labelling tool. Pixels of the picture of width_px x height_px, (0,0) =
 * centre of the top-left pixel. */
struct intra_frame_region {
    int64_t frame; /* index in the video; -1: not known */
    double time_s; /* NaN: not known */
    char *picture; /* file name where the source has one */
    int width_px, height_px;
    double (*outline)[2]; /* polygon, closed implicitly; a box has four corners */
    int n_outline;
    double score; /* 0 to 1; NaN */
};

/* A region on the unrolled wall. station_from <= station_to; the clock span runs clockwise from the first to the
 * second, 0 to 2 pi both; whole ring: 0 and 2 pi. */
struct intra_wall_region {
    double station_from_m, station_to_m, station_sd_m;
    double clock_from_rad, clock_to_rad, clock_sd_rad;
};

/* Where an observation is on the reconstructed wall. */
struct intra_place {
    bool is_placed;                    /* false: why stands in `reason` */
    struct intra_wall_region recorded; /* as the record has it, moved to stations of the model */
    bool is_refined;
    struct intra_wall_region refined; /* what is visible there; the record's where not refined */
    double (*outline)[2]; /* station_m, clock angle (unwrapped, continuous); closed implicitly; NULL: none */
    int n_outline;
    bool is_line;     /* the outline is an open line (a crack), not an area */
    char reason[192]; /* why placed, refined, or not, in words */
    int64_t frame;    /* best view; -1: none */
    double time_s;
    struct intra_vec3 x; /* world */
    struct intra_vec3 x_sd;
};

/* What was measured on the wall; NaN where it could not be, never guessed. `_sd` one standard deviation. */
struct intra_extent {
    double length_m, length_sd_m;             /* along the wall: of a line its run, of an area its longer side */
    double length_along_m, length_along_sd_m; /* along the pipe */
    double width_m, width_sd_m;               /* of a line defect across it; of an area around the pipe */
    bool is_width_limit;                      /* below what the picture resolves: width_m is an upper bound */
    double area_m2, area_sd_m2;
    double ring_share_pct, ring_share_sd_pct; /* of the circumference */
    double depth_m, depth_sd_m; /* into the pipe positive (deposit, intrusion), outwards negative (hole, wear) */
    double section_loss_pct, section_loss_sd_pct;
    double volume_m3, volume_sd_m3;
    double diameter_m, diameter_sd_m; /* of a lateral */
    double opening_m, opening_sd_m;   /* of a joint */
    double resolution_m;              /* ground resolution of the wall there, metres a pixel */
    int n_views;
};

struct intra_observation {
    char *id; /* in the source; NULL */
    enum intra_code_system system;
    char *code;                        /* main code: "BAB", "CL", "DSGV", a detector's label */
    char *characterisation[2];         /* EN: B and C; PACP: within the code */
    double quantity[2];                /* as the source counts, unit beside it */
    char *quantity_unit[2];            /* "mm", "%", "deg", NULL */
    double percent;                    /* PACP Value_Percent, WinCan Q3 */
    double distance_m;                 /* of the row: of the start row where continuous */
    double distance_to_m;              /* of the finish row of a continuous defect; NaN: a point */
    char *continuous_id;               /* "1" of S01/F01 or A1/B1; joined rows are one observation */
    struct intra_fields finish_source; /* verbatim finish row */
    double clock_from_rad,
        clock_to_rad; /* [0, 2 pi); NaN: none; a single position has to = NaN; whole ring: 0 and 2 pi */
    bool is_at_joint;
    double time_s;       /* in the video; NaN */
    int64_t frame;       /* in the video; -1 */
    char *remark, *text; /* remark of the inspector; meaning of the code in words where the source has it */
    struct intra_grade grades[INTRA_MAX_GRADES];
    int n_grades;
    struct intra_media *media;
    int n_media, cap_media;
    struct intra_frame_region *regions; /* machine detections */
    int n_regions, cap_regions;
    double score;               /* of the detector, 0 to 1; NaN */
    char *model, *review;       /* detector and version; state of the reviewer: "accepted", "rejected", NULL */
    struct intra_fields source; /* verbatim row */
    struct intra_place place;
    struct intra_extent extent;
};

enum intra_survey_direction { INTRA_DIRECTION_UNKNOWN, INTRA_DIRECTION_DOWNSTREAM, INTRA_DIRECTION_UPSTREAM };
const char *intra_survey_direction_name(enum intra_survey_direction direction); /* "downstream", "upstream", NULL */

struct intra_inspection {
    int64_t number;                  /* in the project's store, from 1; 0: not there */
    enum intra_record_format format; /* of the record that it came from */
    char *id, *pipe;                 /* of the inspection; name of the pipe */
    char *node_start, *node_end;     /* where this survey set out, and where it went to */
    char *node_upstream, *node_downstream;
    enum intra_survey_direction direction;
    bool is_reverse_setup; /* second survey, from the other end, of a pipe that could not be driven through */
    char *date, *time;     /* ISO 8601: "2024-05-17", "09:30:00" */
    char *standard;        /* coding standard as named */
    char *shape, *material, *purpose, *operator_name, *street, *town; /* as the source has them (codes) */
    double height_m, width_m, length_m, inspected_length_m, joint_spacing_m;
    bool is_imperial;                            /* the source counts in feet and inches */
    struct intra_vec3 start_xyz, end_xyz;        /* of the nodes, in `crs`; NaN: not given */
    char *crs;                                   /* "EPSG:25832" or as named */
    struct intra_grade grades[INTRA_MAX_GRADES]; /* of the pipe */
    int n_grades;
    struct intra_fields source; /* verbatim header */
    struct intra_observation *observations;
    int64_t n_observations, cap_observations;
    struct intra_media *media;
    int n_media, cap_media;
};

/* What reading did with the rows; said to the user after each import. */
struct intra_record_counts {
    int64_t read;                             /* observations */
    int64_t kept;                             /* values kept as text only, not understood */
    int64_t refused;                          /* rows that are no observation */
    char first_kept[160], first_refused[160]; /* why, with the place in the file */
};

struct intra_record {
    enum intra_record_format format;
    char *path;
    char *version; /* of the format, as the file says: "2013-02", "7.0.2" */
    struct intra_inspection *inspections;
    int64_t n_inspections, cap_inspections;
    struct intra_record_counts counts;
};

void intra_record_init(struct intra_record *record);
void intra_record_fini(struct intra_record *record); /* frees all of it, leaves it as init does */
/* Append one with all numbers unknown. *out stays valid until the next one is added to the same list. Errors:
 * INTRA_E_MEM. */
enum intra_status intra_record_add_inspection(struct intra_record *record, struct intra_inspection **out,
                                              struct intra_error *err);
/* Take out those that are marked; one flag an inspection. */
void intra_record_remove_inspections(struct intra_record *record, const bool *is_gone);
enum intra_status intra_inspection_add_observation(struct intra_inspection *inspection, struct intra_observation **out,
                                                   struct intra_error *err);
/* Where it is as well as that is known: the refined region, else the recorded one. */
const struct intra_wall_region *intra_place_region(const struct intra_place *place);
/* Take out those that are marked; one flag an observation. */
void intra_inspection_remove_observations(struct intra_inspection *inspection, const bool *is_gone);
enum intra_status intra_observation_add_media(struct intra_observation *observation, enum intra_media_kind kind,
                                              const char *file, struct intra_media **out, struct intra_error *err);
enum intra_status intra_observation_add_region(struct intra_observation *observation, struct intra_frame_region **out,
                                               struct intra_error *err);
enum intra_status intra_observation_add_grade(struct intra_observation *observation, struct intra_grade grade,
                                              struct intra_error *err); /* INTRA_E_ARG when full */
enum intra_status intra_inspection_add_media(struct intra_inspection *inspection, enum intra_media_kind kind,
                                             const char *file, struct intra_media **out, struct intra_error *err);
/* Append a copy of name and value (NULL: an empty element). */
enum intra_status intra_fields_add(struct intra_fields *fields, const char *name, const char *value,
                                   struct intra_error *err);
const char *intra_fields_get(const struct intra_fields *fields,
                             const char *name); /* first of that name (case ignored); NULL */
/* Replace the string behind `to` by a copy of `from` (NULL allowed). */
enum intra_status intra_text_set(char **to, const char *from, struct intra_error *err);

/* Clock hours 1 to 12 (decimals allowed, 0 and 12 both the crown) to radians and back; NaN stays NaN. */
double intra_clock_from_hours(double hours);
double intra_clock_to_hours(double rad); /* in (0, 12] */

#endif
