/* Scene files: one table of keys per object does the reading, the checks, the hint on a typing error and the writing.
 */
#include "tools/sim/sim_scene.h"

#include "core/geom.h"
#include "core/mem.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { REAL, INT, SEED, BOOL, TEXT, CHOICE, OBJECT, LIST };

struct table;
struct field {
    const char *key;
    enum kind kind;
    size_t offset, size;     /* size: of the text buffer */
    double low, high;        /* REAL, INT: inclusive bounds; LIST: high = most items */
    const char *choices;     /* CHOICE: words separated by a space */
    const struct table *sub; /* OBJECT, LIST */
};
struct table {
    const struct field *fields;
    int n;
    size_t size;          /* of the struct */
    const void *defaults; /* LIST items start as this */
};

#define REAL_F(type, name, low, high)                                                                                  \
    {                                                                                                                  \
#name, REAL, offsetof(struct type, name), 0, low, high, NULL, NULL                                             \
    }
#define INT_F(type, name, low, high)                                                                                   \
    {                                                                                                                  \
#name, INT, offsetof(struct type, name), 0, low, high, NULL, NULL                                              \
    }
#define BOOL_F(type, name)                                                                                             \
    {                                                                                                                  \
#name, BOOL, offsetof(struct type, name), 0, 0, 0, NULL, NULL                                                  \
    }
#define TEXT_F(type, name)                                                                                             \
    {                                                                                                                  \
#name, TEXT, offsetof(struct type, name), sizeof(((struct type *)0)->name), 0, 0, NULL, NULL                   \
    }
#define CHOICE_F(type, name, words)                                                                                    \
    {                                                                                                                  \
#name, CHOICE, offsetof(struct type, name), sizeof(((struct type *)0)->name), 0, 0, words, NULL                \
    }
#define OBJECT_F(type, name, table)                                                                                    \
    {                                                                                                                  \
#name, OBJECT, offsetof(struct type, name), 0, 0, 0, NULL, &table                                              \
    }
#define LIST_F(type, name, most, table)                                                                                \
    {                                                                                                                  \
#name, LIST, offsetof(struct type, name), 0, 0, most, NULL, &table                                             \
    }
#define TABLE(name, type, defs)                                                                                        \
    static const struct table name = {name##_fields, sizeof name##_fields / sizeof name##_fields[0],                   \
                                      sizeof(struct type), defs}

#define MAX_LENGTH 1000.0 /* of a pipe; the whole wall lies in memory */

static const struct field video_fields[] = {INT_F(sim_video, width, 64, 4096),
                                            INT_F(sim_video, height, 64, 4096),
                                            REAL_F(sim_video, fps, 1, 120),
                                            CHOICE_F(sim_video, codec, "h264 mpeg2 mjpeg ffv1 png"),
                                            CHOICE_F(sim_video, container, "auto mp4 mkv mpg avi"),
                                            INT_F(sim_video, quality, 0, 63),
                                            REAL_F(sim_video, bitrate_mbit, 0, 200),
                                            BOOL_F(sim_video, interlaced),
                                            INT_F(sim_video, repeat_every, 0, 1000)};
TABLE(video, sim_video, NULL);

static const struct field lens_fields[] = {
    CHOICE_F(sim_lens, model, "brown kb"), REAL_F(sim_lens, hfov_deg, 10, 190), REAL_F(sim_lens, fx, 0, 20000),
    REAL_F(sim_lens, fy, 0, 20000),        REAL_F(sim_lens, cx, -1, 8192),      REAL_F(sim_lens, cy, -1, 8192),
    REAL_F(sim_lens, k1, -2, 2),           REAL_F(sim_lens, k2, -2, 2),         REAL_F(sim_lens, p1, -0.1, 0.1),
    REAL_F(sim_lens, p2, -0.1, 0.1),       REAL_F(sim_lens, k3, -2, 2),         REAL_F(sim_lens, k4, -2, 2)};
