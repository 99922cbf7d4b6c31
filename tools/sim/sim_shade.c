/* Wall: Lambert plus a Blinn lobe (Blinn 1977) per lamp, inverse square, and a share of light that has been around the
 * pipe. Water: Fresnel after Schlick (1994), the bottom dimmed by Beer's law and veiled by what floats in it. */
#include "tools/sim/sim_shade.h"

#include "tools/sim/sim_noise.h"
#include "tools/sim/sim_shape.h"

static inline sim_v4 load4(const float *from)
{
    return (sim_v4){from[0], from[1], from[2], from[3]};
}
static inline sim_v4 root4(sim_v4 a)
{
    float v[4] = {a[0], a[1], a[2], a[3]};
    for (int k = 0; k < 4; k++)
        v[k] = sqrtf(v[k]);
    return load4(v);
}
static inline sim_v4 positive4(sim_v4 a)
{
    typedef int mask4 __attribute__((vector_size(16)));
    return (sim_v4)((mask4)a & (a > 0));
}

/* p: point, n: unit normal, v: unit direction to the eye; shine falls as the cosine to the power 2 sharpness. Four
 * lamps at a time. */
static struct sim_glow light_at(const struct intra_sim_renderer *rd, struct intra_vec3 p, struct intra_vec3 n,
                                struct intra_vec3 v, int sharpness)
{
    struct sim_glow out = {0, 0};
    float ambient = (float)rd->scene->light.ambient, beam = (float)rd->scene->light.beam;
    float px = (float)p.x, py = (float)p.y, pz = (float)p.z, nx = (float)n.x, ny = (float)n.y, nz = (float)n.z;
    float vx = (float)v.x, vy = (float)v.y, vz = (float)v.z;
    for (int i = 0; i < rd->n_lamps; i += 4) {
        sim_v4 x = load4(rd->lamp_x + i) - px, y = load4(rd->lamp_y + i) - py, z = load4(rd->lamp_z + i) - pz;
        sim_v4 d2 = x * x + y * y + z * z + 1e-4f, inv = 1 / root4(d2),
               a = 0.5f - 0.5f * z * inv; /* 0 behind the lamp .. 1 ahead */
        sim_v4 power = load4(rd->lamp_power + i) * inv * inv * (1 - beam + beam * (a * a) * (a * a));
        sim_v4 cosine = positive4((nx * x + ny * y + nz * z) * inv), hx = x * inv + vx, hy = y * inv + vy,
               hz = z * inv + vz;
        sim_v4 nh = positive4(nx * hx + ny * hy + nz * hz), diffuse = power * ((1 - ambient) * cosine + ambient * 0.5f);
        nh = nh * nh / (hx * hx + hy * hy + hz * hz + 1e-9f);
        for (int q = 1; q < sharpness; q *= 2)
            nh *= nh;
        nh *= power * cosine;
        out.diffuse += (diffuse[0] + diffuse[1]) + (diffuse[2] + diffuse[3]);
        out.shine += (nh[0] + nh[1]) + (nh[2] + nh[3]);
    }
    return out;
}

struct sim_footprint intra_sim_footprint(const struct sim_at *at, struct intra_vec3 ddx, struct intra_vec3 ddy)
{
    struct sim_footprint f;
    double inv = 1 / fmax(at->vrho, 1e-3), t = at->t;
    double kx = intra_dot(ddx, at->er) * inv, ky = intra_dot(ddy, at->er) * inv;
    float sx = (float)(t * (intra_dot(ddx, at->tangent) - kx * at->vs)),
          yx = (float)(t * (intra_dot(ddx, at->eth) - kx * at->vth));
    float sy = (float)(t * (intra_dot(ddy, at->tangent) - ky * at->vs)),
          yy = (float)(t * (intra_dot(ddy, at->eth) - ky * at->vth));
    float a = sx * sx + sy * sy, b = sx * yx + sy * yy, c = yx * yx + yy * yy, half = 0.5f * (a - c);
    float root = sqrtf(half * half + b * b), big = 0.5f * (a + c) + root, ux, uy, n;
    f.long_m = sqrtf(big);
    f.short_m = fabsf(sx * yy - sy * yx) / fmaxf(f.long_m, 1e-12f);
    ux = half >= 0 ? half + root : b; /* the better conditioned of the two forms of the eigenvector */
    uy = half >= 0 ? b : root - half;
    n = sqrtf(ux * ux + uy * uy);
    f.ax = n > 0 ? ux / n * f.long_m : f.long_m;
    f.ay = n > 0 ? uy / n * f.long_m : 0;
    f.box_s = sqrtf(a);
    f.box_y = sqrtf(c);
    return f;
}

