/* Proves, on made-up pipes of strong and weak texture with a noisy picture: the first enlarged frame of a zoom, in or
 * out, by little or much, is taken for one with the right magnification, and drives, backing up and pans are not. Of
 * frames with the figures that they had: cuts are told from drives and jerks; what comes behind a cut is set apart.
 * What was taken for a zoom and drives on is a drive after all; pictures for debugging show what agrees. Does not prove
 * that a zoom is followed to its end, nor that a cut is noticed in a video; tests/bench does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The statics of the file under test are what is tested. */
#include "recon/motion.c"
#include "tests/synth/synth.h"

#include <cmocka.h>
#include <png.h>
#include <stdlib.h>
#include <unistd.h>

enum { DRIVEN = 20 };
static const double radius_m = 0.15, speed_m_s = 0.15, fps = 25;
static const struct synth_lens lens = {400, 300, 262, 199.5, 149.5};

struct made {
    struct synth_pipe pipe;
    struct intra_camera camera;
    struct intra_mask_pyramid mask;
    struct intra_view_u8 rgb, y;
    struct intra_motion m; /* run, pyramid and watches: all that the decision reads */
};

/* The picture from where the camera is at frame k, ahead_m on, turned by yaw, enlarged. */
static void look(struct made *made, int k, double ahead_m, double yaw_rad, double zoom)
{
    struct intra_pose pose = synth_world_from_cam(k / fps, speed_m_s, 0);
    struct intra_mat3 turn = intra_rotation_exp(intra_vec3(0, yaw_rad, 0));
    struct synth_lens through = lens;
    pose.t.x += ahead_m;
    pose.r = intra_mat3_mul(&pose.r, &turn);
    through.f *= zoom;
    synth_render(&made->pipe, &through, &pose, (unsigned)(1000 * zoom) + (unsigned)k, &made->rgb);
    for (int row = 0; row < lens.height; row++)
        for (int col = 0; col < lens.width; col++)
            intra_row_u8(&made->y, row)[col] = intra_row_u8(&made->rgb, row)[3 * col];
    intra_pyramid_build(&made->m.pyramid, &made->y, NULL, 1);
}

static void drive(struct made *made)
{
    struct intra_run_options options = intra_run_defaults(radius_m);
    struct intra_view_u8 open = {0};
    bool is_keyframe;
    made->camera = synth_camera(&lens);
    assert_int_equal(intra_image_u8_init(&made->rgb, lens.height, lens.width, 3, NULL), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&made->y, lens.height, lens.width, 1, NULL), INTRA_OK);
    assert_int_equal(intra_image_u8_init(&open, lens.height, lens.width, 1, NULL), INTRA_OK);
    for (int row = 0; row < lens.height; row++)
        memset(intra_row_u8(&open, row), 255, (size_t)lens.width);
    assert_int_equal(intra_mask_pyramid_init(&made->mask, &open, NULL), INTRA_OK);
    intra_image_u8_fini(&open);
    assert_int_equal(intra_pyramid_init(&made->m.pyramid, lens.height, lens.width, NULL), INTRA_OK);
    assert_int_equal(intra_run_init(&made->m.run, &options, &made->camera, &made->mask, NULL), INTRA_OK);
    for (int k = 0; k < DRIVEN; k++) {
        look(made, k, 0, 0, 1);
        if (k == 0) {
            assert_int_equal(intra_run_start(&made->m.run, &made->m.pyramid, 0, 0, 0, 0, NULL, NULL), INTRA_OK);
            continue;
        }
        struct intra_pose_fit fit;
        struct intra_pose guess = intra_run_predict(&made->m.run, k / fps);
        if (k == 1) guess.t.z -= speed_m_s / fps; /* the start gives a scale and no speed */
        intra_run_fit(&made->m.run, &made->m.pyramid, &guess, 1, &fit);
        if (!fit.is_good)
            fail_msg("frame %d: %d of %d, noise %.2f, %.2f px", k, fit.n_inlier, fit.n_visible, fit.noise, fit.rms_px);
        assert_int_equal(intra_run_accept(&made->m.run, &made->m.pyramid, &fit, k, k / fps, &is_keyframe, NULL),
                         INTRA_OK);
    }
}

static void put_away(struct made *made)
{
    intra_run_fini(&made->m.run);
    intra_pyramid_fini(&made->m.pyramid);
    intra_mask_pyramid_fini(&made->mask);
    intra_image_u8_fini(&made->rgb);
    intra_image_u8_fini(&made->y);
}

