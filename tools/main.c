/* The one program: finds the command and hands over. */
#include "tools/commands.h"
#include "tools/options.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"reconstruct", intra_cmd_reconstruct, "a measured, textured 3D model from inspection video"},
    {"simulate", intra_cmd_simulate, "a pipe video with its truth, for tests and demos"},
    {"evaluate", intra_cmd_evaluate, "how far a result is from the truth"},
    {"measure", intra_cmd_measure, "diameters, ovality and lists for rehabilitation from a finished project"},
    {"export", intra_cmd_export, "other formats and stretches from a finished project"},
    {"view", intra_cmd_view, "opens the report page of a finished project"},
    {"import", intra_cmd_import, "an inspection record into a finished project"},
    {"info", intra_cmd_info, "what is in a video, and what would be used"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    printf("Usage: intrados COMMAND ...\nSewer inspection video to a measured, textured 3D model of the pipe.\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-14s%s\n", commands[i].name, commands[i].summary);
    printf("\n'intrados COMMAND --help' shows a command's options, 'intrados --version' the version.\n\nExample:\n"
           "  intrados reconstruct run.mp4 --diameter 300mm --camera cam.yaml -o run.intrados\n\n"
           "Exit status: 0 done, 1 failed, 2 wrong usage, 3 done with gaps.\n");
}

static int unknown_command(const char *word)
{
    const char *names[N_COMMANDS];
    const char *near;
    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    near = intra_nearest_word(word, names, N_COMMANDS);
    fprintf(stderr, "intrados: unknown command '%s'", word);
    if (near) fprintf(stderr, "; did you mean '%s'?", near);
    fprintf(stderr, "\nTry 'intrados --help'.\n");
    return INTRA_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    int code = -1;
    signal(SIGXFSZ, SIG_IGN); /* a write over the limits must come back as an error that we can report */
    if (argc < 2) {
        fprintf(stderr, "intrados: no command given\nTry 'intrados --help'.\n");
        return INTRA_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help();
        code = INTRA_EXIT_DONE;
    } else if (strcmp(argv[1], "--version") == 0) {
        printf("intrados %s\n", INTRADOS_VERSION);
        code = INTRA_EXIT_DONE;
    }
    for (int i = 0; i < N_COMMANDS && code < 0; i++)
        if (strcmp(argv[1], commands[i].name) == 0) code = commands[i].run(argc - 1, argv + 1);
    if (code < 0) code = unknown_command(argv[1]);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == INTRA_EXIT_DONE) {
        fprintf(stderr, "intrados: standard output: cannot write\n");
        code = INTRA_EXIT_FAILED;
    }
    return code;
}
