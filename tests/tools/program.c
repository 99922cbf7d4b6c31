#include "program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static char *read_text(const char *folder, const char *name)
{
    char path[256];
    char *text = NULL;
    size_t size = 0, n;
    FILE *in, *copy = open_memstream(&text, &size);
    char block[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    in = fopen(path, "rb");
    while (in && (n = fread(block, 1, sizeof block, in)) > 0)
        fwrite(block, 1, n, copy);
    if (in) fclose(in);
    fclose(copy);
    remove(path);
    return text;
}

struct program_run program_start(const char *folder, const char *words)
{
    return program_start_after(folder, "", words);
}

struct program_run program_start_after(const char *folder, const char *before, const char *words)
{
    struct program_run run = {0};
    char command[8192];
    int status;
    snprintf(command, sizeof command, "cd '%s' || exit 99; %s exec >.out 2>.err; exec '%s' %s", folder, before,
             INTRA_TEST_PROGRAM, words);
    status = system(command);
    run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    run.out = read_text(folder, ".out");
    run.err = read_text(folder, ".err");
    return run;
}

void program_free(struct program_run *run)
{
    free(run->out);
    free(run->err);
    memset(run, 0, sizeof *run);
}

void program_expect(const char *folder, const char *words, int code, const char *said)
{
    program_expect_after(folder, "", words, code, said);
}

void program_expect_after(const char *folder, const char *before, const char *words, int code, const char *said)
{
    struct program_run run = program_start_after(folder, before, words);
    if (run.code != code || (said && !strstr(run.err, said)) || strstr(run.err, "Sanitizer") ||
        strstr(run.err, "runtime error"))
        fail_msg("intrados %s\nexit status %d, want %d; errors should hold '%s':\n%s", words, run.code, code,
                 said ? said : "", run.err);
    program_free(&run);
}

struct program_run program_done(const char *folder, const char *words)
{
    struct program_run run = program_start(folder, words);
    if ((run.code != 0 && run.code != 3) || strstr(run.err, "Sanitizer") || strstr(run.err, "runtime error"))
        fail_msg("intrados %s: exit status %d\n%s", words, run.code, run.err);
    return run;
}

void program_folder(char folder[64])
{
    strcpy(folder, "/tmp/intrados-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

void program_remove(const char *folder)
{
    program_shell("chmod -R u+w '%s' && rm -rf '%s'", folder, folder);
}

char program_dir[64];

int program_make_dir(void **state)
{
    (void)state;
    program_folder(program_dir);
    return 0;
}

int program_remove_dir(void **state)
{
    (void)state;
    program_remove(program_dir);
    return 0;
}

void program_shell(const char *format, ...)
{
    char command[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0) fail_msg("failed: %s", command);
}
