/* The mesh before it becomes a file: averaging of the wall against a plain reference, vertices on the made surface,
 * normals to the inside, borders without cracks, chunks where joints and gaps say, textures that show the marks, the
 * same bytes for every number of threads. What the files hold is test_models.c's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "export/mesh.h"
#include "export/wallread.h"
#include "made_scene.h"

#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static char folder[256];
static struct intra_scene scene;
static struct made_pipe made;

static int make_scene(void **state)
{
    (void)state;
    made_folder(folder, sizeof folder);
    made = made_pipe_defaults();
    made_scene_init(&scene, &made, folder);
    return 0;
}

static int drop_scene(void **state)
{
    (void)state;
    intra_scene_fini(&scene);
    made_remove_folder(folder);
    return 0;
}

static void make_plan(struct intra_mesh_plan *plan, const struct intra_mesh_options *options)
{
    struct intra_error err = {0};
    if (intra_mesh_plan_init(plan, &scene, options, 1, &err) != INTRA_OK) fail_msg("%s", err.text);
}

static void make_chunk(struct intra_mesh_chunk *chunk, const struct intra_mesh_plan *plan, int64_t i)
{
    struct intra_error err = {0};
    if (intra_mesh_chunk_init(chunk, plan, i, &err) != INTRA_OK) fail_msg("%s", err.text);
}

static struct intra_vec3 vertex_at(const struct intra_mesh_chunk *chunk, int64_t v)
{
    return intra_vec3(chunk->origin[0] + (double)chunk->positions[3 * v],
                      chunk->origin[1] + (double)chunk->positions[3 * v + 1],
                      chunk->origin[2] + (double)chunk->positions[3 * v + 2]);
}

static struct intra_vec3 normal_at(const struct intra_mesh_chunk *chunk, int64_t v)
{
    const float *n = chunk->normals + 3 * v;
    return intra_vec3((double)n[0], (double)n[1], (double)n[2]);
}

/* The made surface by its formulas, relief and all. */
static struct intra_vec3 surface(double station, double theta)
{
    struct intra_vec3 point;
    assert_true(intra_scene_wall_point(&scene, station, theta, made_relief(&made, station, theta), &point, NULL));
    return point;
}

/* Mean of one window, cell by cell. */
static void window_by_hand(const struct intra_wall_grid *grid, int x, int y, double out[5])
{
    double left = grid->col_centre[x] - grid->col_width / 2, right = left + grid->col_width;
    double top = grid->row_first + y * grid->row_step - grid->row_width / 2, bottom = top + grid->row_width;
    double colour_weight = 0, relief_weight = 0, area = 0;
    struct intra_error err = {0};
    int row, col, k;
    memset(out, 0, 5 * sizeof *out);
    for (col = (int)floor(left); col < right; col++) {
        for (row = (int)floor(top); row < bottom; row++) {
            double w = (fmin(col + 1, right) - fmax(col, left)) * (fmin(row + 1, bottom) - fmax(row, top));
            int wrapped = (row % scene.wall.rows + scene.wall.rows) % scene.wall.rows;
            uint8_t rgba[4] = {0};
            float relief = NAN;
            area += w;
            if (col >= 0 && col < scene.wall.cols) {
                uint8_t *cells = malloc((size_t)scene.wall.rows * 4);
                assert_int_equal(intra_raster_read(scene.wall.colour, col, 1, cells, &err), INTRA_OK);
                memcpy(rgba, cells + 4 * wrapped, 4);
                assert_int_equal(intra_wall_read(scene.wall.relief, scene.wall.rows, 4, true, col, 1, cells, &err),
                                 INTRA_OK);
                memcpy(&relief, cells + 4 * wrapped, 4);
                free(cells);
            }
            for (k = 0; k < 3; k++)
                out[k] += w * rgba[3] * rgba[k];
            colour_weight += w * rgba[3];
            if (isfinite(relief)) {
                out[4] += w * (double)relief;
                relief_weight += w;
            }
        }
    }
    for (k = 0; k < 3; k++)
        out[k] = colour_weight > 0 ? out[k] / colour_weight : 0;
    out[3] = colour_weight / area;
    out[4] = relief_weight > 0 ? out[4] / relief_weight : NAN;
}

