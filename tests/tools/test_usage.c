/* Proves: help, version and exit status 2 with one clear message for every wrong use of the command line, through the
 * real program. Does not prove: what the commands compute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "export/record.h"
#include "program.h"
#include "tools/record_options.h"

#include <stdio.h>
#include <string.h>

static char *const folder = program_dir;

static void expect_out(const char *words, const char *said)
{
    struct program_run run = program_start(folder, words);
    if (run.code != 0 || !strstr(run.out, said))
        fail_msg("intrados %s: status %d, should say '%s': %s%s", words, run.code, said, run.out, run.err);
    assert_string_equal(run.err, "");
    program_free(&run);
}

static void help_and_version(void **state)
{
    static const char *const commands[] = {"reconstruct", "simulate", "evaluate", "import", "measure", "export", "info"};
    (void)state;
    expect_out("--version", "intrados 0.");
    expect_out("--help", "reconstruct");
    expect_out("help", "Exit status");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char words[64];
        snprintf(words, sizeof words, "%s --help", commands[i]);
        expect_out(words, "Example:");
        expect_out("--help", commands[i]);
    }
}

static void assert_helps(const char *words, const char *name)
{
    struct program_run run = program_done(folder, words);
    if (!strstr(run.out, name)) fail_msg("intrados %s does not name %s", words, name);
    program_free(&run);
}

static void help_names_the_formats_of_records(void **state)
{
    (void)state;
    for (int f = INTRA_RECORD_NONE + 1; f < INTRA_RECORD_N_FORMATS; f++) {
        enum intra_record_format format = (enum intra_record_format)f;
        const char *name = intra_record_format_name(format);
        assert_true(intra_record_is_read(format));
        assert_helps("import --help", name);
        assert_helps("reconstruct --help", name);
        assert_helps("export --help", name);
    }
    assert_true(strstr(INTRA_RECORD_NAMES_WRITTEN, "wincan") == NULL);
    for (int f = INTRA_RECORD_OWN_JSON; f < INTRA_RECORD_N_FORMATS; f++) /* csv stands by itself: --table record */
        if (intra_record_is_written((enum intra_record_format)f) !=
            (strstr(INTRA_RECORD_NAMES_WRITTEN, intra_record_format_name((enum intra_record_format)f)) != NULL))
            fail_msg("%s: in the help, or not", intra_record_format_name((enum intra_record_format)f));
}

/* Features of later versions are not listed, and not taken silently. */
static void unknown_words(void **state)
{
    (void)state;
    program_expect(folder, "", 2, "no command given");
    program_expect(folder, "reconstrct v.mp4", 2, "unknown command 'reconstrct'; did you mean 'reconstruct'?");
    program_expect(folder, "recon v.mp4", 2, "did you mean 'reconstruct'?");
    program_expect(folder, "frobnicate", 2, "unknown command 'frobnicate'\n");
    program_expect(folder, "survey x", 2, "unknown command");
    program_expect(folder, "show x", 2, "unknown command");
    program_expect(folder, "reconstruct v.mp4 --diamter 300mm", 2,
                   "unknown option '--diamter'; did you mean '--diameter'?");
    program_expect(folder, "reconstruct v.mp4 --xyzzy", 2, "unknown option '--xyzzy'\n");
    program_expect(folder, "reconstruct v.mp4 -d 300mm --record r.xml", 1, "r.xml");
    program_expect(folder, "reconstruct v.mp4 -d 300mm --opposite", 2, "give --record FILE too");
    program_expect(folder, "reconstruct v.mp4 --depth 40m", 2, "unknown option '--depth'");
    program_expect(folder, "reconstruct v.mp4 -Z", 2, "unknown option '-Z'");
    program_expect(folder, "reconstruct v.mp4 --t 3", 2, "write it out");
}

static void missing_and_surplus(void **state)
{
    (void)state;
    program_expect(folder, "reconstruct --diameter 300mm", 2, "no video given");
    program_expect(folder, "reconstruct a.mp4 b.mp4 --diameter 300mm", 2, "one video at a time");
    program_expect(folder, "reconstruct a.mp4", 2, "--diameter is missing: the nominal inside diameter sets the scale");
    program_expect(folder, "reconstruct a.mp4 --diameter", 2, "'--diameter' wants a value");
    program_expect(folder, "reconstruct a.mp4 -d 300mm --force=yes", 2, "takes no value");
    program_expect(folder, "info", 2, "no video given");
    program_expect(folder, "measure", 2, "no project given");
    program_expect(folder, "measure x --patch-margin 3", 2, "has no unit");
    program_expect(folder, "measure x --patch-margin -1m", 2, "must not be negative");
    program_expect(folder, "measure x --station-offset 3", 2, "has no unit");
    program_expect(folder, "export x --record y.csv -o y.ply", 2, "only for html, glb");
    program_expect(folder, "measure x", 1, "project.sqlite");
    program_expect(folder, "export x --range 1m:2m -o y.gpkg", 2, "the whole pipe");
    program_expect(folder, "export", 2, "no project given");
    program_expect(folder, "export x", 2, "-o is missing");
    program_expect(folder, "export x -o y.xyz", 2, "this ending names no format");
    program_expect(folder, "evaluate", 2, "no result given");
}