TABLE(lens, sim_lens, NULL);

static const struct field pipe_table_fields[] = {REAL_F(sim_pipe, diameter_m, 0.08, 3),
                                                 REAL_F(sim_pipe, grade_pct, -100, 100),
                                                 CHOICE_F(sim_pipe, material, "concrete clay brick plastic lined"),
                                                 REAL_F(sim_pipe, colour_r, -1, 255),
                                                 REAL_F(sim_pipe, colour_g, -1, 255),
                                                 REAL_F(sim_pipe, colour_b, -1, 255),
                                                 REAL_F(sim_pipe, contrast, 0, 3),
                                                 REAL_F(sim_pipe, dirt, 0, 1),
                                                 REAL_F(sim_pipe, gloss, -1, 1)};
TABLE(pipe_table, sim_pipe, NULL);

static const struct sim_stretch stretch_default = {.radius_m = 1, .towards_clock_deg = 90};
static const struct field stretch_fields[] = {
    REAL_F(sim_stretch, straight_m, 0, MAX_LENGTH), REAL_F(sim_stretch, bend_deg, 0, 180),
    REAL_F(sim_stretch, radius_m, 0.05, 1000), REAL_F(sim_stretch, towards_clock_deg, -360, 360)};
TABLE(stretch, sim_stretch, &stretch_default);

static const struct sim_joint joint_default = {.gap_m = 0.008, .depth_m = 0.015};
static const struct field joint_fields[] = {REAL_F(sim_joint, station_m, 0, MAX_LENGTH),
                                            REAL_F(sim_joint, gap_m, 0, 0.2),
                                            REAL_F(sim_joint, depth_m, 0, 0.2),
                                            REAL_F(sim_joint, offset_m, 0, 0.1),
                                            REAL_F(sim_joint, offset_clock_deg, -360, 360),
                                            REAL_F(sim_joint, deflection_deg, 0, 15),
                                            REAL_F(sim_joint, deflection_clock_deg, -360, 360)};
TABLE(joint, sim_joint, &joint_default);

static const struct field joints_fields[] = {REAL_F(sim_joints, spacing_m, 0, 100),
                                             REAL_F(sim_joints, first_m, 0, 100),
                                             REAL_F(sim_joints, gap_m, 0, 0.2),
                                             REAL_F(sim_joints, gap_spread_m, 0, 0.1),
                                             REAL_F(sim_joints, depth_m, 0, 0.2),
                                             REAL_F(sim_joints, offset_max_m, 0, 0.1),
                                             REAL_F(sim_joints, deflection_max_deg, 0, 15),
                                             LIST_F(sim_joints, list, 2000, joint)};
TABLE(joints, sim_joints, NULL);

static const struct sim_ovality ovality_default = {.ease_m = 0.5};
static const struct field ovality_fields[] = {
    REAL_F(sim_ovality, from_m, 0, MAX_LENGTH), REAL_F(sim_ovality, to_m, 0, MAX_LENGTH),
    REAL_F(sim_ovality, ovality_pct, 0, 30), REAL_F(sim_ovality, min_clock_deg, -360, 360),
    REAL_F(sim_ovality, ease_m, 0.01, 100)};
TABLE(ovality, sim_ovality, &ovality_default);

static const struct sim_lateral lateral_default = {.clock_deg = 60,
                                                   .diameter_m = 0.15,
                                                   .kind = "flush",
                                                   .wall_m = 0.008,
                                                   .protrusion_m = 0.03,
                                                   .branch_angle_deg = 90};
static const struct field lateral_fields[] = {
    REAL_F(sim_lateral, station_m, 0, MAX_LENGTH), REAL_F(sim_lateral, clock_deg, -360, 360),
    REAL_F(sim_lateral, diameter_m, 0.03, 2),      CHOICE_F(sim_lateral, kind, "flush protruding recessed"),
    REAL_F(sim_lateral, protrusion_m, 0, 0.5),     REAL_F(sim_lateral, wall_m, 0.002, 0.1),
    REAL_F(sim_lateral, branch_angle_deg, 30, 150)};
