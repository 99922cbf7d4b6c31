/* WinCan VX project databases (.db3). SECTION is the pipe, SECINSP the drive, SECOBS the observation, SECOBSMM its
 * media; rows with a date in *_Deleted are gone. Metres; sizes in millimetres. */
#include "core/dbfile.h"
#include "core/mem.h"
#include "export/record_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECTION, NODE, SECINSP, SECOBS, SECOBSMM, N_TABLES };
static const char *const names[N_TABLES] = {"SECTION", "NODE", "SECINSP", "SECOBS", "SECOBSMM"};
static const char *const keys[N_TABLES] = {"OBJ_PK", "OBJ_PK", "INS_PK", "OBS_PK", "OMM_PK"};
static const char *const deleted[N_TABLES] = {"OBJ_Deleted", "OBJ_Deleted", "INS_Deleted", "OBS_Deleted",
                                              "OMM_Deleted"};

struct key {
    const char *text;
    int64_t at;
};

struct tables {
    struct intra_sheet t[N_TABLES];
    struct key *index[N_TABLES]; /* rows that are not deleted, by key */
    int64_t n[N_TABLES];
};

static int by_text(const void *a, const void *b)
{
    return strcasecmp(((const struct key *)a)->text, ((const struct key *)b)->text);
}

static const char *cell(const struct tables *db, int table, int64_t row, const char *name)
{
    return row < 0 ? NULL : intra_sheet_at(&db->t[table], row, intra_sheet_find(&db->t[table], name));
}

/* Row of a key, -1. */
static int64_t find(const struct key *index, int64_t n, const char *text)
{
    struct key wanted = {text, 0};
    const struct key *found = text && n ? bsearch(&wanted, index, (size_t)n, sizeof *index, by_text) : NULL;
    return found ? found->at : -1;
}

static enum intra_status load(const char *path, struct tables *db, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct intra_dbfile *file = NULL;
    INTRA_TRY(intra_dbfile_open(path, &file, err));
    for (int i = 0; i < N_TABLES; i++) {
        if (!intra_dbfile_has_table(file, names[i])) {
            if (i != SECINSP && i != SECOBS) continue;
            status = INTRA_FAIL(err, INTRA_E_FORMAT, "%s: the table %s of WinCan VX is not in this database", path,
                                names[i]);
            goto done;
        }
        INTRA_TRY(intra_dbfile_read(file, names[i], &db->t[i], err));
        INTRA_TRY(INTRA_ALLOC(db->index[i], (size_t)db->t[i].n_rows + 1, err));
        for (int64_t r = 0; r < db->t[i].n_rows; r++)
            if (!cell(db, i, r, deleted[i]) && cell(db, i, r, keys[i]))
                db->index[i][db->n[i]++] = (struct key){cell(db, i, r, keys[i]), r};
        qsort(db->index[i], (size_t)db->n[i], sizeof(struct key), by_text);
    }
done:
    intra_dbfile_close(&file);
    return status;
}

static enum intra_status copy_row(const struct tables *db, int table, int64_t row, struct intra_fields *out,
                                  struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const struct intra_sheet *t = &db->t[table];
    for (int i = 0; row >= 0 && i < t->n_cols; i++)
        if (intra_sheet_at(t, row, i)) INTRA_TRY(intra_fields_add(out, t->names[i], intra_sheet_at(t, row, i), err));
done:
    return status;
}

static const char *node(const struct tables *db, const char *key)
{
    return cell(db, NODE, find(db->index[NODE], db->n[NODE], key), "OBJ_Key");
}