struct sim_glow intra_sim_wall_glow(const struct intra_sim_renderer *rd, const struct sim_ray *ray,
                                    const struct sim_at *at)
{
    double ds, dth, gds = 0;
    struct intra_vec3 n, p = intra_mad(ray->o, at->t, ray->d);
    struct sim_glow glow;
    sim_wall_grid(rd->wall, at->s, at->theta, &ds, &dth);
    if (sim_gaps_show(at->t, rd->pixel_rad, at->vrho)) sim_wall_groove(rd->wall, at->s, &gds);
    n = intra_unit(intra_sub(intra_mad(intra_scale(at->tangent, ds + gds), dth / at->rho, at->eth), at->er));
    glow = light_at(rd, p, n, intra_scale(ray->d, -1), 32);
    glow.shine *= (float)(rd->gloss * (0.45 - 0.4 * at->z / at->rho)); /* the lower half is wetter */
    return glow;
}

sim_v4 intra_sim_wall_colour(const struct intra_sim_renderer *rd, const struct intra_sim_view *view,
                             const struct sim_ray *ray, struct sim_at *at, struct intra_vec3 ddx, struct intra_vec3 ddy)
{
    struct sim_footprint f;
    intra_sim_basis(view, ray, at);
    f = intra_sim_footprint(at, ddx, ddy);
    return sim_mix_colour(rd, intra_sim_texture_sample(rd->texture, at->s, at->theta, f.ax, f.ay, f.short_m),
                          intra_sim_wall_glow(rd, ray, at));
}

/* ---- inside a lateral ---- */