TABLE(lateral, sim_lateral, &lateral_default);

static const struct sim_crack crack_default = {.code = "BAB", .length_m = 0.5, .width_m = 0.0015, .wander = 0.5};
static const struct field crack_fields[] = {TEXT_F(sim_crack, code),
                                            REAL_F(sim_crack, station_m, 0, MAX_LENGTH),
                                            REAL_F(sim_crack, clock_deg, -360, 360),
                                            REAL_F(sim_crack, length_m, 0.005, 100),
                                            REAL_F(sim_crack, width_m, 0.0001, 0.05),
                                            REAL_F(sim_crack, direction_deg, -180, 180),
                                            REAL_F(sim_crack, wander, 0, 1)};
TABLE(crack, sim_crack, &crack_default);

static const struct sim_hole hole_default = {.code = "BAC", .length_m = 0.06, .width_m = 0.05, .depth_m = 0.05};
static const struct field hole_fields[] = {TEXT_F(sim_hole, code),
                                           REAL_F(sim_hole, station_m, 0, MAX_LENGTH),
                                           REAL_F(sim_hole, clock_deg, -360, 360),
                                           REAL_F(sim_hole, length_m, 0.005, 2),
                                           REAL_F(sim_hole, width_m, 0.005, 2),
                                           REAL_F(sim_hole, depth_m, 0.005, 0.5)};
TABLE(hole, sim_hole, &hole_default);

static const struct sim_deposit deposit_default = {.code = "BBC", .clock_deg = 180, .width_deg = 60, .height_m = 0.02};
static const struct field deposit_fields[] = {TEXT_F(sim_deposit, code),
                                              REAL_F(sim_deposit, from_m, 0, MAX_LENGTH),
                                              REAL_F(sim_deposit, to_m, 0, MAX_LENGTH),
                                              REAL_F(sim_deposit, clock_deg, -360, 360),
                                              REAL_F(sim_deposit, width_deg, 2, 360),
                                              REAL_F(sim_deposit, height_m, 0.001, 1)};
TABLE(deposit, sim_deposit, &deposit_default);

static const struct sim_root root_default = {
    .code = "BBA", .spread_deg = 90, .length_m = 0.15, .thickness_m = 0.006, .strands = 20};
static const struct field root_fields[] = {TEXT_F(sim_root, code),
                                           REAL_F(sim_root, station_m, 0, MAX_LENGTH),
                                           REAL_F(sim_root, clock_deg, -360, 360),
                                           REAL_F(sim_root, spread_deg, 1, 360),
                                           REAL_F(sim_root, length_m, 0.01, 3),
                                           REAL_F(sim_root, thickness_m, 0.001, 0.05),
                                           INT_F(sim_root, strands, 1, 500)};
TABLE(root, sim_root, &root_default);

static const struct sim_water water_default = {.level_pct = 15, .murk = 0.6, .ripple = 0.3};
static const struct field water_fields[] = {
    REAL_F(sim_water, from_m, 0, MAX_LENGTH), REAL_F(sim_water, to_m, 0, MAX_LENGTH),
    REAL_F(sim_water, level_pct, 0.5, 45), REAL_F(sim_water, murk, 0, 1), REAL_F(sim_water, ripple, 0, 1)};
TABLE(water, sim_water, &water_default);

static const struct sim_lamp lamp_default = {.power = 1};
static const struct field lamp_fields[] = {REAL_F(sim_lamp, x_m, -1, 1), REAL_F(sim_lamp, y_m, -1, 1),
                                           REAL_F(sim_lamp, z_m, -1, 1), REAL_F(sim_lamp, power, 0, 1000)};
TABLE(lamp, sim_lamp, &lamp_default);

