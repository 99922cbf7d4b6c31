/* Proves, for each text format: script text comes in as text and nothing else; a cell of 10 MB is kept whole or refused
 * in words; stations that are no numbers are unknown, negative ones stay, nothing is infinite; continuous defects whose
 * rows refer to each other crosswise, and ids that stand twice, end; 100,000 observations take bounded time and memory,
 * each read in a process of its own; a folder that contains itself ends, too. Broken XML, entity bombs and damaged
 * databases: test_record_xml, test_record_mdb, and the fuzz targets. Does not prove: what the pages and tables made of
 * it do with the text (test_report, test_tables). */
#include "export/record.h"

#include "core/scratch.h"
#include "export/record_same.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* {s} station, {r} text, {c} mark of a continuous defect, {i} number of the row. `text_is_code`: the format has no
 * remarks, the text is the label. */
static const struct kind {
    enum intra_record_format format;
    const char *file, *head, *row, *between, *tail;
    char escape; /* 'x' XML, 'c' CSV, 'j' JSON, 'n' none */
    bool text_is_code, has_station, has_mark;
} kinds[] = {
    {INTRA_RECORD_OWN_CSV, "a.csv", "station_m,code,remark,continuous\n", "{s},BAB,{r},{c}\n", "", "", 'c', false, true,
     true},
    {INTRA_RECORD_OWN_JSON, "a.json", "{\"intrados_record\":1,\"observations\":[",
     "{\"station_m\":\"{s}\",\"code\":\"BAB\",\"remark\":{r},\"continuous\":\"{c}\"}", ",", "]}", 'j', false, true,
     true},
    {INTRA_RECORD_PACP_CSV, "pacp/PACP_Conditions.csv",
     "ConditionID,InspectionID,Distance,PACP_Code,Remarks,Continuous\n", "{i},1,{s},CL,{r},{c}\n", "", "", 'c', false,
     true, true},
    {INTRA_RECORD_EN_TEXT, "a.txt", "#A1=UTF-8\n#A3=,\n#A4=.\n#A5=\"\n#B01=AAA\nP\n#C=I,A,F,J\n", "{s},BAB,{r},{c}\n",
     "", "#Z\n", 'c', false, true, true},
    {INTRA_RECORD_DWA_M150, "a.xml", "<DATA><FD/><HG><HG001>P</HG001><HI>",
     "<HZ><HZ001>{s}</HZ001><HZ002>BAB</HZ002><HZ999>{r}</HZ999><HZ005>{c}</HZ005></HZ>", "", "</HI></HG></DATA>", 'x',
     false, true, true},
    {INTRA_RECORD_ISYBAU, "a.xml",
     "<Identifikation><Datenkollektive><Zustandsdatenkollektiv><InspizierteAbwassertechnischeAnlage><Objektbezeichnung>"
     "P"
     "</Objektbezeichnung><OptischeInspektion><Rohrleitung><Inspektionsdaten>",
     "<RZustand><Station>{s}</Station><InspektionsKode>BAB</InspektionsKode><Kommentar>{r}</Kommentar></RZustand>", "",
     "</Inspektionsdaten></Rohrleitung></OptischeInspektion></InspizierteAbwassertechnischeAnlage></"
     "Zustandsdatenkollektiv>"
     "</Datenkollektive></Identifikation>",
     'x', false, true, false},
    {INTRA_RECORD_RIBX, "a.xml", "<DATA><ZA/><ZB_A><AAA>P</AAA>", "<ZC><A>BAB</A><F>{r}</F><I>{s}</I><J>{c}</J></ZC>",
     "", "</ZB_A></DATA>", 'x', false, true, true},
    {INTRA_RECORD_WSAA, "a.xml", "<PROJECT><SURVEYS><SURVEY><HEADER><AAA>P</AAA></HEADER><OBSERVATIONS>",
     "<OBSERVATION><DISTANCE>{s}</DISTANCE><CODE>BAB</CODE><REMARK>{r}</REMARK><CONTINUOUS>{c}</CONTINUOUS></"
     "OBSERVATION>",
     "", "</OBSERVATIONS></SURVEY></SURVEYS></PROJECT>", 'x', false, true, true},
    {INTRA_RECORD_MSCC, "a.xml", "<SurveyGroup><Survey><Header/><Observations>",
     "<Observation><Distance>{s}</Distance><Code>CL</Code><Remarks>{r}</Remarks><ContinuousDefect>{c}</"
     "ContinuousDefect></Observation>",
     "", "</Observations></Survey></SurveyGroup>", 'x', false, true, true},
    {INTRA_RECORD_SEWERAI, "a.json", "{\"observations\":[",
     "{\"video_frame\":5,\"Distance\":\"{s}\",\"code\":\"CL\",\"Remarks\":{r},\"Continuous\":\"{c}\"}", ",", "]}", 'j',
     false, true, true},
    {INTRA_RECORD_CVAT, "a.xml", "<annotations>",
     "<image name=\"f_{i}.png\" width=\"9\" height=\"9\"><box label=\"{r}\" xtl=\"1\" ytl=\"1\" xbr=\"2\" "
     "ybr=\"2\"/></image>",
     "", "</annotations>", 'x', true, false, false},
    {INTRA_RECORD_COCO, "a.json",
     "{\"images\":[{\"id\":1,\"file_name\":\"f_1.png\",\"width\":9,\"height\":9}],\"annotations\":[",
     "{\"id\":{i},\"image_id\":1,\"category_id\":1,\"bbox\":[1,1,2,2]}", ",",
     "],\"categories\":[{\"id\":1,\"name\":{r}}]}", 'j', true, false, false},
    {INTRA_RECORD_YOLO, "yolo/f_1.txt", "", "0 0.5 0.5 0.1 0.1\n", "", "", 'n', true, false, false}};