/* What intra_motion_process asks of a frame: 0 where it is no zoom, else the magnification. */
static double zoom_of(struct made *made)
{
    struct intra_pose_fit drive_fit, zoom_fit;
    struct intra_pose guess = intra_run_predict(&made->m.run, DRIVEN / fps);
    intra_run_fit(&made->m.run, &made->m.pyramid, &guess, 1, &drive_fit);
    if (!drive_fit.is_good)
        fail_msg("lost: %d of %d, noise %.2f", drive_fit.n_inlier, drive_fit.n_visible, drive_fit.noise);
    if (!seems_zoomed(&made->m, &drive_fit, DRIVEN / fps)) return 0;
    fit_zoom(&made->m, &zoom_fit);
    return begins_zoom(&drive_fit, &zoom_fit) ? zoom_fit.zoom : 0;
}

static void zooms_and_drives(void **state)
{
    static const double zooms[] = {1.02, 1.04, 0.97}, contrasts[] = {0.8, 0.35};
    static const struct {
        double ahead_m, yaw_rad;
    } drives[] = {{0, 0}, {0.006, 0}, {0.02, 0}, {-0.012, 0}, {0, 0.03}, {0, -0.06}};
    (void)state;
    for (int c = 0; c < 2; c++)
        for (unsigned seed = 1; seed <= 2; seed++) {
            struct made made = {.pipe = {radius_m, 0, seed, contrasts[c], 1.5}};
            drive(&made);
            for (size_t i = 0; i < sizeof zooms / sizeof *zooms; i++) {
                look(&made, DRIVEN - 1, 0, 0, zooms[i]);
                double found = zoom_of(&made);
                if (!(fabs(found - zooms[i]) < 0.01))
                    fail_msg("a zoom of %.2f came out as %.3f (texture %.2f, seed %u)", zooms[i], found, contrasts[c],
                             seed);
            }
            for (size_t i = 0; i < sizeof drives / sizeof *drives; i++) {
                look(&made, DRIVEN - 1, drives[i].ahead_m, drives[i].yaw_rad, 1);
                double found = zoom_of(&made);
                if (found != 0)
                    fail_msg("%.0f mm on, turned by %.2f: taken for a zoom of %.3f (texture %.2f, seed %u)",
                             1e3 * drives[i].ahead_m, drives[i].yaw_rad, found, contrasts[c], seed);
            }
            put_away(&made);
        }
}

/* A zoom is said to have begun while the camera drove on as before, or zoomed. */
static void drives_and_zooms_after_all(void **state)
{
    static const struct {
        double speed, zoom; /* of the frames after */
        bool is_zoom;
    } goes_on[] = {{1, 1, false}, {0, 1.06, true}};
    (void)state;
    for (size_t i = 0; i < sizeof goes_on / sizeof *goes_on; i++) {
        struct made made = {.pipe = {radius_m, 0, 3, 0.8, 1.5}};
        struct intra_motion *m = &made.m;
        struct entry entries[3] = {{.index = DRIVEN - 3, .fate = FATE_ZOOMED, .has_drive = true}, /* of a zoom before */
                                   {.index = DRIVEN},
                                   {.index = DRIVEN + 1}},
                     *between = &entries[1];
        struct intra_frame frame = {.index = DRIVEN, .pts_s = DRIVEN / fps};
        struct intra_pose_fit fit;
        drive(&made);
        m->entries = entries;
        m->n_entries = 2;
        look(&made, DRIVEN - 1, goes_on[i].speed * speed_m_s / fps, 0, 1 + 0.5 * (goes_on[i].zoom - 1));
        struct intra_pose guess = intra_run_predict(&m->run, frame.pts_s);
        intra_run_fit(&m->run, &m->pyramid, &guess, 1, &fit);
        assert_true(fit.is_good);
        m->zoom = (struct zoom_watch){.is_on = true,
                                      .zoom = 1 + 0.5 * (goes_on[i].zoom - 1),
                                      .pose = m->run.pose,
                                      .seen_s = frame.pts_s,
                                      .has_drive = true,
                                      .first = DRIVEN,
                                      .drive_before = m->run.pose,
                                      .drive = fit.cam_from_run};
        set_zoomed(m, &m->zoom.drive);
        assert_int_equal(between->fate, FATE_ZOOMED);
        frame = (struct intra_frame){.index = DRIVEN + 1, .pts_s = (DRIVEN + 1) / fps};
        look(&made, DRIVEN - 1, 2 * goes_on[i].speed * speed_m_s / fps, 0, goes_on[i].zoom);
        m->n_entries = 3;
        fit = (struct intra_pose_fit){0};
        assert_int_equal(follow_zoom(m, &frame, &fit), goes_on[i].is_zoom);
        assert_int_equal(m->zoom.is_on, goes_on[i].is_zoom);
        assert_int_equal(fit.is_good, !goes_on[i].is_zoom);
        assert_int_equal(between->fate, goes_on[i].is_zoom ? FATE_ZOOMED : FATE_POSED);
        assert_int_equal(entries[0].fate, FATE_ZOOMED);
        if (!goes_on[i].is_zoom) { /* and the frame between stands where it drove */
            struct intra_pose at = intra_pose_mul(&between->cam_from_kf, &m->run.kfs[between->kf].cam_from_world);
            double way = intra_norm(intra_sub(intra_pose_inverse(&at).t, intra_pose_inverse(&m->run.pose).t));
            if (fabs(way - speed_m_s / fps) > 1e-3) fail_msg("%.1f mm instead of 6", 1e3 * way);
        }
        put_away(&made);
    }
}