static const struct field light_fields[] = {REAL_F(sim_light, ring_radius_m, 0, 0.5),
                                            INT_F(sim_light, ring_lamps, 1, 8),
                                            REAL_F(sim_light, beam, 0, 1),
                                            REAL_F(sim_light, ambient, 0, 1),
                                            BOOL_F(sim_light, auto_exposure),
                                            REAL_F(sim_light, target, 0.02, 0.95),
                                            REAL_F(sim_light, lag_s, 0, 60),
                                            REAL_F(sim_light, gain, 0.001, 1000),
                                            REAL_F(sim_light, warmth, -1, 1),
                                            LIST_F(sim_light, lamps, 8, lamp)};
TABLE(light, sim_light, NULL);

static const struct sim_dirt dirt_default = {.x = 0.7, .y = 0.3, .radius = 0.03, .darkness = 0.6};
static const struct field dirt_fields[] = {REAL_F(sim_dirt, x, 0, 1), REAL_F(sim_dirt, y, 0, 1),
                                           REAL_F(sim_dirt, radius, 0.001, 0.5), REAL_F(sim_dirt, darkness, 0, 1),
                                           REAL_F(sim_dirt, roll_deg_s, -360, 360)};
TABLE(dirt, sim_dirt, &dirt_default);

static const struct field image_fields[] = {REAL_F(sim_image, vignetting, 0, 1),  REAL_F(sim_image, read_noise, 0, 50),
                                            REAL_F(sim_image, shot_noise, 0, 50), INT_F(sim_image, blur_samples, 1, 16),
                                            REAL_F(sim_image, shutter, 0, 1),     REAL_F(sim_image, sharpen, 0, 1),
                                            LIST_F(sim_image, dirt, 16, dirt)};
TABLE(image, sim_image, NULL);

static const struct sim_phase phase_default = {
    .action = "drive", .speed_m_s = 0.15, .to_m = -1, .move_s = 1.5, .factor = 1};
static const struct field phase_fields[] = {
    CHOICE_F(sim_phase, action, "drive reverse stop pan zoom jump freeze title"),
    REAL_F(sim_phase, speed_m_s, 0.001, 3),
    REAL_F(sim_phase, distance_m, 0, MAX_LENGTH),
    REAL_F(sim_phase, to_m, -1, MAX_LENGTH),
    REAL_F(sim_phase, duration_s, 0, 36000),
    REAL_F(sim_phase, pan_deg, -170, 170),
    REAL_F(sim_phase, tilt_deg, -120, 120),
    REAL_F(sim_phase, move_s, 0, 60),
    REAL_F(sim_phase, factor, 0.5, 20),
    TEXT_F(sim_phase, text)};
TABLE(phase, sim_phase, &phase_default);

static const struct field motion_fields[] = {
    REAL_F(sim_motion, start_m, 0, MAX_LENGTH),  REAL_F(sim_motion, accel_m_s2, 0.01, 10),
    REAL_F(sim_motion, offset_right_m, -1, 1),   REAL_F(sim_motion, offset_up_m, -1, 1),
    REAL_F(sim_motion, wobble_m, 0, 0.1),        REAL_F(sim_motion, wobble_deg, 0, 15),
    REAL_F(sim_motion, wobble_wave_m, 0.05, 20), REAL_F(sim_motion, vibration_deg, 0, 5),
    REAL_F(sim_motion, roll_deg, -180, 180),     REAL_F(sim_motion, roll_drift_deg, 0, 90),
    REAL_F(sim_motion, wheelbase_m, 0.02, 2),    LIST_F(sim_motion, phases, 1000, phase)};
TABLE(motion, sim_motion, NULL);

static const struct sim_text text_default = {
    .font = "osd", .colour = "#ffffff", .x = 0.05, .y = 0.05, .size = 0.035, .box_alpha = 1};