enum { N_KINDS = sizeof kinds / sizeof kinds[0], MANY = 100000, LARGE = 10000000 };

static void put_escaped(FILE *f, const char *text, char escape)
{
    if (escape == 'c' || escape == 'j') fputc('"', f);
    for (; *text; text++) {
        if (escape == 'x' && *text == '<')
            fputs("&lt;", f);
        else if (escape == 'x' && *text == '&')
            fputs("&amp;", f);
        else if (escape == 'x' && *text == '"')
            fputs("&quot;", f);
        else if (escape == 'c' && *text == '"')
            fputs("\"\"", f);
        else if (escape == 'j' && (*text == '"' || *text == '\\'))
            fprintf(f, "\\%c", *text);
        else
            fputc(*text, f);
    }
    if (escape == 'c' || escape == 'j') fputc('"', f);
}

static void put_row(FILE *f, const struct kind *k, const char *row, const char *station, const char *text,
                    const char *mark, int number)
{
    for (; *row; row++) {
        if (row[0] != '{' || !strchr("srci", row[1]) || row[2] != '}') {
            fputc(*row, f);
            continue;
        }
        if (row[1] == 's') fputs(station, f);
        if (row[1] == 'r') put_escaped(f, text, k->escape);
        if (row[1] == 'c') fputs(mark, f);
        if (row[1] == 'i') fprintf(f, "%d", number);
        row += 2;
    }
}

struct line {
    const char *station, *text, *mark;
};

/* What there is to read: the file, or its folder. `rows` times the lines in turn. */
static const char *put_file(const struct kind *k, const struct line *lines, int n, int rows)
{
    char name[64];
    FILE *f;
    snprintf(name, sizeof name, "%s", k->file);
    char *slash = strchr(name, '/');
    if (slash) {
        *slash = 0;
        mkdir(scratch_path(name), 0777);
    }
    if (k->format == INTRA_RECORD_PACP_CSV) scratch_file("pacp/PACP_Inspections.csv", "InspectionID,IsImperial\n1,0\n");
    if (k->format == INTRA_RECORD_YOLO) {
        f = fopen(scratch_path("yolo/classes.txt"), "wb");
        fprintf(f, "%s\n", lines[0].text);
        fclose(f);
    }
    f = fopen(scratch_path(k->file), "wb");
    assert_non_null(f);
    put_row(f, k, k->head, "", lines[0].text, "", 0);
    for (int i = 0; i < rows; i++) {
        const struct line *l = &lines[i % n];
        char own[32];
        snprintf(own, sizeof own, "%d.5", i);
        if (i) fputs(k->between, f);
        put_row(f, k, k->row, l->station ? l->station : own, l->text, l->mark, i);
    }
    put_row(f, k, k->tail, "", lines[0].text, "", 0);
    fclose(f);
    return scratch_path(name);
}

static enum intra_status read_kind(const struct kind *k, const struct line *lines, int n, int rows,
                                   struct intra_record *r, struct intra_error *err)
{
    memset(err, 0, sizeof *err);
    return intra_record_read(put_file(k, lines, n, rows), k->format, r, err);
}

static const char *name_of(const struct kind *k)
{
    return intra_record_format_name(k->format);
}