static void values_out_of_range(void **state)
{
    static const struct {
        const char *words, *said;
    } cases[] = {
        {"--diameter 300", "--diameter: '300' has no unit; write for example 300mm"},
        {"--diameter 0.3", "has no unit"},
        {"--diameter abc", "--diameter: 'abc'"},
        {"--diameter nanmm", "--diameter"},
        {"--diameter -300mm", "must be 20mm to 10m"},
        {"--diameter 0mm", "must be 20mm to 10m"},
        {"--diameter 19.9mm", "must be 20mm to 10m"},
        {"--diameter 10.1m", "must be 20mm to 10m"},
        {"--diameter 300km", "must be 20mm to 10m"},
        {"--diameter 1e400mm", "--diameter"},
        {"--diameter 300mm --hfov 70", "--hfov"},
        {"--diameter 300mm --hfov 5deg", "10 to 220 degrees"},
        {"--diameter 300mm --hfov 400deg", "10 to 220 degrees"},
        {"--diameter 300mm --hfov 70deg --camera c.yaml", "give one of them"},
        {"--diameter 300mm --pixel-aspect 16:15 --camera c.yaml", "give one of them"},
        {"--diameter 300mm --pixel-aspect 16:x", "e.g. --pixel-aspect 16:15"},
        {"--diameter 300mm --pixel-aspect 3", "between 0.5 and 2"},
        {"--diameter 300mm --threads 0", "--threads"},
        {"--diameter 300mm --threads many", "--threads"},
        {"--diameter 300mm --from 5 --to 3", "is not before"},
        {"--diameter 300mm --from yesterday", "--from"},
        {"--diameter 300mm --texel 1", "--texel"},
        {"--diameter 300mm --texel 1m", "--texel 1m: out of range"},
        {"--diameter 300mm --section-step 1mm", "--section-step 1mm: out of range"},
        {"--diameter 300mm --cut 6", "--cut"},
        {"--diameter 300mm --cut 1e9deg", "--cut 1e9deg: must be within a turn"},
        {"--diameter 300mm --deinterlace maybe", "is not auto, on or off"},
        {"--diameter 300mm --max-size 25", "--max-size"},
        {"--diameter 300mm --max-size 1kB", "between 100kB and 100GB"},
        {"--diameter 300mm --image-fps 0", "--image-fps"},
        {"--diameter 300mm -o ''", "name of the output folder is empty"},
        {"--diameter 300mm -o .", "name of its own"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char words[256];
        snprintf(words, sizeof words, "reconstruct v.mp4 %s", cases[i].words);
        program_expect(folder, words, 2, cases[i].said);
    }
    program_expect(folder, "export x -o y.glb --range 10m", 2, "--range: '10m' is not FROM:TO");
    program_expect(folder, "export x -o y.glb --range 10m:5m", 2, "must be smaller");
    program_expect(folder, "export x -o y.glb --range 10:20", 2, "--range: '10' has no unit");
    program_expect(folder, "export x -o y.tif --layer light", 2, "--layer");
    program_expect(folder, "export x -o y --format gbl", 2, "did you mean 'glb'?");
}

/* Every message is one line that begins with the program's name; then one line of where to look. */
static void messages_have_one_form(void **state)
{
    struct program_run run;
    const char *end;
    (void)state;
    run = program_start(folder, "reconstruct v.mp4 --diameter 300");
    assert_memory_equal(run.err, "intrados: ", 10);
    end = strchr(run.err, '\n');
    assert_non_null(end);
    assert_string_equal(end + 1, "Try 'intrados reconstruct --help'.\n");
    assert_string_equal(run.out, "");
    program_free(&run);
}

static void output_that_cannot_be_written(void **state)
{
    (void)state;
    /* /dev/full takes nothing. */
    program_expect_after(folder, "exec 5>/dev/full;", "--help >&5", 1, "standard output: cannot write");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(help_names_the_formats_of_records),
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(missing_and_surplus),
        cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(messages_have_one_form),
        cmocka_unit_test(output_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, program_make_dir, program_remove_dir);
}