static const struct field text_fields[] = {
    TEXT_F(sim_text, text),           CHOICE_F(sim_text, font, "osd sans bold mono"),
    TEXT_F(sim_text, colour),         TEXT_F(sim_text, box),
    TEXT_F(sim_text, edge),           REAL_F(sim_text, x, -1, 1),
    REAL_F(sim_text, y, -1, 1),       REAL_F(sim_text, size, 0.01, 0.3),
    REAL_F(sim_text, box_alpha, 0, 1)};
TABLE(text, sim_text, &text_default);

static const struct field overlay_fields[] = {
    CHOICE_F(sim_overlay, layout, "none corner boxes header yellow green dark custom"),
    CHOICE_F(sim_overlay, unit, "0.01m 0.1m 0.1ft"),
    REAL_F(sim_overlay, offset_m, -1000, 10000),
    REAL_F(sim_overlay, scale, 0.5, 2),
    REAL_F(sim_overlay, slack_m, 0, 2),
    REAL_F(sim_overlay, late_m, 0, 100),
    LIST_F(sim_overlay, texts, 16, text)};
TABLE(overlay, sim_overlay, NULL);

static const struct field scene_fields[] = {TEXT_F(intra_sim_scene, name),
                                            TEXT_F(intra_sim_scene, about),
                                            {"seed", SEED, offsetof(struct intra_sim_scene, seed), 0, 0, 0, NULL, NULL},
                                            OBJECT_F(intra_sim_scene, video, video),
                                            OBJECT_F(intra_sim_scene, lens, lens),
                                            OBJECT_F(intra_sim_scene, pipe, pipe_table),
                                            LIST_F(intra_sim_scene, centreline, 200, stretch),
                                            OBJECT_F(intra_sim_scene, joints, joints),
                                            LIST_F(intra_sim_scene, ovality, 100, ovality),
                                            LIST_F(intra_sim_scene, laterals, 250, lateral),
                                            LIST_F(intra_sim_scene, cracks, 1000, crack),
                                            LIST_F(intra_sim_scene, holes, 250, hole),
                                            LIST_F(intra_sim_scene, deposits, 250, deposit),
                                            LIST_F(intra_sim_scene, roots, 250, root),
                                            LIST_F(intra_sim_scene, water, 100, water),
                                            OBJECT_F(intra_sim_scene, light, light),
                                            OBJECT_F(intra_sim_scene, image, image),
                                            OBJECT_F(intra_sim_scene, motion, motion),
                                            OBJECT_F(intra_sim_scene, overlay, overlay)};
TABLE(scene, intra_sim_scene, NULL);

static const struct intra_sim_scene scene_default = {
    .name = "scene",
    .seed = 1,
    .video = {.width = 768, .height = 576, .fps = 25, .codec = "h264", .container = "auto"},
    .lens = {.model = "brown", .hfov_deg = 70, .cx = -1, .cy = -1},
    .pipe = {.diameter_m = 0.3,
             .material = "concrete",
             .colour_r = -1,
             .colour_g = -1,
             .colour_b = -1,
             .contrast = 1,
             .dirt = 0.5,
             .gloss = -1},
    .joints = {.spacing_m = 1, .first_m = 0.6, .gap_m = 0.008, .gap_spread_m = 0.002, .depth_m = 0.015},
    .light = {.ring_radius_m = 0.05,
              .ring_lamps = 4,
              .beam = 0.85,
              .ambient = 0.12,
              .auto_exposure = true,
              .target = 0.42,
              .lag_s = 0.6,
              .gain = 1,
              .warmth = 0.1},
    .image = {.vignetting = 0.35, .read_noise = 1.2, .shot_noise = 1.5, .blur_samples = 1, .shutter = 0.5},
    .motion = {.start_m = 0.4,
               .accel_m_s2 = 0.3,
               .wobble_m = 0.004,
               .wobble_deg = 0.5,
               .wobble_wave_m = 0.5,
               .vibration_deg = 0.03,
               .roll_drift_deg = 3,
               .wheelbase_m = 0.25},
    .overlay = {.layout = "corner", .unit = "0.01m", .scale = 1}};