static void script_text_is_text(void **state)
{
    static const char *const texts[] = {"<script>alert(\"x\")</script>",
                                        "'; DROP TABLE observation; --",
                                        "=cmd|' /C calc'!A0",
                                        "%n%s%d {0} ${x}",
                                        "</remark><remark>",
                                        "\\u0000 \\x00 \xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++)
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
            const struct line line = {"1.5", texts[t], ""};
            struct intra_record r;
            struct intra_error err;
            if (read_kind(&kinds[i], &line, 1, 1, &r, &err) != INTRA_OK)
                fail_msg("%s: %s", name_of(&kinds[i]), err.text);
            const struct intra_observation *o = &r.inspections[0].observations[0];
            same_string(name_of(&kinds[i]), "text", texts[t], kinds[i].text_is_code ? o->code : o->remark);
            intra_record_fini(&r);
        }
}

static void a_cell_of_10_mb(void **state)
{
    char *text = malloc(LARGE + 1);
    (void)state;
    memset(text, 'x', LARGE);
    text[LARGE] = 0;
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct line line = {"1.5", text, ""};
        struct intra_record r;
        struct intra_error err;
        if (read_kind(&kinds[i], &line, 1, 1, &r, &err) != INTRA_OK) {
            print_message("%s: %s\n", name_of(&kinds[i]), err.text);
            assert_true(err.text[0]);
            continue;
        }
        const struct intra_observation *o = &r.inspections[0].observations[0];
        const char *kept = kinds[i].text_is_code ? o->code : o->remark;
        if (!kept || strlen(kept) != LARGE) fail_msg("%s: %zu bytes kept", name_of(&kinds[i]), kept ? strlen(kept) : 0);
        intra_record_fini(&r);
    }
    free(text);
}

static void stations_that_are_none(void **state)
{
    static const struct {
        const char *text;
        double value;
    } stations[] = {{"NaN", NAN},   {"nan", NAN}, {"inf", NAN},   {"-Infinity", NAN}, {"1e999", NAN}, {"0x10", NAN},
                    {"1.2.3", NAN}, {"", NAN},    {"-2.5", -2.5}, {"twelve", NAN},    {"1e3", 1000}};
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++)
        for (size_t s = 0; s < sizeof stations / sizeof stations[0] && kinds[i].has_station; s++) {
            const struct line line = {stations[s].text, "t", ""};
            struct intra_record r;
            struct intra_error err;
            if (read_kind(&kinds[i], &line, 1, 1, &r, &err) != INTRA_OK)
                fail_msg("%s: %s", name_of(&kinds[i]), err.text);
            double is = r.inspections[0].observations[0].distance_m, imperial = stations[s].value * 0.3048;
            if (!(isnan(is) && isnan(stations[s].value)) && fabs(is - stations[s].value) > 1e-9 &&
                fabs(is - imperial) > 1e-9)
                fail_msg("%s: '%s' is %g", name_of(&kinds[i]), stations[s].text, is);
            intra_record_fini(&r);
        }
}

/* A defect that ends before it begins, ends of others, changes of itself, the same start twice. */
static void crosswise_continuous_defects(void **state)
{
    static const struct line lines[] = {{"10", "a", "S01"}, {"5", "b", "F02"}, {"1", "c", "S02"},
                                        {"3", "d", "F01"},  {"3", "e", "C01"}, {"2", "f", "C01"},
                                        {"9", "g", "S01"},  {"9", "h", "S01"}, {"0", "i", "F99999"},
                                        {"4", "j", "A01"},  {"4", "k", "B01"}, {"6", "l", "S999999999999"}};
    enum { N = sizeof lines / sizeof lines[0] };
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        struct intra_record r;
        struct intra_error err;
        if (!kinds[i].has_mark) continue;
        if (read_kind(&kinds[i], lines, N, N, &r, &err) != INTRA_OK) fail_msg("%s: %s", name_of(&kinds[i]), err.text);
        int64_t rows = 0;
        for (int64_t k = 0; k < r.inspections[0].n_observations; k++)
            rows += 1 + (r.inspections[0].observations[k].finish_source.n > 0);
        if (rows != N) fail_msg("%s: %lld of %d rows are left", name_of(&kinds[i]), (long long)rows, N);
        intra_record_fini(&r);
    }
}

