/* Running the real program in a test, and looking at what it said. */
#ifndef INTRA_TEST_PROGRAM_H
#define INTRA_TEST_PROGRAM_H

struct program_run {
    int code;        /* exit status; 128 + number when a signal ended it */
    char *out, *err; /* all of standard output and error */
};

/* `words` after the program's name, in the shell's syntax; `folder` becomes the working folder and takes the outputs.
 */
struct program_run program_start(const char *folder, const char *words);
/* The same with shell commands before it that hold for it: "ulimit -f 10; ". */
struct program_run program_start_after(const char *folder, const char *before, const char *words);
void program_free(struct program_run *run);
/* Run, expect the exit status, expect `said` (may be NULL) in the errors, and no sign of a crash. */
void program_expect(const char *folder, const char *words, int code, const char *said);
void program_expect_after(const char *folder, const char *before, const char *words, int code, const char *said);

/* Run, expect it done, with or without gaps (status 0 or 3), and no sign of a crash; the caller frees what it said. */
struct program_run program_done(const char *folder, const char *words);

/* mkdtemp under /tmp, and rm -r. */
void program_folder(char folder[64]);
void program_remove(const char *folder);
/* The folder of a test program as a whole: made and removed by these two, which fit cmocka's group setup. */
extern char program_dir[64];
int program_make_dir(void **state);
int program_remove_dir(void **state);
/* A shell command that must succeed. */
void program_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
