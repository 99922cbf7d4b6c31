#include "made_record.h"

#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(enum intra_status status, const struct intra_error *err)
{
    if (status == INTRA_OK) return;
    fprintf(stderr, "made record: %s\n", err->text);
    abort();
}

static void set(char **to, const char *text)
{
    struct intra_error err = {0};
    check(intra_text_set(to, text, &err), &err);
}

static struct intra_observation *add(struct intra_inspection *p, enum intra_code_system system, const char *code)
{
    struct intra_error err = {0};
    struct intra_observation *o;
    check(intra_inspection_add_observation(p, &o, &err), &err);
    o->system = system;
    set(&o->code, code);
    return o;
}

static void grade(struct intra_observation *o, enum intra_grade_scale scale, double value)
{
    struct intra_error err = {0};
    check(intra_observation_add_grade(o, (struct intra_grade){scale, INTRA_ASPECT_STRUCTURAL, value, false}, &err),
          &err);
}

/* Recorded there, and with is_refined the same as refined. */
static void place(struct intra_observation *o, double s0, double s1, double a0, double a1, bool is_refined)
{
    struct intra_wall_region region = {s0, s1, 0.1, a0, a1, 0.2};
    o->place.is_placed = true;
    o->place.recorded = region;
    if (is_refined) {
        region.station_sd_m = 0.005;
        region.clock_sd_rad = 0.01;
        o->place.is_refined = true;
    }
    o->place.refined = region;
    snprintf(o->place.reason, sizeof o->place.reason, "made");
}

static void outline(struct intra_observation *o, const double (*points)[2], int n, double start_m, bool is_line)
{
    struct intra_error err = {0};
    check(INTRA_ALLOC(o->place.outline, (size_t)n, &err), &err);
    for (int i = 0; i < n; i++) {
        o->place.outline[i][0] = start_m + points[i][0];
        o->place.outline[i][1] = points[i][1];
    }
    o->place.n_outline = n;
    o->place.is_line = is_line;
}

void made_record_init(struct intra_record *record, double start_m)
{
    static const double crack[][2] = {{0.3, 0.5}, {0.38, 0.52}, {0.45, 0.62}, {0.52, 0.6}, {0.6, 0.75}};
    static const double hole[][2] = {{3.0, 3.7},  {3.15, 3.7}, {3.15, 4.2}, {3.0, 4.2},
                                     {3.0, 4.05}, {3.1, 4.05}, {3.1, 3.85}, {3.0, 3.85}};
    static const double box[][2] = {{3.4, 6.1}, {3.5, 6.1}, {3.5, 6.6}, {3.4, 6.6}};
    struct intra_error err = {0};
    struct intra_inspection *p;
    struct intra_observation *o;
    char *remark;
    intra_record_init(record);
    check(intra_record_add_inspection(record, &p, &err), &err);
    p->format = INTRA_RECORD_ISYBAU;
    set(&p->id, "I-1");
    set(&p->pipe, "H12-H13");

    o = add(p, INTRA_CODES_EN13508_2, "BAB");
    set(&o->characterisation[0], "B");
    set(&o->text, "Riss, l\xC3\xA4ngs");
    place(o, start_m + 0.3, start_m + 0.6, 0.5, 0.75, true);
    outline(o, crack, 5, start_m, true);
    o->extent.length_m = 0.3051;
    o->extent.length_sd_m = 0.004;
    o->extent.width_m = 0.003;
    o->extent.width_sd_m = 0.0004;
    o->extent.resolution_m = 0.0011;
    grade(o, INTRA_SCALE_ISYBAU, 1);
    grade(o, INTRA_SCALE_PACP, 3);

    o = add(p, INTRA_CODES_EN13508_2, "BAF");
    place(o, start_m + 1.6, start_m + 1.9, intra_clock_from_hours(1), intra_clock_from_hours(2), false);
    grade(o, INTRA_SCALE_ISYBAU, 5);

    o = add(p, INTRA_CODES_EN13508_2, "BAC");
    place(o, start_m + 3.0, start_m + 3.15, 3.7, 4.2, true);
    outline(o, hole, 8, start_m, false);
    o->extent.area_m2 = 0.0083;
    o->extent.area_sd_m2 = 0.0003;
    grade(o, INTRA_SCALE_DWA, 0);

    o = add(p, INTRA_CODES_EN13508_2, "BAJ");
    place(o, start_m + 2.0, start_m + 2.0, 0, 2 * M_PI, false);
    grade(o, INTRA_SCALE_DWA, 4);

    o = add(p, INTRA_CODES_EN13508_2, "BBC");
    place(o, start_m + 0.5, start_m + 3.8, intra_clock_from_hours(7), intra_clock_from_hours(8), false);

    o = add(p, INTRA_CODES_OWN, "crack");
    place(o, start_m + 3.4, start_m + 3.5, 6.1, 6.6 - 2 * M_PI, false);
    outline(o, box, 4, start_m, false);
    o->score = 0.83;
    set(&o->model, "detector 2");
    o->place.frame = 88;
    o->place.time_s = 3.52;

    o = add(p, INTRA_CODES_PACP, "</script>\xff \"\\,\n");
    place(o, start_m + 3.3, start_m + 3.3, 3 * M_PI / 2, 3 * M_PI / 2, false);
    set(&o->text, "\xC3\x28 <b>\x01</b> \xED\xA0\x80");
    remark = intra_alloc(1000001, 1);
    if (!remark) abort();
    memset(remark, 'x', 1000000);
    memcpy(remark + 396, "\xE2\x82\xAC\xE2\x82\xAC", 6); /* where it is cut */
    o->remark = remark;
    grade(o, INTRA_SCALE_OTHER, 7);

    add(p, INTRA_CODES_EN13508_2, "BDB");
}