static void the_same_id_again_and_again(void **state)
{
    struct intra_record r;
    struct intra_error err = {0};
    (void)state;
    mkdir(scratch_path("twice"), 0777);
    scratch_file("twice/PACP_Inspections.csv", "InspectionID,IsImperial,Pipe_Segment_Reference\n1,0,A\n1,0,B\n1,0,C\n");
    scratch_file("twice/PACP_Conditions.csv",
                 "ConditionID,InspectionID,Distance,PACP_Code\n1,1,1,CL\n1,1,2,CL\n1,1,3,CL\n");
    scratch_file("twice/PACP_Media_Conditions.csv", "MediaID,ConditionID,Image_Name\n1,1,a.jpg\n1,1,b.jpg\n");
    if (intra_record_read(scratch_path("twice"), INTRA_RECORD_NONE, &r, &err) != INTRA_OK) fail_msg("%s", err.text);
    int64_t n = 0;
    for (int64_t i = 0; i < r.n_inspections; i++)
        n += r.inspections[i].n_observations;
    assert_int_equal(n, 3);
    intra_record_fini(&r);
    static const char coco[] =
        "{\"images\":[{\"id\":1,\"file_name\":\"1.png\"},{\"id\":1,\"file_name\":\"2.png\"}],\"categories\":"
        "[{\"id\":1,\"name\":\"a\"},{\"id\":1,\"name\":\"b\"}],\"annotations\":[{\"id\":1,\"image_id\":1,"
        "\"category_id\":1,\"bbox\":[1,1,2,2]},{\"id\":1,\"image_id\":1,\"category_id\":1,\"bbox\":[1,1,2,2]}]}";
    if (intra_record_read(scratch_file("twice.json", coco), INTRA_RECORD_COCO, &r, &err) != INTRA_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r.counts.read, 2);
    intra_record_fini(&r);
}

static void a_folder_that_contains_itself(void **state)
{
    struct intra_record r;
    struct intra_error err = {0};
    (void)state;
    mkdir(scratch_path("loop"), 0777);
    assert_int_equal(symlink(".", scratch_path("loop/labels")), 0);
    scratch_file("loop/classes.txt", "BAB\n");
    scratch_file("loop/f_000001.txt", "0 0.5 0.5 0.1 0.1\n");
    if (intra_record_read(scratch_path("loop"), INTRA_RECORD_YOLO, &r, &err) == INTRA_OK) {
        assert_true(r.counts.read <= 2);
        intra_record_fini(&r);
    } else {
        assert_true(err.text[0]);
    }
}

/* Each in a process of its own, so that its peak of memory is its own. */
static void a_hundred_thousand_observations(void **state)
{
    static const struct line lines[] = {{NULL, "text", "S01"}, {NULL, "text", ""}, {NULL, "text", "F01"}};
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        const struct kind *k = &kinds[i];
        char path[600];
        int code = 0;
        struct rusage used;
        pid_t pid;
        snprintf(path, sizeof path, "%s", put_file(k, lines, 3, MANY));
        fflush(NULL);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct intra_record r;
            struct intra_error err = {0};
            int64_t rows = 0;
            if (intra_record_read(path, k->format, &r, &err) != INTRA_OK) {
                fprintf(stderr, "%s: %s\n", name_of(k), err.text);
                _exit(2);
            }
            for (int64_t p = 0; p < r.n_inspections; p++)
                for (int64_t q = 0; q < r.inspections[p].n_observations; q++)
                    rows += 1 + (r.inspections[p].observations[q].finish_source.n > 0);
            intra_record_fini(&r);
            _exit(rows == MANY ? 0 : 3);
        }
        assert_int_equal(wait4(pid, &code, 0, &used), pid);
        double seconds = (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec;
        print_message("%s: %.1f s, %ld MB\n", name_of(k), seconds, used.ru_maxrss >> 10);
        if (!WIFEXITED(code) || WEXITSTATUS(code) != 0) fail_msg("%s: ended with %x", name_of(k), code);
        if (seconds > (IS_SANITIZED ? 100 : 20)) fail_msg("%s: %.1f s", name_of(k), seconds);
        if (!IS_SANITIZED && used.ru_maxrss > 1 << 20) fail_msg("%s: %ld MB", name_of(k), used.ru_maxrss >> 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(script_text_is_text),
                                       cmocka_unit_test(a_cell_of_10_mb),
                                       cmocka_unit_test(stations_that_are_none),
                                       cmocka_unit_test(crosswise_continuous_defects),
                                       cmocka_unit_test(the_same_id_again_and_again),
                                       cmocka_unit_test(a_folder_that_contains_itself),
                                       cmocka_unit_test(a_hundred_thousand_observations)};
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