static void averages_against_reference(void **state)
{
    /* Outside the wall at both ends, inside, at the hole (375), in the gap (1150 to 1400), over strip borders. */
    static const double centres[] = {-3.2,   0.4,  17.3,   254.9,  372.2,  377.7, 1148.5,
                                     1152.4, 1275, 1399.6, 1702.5, 1999.9, 2003};
    enum { NX = sizeof centres / sizeof *centres, NY = 24 };
    struct intra_wall_grid grid = {
        .col_centre = centres, .nx = NX, .ny = NY, .row_step = 471.0 / NY, .row_width = 7.6, .col_width = 5.3};
    uint8_t colour[NX * NY * 4], alone[NY * 4];
    float relief[NX * NY];
    struct intra_error err = {0};
    int x, y, k;
    (void)state;
    assert_int_equal(intra_wall_mean_colour(&scene.wall, &grid, colour, &err), INTRA_OK);
    assert_int_equal(intra_wall_mean_relief(&scene.wall, &grid, relief, &err), INTRA_OK);
    for (y = 0; y < NY; y++) {
        for (x = 0; x < NX; x++) {
            const uint8_t *got = colour + 4 * (y * NX + x);
            double want[5];
            window_by_hand(&grid, x, y, want);
            for (k = 0; k < 4; k++)
                assert_true(fabs(got[k] - want[k]) <= 0.51);
            if (isnan(want[4]))
                assert_true(isnan(relief[y * NX + x]));
            else
                assert_true(fabs((double)relief[y * NX + x] - want[4]) < 1e-8);
        }
    }
    /* A window alone has the same bytes as among others: neighbours may ask for the same border. */
    for (x = 0; x < NX; x++) {
        struct intra_wall_grid one = grid;
        one.col_centre = &centres[x];
        one.nx = 1;
        assert_int_equal(intra_wall_mean_colour(&scene.wall, &one, alone, &err), INTRA_OK);
        for (y = 0; y < NY; y++)
            assert_memory_equal(alone + 4 * y, colour + 4 * (y * NX + x), 4);
    }
}

static void chunks_end_at_joints_and_gaps(void **state)
{
    static const double cuts[][2] = {{0, 1}, {1, 2}, {2, 2.3}, {2.8, 3}, {3, 4}};
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    int64_t i;
    (void)state;
    options.chunk_m = 1.5;
    make_plan(&plan, &options);
    assert_int_equal(plan.n_chunks, 5);
    for (i = 0; i < 5; i++) {
        assert_true(fabs(plan.chunks[i].station_from_m - cuts[i][0]) < 1e-9);
        assert_true(fabs(plan.chunks[i].station_to_m - cuts[i][1]) < 1e-9);
        assert_int_equal(plan.chunks[i].has_previous, i != 0 && i != 3);
        assert_int_equal(plan.chunks[i].has_next, i != 2 && i != 4);
        assert_in_range(plan.chunks[i].texture_width, 1, 2048);
        assert_in_range(plan.chunks[i].texture_height, 1, 2048);
    }
    intra_mesh_plan_fini(&plan);

    options.chunk_m = 0.4; /* longer pieces are cut evenly */
    make_plan(&plan, &options);
    assert_int_equal(plan.n_chunks, 3 + 3 + 1 + 1 + 3);
    for (i = 0; i < plan.n_chunks; i++)
        assert_true(plan.chunks[i].station_to_m - plan.chunks[i].station_from_m < 0.4 + 1e-9);
    intra_mesh_plan_fini(&plan);

    options.max_texture_px = 64; /* 56 columns of 2 mm beside the gutters */
    make_plan(&plan, &options);
    for (i = 0; i < plan.n_chunks; i++) {
        assert_in_range(plan.chunks[i].texture_width, 1, 64);
        assert_in_range(plan.chunks[i].texture_height, 1, 64);
    }
    intra_mesh_plan_fini(&plan);

    options = intra_mesh_defaults();
    options.station_from_m = 0.25;
    options.station_to_m = 0.75;
    make_plan(&plan, &options);
    assert_int_equal(plan.n_chunks, 1);
    assert_true(fabs(plan.chunks[0].station_from_m - 0.25) < 0.0021 &&
                fabs(plan.chunks[0].station_to_m - 0.75) < 0.0021);
    intra_mesh_plan_fini(&plan);
}

/* A damaged store may put a joint anywhere; under UBSan this is an overflow where it becomes a column. */
static void joints_out_of_this_world(void **state)
{
    static const double stations[] = {1e300, -1e300, NAN, -5, 100};
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    int64_t n_chunks, n_features = scene.n_features;
    (void)state;
    make_plan(&plan, &options);
    n_chunks = plan.n_chunks;
    intra_mesh_plan_fini(&plan);
    for (int i = 0; i < 5; i++) {
        struct intra_feature joint = {.kind = INTRA_FEATURE_JOINT, .station_m = stations[i], .station_sd_m = 0.01};
        assert_int_equal(intra_scene_add_feature(&scene, &joint, NULL), INTRA_OK);
    }
    make_plan(&plan, &options);
    assert_int_equal(plan.n_chunks, n_chunks);
    intra_mesh_plan_fini(&plan);
    scene.n_features = n_features;
}