/* ---- reading ---- */

/* Letters to change, add or drop to get from a to b (Wagner and Fischer 1974). */
static int edit_distance(const char *a, const char *b)
{
    int row[64], n = (int)strlen(b);
    if (n > 62 || strlen(a) > 62) return 99;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int up = row[j], best = corner + (a[i - 1] != b[j - 1]);
            if (up + 1 < best) best = up + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            corner = up;
            row[j] = best;
        }
    }
    return row[n];
}

static enum intra_status fail_unknown_key(const struct table *table, const char *key, const char *where,
                                          const char *name, struct intra_error *err)
{
    int order[32], score[32], n = table->n < 32 ? table->n : 32;
    char near[200] = "";
    for (int i = 0; i < n; i++) {
        const char *valid = table->fields[i].key;
        int at = i, s = edit_distance(key, valid);
        if (strstr(valid, key) || strstr(key, valid)) s = s > 2 ? 2 : s;
        for (; at > 0 && score[at - 1] > s; at--)
            score[at] = score[at - 1], order[at] = order[at - 1];
        score[at] = s;
        order[at] = i;
    }
    for (int i = 0; i < n && i < 3; i++) {
        size_t used = strlen(near);
        snprintf(near + used, sizeof near - used, "%s'%s'", i ? ", " : "", table->fields[order[i]].key);
    }
    return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s%sunknown key '%.40s'; the nearest valid keys are %s", name, where,
                      *where ? ": " : "", key, near);
}

static const struct field *find_field(const struct table *table, const char *key)
{
    for (int i = 0; i < table->n; i++)
        if (strcmp(table->fields[i].key, key) == 0) return &table->fields[i];
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; n && *at;) {
        size_t len = strcspn(at, " ");
        if (len == n && memcmp(at, word, n) == 0) return true;
        at += len + (at[len] == ' ');
    }
    return false;
}

static enum intra_status read_object(json_t *json, const struct table *table, void *to, const char *where,
                                     const char *name, struct intra_error *err);

static enum intra_status read_list(json_t *value, const struct field *f, struct intra_sim_list *list, const char *where,
                                   const char *name, struct intra_error *err)
{
    size_t n = json_array_size(value);
    enum intra_status status = INTRA_OK;
    if (!json_is_array(value)) return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s must be a list [...]", name, where);
    if ((double)n > f->high)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s has %zu entries; at most %.0f are possible", name, where, n,
                          f->high);
    if (n == 0) return INTRA_OK;
    INTRA_TRY(intra_alloc_or_fail(&list->items, n, f->sub->size, where, err));
    list->n = (int)n;
    for (size_t i = 0; i < n; i++)
        memcpy((char *)list->items + i * f->sub->size, f->sub->defaults, f->sub->size);
    for (size_t i = 0; i < n; i++) {
        char at[160];
        snprintf(at, sizeof at, "%.120s[%zu]", where, i);
        INTRA_TRY(read_object(json_array_get(value, i), f->sub, (char *)list->items + i * f->sub->size, at, name, err));
    }
done:
    return status;
}

static enum intra_status read_number(json_t *value, const struct field *f, void *at, const char *where,
                                     const char *name, struct intra_error *err)
{
    double v = json_number_value(value);
    if (!json_is_number(value) || !isfinite(v))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s must be a number", name, where);
    if (f->kind == SEED) {
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s must be a whole number from 0 up", name, where);
        *(int64_t *)at = json_integer_value(value);
        return INTRA_OK;
    }
    if (v < f->low || v > f->high)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s is %g; it must lie between %g and %g", name, where, v, f->low,
                          f->high);
    if (f->kind == INT && v != floor(v))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s is %g; it must be a whole number", name, where, v);
    if (f->kind == INT)
        *(int *)at = (int)v;
    else
        *(double *)at = v;
    return INTRA_OK;
}

