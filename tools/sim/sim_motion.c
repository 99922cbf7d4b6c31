#include "tools/sim/sim_motion.h"

#include "core/mem.h"
#include "tools/sim/sim_noise.h"

#include <string.h>

enum { SEED_MOTION = 401 };

struct scribe {
    const struct intra_sim_scene *scene;
    struct intra_sim_track *track;
    struct sim_moment now;
    double dt, length, encoder, start; /* encoder: the station that the slack cable tells */
    struct intra_error *err;
};

static void turn_counter(struct scribe *w)
{
    const struct sim_overlay *o = &w->scene->overlay;
    if (w->now.s - w->encoder > o->slack_m) w->encoder = w->now.s - o->slack_m;
    if (w->now.s < w->encoder) w->encoder = w->now.s;
    w->now.counter = o->offset_m + o->scale * (w->start + fmax(0, w->encoder - w->start - o->late_m) +
                                               fmin(0, w->encoder - w->start));
}

static enum intra_status put(struct scribe *w)
{
    struct intra_sim_track *t = w->track;
    if (t->n == t->capacity) {
        int more = t->capacity ? 2 * t->capacity : 4096;
        struct sim_moment *grown;
        if (t->n > 40000000)
            return INTRA_FAIL(w->err, INTRA_E_FORMAT, "motion.phases: the video would be longer than %d frames",
                              t->n / SIM_FINE);
        grown = intra_resize(t->moments, (size_t)t->capacity, (size_t)more, sizeof *grown);
        if (!grown) return INTRA_FAIL(w->err, INTRA_E_MEM, "no memory for %d steps of motion", more);
        t->moments = grown;
        t->capacity = more;
    }
    turn_counter(w);
    t->moments[t->n++] = w->now;
    return INTRA_OK;
}

static double smooth(double x)
{
    x = fmin(fmax(x, 0), 1);
    return x * x * (3 - 2 * x);
}

static enum intra_status travel(struct scribe *w, const struct sim_phase *p, int index, double sign)
{
    double accel = w->scene->motion.accel_m_s2, target = p->speed_m_s, clock = 0, left = 1e9;
    enum intra_status status = INTRA_OK;
    if (p->to_m >= 0)
        left = sign * (p->to_m - w->now.s);
    else if (p->distance_m > 0)
        left = p->distance_m;
    else if (p->duration_s <= 0)
        return INTRA_FAIL(w->err, INTRA_E_FORMAT,
                          "motion.phases[%d]: give to_m, distance_m or duration_s, how far to %s", index, p->action);
    if (left < 0)
        return INTRA_FAIL(w->err, INTRA_E_FORMAT, "motion.phases[%d].to_m is %g, but the camera is at %g already",
                          index, p->to_m, w->now.s);
    w->now.speed = 0;
    while (left > 1e-6 && (p->duration_s <= 0 || clock < p->duration_s - 1e-9)) {
        double v = fabs(w->now.speed) + accel * w->dt, step;
        v = fmin(v, target);
        v = fmin(v, sqrt(2 * accel * left + 1e-12));
        if (p->duration_s > 0) v = fmin(v, accel * (p->duration_s - clock) + 1e-9);
        v = fmax(v, 1e-3);
        step = fmin(v * w->dt, left);
        w->now.speed = sign * v;
        w->now.s += sign * step;
        w->now.odometer += step;
        left -= step;
        clock += w->dt;
        if (w->now.s < 0.02 || w->now.s > w->length - 0.02)
            return INTRA_FAIL(w->err, INTRA_E_FORMAT,
                              "motion.phases[%d] leaves the pipe (0 to %g m) at its end; go less far", index,
                              w->length);
        INTRA_TRY(put(w));
    }
    w->now.speed = 0;
done:
    return status;
}

static enum intra_status stay(struct scribe *w, double duration)
{
    enum intra_status status = INTRA_OK;
    int n = (int)(duration / w->dt + 0.5);
    for (int i = 0; i < n; i++)
        INTRA_TRY(put(w));
done:
    return status;
}