static void vertices_on_the_surface(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    double worst = 0, worst_turn = 0;
    int64_t i;
    (void)state;
    make_plan(&plan, &options);
    for (i = 0; i < plan.n_chunks; i++) {
        struct intra_mesh_chunk chunk;
        int ring, j;
        make_chunk(&chunk, &plan, i);
        for (ring = 0; ring < chunk.rings; ring++) {
            double station = scene.wall.station0_m + intra_mesh_ring_column(&plan.chunks[i], ring) * scene.wall.texel_m;
            for (j = 0; j < chunk.columns; j++) {
                double theta = M_PI + 2 * M_PI * j / plan.segments, h = 1e-4;
                struct intra_vec3 along, around, normal = normal_at(&chunk, ring * chunk.columns + j);
                bool is_near_hole = fabs(station - made_hole.station_m) < made_hole.half_m + 0.02 &&
                                    fabs(intra_wrap_pi(theta - made_hole.theta_rad)) < 0.5;
                bool is_end = station < 0.02 || station > 3.98 || fabs(station - 2.55) < 0.27;
                if (is_near_hole) continue; /* no relief was measured there */
                worst = fmax(
                    worst, intra_norm(intra_sub(vertex_at(&chunk, ring * chunk.columns + j), surface(station, theta))));
                assert_true(fabs(intra_norm(normal) - 1) < 1e-6);
                if (is_end) continue; /* one-sided slopes */
                along = intra_sub(surface(station + h, theta), surface(station - h, theta));
                around = intra_sub(surface(station, theta + h), surface(station, theta - h));
                worst_turn = fmax(worst_turn, acos(fmin(1, intra_dot(normal, intra_unit(intra_cross(along, around))))));
            }
        }
        intra_mesh_chunk_fini(&chunk);
    }
    intra_mesh_plan_fini(&plan);
    /* The relief is a mean over a mesh cell of 8 mm; the waves are 400 mm long. */
    assert_true(worst < 1e-4);
    assert_true(worst_turn < 0.01);
    print_message("vertices within %.4f mm, normals within %.3f degrees\n", 1000 * worst, worst_turn * 180 / M_PI);
}

static void faces_look_inside(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    int64_t i, k;
    (void)state;
    make_plan(&plan, &options);
    for (i = 0; i < plan.n_chunks; i++) {
        struct intra_mesh_chunk chunk;
        make_chunk(&chunk, &plan, i);
        for (k = 0; k < chunk.n_indices; k += 3) {
            struct intra_vec3 a = vertex_at(&chunk, chunk.indices[k]), b = vertex_at(&chunk, chunk.indices[k + 1]);
            struct intra_vec3 c = vertex_at(&chunk, chunk.indices[k + 2]);
            struct intra_vec3 face = intra_unit(intra_cross(intra_sub(b, a), intra_sub(c, a)));
            double turn = asin(a.x * made.curvature);
            struct intra_vec3 axis = intra_vec3(a.x, (1 - cos(turn)) / made.curvature, 0);
            assert_true(intra_dot(face, intra_unit(intra_sub(axis, a))) > 0.9);
            assert_true(intra_dot(face, normal_at(&chunk, chunk.indices[k])) > 0.95);
        }
        intra_mesh_chunk_fini(&chunk);
    }
    intra_mesh_plan_fini(&plan);
}

static void no_cracks(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    int64_t i, shared = 0;
    int j;
    (void)state;
    options.chunk_m = 0.3;
    make_plan(&plan, &options);
    for (i = 0; i + 1 < plan.n_chunks; i++) {
        struct intra_mesh_chunk left, right;
        make_chunk(&left, &plan, i);
        make_chunk(&right, &plan, i + 1);
        for (j = 0; plan.chunks[i].has_next && j < left.columns; j++) {
            int64_t last = (int64_t)(left.rings - 1) * left.columns + j;
            struct intra_vec3 a = vertex_at(&left, last), b = vertex_at(&right, j);
            assert_memory_equal(&a, &b, sizeof a); /* exact: no tolerance */
            assert_memory_equal(left.normals + 3 * last, right.normals + 3 * j, 3 * sizeof(float));
            shared++;
        }
        for (j = 0; j < left.rings; j++) { /* and where the texture is cut */
            int64_t first = (int64_t)j * left.columns, again = first + left.columns - 1;
            assert_memory_equal(left.positions + 3 * first, left.positions + 3 * again, 3 * sizeof(float));
            assert_memory_equal(left.normals + 3 * first, left.normals + 3 * again, 3 * sizeof(float));
            assert_true(left.uvs[2 * first + 1] == 0.0f && left.uvs[2 * again + 1] == 1.0f);
        }
        intra_mesh_chunk_fini(&left);
        intra_mesh_chunk_fini(&right);
    }
    assert_true(shared > 1000);
    intra_mesh_plan_fini(&plan);
}