static enum intra_status read_inspection(const struct tables *db, int64_t row, struct intra_inspection *p,
                                         struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    int64_t section = find(db->index[SECTION], db->n[SECTION], cell(db, SECINSP, row, "INS_Section_FK"));
    double direction = intra_record_number(cell(db, SECINSP, row, "INS_InspectionDir"));
    const char *start = cell(db, SECINSP, row, "INS_StartDate"),
               *from = node(db, cell(db, SECINSP, row, "INS_StartNode_REF")),
               *to = node(db, cell(db, SECINSP, row, "INS_EndNode_REF"));
    double size1 = intra_record_number(cell(db, SECTION, section, "OBJ_Size1")),
           size2 = intra_record_number(cell(db, SECTION, section, "OBJ_Size2"));
    char date[11], day_time[9];
    p->direction = direction == 1   ? INTRA_DIRECTION_DOWNSTREAM
                   : direction == 2 ? INTRA_DIRECTION_UPSTREAM
                                    : INTRA_DIRECTION_UNKNOWN;
    p->is_reverse_setup = intra_record_bool(cell(db, SECINSP, row, "INS_ReverseSetup"));
    p->is_imperial = intra_record_bool(cell(db, SECINSP, row, "INS_IsImperial"));
    p->height_m = size1 * 0.001;
    p->width_m = (isnan(size2) ? size1 : size2) * 0.001;
    p->length_m = intra_record_number(cell(db, SECTION, section, "OBJ_Length"));
    p->inspected_length_m = intra_record_number(cell(db, SECINSP, row, "INS_InspectedLength"));
    p->joint_spacing_m = intra_record_number(cell(db, SECTION, section, "OBJ_PipeLength"));
    INTRA_TRY(intra_text_set(&p->id, cell(db, SECINSP, row, "INS_PK"), err));
    INTRA_TRY(intra_text_set(&p->pipe, cell(db, SECTION, section, "OBJ_Key"), err));
    INTRA_TRY(intra_text_set(&p->node_upstream, node(db, cell(db, SECTION, section, "OBJ_FromNode_REF")), err));
    INTRA_TRY(intra_text_set(&p->node_downstream, node(db, cell(db, SECTION, section, "OBJ_ToNode_REF")), err));
    INTRA_TRY(intra_text_set(&p->node_start, from, err));
    INTRA_TRY(intra_text_set(&p->node_end, to, err));
    if (intra_record_date(start, date)) INTRA_TRY(intra_text_set(&p->date, date, err));
    if (intra_record_day_time(start, day_time)) INTRA_TRY(intra_text_set(&p->time, day_time, err));
    INTRA_TRY(intra_text_set(&p->standard, cell(db, SECINSP, row, "INS_Standard"), err));
    INTRA_TRY(intra_text_set(&p->shape, cell(db, SECTION, section, "OBJ_Shape"), err));
    INTRA_TRY(intra_text_set(&p->material, cell(db, SECTION, section, "OBJ_Material"), err));
    INTRA_TRY(intra_text_set(&p->purpose, cell(db, SECINSP, row, "INS_Purpose"), err));
    INTRA_TRY(intra_text_set(&p->street, cell(db, SECTION, section, "OBJ_Street"), err));
    INTRA_TRY(intra_text_set(&p->town, cell(db, SECTION, section, "OBJ_City"), err));
    INTRA_TRY(copy_row(db, SECTION, section, &p->source, err));
    INTRA_TRY(copy_row(db, SECINSP, row, &p->source, err));
done:
    return status;
}

/* The standard of an inspection is only sometimes right; MSCC rating or code words of two letters tell more. */
static enum intra_code_system system_of(const struct tables *db, int64_t row)
{
    const char *rate = cell(db, SECINSP, row, "INS_RateText"), *standard = cell(db, SECINSP, row, "INS_Standard");
    if ((rate && intra_record_has_word(rate, "MSCC")) || (standard && intra_record_has_word(standard, "MSCC")))
        return INTRA_CODES_MSCC;
    if ((rate && intra_record_has_word(rate, "PACP")) || (standard && intra_record_has_word(standard, "PACP")))
        return INTRA_CODES_PACP;
    if (standard && intra_record_has_word(standard, "13508")) return INTRA_CODES_EN13508_2;
    return INTRA_CODES_UNKNOWN;
}