/* Pan, tilt and zoom go there, hold, and come back. */
static enum intra_status look_round(struct scribe *w, const struct sim_phase *p)
{
    enum intra_status status = INTRA_OK;
    int n = (int)(p->move_s / w->dt + 0.5);
    bool is_zoom = strcmp(p->action, "zoom") == 0;
    for (int way = 0; way < 2; way++) {
        for (int i = 1; i <= n; i++) {
            double k = smooth((double)i / n);
            k = way ? 1 - k : k;
            if (is_zoom) {
                w->now.zoom = 1 + k * (p->factor - 1);
            } else {
                w->now.pan = k * p->pan_deg * M_PI / 180;
                w->now.tilt = k * p->tilt_deg * M_PI / 180;
            }
            INTRA_TRY(put(w));
        }
        if (way == 0) INTRA_TRY(stay(w, p->duration_s));
    }
    w->now.zoom = 1;
    w->now.pan = w->now.tilt = 0;
done:
    return status;
}

static enum intra_status act(struct scribe *w, const struct sim_phase *p, int index)
{
    enum intra_status status = INTRA_OK;
    w->now.phase = index;
    if (strcmp(p->action, "drive") == 0) return travel(w, p, index, 1);
    if (strcmp(p->action, "reverse") == 0) return travel(w, p, index, -1);
    if (strcmp(p->action, "pan") == 0 || strcmp(p->action, "zoom") == 0) return look_round(w, p);
    if (strcmp(p->action, "jump") == 0) {
        if (p->to_m < 0.02 || p->to_m > w->length - 0.02)
            return INTRA_FAIL(w->err, INTRA_E_FORMAT,
                              "motion.phases[%d].to_m is %g; it must lie in the pipe, 0 to %g m", index, p->to_m,
                              w->length);
        w->now.odometer += 10; /* another wobble after the cut */
        w->now.s = w->encoder = p->to_m;
        return INTRA_OK;
    }
    if (p->duration_s <= 0)
        return INTRA_FAIL(w->err, INTRA_E_FORMAT, "motion.phases[%d].duration_s is missing for '%s'", index, p->action);
    w->now.is_title = strcmp(p->action, "title") == 0;
    w->now.is_frozen = strcmp(p->action, "freeze") == 0;
    status = stay(w, p->duration_s);
    w->now.is_title = w->now.is_frozen = false;
    return status;
}

enum intra_status intra_sim_track_make(const struct intra_sim_scene *scene, struct intra_sim_track *out,
                                       struct intra_error *err)
{
    enum intra_status status = INTRA_OK;
    struct scribe w = {.scene = scene, .track = out, .dt = 1 / (scene->video.fps * SIM_FINE), .err = err};
    *out = (struct intra_sim_track){.fps = scene->video.fps};
    w.length = intra_sim_scene_length(scene);
    w.now.s = w.encoder = w.start = scene->motion.start_m;
    w.now.zoom = 1;
    if (w.now.s < 0.02 || w.now.s > w.length - 0.02)
        return INTRA_FAIL(err, INTRA_E_FORMAT, "motion.start_m is %g; it must lie in the pipe, 0.02 to %g m", w.now.s,
                          w.length - 0.02);
    INTRA_TRY(put(&w));
    for (int i = 0; i < scene->motion.phases.n; i++)
        INTRA_TRY(act(&w, SIM_AT(scene->motion.phases, sim_phase, i), i));
    out->frames = (out->n - 1) / SIM_FINE + 1;
    INTRA_TRY(stay(&w, w.dt * SIM_FINE)); /* the last picture's exposure */
done:
    if (status != INTRA_OK) intra_sim_track_fini(out);
    return status;
}

void intra_sim_track_fini(struct intra_sim_track *track)
{
    intra_free(track->moments);
    *track = (struct intra_sim_track){0};
}

/* Camera axes for looking along `forward`, crown up. */
static struct intra_mat3 look_along(struct intra_vec3 forward)
{
    struct intra_vec3 right = intra_unit(intra_cross(forward, intra_vec3(0, 0, 1)));
    return intra_mat3_from_columns(right, intra_cross(forward, right), forward);
}