static enum intra_status read_text(json_t *value, const struct field *f, char *at, const char *where, const char *name,
                                   struct intra_error *err)
{
    const char *s = json_string_value(value);
    if (!s) return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s must be a text in quotes", name, where);
    if (strlen(s) >= f->size || strlen(s) != json_string_length(value))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s is longer than %zu characters", name, where, f->size - 1);
    if (f->kind == CHOICE && !has_word(f->choices, s))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s is '%s'; it must be one of: %s", name, where, s, f->choices);
    strcpy(at, s);
    return INTRA_OK;
}

static enum intra_status read_object(json_t *json, const struct table *table, void *to, const char *where,
                                     const char *name, struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    const char *key;
    json_t *value;
    if (!json_is_object(json))
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s must be an object {...}", name, *where ? where : "the scene");
    json_object_foreach(json, key, value)
    {
        const struct field *f = find_field(table, key);
        char at[160];
        void *place = f ? (char *)to + f->offset : NULL;
        if (!f) return fail_unknown_key(table, key, where, name, err);
        snprintf(at, sizeof at, "%.100s%s%s", where, *where ? "." : "", key);
        switch (f->kind) {
        case REAL:
        case INT:
        case SEED:
            INTRA_TRY(read_number(value, f, place, at, name, err));
            break;
        case BOOL:
            if (!json_is_boolean(value))
                return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: %s must be true or false", name, at);
            *(bool *)place = json_is_true(value);
            break;
        case TEXT:
        case CHOICE:
            INTRA_TRY(read_text(value, f, place, at, name, err));
            break;
        case OBJECT:
            INTRA_TRY(read_object(value, f->sub, place, at, name, err));
            break;
        case LIST:
            INTRA_TRY(read_list(value, f, place, at, name, err));
            break;
        }
    }
done:
    return status;
}

double intra_sim_scene_length(const struct intra_sim_scene *scene_in)
{
    double length = 0;
    for (int i = 0; i < scene_in->centreline.n; i++) {
        const struct sim_stretch *s = SIM_AT(scene_in->centreline, sim_stretch, i);
        length += s->straight_m + s->bend_deg * M_PI / 180 * s->radius_m;
    }
    return length;
}

/* What no single key shows. */
static enum intra_status check_scene(const struct intra_sim_scene *s, const char *name, struct intra_error *err)
{
    double length = intra_sim_scene_length(s), cells = length * M_PI * s->pipe.diameter_m;
    if (s->centreline.n == 0 || length < 0.5)
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: centreline is %g m long; give at least 0.5 m, e.g. [{\"straight_m\": 10}]", name,
                          length);
    if (length > MAX_LENGTH || cells > 600)
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: %g m of pipe have %.0f square metres of wall; at most 600 (and %g m) fit "
                          "in memory",
                          name, length, cells, MAX_LENGTH);
    for (int i = 0; i < s->centreline.n; i++) {
        const struct sim_stretch *c = SIM_AT(s->centreline, sim_stretch, i);
        if (c->straight_m > 0 && c->bend_deg > 0)
            return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: centreline[%d] is straight and bent; make two entries of it",
                              name, i);
        if (c->bend_deg > 0 && c->radius_m < 0.8 * s->pipe.diameter_m)
            return INTRA_FAIL(err, INTRA_E_FORMAT,
                              "%s: centreline[%d].radius_m is %g; a pipe of %g m cannot bend sharper than "
                              "%g",
                              name, i, c->radius_m, s->pipe.diameter_m, 0.8 * s->pipe.diameter_m);
    }
    if (s->motion.start_m > length)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: motion.start_m is %g, beyond the pipe's %g m", name,
                          s->motion.start_m, length);
    if (s->motion.phases.n == 0)
        return INTRA_FAIL(err, INTRA_E_FORMAT,
                          "%s: motion.phases is empty; give e.g. [{\"action\": \"drive\", "
                          "\"distance_m\": 2}]",
                          name);
    if (s->video.width % 2 || s->video.height % 2)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: video is %dx%d; width and height must be even", name,
                          s->video.width, s->video.height);
    if (s->joints.spacing_m > 0 && s->joints.spacing_m < 0.05)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: joints.spacing_m is %g; give 0 (no joints) or at least 0.05", name,
                          s->joints.spacing_m);
    for (int i = 0; i < s->laterals.n; i++) {
        const struct sim_lateral *l = SIM_AT(s->laterals, sim_lateral, i);
        if (l->diameter_m > 0.9 * s->pipe.diameter_m)
            return INTRA_FAIL(err, INTRA_E_FORMAT,
                              "%s: laterals[%d].diameter_m is %g; at most 0.9 of the pipe's %g is possible", name, i,
                              l->diameter_m, s->pipe.diameter_m);
    }
    return INTRA_OK;
}