static enum intra_status read_observation(const struct tables *db, int64_t row, enum intra_code_system system,
                                          struct intra_observation *o, struct intra_error *err)
{
    static const struct {
        const char *name;
        enum intra_grade_aspect aspect;
    } grades[] = {{"OBS_GradeS", INTRA_ASPECT_STRUCTURAL},
                  {"OBS_GradeO", INTRA_ASPECT_OPERATION},
                  {"OBS_GradeH", INTRA_ASPECT_HYDRAULIC}};
    enum intra_status status = INTRA_OK;
    o->system = system;
    o->distance_m = intra_record_number(cell(db, SECOBS, row, "OBS_Distance"));
    o->quantity[0] = intra_record_number(cell(db, SECOBS, row, "OBS_Q1_Value"));
    o->quantity[1] = intra_record_number(cell(db, SECOBS, row, "OBS_Q2_Value"));
    o->percent = intra_record_number(cell(db, SECOBS, row, "OBS_Q3_Value"));
    o->is_at_joint = intra_record_bool(cell(db, SECOBS, row, "OBS_AtJoint"));
    o->time_s = intra_record_video_time(cell(db, SECOBS, row, "OBS_TimeCtr"));
    intra_record_clock_span(intra_record_clock(cell(db, SECOBS, row, "OBS_ClockPos1")),
                            intra_record_clock(cell(db, SECOBS, row, "OBS_ClockPos2")), &o->clock_from_rad,
                            &o->clock_to_rad);
    INTRA_TRY(intra_text_set(&o->id, cell(db, SECOBS, row, "OBS_PK"), err));
    INTRA_TRY(intra_text_set(&o->code, cell(db, SECOBS, row, "OBS_OpCode"), err));
    INTRA_TRY(intra_text_set(&o->characterisation[0], cell(db, SECOBS, row, "OBS_Char1"), err));
    INTRA_TRY(intra_text_set(&o->characterisation[1], cell(db, SECOBS, row, "OBS_Char2"), err));
    INTRA_TRY(intra_text_set(&o->quantity_unit[0], cell(db, SECOBS, row, "OBS_U1_Value"), err));
    INTRA_TRY(intra_text_set(&o->quantity_unit[1], cell(db, SECOBS, row, "OBS_U2_Value"), err));
    INTRA_TRY(intra_text_set(&o->continuous_id, cell(db, SECOBS, row, "OBS_CD_Code1"), err));
    INTRA_TRY(intra_text_set(&o->text, cell(db, SECOBS, row, "OBS_Observation"), err));
    INTRA_TRY(intra_text_set(&o->remark, cell(db, SECOBS, row, "OBS_Memo"), err));
    for (int i = 0; i < 3; i++) {
        double value = intra_record_number(cell(db, SECOBS, row, grades[i].name));
        struct intra_grade grade = {system == INTRA_CODES_PACP   ? INTRA_SCALE_PACP
                                    : system == INTRA_CODES_MSCC ? INTRA_SCALE_WRC
                                                                 : INTRA_SCALE_OTHER,
                                    grades[i].aspect, value, false};
        if (!isnan(value)) INTRA_TRY(intra_observation_add_grade(o, grade, err));
    }
    INTRA_TRY(copy_row(db, SECOBS, row, &o->source, err));
done:
    return status;
}

struct observed {
    double order;
    int64_t row, owner;
};