static void still_exact_a_kilometre_away(void **state)
{
    struct intra_scene near_scene = scene, far_scene;
    struct made_pipe far_pipe = made;
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    struct intra_mesh_chunk chunk;
    double worst = 0;
    int64_t v;
    (void)state;
    far_pipe.world_x_m = 1000.123456;
    far_pipe.length_m = 1;
    made_scene_init(&far_scene, &far_pipe, folder);
    scene = far_scene;
    make_plan(&plan, &options);
    make_chunk(&chunk, &plan, 0);
    for (v = 0; v < chunk.n_vertices; v++) {
        double station = intra_mesh_ring_column(&plan.chunks[0], (int)(v / chunk.columns)) * scene.wall.texel_m;
        double theta = M_PI + 2 * M_PI * (double)(v % chunk.columns) / plan.segments;
        if (fabs(station - made_hole.station_m) < made_hole.half_m + 0.02) continue;
        worst = fmax(worst, intra_norm(intra_sub(vertex_at(&chunk, v), surface(station, theta))));
    }
    assert_true(worst < 1e-4);
    intra_mesh_chunk_fini(&chunk);
    intra_mesh_plan_fini(&plan);
    scene = near_scene;
    intra_scene_fini(&far_scene);
}

static void textures_show_the_marks(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    struct intra_error err = {0};
    int64_t i;
    int m, k, found = 0;
    (void)state;
    options.chunk_m = 0.35;
    make_plan(&plan, &options);
    for (i = 0; i < plan.n_chunks; i++) {
        struct intra_mesh_chunk chunk;
        make_chunk(&chunk, &plan, i);
        assert_int_equal(intra_mesh_chunk_paint(&chunk, &plan, i, &err), INTRA_OK);
        for (m = 0; m <= MADE_MARKS; m++) {
            const struct made_mark *mark = m < MADE_MARKS ? &made_marks[m] : &made_hole;
            struct intra_vec3 at;
            int64_t v, best = 0;
            const uint8_t *rgb;
            if (mark->station_m <= plan.chunks[i].station_from_m + 0.005 ||
                mark->station_m >= plan.chunks[i].station_to_m - 0.005)
                continue;
            assert_true(intra_scene_wall_point(&scene, mark->station_m, mark->theta_rad, 0, &at, NULL));
            for (v = 0; v < chunk.n_vertices; v++)
                if (intra_norm(intra_sub(vertex_at(&chunk, v), at)) <
                    intra_norm(intra_sub(vertex_at(&chunk, best), at)))
                    best = v;
            assert_true(intra_norm(intra_sub(vertex_at(&chunk, best), at)) < 0.01);
            rgb = intra_row_u8(&chunk.texture,
                               (int)fmin(chunk.uvs[2 * best + 1] * (float)chunk.texture.rows, chunk.texture.rows - 1)) +
                  3 * (int)(chunk.uvs[2 * best] * (float)chunk.texture.cols);
            if (mark == &made_hole)
                assert_true(rgb[0] == rgb[1] && rgb[1] == rgb[2] && (rgb[0] == 104 || rgb[0] == 152));
            else
                for (k = 0; k < 3; k++)
                    assert_int_equal(rgb[k], mark->rgb[k]);
            found++;
        }
        intra_mesh_chunk_fini(&chunk);
    }
    assert_true(found >= 4);
    intra_mesh_plan_fini(&plan);
}