enum intra_status intra_sim_scene_parse(const char *json, const char *name, struct intra_sim_scene *out,
                                        struct intra_error *err)
{
    json_error_t at;
    json_t *root_json = json_loads(json, JSON_REJECT_DUPLICATES, &at);
    enum intra_status status = INTRA_OK;
    *out = scene_default;
    if (!root_json)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "%s: line %d, column %d: %s", name, at.line, at.column, at.text);
    INTRA_TRY(read_object(root_json, &scene, out, "", name, err));
    INTRA_TRY(check_scene(out, name, err));
done:
    json_decref(root_json);
    if (status != INTRA_OK) intra_sim_scene_fini(out);
    return status;
}

/* ---- freeing and writing ---- */

static void free_lists(const struct table *table, void *at)
{
    for (int i = 0; i < table->n; i++) {
        const struct field *f = &table->fields[i];
        void *place = (char *)at + f->offset;
        if (f->kind == OBJECT) free_lists(f->sub, place);
        if (f->kind == LIST) {
            struct intra_sim_list *list = place;
            for (int k = 0; k < list->n; k++)
                free_lists(f->sub, (char *)list->items + (size_t)k * f->sub->size);
            intra_free(list->items);
            list->items = NULL;
            list->n = 0;
        }
    }
}

void intra_sim_scene_fini(struct intra_sim_scene *s)
{
    free_lists(&scene, s);
}

static json_t *to_json(const struct table *table, const void *from)
{
    json_t *object = json_object();
    for (int i = 0; object && i < table->n; i++) {
        const struct field *f = &table->fields[i];
        const void *place = (const char *)from + f->offset;
        json_t *value = NULL;
        switch (f->kind) {
        case REAL:
            value = json_real(*(const double *)place);
            break;
        case INT:
            value = json_integer(*(const int *)place);
            break;
        case SEED:
            value = json_integer(*(const int64_t *)place);
            break;
        case BOOL:
            value = json_boolean(*(const bool *)place);
            break;
        case TEXT:
        case CHOICE:
            value = json_string(place);
            break;
        case OBJECT:
            value = to_json(f->sub, place);
            break;
        case LIST: {
            const struct intra_sim_list *list = place;
            value = json_array();
            for (int k = 0; value && k < list->n; k++)
                json_array_append_new(value, to_json(f->sub, (const char *)list->items + (size_t)k * f->sub->size));
            break;
        }
        }
        json_object_set_new(object, f->key, value);
    }
    return object;
}

enum intra_status intra_sim_scene_write(const struct intra_sim_scene *s, FILE *to, struct intra_error *err)
{
    json_t *root_json = to_json(&scene, s);
    int bad = !root_json || json_dumpf(root_json, to, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) != 0 ||
              fputc('\n', to) == EOF;
    json_decref(root_json);
    return bad ? INTRA_FAIL(err, INTRA_E_IO, "the scene could not be written; check the space left on the disk")
               : INTRA_OK;
}