static int by_order(const void *a, const void *b)
{
    const struct observed *x = a, *y = b;
    if (x->owner != y->owner) return x->owner < y->owner ? -1 : 1;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

enum intra_status intra_record_read_wincan_db3(const char *path, struct intra_record *out, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct tables db = {0};
    struct observed *rows = NULL;
    int64_t *of_row = NULL;   /* place of the inspection of a row of SECINSP */
    int64_t *row_of = NULL;   /* and back */
    struct key *place = NULL; /* of an observation: key -> inspection << 32 | index */
    int64_t n = 0, n_place = 0;
    INTRA_TRY(load(path, &db, err));
    INTRA_TRY(INTRA_ALLOC(rows, (size_t)db.t[SECOBS].n_rows + 1, err));
    INTRA_TRY(INTRA_ALLOC(place, (size_t)db.t[SECOBS].n_rows + 1, err));
    INTRA_TRY(INTRA_ALLOC(of_row, (size_t)db.t[SECINSP].n_rows + 1, err));
    INTRA_TRY(INTRA_ALLOC(row_of, (size_t)db.t[SECINSP].n_rows + 1, err));
    for (int64_t r = 0; r < db.t[SECINSP].n_rows; r++) {
        struct intra_inspection *p;
        if (find(db.index[SECINSP], db.n[SECINSP], cell(&db, SECINSP, r, "INS_PK")) != r) continue;
        of_row[r] = out->n_inspections;
        row_of[out->n_inspections] = r;
        INTRA_TRY(intra_record_add_inspection(out, &p, err));
        INTRA_TRY(read_inspection(&db, r, p, err));
    }
    for (int64_t k = 0; k < db.n[SECOBS]; k++) {
        int64_t r = db.index[SECOBS][k].at,
                owner = find(db.index[SECINSP], db.n[SECINSP], cell(&db, SECOBS, r, "OBS_Inspection_FK"));
        double order = intra_record_number(cell(&db, SECOBS, r, "OBS_SortOrder"));
        if (owner < 0 || !cell(&db, SECOBS, r, "OBS_OpCode"))
            intra_record_refused(out, "SECOBS %.40s: %s", db.index[SECOBS][k].text,
                                 owner < 0 ? "its inspection is not there" : "no code");
        else {
            rows[n].order = isnan(order) ? 1e9 : order;
            rows[n].row = r;
            rows[n++].owner = of_row[owner];
        }
    }
    qsort(rows, (size_t)n, sizeof *rows, by_order);
    for (int64_t k = 0; k < n; k++) {
        struct intra_inspection *p = &out->inspections[rows[k].owner];
        struct intra_observation *o;
        INTRA_TRY(intra_inspection_add_observation(p, &o, err));
        INTRA_TRY(read_observation(&db, rows[k].row, system_of(&db, row_of[rows[k].owner]), o, err));
        place[n_place++] =
            (struct key){cell(&db, SECOBS, rows[k].row, "OBS_PK"), rows[k].owner << 32 | (p->n_observations - 1)};
    }
    qsort(place, (size_t)n_place, sizeof *place, by_text);
    for (int64_t k = 0; k < db.n[SECOBSMM]; k++) {
        int64_t r = db.index[SECOBSMM][k].at,
                owner = find(place, n_place, cell(&db, SECOBSMM, r, "OMM_Observation_FK"));
        const char *type = cell(&db, SECOBSMM, r, "OMM_Type");
        struct intra_media *media;
        if (owner < 0) continue; /* of a deleted observation */
        INTRA_TRY(intra_observation_add_media(&out->inspections[owner >> 32].observations[owner & 0xffffffff],
                                              type && strncasecmp(type, "CLI", 3) == 0 ? INTRA_MEDIA_VIDEO
                                                                                       : INTRA_MEDIA_PICTURE,
                                              cell(&db, SECOBSMM, r, "OMM_FileName"), &media, err));
        INTRA_TRY(copy_row(&db, SECOBSMM, r, &media->source, err));
    }
    for (int64_t i = 0; i < out->n_inspections; i++)
        INTRA_TRY(intra_record_join_continuous(out, &out->inspections[i], err));
done:
    for (int i = 0; i < N_TABLES; i++) {
        intra_sheet_fini(&db.t[i]);
        intra_free(db.index[i]);
    }
    intra_free(rows);
    intra_free(of_row);
    intra_free(row_of);
    intra_free(place);
    return status;
}