/* How many pixels of a picture are as green, and as red, as what agrees and what does not. */
static void count_squares(const char *path, int *green, int *red)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    png_byte *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(pixels);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    assert_int_equal(image.width, lens.width);
    *green = *red = 0;
    for (size_t i = 0; i < (size_t)image.width * image.height; i++) {
        *green += pixels[3 * i + 1] > 240 && pixels[3 * i] < 100;
        *red += pixels[3 * i] > 240 && pixels[3 * i + 1] < 100;
    }
    free(pixels);
}

/* Green where the wall is followed; red where the picture is another one. Due each two seconds, and at a loss. */
static void pictures_of_what_is_followed(void **state)
{
    struct made made = {.pipe = {radius_m, 0, 3, 0.8, 1.5}};
    struct intra_motion *m = &made.m;
    char folder[] = "/tmp/followed-XXXXXX", path[64];
    struct intra_frame frame = {.index = DRIVEN, .pts_s = DRIVEN / fps};
    struct intra_pose_fit fit;
    int green, red;
    (void)state;
    assert_non_null(mkdtemp(folder));
    drive(&made);
    m->options.debug_dir = folder;
    m->mode = MODE_TRACK;
    frame.y = made.y;
    for (int is_lost = 0; is_lost < 2; is_lost++) {
        look(&made, is_lost ? 2000 : DRIVEN, 0, 0, 1);
        struct intra_pose guess = intra_run_predict(&m->run, DRIVEN / fps);
        intra_run_fit(&m->run, &m->pyramid, &guess, 1, &fit);
        fit.is_good = !is_lost;
        assert_int_equal(show(m, &frame, &fit, NULL), INTRA_OK);
        snprintf(path, sizeof path, "%s/%s_000020.png", folder, is_lost ? "lost" : "followed");
        count_squares(path, &green, &red);
        if (!(is_lost ? red > 3 * green : green > 10 * red)) fail_msg("%s: %d green, %d red", path, green, red);
        assert_int_equal(remove(path), 0);
    }
    fit.is_good = true; /* the next is not due yet, nor a frame of a loss that was shown */
    assert_int_equal(show(m, &frame, &fit, NULL), INTRA_OK);
    fit.is_good = false;
    m->mode = MODE_LOST;
    assert_int_equal(show(m, &frame, &fit, NULL), INTRA_OK);
    assert_int_equal(rmdir(folder), 0);
    put_away(&made);
}

static void wide_lenses_do_not_zoom(void **state)
{
    struct intra_motion m = {.zoom = {.not_before_s = 2}};
    struct intra_pose_fit fit = {.zoom_off = 0.05, .zoom_off_sd = 0.002};
    struct intra_camera camera;
    (void)state;
    assert_true(seems_zoomed(&m, &fit, 3));
    assert_false(seems_zoomed(&m, &fit, 1.5)); /* there was none a moment ago */
    for (int degrees = 60; degrees <= 180; degrees += 40) {
        assert_int_equal(intra_camera_from_hfov(640, 480, degrees * M_PI / 180, &camera, NULL), INTRA_OK);
        if (fabs(width_of(&camera) * 180 / M_PI - degrees) > 1)
            fail_msg("a lens of %d degrees is %.1f wide", degrees, width_of(&camera) * 180 / M_PI);
    }
    m.is_wide = true;
    assert_false(seems_zoomed(&m, &fit, 3));
}