struct sim_camera intra_sim_camera_at(const struct intra_sim_scene *scene, const struct intra_sim_centreline *line,
                                      const struct intra_sim_track *track, double time_s)
{
    const struct sim_motion *m = &scene->motion;
    uint64_t seed = sim_hash3((uint64_t)scene->seed, SEED_MOTION, 0);
    double x = time_s * track->fps * SIM_FINE, f, deg = M_PI / 180, limit = 0.25 * scene->pipe.diameter_m;
    int i = (int)fmin(fmax(floor(x), 0), track->n - 2);
    const struct sim_moment *a = &track->moments[i], *b = a + 1;
    double s, odo, speed, pan, tilt, right, up, off, shake, yaw, pitch, roll;
    struct sim_camera c;
    struct sim_frame at;
    struct intra_mat3 r, turn;
    int piece;
    double theta, rho;
    f = fabs(b->s - a->s) > 0.05 ? 0 : fmin(fmax(x - i, 0), 1); /* not across a cut */
    s = a->s + f * (b->s - a->s);
    odo = f > 0 ? a->odometer + f * (b->odometer - a->odometer) : a->odometer;
    speed = a->speed;
    pan = a->pan + f * (b->pan - a->pan);
    tilt = a->tilt + f * (b->tilt - a->tilt);
    right = m->offset_right_m + m->wobble_m * intra_sim_wander(seed, odo, m->wobble_wave_m);
    up = m->offset_up_m + m->wobble_m * intra_sim_wander(seed + 1, odo, m->wobble_wave_m);
    off = hypot(right, up);
    if (off > limit) right *= limit / off, up *= limit / off; /* stays inside the pipe */
    shake = m->vibration_deg * fmin(fabs(speed) / 0.15, 2);
    yaw = m->wobble_deg * intra_sim_wander(seed + 2, odo, m->wobble_wave_m) +
          shake * intra_sim_wander(seed + 5, time_s, 0.1);
    pitch = m->wobble_deg * intra_sim_wander(seed + 3, odo, m->wobble_wave_m) +
            shake * intra_sim_wander(seed + 6, time_s, 0.1);
    roll = m->roll_deg + m->roll_drift_deg * intra_sim_wander(seed + 4, odo, 2.5);
    at = intra_sim_centreline_at(line, s);
    c.world_from_cam.t = intra_mad(intra_mad(at.p, right, at.right), up, at.crown);
    r = look_along(intra_unit(intra_sub(intra_sim_centreline_at(line, s + m->wheelbase_m / 2).p,
                                        intra_sim_centreline_at(line, s - m->wheelbase_m / 2).p)));
    turn = intra_rotation_exp(intra_vec3(0, yaw * deg, 0));
    r = intra_mat3_mul(&r, &turn);
    turn = intra_rotation_exp(intra_vec3(pitch * deg, 0, 0));
    r = intra_mat3_mul(&r, &turn);
    turn = intra_rotation_exp(intra_vec3(0, 0, roll * deg));
    r = intra_mat3_mul(&r, &turn);
    turn = intra_rotation_exp(intra_vec3(0, pan, 0));
    r = intra_mat3_mul(&r, &turn);
    turn = intra_rotation_exp(intra_vec3(tilt, 0, 0));
    r = intra_mat3_mul(&r, &turn);
    c.world_from_cam.r = r;
    piece = intra_sim_centreline_piece(line, s);
    intra_sim_centreline_locate(line, c.world_from_cam.t, &piece, &c.station, &theta, &rho);
    c.zoom = a->zoom + f * (b->zoom - a->zoom);
    c.pan_rad = acos(fmin(fmax(cos(pan) * cos(tilt), -1), 1));
    c.counter = a->counter;
    return c;
}

static enum sim_state own_state(const struct sim_moment *m)
{
    if (m->is_title) return SIM_NOT_PIPE;
    if (m->is_frozen) return SIM_DUPLICATE;
    if (cos(m->pan) * cos(m->tilt) < cos(5 * M_PI / 180)) return SIM_PAN;
    return m->speed > 0 ? SIM_DRIVE : m->speed < 0 ? SIM_REVERSE : SIM_STOP;
}

int intra_sim_picture_of(const struct intra_sim_scene *scene, const struct intra_sim_track *track, int index,
                         enum sim_state *out_state)
{
    int every = scene->video.repeat_every, shown = index;
    *out_state = own_state(&track->moments[index * SIM_FINE]);
    if (index > 0 && *out_state == SIM_DUPLICATE) {
        while (shown > 0 && own_state(&track->moments[shown * SIM_FINE]) == SIM_DUPLICATE)
            shown--;
    } else if (index > 0 && every > 0 && index % every == every - 1 && *out_state != SIM_NOT_PIPE) {
        enum sim_state before = own_state(&track->moments[(index - 1) * SIM_FINE]);
        if (before != SIM_NOT_PIPE && before != SIM_DUPLICATE) shown = index - 1, *out_state = SIM_DUPLICATE;
    }
    return shown;
}

const char *intra_sim_state_name(enum sim_state state)
{
    static const char *const names[] = {"drive", "reverse", "stop", "pan", "not_pipe", "duplicate"};
    return names[state];
}