/* At the finest texel the texture is the wall, cell by cell, and the gutters hold the neighbours' columns. */
static void finest_texture_is_the_wall(void **state)
{
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    struct intra_error err = {0};
    struct intra_mesh_chunk chunk = {0};
    int x, y, compared = 0;
    (void)state;
    options.chunk_m = 0.35;
    make_plan(&plan, &options);
    assert_true(plan.chunks[1].has_previous && plan.chunks[1].has_next);
    assert_int_equal(intra_mesh_chunk_paint(&chunk, &plan, 1, &err), INTRA_OK);
    assert_int_equal(chunk.texture.rows, scene.wall.rows);
    for (x = 0; x < chunk.texture.cols; x++) {
        int64_t col = plan.chunks[1].col_from - INTRA_MESH_GUTTER_PX + x;
        uint8_t cells[471 * 4];
        assert_int_equal(intra_raster_read(scene.wall.colour, col, 1, cells, &err), INTRA_OK);
        for (y = 0; y < chunk.texture.rows; y++) {
            if (!cells[4 * y + 3]) continue;
            assert_memory_equal(intra_row_u8(&chunk.texture, y) + 3 * x, cells + 4 * y, 3);
            compared++;
        }
    }
    assert_true(compared > 50000);
    intra_mesh_chunk_fini(&chunk);
    intra_mesh_plan_fini(&plan);
}

static void same_bytes_for_any_threads(void **state)
{
#ifndef _OPENMP
    (void)state;
    skip();
#else
    struct intra_mesh_options options = intra_mesh_defaults();
    struct intra_mesh_plan plan;
    struct intra_mesh_chunk one, more = {0};
    struct intra_error err = {0};
    int before = omp_get_max_threads(), team;
    (void)state;
    options.texel_m = 0.0033;
    omp_set_num_threads(1);
    make_plan(&plan, &options);
    make_chunk(&one, &plan, 1);
    assert_int_equal(intra_mesh_chunk_paint(&one, &plan, 1, &err), INTRA_OK);
    for (team = 2; team <= 5; team += 3) {
        omp_set_num_threads(team);
        make_chunk(&more, &plan, 1);
        assert_int_equal(intra_mesh_chunk_paint(&more, &plan, 1, &err), INTRA_OK);
        assert_memory_equal(one.positions, more.positions, (size_t)one.n_vertices * 12);
        assert_memory_equal(one.normals, more.normals, (size_t)one.n_vertices * 12);
        assert_int_equal(one.texture.stride, more.texture.stride);
        assert_memory_equal(one.texture.data, more.texture.data, (size_t)one.texture.rows * (size_t)one.texture.stride);
        intra_mesh_chunk_fini(&more);
    }
    omp_set_num_threads(before);
    intra_mesh_chunk_fini(&one);
    intra_mesh_plan_fini(&plan);
#endif
}

static void options_that_make_no_sense(void **state)
{
    struct intra_mesh_plan plan;
    struct intra_mesh_options options;
    struct intra_error err = {0};
    struct intra_scene blank = scene;
    (void)state;
#define REFUSED(field, value)                                                                                          \
    options = intra_mesh_defaults();                                                                                   \
    options.field = value;                                                                                             \
    assert_int_equal(intra_mesh_plan_init(&plan, &scene, &options, 1, &err), INTRA_E_ARG)
    REFUSED(chunk_m, 0);
    REFUSED(chunk_m, NAN);
    REFUSED(step_m, -1);
    REFUSED(texel_m, NAN);
    REFUSED(segments, 2);
    REFUSED(max_texture_px, 0);
    REFUSED(jpeg_quality, 101);
    REFUSED(max_bytes, 10);
    options = intra_mesh_defaults();
    options.station_from_m = 2.4; /* in the gap */
    options.station_to_m = 2.7;
    assert_int_equal(intra_mesh_plan_init(&plan, &scene, &options, 1, &err), INTRA_E_NO_RESULT);
    options = intra_mesh_defaults();
    blank.n_sections = 0;
    assert_int_equal(intra_mesh_plan_init(&plan, &blank, &options, 1, &err), INTRA_E_NO_RESULT);
    blank = scene;
    blank.wall.colour = NULL;
    assert_int_equal(intra_mesh_plan_init(&plan, &blank, &options, 1, &err), INTRA_E_NO_RESULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_against_reference),
        cmocka_unit_test(chunks_end_at_joints_and_gaps),
        cmocka_unit_test(joints_out_of_this_world),
        cmocka_unit_test(vertices_on_the_surface),
        cmocka_unit_test(faces_look_inside),
        cmocka_unit_test(no_cracks),
        cmocka_unit_test(still_exact_a_kilometre_away),
        cmocka_unit_test(textures_show_the_marks),
        cmocka_unit_test(finest_texture_is_the_wall),
        cmocka_unit_test(same_bytes_for_any_threads),
        cmocka_unit_test(options_that_make_no_sense),
    };
    return cmocka_run_group_tests_name("mesh", tests, make_scene, drop_scene);
}