/* Figures of frames of the suite's pipes and, the jerk, of a real clip; the last two are made up. */
static void cuts_and_drives(void **state)
{
    static const struct {
        const char *what;
        double change, usual_change, change_before, usual_share;
        int n_sure, n_visible;
        bool is_good, is_cut;
    } frames[] = {
        {"cut, two thirds agree by chance", 0.033, 0.0114, 0.0001, 0.67, 58, 145, true, true},
        {"cut, picture much another", 0.068, 0.0073, 0.0001, 0.66, 57, 213, false, true},
        {"cut between fields, no pose", 0.1175, 0.0440, 0.0519, 0.672, 0, 0, false, true},
        {"jerk", 0.1308, 0.0649, 0.0349, 0.588, 186, 454, true, false},
        {"jerk, fewer agree", 0.1308, 0.0649, 0.0349, 0.605, 97, 472, true, false},
        {"setting off", 0.020, 0.0053, 0.0010, 0.69, 100, 145, true, false},
        {"speeding up", 0.089, 0.0520, 0.0450, 0.66, 75, 144, true, false},
        {"past a lateral", 0.043, 0.0406, 0.0400, 0.68, 72, 143, true, false},
        {"pan, half out of sight", 0.094, 0.1056, 0.1000, 0.70, 62, 141, true, false},
        {"cut from black", 0.4, 0.05, 0, 0.8, 40, 200, true, true},
        {"lost, and nothing changes", 0.043, 0.0406, 0.0400, 0.68, 0, 0, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct intra_motion m = {.cut = {.change = frames[i].change,
                                         .usual_change = frames[i].usual_change,
                                         .change_before = frames[i].change_before,
                                         .usual_share = frames[i].usual_share}};
        struct intra_pose_fit fit = {
            .is_good = frames[i].is_good, .n_sure = frames[i].n_sure, .n_visible = frames[i].n_visible};
        if (is_cut(&m, &fit) != frames[i].is_cut)
            fail_msg("%s: %staken for a cut", frames[i].what, frames[i].is_cut ? "not " : "");
    }
}

/* Without a counter: behind a loss the next run goes on where the last one was going, behind a cut it lies so far ahead
 * that what the last one saw is not painted over. */
static void set_apart_behind_a_cut(void **state)
{
    (void)state;
    for (int has_cut = 0; has_cut < 2; has_cut++) {
        struct made made = {.pipe = {radius_m, 0, 1, 0.8, 1.5}}, next = {.pipe = {radius_m, 0, 2, 0.8, 1.5}};
        drive(&made);
        drive(&next);
        struct intra_motion *m = &made.m;
        const struct intra_keyframe *last = &m->run.kfs[m->run.n_kfs - 1];
        double arc;
        m->options.radius_m = radius_m;
        m->placement = (struct intra_placement){.world_from_run = intra_pose_identity()};
        m->cut.is_cut = has_cut;
        for (int i = 0; i < next.m.run.n_kfs; i++)
            next.m.run.kfs[i].pts_s += m->run.pts_s + 0.2;
        assert_int_equal(place_next(m, &next.m.run, NULL), INTRA_OK);
        assert_int_equal(intra_run_arc(&m->run, last->u, &arc, NULL), INTRA_OK);
        double ahead = m->placement.station_offset_m - arc;
        assert_true(has_cut ? ahead >= INTRA_WALL_AHEAD_REL * radius_m : ahead > 0 && ahead < 0.2);
        assert_true(m->placement.is_apart == has_cut && !m->placement.is_by_counter);
        assert_true(has_cut ? isnan(m->placement.gap_sd_m) : m->placement.gap_sd_m > 0);
        assert_true(fabs(m->placement.world_from_run.t.x - m->placement.station_offset_m) < 0.05);
        put_away(&made);
        put_away(&next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zooms_and_drives),        cmocka_unit_test(drives_and_zooms_after_all),
        cmocka_unit_test(wide_lenses_do_not_zoom), cmocka_unit_test(pictures_of_what_is_followed),
        cmocka_unit_test(cuts_and_drives),         cmocka_unit_test(set_apart_behind_a_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