/* The ray has passed the wall's surface near a mouth. Coordinates with the lateral's axis: origin on the centreline. */
static bool lateral_colour(const struct intra_sim_renderer *rd, const struct intra_sim_view *view,
                           const struct sim_ray *ray, const struct sim_at *at, int index, sim_v4 *out)
{
    const struct sim_lateral *l = SIM_AT(rd->scene->laterals, sim_lateral, index);
    double radius = l->diameter_m / 2, clock = l->clock_deg * M_PI / 180, b = l->branch_angle_deg * M_PI / 180;
    struct sim_at mid;
    struct sim_ray probe = *ray;
    struct intra_vec3 right, crown, out_dir, axis, centre, q, w, dq, p, n, hit;
    double A, B, C, t, deep, lit_share = 0, angle, power = 0;
    float tone;
    if (intra_sim_lateral_distance(rd->scene, index, at->s, at->theta, at->rho) >= radius) return false;
    /* The section frame at the lateral's station, from the ray's own piece. */
    mid = *at;
    intra_sim_basis(view, &probe, &mid);
    right = intra_add(intra_scale(mid.er, sin(at->theta)), intra_scale(mid.eth, cos(at->theta)));
    crown = intra_sub(intra_scale(mid.er, cos(at->theta)), intra_scale(mid.eth, sin(at->theta)));
    centre =
        intra_mad(intra_mad(intra_mad(ray->o, at->t, ray->d), -at->rho, mid.er), l->station_m - at->s, mid.tangent);
    out_dir = intra_add(intra_scale(crown, cos(clock)), intra_scale(right, sin(clock)));
    axis = intra_add(intra_scale(mid.tangent, cos(b)), intra_scale(out_dir, sin(b)));
    /* Far side of the tube around the axis. */
    q = intra_sub(ray->o, centre);
    w = intra_mad(q, -intra_dot(q, axis), axis);
    dq = intra_mad(ray->d, -intra_dot(ray->d, axis), axis);
    A = intra_dot(dq, dq);
    B = intra_dot(w, dq);
    C = intra_dot(w, w) - radius * radius;
    if (A < 1e-12 || B * B - A * C < 0) {
        *out = (sim_v4){0, 0, 0, 0};
        return true;
    }
    t = (-B + sqrt(B * B - A * C)) / A;
    hit = intra_mad(ray->o, t, ray->d);
    p = intra_sub(hit, centre);
    deep = intra_dot(p, axis);
    w = intra_mad(p, -deep, axis);
    n = intra_scale(intra_unit(w), -1);
    angle = atan2(intra_dot(w, mid.tangent), intra_dot(w, intra_cross(axis, mid.tangent)));
    for (int i = 0; i < rd->n_lamps; i++) { /* does the mouth let this lamp's light in? */
        struct intra_vec3 lamp = intra_sub(
                              intra_vec3((double)rd->lamp_x[i], (double)rd->lamp_y[i], (double)rd->lamp_z[i]), centre),
                          at_mouth;
        double from = intra_dot(lamp, axis), k = (rd->wall->radius_m - from) / fmax(deep - from, 1e-6), off, d2;
        struct intra_vec3 to = intra_sub(lamp, p);
        k = fmin(fmax(k, 0), 1);
        at_mouth = intra_mad(intra_scale(lamp, 1 - k), k, p);
        off = intra_norm(intra_mad(at_mouth, -intra_dot(at_mouth, axis), axis)) / radius;
        d2 = intra_dot(to, to);
        lit_share = fmin(fmax((1.12 - off) / 0.2, 0), 1);
        power += (double)rd->lamp_power[i] / d2 * (lit_share * fmax(intra_dot(n, to), 0) / sqrt(d2) + 0.02);
    }
    tone = 0.32f * (1 + 0.35f * (float)intra_sim_noise2(77 + (uint64_t)index, deep / 0.03, (angle + M_PI) * 6, 38) +
                    0.25f * (float)intra_sim_noise2(78 + (uint64_t)index, deep / 0.008, (angle + M_PI) * 18, 113));
    tone *= (float)(power /
                    (1 + fmax(deep - rd->wall->radius_m, 0) / radius)); /* less and less of the light's way is open */
    *out = (sim_v4){tone * (0.6f + rd->branch[0]) * rd->warm[0], tone * (0.6f + rd->branch[1]) * rd->warm[1],
                    tone * (0.6f + rd->branch[2]) * rd->warm[2], 0};
    return true;
}

/* ---- water ---- */

double intra_sim_water_height(const struct intra_sim_scene *scene, double s, int *out_index)
{
    for (int i = 0; i < scene->water.n; i++) {
        const struct sim_water *w = SIM_AT(scene->water, sim_water, i);
        *out_index = i;
        if (s >= w->from_m && s <= w->to_m) return scene->pipe.diameter_m * (w->level_pct / 100 - 0.5);
    }
    return -1e9;
}

/* Where the ray goes under, given that the wall at t_wall lies below the surface. */
static bool find_surface(const struct intra_sim_view *view, struct sim_ray *ray, double height, double t_wall,
                         struct sim_at *out)
{
    double low = 0, high = t_wall, f_low, f_high;
    intra_sim_ray_look(view, ray, low, out);
    f_low = out->z - height;
    intra_sim_ray_look(view, ray, high, out);
    f_high = out->z - height;
    if (f_low <= 0 || f_high >= 0) return false;
    for (int i = 0; i < 40 && high - low > 1e-6; i++) {
        double t = i % 3 == 2 ? 0.5 * (low + high) : low + (high - low) * f_low / (f_low - f_high);
        intra_sim_ray_look(view, ray, t, out);
        if (fabs(out->z - height) < 1e-7) break;
        if (out->z > height)
            low = t, f_low = out->z - height;
        else
            high = t, f_high = out->z - height;
    }
    return true;
}

static sim_v4 water_colour(const struct intra_sim_renderer *rd, const struct intra_sim_view *view, struct sim_ray *ray,
                           struct sim_at *top, double t_wall, sim_v4 bottom, int index, struct intra_vec3 ddx,
                           struct intra_vec3 ddy, double time_s)
{
    const struct sim_water *w = SIM_AT(rd->scene->water, sim_water, index);
    struct intra_vec3 p = intra_mad(ray->o, top->t, ray->d), n, crown, right, mirror;
    double fade, ripple, cosine, fresnel, clear;
    struct sim_ray back;
    struct sim_at at;
    struct sim_glow lit;
    int lateral;
    sim_v4 sky = {0, 0, 0, 0}, veil;
    intra_sim_basis(view, ray, top);
    right = intra_add(intra_scale(top->er, top->y / top->rho), intra_scale(top->eth, top->z / top->rho));
    crown = intra_sub(intra_scale(top->er, top->z / top->rho), intra_scale(top->eth, top->y / top->rho));
    fade = 1 / (1 + top->t * rd->pixel_rad / 0.004); /* ripples finer than a pixel do not show */
    ripple = 0.10 * w->ripple * fade;
    n = intra_unit(intra_add(
        crown,
        intra_add(
            intra_scale(top->tangent,
                        ripple *
                            (intra_sim_noise2(5, top->s / 0.04 - time_s * 3.5, top->y / 0.03 + 1000, 1 << 20) +
                             0.5 * intra_sim_noise2(6, top->s / 0.015 - time_s * 6, top->y / 0.012 + 1000, 1 << 20))),
            intra_scale(right, ripple * 0.7 *
                                   intra_sim_noise2(7, top->s / 0.05 - time_s * 3, top->y / 0.02 + 1000, 1 << 20)))));
    cosine = fmax(-intra_dot(ray->d, n), 0.02);
    fresnel = 0.02 + 0.98 * pow(1 - cosine, 5);
    mirror = intra_unit(intra_mad(ray->d, 2 * cosine, n));
    intra_sim_ray_start(view, &back, intra_mad(p, 1e-5, crown), mirror, ray->piece);
    if (intra_sim_trace(view, &back, rd->pixel_rad * 3, &at, &lateral) != SIM_MISS) {
        double spread = 1 + top->t / fmax(at.t, 0.001); /* the mirrored pixel has widened over the whole way */
        sky = intra_sim_wall_colour(rd, view, &back, &at, intra_scale(ddx, spread), intra_scale(ddy, spread));
    }
    lit = light_at(rd, p, n, intra_scale(ray->d, -1), 1024);
    clear = exp(-(t_wall - top->t) * (2 + 60 * w->murk));
    veil =
        (sim_v4){0.13f * rd->warm[0], 0.11f * rd->warm[1], 0.07f * rd->warm[2], 0} * (lit.diffuse * (float)(1 - clear));
    bottom = bottom * (float)clear + veil;
    return bottom * (float)(1 - fresnel) + sky * (float)fresnel +
           (sim_v4){1, 1, 1, 0} * (lit.shine * (float)(0.5 * fade * (0.05 + fresnel)));
}

sim_v4 intra_sim_ray_colour(const struct intra_sim_renderer *rd, const struct intra_sim_view *view, struct intra_vec3 d,
                            struct intra_vec3 ddx, struct intra_vec3 ddy, double time_s)
{
    struct sim_ray ray;
    struct sim_at at, top;
    int lateral, pool = 0;
    enum sim_hit hit;
    sim_v4 colour = {0, 0, 0, 0};
    double height;
    intra_sim_ray_start(view, &ray, intra_vec3(0, 0, 0), d, view->home);
    hit = intra_sim_trace(view, &ray, rd->pixel_rad, &at, &lateral);
    if (hit == SIM_MISS) return colour;
    height = intra_sim_water_height(rd->scene, at.s, &pool);
    if (hit == SIM_LATERAL && lateral_colour(rd, view, &ray, &at, lateral, &colour)) return colour;
    colour = intra_sim_wall_colour(rd, view, &ray, &at, ddx, ddy);
    if (at.z < height) {
        double t_wall = at.t;
        if (find_surface(view, &ray, height, t_wall, &top))
            colour = water_colour(rd, view, &ray, &top, t_wall, colour, pool, ddx, ddy, time_s);
    }
    return colour;
}
